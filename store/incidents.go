package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"vigia/alerting"
	"vigia/collectors/inventory"
)

// IncidentFilter chooses incidents. The zero value chooses the newest ones.
type IncidentFilter struct {
	Live         *bool // true: open or acknowledged, worst first, then unowned, then newest; false: those that are over
	States       []alerting.IncidentState
	Ref          inventory.Ref // about this object, or with an alarm of it
	Since, Until time.Time     // opened in [Since, Until)
	BeforeID     int64         // older than this one, for paging through what is newest first
	Limit        int           // default 200
}

// Incidents lists incidents that the scope may see.
func (s *Store) Incidents(ctx context.Context, scope Scope, f IncidentFilter) ([]alerting.Incident, error) {
	q := newQuery(`SELECT doc FROM incidents`)
	q.sees(scope, "customer")
	if f.Live != nil && *f.Live {
		q.and("state IN ('open', 'acknowledged')")
	} else if f.Live != nil {
		q.and("state NOT IN ('open', 'acknowledged')")
	}
	if len(f.States) > 0 {
		q.in("state", texts(f.States)...)
	}
	if !f.Ref.IsZero() {
		q.and(`(ref_kind = ? AND ref_name = ? OR id IN (SELECT incident_id FROM alarms WHERE incident_id <> 0 AND ref_kind = ? AND ref_name = ?))`,
			string(f.Ref.Kind), f.Ref.Name, string(f.Ref.Kind), f.Ref.Name)
	}
	if !f.Since.IsZero() {
		q.and("opened_at >= ?", stamp(f.Since))
	}
	if !f.Until.IsZero() {
		q.and("opened_at < ?", stamp(f.Until))
	}
	if f.BeforeID > 0 {
		q.and("id < ?", f.BeforeID)
	}
	if f.Live != nil && *f.Live {
		q.add(" ORDER BY severity DESC, CASE WHEN owner = '' THEN 0 ELSE 1 END, opened_at DESC, id DESC LIMIT ?", limit(f.Limit, 200))
	} else {
		q.add(" ORDER BY id DESC LIMIT ?", limit(f.Limit, 200))
	}
	list, err := docs[alerting.Incident](ctx, s.lives(ctx), q)
	if err != nil {
		return nil, fmt.Errorf("read incidents: %w", err)
	}
	return list, nil
}

// Incident reads one incident. ErrNotFound: there is none of that id, or the scope may not see it.
func (s *Store) Incident(ctx context.Context, scope Scope, id int64) (alerting.Incident, error) {
	q := newQuery(`SELECT doc FROM incidents`)
	q.and("id = ?", id)
	q.sees(scope, "customer")
	list, err := docs[alerting.Incident](ctx, s.lives(ctx), q)
	if err != nil {
		return alerting.Incident{}, fmt.Errorf("read incident %d: %w", id, err)
	}
	if len(list) == 0 {
		return alerting.Incident{}, ErrNotFound
	}
	return list[0], nil
}

// EventFilter chooses events. The zero value chooses the oldest ones there are.
type EventFilter struct {
	Incident int64         // of this incident
	Ref      inventory.Ref // of incidents about this object
	AfterID  int64         // newer than this one
	Newest   bool          // newest first
	Limit    int           // default 500
}

// Events lists events in the order of their ids. What belongs to a customer's incident or alarm needs the scope; what belongs to no
// incident (the monitor's own events) is everybody's.
func (s *Store) Events(ctx context.Context, scope Scope, f EventFilter) ([]alerting.Event, error) {
	q := newQuery(`SELECT e.doc FROM events e LEFT JOIN incidents i ON i.id = e.incident_id LEFT JOIN alarms a ON a.id = e.alarm_id`)
	q.sees(scope, "COALESCE(i.customer, '')")
	q.sees(scope, "COALESCE(a.customer, '')")
	if f.Incident != 0 {
		q.and("e.incident_id = ?", f.Incident)
	}
	if !f.Ref.IsZero() {
		q.about([]inventory.Ref{f.Ref}, "i.")
	}
	if f.AfterID > 0 {
		q.and("e.id > ?", f.AfterID)
	}
	order := " ORDER BY e.id LIMIT ?"
	if f.Newest {
		order = " ORDER BY e.id DESC LIMIT ?"
	}
	q.add(order, limit(f.Limit, 500))
	list, err := docs[alerting.Event](ctx, s.lives(ctx), q)
	if err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	return list, nil
}

// LastEventID is the newest event's id, 0 when there is none.
func (s *Store) LastEventID(ctx context.Context) (int64, error) {
	var id int64
	if err := s.lives(ctx).QueryRowContext(ctx, `SELECT COALESCE(MAX(id), 0) FROM events`).Scan(&id); err != nil {
		return 0, fmt.Errorf("read the newest event: %w", err)
	}
	return id, nil
}

