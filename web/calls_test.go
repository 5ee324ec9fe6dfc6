package web

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"vigia/collectors/voice"
	"vigia/mos"
	"vigia/store"
)

// callRows are the rows of a list of calls, as text.
func callRows(a answer) (rows []string) {
	walk(a.find("id", "rows"), func(n *html.Node) {
		if matches(n, []string{"tag", "tr", "data-row", ""}) {
			rows = append(rows, text(n))
		}
	})
	return rows
}

// TestCallPagesAreWhole looks at the page of each sort of call as at every other page.
func TestCallPagesAreWhole(t *testing.T) {
	w, list := withCalls(t)
	for _, lang := range []string{"en", "es"} {
		for i := range list {
			a := w.get(callURL(&list[i]), header("Accept-Language", lang))
			if a.StatusCode != http.StatusOK {
				t.Fatalf("%s: status %d", list[i].ID, a.StatusCode)
			}
			examine(t, lang+" "+list[i].ID, lang, a)
		}
		examine(t, lang+" /calls", lang, w.get("/calls", header("Accept-Language", lang)))
	}
}

func TestCallList(t *testing.T) {
	w, _ := withCalls(t)
	rows := callRows(w.get("/calls"))
	want := []string{
		"clinica +50622220000 → +50255557731 clinica, late packets guatel G729 not recommended 2.44 NB late packets 98 %",
		"very satisfied 4.38 NB", "many dissatisfied 3.36 WB packet loss", "not assigned, not measured", "not answered 503 service unavailable, Q.850 34 no circuit free",
	}
	if len(rows) != len(want) {
		t.Fatalf("%d rows: %q", len(rows), rows)
	}
	want[3] = "PCMA not measured"
	for i := range want {
		if !strings.Contains(rows[i], want[i]) {
			t.Errorf("row %d says %q, without %q", i, rows[i], want[i])
		}
	}
	for _, i := range []int{3, 4} {
		if strings.Contains(rows[i], "0.00") || strings.Contains(rows[i], "1.00") {
			t.Errorf("what was not measured has a figure: %q", rows[i])
		}
	}
	if es := callRows(w.get("/calls", spanish)); !strings.Contains(es[0], "2,44 BE paquetes tardíos") {
		t.Errorf("Spanish row %q", es[0])
	}
}

// TestCallParts: the list and its bar are parts that the page's script fetches anew.
func TestCallParts(t *testing.T) {
	w, _ := withCalls(t)
	a := w.get("/calls?part=rows,bands", header("HX-Request", "true"))
	if a.find("id", "rows", "data-live", "tick") == nil || a.find("id", "bands") == nil || a.find("tag", "main") != nil || len(callRows(a)) != 5 {
		t.Errorf("status %d: %s", a.StatusCode, a.body[:min(len(a.body), 300)])
	}
	if w.get("/calls?until=2026-01-01T00:00").find("id", "rows", "data-live", "tick") != nil {
		t.Error("a list that has ended is live")
	}
}

// TestBlameThroughLegs: of several legs the one that the cause cost most is blamed.
func TestBlameThroughLegs(t *testing.T) {
	c := aCall(1, time.Now())
	second := c.Streams[1]
	second.Leg, second.R, second.Attribution = 1, pointer(60.0), &voice.Attribution{Late: 0.1, Loss: 1.7}
	c.Streams, c.Cause = append(c.Streams, second), "loss"
	if say := testVisit().callSentence(&c, costliest(&c, worstStream(&c))); say != "Packet loss on the way to the caller cost 1.70 of MOS." {
		t.Error(say)
	}
}

