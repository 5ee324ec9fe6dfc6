package api

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
	"vigia/store"
	"vigia/store/storetest"
)

// noon is the tests' now.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

var (
	link     = inventory.Ref{Kind: inventory.KindLink, Name: "sjo-mia"}
	carrier  = inventory.Ref{Kind: inventory.KindTrunk, Name: "carrier-a"}
	loss     = collectors.Series{Metric: collectors.LossPct, Ref: link, Instance: "ping"}
	latency  = collectors.Series{Metric: collectors.LatencyMS, Ref: link, Instance: "ping"}
	latency2 = collectors.Series{Metric: collectors.LatencyMS, Ref: link, Instance: "far"}
)

// world is a small operator with one incident, on a real database.
type world struct {
	t     *testing.T
	store *store.Store
	cfg   Config
	api   *httptest.Server
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldIn(t, storetest.Open(t, atNoon))
}

func atNoon(c *store.Config) { c.Now = func() time.Time { return noon } }

// newWorldIn is a world in an empty store.
func newWorldIn(t *testing.T, st *store.Store) *world {
	t.Helper()
	w := &world{t: t, store: st}
	inv, err := inventory.New(inventory.Spec{
		Sites:    []inventory.Site{{Name: "san-jose"}, {Name: "miami"}},
		Links:    []inventory.Link{{Name: "sjo-mia", Site: "san-jose", Peer: "miami", Capacity: 1e9}},
		Servers:  []inventory.Server{{Name: "sbc-1", Site: "san-jose"}, {Name: "sbc-2", Site: "san-jose"}},
		Services: []inventory.Service{{Name: "sbc", Servers: []string{"sbc-1", "sbc-2"}, AtLeast: 2}},
		Trunks:   []inventory.Trunk{{Name: "carrier-a", Site: "miami", Via: []inventory.Ref{link}}},
		Customers: []inventory.Customer{
			{Name: "acme", AccountManager: "ana@example.com"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	runs := collectors.NewRuns(0, 0)
	checks := []collectors.Check{{
		ID: collectors.CheckID{Ref: link, Instance: "ping"}, Kind: "ping", Target: "192.0.2.1", Every: 10 * time.Second, Timeout: 5 * time.Second,
	}}
	rules := alerting.NewRules([]alerting.Threshold{{
		Metric: collectors.LossPct, On: "link/*", Policy: "noc", Source: "vigia.yaml:7",
		Tiers: []alerting.Tier{
			{Severity: alerting.Warning, Raise: 1, Clear: 0.5, For: 2 * time.Minute},
			{Severity: alerting.Critical, Raise: 10, Clear: 5, For: 30 * time.Second},
		},
		NoData: &alerting.NoData{After: 2 * time.Minute, Severity: alerting.Major},
	}})
	w.cfg = Config{
		Store: st, Inventory: func() *inventory.Inventory { return inv }, Checks: func() []collectors.Check { return checks }, Runs: runs,
		Rules: func() *alerting.Rules { return rules }, Policies: func() map[string]alerting.Policy { return map[string]alerting.Policy{"noc": noc} },
		Words: collectors.Words{
			"test.loss": {EN: "loses {0:1} % of packets", ES: "pierde {0:1} % de los paquetes"},
			"test.over": {EN: "it is over", ES: "ya terminó"},
		},
		Version: "test", PublicURL: "https://noc.example/", Now: func() time.Time { return noon },
	}
	w.fill(runs)
	w.api = httptest.NewServer(New(w.cfg))
	t.Cleanup(w.api.Close)
	return w
}

var noc = alerting.Policy{Name: "noc", AckTimeout: time.Hour, Levels: []alerting.Level{
	{Name: "NOC L1", MinSeverity: alerting.Warning, Notify: []string{"noc-slack"}, Repeat: 15 * time.Minute},
	{Name: "NOC L2", After: 15 * time.Minute, MinSeverity: alerting.Major, Notify: []string{"l2-mail"}},
}}

// fill puts in an hour of samples with a gap of ten minutes, two runs, and one incident.
func (w *world) fill(runs *collectors.Runs) {
	w.t.Helper()
	var samples []collectors.Sample
	for at := noon.Add(-time.Hour); at.Before(noon); at = at.Add(10 * time.Second) {
		if at.After(noon.Add(-30*time.Minute)) && at.Before(noon.Add(-20*time.Minute)) {
			continue
		}
		samples = append(samples,
			collectors.Sample{Series: loss, At: at, Value: 11.25, Every: 10 * time.Second, Reason: collectors.Because("test.loss", 11.25)},
			collectors.Sample{Series: latency, At: at, Value: float64(at.Second()), Every: 10 * time.Second},
			collectors.Sample{Series: latency2, At: at, Value: 80, Every: 10 * time.Second})
	}
	w.store.Put(samples)
	for i, ok := range []bool{true, false} {
		runs.Add(collectors.Run{
			Check: collectors.CheckID{Ref: link, Instance: "ping"}, Kind: "ping", At: noon.Add(time.Duration(i-2) * 10 * time.Second), Took: 1200 * time.Millisecond,
			Result: collectors.Result{OK: ok, Why: collectors.Because("test.loss", 11.25)},
		})
	}
	w.apply(theIncident())
}

// theIncident is critical loss on the link, opened ten minutes ago, one receiver told.
func theIncident() alerting.Change {
	opened := noon.Add(-10 * time.Minute)
	key := alerting.NotificationKey(1, 1, "noc-slack", alerting.CauseOpened, 1)
	return alerting.Change{
		At: opened,
		Alarms: []alerting.Alarm{{
			ID: 1, Series: loss, State: alerting.Raised, Severity: alerting.Critical, Value: 11.25, ValueAt: noon, RaisedAt: opened, PendingAt: opened,
			Reason: collectors.Because("test.loss", 11.25), Tier: alerting.Tier{Severity: alerting.Critical, Raise: 10, Clear: 5, For: 30 * time.Second},
			IncidentID: 1, Policy: "noc", Source: "vigia.yaml:7",
		}, {
			ID: 2, Series: collectors.Series{Metric: collectors.Up, Ref: carrier, Instance: "sip"}, State: alerting.Stale, Severity: alerting.Major,
			RaisedAt: opened, IncidentID: 1, Shadow: true,
		}},
		Incidents: []alerting.Incident{{
			ID: 1, State: alerting.Open, Severity: alerting.Critical, Worst: alerting.Critical, Ref: link, Root: 1, Series: loss,
			Title: collectors.Because("test.loss", 11.25), OpenedAt: opened, Policy: noc, Told: []string{"noc-slack"},
			Escalation: alerting.Escalation{
				Next: 1, NextAt: opened.Add(15 * time.Minute), Base: opened, Round: 1,
				Repeat: []alerting.Repeat{{Level: 0, At: opened.Add(20 * time.Minute)}},
			},
		}},
		Events: []alerting.Event{
			{ID: 1, IncidentID: 1, At: opened, Kind: alerting.EventOpened, AlarmID: 1, Severity: alerting.Critical, Text: collectors.Because("test.loss", 11.25)},
			{ID: 2, IncidentID: 1, At: opened, Kind: alerting.EventTold, Keys: []string{key}},
		},
		Notifications: []alerting.Notification{{
			Key: key, IncidentID: 1, Level: 1, Receiver: "noc-slack", Cause: alerting.CauseOpened, Round: 1, Severity: alerting.Critical,
			CreatedAt: opened, NextAt: opened, State: alerting.NotificationPending,
		}},
	}
}

func (w *world) apply(c alerting.Change) {
	w.t.Helper()
	if err := w.store.Apply(w.t.Context(), c); err != nil {
		w.t.Fatal(err)
	}
}

// plan answers commands as the engine would, until the test ends: an acknowledgement is taken, a mute made and ended, everything else refused.
func (w *world) plan() {
	w.t.Helper()
	w.planBy(planned, func(alerting.Change) {})
}

// planBy answers commands by a plan until the test ends, and says what was stored.
func (w *world) planBy(plan func(alerting.Command) alerting.Change, stored func(alerting.Change)) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan struct{})
	w.t.Cleanup(func() { cancel(); <-done })
	go func() {
		defer close(done)
		var seq int64
		for ctx.Err() == nil {
			select {
			case <-ctx.Done():
			case <-w.store.CommandsPosted():
			}
			commands, err := w.store.PendingCommands(ctx, seq)
			if err != nil {
				continue
			}
			for _, c := range commands {
				seq = c.Seq
				change := plan(c)
				if err := w.store.Apply(ctx, change); err != nil && ctx.Err() == nil {
					w.t.Error(err)
				}
				stored(change)
			}
		}
	}()
}

func planned(c alerting.Command) alerting.Change {
	if c.Mute != nil || c.MuteID != 0 {
		return plannedMute(c)
	}
	out := alerting.Change{At: noon, Commands: []alerting.CommandResult{{ID: c.ID, Seq: c.Seq, At: noon, OK: c.Kind == alerting.CommandAcknowledge}}}
	if c.Kind != alerting.CommandAcknowledge {
		out.Commands[0].Reason = collectors.Because("test.over")
		return out
	}
	i := theIncident().Incidents[0]
	i.State = alerting.Acknowledged
	i.Ack = &alerting.Acknowledgement{By: c.Actor, Note: c.Note, At: noon, Until: c.Until, Severity: alerting.Critical}
	out.Incidents = []alerting.Incident{i}
	out.Events = []alerting.Event{{ID: 10 + c.Seq, IncidentID: 1, At: noon, Kind: alerting.EventAcknowledged, Actor: c.Actor, Note: c.Note}}
	return out
}

func plannedMute(c alerting.Command) alerting.Change {
	m := alerting.Mute{ID: c.MuteID}
	if c.Mute != nil {
		m = *c.Mute
		m.ID, m.Kind, m.Author, m.CreatedAt = c.Seq, alerting.MuteKind(c.Kind), c.Actor, noon
		if m.From.IsZero() {
			m.From = noon
		}
	} else {
		m.CancelledAt, m.CancelledBy = noon, c.Actor
	}
	return alerting.Change{
		At: noon, Mutes: []alerting.Mute{m},
		Commands: []alerting.CommandResult{{ID: c.ID, Seq: c.Seq, At: noon, OK: true, Made: m.ID}},
	}
}

// reply is an answer, decoded.
type reply struct {
	status int
	header http.Header
	text   string
	body   map[string]any
}

func (w *world) do(method, path, body string, headers ...string) reply {
	w.t.Helper()
	request, err := http.NewRequestWithContext(w.t.Context(), method, w.api.URL+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	out := reply{status: response.StatusCode, header: response.Header, text: string(text), body: map[string]any{}}
	if err := json.Unmarshal(text, &out.body); err != nil {
		w.t.Fatalf("%s %s: %d: no JSON object: %q", method, path, response.StatusCode, text)
	}
	return out
}

func (w *world) get(path string, headers ...string) reply {
	w.t.Helper()
	r := w.do(http.MethodGet, Prefix+path, "", headers...)
	if r.status != http.StatusOK {
		w.t.Fatalf("GET %s: %d %s", path, r.status, r.text)
	}
	return r
}

// at walks into an answer: names of fields and numbers of items.
func (r reply) at(path ...any) any {
	var v any = r.body
	for _, step := range path {
		switch s := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[s]
		case int:
			l, _ := v.([]any)
			if s >= len(l) {
				return nil
			}
			v = l[s]
		}
	}
	return v
}

// count is how many items a list has; -1 when it is none.
func (r reply) count(path ...any) int {
	l, ok := r.at(path...).([]any)
	if !ok {
		return -1
	}
	return len(l)
}

func (w *world) want(r reply, value any, path ...any) {
	w.t.Helper()
	if got := r.at(path...); got != value {
		w.t.Errorf("%v is %v (%T), want %v\n%s", path, got, got, value, r.text)
	}
}
