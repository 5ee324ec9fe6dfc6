package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
	"vigia/web"
)

// selfEvery is how often Vigía's own state becomes samples.
const selfEvery = 10 * time.Second

func (a *app) reportSelf(ctx context.Context) error {
	tick := time.NewTicker(selfEvery)
	defer tick.Stop()
	for {
		a.putSelf()
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// putSelf makes samples of what only the joints know. A standby makes none: it would say them of the active process.
func (a *app) putSelf() {
	d := a.on()
	if d == nil {
		return
	}
	now := time.Now().UTC()
	refused, why := 0.0, collectors.Because("app.config_fine")
	if _, err := a.reloader.Refused(); err != nil {
		refused, why = 1, collectors.Because("app.config_refused", firstLine(err))
	}
	own := func(m collectors.Metric, v float64, why collectors.Reason) collectors.Sample {
		return collectors.Sample{Series: collectors.Series{Metric: m, Ref: inventory.Self}, At: now, Value: v, Reason: why, Every: selfEvery}
	}
	samples := append(storeSamples(a.store.Stats(), now, own), own(collectors.VigiaConfigRefused, refused, why))
	if lag, ok := a.outboxLag(now); ok {
		samples = append(samples, own(collectors.VigiaOutboxLagS, lag.Seconds(), collectors.Reason{}))
	}
	if d.calls != nil {
		samples = append(samples, d.calls.samples(own)...)
	}
	if d.canary.due(now) {
		samples = append(samples, d.canary.sample(now, own))
	}
	d.services.Put(samples)
}

// outboxLag is how long the oldest notification that is due has waited; false when the store cannot say.
func (a *app) outboxLag(now time.Time) (time.Duration, bool) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	stats, err := a.store.OutboxStats(ctx)
	if err != nil || stats.Due == 0 {
		return 0, err == nil
	}
	return max(now.Sub(stats.Oldest), 0), true
}

// Limits beyond which Vigía no longer says that it is alive.
const (
	stuckAfter  = 30 * time.Second
	unsentAfter = 10 * time.Minute
)

// alive reports why Vigía cannot be trusted to tell people, or nil. A standby is not who tells them.
func (a *app) alive() error {
	d := a.on()
	if d == nil {
		return nil
	}
	now := time.Now()
	s := d.engine.Stats()
	switch {
	case now.Sub(d.began) < stuckAfter:
	case !s.FailingSince.IsZero() && now.Sub(s.FailingSince) > stuckAfter:
		return fmt.Errorf("the store has refused changes since %s: %s", s.FailingSince.Format(time.TimeOnly), s.Failure)
	case now.Sub(s.LastPlan) > stuckAfter:
		return errors.New("the engine's loop does not turn")
	}
	if err := d.canary.late(now); err != nil {
		return err
	}
	if lag, ok := a.outboxLag(now); ok && lag > unsentAfter {
		return fmt.Errorf("a notification has waited for %s", lag.Round(time.Second))
	}
	return nil
}

// ready reports why the store does not take writes, on a standby why it cannot be read, or nil.
func (a *app) ready() error {
	s := a.store.Stats()
	if !s.Up {
		return fmt.Errorf("the store has been away since %s", s.DownSince.UTC().Format(time.RFC3339))
	}
	return nil
}

// state is what every page says about this process.
func (a *app) state() web.State {
	l := a.lease.Load()
	s := web.State{Active: a.on() != nil, Holder: l.Holder, Held: l.Held, Epoch: l.Epoch}
	s.StoreDownSince, s.StoreError, s.Journaled = a.store.Away()
	return s
}

// engineStats is what the engine says; nothing on a standby.
func (a *app) engineStats() alerting.EngineStats {
	if d := a.on(); d != nil {
		return d.engine.Stats()
	}
	return alerting.EngineStats{}
}

// schedulerStats is what the scheduler says; nothing on a standby.
func (a *app) schedulerStats() collectors.SchedulerStats {
	if d := a.on(); d != nil {
		return d.scheduler.Stats()
	}
	return collectors.SchedulerStats{}
}

// checkStats is how one check does; false on a standby, which runs none.
func (a *app) checkStats(id collectors.CheckID) (collectors.CheckStats, bool) {
	if d := a.on(); d != nil {
		return d.scheduler.Check(id)
	}
	return collectors.CheckStats{}, false
}

// checkNow runs every check of an object at once; false when it has none, or this process runs none.
func (a *app) checkNow(ref inventory.Ref) bool {
	d := a.on()
	return d != nil && d.scheduler.CheckNowOf(ref) > 0
}
