package web

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/net/html"

	"vigia/alerting"
	"vigia/collectors/inventory"
)

// onCallPreview is the address of a preview, far enough ahead.
var onCallPreview = "/oncall/override?" + url.Values{
	"rotation": {"noc"}, "person": {"eva"}, "from": {time.Now().Add(24 * time.Hour).Format(fieldTime)}, "to": {time.Now().Add(48 * time.Hour).Format(fieldTime)}, "note": {"a <b>wedding</b>"},
}.Encode()

// testSchedule has a rotation in which ana and ben take turns each day at 09:00, and one that nobody is in at night.
func testSchedule() *alerting.Schedule {
	begin := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -200).Add(9 * time.Hour)
	everyDay := [7]bool{true, true, true, true, true, true, true}
	return &alerting.Schedule{
		People: map[string]alerting.Person{
			"ana": {Name: "ana", Receivers: []string{"ana-mail"}, Phone: "+506 8888 1111"}, "ben": {Name: "ben", Receivers: []string{"ben-mail"}}, "eva": {Name: "eva", Receivers: []string{"eva-mail"}},
		},
		Rotations: map[string]*alerting.Rotation{
			"noc":  {Name: "noc", Zone: time.UTC, Layers: []alerting.Layer{{Name: "days", People: []string{"ana", "ben"}, Starts: begin, Length: 24 * time.Hour}}},
			"desk": {Name: "desk", Zone: time.UTC, Otherwise: []string{"spare"}, Layers: []alerting.Layer{{Name: "w", People: []string{"eva"}, Starts: begin, Length: 24 * time.Hour, Hours: []alerting.Hours{{Days: everyDay, From: 8 * time.Hour, To: 9 * time.Hour}, {Days: everyDay, From: 10 * time.Hour, To: 11 * time.Hour}}}}},
		},
	}
}

// withSchedule gives the pages the schedule that the engine has.
func withSchedule(c *Config) {
	s := testSchedule()
	c.Schedule = func() *alerting.Schedule { return s }
	c.Tells = func(ref inventory.Ref, p *alerting.Policy, level int, o []alerting.Override, at time.Time) alerting.Telling {
		return (&alerting.Config{Schedule: s}).Tells(ref, p, level, o, at)
	}
}

func TestOnCallPage(t *testing.T) {
	w := newTestWorld(t, withSchedule)
	schedule := testSchedule()
	now := schedule.Rotation("noc").At(time.Now(), nil)
	for lang, want := range map[string][]string{
		"en": {"On call now " + now.Person, "then " + now.Next, "There are no overrides", "Nobody has left a note"},
		"es": {"De turno ahora " + now.Person, "luego " + now.Next, "No hay sustituciones", "Nadie ha dejado una nota"},
	} {
		a := w.get("/oncall", header("Accept-Language", lang))
		examine(t, lang, lang, a)
		for _, one := range want {
			if !strings.Contains(text(a.find("tag", "main")), one) {
				t.Errorf("%s: %q is missing in %q", lang, one, text(a.find("tag", "main")))
			}
		}
	}
	a := w.get("/oncall")
	bars := 0
	walk(a.doc, func(n *html.Node) {
		if class, _ := attr(n, "class"); n.Data == "rect" && strings.HasPrefix(class, "bar ") {
			bars++
		}
	})
	if bars < 14+28 {
		t.Errorf("%d bars on the strips of two weeks", bars)
	}
	empty := newTestWorld(t)
	if got := text(empty.get("/oncall").find("tag", "main")); !strings.Contains(got, "No rotation is configured") {
		t.Errorf("without rotations: %q", got)
	}
}

