package store_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"vigia/alerting"
	"vigia/alerting/outbox"
	"vigia/store"
	"vigia/store/storetest"
)

// tell applies a Change that only tells.
func tell(t testing.TB, s *store.Store, list ...alerting.Notification) {
	t.Helper()
	apply(t, s, alerting.Change{At: noon, Notifications: list})
}

func keys(list []alerting.Notification) []string {
	var keys []string
	for _, n := range list {
		keys = append(keys, n.Receiver)
	}
	return keys
}

func claim(t testing.TB, s *store.Store, now time.Time, limit int, busy ...string) []alerting.Notification {
	t.Helper()
	return got[[]alerting.Notification](t)(s.Claim(t.Context(), now, time.Minute, limit, busy))
}

func attempt(n alerting.Notification, state alerting.NotificationState, next time.Time) outbox.Result {
	return outbox.Result{
		Delivery: alerting.Delivery{
			Key: n.Key, Attempt: n.Attempts, At: noon.Add(time.Minute), Took: 20 * time.Millisecond,
			OK: state == alerting.NotificationSent, Outcome: "250 2.0.0 queued",
		},
		State: state, NextAt: next,
	}
}

func settle(t testing.TB, s *store.Store, results ...outbox.Result) {
	t.Helper()
	if err := s.Settle(t.Context(), results); err != nil {
		t.Fatal(err)
	}
}

func TestClaimWorstAndOldestFirst(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open storetest.Opener) {
		s := open()
		tell(t, s,
			told(1, "old-minor", alerting.Minor, noon), told(1, "new-critical", alerting.Critical, noon.Add(2*time.Second)),
			told(1, "old-critical", alerting.Critical, noon.Add(time.Second)), told(1, "later", alerting.Critical, noon.Add(time.Hour)))
		if due := got[time.Time](t)(s.NextDue(t.Context())); !due.Equal(noon) {
			t.Errorf("next due %v, want %v", due, noon)
		}
		now := noon.Add(time.Minute)
		first := claim(t, s, now, 1, "new-critical")
		differ(t, "first, one busy", keys(first), []string{"old-critical"})
		want := told(1, "old-critical", alerting.Critical, noon.Add(time.Second))
		want.State, want.Attempts, want.NextAt, want.LeasedUntil = alerting.NotificationLeased, 1, time.Time{}, now.Add(time.Minute)
		differ(t, "the whole row", first[0], want)
		differ(t, "the others", keys(claim(t, s, now, 10)), []string{"new-critical", "old-minor"})
		differ(t, "nothing is left", keys(claim(t, s, now, 10)), []string(nil))
		if due := got[time.Time](t)(s.NextDue(t.Context())); !due.Equal(now.Add(time.Minute)) {
			t.Errorf("next due %v, want the end of the first lease", due)
		}
		again := claim(t, s, now.Add(time.Minute), 10)
		differ(t, "after the lease", keys(again), []string{"old-critical", "new-critical", "old-minor"})
		if again[0].Attempts != 2 {
			t.Errorf("attempt %d, want 2", again[0].Attempts)
		}
	})
}

