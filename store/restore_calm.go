package store

import (
	"context"
	"fmt"
	"time"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
)

// Restorer is who has the incidents that were open in a backup, and who answers the commands that waited in it.
const Restorer = "vigia restore"

const (
	codeRestored        = "store.restored"
	codeRestoredHeld    = "store.restored_held"
	codeRestoredOwned   = "store.restored_owned"
	codeRestoredUntold  = "store.restored_untold"
	codeRestoredCommand = "store.restored_command"
)

// RestoreWords are what a restore writes into timelines.
var RestoreWords = collectors.Words{
	codeRestored:        {EN: "Vigía was restored from the backup of {0}", ES: "Vigía se restauró de la copia del {0}"},
	codeRestoredHeld:    {EN: "Restored from the backup of {0}: nobody is told of it again, a person has to look", ES: "Restaurado de la copia del {0}: no se avisa de nuevo a nadie, una persona tiene que revisarlo"},
	codeRestoredOwned:   {EN: "Restored from the backup of {0}: {1} had it, and has it until it is over", ES: "Restaurado de la copia del {0}: {1} lo tenía, y lo tiene hasta que termine"},
	codeRestoredUntold:  {EN: "{0} could not be told before the backup of {1}; the fallback is not told now", ES: "No se pudo avisar a {0} antes de la copia del {1}; ahora no se avisa al suplente"},
	codeRestoredCommand: {EN: "it waited in the backup of {0} and was not carried out: decide again", ES: "esperaba en la copia del {0} y no se llevó a cabo: decida de nuevo"},
}

// Calmed is what a restore kept from being told again.
type Calmed struct {
	Incidents     int // that were open: acknowledged until they are over
	Notifications int // that were not sent yet: superseded
	Commands      int // that were not carried out yet: refused
	Alarms        int // that were about to be raised: forgotten
}

// calm makes sure that nobody is told because of the restore: what was open stays open and is acknowledged by the restore, what was still
// to be sent or carried out is not. What gets worse, or is new, is told as always.
func (t *transaction) calm(ctx context.Context, backup, now time.Time) (Calmed, error) {
	c := &calming{
		since: now.Sub(backup), now: now, change: alerting.Change{At: now},
		stamp: backup.UTC().Format("2006-01-02 15:04") + " UTC",
	}
	for _, step := range []func(context.Context, *transaction) error{c.ids, c.incidents, c.alarms, c.unheard, c.notifications, c.commands} {
		if err := step(ctx, t); err != nil {
			return c.done, err
		}
	}
	list, err := changeStatements(c.change, changeOnce)
	if err != nil {
		return c.done, err
	}
	return c.done, t.run(ctx, append(list, c.more...))
}

// calming gathers what is to be written.
type calming struct {
	since  time.Duration // from the backup to now
	now    time.Time
	stamp  string // the backup's time, for people
	change alerting.Change
	more   statements
	event  int64 // the next event's id
	done   Calmed
}

// idsLost is how many ids are passed over for each second since the backup: what the lost time may have used. An incident's id is part of its
// notifications' keys, by which receivers drop what they have had already.
const idsLost = 1

func (c *calming) skip() int64 { return 100 + idsLost*int64(max(c.since, 0)/time.Second) }

// ids begins behind whatever the time between the backup and now may have used, with an incident of its own that says what happened.
func (c *calming) ids(ctx context.Context, t *transaction) error {
	var alarm, incident, mute, command int64
	if err := t.tx.QueryRowContext(ctx, loadNextSQL).Scan(&alarm, &incident, &c.event, &mute, &command); err != nil {
		return err
	}
	incident += c.skip()
	c.event += 10 * c.skip()
	title := collectors.Because(codeRestored, c.stamp)
	c.change.Incidents = append(c.change.Incidents, alerting.Incident{
		ID: incident, State: alerting.Resolved, Severity: alerting.Warning, Worst: alerting.Warning, Ref: inventory.Self,
		Series: collectors.Series{Metric: collectors.VigiaUnsent, Ref: inventory.Self}, Title: title, OpenedAt: c.now, ResolvedAt: c.now,
	})
	c.say(alerting.Event{IncidentID: incident, Kind: alerting.EventComment, Actor: Restorer, Severity: alerting.Warning, Text: title})
	return nil
}

func (c *calming) say(e alerting.Event) {
	e.ID, e.At = c.event, c.now
	c.event++
	c.change.Events = append(c.change.Events, e)
}

