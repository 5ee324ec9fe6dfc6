package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
	"vigia/store"
)

// muteFields reads the form of a silence or maintenance as a browser would send it.
func muteFields(a answer) url.Values {
	form := url.Values{}
	walk(a.find("tag", "form", "class", "muteform"), func(n *html.Node) {
		name, named := attr(n, "name")
		value, _ := attr(n, "value")
		kind, _ := attr(n, "type")
		_, checked := attr(n, "checked")
		if n.Data == "input" && named && (kind != "radio" && kind != "checkbox" || checked) {
			form.Add(name, value)
		}
		if _, selected := attr(n, "selected"); n.Data == "option" && selected {
			selectName, _ := attr(n.Parent, "name")
			form.Add(selectName, value)
		}
	})
	return form
}

func (w *testWorld) mutes() []alerting.Mute {
	w.t.Helper()
	list, err := w.store.Mutes(w.t.Context(), store.Everything(), store.MuteFilter{})
	if err != nil {
		w.t.Fatal(err)
	}
	return list
}

// TestSilenceWithoutScripts: from an incident to the form's own page, what is wrong beside its field, what was typed kept, saved once however
// often it is sent, and ended once.
func TestSilenceWithoutScripts(t *testing.T) {
	w := newTestWorld(t)
	in := w.trouble()
	if got := text(w.get(at("/incidents/%d", in.ID)).find("id", "head")); !strings.Contains(got, "Silence") || !strings.Contains(got, "Assign") || !strings.Contains(got, "Snooze") {
		t.Fatalf("head %q", got)
	}
	a := w.get(at("/mutes/new?incident=%d", in.ID))
	preview := text(a.find("id", "mute-preview"))
	for _, want := range []string{"3 objects of", "Link sjo-gua", "Server sbc-2", "Trunk guatel", "1 alarm that stands now", "loses 11.2 % of packets"} {
		if !strings.Contains(preview, want) {
			t.Errorf("the preview lacks %q: %q", want, preview)
		}
	}
	form := muteFields(a)
	if form.Get("on") != "link/sjo-gua" || form.Get("below") != "1" || form.Get("kind") != "silence" {
		t.Fatalf("form %v", form)
	}
	if got := text(w.ask("POST", "/mutes", form).find("tag", "main")); !strings.Contains(got, "Say why") {
		t.Errorf("without a reason: %q", got)
	}
	form.Set("reason", "optics <b>changed</b>")
	form["on"] = []string{"link/sjo-gua", "link/sjo-mia nonsense"}
	bad := w.ask("POST", "/mutes", form)
	if got := text(bad.find("tag", "main")); !strings.Contains(got, "nonsense is no kind/name") || len(w.mutes()) > 0 {
		t.Errorf("a wrong pattern: %q", got)
	}
	if kept := muteFields(bad); kept.Get("reason") != "optics <b>changed</b>" || !slices.Contains(kept["on"], "nonsense") {
		t.Errorf("not kept: %v", kept)
	}
	form["on"] = []string{"link/sjo-gua", "link/sjo-mia"}
	look := w.ask("POST", "/mutes", form)
	if got := text(look.find("id", "mute-preview")); !strings.Contains(got, "Look, then save it") || len(w.mutes()) > 0 {
		t.Errorf("saved without a look: %q", got)
	}
	form = muteFields(look)
	for range 2 {
		if done := w.ask("POST", "/mutes", form); done.StatusCode != http.StatusSeeOther || done.Header.Get("Location") != "/mutes" {
			t.Fatalf("status %d: %s", done.StatusCode, text(done.doc))
		}
	}
	w.await("the quiet", func() bool { return w.live()[0].Muted != nil })
	list := w.mutes()
	if len(list) != 1 || list[0].Kind != alerting.Silence || list[0].Author != builtIn || !list[0].Below || len(list[0].On) != 2 {
		t.Fatalf("%+v", list)
	}
	if left := time.Until(list[0].Until); left < 59*time.Minute || left > time.Hour {
		t.Errorf("it lasts %s", left)
	}
	w.quietEverywhere(in)
	cancel := at("/mutes/%d/cancel", list[0].ID)
	for range 2 {
		if done := w.ask("POST", cancel, url.Values{}); done.StatusCode != http.StatusSeeOther {
			t.Fatalf("status %d: %s", done.StatusCode, text(done.doc))
		}
	}
	w.await("the noise", func() bool { return w.live()[0].Muted == nil })
	if got := text(w.get("/mutes").find("id", "mute-1")); !strings.Contains(got, "ended by operator") || strings.Contains(got, "End it") {
		t.Errorf("row %q", got)
	}
	if a := w.ask("POST", "/mutes/77/cancel", url.Values{}); a.StatusCode != http.StatusNotFound {
		t.Errorf("ending what never was: %d", a.StatusCode)
	}
}

