package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
)

var byScript = header("HX-Request", "true")

// TestAcknowledgeWithoutScripts: the form's own page, then the answer of a plain form.
func TestAcknowledgeWithoutScripts(t *testing.T) {
	w := newTestWorld(t)
	in := w.trouble()
	address := at("/incidents/%d/acknowledge", in.ID)
	a := w.get(address)
	got := text(a.find("tag", "main"))
	for _, want := range []string{"Acknowledge: Link sjo-gua loses 11.2 % of packets", "Escalation stops: NOC L2 is not told at ", "What are you doing about it?", "1 h, "} {
		if !strings.Contains(got, want) {
			t.Errorf("the form lacks %q: %q", want, got)
		}
	}
	form := formOf(a)
	if got := text(w.ask("POST", address, form).find("tag", "main")); !strings.Contains(got, "Write what you are doing") {
		t.Errorf("without a note: %q", got)
	}
	form.Set("note", "ticket FN-88213 <script>")
	done := w.ask("POST", address, form)
	if done.StatusCode != http.StatusSeeOther || done.Header.Get("Location") != at("/incidents/%d", in.ID) {
		t.Fatalf("status %d to %q: %s", done.StatusCode, done.Header.Get("Location"), text(done.doc))
	}
	now := w.live()[0]
	if now.State != alerting.Acknowledged || now.Ack.By != builtIn || now.Ack.Note != "ticket FN-88213 <script>" {
		t.Fatalf("%+v", now.Ack)
	}
	if left := time.Until(now.Ack.Until); left < 59*time.Minute || left > time.Hour {
		t.Errorf("it holds for %s, want the policy's hour", left)
	}
	page := w.get(at("/incidents/%d", in.ID))
	if got := text(page.find("id", "timeline")); !strings.Contains(got, "ticket FN-88213 <script>") || !strings.Contains(got, "Now. operator has it.") {
		t.Errorf("timeline %q", got)
	}
	if got := text(w.get("/").find("data-key", at("incident/%d", in.ID))); !strings.Contains(got, "operator has it until") || strings.Contains(got, "Acknowledge") {
		t.Errorf("overview %q", got)
	}
	again := w.ask("POST", address, form) // sent twice, as a browser does that goes back
	if again.StatusCode != http.StatusOK || !strings.Contains(text(again.doc), "operator has it since") {
		t.Errorf("the second time: %d %q", again.StatusCode, text(again.find("tag", "main")))
	}
}

// formOf reads the fields of the page's only form with a note.
func formOf(a answer) url.Values {
	form := url.Values{}
	walk(a.doc, func(n *html.Node) {
		name, ok := attr(n, "name")
		kind, _ := attr(n, "type")
		_, checked := attr(n, "checked")
		if !ok || n.Data != "input" || kind == "radio" && !checked || name == "q" {
			return
		}
		value, _ := attr(n, "value")
		form.Add(name, value)
	})
	return form
}

// TestAcknowledgeByScript: the dialog, and an answer that says what was done and how it is taken back.
func TestAcknowledgeByScript(t *testing.T) {
	w := newTestWorld(t)
	in := w.trouble()
	address := at("/incidents/%d/acknowledge", in.ID)
	a := w.get(address+"?part=dialog", byScript)
	if a.find("tag", "dialog", "data-dialog-incident", at("%d", in.ID)) == nil || a.find("tag", "main") != nil {
		t.Fatalf("no dialog: %s", a.body)
	}
	form := formOf(a)
	form.Set("note", "mine")
	form.Set("until", "30m0s")
	done := w.ask("POST", address+"?part=dialog", form, byScript)
	if done.StatusCode != http.StatusNoContent || !strings.Contains(done.Header.Get("HX-Trigger"), `"undo":"/incidents/1/unacknowledge"`) {
		t.Fatalf("status %d, %q", done.StatusCode, done.Header.Get("HX-Trigger"))
	}
	if left := time.Until(w.live()[0].Ack.Until); left > 30*time.Minute || left < 29*time.Minute {
		t.Errorf("it holds for %s", left)
	}
	undo := w.ask("POST", at("/incidents/%d/unacknowledge", in.ID), url.Values{}, byScript)
	if undo.StatusCode != http.StatusNoContent || w.live()[0].State != alerting.Open {
		t.Errorf("not taken back: %d", undo.StatusCode)
	}
	refused := w.ask("POST", at("/incidents/%d/unacknowledge", in.ID), url.Values{}, byScript)
	if refused.StatusCode != http.StatusConflict || !strings.Contains(refused.Header.Get("HX-Trigger"), "vigia:failed") || !strings.Contains(refused.body, "Nobody has incident") {
		t.Errorf("giving back what nobody has: %d %q", refused.StatusCode, refused.body)
	}
}

// TestSomebodyWasFaster: the form was opened before another person took it: it says who, keeps the note, and asks.
func TestSomebodyWasFaster(t *testing.T) {
	w := newTestWorld(t)
	in := w.trouble()
	address := at("/incidents/%d/acknowledge", in.ID)
	form := formOf(w.get(address))
	w.command(alerting.Command{ID: "m", Kind: alerting.CommandAcknowledge, IncidentID: in.ID, Actor: "María Quesada", Note: "optics"})
	form.Set("note", "my own note")
	a := w.ask("POST", address+"?part=dialog", form, byScript)
	got := text(a.find("tag", "dialog"))
	for _, want := range []string{"María Quesada has it since", "optics", "Take it over?", "my own note"} {
		if !strings.Contains(got, want) {
			t.Errorf("the conflict lacks %q: %q", want, got)
		}
	}
	if by := w.live()[0].Ack.By; by != "María Quesada" {
		t.Errorf("taken from her without asking, by %s", by)
	}
	form.Set("seen", valueOf(a, "seen"))
	if done := w.ask("POST", address+"?part=dialog", form, byScript); done.StatusCode != http.StatusNoContent || w.live()[0].Ack.By != builtIn {
		t.Errorf("taking it over: %d, %+v", done.StatusCode, w.live()[0].Ack)
	}
}

