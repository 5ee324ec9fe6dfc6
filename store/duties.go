package store

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"vigia/alerting"
	"vigia/alerting/outbox"
)

// duties are the notifications that wait, in memory: what the outbox goes on with while the database is away. The active process keeps them
// up with everything that it writes.
type duties struct {
	mu   sync.Mutex
	list map[string]*duty
	lack map[string]bool // notifications of a Change that is just being applied, of which the database refuses a row
}

type duty struct {
	alerting.Notification
	outdated bool // superseded while it was leased
	local    bool // the database has no row of it
}

func newDuties() *duties { return &duties{list: map[string]*duty{}, lack: map[string]bool{}} }

const loadDutiesSQL = `SELECT ` + notificationColumns + ` FROM notifications WHERE state IN ('pending', 'leased') AND NOT outdated`

// load takes what the database has instead of what was there.
func (d *duties) load(ctx context.Context, from querier) error {
	list, err := notifications(ctx, from, newQuery(loadDutiesSQL))
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	clear(d.list)
	for _, n := range list {
		d.list[n.Key] = &duty{Notification: n}
	}
	return nil
}

// apply takes what a Change says of notifications.
func (d *duties) apply(c *alerting.Change) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, n := range c.Notifications {
		if d.list[n.Key] == nil {
			n.State, n.Attempts = alerting.NotificationPending, 0
			n.NextAt = cmp.Or(n.NextAt, n.CreatedAt)
			d.list[n.Key] = &duty{Notification: n, local: d.lack[n.Key]}
		}
	}
	clear(d.lack)
	for _, key := range c.Supersede {
		switch n := d.list[key]; {
		case n == nil:
		case n.State == alerting.NotificationLeased:
			n.outdated = true
		default:
			delete(d.list, key)
		}
	}
}

// unwritten marks notifications that no row holds, and will not.
func (d *duties) unwritten(keys []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, key := range keys {
		if n := d.list[key]; n != nil {
			n.local = true
		} else {
			d.lack[key] = true
		}
	}
}

// leased takes what was claimed from the database.
func (d *duties) leased(claimed []alerting.Notification) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, n := range claimed {
		if n.State == alerting.NotificationSuperseded {
			delete(d.list, n.Key)
			continue
		}
		d.list[n.Key] = &duty{Notification: n}
	}
}

// claim does what Claim does, among all or among those that no row holds.
func (d *duties) claim(now time.Time, lease time.Duration, limit int, busy []string, localOnly bool) []alerting.Notification {
	d.mu.Lock()
	defer d.mu.Unlock()
	var due []*duty
	for key, n := range d.list {
		switch {
		case localOnly && !n.local || n.dueAt().After(now) || slices.Contains(busy, n.Receiver):
		case n.outdated:
			delete(d.list, key)
		default:
			due = append(due, n)
		}
	}
	slices.SortFunc(due, func(a, b *duty) int { return byUrgency(a.Notification, b.Notification) })
	var claimed []alerting.Notification
	for _, n := range due[:min(len(due), limit)] {
		n.State, n.LeasedUntil, n.NextAt = alerting.NotificationLeased, now.Add(lease), time.Time{}
		n.Attempts++
		claimed = append(claimed, n.Notification)
	}
	return claimed
}

func byUrgency(a, b alerting.Notification) int {
	return cmp.Or(-cmp.Compare(a.Severity, b.Severity), a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.Key, b.Key))
}

// dueAt is when it may be claimed.
func (d *duty) dueAt() time.Time {
	if d.State == alerting.NotificationLeased {
		return d.LeasedUntil
	}
	return d.NextAt
}

// next is when the earliest becomes due; zero for none.
func (d *duties) next(localOnly bool) time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	var first time.Time
	for _, n := range d.list {
		if !localOnly || n.local {
			first = earliest(first, n.dueAt())
		}
	}
	return first
}

// settle takes outcomes, and returns what became of each as the database would.
func (d *duties) settle(results []outbox.Result) []alerting.Settled {
	d.mu.Lock()
	defer d.mu.Unlock()
	settled := make([]alerting.Settled, 0, len(results))
	for _, r := range results {
		state := r.State
		n := d.list[r.Delivery.Key]
		switch {
		case n == nil || state == alerting.NotificationPending && r.Delivery.Attempt != 0 && r.Delivery.Attempt < n.Attempts:
		case state == alerting.NotificationPending && n.outdated:
			state = alerting.NotificationSuperseded
			delete(d.list, n.Key)
		case state == alerting.NotificationPending:
			n.State, n.NextAt, n.LeasedUntil = state, r.NextAt, time.Time{}
		default:
			delete(d.list, n.Key)
		}
		settled = append(settled, alerting.Settled{Key: r.Delivery.Key, State: state, Delivery: r.Delivery})
	}
	return settled
}

// waiting counts what is due and since when the oldest of it waits.
func (d *duties) waiting(now time.Time) (due int, oldest time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, n := range d.list {
		if !n.dueAt().After(now) {
			due++
			oldest = earliest(oldest, n.CreatedAt)
		}
	}
	return due, oldest
}
