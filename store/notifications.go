package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"vigia/alerting"
	"vigia/alerting/outbox"
)

const (
	notificationColumns = `key, incident_id, level, receiver, cause, round, severity, created_at, state, attempts, due_at, settled_at, doc`

	loadNotificationsSQL = `SELECT ` + notificationColumns + ` FROM notifications
		WHERE state IN ('pending', 'leased') AND NOT outdated
			AND incident_id IN (SELECT id FROM incidents WHERE state IN ('open', 'acknowledged'))
		ORDER BY created_at, key`

	// One statement for both: what is due is leased, and what was outdated while a process that died had leased it is closed.
	claimSetSQL = `UPDATE notifications SET
			attempts = attempts + CASE WHEN outdated THEN 0 ELSE 1 END,
			due_at = CASE WHEN outdated THEN due_at ELSE ? END,
			settled_at = CASE WHEN outdated THEN ? ELSE settled_at END,
			state = CASE WHEN outdated THEN 'superseded' ELSE 'leased' END
		WHERE key IN (SELECT key FROM notifications`
	claimDueSQL   = ` WHERE state IN ('pending', 'leased') AND due_at <= ?`
	claimOrderSQL = ` ORDER BY severity DESC, created_at, key LIMIT ?`

	nextDueSQL = `SELECT due_at FROM notifications WHERE state IN ('pending', 'leased') ORDER BY due_at LIMIT 1`

	addDeliverySQL = `INSERT INTO deliveries (key, attempt, at, took_us, ok, outcome) SELECT $1, $2, $3, $4, $5, $6
		WHERE NOT EXISTS (SELECT 1 FROM deliveries WHERE key = $1 AND attempt = $2 AND at = $3)`

	// Sent wins whenever it comes: the receiver has it. Another outcome counts only for the attempt that holds the lease, or for a later one
	// that was made while the database was away.
	sentSQL    = `UPDATE notifications SET state = 'sent', settled_at = $1 WHERE key = $2 AND state <> 'sent'`
	givenUpSQL = `UPDATE notifications SET state = 'given_up', settled_at = $1,
			attempts = CASE WHEN attempts < $3 THEN $3 ELSE attempts END
		WHERE key = $2 AND (state = 'leased' AND (attempts = $3 OR $3 = 0) OR state IN ('pending', 'leased') AND attempts < $3)`
	againSQL = `UPDATE notifications SET
			state = CASE WHEN outdated THEN 'superseded' ELSE 'pending' END,
			settled_at = CASE WHEN outdated THEN $1 ELSE settled_at END,
			attempts = CASE WHEN attempts < $4 THEN $4 ELSE attempts END,
			due_at = $2
		WHERE key = $3 AND (state = 'leased' AND (attempts = $4 OR $4 = 0) OR state IN ('pending', 'leased') AND attempts < $4)`
)

// Claim leases up to limit notifications that are due; see outbox.Queue. While the database is away they come from memory. A process that was
// the active one and is no longer gets ErrLost.
func (s *Store) Claim(ctx context.Context, now time.Time, lease time.Duration, limit int, busy []string) ([]alerting.Notification, error) {
	if s.away.is() {
		return s.duties.claim(now, lease, limit, busy, false), nil
	}
	limited, cancel := s.limited(ctx)
	defer cancel()
	claimed, err := s.claim(limited, now, lease, limit, busy)
	switch {
	case errors.Is(err, ErrLost):
		return nil, err
	case err != nil && s.away.begin(err):
		return s.duties.claim(now, lease, limit, busy, false), nil
	case err != nil:
		return nil, fmt.Errorf("claim notifications: %w", err)
	}
	s.duties.leased(claimed)
	return append(s.leasedOf(claimed), s.duties.claim(now, lease, limit-len(claimed), busy, true)...), nil
}

func (s *Store) claim(ctx context.Context, now time.Time, lease time.Duration, limit int, busy []string) ([]alerting.Notification, error) {
	q := newQuery("")
	q.add(claimSetSQL, stamp(now.Add(lease)), stamp(now))
	q.add(s.db.dialect.claimBy+claimDueSQL, stamp(now))
	if len(busy) > 0 {
		var names []any
		for _, name := range busy {
			names = append(names, cleanText(name))
		}
		q.add(" AND receiver NOT IN ("+marks(len(busy))+")", names...)
	}
	q.add(claimOrderSQL, int64(limit))
	q.add(s.db.dialect.skipLocked + ") RETURNING " + notificationColumns)

	var claimed []alerting.Notification
	err := s.db.within(ctx, s.db.relaxed, func(t *transaction) error {
		if err := s.fence(ctx, t); err != nil {
			return err
		}
		var err error
		claimed, err = notifications(ctx, t.tx, q)
		return err
	})
	if errors.Is(err, ErrLost) {
		return nil, err
	}
	note := s.health.looked
	if len(claimed) > 0 {
		note = s.health.wrote
	}
	return claimed, note(err)
}