// TestOverrideOnPages goes the whole way: a preview, the command, the page, the calendar, and back.
func TestOverrideOnPages(t *testing.T) {
	w := newTestWorld(t, withSchedule)
	preview := w.get(onCallPreview)
	examine(t, "preview", "en", preview)
	if got := text(preview.find("tag", "main")); !strings.Contains(got, "eva on call in noc") || !strings.Contains(got, "eva override") || strings.Contains(preview.body, "<b>wedding") {
		t.Fatalf("the preview: %q", got)
	}
	form := url.Values{}
	walk(preview.doc, func(n *html.Node) {
		if name, ok := attr(n, "name"); ok && n.Data == "input" && name != "q" {
			value, _ := attr(n, "value")
			form.Set(name, value)
		}
	})
	for range 2 { // sent twice it is one
		if a := w.ask("POST", "/oncall/override", form); a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != "/oncall" {
			t.Fatalf("status %d: %s", a.StatusCode, text(a.find("tag", "main")))
		}
	}
	list, err := w.store.OnCallOverrides(t.Context(), time.Now())
	if err != nil || len(list) != 1 || list[0].Person != "eva" || list[0].By != "operator" || list[0].Note != "a <b>wedding</b>" {
		t.Fatalf("stored: %+v, %v", list, err)
	}
	page := w.get("/oncall")
	if got := text(page.find("id", "overrides")); !strings.Contains(got, "eva noc") || !strings.Contains(got, "decided by operator: a <b>wedding</b>") {
		t.Errorf("the page: %q", got)
	}
	if ics := w.get("/oncall/noc.ics").body; !strings.Contains(ics, "SUMMARY:eva on call (noc)") || !strings.Contains(ics, `override\na <b>wedding</b>`) {
		t.Errorf("the calendar lacks it:\n%s", ics)
	}
	cancel := url.Values{"override": {list[0].ID}}
	if a := w.ask("POST", "/oncall/override/cancel", cancel); a.StatusCode != http.StatusSeeOther {
		t.Errorf("cancel: status %d", a.StatusCode)
	}
	if a := w.ask("POST", "/oncall/override/cancel", cancel); a.StatusCode != http.StatusConflict || !strings.Contains(a.body, "There is no such override") {
		t.Errorf("cancel again: status %d", a.StatusCode)
	}
	if list, err = w.store.OnCallOverrides(t.Context(), time.Now()); err != nil || len(list) != 0 {
		t.Errorf("after cancelling: %+v, %v", list, err)
	}
}

func TestOverrideThatCannotBe(t *testing.T) {
	w := newTestWorld(t, withSchedule)
	tomorrow, after := time.Now().Add(24*time.Hour).Format(fieldTime), time.Now().Add(30*time.Hour).Format(fieldTime)
	for name, c := range map[string]struct {
		form url.Values
		says string
	}{
		"nobody of that name": {url.Values{"rotation": {"noc"}, "person": {"zoe"}, "from": {tomorrow}, "to": {after}}, "Choose a rotation and a person"},
		"no such rotation":    {url.Values{"rotation": {"soc"}, "person": {"eva"}, "from": {tomorrow}, "to": {after}}, "Choose a rotation and a person"},
		"no time":             {url.Values{"rotation": {"noc"}, "person": {"eva"}, "from": {tomorrow}, "to": {"soon"}}, "Give both times"},
		"backwards":           {url.Values{"rotation": {"noc"}, "person": {"eva"}, "from": {after}, "to": {tomorrow}}, "The end must come after"},
		"past":                {url.Values{"rotation": {"noc"}, "person": {"eva"}, "from": {"2020-01-01T00:00"}, "to": {"2020-01-02T00:00"}}, "lies in the past"},
		"too long":            {url.Values{"rotation": {"noc"}, "person": {"eva"}, "from": {tomorrow}, "to": {"2099-01-02T00:00"}}, "Longer than 92 days"},
	} {
		for _, a := range []answer{w.get("/oncall/override?" + c.form.Encode()), w.ask("POST", "/oncall/override", c.form)} {
			if a.StatusCode != http.StatusOK || !strings.Contains(a.body, c.says) {
				t.Errorf("%s: status %d, without %q", name, a.StatusCode, c.says)
			}
		}
	}
	if list, err := w.store.OnCallOverrides(t.Context(), time.Time{}); err != nil || len(list) != 0 {
		t.Errorf("stored: %+v, %v", list, err)
	}
}

