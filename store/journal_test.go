package store_test

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
	"vigia/store"
	"vigia/store/storetest"
)

var (
	noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	link = inventory.Ref{Kind: inventory.KindLink, Name: "sjo-mia"}
	acme = inventory.Ref{Kind: inventory.KindCustomer, Name: "acme"}
	beta = inventory.Ref{Kind: inventory.KindCustomer, Name: "beta"}
)

func series(ref inventory.Ref, metric collectors.Metric) collectors.Series {
	return collectors.Series{Metric: metric, Ref: ref, Instance: "ping"}
}

// raised is an alarm that stands, with every field filled.
func raised(id, incident int64, ref inventory.Ref, severity alerting.Severity, at time.Time) alerting.Alarm {
	return alerting.Alarm{
		ID: id, Series: series(ref, collectors.LossPct), State: alerting.Raised, Severity: severity, Value: 11.2, ValueAt: at,
		Reason: collectors.Because("ping.loss", 11.2, "sjo «mia»"), Detail: `{"sent":5}`,
		Tier:      alerting.Tier{Severity: severity, Raise: 10, Clear: 5, For: 30 * time.Second},
		PendingAt: at.Add(-30 * time.Second), RaisedAt: at, IncidentID: incident, Policy: "noc", Source: "vigia.yaml:12",
		Holds: []alerting.Hold{{Severity: severity, Over: at.Add(-30 * time.Second), Confirms: 2}}, Changes: []time.Time{at},
	}
}

func opened(id int64, ref inventory.Ref, severity alerting.Severity, at time.Time) alerting.Incident {
	return alerting.Incident{
		ID: id, Severity: severity, Worst: severity, Ref: ref, Root: id, Series: series(ref, collectors.LossPct),
		Title: collectors.Because("ping.loss", 11.2), OpenedAt: at,
		Policy: alerting.Policy{Name: "noc", Levels: []alerting.Level{{Name: "NOC L1", Notify: []string{"noc-slack"}, Repeat: 15 * time.Minute}}},
		Escalation: alerting.Escalation{
			Next: 1, NextAt: at.Add(15 * time.Minute), Base: at, Round: 1,
			Repeat: []alerting.Repeat{{Level: 0, At: at.Add(15 * time.Minute)}},
		},
		Told: []string{"noc-slack"},
	}
}

func told(incident int64, receiver string, severity alerting.Severity, at time.Time) alerting.Notification {
	key := alerting.NotificationKey(incident, 1, receiver, alerting.CauseOpened, 1)
	return alerting.Notification{
		Key: key, IncidentID: incident, Level: 1, Receiver: receiver, Cause: alerting.CauseOpened, Round: 1, Severity: severity, CreatedAt: at,
		Message: alerting.Message{Key: key, Cause: alerting.CauseOpened, Incident: incident, Severity: severity, Ref: link, Value: 11.2, At: at, OpenedAt: at},
		State:   alerting.NotificationPending, NextAt: at,
	}
}

func event(id, incident, alarm int64, at time.Time) alerting.Event {
	return alerting.Event{
		ID: id, IncidentID: incident, At: at, Kind: alerting.EventOpened, AlarmID: alarm, Severity: alerting.Critical,
		Text: collectors.Because("incident.opened", "sjo-mia"), Keys: []string{"k"},
	}
}

// outage is a Change that opens one incident about ref: the ids are n.
func outage(n int64, ref inventory.Ref, severity alerting.Severity, at time.Time) alerting.Change {
	return alerting.Change{
		At: at, Alarms: []alerting.Alarm{raised(n, n, ref, severity, at)}, Incidents: []alerting.Incident{opened(n, ref, severity, at)},
		Events: []alerting.Event{event(n, n, n, at)}, Notifications: []alerting.Notification{told(n, "noc-slack", severity, at)},
	}
}