const (
	loadAlarmsSQL    = `SELECT doc FROM alarms WHERE state <> 'clear' ORDER BY id`
	loadIncidentsSQL = `SELECT doc FROM incidents WHERE state IN ('open', 'acknowledged') ORDER BY id`
	loadClosedSQL    = `SELECT doc FROM incidents WHERE state = 'resolved' AND resolved_at > $1 ORDER BY id`
	loadNextSQL      = `SELECT
		COALESCE((SELECT MAX(id) FROM alarms), 0) + 1,
		COALESCE((SELECT MAX(id) FROM incidents), 0) + 1,
		COALESCE((SELECT MAX(id) FROM events), 0) + 1,
		COALESCE((SELECT MAX(id) FROM mutes), 0) + 1,
		COALESCE((SELECT MAX(seq) FROM commands WHERE done_at IS NOT NULL), 0)`
)

// Load reads what the engine starts from: everything that is not over, as of one instant.
func (s *Store) Load(ctx context.Context) (alerting.Snapshot, error) {
	var snap alerting.Snapshot
	err := s.db.within(ctx, s.db.durable, func(t *transaction) error {
		if err := t.steady(ctx); err != nil {
			return err
		}
		var err error
		if snap.Alarms, err = docs[alerting.Alarm](ctx, t.tx, newQuery(loadAlarmsSQL)); err != nil {
			return err
		}
		if snap.Incidents, err = docs[alerting.Incident](ctx, t.tx, newQuery(loadIncidentsSQL)); err != nil {
			return err
		}
		closed, err := docs[alerting.Incident](ctx, t.tx, newQuery(loadClosedSQL, stamp(s.cfg.Now().Add(-alerting.MaxReopen))))
		if err != nil {
			return err
		}
		for i := range closed {
			if closed[i].Policy.Reopen > 0 {
				snap.Closed = append(snap.Closed, closed[i])
			}
		}
		if snap.Notifications, err = notifications(ctx, t.tx, newQuery(loadNotificationsSQL)); err != nil {
			return err
		}
		if snap.Mutes, err = docs[alerting.Mute](ctx, t.tx, newQuery(loadMutesSQL)); err != nil {
			return err
		}
		if snap.Overrides, err = overrides(ctx, t.tx, s.cfg.Now().Add(-overrideRemember)); err != nil {
			return err
		}
		if snap.Settled, err = unheard(ctx, t.tx); err != nil {
			return err
		}
		return t.tx.QueryRowContext(ctx, loadNextSQL).Scan(&snap.NextAlarm, &snap.NextIncident, &snap.NextEvent, &snap.NextMute, &snap.LastCommand)
	})
	if err != nil {
		return alerting.Snapshot{}, fmt.Errorf("load the engine's state: %w", s.db.explain(err))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	snap.NextAlarm, snap.NextIncident, snap.NextEvent = snap.NextAlarm+s.leap, snap.NextIncident+s.leap, snap.NextEvent+s.leap
	snap.NextMute += s.leap
	s.leap = 0
	return snap, nil
}

const (
	loadGivenUpSQL = `SELECT n.key, d.attempt, d.at, d.outcome FROM notifications n JOIN incidents i ON i.id = n.incident_id
		JOIN deliveries d ON d.key = n.key AND d.attempt = n.attempts
		WHERE n.state = 'given_up' AND i.state IN ('open', 'acknowledged') ORDER BY n.created_at, n.key`
	loadHeardSQL = `SELECT e.doc FROM events e JOIN incidents i ON i.id = e.incident_id
		WHERE e.kind = 'given_up' AND i.state IN ('open', 'acknowledged')`
)

// unheard are the notifications that were given up when the process ended before the engine could put that into the timeline and tell
// the fallback.
func unheard(ctx context.Context, from querier) ([]alerting.Settled, error) {
	events, err := docs[alerting.Event](ctx, from, newQuery(loadHeardSQL))
	if err != nil {
		return nil, err
	}
	heard := map[string]bool{}
	for _, e := range events {
		heard[e.About] = true
	}
	var list []alerting.Settled
	err = each(ctx, from, loadGivenUpSQL, nil, func(rows *sql.Rows) error {
		s := alerting.Settled{State: alerting.NotificationGivenUp}
		if err := rows.Scan(&s.Key, &s.Delivery.Attempt, instant{&s.Delivery.At}, &s.Delivery.Outcome); err != nil {
			return err
		}
		s.Delivery.Key = s.Key
		if !heard[s.Key] {
			list = append(list, s)
		}
		return nil
	})
	return list, err
}

// docs reads a query's rows, each a doc of type T.
func docs[T any](ctx context.Context, from querier, q *query) ([]T, error) {
	var list []T
	err := each(ctx, from, q.text.String(), q.args, func(rows *sql.Rows) error {
		var doc []byte
		if err := rows.Scan(&doc); err != nil {
			return err
		}
		var v T
		if err := json.Unmarshal(doc, &v); err != nil {
			return fmt.Errorf("a stored document is damaged: %w", err)
		}
		list = append(list, v)
		return nil
	})
	return list, err
}

// texts are words as arguments.
func texts[T fmt.Stringer](values []T) []any {
	var list []any
	for _, v := range values {
		list = append(list, v.String())
	}
	return list
}

func limit(n, otherwise int) int64 {
	if n <= 0 {
		n = otherwise
	}
	return int64(n)
}
