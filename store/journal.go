package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"vigia/alerting"
	"vigia/collectors"
)

const (
	fenceSQL = `SELECT epoch FROM lease WHERE epoch = $1`

	putAlarmSQL = `INSERT INTO alarms (id, metric, ref_kind, ref_name, instance, customer, state, severity, worst, incident_id, shadow,
			value, pending_at, raised_at, cleared_at, changed_at, doc)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9, $10, $11, $12, $13, $14, $15, $16)
		ON CONFLICT (id) DO UPDATE SET state = excluded.state, severity = excluded.severity,
			worst = CASE WHEN excluded.worst > alarms.worst THEN excluded.worst ELSE alarms.worst END,
			incident_id = excluded.incident_id, shadow = excluded.shadow, value = excluded.value, pending_at = excluded.pending_at,
			raised_at = excluded.raised_at, cleared_at = excluded.cleared_at, changed_at = excluded.changed_at, doc = excluded.doc`

	// A span ends when the alarm's severity or state becomes another, or it clears; a new one begins where none is open.
	endSpanSQL = `UPDATE alarm_spans SET until = $1 WHERE alarm_id = $2 AND until IS NULL AND (severity <> $3 OR state <> $4)`
	addSpanSQL = `INSERT INTO alarm_spans (alarm_id, since, severity, state)
		SELECT $1, $2, $3, $4 WHERE NOT EXISTS (SELECT 1 FROM alarm_spans WHERE alarm_id = $1 AND until IS NULL)
		ON CONFLICT (alarm_id, since) DO UPDATE SET severity = excluded.severity, state = excluded.state, until = NULL`

	putIncidentSQL = `INSERT INTO incidents (id, state, severity, worst, ref_kind, ref_name, customer, owner, opened_at, resolved_at,
			merged_into, next_at, doc)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
		ON CONFLICT (id) DO UPDATE SET state = excluded.state, severity = excluded.severity, worst = excluded.worst,
			ref_kind = excluded.ref_kind, ref_name = excluded.ref_name, customer = excluded.customer, owner = excluded.owner,
			resolved_at = excluded.resolved_at, merged_into = excluded.merged_into, next_at = excluded.next_at, doc = excluded.doc`

	putEventSQL      = `INSERT INTO events (id, incident_id, at, kind, actor, alarm_id, severity, doc) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`
	putEventAgainSQL = putEventSQL + ` ON CONFLICT (id) DO NOTHING`

	putNotificationSQL = `INSERT INTO notifications (key, incident_id, level, receiver, cause, round, severity, created_at, state, outdated,
			attempts, due_at, doc)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'pending', FALSE, 0, $9, $10) ON CONFLICT (key) DO NOTHING`

	// Of canaries the last one is enough.
	forgetCanariesSQL    = `DELETE FROM notifications WHERE receiver = $1 AND state <> 'pending' AND state <> 'leased'`
	forgetCanaryTriesSQL = `DELETE FROM deliveries WHERE key >= 'canary.' AND key < 'canary/' AND key NOT IN (SELECT key FROM notifications WHERE key >= 'canary.' AND key < 'canary/')`

	supersedeSQL = `UPDATE notifications SET outdated = TRUE,
			settled_at = CASE WHEN state = 'pending' THEN $1 ELSE settled_at END,
			state = CASE WHEN state = 'pending' THEN 'superseded' ELSE state END
		WHERE key = $2 AND state IN ('pending', 'leased')`
)

// repeat says whether a Change may be in the database already.
type repeat bool

const (
	changeOnce  repeat = false
	changeAgain repeat = true // it comes from the local journal: what is there already stays as it is
)

// Apply writes a whole Change in one transaction, durably, or nothing of it. It implements alerting.Journal. While the database is away the
// Change goes to the local journal; of one that the database refuses for good, what it refuses is set aside. ErrLost: this process is no
// longer the active one and must plan no more.
func (s *Store) Apply(ctx context.Context, c alerting.Change) error {
	if c.Empty() {
		return nil
	}
	c = finiteChange(c)
	list, err := changeStatements(c, changeOnce)
	if err != nil {
		return fmt.Errorf("apply the change: %w", err)
	}
	err = s.write(ctx, recordChange, func() any { return c }, func(ctx context.Context) error {
		err := s.fenced(ctx, list)
		if refusesData(err) {
			err = s.applyParts(ctx, c, changeOnce)
		}
		if errors.Is(err, ErrLost) {
			return err
		}
		return s.health.wrote(err)
	})
	if errors.Is(err, ErrLost) {
		return err
	}
	if err != nil {
		return fmt.Errorf("apply the change: %w", err)
	}
	s.duties.apply(&c)
	s.mirror.add(list)
	s.orders.answer(c.Commands)
	var last int64
	for i := range c.Events {
		last = max(last, c.Events[i].ID)
	}
	s.watch.tell(last)
	return nil
}

// fence makes sure, until the transaction is over, that this process is still the active one if it ever was.
func (s *Store) fence(ctx context.Context, t *transaction) error {
	return s.fenceAt(s.fenceEpoch())(ctx, t)
}