func apply(t testing.TB, s *store.Store, changes ...alerting.Change) {
	t.Helper()
	for _, c := range changes {
		if err := s.Apply(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
}

// got fails the test on an error, and returns the value.
func got[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func differ(t testing.TB, what string, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

func TestApplyAndLoad(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open storetest.Opener) {
		s := open()
		empty := got[alerting.Snapshot](t)(s.Load(t.Context()))
		differ(t, "empty", empty, alerting.Snapshot{NextMute: 1, NextAlarm: 1, NextIncident: 1, NextEvent: 1})

		apply(t, s, outage(1, link, alerting.Critical, noon), outage(4, acme, alerting.Major, noon.Add(time.Second)))
		want := alerting.Snapshot{
			Alarms: []alerting.Alarm{raised(1, 1, link, alerting.Critical, noon), raised(4, 4, acme, alerting.Major, noon.Add(time.Second))},
			Incidents: []alerting.Incident{
				opened(1, link, alerting.Critical, noon), opened(4, acme, alerting.Major, noon.Add(time.Second)),
			},
			Notifications: []alerting.Notification{
				told(1, "noc-slack", alerting.Critical, noon), told(4, "noc-slack", alerting.Major, noon.Add(time.Second)),
			},
			NextMute: 1, NextAlarm: 5, NextIncident: 5, NextEvent: 5,
		}
		differ(t, "from the same process", got[alerting.Snapshot](t)(s.Load(t.Context())), want)
		differ(t, "from another process", got[alerting.Snapshot](t)(open().Load(t.Context())), want)

		// What is over is not loaded, but its ids stay taken.
		over := opened(4, acme, alerting.Major, noon.Add(time.Second))
		over.State, over.ResolvedAt = alerting.Resolved, noon.Add(time.Hour)
		alarm := raised(4, 4, acme, alerting.None, noon.Add(time.Second))
		alarm.State, alarm.ClearedAt = alerting.Clear, noon.Add(time.Hour)
		apply(t, s, alerting.Change{At: noon.Add(time.Hour), Alarms: []alerting.Alarm{alarm}, Incidents: []alerting.Incident{over}})
		want.Alarms, want.Incidents, want.Notifications = want.Alarms[:1], want.Incidents[:1], want.Notifications[:1]
		differ(t, "after one is over", got[alerting.Snapshot](t)(s.Load(t.Context())), want)
	})
}

func TestApplyIsWholeOrNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open storetest.Opener) {
		s := open()
		apply(t, s, outage(1, link, alerting.Critical, noon))
		before := got[alerting.Snapshot](t)(s.Load(t.Context()))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.Apply(ctx, outage(3, link, alerting.Major, noon)); !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v, want that the context ended", err)
		}
		differ(t, "after one that failed", got[alerting.Snapshot](t)(s.Load(t.Context())), before)
		apply(t, s, outage(2, link, alerting.Major, noon))
		if stats := s.Stats(); !stats.Up {
			t.Errorf("after it healed: up %v, last error %q", stats.Up, stats.LastError)
		}
	})
}

func TestApplyStoresWhatIsOdd(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open storetest.Opener) {
		s := open()
		c := outage(1, inventory.Ref{Kind: inventory.KindServer, Name: "sbc\x00-\xff1'; DROP TABLE alarms"}, alerting.Critical, noon)
		c.Alarms[0].Value = math.NaN()
		c.Alarms[0].Reason = collectors.Because("http.body", math.Inf(1), "\x00\xfe")
		c.Events[0].Actor, c.Events[0].Note = "O'Brien\x00", strings.Repeat("ñ", 100_000)
		c.Notifications[0].Message.Value = math.Inf(-1)
		c.Notifications[0].Message.Digest = []alerting.Message{{Value: math.NaN(), Ref: link}}
		c.Notifications[0].Message.Series = collectors.Series{} // a message that is about no series
		apply(t, s, c)
		snap := got[alerting.Snapshot](t)(s.Load(t.Context()))
		if len(snap.Alarms) != 1 || len(snap.Notifications) != 1 || snap.Alarms[0].Reason.Args[0] != "–" {
			t.Errorf("got %+v", snap)
		}
	})
}

func TestIncidentsInOrder(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open storetest.Opener) {
		s := open()
		owned := outage(3, link, alerting.Critical, noon.Add(3*time.Minute))
		owned.Incidents[0].State = alerting.Acknowledged
		owned.Incidents[0].Ack = &alerting.Acknowledgement{By: "ana", At: noon}
		over := outage(5, link, alerting.Critical, noon.Add(5*time.Minute))
		over.Incidents[0].State = alerting.Resolved
		apply(t, s, outage(1, link, alerting.Warning, noon), outage(2, link, alerting.Critical, noon.Add(time.Minute)), owned,
			outage(4, acme, alerting.Critical, noon.Add(4*time.Minute)), over, outage(6, beta, alerting.Critical, noon.Add(6*time.Minute)))

		yes, no := true, false
		for name, test := range map[string]struct {
			scope  store.Scope
			filter store.IncidentFilter
			want   []int64
		}{
			"live, worst, unowned, newest": {store.Everything(), store.IncidentFilter{Live: &yes}, []int64{6, 4, 2, 3, 1}},
			"over":                         {store.Everything(), store.IncidentFilter{Live: &no}, []int64{5}},
			"newest first":                 {store.Everything(), store.IncidentFilter{}, []int64{6, 5, 4, 3, 2, 1}},
			"next page":                    {store.Everything(), store.IncidentFilter{BeforeID: 4, Limit: 2}, []int64{3, 2}},
			"states":                       {store.Everything(), store.IncidentFilter{States: []alerting.IncidentState{alerting.Resolved, alerting.Acknowledged}}, []int64{5, 3}},
			"of an object":                 {store.Everything(), store.IncidentFilter{Ref: acme}, []int64{4}},
			"of a time":                    {store.Everything(), store.IncidentFilter{Since: noon.Add(time.Minute), Until: noon.Add(4 * time.Minute)}, []int64{3, 2}},
			"no customer":                  {store.Scope{}, store.IncidentFilter{}, []int64{5, 3, 2, 1}},
			"one customer":                 {store.Scope{Customers: []string{"acme"}}, store.IncidentFilter{}, []int64{5, 4, 3, 2, 1}},
		} {
			t.Run(name, func(t *testing.T) {
				var ids []int64
				for _, i := range got[[]alerting.Incident](t)(s.Incidents(t.Context(), test.scope, test.filter)) {
					ids = append(ids, i.ID)
				}
				differ(t, "ids", ids, test.want)
			})
		}
	})
}