// quietEverywhere: every page shows that it is quiet, and none shouts.
func (w *testWorld) quietEverywhere(in alerting.Incident) {
	w.t.Helper()
	home := w.get("/")
	if got := text(home.find("tag", "title")); strings.Contains(got, "(1)") {
		w.t.Errorf("the title shouts: %q", got)
	}
	body := home.find("tag", "body")
	if n, _ := attr(body, "data-unowned"); n != "0" {
		w.t.Errorf("unowned %s", n)
	}
	if worst, _ := attr(body, "data-worst"); worst != "none" {
		w.t.Errorf("worst %s", worst)
	}
	if text(home.find("data-count", "critical")) != "0" || text(home.find("data-count", "muted")) != "1" {
		w.t.Errorf("counters %q", text(home.find("id", "counts")))
	}
	row := home.find("data-key", at("incident/%d", in.ID))
	if class, _ := attr(row, "class"); strings.Contains(class, "open") || !strings.Contains(text(row), "Silence until") {
		w.t.Errorf("overview %q %q", class, text(row))
	}
	for path, wants := range map[string][]string{
		"/alarms":                     {"Quiet for now · 1 incident", "Silence", "operator"},
		"/alarms?state=quiet":         {"sjo-gua"},
		at("/incidents/%d", in.ID):    {"Silence until", "optics <b>changed</b>", "Nobody is told", "not told while it is quiet", "The quiet ends"},
		"/links/sjo-gua":              {"Silenced by operator until", "optics <b>changed</b>"},
		"/mutes":                      {"link/sjo-gua", "1 alarm", "and what depends on it", "End it"},
		"/wallboard":                  {"Silence"},
		"/servers/sbc-2":              {"Silenced by operator"},
		"/alarms?state=quiet&q=xxxxx": {"No problem matches"},
	} {
		got := text(w.get(path).doc)
		for _, want := range wants {
			if !strings.Contains(strings.ToLower(got), strings.ToLower(want)) {
				w.t.Errorf("%s lacks %q: %.1500q", path, want, got)
			}
		}
	}
	if w.get("/links").find("class", "ico mutemark") == nil {
		w.t.Error("no mark in the list")
	}
	p, err := readProblems(w.t.Context(), w.store, store.Everything())
	if err != nil || len(p.open) != 0 || p.counts.Unowned != 0 || p.counts.Muted != 1 || p.counts.Critical != 0 {
		w.t.Errorf("the stream says %+v, %v", p, err)
	}
}

// TestPreviewWarns: a pattern that selects nothing, and one that selects everything.
func TestPreviewWarns(t *testing.T) {
	w := newTestWorld(t)
	for _, c := range []struct {
		on    string
		warns []string
		not   string
	}{
		{"link/none-such", []string{"link/none-such selects nothing", "0 objects of"}, "everything"},
		{"*", []string{"selects everything"}, "nothing"},
		{"link/sjo-*, server/sbc-*", []string{"4 objects of"}, "selects"},
		{"vigia/self", []string{"0 objects of"}, "selects nothing"},
	} {
		a := w.ask("POST", "/mutes/preview?part=preview", url.Values{"kind": {"silence"}, "on": {c.on}}, byScript)
		got := text(a.find("id", "mute-preview"))
		for _, want := range c.warns {
			if !strings.Contains(got, want) {
				t.Errorf("%s: lacks %q: %q", c.on, want, got)
			}
		}
		if strings.Contains(got, c.not) || a.find("tag", "main") != nil {
			t.Errorf("%s: %q", c.on, got)
		}
	}
	page := w.ask("POST", "/mutes/preview", url.Values{"kind": {"silence"}, "on": {"link/*"}, "reason": {"typed"}})
	if kept := muteFields(page); kept.Get("reason") != "typed" || !strings.Contains(text(page.find("id", "mute-preview")), "3 objects") {
		t.Errorf("without scripts: %v %q", kept, text(page.doc))
	}
}

