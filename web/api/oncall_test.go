package api

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"vigia/alerting"
)

// onCallSchedule has a rotation in which ana and ben take turns of twelve hours, and one of nobody at this hour.
func onCallSchedule() *alerting.Schedule {
	begin := time.Date(2026, 1, 5, 6, 0, 0, 0, time.UTC)
	return &alerting.Schedule{
		People: map[string]alerting.Person{"ana": {Receivers: []string{"noc-slack"}}, "ben": {Receivers: []string{"l2-mail"}}, "eva": {Receivers: []string{"l2-mail"}}},
		Rotations: map[string]*alerting.Rotation{
			"noc":   {Name: "noc", Zone: time.UTC, Layers: []alerting.Layer{{Name: "turns", People: []string{"ana", "ben"}, Starts: begin, Length: 12 * time.Hour}}},
			"later": {Name: "later", Otherwise: []string{"l2-mail"}, Layers: []alerting.Layer{{People: []string{"eva"}, Starts: noon.AddDate(0, 0, 1), Length: 24 * time.Hour}}},
		},
	}
}

// withEngine answers commands by the real plan.
func (w *world) withEngine() {
	w.t.Helper()
	schedule := onCallSchedule()
	w.cfg.Schedule = func() *alerting.Schedule { return schedule }
	cfg := &alerting.Config{Schedule: schedule, Rules: alerting.NewRules(nil)}
	w.api.Close()
	w.api = httptest.NewServer(New(w.cfg))
	w.t.Cleanup(w.api.Close)
	snapshot, err := w.store.Load(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	state := alerting.NewState(snapshot)
	var last alerting.Planned
	w.planBy(func(c alerting.Command) alerting.Change {
		last = alerting.Plan(state, cfg, alerting.Input{Commands: []alerting.Command{c}}, noon)
		return last.Change
	}, func(alerting.Change) { state.Adopt(last) })
}

func TestOnCall(t *testing.T) {
	w := newWorld(t)
	w.withEngine()
	r := w.get("/oncall?days=2")
	w.want(r, "later", "rotations", 0, "name")
	w.want(r, nil, "rotations", 0, "person")
	w.want(r, "eva", "rotations", 0, "next")
	w.want(r, "l2-mail", "rotations", 0, "otherwise", 0)
	w.want(r, "ana", "rotations", 1, "person")
	w.want(r, "turns", "rotations", 1, "layer")
	w.want(r, "2026-11-23T18:00:00Z", "rotations", 1, "until")
	w.want(r, "ben", "rotations", 1, "next")
	if n := r.count("rotations", 1, "shifts"); n != 5 {
		t.Errorf("%d shifts in two days, want 5", n)
	}

	body := `{"rotation":"noc","person":"eva","from":"2026-11-23T10:00:00Z","to":"2026-11-23T14:00:00Z","note":"swap"}`
	made := w.do(http.MethodPost, Prefix+"/oncall/overrides", body, "Idempotency-Key", "k")
	if made.status != http.StatusOK {
		t.Fatalf("%d %s", made.status, made.text)
	}
	w.want(made, "done", "state")
	w.want(w.do(http.MethodPost, Prefix+"/oncall/overrides", body, "Idempotency-Key", "k"), made.at("command"), "command")
	r = w.get("/oncall")
	w.want(r, "eva", "rotations", 1, "person")
	w.want(r, made.at("command"), "rotations", 1, "override")
	w.want(r, "swap", "overrides", 0, "note")
	if n := r.count("overrides"); n != 1 {
		t.Errorf("%d overrides, want 1", n)
	}

	cancel := `{"id":"` + made.at("command").(string) + `"}`
	if r := w.do(http.MethodPost, Prefix+"/oncall/overrides/cancel", cancel); r.status != http.StatusOK {
		t.Errorf("cancel: %d %s", r.status, r.text)
	}
	w.want(w.get("/oncall"), "ana", "rotations", 1, "person")
	if r := w.do(http.MethodPost, Prefix+"/oncall/overrides/cancel", cancel); r.status != http.StatusConflict {
		t.Errorf("cancel again: %d %s", r.status, r.text)
	}
}

func TestOnCallRefuses(t *testing.T) {
	w := newWorld(t)
	w.withEngine()
	for name, c := range map[string]struct {
		body   string
		status int
	}{
		"backwards":        {`{"rotation":"noc","person":"eva","from":"2026-11-23T14:00:00Z","to":"2026-11-23T13:00:00Z"}`, 422},
		"past":             {`{"rotation":"noc","person":"eva","from":"2026-11-22T14:00:00Z","to":"2026-11-22T15:00:00Z"}`, 422},
		"no times":         {`{"rotation":"noc","person":"eva"}`, 422},
		"unknown person":   {`{"rotation":"noc","person":"zoe","from":"2026-11-23T14:00:00Z","to":"2026-11-23T15:00:00Z"}`, 409},
		"unknown rota":     {`{"rotation":"soc","person":"eva","from":"2026-11-23T14:00:00Z","to":"2026-11-23T15:00:00Z"}`, 409},
		"too long":         {`{"rotation":"noc","person":"eva","from":"2026-11-23T14:00:00Z","to":"2027-11-23T15:00:00Z"}`, 409},
		"unknown property": {`{"rotation":"noc","who":"eva","from":"2026-11-23T14:00:00Z","to":"2026-11-23T15:00:00Z"}`, 422},
	} {
		if r := w.do(http.MethodPost, Prefix+"/oncall/overrides", c.body); r.status != c.status {
			t.Errorf("%s: %d, want %d: %s", name, r.status, c.status, r.text)
		}
	}
	if n := w.get("/oncall").count("overrides"); n != 0 {
		t.Errorf("%d overrides", n)
	}
}
