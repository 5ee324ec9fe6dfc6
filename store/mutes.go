package store

import (
	"context"
	"fmt"
	"time"

	"vigia/alerting"
)

const (
	putMuteSQL = `INSERT INTO mutes (id, kind, starts_at, ends_at, cancelled_at, doc) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, starts_at = excluded.starts_at, ends_at = excluded.ends_at,
			cancelled_at = excluded.cancelled_at, doc = excluded.doc`

	// Those that are over are found out by the engine, whose clock counts.
	loadMutesSQL = `SELECT doc FROM mutes WHERE cancelled_at IS NULL ORDER BY id`
)

func addMute(list *statements, m alerting.Mute) error {
	doc, err := document(m)
	if err != nil {
		return err
	}
	ends := m.Until
	if m.Recur != nil && !ends.IsZero() {
		ends = ends.Add(m.Recur.For)
	}
	list.add(putMuteSQL, m.ID, string(m.Kind), m.From, ends, m.CancelledAt, doc)
	return nil
}

// MuteFilter chooses silences and maintenance. The zero value chooses all, the newest first.
type MuteFilter struct {
	ID       int64
	Kind     alerting.MuteKind
	Since    time.Time // not over before: for availability, and for what is on or will be
	Until    time.Time // beginning before
	Standing bool      // not cancelled
	Limit    int       // default 500
}

// Mutes lists silences and maintenance. They name objects and people of the operator, so that only a scope that sees everything reads them;
// another gets none.
func (s *Store) Mutes(ctx context.Context, scope Scope, f MuteFilter) ([]alerting.Mute, error) {
	if !scope.all {
		return nil, nil
	}
	q := newQuery(`SELECT doc FROM mutes`)
	if f.ID != 0 {
		q.and("id = ?", f.ID)
	}
	if f.Kind != "" {
		q.and("kind = ?", string(f.Kind))
	}
	if !f.Since.IsZero() {
		q.and("(ends_at IS NULL OR ends_at > ?)", stamp(f.Since))
	}
	if !f.Until.IsZero() {
		q.and("starts_at < ?", stamp(f.Until))
	}
	if f.Standing {
		q.and("cancelled_at IS NULL")
	}
	q.add(" ORDER BY id DESC LIMIT ?", limit(f.Limit, 500))
	list, err := docs[alerting.Mute](ctx, s.lives(ctx), q)
	if err != nil {
		return nil, fmt.Errorf("read silences and maintenance: %w", err)
	}
	return list, nil
}