func TestCallFilters(t *testing.T) {
	w, list := withCalls(t)
	between := list[2].Start.Add(-time.Minute).In(w.server.zone("")).Format(fieldTime)
	for query, want := range map[string][]int{
		"number=2222+0003": {3}, "number=22220001": {1}, "number=%2B50622*": {0, 1, 2, 3, 4}, "customer=clinica": {0, 1, 2}, "customer=unassigned": {3, 4},
		"trunk=guatel&cause=late": {0}, "trunk=nobody": nil, "site=guatemala&mos=3,1": {0}, "mos=3.4": {0, 2}, "mos=abc": {0, 1, 2, 3, 4}, "only=unmeasured": {3},
		"only=one_way": nil, "cause=nonsense": {0, 1, 2, 3, 4}, "since=" + between: {0, 1, 2}, "until=" + between: {3, 4}, "range=1h&customer=&trunk=": {0, 1, 2, 3, 4},
	} {
		rows := callRows(w.get("/calls?" + query))
		var have []int
		for _, row := range rows {
			for i := range list {
				if strings.Contains(row, string(list[i].From)) {
					have = append(have, i)
				}
			}
		}
		if !slices.Equal(have, want) {
			t.Errorf("%s finds %v, not %v", query, have, want)
		}
	}
	a := w.get("/calls?customer=clinica&cause=late&since=" + between)
	if a.find("tag", "a", "href", "/calls?customer=clinica&since="+url.QueryEscape(between)) == nil {
		t.Error("no chip takes the cause away alone")
	}
	if w.get("/calls?after=nonsense").StatusCode != http.StatusNotFound {
		t.Error("the end of no page was taken")
	}
}

// TestCallPaging: following Older meets every call exactly once, newest first, and each page is asked for by the key at which the last one ended.
func TestCallPaging(t *testing.T) {
	w := newTestWorld(t)
	now := time.Now().UTC().Truncate(time.Second)
	var all []voice.Call
	const many = 2*callsPerPage + 50
	for i := range many {
		all = append(all, goodCall(i, now.Add(-time.Duration(i/3)*time.Second))) // three at a time begin at once
	}
	w.putCalls(all...)
	seen := map[string]bool{}
	pages := 0
	for at := "/calls?customer=clinica"; at != ""; pages++ {
		a := w.get(at)
		at = ""
		walk(a.doc, func(n *html.Node) {
			if key, ok := attr(n, "data-key"); ok {
				if _, err := store.ParseCallKey(key); err != nil {
					t.Error(err)
				}
				if seen[key] {
					t.Errorf("%s came twice", key)
				}
				seen[key] = true
			}
			if rel, _ := attr(n, "rel"); rel == "next" {
				at, _ = attr(n, "href")
			}
		})
		if pages > 0 && a.find("id", "bands", "data-live", "tick") != nil {
			t.Error("an older page is live")
		}
	}
	if len(seen) != many || pages != 3 {
		t.Errorf("%d calls on %d pages", len(seen), pages)
	}
}

func TestCallBands(t *testing.T) {
	w, _ := withCalls(t)
	gone := goodCall(9, time.Now().UTC().Truncate(time.Second).Add(-time.Minute))
	gone.Customer, gone.Trunk = "no-longer-configured", "another"
	w.putCalls(gone)
	for query, want := range map[string]string{
		"":                             "5 calls that were spoken in",
		"?customer=clinica":            "1 very satisfied 33 % many dissatisfied 1 many dissatisfied 33 % not recommended 1 not recommended 33 %",
		"?trunk=guatel":                "4 calls that were spoken in",
		"?customer=clinica&cause=late": "1 call that was spoken in",
		"?customer=clinica&mos=3.1":    "",
		"?number=22220001":             "",
		"?range=30d":                   "", // of all customers together, over so long
		"?customer=clinica&range=30d":  "3 calls that were spoken in",
		"?customer=clinica&cause=late&trunk=guatel": "",
	} {
		have := text(w.get("/calls"+query).find("id", "bands"))
		if want == "" && have != "" || !strings.Contains(have, want) {
			t.Errorf("%q: bands say %q, not %q", query, have, want)
		}
	}
	if have := text(w.get("/trunks/guatel").find("id", "calls")); !strings.Contains(have, "Calls today") || !strings.Contains(have, "All of them") {
		t.Errorf("the trunk says %q", have)
	}
	if w.get("/links/sjo-gua").find("id", "calls").FirstChild != nil {
		t.Error("a link has calls")
	}
}