func TestSettle(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open storetest.Opener) {
		var heard []alerting.Settled
		s := open(func(c *store.Config) { c.OnSettle = func(list []alerting.Settled) { heard = append(heard, list...) } })
		apply(t, s, alerting.Change{At: noon, Incidents: []alerting.Incident{opened(1, link, alerting.Major, noon)}})
		tell(t, s, told(1, "a", alerting.Major, noon), told(1, "b", alerting.Major, noon), told(1, "c", alerting.Major, noon))
		claimed := claim(t, s, noon, 10)
		retry := noon.Add(5 * time.Minute)
		results := []outbox.Result{
			attempt(claimed[0], alerting.NotificationSent, time.Time{}), attempt(claimed[1], alerting.NotificationPending, retry),
			attempt(claimed[2], alerting.NotificationGivenUp, time.Time{}),
		}
		settle(t, s, results...)
		differ(t, "heard", heard, []alerting.Settled{
			{Key: claimed[0].Key, State: alerting.NotificationSent, Delivery: results[0].Delivery},
			{Key: claimed[1].Key, State: alerting.NotificationPending, Delivery: results[1].Delivery},
			{Key: claimed[2].Key, State: alerting.NotificationGivenUp, Delivery: results[2].Delivery},
		})
		views := got[[]store.NotificationView](t)(s.Notifications(t.Context(), store.Everything(), 1))
		var states []alerting.NotificationState
		for i, v := range views {
			states = append(states, v.State)
			differ(t, "deliveries", v.Deliveries, []alerting.Delivery{results[i].Delivery})
		}
		differ(t, "states", states, []alerting.NotificationState{"sent", "pending", "given_up"})
		if !views[1].NextAt.Equal(retry) || !views[0].SettledAt.Equal(results[0].Delivery.At.Add(20*time.Millisecond)) {
			t.Errorf("next at %v, settled at %v", views[1].NextAt, views[0].SettledAt)
		}
		differ(t, "left to send", len(got[alerting.Snapshot](t)(s.Load(t.Context())).Notifications), 1)
		differ(t, "before its time", keys(claim(t, s, retry.Add(-time.Microsecond), 10)), []string(nil))
		differ(t, "at its time", keys(claim(t, s, retry, 10)), []string{"b"})
		if err := s.Settle(t.Context(), []outbox.Result{{Delivery: alerting.Delivery{Key: "k"}, State: "leased"}}); err == nil {
			t.Error("an impossible state was accepted")
		}
	})
}

// A worker whose lease ran out comes late: what it says must not undo what the next one did, unless it says "sent".
func TestSettleLate(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open storetest.Opener) {
		s := open()
		state := func() alerting.NotificationState {
			return got[[]store.NotificationView](t)(s.RecentNotifications(t.Context(), store.Everything(), 1))[0].State
		}
		tell(t, s, told(1, "a", alerting.Major, noon))
		late := claim(t, s, noon, 1)[0]
		second := claim(t, s, noon.Add(time.Minute), 1)[0]
		settle(t, s, attempt(late, alerting.NotificationPending, noon))
		differ(t, "a late failure", state(), alerting.NotificationLeased)
		settle(t, s, attempt(late, alerting.NotificationGivenUp, noon))
		differ(t, "a late giving up", state(), alerting.NotificationLeased)
		settle(t, s, attempt(late, alerting.NotificationSent, noon))
		differ(t, "a late success", state(), alerting.NotificationSent)
		settle(t, s, attempt(second, alerting.NotificationPending, noon))
		differ(t, "the second's failure", state(), alerting.NotificationSent)
	})
}

func TestKeyIsUnique(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open storetest.Opener) {
		s := open()
		tell(t, s, told(1, "a", alerting.Major, noon))
		settle(t, s, attempt(claim(t, s, noon, 1)[0], alerting.NotificationSent, time.Time{}))
		again := told(1, "a", alerting.Critical, noon.Add(time.Hour))
		tell(t, s, again)
		views := got[[]store.NotificationView](t)(s.Notifications(t.Context(), store.Everything(), 1))
		if len(views) != 1 || views[0].State != alerting.NotificationSent || views[0].Severity != alerting.Major {
			t.Errorf("got %+v, want the first as it was", views)
		}
	})
}

func TestSupersede(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open storetest.Opener) {
		var heard []alerting.Settled
		s := open(func(c *store.Config) { c.OnSettle = func(list []alerting.Settled) { heard = append(heard, list...) } })
		tell(t, s, told(1, "retried", alerting.Critical, noon), told(1, "died", alerting.Critical, noon), told(1, "out", alerting.Critical, noon))
		leased := map[string]alerting.Notification{}
		for _, n := range claim(t, s, noon, 3) {
			leased[n.Receiver] = n
		}
		tell(t, s, told(1, "pending", alerting.Critical, noon))
		var all []string
		for _, r := range []string{"pending", "retried", "died", "out", "unknown"} {
			all = append(all, told(1, r, alerting.Critical, noon).Key)
		}
		apply(t, s, alerting.Change{At: noon, Supersede: all})

		states := func() map[string]alerting.NotificationState {
			m := map[string]alerting.NotificationState{}
			for _, v := range got[[]store.NotificationView](t)(s.Notifications(t.Context(), store.Everything(), 1)) {
				m[v.Receiver] = v.State
			}
			return m
		}
		differ(t, "at once", states(), map[string]alerting.NotificationState{"pending": "superseded", "retried": "leased", "died": "leased", "out": "leased"})
		settle(t, s, attempt(leased["out"], alerting.NotificationSent, time.Time{}), attempt(leased["retried"], alerting.NotificationPending, noon))
		differ(t, "after the lease", keys(claim(t, s, noon.Add(time.Minute), 10)), []string(nil))
		differ(t, "in the end", states(), map[string]alerting.NotificationState{"pending": "superseded", "retried": "superseded", "died": "superseded", "out": "sent"})
		last := heard[len(heard)-1]
		if last.Key != leased["died"].Key || last.State != alerting.NotificationSuperseded {
			t.Errorf("heard %+v at last, want that the row of the worker that died was closed", last)
		}
	})
}

