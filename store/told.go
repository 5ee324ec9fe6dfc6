package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"vigia/alerting"
)

// NotificationView is a notification with all attempts at it, oldest first.
type NotificationView struct {
	alerting.Notification
	Deliveries []alerting.Delivery
}

const (
	toldSQL = `SELECT n.key, n.incident_id, n.level, n.receiver, n.cause, n.round, n.severity, n.created_at, n.state, n.attempts, n.due_at,
			n.settled_at, n.doc
		FROM notifications n LEFT JOIN incidents i ON i.id = n.incident_id`
	deliveriesSQL = `SELECT key, attempt, at, took_us, ok, outcome FROM deliveries`
)

// Notifications lists whom an incident told, oldest first, with every attempt.
func (s *Store) Notifications(ctx context.Context, scope Scope, incident int64) ([]NotificationView, error) {
	q := newQuery(toldSQL)
	q.and("n.incident_id = ?", incident)
	q.sees(scope, "COALESCE(i.customer, '')")
	q.add(" ORDER BY n.created_at, n.level, n.key LIMIT 2000")
	return s.views(ctx, q)
}

// RecentNotifications lists the newest notifications of all incidents, newest first; n below 1 means 50.
func (s *Store) RecentNotifications(ctx context.Context, scope Scope, n int) ([]NotificationView, error) {
	q := newQuery(toldSQL)
	q.and("n.receiver <> ?", alerting.CanaryReceiver)
	q.sees(scope, "COALESCE(i.customer, '')")
	q.add(" ORDER BY n.created_at DESC, n.key DESC LIMIT ?", limit(n, 50))
	return s.views(ctx, q)
}

func (s *Store) views(ctx context.Context, q *query) ([]NotificationView, error) {
	list, err := notifications(ctx, s.lives(ctx), q)
	if err != nil {
		return nil, fmt.Errorf("read notifications: %w", err)
	}
	views := make([]NotificationView, len(list))
	at := make(map[string]int, len(list))
	var keys []any
	for i, n := range list {
		views[i].Notification = n
		at[n.Key] = i
		keys = append(keys, n.Key)
	}
	for len(keys) > 0 {
		some := keys[:min(len(keys), 500)]
		keys = keys[len(some):]
		if err := s.addDeliveries(ctx, some, views, at); err != nil {
			return nil, fmt.Errorf("read deliveries: %w", err)
		}
	}
	return views, nil
}

func (s *Store) addDeliveries(ctx context.Context, keys []any, views []NotificationView, at map[string]int) error {
	q := newQuery(deliveriesSQL)
	q.in("key", keys...)
	q.add(" ORDER BY id")
	return each(ctx, s.lives(ctx), q.text.String(), q.args, func(rows *sql.Rows) error {
		var d alerting.Delivery
		var took int64
		if err := rows.Scan(&d.Key, &d.Attempt, instant{&d.At}, &took, &d.OK, &d.Outcome); err != nil {
			return err
		}
		d.Took = time.Duration(took) * time.Microsecond
		view := &views[at[d.Key]]
		view.Deliveries = append(view.Deliveries, d)
		return nil
	})
}

// OutboxStats is what waits to be sent.
type OutboxStats struct {
	Due       int       // due now, and nobody is sending it
	Oldest    time.Time // since when the oldest of them is waiting; zero for none
	Receivers []ReceiverStats
}

// ReceiverStats is how one receiver does.
type ReceiverStats struct {
	Receiver string
	Waiting  int       // not settled, due or not
	Sent     int       // in the last 24 hours
	GivenUp  int       // in the last 24 hours
	LastSent time.Time // zero when nothing was ever sent
}

const (
	outboxDueSQL = `SELECT COUNT(*), MIN(created_at) FROM notifications WHERE state IN ('pending', 'leased') AND due_at <= $1`
	receiversSQL = `SELECT receiver,
			SUM(CASE WHEN state IN ('pending', 'leased') THEN 1 ELSE 0 END),
			SUM(CASE WHEN state = 'sent' AND created_at >= $1 THEN 1 ELSE 0 END),
			SUM(CASE WHEN state = 'given_up' AND created_at >= $1 THEN 1 ELSE 0 END),
			MAX(CASE WHEN state = 'sent' THEN settled_at END)
		FROM notifications WHERE receiver <> $3 AND (created_at >= $2 OR state IN ('pending', 'leased')) GROUP BY receiver ORDER BY receiver`
)

// OutboxStats counts what waits and how each receiver has done; receivers that were told nothing for thirty days are left out. While the
// database is away it is what memory knows, and nothing of receivers.
func (s *Store) OutboxStats(ctx context.Context) (OutboxStats, error) {
	var stats OutboxStats
	now := s.cfg.Now()
	if s.away.is() {
		stats.Due, stats.Oldest = s.duties.waiting(now)
		return stats, nil
	}
	err := s.db.read.QueryRowContext(ctx, outboxDueSQL, stamp(now)).Scan(&stats.Due, instant{&stats.Oldest})
	if err != nil {
		return stats, fmt.Errorf("count what is due: %w", err)
	}
	since := []any{stamp(now.Add(-24 * time.Hour)), stamp(now.Add(-30 * 24 * time.Hour)), alerting.CanaryReceiver}
	err = each(ctx, s.db.read, receiversSQL, since, func(rows *sql.Rows) error {
		var r ReceiverStats
		err := rows.Scan(&r.Receiver, &r.Waiting, &r.Sent, &r.GivenUp, instant{&r.LastSent})
		stats.Receivers = append(stats.Receivers, r)
		return err
	})
	if err != nil {
		return stats, fmt.Errorf("count what receivers were told: %w", err)
	}
	return stats, nil
}
