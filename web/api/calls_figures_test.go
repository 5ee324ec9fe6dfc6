package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"vigia/collectors/voice"
	"vigia/store"
	"vigia/store/storetest"
)

// figuredCalls puts in six calls an hour of each of two customers for two days before noon, of which one has no MOS and one is bad.
func figuredCalls(w *world) {
	w.t.Helper()
	for hour := range 48 {
		for n := range 12 {
			start := noon.Add(time.Duration(-hour)*time.Hour + time.Duration(n-30)*time.Minute)
			c := voice.Call{
				ID: fmt.Sprint(hour, "-", n), Customer: []string{"acme", "gone"}[n%2], Trunk: []voice.Text{"carrier-a", "carrier-b", ""}[n/4], Start: start, Answered: start,
				End: start.Add(100 * time.Second), Revision: 1, Signalled: true,
			}
			if n > 1 {
				r, mos, covered := 92.0, 4.5, 50.0
				if n < 4 {
					r, mos = 40, 2.5
				}
				c.R, c.MOS, c.Scale, c.CoveragePct = &r, &mos, "nb", &covered
			}
			w.store.PutCall(&c)
		}
	}
	if err := w.store.FlushCalls(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// said is an answer's rows in short: begin, value, scale, calls.
func said(r reply) string {
	var rows []string
	for i := range r.count("figures") {
		row := r.at("figures", i)
		m, _ := row.(map[string]any)
		rows = append(rows, strings.Join(strings.Fields(fmt.Sprint(m["begin"].(string)[5:13], " ", plainOf(m["value"]), " ", plainOf(m["scale"]), " ", m["calls"])), " "))
	}
	return strings.Join(rows, ", ")
}

func plainOf(v any) string {
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

// TestCallFigures asks for the figures by everything that they can be asked by.
func TestCallFigures(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open storetest.Opener) {
		w := newWorldIn(t, open(atNoon))
		figuredCalls(w)
		for query, want := range map[string]string{
			"":                "11-22T12 48, 11-22T12 nb 240",
			"customer=acme":   "11-22T12 24, 11-22T12 nb 120",
			"customer=gone":   "11-22T12 24, 11-22T12 nb 120",
			"customer=nobody": "",
			"by=customer":     "11-22T12 acme 24, 11-22T12 acme nb 120, 11-22T12 gone 24, 11-22T12 gone nb 120",
			"by=trunk":        "11-22T12 carrier-a 48, 11-22T12 carrier-a nb 48, 11-22T12 carrier-b nb 96",
			"by=trunk&step=hour&from=2026-11-23T10:59:00Z":                                 "11-23T10 carrier-a 2, 11-23T10 carrier-a nb 2, 11-23T10 carrier-b nb 4, 11-23T11 carrier-a 2, 11-23T11 carrier-a nb 2, 11-23T11 carrier-b nb 4",
			"step=day&customer=acme&from=2026-11-20T00:00:00Z":                             "11-21T00 12, 11-21T00 nb 60, 11-22T00 24, 11-22T00 nb 120, 11-23T00 12, 11-23T00 nb 60",
			"step=day&customer=acme&timezone=America/Costa_Rica&from=2026-11-21T12:00:00Z": "11-21T00 18, 11-21T00 nb 90, 11-22T00 24, 11-22T00 nb 120, 11-23T00 6, 11-23T00 nb 30",
			"step=month&from=2026-10-01T00:00:00Z&to=2026-11-22T00:00:00Z":                 "11-01T00 24, 11-01T00 nb 120",
			"by=site": "",
		} {
			if have := said(w.get("/calls/figures?" + query)); have != want {
				t.Errorf("%s\n says %s\n want %s", query, have, want)
			}
		}
		r := w.get("/calls/figures?by=trunk&customer=acme")
		for i, path := range [][]any{
			{1.0 * 24, "calls"},
			{24.0, "bands", "r0"},
			{0.0, "bands", "r90"},
			{0.0, "one_way"},
			{2400.0, "talk_s"},
			{1200.0, "covered_s"},
			{50.0, "coverage_pct"},
			{24.0, "mos", "calls"},
			{60.0, "mos", "sum"},
			{2.5, "mos", "mean"},
			{40.0, "r", "mean"},
			{nil, "rtt_ms", "mean"},
		} {
			if have := r.at(append([]any{"figures", 1}, path[1:]...)...); have != path[0] {
				t.Errorf("%d: %v is %v, want %v", i, path[1:], have, path[0])
			}
		}
		w.want(r, "UTC", "timezone")
		w.want(r, nil, "step")
	})
}

// TestCallFiguresOfAScope: what a caller may not see is not in a sum either.
func TestCallFiguresOfAScope(t *testing.T) {
	w := newWorld(t)
	figuredCalls(w)
	s := &server{Config: w.cfg}
	foreign := Caller{Name: "x", Role: Viewer, Scope: store.Scope{Customers: []string{"acme"}}}
	for _, c := range []struct {
		in    callFiguresInput
		calls int64
	}{{callFiguresInput{}, 144}, {callFiguresInput{By: "customer"}, 144}, {callFiguresInput{Customer: "gone"}, 0}, {callFiguresInput{By: "trunk"}, 96}} {
		out, err := getCallFigures(s, t.Context(), foreign, &c.in)
		if err != nil {
			t.Fatal(err)
		}
		var calls int64
		for _, f := range out.Figures {
			calls += f.Calls
		}
		if calls != c.calls {
			t.Errorf("%+v: %d calls, want %d", c.in, calls, c.calls)
		}
	}
	for _, query := range []string{
		"step=week", "by=number", "timezone=Local", "timezone=America/Nowhere", "from=2026-11-24T00:00:00Z", "from=2010-01-01T00:00:00Z", "step=hour&from=2026-01-01T00:00:00Z",
	} {
		if r := w.do(http.MethodGet, Prefix+"/calls/figures?"+query, ""); r.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %s", query, r.status, r.text)
		}
	}
}