func TestCallPage(t *testing.T) {
	w, list := withCalls(t)
	for i, wants := range [][]string{
		{
			"MOS, narrowband, worse direction 2.44 R 47.4 · worst 10 s: R 38.0", "not recommended", "too late for the jitter buffer cost 1.22 of MOS", "The other direction had R 81.9, satisfied.",
			"1.97 lost of the 4.41", "Late loss 10.4 % modelled, from jitter and buffer", "Round trip 164 ms measured towards one end only", "Under R 70 / R 60 163 s / 158 s",
			"Jitter buffer configured, or fixed at 60 ms assumed", "a word of tomorrow", "Its own score MOS 3.10 0.66 above ours", "not judged", "nothing arrived",
			"post-dial delay 1.9 s, answered after 6.2 s", "INVITE", "ringing", "200, answered", "BYE", "16 normal clearing", "198.51.100.24", "phone/1.0",
		},
		{"4.38", "Nothing to blame: people are very satisfied"},
		{"MOS, wideband, worse direction 3.36"},
		{"not measured", "That does not mean it was good"},
		{"not answered", "Nobody spoke: 503 service unavailable, Q.850 34 no circuit free."},
	} {
		body := strings.ReplaceAll(text(w.get(callURL(&list[i])).find("tag", "main")), "\u00a0", " ")
		for _, want := range wants {
			if !strings.Contains(body, want) {
				t.Errorf("call %d does not say %q: %s", i, want, body)
			}
		}
	}
	if a := w.get("/calls/" + url.PathEscape(list[0].ID)); a.StatusCode != http.StatusOK || !strings.Contains(text(a.find("tag", "h1")), "Call") {
		t.Errorf("without its start: status %d", a.StatusCode)
	}
	for _, path := range []string{"/calls/nobody", "/calls/" + url.PathEscape(list[0].ID) + "?start=1", "/calls/x?start=yesterday"} {
		if a := w.get(path); a.StatusCode != http.StatusNotFound {
			t.Errorf("%s: status %d", path, a.StatusCode)
		}
	}
}

// TestCallWithoutIntervals: a call whose intervals have gone says so, and keeps its figures.
func TestCallWithoutIntervals(t *testing.T) {
	w := newTestWorld(t)
	c := aCall(1, time.Now().UTC().Add(-time.Hour).Truncate(time.Second))
	for i := range c.Streams {
		c.Streams[i].Packed = nil
	}
	w.putCalls(c)
	a := w.get(callURL(&c))
	if !strings.Contains(text(a.doc), "not kept any more") || !strings.Contains(text(a.doc), "Late loss 10.4 %") || strings.Contains(a.body, `class="plot"`) {
		t.Error(text(a.find("tag", "main")))
	}
}

func TestCallFiles(t *testing.T) {
	w, list := withCalls(t)
	read := func(path string) [][]string {
		a := w.get(path)
		rows, err := csv.NewReader(strings.NewReader(a.body)).ReadAll()
		if err != nil || !strings.HasPrefix(a.Header.Get("Content-Type"), "text/csv") {
			t.Fatal(path, err, a.Header)
		}
		return rows
	}
	rows := read("/calls?format=csv&cause=late")
	if len(rows) != 2 || rows[1][10] != "2.44" && !strings.HasPrefix(rows[1][10], "2.4") || rows[1][13] != "late" || rows[1][17] != list[0].ID {
		t.Errorf("%q", rows)
	}
	if rows := read("/calls?format=csv&only=unmeasured"); rows[1][10] != "" || rows[1][12] != "" {
		t.Errorf("what was not measured has a figure: %q", rows[1])
	}
	if rows := read(callURL(&list[0]) + "&format=csv"); len(rows) != 1+2*56 {
		t.Errorf("%d rows of intervals", len(rows))
	}
}

func TestFindCalls(t *testing.T) {
	w, list := withCalls(t)
	if a := w.get("/find?q=" + url.QueryEscape(list[2].ID)); a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != callURL(&list[2]) {
		t.Errorf("a Call-ID: status %d, %s", a.StatusCode, a.Header.Get("Location"))
	}
	a := w.get("/find?q=2222+0001")
	if a.find("tag", "a", "href", callURL(&list[1])) == nil || a.find("tag", "a", "href", "/calls?number=2222+0001&range=30d") == nil {
		t.Error(text(a.find("tag", "main")))
	}
	if a := w.get("/find?q=192.0.2.1"); strings.Contains(text(a.find("tag", "main")), "Search all calls") {
		t.Error("an address was taken for a number")
	}
}