// leasedOf puts what was leased in order and tells of what was closed instead.
func (s *Store) leasedOf(claimed []alerting.Notification) []alerting.Notification {
	var closed []alerting.Settled
	leased := slices.DeleteFunc(claimed, func(n alerting.Notification) bool {
		if n.State == alerting.NotificationSuperseded {
			closed = append(closed, alerting.Settled{Key: n.Key, State: n.State})
		}
		return n.State != alerting.NotificationLeased
	})
	slices.SortFunc(leased, byUrgency)
	if len(closed) > 0 {
		s.cfg.OnSettle(closed)
	}
	return leased
}

// Settle writes attempts and what follows from them, in one transaction; see outbox.Queue. While the database is away they go to the local
// journal. Config.OnSettle hears what became of each.
func (s *Store) Settle(ctx context.Context, results []outbox.Result) error {
	if len(results) == 0 {
		return nil
	}
	list, err := settleStatements(results)
	if err != nil {
		return err
	}
	var settled []alerting.Settled
	err = s.write(ctx, recordSettle, func() any { return results }, func(ctx context.Context) error {
		settled = nil
		return s.health.wrote(s.db.within(ctx, s.db.durable, func(t *transaction) error {
			if err := t.run(ctx, list); err != nil {
				return err
			}
			var err error
			settled, err = settledStates(ctx, t.tx, results)
			return err
		}))
	})
	if err != nil {
		return fmt.Errorf("settle notifications: %w", err)
	}
	s.mirror.add(list)
	if remembered := s.duties.settle(results); len(settled) < len(results) { // in the journal, or of notifications without a row
		settled = remembered
	}
	s.cfg.OnSettle(settled)
	s.watch.tell(0)
	return nil
}

func addDelivery(list *statements, d alerting.Delivery) {
	list.add(addDeliverySQL, d.Key, int64(d.Attempt), d.At, d.Took.Microseconds(), d.OK, d.Outcome)
}

// settleStatements are attempts and what follows from them. Written twice they change nothing more.
func settleStatements(results []outbox.Result) (statements, error) {
	var list statements
	for _, r := range results {
		d := r.Delivery
		addDelivery(&list, d)
		switch r.State {
		case alerting.NotificationSent:
			list.add(sentSQL, d.At.Add(d.Took), d.Key)
		case alerting.NotificationGivenUp:
			list.add(givenUpSQL, d.At.Add(d.Took), d.Key, int64(d.Attempt))
		case alerting.NotificationPending:
			list.add(againSQL, d.At.Add(d.Took), r.NextAt, d.Key, int64(d.Attempt))
		default:
			return nil, fmt.Errorf("settle %s: %q is not what a notification can become", d.Key, r.State)
		}
	}
	return list, nil
}

// settledStates reads what has become of the notifications, which may be another thing than the attempt alone would say.
func settledStates(ctx context.Context, from querier, results []outbox.Result) ([]alerting.Settled, error) {
	var keys []any
	for _, r := range results {
		keys = append(keys, cleanText(r.Delivery.Key))
	}
	q := newQuery(`SELECT key, state FROM notifications`)
	q.in("key", keys...)
	states := map[string]alerting.NotificationState{}
	err := each(ctx, from, q.text.String(), q.args, func(rows *sql.Rows) error {
		var key string
		var state alerting.NotificationState
		err := rows.Scan(&key, &state)
		states[key] = state
		return err
	})
	var settled []alerting.Settled
	for _, r := range results {
		if state, ok := states[r.Delivery.Key]; ok {
			settled = append(settled, alerting.Settled{Key: r.Delivery.Key, State: state, Delivery: r.Delivery})
		}
	}
	return settled, err
}

// NextDue is when the earliest waiting notification becomes due; see outbox.Queue.
func (s *Store) NextDue(ctx context.Context) (time.Time, error) {
	if s.away.is() {
		return s.duties.next(false), nil
	}
	var due time.Time
	ctx, cancel := s.limited(ctx)
	defer cancel()
	err := s.db.read.QueryRowContext(ctx, nextDueSQL).Scan(instant{&due})
	if err = optional(err); err != nil {
		if s.away.begin(err) {
			return s.duties.next(false), nil
		}
		return time.Time{}, fmt.Errorf("read when a notification is due: %w", err)
	}
	return earliest(due, s.duties.next(true)), nil
}

// notifications reads a query's rows of notificationColumns.
func notifications(ctx context.Context, from querier, q *query) ([]alerting.Notification, error) {
	var list []alerting.Notification
	err := each(ctx, from, q.text.String(), q.args, func(rows *sql.Rows) error {
		var n alerting.Notification
		var due time.Time
		var doc []byte
		if err := rows.Scan(&n.Key, &n.IncidentID, &n.Level, &n.Receiver, &n.Cause, &n.Round, &n.Severity, instant{&n.CreatedAt}, &n.State,
			&n.Attempts, instant{&due}, instant{&n.SettledAt}, &doc); err != nil {
			return err
		}
		switch n.State {
		case alerting.NotificationPending:
			n.NextAt = due
		case alerting.NotificationLeased:
			n.LeasedUntil = due
		}
		if err := json.Unmarshal(doc, &n.Message); err != nil {
			return fmt.Errorf("the message of %s is damaged: %w", n.Key, err)
		}
		list = append(list, n)
		return nil
	})
	return list, err
}
