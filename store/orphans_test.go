package store_test

import (
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"testing"
	"time"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
	"vigia/store"
	"vigia/store/storetest"
)

var (
	lone     = inventory.Ref{Kind: inventory.KindLink, Name: "lone"}
	overLink = inventory.Ref{Kind: inventory.KindLink, Name: "over"}
)

// cutOff is a process that opens three incidents: one that the database has, and, cut off from it, one that goes on and one that is over. It
// tells everybody but of the end of the last one.
func cutOff(t *testing.T, w *severable) *store.Store {
	t.Helper()
	s := w.open("a", w.target)
	acquire(t, s)
	apply(t, s, outage(1, link, alerting.Major, noon))
	w.cut(true)
	second := told(1, "l2-mail", alerting.Major, noon.Add(time.Minute))
	known := opened(1, link, alerting.Major, noon)
	known.Told = append(known.Told, "l2-mail")
	end := opened(3, overLink, alerting.Major, noon)
	end.State, end.ResolvedAt = alerting.Resolved, noon.Add(time.Minute)
	well := raised(3, 3, overLink, alerting.Major, noon)
	well.State, well.ClearedAt = alerting.Clear, end.ResolvedAt
	notice := told(3, "noc-slack", alerting.Major, noon.Add(time.Minute))
	notice.Cause, notice.Level, notice.Round = alerting.CauseResolved, 0, 2
	notice.Key = alerting.NotificationKey(3, 0, "noc-slack", alerting.CauseResolved, 2)
	apply(t, s, alerting.Change{At: second.CreatedAt, Incidents: []alerting.Incident{known}, Notifications: []alerting.Notification{second}},
		outage(2, lone, alerting.Critical, noon), outage(3, overLink, alerting.Major, noon),
		alerting.Change{At: end.ResolvedAt, Alarms: []alerting.Alarm{well}, Incidents: []alerting.Incident{end}, Notifications: []alerting.Notification{notice}})
	for _, key := range []string{second.Key, told(2, "noc-slack", alerting.Critical, noon).Key, told(3, "noc-slack", alerting.Major, noon).Key} {
		if err := s.Settle(t.Context(), sentResult(key, 1, noon.Add(time.Minute))); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// takesOver lets another process become the active one.
func takesOver(t *testing.T, w *severable) *store.Store {
	t.Helper()
	s := w.open("b", w.dsn)
	eventually(t, "the other one takes over", func() bool {
		release, err := s.Acquire(t.Context())
		if err == nil {
			t.Cleanup(release)
		}
		return err == nil
	})
	return s
}

func severablePostgres(t *testing.T) *severable {
	t.Helper()
	dsn := storetest.Postgres(t)
	address := got[*url.URL](t)(url.Parse(dsn))
	p := newProxy(t, address.Host)
	address.Host = p.listener.Addr().String()
	return &severable{t: t, dsn: dsn, target: address.String(), cut: p.set, folder: t.TempDir()}
}

// People whom a process told of what only it knew hear how that ends, from the process that is active then: when the first one notices that it
// was replaced, and when it was killed and comes back as a standby.
func TestOrphans(t *testing.T) {
	for _, killed := range []bool{false, true} {
		t.Run(map[bool]string{false: "replaced", true: "killed"}[killed], func(t *testing.T) {
			w := severablePostgres(t)
			first := cutOff(t, w)
			second := takesOver(t, w)
			state := alerting.NewState(got[alerting.Snapshot](t)(second.Load(t.Context())))
			if killed {
				first.Forget()
				first.Close()
			}
			w.cut(false)
			if killed {
				again := w.open("a", w.dsn)
				refusedTaken(t, again)
				refusedTaken(t, again) // and hands nothing over twice
			} else {
				eventually(t, "the first notices", func() bool {
					first.ComeBack(t.Context())
					_, err := first.Claim(t.Context(), noon, time.Minute, 1, nil)
					return errors.Is(err, store.ErrLost)
				})
			}
			commands := got[[]alerting.Command](t)(second.PendingCommands(t.Context(), 0))
			expectOrphans(t, commands)
			expectTold(t, second, 2, alerting.NotificationSent, 1)
			expectHistory(t, second)
			continued(t, second, state, commands)
		})
	}
}

func expectOrphans(t *testing.T, commands []alerting.Command) {
	t.Helper()
	if len(commands) != 2 || commands[0].IncidentID != 1 || commands[1].IncidentID != 2 {
		t.Fatalf("handed over: %+v", commands)
	}
	var known, orphan alerting.Orphan
	if err := errors.Join(json.Unmarshal([]byte(commands[0].Note), &known), json.Unmarshal([]byte(commands[1].Note), &orphan)); err != nil {
		t.Fatal(err)
	}
	if !known.Known || !slices.Equal(known.Told, []string{"l2-mail"}) {
		t.Errorf("of the incident that both know: %+v", known)
	}
	if orphan.Known || !slices.Equal(orphan.Told, []string{"noc-slack"}) || len(orphan.Alarms) != 1 || len(orphan.Owed) != 0 {
		t.Errorf("of the one that only the first knew: %+v", orphan)
	}
}

// expectHistory checks what the database has of the incident that is over, and that its end is still to be told.
func expectHistory(t *testing.T, s *store.Store) {
	t.Helper()
	if in := got[alerting.Incident](t)(s.Incident(t.Context(), store.Everything(), 3)); in.State != alerting.Resolved {
		t.Errorf("the incident that is over: %+v", in)
	}
	if spans := got[[]store.Span](t)(s.AlarmSpans(t.Context(), store.Everything(), lone, noon, noon.Add(time.Hour))); len(spans) != 0 {
		t.Errorf("spans of what the engine has not taken yet: %+v", spans)
	}
	claimed := claim(t, s, noon.Add(time.Hour), 10)
	keys := make([]string, len(claimed))
	for i := range claimed {
		keys[i] = claimed[i].Key
	}
	want := []string{told(1, "noc-slack", alerting.Major, noon).Key, alerting.NotificationKey(3, 0, "noc-slack", alerting.CauseResolved, 2)}
	if !slices.Equal(keys, want) {
		t.Errorf("to be sent: %v, want %v", keys, want)
	}
}

// continued lets the engine of the active process take the incident and measure that it is over.
func continued(t *testing.T, s *store.Store, state *alerting.State, commands []alerting.Command) {
	t.Helper()
	rules := alerting.NewRules([]alerting.Threshold{{
		Metric: collectors.LossPct, On: "link/*", Policy: "noc",
		Tiers: []alerting.Tier{{Severity: alerting.Critical, Raise: 10, Clear: 5}},
	}})
	cfg := &alerting.Config{Rules: rules}
	plan := func(in alerting.Input, at time.Time) alerting.Change {
		t.Helper()
		p := alerting.Plan(state, cfg, in, at)
		apply(t, s, p.Change)
		state.Adopt(p)
		return p.Change
	}
	plan(alerting.Input{Reloaded: true, Commands: commands}, noon.Add(2*time.Minute))
	if in := got[alerting.Incident](t)(s.Incident(t.Context(), store.Everything(), 2)); in.State != alerting.Open {
		t.Errorf("the incident that goes on: %+v", in)
	}
	sample := collectors.Sample{Series: series(lone, collectors.LossPct), At: noon.Add(3 * time.Minute), Value: 0}
	c := plan(alerting.Input{Samples: []collectors.Sample{sample}}, sample.At)
	if len(c.Notifications) != 1 || c.Notifications[0].Cause != alerting.CauseResolved || c.Notifications[0].Receiver != "noc-slack" || c.Notifications[0].IncidentID != 2 {
		t.Errorf("when it is well: %+v", c.Notifications)
	}
	if left := got[[]alerting.Command](t)(s.PendingCommands(t.Context(), 0)); len(left) != 0 {
		t.Errorf("not answered: %+v", left)
	}
}