// TestCallWordsForEveryValue: what a call can say has its words.
func TestCallWordsForEveryValue(t *testing.T) {
	var codes []string
	for _, class := range bandClasses {
		codes = append(codes, "band."+class)
	}
	for _, cause := range callCauses {
		codes = append(codes, "call.cause."+cause)
		for _, way := range []string{voice.CallerToCallee, voice.CalleeToCaller, voice.UnknownDirection} {
			codes = append(codes, "way."+way)
			if cause == "loss" || cause == "late" || cause == "one_way" {
				codes = append(codes, "call.say."+cause+"."+way)
			}
		}
	}
	for _, only := range callOnlys {
		codes = append(codes, "calls.only."+only)
	}
	for _, end := range []string{"hangup", "failed", "silent", "evicted", "shutdown"} {
		codes = append(codes, "call.end."+end)
	}
	for _, side := range []voice.LegSide{voice.Access, voice.Core, voice.Carrier, voice.UnknownSide} {
		codes = append(codes, "side."+string(side))
	}
	for _, scale := range []mos.Scale{mos.NB, mos.WB, mos.FB} {
		codes = append(codes, "scale."+scale.String(), "scale."+scale.String()+".long")
	}
	for _, word := range append(mos.Assumed(1<<10-1).Words(), "dtmf_loss", "collector_loss", "rtt_one_side") {
		if !slices.Contains(saidElsewhere, word) {
			codes = append(codes, "assumed."+word)
		}
	}
	for _, code := range codes {
		if _, ok := Words["web."+code]; !ok {
			t.Errorf("%s is missing", code)
		}
	}
}

// TestSayOfCodes: a code has its words, a stranger those of its class, and a number is never lost.
func TestSayOfCodes(t *testing.T) {
	s := &speaker{words: testWords(), lang: "en"}
	for code, want := range map[int]string{486: "486 busy", 499: "499 refused", 699: "699 refused everywhere", 799: "799"} {
		if have := s.sipStatus(code); have != want {
			t.Errorf("%d is %q, not %q", code, have, want)
		}
	}
	for code, want := range map[int]string{34: "Q.850 34 no circuit free", 43: "Q.850 43 no resources", 14: "Q.850 14", 100: "Q.850 100 protocol error"} {
		if have := s.q850(code); have != want {
			t.Errorf("%d is %q, not %q", code, have, want)
		}
	}
}

func TestStretches(t *testing.T) {
	list := voice.Intervals(course(10, 80, 40, func(i int, x *voice.Interval) {
		if i == 5 {
			x.R, x.JitterMS = nil, nil
		}
	}))
	s := testVisit().laneScale(&voice.Call{Scale: "nb"}, [][]voice.Interval{list})
	path := s.path(s.stretches[0], 100, tallLane, func(x *stretch) float64 { return x.r }, 1000)
	if strings.Count(path, "M") != 2 {
		t.Errorf("a gap is bridged: %s", path)
	}
	if under := s.path(s.stretches[0], 100, tallLane, func(x *stretch) float64 { return x.r }, 70); under == "" || len(under) >= len(path) {
		t.Errorf("what is under R 70 is %s", under)
	}
	merged := stretchesOf(list, 4)
	if len(merged) != 4 || merged[3].to != 50 || merged[1].lost != 50 || merged[1].r > 41.5 {
		t.Errorf("%+v", merged)
	}
}

func TestNiceTop(t *testing.T) {
	for most, want := range map[float64]float64{1: 1, 1.1: 2, 52: 80, 10: 10, 164: 200, 4500: 5000, 0.3: 0.4} {
		if have := niceTop(most); fmt.Sprintf("%.3f", have) != fmt.Sprintf("%.3f", want) {
			t.Errorf("an axis up to %v ends at %v, not %v", most, have, want)
		}
	}
}

// BenchmarkCallPages is the server's time for the pages of calls over fifty thousand of them.
func BenchmarkCallPages(b *testing.B) {
	w := newTestWorld(b)
	now := time.Now().UTC().Truncate(time.Second)
	var batch []voice.Call
	for i := range 50_000 {
		batch = append(batch, []func(int, time.Time) voice.Call{goodCall, wideCall, aCall}[min(i%40, 2)](i, now.Add(-time.Duration(i)*time.Second)))
		if len(batch) == 2000 {
			w.putCalls(batch...)
			batch = batch[:0]
		}
	}
	deep := store.CallKeyOf(pointer(goodCall(0, now.Add(-12*time.Hour)))).String()
	one := aCall(42, now.Add(-42*time.Second))
	for name, path := range map[string]string{
		"first": "/calls", "deep": "/calls?after=" + deep, "customer": "/calls?customer=clinica&cause=late", "number": "/calls?number=22220042", "call": "/calls/" + url.PathEscape(one.ID),
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if a := w.get(path); a.StatusCode != 200 {
					b.Fatalf("status %d", a.StatusCode)
				}
			}
		})
	}
}