func TestScopeHidesOtherCustomers(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open storetest.Opener) {
		s := open()
		apply(t, s, outage(1, acme, alerting.Critical, noon), outage(2, link, alerting.Critical, noon))
		foreign := alerting.Change{At: noon, Alarms: []alerting.Alarm{raised(3, 2, acme, alerting.Major, noon)}, Events: []alerting.Event{event(3, 2, 3, noon)}}
		apply(t, s, foreign) // acme's alarm joined the link's incident
		s.Put([]collectors.Sample{{Series: series(acme, collectors.MOSMean), At: noon, Value: 4.1}})

		for name, test := range map[string]struct {
			scope                                  store.Scope
			err                                    error
			alarms, events, spans, series, recents int
		}{
			"nothing":        {store.Scope{}, store.ErrNotFound, 1, 1, 0, 0, 1},
			"other customer": {store.Scope{Customers: []string{"beta"}}, store.ErrNotFound, 1, 1, 0, 0, 1},
			"this customer":  {store.Scope{Customers: []string{"beta", "acme"}}, nil, 3, 3, 2, 1, 2},
			"everything":     {store.Everything(), nil, 3, 3, 2, 1, 2},
		} {
			t.Run(name, func(t *testing.T) {
				if _, err := s.Incident(t.Context(), test.scope, 1); !errors.Is(err, test.err) {
					t.Errorf("incident: got %v, want %v", err, test.err)
				}
				ctx, from, to := t.Context(), noon.Add(-time.Hour), noon.Add(time.Hour)
				line := got[store.RangeResult](t)(s.Range(ctx, test.scope, store.RangeQuery{Series: series(acme, collectors.MOSMean), From: from, To: to}))
				_, latest := s.Latest(test.scope, series(acme, collectors.MOSMean))
				differ(t, "counts", []int{
					len(got[[]alerting.Alarm](t)(s.Alarms(ctx, test.scope, store.AlarmFilter{}))),
					len(got[[]alerting.Event](t)(s.Events(ctx, test.scope, store.EventFilter{}))),
					len(got[[]store.Span](t)(s.AlarmSpans(ctx, test.scope, acme, from, to))),
					len(s.SeriesOf(test.scope, acme)), len(s.AllSeries(test.scope)), len(line.Points),
					len(got[[]store.NotificationView](t)(s.RecentNotifications(ctx, test.scope, 0))),
				}, []int{test.alarms, test.events, test.spans, test.series, test.series, test.series, test.recents})
				if latest != (test.series == 1) {
					t.Errorf("latest: %v", latest)
				}
			})
		}
	})
}

