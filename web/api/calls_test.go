package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vigia/collectors/voice"
	"vigia/store"
)

// someCalls puts in twelve calls of two customers, the first one measured and with a Call-ID that needs care in an address.
func someCalls(w *world) voice.Call {
	w.t.Helper()
	mos, r, loss, coverage, packets := 3.1, 60.5, 4.25, 97.5, uint32(8000)
	first := voice.Call{
		ID: "a/b c?d%2F@sbc-1", Customer: "acme", Trunk: "carrier-a", From: "+50622223333", To: "+50255556666", Start: noon.Add(-time.Minute), End: noon,
		Answered: noon.Add(-50 * time.Second), MOS: &mos, R: &r, Scale: "nb", Cause: "loss", CoveragePct: &coverage, Revision: 2, Signalled: true, Status: 200, Why: "hangup",
		Streams: []voice.Stream{{
			Side: voice.Access, Direction: voice.CallerToCallee, SSRC: 7, Packets: &packets, LossPct: &loss, MOS: &mos, R: &r, Assumed: []string{"buffer"},
			Attribution: &voice.Attribution{Loss: 1.25}, Packed: []byte{20, 250, 0, 0, 0, 0, 240, 15, 20, 250, 0, 0, 0, 0, 240, 15},
		}},
	}
	w.store.PutCall(&first)
	for n := range 11 {
		w.store.PutCall(&voice.Call{
			ID: fmt.Sprint("call-", n), Customer: []string{"acme", "beta"}[n%2], Start: noon.Add(-time.Duration(n+2) * time.Minute), End: noon, Revision: 1, Signalled: true,
		})
	}
	if err := w.store.FlushCalls(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	return first
}

// TestCalls: a call has the same shape here and where it is made; pages follow one another without gaps.
func TestCalls(t *testing.T) {
	w := newWorld(t)
	first := someCalls(w)
	r := w.get("/calls?limit=5")
	var want any
	text, err := json.Marshal(first)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, r.at("calls", 0)); diff != "" {
		t.Errorf("a call of the API (-tracker +API):\n%s", diff)
	}
	seen := map[any]bool{}
	for pages := 1; ; pages++ {
		for n := range r.count("calls") {
			seen[r.at("calls", n, "call_id")] = true
		}
		next, more := r.at("next").(string)
		if !more {
			if len(seen) != 12 || pages != 3 {
				t.Errorf("%d calls on %d pages", len(seen), pages)
			}
			break
		}
		r = w.get("/calls?limit=5&after=" + url.QueryEscape(next))
	}
	for query, count := range map[string]int{
		"customer=beta": 5, "trunk=carrier-a": 1, "number=2222-3333": 1, "number=%2B502*": 1, "max_mos=3.5": 1, "min_mos=3.5": 0, "cause=loss": 1, "cause=delay": 0,
		"one_way=true": 0, "since=2026-11-23T11:58:30Z": 1, "until=2026-11-23T11:50:00Z": 2, "country=GT": 0, "site=x": 0, "unmeasured=true": 0,
	} {
		if n := w.get("/calls?" + query).count("calls"); n != count {
			t.Errorf("%s finds %d calls, want %d", query, n, count)
		}
	}
}

// TestCall reads one with its intervals.
func TestCall(t *testing.T) {
	w := newWorld(t)
	first := someCalls(w)
	for _, path := range []string{"", "?start=2026-11-23T11:59:00Z"} {
		r := w.get("/calls/" + url.PathEscape(first.ID) + path)
		w.want(r, first.ID, "call_id")
		w.want(r, 2.0, "revision")
		w.want(r, 200.0, "status")
		w.want(r, nil, "q850")
		if r.count("intervals") != 1 || r.count("intervals", 0) != 2 {
			t.Errorf("intervals: %s", r.text)
		}
		w.want(r, 5.0, "intervals", 0, 1, "seconds")
		w.want(r, 250.0, "intervals", 0, 1, "expected")
	}
	for path, status := range map[string]int{
		"/calls/nobody": http.StatusNotFound, "/calls/call-1?start=2026-11-23T11:00:00Z": http.StatusNotFound, "/calls?after=x": http.StatusUnprocessableEntity,
		"/calls?cause=bad": http.StatusUnprocessableEntity, "/calls?max_mos=9": http.StatusUnprocessableEntity, "/calls?limit=1000": http.StatusUnprocessableEntity,
	} {
		if r := w.do(http.MethodGet, Prefix+path, ""); r.status != status {
			t.Errorf("%s: %d %s", path, r.status, r.text)
		}
	}
	s := &server{Config: w.cfg}
	foreign := Caller{Name: "x", Role: Viewer, Scope: store.Scope{Customers: []string{"beta"}}}
	if _, err := getCall(s, t.Context(), foreign, &callInput{ID: first.ID}); err == nil {
		t.Error("reads a foreign customer's call")
	}
	if page, err := listCalls(s, t.Context(), foreign, &callsInput{Limit: 100}); err != nil || len(page.Calls) != 5 {
		t.Errorf("%d calls of a scope, %v", len(page.Calls), err)
	}
}