func TestHandoverNotes(t *testing.T) {
	w := newTestWorld(t, withSchedule)
	if a := w.ask("POST", "/oncall/note", url.Values{"rotation": {"noc"}, "note": {" "}}); a.StatusCode != http.StatusOK || a.find("id", "note-err") == nil {
		t.Errorf("an empty note: status %d", a.StatusCode)
	}
	if a := w.ask("POST", "/oncall/note", url.Values{"id": {"n"}, "rotation": {"noc"}, "note": {"carrier A <works> until six"}}); a.StatusCode != http.StatusSeeOther {
		t.Errorf("a note: status %d", a.StatusCode)
	}
	if got := text(w.get("/oncall").find("id", "notes")); !strings.Contains(got, "noc · operator carrier A <works> until six") {
		t.Errorf("the notes: %q", got)
	}
}

// TestIncidentNamesWhoIsTold: where a level names a rotation, pages name the person.
func TestIncidentNamesWhoIsTold(t *testing.T) {
	w := newTestWorld(t, withSchedule)
	now := time.Now().UTC()
	in := alerting.Incident{
		ID: 9001, State: alerting.Open, Severity: alerting.Critical, Ref: ref(inventory.KindLink, "sjo-mia"), OpenedAt: now, Policy: alerting.Policy{Name: "p", Levels: []alerting.Level{
			{Name: "L1", Notify: []string{"oncall:noc", "noc-hook"}, Repeat: 10 * time.Minute}, {Name: "L2", After: time.Hour, Notify: []string{"person:eva"}},
		}},
		Escalation: alerting.Escalation{Next: 1, NextAt: now.Add(10 * time.Minute), Base: now, Round: 1, Repeat: []alerting.Repeat{{Level: 0, At: now.Add(10 * time.Minute)}}},
	}
	if err := w.store.Apply(t.Context(), alerting.Change{At: now, Incidents: []alerting.Incident{in}}); err != nil {
		t.Fatal(err)
	}
	next := testSchedule().Rotation("noc").At(now.Add(10*time.Minute), nil).Person
	a := w.get("/incidents/9001")
	for _, part := range []string{"ladder", "timeline"} {
		if got := text(a.find("id", part)); !strings.Contains(got, next+" (noc), noc-hook") || !strings.Contains(got, "eva") || strings.Contains(got, "oncall:") {
			t.Errorf("%s: %q, want %s by name", part, got, next)
		}
	}
}

// TestCalendar holds the feed against RFC 5545: lines end in CRLF and are 75 octets at most, folds do not cut characters, every component ends,
// each event has what it must have, times are of UTC, and UIDs are the same tomorrow.
func TestCalendar(t *testing.T) {
	w := newTestWorld(t, withSchedule)
	a := w.get("/oncall/desk.ics")
	if got := a.Header.Get("Content-Type"); got != "text/calendar; charset=utf-8" {
		t.Errorf("content type %q", got)
	}
	if events := parseICS(t, a.body); len(events) < 2*90 {
		t.Errorf("%d events, want two a day", len(events))
	}
	for _, path := range []string{"/oncall/nobody.ics", "/oncall/noc", "/oncall/noc.txt", "/oncall/%0d%0a.ics"} {
		if a := w.get(path); a.StatusCode != http.StatusNotFound {
			t.Errorf("%s: status %d", path, a.StatusCode)
		}
	}
	r := testSchedule().Rotation("noc")
	r.Name = "ñandú; \"noc\", " + strings.Repeat("日本", 40)
	at := time.Date(2026, 11, 28, 4, 0, 0, 0, time.UTC)
	say := *w.server.visit(nil, w.request("/")).speaker
	of := func(now time.Time, overrides ...alerting.Override) []map[string]string {
		s := say
		s.now = now
		from, to := calendarSpan(now)
		return parseICS(t, string(w.server.calendar(&s, r, overrides, from, to)))
	}
	today, tomorrow := of(at), of(at.Add(24*time.Hour))
	known := map[string]string{}
	for _, e := range today {
		if known[e["UID"]] != "" {
			t.Errorf("UID %s twice", e["UID"])
		}
		known[e["UID"]] = e["DTSTART"]
	}
	same := 0
	for _, e := range tomorrow {
		if known[e["UID"]] == e["DTSTART"] {
			same++
		} else if known[e["UID"]] != "" {
			t.Errorf("UID %s begins at another time", e["UID"])
		}
	}
	if same < len(today)-2 {
		t.Errorf("%d of %d UIDs stay", same, len(today))
	}
	if !strings.Contains(today[0]["SUMMARY"], r.Name) {
		t.Errorf("the summary %q has lost the name", today[0]["SUMMARY"])
	}
	always := &alerting.Rotation{Name: "one", Layers: []alerting.Layer{{People: []string{"ana"}, Starts: at.AddDate(-3, 0, 0), Length: 24 * time.Hour}}}
	r = always
	if a, b := of(at), of(at.Add(24*time.Hour)); len(a) != 1 || len(b) != 1 || a[0]["UID"] != b[0]["UID"] || a[0]["DTSTART"] != b[0]["DTSTART"] {
		t.Errorf("who is always on call is another event tomorrow: %v, %v", a, b)
	}
	note := alerting.Override{ID: "o", Rotation: "one", Person: "eva", From: at, To: at.Add(time.Hour), Note: "a\r\nBEGIN:VEVENT;x,\\n\x07" + strings.Repeat("é", 100)}
	if got := of(at, note); len(got) != 3 || got[1]["DESCRIPTION"] != "override\na\nBEGIN:VEVENT;x,\\n"+strings.Repeat("é", 100) {
		t.Errorf("a hostile note: %q", got)
	}
}