func TestOutboxStats(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open storetest.Opener) {
		s := open(func(c *store.Config) { c.Now = func() time.Time { return noon.Add(time.Minute) } })
		apply(t, s, alerting.Change{At: noon, Notifications: []alerting.Notification{
			told(1, "mail", alerting.Major, noon.Add(time.Second)), told(2, "mail", alerting.Critical, noon.Add(2*time.Second)),
			told(1, "slack", alerting.Critical, noon.Add(-time.Hour)), told(2, "slack", alerting.Critical, noon.Add(time.Hour)),
		}})
		first := claim(t, s, noon.Add(time.Minute), 1)
		settle(t, s, attempt(first[0], alerting.NotificationSent, time.Time{}))
		stats := got[store.OutboxStats](t)(s.OutboxStats(t.Context()))
		differ(t, "stats", stats, store.OutboxStats{Due: 2, Oldest: noon.Add(time.Second), Receivers: []store.ReceiverStats{
			{Receiver: "mail", Waiting: 2},
			{Receiver: "slack", Waiting: 1, Sent: 1, LastSent: noon.Add(time.Minute + 20*time.Millisecond)},
		}})
	})
}

// Several workers and processes claim at once: nothing is claimed twice, nothing is left.
func TestClaimAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open storetest.Opener) {
		stores := []*store.Store{open(), open()}
		const n = 120
		for i := range n {
			tell(t, stores[0], told(int64(i), "a", alerting.Major, noon))
		}
		var mu sync.Mutex
		seen := map[string]int{}
		var workers sync.WaitGroup
		for w := range 6 {
			workers.Go(func() {
				s := stores[w%2]
				for {
					list, err := s.Claim(t.Context(), noon, time.Minute, 7, nil)
					if err != nil {
						t.Error(err)
						return
					}
					if len(list) == 0 {
						return
					}
					mu.Lock()
					for _, n := range list {
						seen[n.Key]++
					}
					mu.Unlock()
				}
			})
		}
		workers.Wait()
		for key, times := range seen {
			if times != 1 {
				t.Errorf("%s was claimed %d times", key, times)
			}
		}
		left := claim(t, stores[0], noon, 200) // another process may have held some back while it looked
		if len(seen)+len(left) != n {
			t.Errorf("%s claimed, want %d", fmt.Sprint(len(seen), "+", len(left)), n)
		}
	})
}

// TestGivenUpUnheard ends the process between Settle and the engine's next plan: the next start hears of what was given up, once.
func TestGivenUpUnheard(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open storetest.Opener) {
		s := open()
		n := told(1, "mail", alerting.Critical, noon)
		apply(t, s, alerting.Change{At: noon, Incidents: []alerting.Incident{{ID: 1, State: alerting.Open, OpenedAt: noon}}, Notifications: []alerting.Notification{n}})
		settle(t, s, attempt(claim(t, s, noon, 1)[0], alerting.NotificationGivenUp, time.Time{}))
		snap := got[alerting.Snapshot](t)(s.Load(t.Context()))
		if len(snap.Settled) != 1 || snap.Settled[0].Key != n.Key || snap.Settled[0].State != alerting.NotificationGivenUp {
			t.Fatalf("the next start hears of %+v, want %s", snap.Settled, n.Key)
		}
		apply(t, s, alerting.Change{At: noon, Events: []alerting.Event{{ID: 1, IncidentID: 1, At: noon, Kind: alerting.EventGivenUp, About: n.Key}}})
		if snap = got[alerting.Snapshot](t)(s.Load(t.Context())); len(snap.Settled) != 0 {
			t.Errorf("it hears of %+v again", snap.Settled)
		}
	})
}