func changeStatements(c alerting.Change, again repeat) (statements, error) {
	var list statements
	for i := range c.Alarms {
		if err := addAlarm(&list, c.Alarms[i], c.At); err != nil {
			return nil, fmt.Errorf("alarm %d: %w", c.Alarms[i].ID, err)
		}
	}
	for i := range c.Incidents {
		if err := addIncident(&list, c.Incidents[i]); err != nil {
			return nil, fmt.Errorf("incident %d: %w", c.Incidents[i].ID, err)
		}
	}
	for i := range c.Events {
		if err := addEvent(&list, c.Events[i], again); err != nil {
			return nil, fmt.Errorf("event %d: %w", c.Events[i].ID, err)
		}
	}
	for i := range c.Notifications {
		if c.Notifications[i].Receiver == alerting.CanaryReceiver {
			list.add(forgetCanariesSQL, alerting.CanaryReceiver)
			list.add(forgetCanaryTriesSQL)
		}
		if err := addNotification(&list, c.Notifications[i]); err != nil {
			return nil, fmt.Errorf("notification %s: %w", c.Notifications[i].Key, err)
		}
	}
	for _, key := range c.Supersede {
		list.add(supersedeSQL, c.At, key)
	}
	for _, r := range c.Commands {
		reason, err := document(r.Reason)
		if err != nil {
			return nil, fmt.Errorf("command %s: %w", r.ID, err)
		}
		at := r.At
		if at.IsZero() {
			at = c.At
		}
		list.add(doneCommandSQL, at, r.OK, reason, r.Made, r.ID)
	}
	for i := range c.Mutes {
		if err := addMute(&list, c.Mutes[i]); err != nil {
			return nil, fmt.Errorf("mute %d: %w", c.Mutes[i].ID, err)
		}
	}
	return list, addOnCall(&list, c)
}

func addAlarm(list *statements, a alerting.Alarm, at time.Time) error {
	doc, err := document(a)
	if err != nil {
		return err
	}
	ref := a.Series.Ref
	list.add(putAlarmSQL, a.ID, string(a.Series.Metric), string(ref.Kind), ref.Name, a.Series.Instance, customerOf(ref), a.State.String(),
		int64(a.Severity), a.IncidentID, a.Shadow, a.Value, a.PendingAt, a.RaisedAt, a.ClearedAt, at, doc)
	if a.RaisedAt.IsZero() {
		return nil
	}
	state := "raised"
	if a.State == alerting.Stale {
		state = "stale"
	}
	if !a.State.Active() {
		list.add(endSpanSQL, at, a.ID, int64(-1), "")
		return nil
	}
	list.add(endSpanSQL, at, a.ID, int64(a.Severity), state)
	list.add(addSpanSQL, a.ID, at, int64(a.Severity), state)
	return nil
}

func addIncident(list *statements, i alerting.Incident) error {
	doc, err := document(i)
	if err != nil {
		return err
	}
	owner := ""
	if i.Ack != nil {
		owner = i.Ack.By
	}
	list.add(putIncidentSQL, i.ID, i.State.String(), int64(i.Severity), int64(i.Worst), string(i.Ref.Kind), i.Ref.Name, customerOf(i.Ref),
		owner, i.OpenedAt, i.ResolvedAt, i.MergedInto, i.Escalation.NextAt, doc)
	return nil
}

func addEvent(list *statements, e alerting.Event, again repeat) error {
	doc, err := document(e)
	if err != nil {
		return err
	}
	text := putEventSQL
	if again {
		text = putEventAgainSQL
	}
	list.add(text, e.ID, e.IncidentID, e.At, string(e.Kind), e.Actor, e.AlarmID, int64(e.Severity), doc)
	return nil
}

func addNotification(list *statements, n alerting.Notification) error {
	doc, err := document(n.Message)
	if err != nil {
		return err
	}
	due := n.NextAt
	if due.IsZero() {
		due = n.CreatedAt
	}
	list.add(putNotificationSQL, n.Key, n.IncidentID, int64(n.Level), n.Receiver, string(n.Cause), int64(n.Round), int64(n.Severity),
		n.CreatedAt, due, doc)
	return nil
}

// document is a value as the text of a doc column.
func document(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}

// finite is v, or 0 where JSON has no word for it: one odd figure must not keep an alarm from being stored.
func finite(v float64) float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return 0
	}
	return v
}

// finiteChange is a Change that JSON has words for.
func finiteChange(c alerting.Change) alerting.Change {
	c.Alarms, c.Incidents = slices.Clone(c.Alarms), slices.Clone(c.Incidents)
	c.Events, c.Notifications, c.Commands = slices.Clone(c.Events), slices.Clone(c.Notifications), slices.Clone(c.Commands)
	for i := range c.Alarms {
		c.Alarms[i].Value, c.Alarms[i].Reason = finite(c.Alarms[i].Value), finiteReason(c.Alarms[i].Reason)
	}
	for i := range c.Incidents {
		c.Incidents[i].Title = finiteReason(c.Incidents[i].Title)
	}
	for i := range c.Events {
		c.Events[i].Text = finiteReason(c.Events[i].Text)
	}
	for i := range c.Notifications {
		c.Notifications[i].Message = finiteMessage(c.Notifications[i].Message)
	}
	for i := range c.Commands {
		c.Commands[i].Reason = finiteReason(c.Commands[i].Reason)
	}
	return c
}

func finiteReason(r collectors.Reason) collectors.Reason {
	for i, arg := range r.Args {
		if v, ok := arg.(float64); ok && finite(v) != v {
			args := append([]any(nil), r.Args...)
			args[i] = "–"
			return finiteReason(collectors.Reason{Code: r.Code, Args: args})
		}
	}
	return r
}

func finiteMessage(m alerting.Message) alerting.Message {
	m.Value, m.Title, m.Reason = finite(m.Value), finiteReason(m.Title), finiteReason(m.Reason)
	if len(m.Digest) > 0 {
		digest := make([]alerting.Message, len(m.Digest))
		for i := range m.Digest {
			digest[i] = finiteMessage(m.Digest[i])
		}
		m.Digest = digest
	}
	return m
}
