package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
)

// AlarmFilter chooses alarms. The zero value chooses the newest that were ever raised.
type AlarmFilter struct {
	Active     bool            // only those that stand now
	Refs       []inventory.Ref // of these objects; nil: of all
	Incident   int64           // of this incident
	Severities []alerting.Severity
	Since      time.Time // raised since, or standing still
	Limit      int       // default 1,000
}

// Alarms lists alarms that were raised, worst first among those that stand, newest first otherwise. Pending ones are not shown.
func (s *Store) Alarms(ctx context.Context, scope Scope, f AlarmFilter) ([]alerting.Alarm, error) {
	q := newQuery(`SELECT doc FROM alarms`)
	q.and("raised_at IS NOT NULL")
	q.sees(scope, "customer")
	if f.Active {
		q.and("state IN ('raised', 'clearing', 'stale')")
	}
	q.about(f.Refs, "")
	if f.Incident != 0 {
		q.and("incident_id = ?", f.Incident)
	}
	if len(f.Severities) > 0 {
		var ranks []any
		for _, severity := range f.Severities {
			ranks = append(ranks, int64(severity))
		}
		q.in("CASE WHEN state = 'clear' THEN worst ELSE severity END", ranks...)
	}
	if !f.Since.IsZero() {
		q.and("(raised_at >= ? OR state <> 'clear')", stamp(f.Since))
	}
	order := " ORDER BY raised_at DESC, id DESC LIMIT ?"
	if f.Active {
		order = " ORDER BY severity DESC, raised_at DESC, id DESC LIMIT ?"
	}
	q.add(order, limit(f.Limit, 1000))
	list, err := docs[alerting.Alarm](ctx, s.lives(ctx), q)
	if err != nil {
		return nil, fmt.Errorf("read alarms: %w", err)
	}
	return list, nil
}

// Span is a time during which an alarm stood at one severity.
type Span struct {
	AlarmID  int64
	Incident int64
	Series   collectors.Series
	Severity alerting.Severity
	Stale    bool // because there was no data
	From     time.Time
	To       time.Time // zero while it stands
}

// AlarmSpans lists when the alarms of an object stood, and how bad, from oldest to newest: the marks on its charts and its state bar.
// What ended before from or began at to or later is left out; nothing is cut.
func (s *Store) AlarmSpans(ctx context.Context, scope Scope, ref inventory.Ref, from, to time.Time) ([]Span, error) {
	q := newQuery(`SELECT a.id, a.incident_id, a.metric, a.instance, p.severity, p.state, p.since, p.until
		FROM alarms a JOIN alarm_spans p ON p.alarm_id = a.id`)
	q.about([]inventory.Ref{ref}, "a.")
	q.sees(scope, "a.customer")
	q.and("a.raised_at < ?", stamp(to))
	q.and("p.since < ?", stamp(to))
	q.and("(p.until IS NULL OR p.until >= ?)", stamp(from))
	q.add(" ORDER BY p.since, a.id LIMIT 5000")
	var list []Span
	err := each(ctx, s.lives(ctx), q.text.String(), q.args, func(rows *sql.Rows) error {
		span := Span{Series: collectors.Series{Ref: ref}}
		var state string
		err := rows.Scan(&span.AlarmID, &span.Incident, &span.Series.Metric, &span.Series.Instance, &span.Severity, &state,
			instant{&span.From}, instant{&span.To})
		span.Stale = state == "stale"
		list = append(list, span)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read alarm spans: %w", err)
	}
	return list, nil
}