// TestMaintenanceForm: again and again, in words; the engine's no stands beside its field, and undo takes a new one back.
func TestMaintenanceForm(t *testing.T) {
	w := newTestWorld(t)
	dialog := w.get("/mutes/new?kind=maintenance&on=server%2Fsbc-1&part=dialog", byScript)
	if dialog.find("tag", "dialog") == nil || dialog.find("tag", "main") != nil {
		t.Fatalf("no dialog: %s", dialog.body)
	}
	form := muteFields(dialog)
	form.Set("reason", "patches")
	form.Set("when", "again")
	form["day"] = []string{"4", "2"}
	form.Set("nth", "-1")
	form.Set("time", "02:30")
	form.Set("hours", "24")
	form.Set("minutes", "30")
	long := w.ask("POST", "/mutes?part=dialog", form, byScript)
	if err := long.find("class", "err"); err == nil || !strings.Contains(text(err.Parent), "may last 1 d at most") {
		t.Fatalf("a window of more than a day: %q", text(long.doc))
	}
	form = muteFields(long)
	form.Set("hours", "3")
	form.Set("minutes", "0")
	form.Set("zone", "Nowhere/None")
	if got := text(w.ask("POST", "/mutes?part=dialog", form, byScript).doc); !strings.Contains(got, "no time zone") {
		t.Errorf("a wrong zone: %q", got)
	}
	form.Set("zone", "America/Costa_Rica")
	done := w.ask("POST", "/mutes?part=dialog", form, byScript)
	if done.StatusCode != http.StatusNoContent || !strings.Contains(done.Header.Get("HX-Trigger"), `"undo":"/mutes/1/cancel"`) {
		t.Fatalf("status %d %q: %s", done.StatusCode, done.Header.Get("HX-Trigger"), done.body)
	}
	if r := w.mutes()[0].Recur; r == nil || r.Nth != -1 || r.For != 3*time.Hour || !slices.Equal(r.Days, []time.Weekday{time.Tuesday, time.Thursday}) {
		t.Errorf("%+v", r)
	}
	if got := text(w.get("/mutes").find("id", "mute-1")); !strings.Contains(got, "The last Tuesday and Thursday of the month at 02:30, for 3 h (America/Costa_Rica)") || !strings.Contains(got, "next ") {
		t.Errorf("row %q", got)
	}
	if got := text(w.get("/mutes", spanish).find("id", "mute-1")); !strings.Contains(got, "El último martes y jueves del mes a las 02:30, durante 3 h") {
		t.Errorf("row %q", got)
	}
	if undo := w.ask("POST", "/mutes/1/cancel", url.Values{}, byScript); undo.StatusCode != http.StatusNoContent || w.mutes()[0].CancelledBy != builtIn {
		t.Errorf("not taken back: %d", undo.StatusCode)
	}
}

// TestMutesWantAll: who does not see everything neither sees nor makes any, and has no place for them in the navigation.
func TestMutesWantAll(t *testing.T) {
	w := newTestWorld(t)
	w.command(alerting.Command{ID: "m", Kind: alerting.CommandSilence, Actor: "a", Mute: &alerting.Mute{
		On: []inventory.Pattern{"link/sjo-gua"}, Reason: "x", Until: time.Now().Add(time.Hour),
	}})
	for name, page := range map[string]func(*visit) error{
		"list": w.server.mutes, "new": w.server.newMute, "add": w.server.addMute, "preview": w.server.previewMute, "cancel": w.server.cancelMute,
	} {
		r := httptest.NewRequest("POST", "/mutes/1/cancel", strings.NewReader("on=link/*&reason=x&kind=silence&for=1h"))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.SetPathValue("id", "1")
		v := w.server.visit(httptest.NewRecorder(), r)
		v.caller.Scope = store.Scope{Customers: []string{"clinica"}}
		if err := page(v); err != store.ErrNotFound { //nolint:errorlint // it is returned as it is
			t.Errorf("%s: %v", name, err)
		}
		world, err := w.server.world(v.ctx(), v.scope())
		if err != nil || len(world.muting) > 0 {
			t.Errorf("%s: sees %v, %v", name, world.muting, err)
		}
		for _, g := range w.server.navigation(v, world, "overview") {
			if g.Items[0].Page == "mutes" {
				t.Errorf("%s: the navigation leads there", name)
			}
		}
	}
	if list := w.mutes(); len(list) != 1 || !list[0].CancelledAt.IsZero() {
		t.Errorf("%+v", list)
	}
}