func TestAlarms(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open storetest.Opener) {
		s := open()
		pending := raised(1, 0, link, alerting.None, time.Time{})
		pending.State = alerting.Pending
		cleared := raised(2, 7, link, alerting.Major, noon)
		apply(t, s, alerting.Change{At: noon, Alarms: []alerting.Alarm{pending, cleared}})
		cleared.State, cleared.Severity, cleared.ClearedAt = alerting.Clear, alerting.None, noon.Add(time.Minute)
		apply(t, s, alerting.Change{At: noon.Add(time.Minute), Alarms: []alerting.Alarm{
			cleared, raised(3, 7, link, alerting.Warning, noon.Add(time.Minute)), raised(4, 8, acme, alerting.Critical, noon),
		}})
		for name, test := range map[string]struct {
			filter store.AlarmFilter
			want   []int64
		}{
			"ever raised":       {store.AlarmFilter{}, []int64{3, 4, 2}},
			"standing":          {store.AlarmFilter{Active: true}, []int64{4, 3}},
			"of two objects":    {store.AlarmFilter{Refs: []inventory.Ref{link, beta}}, []int64{3, 2}},
			"of an incident":    {store.AlarmFilter{Incident: 7}, []int64{3, 2}},
			"worst of cleared":  {store.AlarmFilter{Severities: []alerting.Severity{alerting.Major}}, []int64{2}},
			"since":             {store.AlarmFilter{Since: noon.Add(time.Second)}, []int64{3, 4}},
			"newest":            {store.AlarmFilter{Limit: 1}, []int64{3}},
			"object and active": {store.AlarmFilter{Active: true, Refs: []inventory.Ref{link}}, []int64{3}},
		} {
			t.Run(name, func(t *testing.T) {
				var ids []int64
				for _, a := range got[[]alerting.Alarm](t)(s.Alarms(t.Context(), store.Everything(), test.filter)) {
					ids = append(ids, a.ID)
				}
				differ(t, "ids", ids, test.want)
			})
		}
	})
}

func TestAlarmSpansFollowSeverity(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open storetest.Opener) {
		s := open()
		alarm := raised(1, 1, link, alerting.Warning, noon)
		at := func(minutes int) time.Time { return noon.Add(time.Duration(minutes) * time.Minute) }
		for _, step := range []struct {
			minute   int
			state    alerting.AlarmState
			severity alerting.Severity
		}{
			{0, alerting.Raised, alerting.Warning},
			{1, alerting.Raised, alerting.Warning}, // the same again is no new span
			{5, alerting.Raised, alerting.Critical},
			{6, alerting.Clearing, alerting.Critical}, // clearing still stands
			{8, alerting.Clear, alerting.None},
			{20, alerting.Stale, alerting.Major},
		} {
			alarm.State, alarm.Severity = step.state, step.severity
			apply(t, s, alerting.Change{At: at(step.minute), Alarms: []alerting.Alarm{alarm}})
		}
		span := func(severity alerting.Severity, stale bool, from, to time.Time) store.Span {
			return store.Span{AlarmID: 1, Incident: 1, Series: series(link, collectors.LossPct), Severity: severity, Stale: stale, From: from, To: to}
		}
		want := []store.Span{
			span(alerting.Warning, false, at(0), at(5)), span(alerting.Critical, false, at(5), at(8)), span(alerting.Major, true, at(20), time.Time{}),
		}
		read := func(from, to time.Time) []store.Span {
			return got[[]store.Span](t)(s.AlarmSpans(t.Context(), store.Everything(), link, from, to))
		}
		differ(t, "all", read(at(-60), at(60)), want)
		differ(t, "the middle", read(at(6), at(10)), want[1:2])
		differ(t, "later", read(at(60), at(90)), want[2:])
	})
}

func TestEvents(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open storetest.Opener) {
		s := open()
		apply(t, s, outage(1, link, alerting.Critical, noon), outage(2, beta, alerting.Critical, noon),
			alerting.Change{At: noon, Events: []alerting.Event{event(3, 1, 0, noon), event(4, 0, 0, noon)}})
		if last := got[int64](t)(s.LastEventID(t.Context())); last != 4 {
			t.Errorf("last event %d, want 4", last)
		}
		for name, test := range map[string]struct {
			filter store.EventFilter
			want   []int64
		}{
			"all":            {store.EventFilter{}, []int64{1, 2, 3, 4}},
			"of an incident": {store.EventFilter{Incident: 1}, []int64{1, 3}},
			"after":          {store.EventFilter{AfterID: 2}, []int64{3, 4}},
			"of an object":   {store.EventFilter{Ref: beta}, []int64{2}},
			"newest first":   {store.EventFilter{Newest: true, Limit: 2}, []int64{4, 3}},
		} {
			t.Run(name, func(t *testing.T) {
				var ids []int64
				for _, e := range got[[]alerting.Event](t)(s.Events(t.Context(), store.Everything(), test.filter)) {
					ids = append(ids, e.ID)
				}
				differ(t, "ids", ids, test.want)
			})
		}
		all := got[[]alerting.Event](t)(s.Events(t.Context(), store.Everything(), store.EventFilter{Limit: 1}))
		differ(t, "the whole event", all[0], event(1, 1, 1, noon))
	})
}

// raw opens the database of an address without the store.
func raw(t testing.TB, dsn string) *sql.DB {
	t.Helper()
	driver, source := "pgx", dsn
	if path, ok := strings.CutPrefix(dsn, "sqlite:"); ok {
		driver, source = "sqlite", path
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}