func valueOf(a answer, name string) string {
	value, _ := attr(a.find("tag", "input", "name", name), "value")
	return value
}

// command posts a command as another process would, and waits for its result.
func (w *testWorld) command(c alerting.Command) {
	w.t.Helper()
	if err := w.store.PostCommand(w.t.Context(), c); err != nil {
		w.t.Fatal(err)
	}
	if result, err := w.store.AwaitCommand(w.t.Context(), c.ID); err != nil || !result.OK {
		w.t.Fatalf("%+v, %v", result, err)
	}
}

func TestCommentAndEscalate(t *testing.T) {
	w := newTestWorld(t)
	in := w.trouble()
	page := at("/incidents/%d", in.ID)
	if a := w.ask("POST", page+"/comment", url.Values{"note": {"FibraNorte confirms"}}, byScript); a.StatusCode != http.StatusNoContent {
		t.Fatalf("status %d: %s", a.StatusCode, a.body)
	}
	if a := w.ask("POST", page+"/comment", url.Values{"note": {strings.Repeat("x", maxNote+1)}}); !strings.Contains(text(a.doc), "At most 2,000 characters") {
		t.Errorf("a long note: %q", text(a.find("tag", "main")))
	}
	if a := w.ask("POST", page+"/escalate", url.Values{}, byScript); a.StatusCode != http.StatusNoContent {
		t.Fatalf("status %d: %s", a.StatusCode, a.body)
	}
	got := text(w.get(page).find("id", "timeline"))
	if !strings.Contains(got, "FibraNorte confirms") || !strings.Contains(got, "NOC L2 told") || !strings.Contains(got, "l2-mail") {
		t.Errorf("timeline %q", got)
	}
	last := w.ask("POST", page+"/escalate", url.Values{})
	if last.StatusCode != http.StatusConflict || !strings.Contains(text(last.doc), "no further level in policy noc") {
		t.Errorf("beyond the last level: %d %q", last.StatusCode, text(last.doc))
	}
}

func TestBulkAcknowledge(t *testing.T) {
	w := newTestWorld(t)
	first := w.trouble()
	w.put(collectors.ResponseMS, ref(inventory.KindServer, "sbc-1"), 900)
	w.await("the second incident", func() bool { return len(w.live()) == 2 })
	a := w.get(at("/alarms/acknowledge?part=dialog&incident=%d&incident=%d&incident=%d&incident=77&incident=x", first.ID, first.ID+1, first.ID), byScript)
	if got := text(a.find("tag", "dialog")); !strings.Contains(got, "Acknowledge 2 incidents") || !strings.Contains(got, "2 steps that are due are not taken") {
		t.Fatalf("dialog %q", got)
	}
	form := formOf(a)
	form.Set("note", "power cut")
	if done := w.ask("POST", "/alarms/acknowledge?part=dialog", form, byScript); done.StatusCode != http.StatusNoContent {
		t.Fatalf("status %d: %s", done.StatusCode, done.body)
	}
	for _, in := range w.live() {
		if in.State != alerting.Acknowledged || in.Ack.Note != "power cut" {
			t.Errorf("incident %d: %+v", in.ID, in.Ack)
		}
	}
	if a := w.get("/alarms/acknowledge"); a.StatusCode != http.StatusNotFound {
		t.Errorf("nothing chosen: status %d", a.StatusCode)
	}
}

func TestCheckNow(t *testing.T) {
	w := newTestWorld(t)
	if a := w.ask("POST", "/servers/sbc-1/check", url.Values{}, byScript); a.StatusCode != http.StatusNoContent || len(w.asked) != 1 || w.asked[0].Name != "sbc-1" {
		t.Errorf("status %d, asked %v", a.StatusCode, w.asked)
	}
	if a := w.ask("POST", "/servers/idle/check", url.Values{}); a.StatusCode != http.StatusNotFound {
		t.Errorf("what nothing measures: status %d", a.StatusCode)
	}
}

// TestResolved: what is over says so, keeps its timeline, and offers nothing to do.
func TestResolved(t *testing.T) {
	w := newTestWorld(t)
	in := w.trouble()
	w.put(collectors.LossPct, in.Ref, 0)
	w.await("the end", func() bool { return len(w.live()) == 0 })
	a := w.get(at("/incidents/%d", in.ID))
	if got := text(a.find("id", "facts")); !strings.Contains(got, "Over") || !strings.Contains(got, "Resolved") {
		t.Errorf("facts %q", got)
	}
	if got := text(a.find("id", "head")); strings.Contains(got, "Acknowledge") {
		t.Errorf("head %q", got)
	}
	if got := text(a.find("id", "timeline")); strings.Contains(got, "would be told") || strings.Contains(got, "Now") {
		t.Errorf("timeline %q", got)
	}
	if got := text(w.get("/links/sjo-gua").find("id", "month")); !strings.Contains(got, "loses 11.2 % of packets") {
		t.Errorf("past %q", got)
	}
	if got := text(w.get("/").find("id", "incidents")); !strings.Contains(got, "Nothing asks for a person") {
		t.Errorf("overview %q", got)
	}
	late := w.ask("POST", at("/incidents/%d/acknowledge", in.ID), url.Values{"note": {"too late"}}, byScript)
	if late.StatusCode != http.StatusOK || !strings.Contains(text(late.doc), "is over") {
		t.Errorf("taking what is over: %d %q", late.StatusCode, text(late.doc))
	}
}