func TestAssignAndSnooze(t *testing.T) {
	w := newTestWorld(t)
	in := w.trouble()
	page := at("/incidents/%d", in.ID)
	form := formOf(w.get(page + "/assign"))
	if got := text(w.ask("POST", page+"/assign", form).find("tag", "main")); !strings.Contains(got, "Write a name") {
		t.Errorf("to nobody: %q", got)
	}
	form.Set("assignee", " María  Quesada ")
	form.Set("until", "4h0m0s")
	done := w.ask("POST", page+"/assign?part=dialog", form, byScript)
	if done.StatusCode != http.StatusNoContent || !strings.Contains(done.Header.Get("HX-Trigger"), page+"/unacknowledge") {
		t.Fatalf("status %d: %s", done.StatusCode, done.body)
	}
	if ack := w.live()[0].Ack; ack == nil || ack.By != "María Quesada" || ack.From != builtIn {
		t.Fatalf("%+v", ack)
	}
	if got := text(w.get(page).find("id", "facts")); !strings.Contains(got, "María Quesada has it until") || !strings.Contains(got, "assigned by operator") {
		t.Errorf("facts %q", got)
	}
	if got := text(w.get(page+"?show=people").find("id", "timeline")); !strings.Contains(got, "operator gave it to María Quesada") {
		t.Errorf("timeline %q", got)
	}
	dialog := w.get(page+"/snooze?part=dialog", byScript)
	if got := text(dialog.find("tag", "dialog")); !strings.Contains(got, "nobody is told before") || !strings.Contains(got, "María Quesada has it since") {
		t.Errorf("dialog %q", got)
	}
	form = formOf(dialog)
	form.Set("until", "never")
	if got := text(w.ask("POST", page+"/snooze?part=dialog", form, byScript).doc); !strings.Contains(got, "lie") && !strings.Contains(got, "past") {
		t.Errorf("without an end: %q", got)
	}
	form.Set("until", "30m0s")
	form.Set("id", "again")
	if done := w.ask("POST", page+"/snooze?part=dialog", form, byScript); done.StatusCode != http.StatusNoContent {
		t.Fatalf("status %d: %s", done.StatusCode, done.body)
	}
	if ack := w.live()[0].Ack; ack == nil || !ack.Snoozed || ack.By != builtIn {
		t.Fatalf("%+v", ack)
	}
	for path, want := range map[string]string{page: "operator put it off until", "/alarms": "Quiet for now · 1 incident", "/": "put it off until"} {
		if got := text(w.get(path).doc); !strings.Contains(got, want) {
			t.Errorf("%s lacks %q", path, want)
		}
	}
}

var zero = time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC) // a Monday

func hours(from, to float64) window {
	return window{zero.Add(time.Duration(from * float64(time.Hour))), zero.Add(time.Duration(to * float64(time.Hour)))}
}

func TestWindowsOf(t *testing.T) {
	daily := alerting.Mute{From: zero, Recur: &alerting.Recurrence{At: "22:00", For: 4 * time.Hour, Zone: "UTC"}}
	whole := alerting.Mute{From: zero, Recur: &alerting.Recurrence{At: "00:00", For: 24 * time.Hour, Zone: "UTC"}}
	once := alerting.Mute{From: zero.Add(time.Hour), Until: zero.Add(9 * time.Hour)}
	ended := once
	ended.CancelledAt = zero.Add(3 * time.Hour)
	dropped := once
	dropped.CancelledAt = zero
	for _, c := range []struct {
		name string
		m    alerting.Mute
		want []window
	}{
		{"once", once, []window{hours(1, 9)}},
		{"ended early", ended, []window{hours(1, 3)}},
		{"ended before it began", dropped, nil},
		{"every night, cut at the end", daily, []window{hours(22, 26), hours(46, 48)}},
		{"all day every day", whole, []window{hours(0, 24), hours(24, 48)}},
	} {
		if got := windowsOf(c.m, zero, zero.Add(48*time.Hour)); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestWithout(t *testing.T) {
	for _, c := range []struct{ cut, want []window }{
		{nil, []window{hours(2, 8)}},
		{[]window{hours(0, 9)}, nil},
		{[]window{hours(0, 3), hours(4, 5), hours(7, 9)}, []window{hours(3, 4), hours(5, 7)}},
		{[]window{hours(0, 2), hours(8, 9)}, []window{hours(2, 8)}},
	} {
		if got := hours(2, 8).without(c.cut); !slices.Equal(got, c.want) {
			t.Errorf("without %v: %v, want %v", c.cut, got, c.want)
		}
	}
}

// TestMaintenanceDoesNotCount: what was down in a maintenance is not on the bar of thirty days; what was down in a silence is.
func TestMaintenanceDoesNotCount(t *testing.T) {
	for kind, counts := range map[alerting.CommandKind]bool{alerting.CommandSilence: true, alerting.CommandMaintenance: false} {
		w := newTestWorld(t)
		w.command(alerting.Command{ID: "m", Kind: kind, Actor: "a", Mute: &alerting.Mute{
			On: []inventory.Pattern{"link/sjo-gua"}, Metric: collectors.LossPct, Reason: "x", From: time.Now().Add(-time.Hour), Until: time.Now().Add(time.Hour),
		}})
		w.trouble()
		month := w.get("/links/sjo-gua").find("id", "month")
		bar := answer{doc: month}
		if down := bar.find("class", "sv is-critical") != nil; down != counts {
			t.Errorf("%s: counts %v, want %v", kind, down, counts)
		}
		label, _ := attr(bar.find("tag", "svg"), "aria-label")
		if says := strings.Contains(label, "maintenance does not count"); says == counts {
			t.Errorf("%s: the bar says %q", kind, label)
		}
	}
}
