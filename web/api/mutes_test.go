package api

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"vigia/alerting"
	"vigia/store"
)

// TestMutes makes a silence once however often it is sent, lists it by state, kind and object, and ends it once.
func TestMutes(t *testing.T) {
	w := newWorld(t)
	w.plan()
	body := `{"kind":"silence","on":["link/sjo-*"],"below":true,"metric":"loss_pct","reason":"optics","for_s":3600}`
	made := w.do(http.MethodPost, Prefix+"/mutes", body, "Idempotency-Key", "k1")
	if made.status != http.StatusOK {
		t.Fatalf("%d %s", made.status, made.text)
	}
	w.want(made, "on", "mute", "state")
	w.want(made, builtIn, "mute", "author")
	w.want(made, "2026-11-23T13:00:00Z", "mute", "until")
	again := w.do(http.MethodPost, Prefix+"/mutes", body, "Idempotency-Key", "k1")
	w.want(again, made.at("mute", "id"), "mute", "id")
	plan := w.do(http.MethodPost, Prefix+"/mutes", `{"kind":"maintenance","on":["server/*"],"reason":"patches","recur":{"days":["tuesday"],"nth":2,"at":"02:30","for_s":10800,"zone":"America/Costa_Rica"}}`)
	w.want(plan, "coming", "mute", "state")
	w.want(plan, "tuesday", "mute", "recur", "days", 0)
	w.want(plan, "2026-12-08T08:30:00Z", "mute", "next")
	for path, want := range map[string]int{
		"/mutes": 2, "/mutes?state=on": 1, "/mutes?state=over": 0, "/mutes?kind=maintenance": 1, "/mutes?ref=trunk/carrier-a": 1, "/mutes?ref=site/miami": 0,
		"/mutes?limit=1": 1,
	} {
		if got := w.get(path).count("mutes"); got != want {
			t.Errorf("%s: %d, want %d", path, got, want)
		}
	}
	for range 2 {
		ended := w.do(http.MethodPost, Prefix+"/mutes/1/cancel", "")
		w.want(ended, "done", "state")
	}
	if r := w.do(http.MethodPost, Prefix+"/mutes/99/cancel", ""); r.status != http.StatusNotFound {
		t.Errorf("ending what never was: %d", r.status)
	}
}

func TestMutePreview(t *testing.T) {
	w := newWorld(t)
	r := w.do(http.MethodPost, Prefix+"/mutes/preview", `{"on":["link/sjo-mia","server/none"],"below":true}`)
	w.want(r, "link/sjo-mia", "objects", 0)
	w.want(r, "trunk/carrier-a", "objects", 1)
	w.want(r, "server/none", "empty", 0)
	w.want(r, 1.0, "incidents", 0)
	if r.count("alarms") != 2 || r.count("objects") != 2 || r.count("partly") != 0 {
		t.Error(r.text)
	}
}

func TestMuteMistakes(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct{ path, body, says string }{
		{"/mutes", `{"kind":"silence","on":["sjo-mia"],"reason":"x","for_s":60}`, "body.on[0]"},
		{"/mutes", `{"kind":"silence","on":["link/*"],"metric":"speed","reason":"x","for_s":60}`, "no such metric"},
		{"/mutes", `{"kind":"silence","on":["link/*"],"reason":"x"}`, "give until, for_s or recur"},
		{"/mutes", `{"kind":"silence","on":["link/*"],"reason":"x","for_s":60,"until":"2026-12-01T00:00:00Z"}`, "not both"},
		{"/mutes", `{"kind":"holiday","on":["link/*"],"reason":"x","for_s":60}`, "silence, maintenance"},
		{"/mutes", `{"kind":"silence","on":[],"reason":"x","for_s":60}`, "body.on"},
		{"/mutes", `{"kind":"silence","on":["link/*"],"reason":"","for_s":60}`, "body.reason"},
		{"/incidents/1/snooze", `{}`, "until or for"},
		{"/incidents/1/assign", `{"note":"x"}`, "assignee"},
		{"/incidents/1/assign", `{"assignee":"ana","until":"2020-01-01T00:00:00Z"}`, "lie ahead"},
	} {
		r := w.do(http.MethodPost, Prefix+c.path, c.body)
		if r.status != http.StatusUnprocessableEntity || !strings.Contains(r.text, c.says) {
			t.Errorf("%s %s: %d %s", c.path, c.body, r.status, r.text)
		}
	}
}

// TestMutesWantAll: who does not see every customer neither sees nor makes any.
func TestMutesWantAll(t *testing.T) {
	w := newWorld(t)
	s := &server{Config: w.cfg}
	some := Caller{Name: "x", Role: Operator, Scope: store.Scope{Customers: []string{"acme"}}}
	for name, ask := range map[string]func(context.Context) error{
		"list":    func(ctx context.Context) error { _, err := listMutes(s, ctx, some, &mutesInput{Limit: 1}); return err },
		"add":     func(ctx context.Context) error { _, err := addMute(s, ctx, some, &muteInput{}); return err },
		"preview": func(ctx context.Context) error { _, err := previewMute(s, ctx, some, &previewInput{}); return err },
		"cancel":  func(ctx context.Context) error { _, err := cancelMute(s, ctx, some, &cancelInput{ID: 1}); return err },
	} {
		if err := ask(t.Context()); err == nil || !strings.Contains(err.Error(), "every customer") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestQuietIncident says who keeps it quiet, and that nothing comes next; one that was assigned and put off says that.
func TestQuietIncident(t *testing.T) {
	w := newWorld(t)
	change := theIncident()
	change.Alarms, change.Events, change.Notifications = nil, nil, nil
	in := &change.Incidents[0]
	in.Muted = &alerting.Muted{Mute: 7, Kind: alerting.Maintenance, By: "ana", Reason: "optics", Until: noon.Add(time.Hour)}
	w.apply(change)
	r := w.get("/incidents/1")
	w.want(r, "optics", "muted", "reason")
	w.want(r, 7.0, "muted", "mute")
	w.want(r, "2026-11-23T13:00:00Z", "muted", "until")
	w.want(r, nil, "escalation")
	in.Muted, in.State = nil, alerting.Acknowledged
	in.Ack = &alerting.Acknowledgement{By: "bea", From: "ana", Snoozed: true, At: noon}
	w.apply(change)
	r = w.get("/incidents/1")
	w.want(r, nil, "muted")
	w.want(r, "ana", "acknowledgement", "assigned_by")
	w.want(r, true, "acknowledgement", "snoozed")
}
