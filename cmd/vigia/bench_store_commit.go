package main

import (
	"context"
	"errors"
	"time"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
)

// rollOver measures small durable changes, one after the other without a pause: alone, and while an hour of all series becomes chunks.
func (b *storeBench) rollOver(ctx context.Context, from time.Time) error {
	hour := from.Truncate(time.Hour).Add(time.Hour)
	if err := b.pass(ctx, hour.Add(-b.cmd.Flush), true); err != nil { // the hour before it is chunks by now
		return err
	}
	calm, err := b.commits(ctx, 1, func() error { return nil }, 500)
	if err != nil {
		return err
	}
	b.set(hour.Add(6 * time.Minute))
	meanwhile, err := b.commits(ctx, 1_000_000, func() error { return b.store.Compact(ctx) }, 1)
	if err != nil {
		return err
	}
	f := &b.figures
	f.Calm, f.RollOver, f.Commits = delaysOf(calm), delaysOf(meanwhile), len(meanwhile)
	used, err := cpuUsed()
	f.Total = used.Seconds()
	return err
}

// commits applies changes as long as work takes, and least of them, and says how many milliseconds each took.
func (b *storeBench) commits(ctx context.Context, id int64, work func() error, least int) ([]float64, error) {
	done := make(chan error, 1)
	go func() { done <- work() }()
	var took []float64
	for {
		start := time.Now()
		if err := b.store.Apply(ctx, benchOutage(id, b.clock())); err != nil {
			return took, errors.Join(err, <-done)
		}
		took = append(took, time.Since(start).Seconds()*1000)
		id++
		if len(took) < least {
			continue
		}
		select {
		case err := <-done:
			return took, err
		default:
		}
	}
}

// benchOutage is a change that opens one incident of one alarm and tells one receiver: the ids are n.
func benchOutage(n int64, at time.Time) alerting.Change {
	ref := inventory.Ref{Kind: inventory.KindLink, Name: "bench"}
	series := collectors.Series{Metric: collectors.LossPct, Ref: ref, Instance: "ping"}
	why, severity := collectors.Because("ping.loss", 11.2), alerting.Major
	key := alerting.NotificationKey(n, 1, "noc", alerting.CauseOpened, 1)
	return alerting.Change{
		At: at,
		Alarms: []alerting.Alarm{{
			ID: n, Series: series, State: alerting.Raised, Severity: severity, Value: 11.2, ValueAt: at, Reason: why,
			Tier: alerting.Tier{Severity: severity, Raise: 10, Clear: 5}, PendingAt: at, RaisedAt: at, IncidentID: n, Policy: "noc",
		}},
		Incidents: []alerting.Incident{{
			ID: n, Severity: severity, Worst: severity, Ref: ref, Root: n, Series: series, Title: why, OpenedAt: at,
			Policy: alerting.Policy{Name: "noc", Levels: []alerting.Level{{Name: "L1", Notify: []string{"noc"}}}}, Told: []string{"noc"},
		}},
		Events: []alerting.Event{{ID: n, IncidentID: n, At: at, Kind: alerting.EventOpened, AlarmID: n, Severity: severity, Text: why}},
		Notifications: []alerting.Notification{{
			Key: key, IncidentID: n, Level: 1, Receiver: "noc", Cause: alerting.CauseOpened, Round: 1, Severity: severity, CreatedAt: at,
			Message: alerting.Message{Key: key, Cause: alerting.CauseOpened, Incident: n, Severity: severity, Ref: ref, Value: 11.2, At: at, OpenedAt: at},
			State:   alerting.NotificationPending, NextAt: at,
		}},
	}
}