// incidents acknowledges what was open, until it is over. Who was told of it is not told that it is over: they may have heard.
func (c *calming) incidents(ctx context.Context, t *transaction) error {
	list, err := docs[alerting.Incident](ctx, t.tx, newQuery(loadIncidentsSQL))
	if err != nil {
		return err
	}
	for _, i := range list {
		e := alerting.Event{IncidentID: i.ID, Kind: alerting.EventAcknowledged, Actor: Restorer, Severity: i.Severity, Text: collectors.Because(codeRestoredHeld, c.stamp)}
		if i.Ack == nil {
			i.Ack = &alerting.Acknowledgement{By: Restorer, At: c.now}
		} else {
			e.Text = collectors.Because(codeRestoredOwned, c.stamp, i.Ack.By)
		}
		ack := *i.Ack
		ack.Until, ack.Severity = time.Time{}, i.Severity
		i.State, i.Ack, i.Told = alerting.Acknowledged, &ack, nil
		i.Escalation.NextAt, i.Escalation.Repeat, i.Escalation.Hushed = time.Time{}, nil, false
		i.Escalation.Round += 10 + int(max(c.since, 0)/time.Minute) // beyond what the lost time may have used, as the ids
		c.say(e)
		c.change.Incidents = append(c.change.Incidents, i)
		c.done.Incidents++
	}
	return nil
}

// alarms forgets what was about to be raised, and every timer that ran: a level must hold anew. What stood in the shadow of a parent is a
// plain member of the parent's incident from now on, so that it does not open one of its own when the parent comes back.
func (c *calming) alarms(ctx context.Context, t *transaction) error {
	list, err := docs[alerting.Alarm](ctx, t.tx, newQuery(loadAlarmsSQL))
	if err != nil {
		return err
	}
	for _, a := range list {
		if a.State == alerting.Pending {
			a.State, a.ClearedAt = alerting.Clear, c.now
			c.done.Alarms++
		}
		a.Holds, a.Shadow, a.FreeAt, a.WaitAt = nil, false, time.Time{}, time.Time{}
		c.change.Alarms = append(c.change.Alarms, a)
	}
	return nil
}

// unheard notes what was given up and not known to the engine yet, so that it does not tell the fallback.
func (c *calming) unheard(ctx context.Context, t *transaction) error {
	list, err := unheard(ctx, t.tx)
	if err != nil {
		return err
	}
	for _, s := range list {
		var incident int64
		var receiver string
		if err := t.tx.QueryRowContext(ctx, `SELECT incident_id, receiver FROM notifications WHERE key = $1`, s.Key).Scan(&incident, &receiver); err != nil {
			return fmt.Errorf("notification %s: %w", s.Key, err)
		}
		c.say(alerting.Event{
			IncidentID: incident, Kind: alerting.EventGivenUp, About: s.Key, Text: collectors.Because(codeRestoredUntold, receiver, c.stamp),
		})
	}
	return nil
}

const (
	calmNotificationsSQL = `UPDATE notifications SET state = 'superseded', outdated = TRUE, settled_at = $1 WHERE state IN ('pending', 'leased')`
	calmReasonsSQL       = `INSERT INTO deliveries (key, attempt, at, took_us, ok, outcome)
		SELECT key, attempts, $1, 0, FALSE, $2 FROM notifications WHERE state IN ('pending', 'leased') ORDER BY created_at, key`
	calmCommandsSQL = `UPDATE commands SET done_at = $1, ok = FALSE, reason = $2 WHERE done_at IS NULL`
)

// notifications settles what was not sent yet, and says why in the list of attempts.
func (c *calming) notifications(ctx context.Context, t *transaction) error {
	err := one(ctx, t.tx, &c.done.Notifications, `SELECT COUNT(*) FROM notifications WHERE state IN ('pending', 'leased')`)
	c.more.add(calmReasonsSQL, c.now, "not sent: restored from the backup of "+c.stamp)
	c.more.add(calmNotificationsSQL, c.now)
	return err
}

// commands refuses what was not carried out yet.
func (c *calming) commands(ctx context.Context, t *transaction) error {
	reason, err := document(collectors.Because(codeRestoredCommand, c.stamp))
	if err != nil {
		return err
	}
	c.more.add(calmCommandsSQL, c.now, reason)
	return one(ctx, t.tx, &c.done.Commands, `SELECT COUNT(*) FROM commands WHERE done_at IS NULL`)
}