var utcTime = regexp.MustCompile(`^\d{8}T\d{6}Z$`)

// parseICS reads a calendar strictly and returns its events, values unescaped.
func parseICS(t *testing.T, body string) (events []map[string]string) {
	t.Helper()
	if !strings.HasSuffix(body, "\r\n") || strings.Contains(strings.ReplaceAll(body, "\r\n", ""), "\n") || strings.Contains(strings.ReplaceAll(body, "\r\n", ""), "\r") {
		t.Fatal("a line does not end in CRLF")
	}
	var lines []string
	for _, line := range strings.Split(strings.TrimSuffix(body, "\r\n"), "\r\n") {
		if len(line) > 75 || !utf8.ValidString(line) || line == "" {
			t.Fatalf("%d octets in %q", len(line), line)
		}
		if more, ok := strings.CutPrefix(line, " "); ok && len(lines) > 0 {
			lines[len(lines)-1] += more
		} else {
			lines = append(lines, line)
		}
	}
	var open []string
	var event map[string]string
	unescape := strings.NewReplacer(`\\`, `\`, `\;`, ";", `\,`, ",", `\n`, "\n")
	for _, line := range lines {
		name, value, ok := strings.Cut(line, ":")
		name, _, _ = strings.Cut(name, ";")
		if !ok || !regexp.MustCompile(`^[A-Z0-9-]+$`).MatchString(name) {
			t.Fatalf("no property: %q", line)
		}
		switch {
		case name == "BEGIN":
			open = append(open, value)
			event = map[string]string{}
		case name == "END":
			if len(open) == 0 || open[len(open)-1] != value {
				t.Fatalf("END:%s ends %v", value, open)
			}
			if open = open[:len(open)-1]; value == "VEVENT" {
				events = append(events, event)
			}
		case event[name] != "":
			t.Fatalf("%s twice", name)
		default:
			event[name] = unescape.Replace(value)
		}
	}
	if len(open) > 0 || !strings.HasPrefix(body, "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:") {
		t.Fatalf("the calendar does not end or begin: %v", open)
	}
	var last string
	for _, e := range events {
		for _, need := range []string{"UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY"} {
			if e[need] == "" || strings.HasPrefix(need, "DT") && !utcTime.MatchString(e[need]) {
				t.Fatalf("%s is %q in %v", need, e[need], e)
			}
		}
		if e["DTSTART"] >= e["DTEND"] || e["DTSTART"] < last {
			t.Fatalf("an event of %s to %s after one to %s", e["DTSTART"], e["DTEND"], last)
		}
		last = e["DTEND"]
	}
	return events
}

func (w *testWorld) request(path string) *http.Request {
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, fmt.Sprintf("http://127.0.0.1:8080%s", path), http.NoBody)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}
