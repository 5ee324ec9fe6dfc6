package store

import (
	"context"
	"fmt"
	"time"

	"vigia/alerting"
)

const (
	putOverrideSQL = `INSERT INTO oncall_overrides (id, rotation, begins_at, ends_at, cancelled_at, doc) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (id) DO UPDATE SET rotation = excluded.rotation, begins_at = excluded.begins_at, ends_at = excluded.ends_at,
			cancelled_at = excluded.cancelled_at, doc = excluded.doc`
	putHandoverSQL = `INSERT INTO handover_notes (id, rotation, at, doc) VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO NOTHING`

	overridesSQL     = `SELECT doc FROM oncall_overrides`
	overridesOrder   = ` ORDER BY begins_at, id LIMIT ?`
	mostOverrides    = 10_000
	overrideRemember = 24 * time.Hour // how long the engine knows one that has ended
)

// addOnCall adds what a Change says of who is on call.
func addOnCall(list *statements, c alerting.Change) error {
	for _, o := range c.Overrides {
		doc, err := document(o)
		if err != nil {
			return fmt.Errorf("override %s: %w", o.ID, err)
		}
		list.add(putOverrideSQL, o.ID, o.Rotation, o.From, o.To, o.CancelledAt, doc)
	}
	for _, n := range c.Handovers {
		doc, err := document(n)
		if err != nil {
			return fmt.Errorf("hand-over note %s: %w", n.ID, err)
		}
		list.add(putHandoverSQL, n.ID, n.Rotation, n.At, doc)
	}
	return nil
}

// onCallParts are the rows about who is on call, each as a Change of its own.
func onCallParts(c alerting.Change) (ones []alerting.Change) {
	for i := range c.Overrides {
		ones = append(ones, alerting.Change{Overrides: c.Overrides[i : i+1]})
	}
	for i := range c.Handovers {
		ones = append(ones, alerting.Change{Handovers: c.Handovers[i : i+1]})
	}
	return ones
}

// OnCallOverrides lists the overrides that hold and end after an instant, by when they begin.
func (s *Store) OnCallOverrides(ctx context.Context, after time.Time) ([]alerting.Override, error) {
	list, err := overrides(ctx, s.lives(ctx), after)
	if err != nil {
		return nil, fmt.Errorf("read the overrides: %w", err)
	}
	return list, nil
}

func overrides(ctx context.Context, from querier, after time.Time) ([]alerting.Override, error) {
	q := newQuery(overridesSQL)
	q.and("cancelled_at IS NULL AND ends_at > ?", stamp(after))
	q.add(overridesOrder, int64(mostOverrides))
	return docs[alerting.Override](ctx, from, q)
}

// HandoverNotes lists the newest notes of a rotation, or with "" of all, newest first.
func (s *Store) HandoverNotes(ctx context.Context, rotation string, limit int) ([]alerting.HandoverNote, error) {
	q := newQuery(`SELECT doc FROM handover_notes`)
	if rotation != "" {
		q.and("rotation = ?", rotation)
	}
	q.add(" ORDER BY at DESC, id LIMIT ?", int64(limit))
	list, err := docs[alerting.HandoverNote](ctx, s.lives(ctx), q)
	if err != nil {
		return nil, fmt.Errorf("read the notes for the hand-over: %w", err)
	}
	return list, nil
}
