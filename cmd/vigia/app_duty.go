package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"vigia/alerting"
	"vigia/alerting/outbox"
	"vigia/collectors"
	"vigia/store"
)

// duty is what only the active process does: measure, judge, store, tell. A standby has none.
type duty struct {
	services  *collectors.ServiceHealth
	usual     *collectors.Usual
	scheduler *collectors.Scheduler
	engine    *alerting.Engine
	outbox    *outbox.Outbox
	calls     *callMonitor // nil while the configuration names no source of reports
	canary    *canary
	began     time.Time
	lost      <-chan struct{} // closed when another process has become the active one
	release   func()          // gives the right back
}

// Times of a standby.
const (
	askEvery   = time.Second      // for the right
	askWithin  = 5 * time.Second  // one question
	loadWithin = 30 * time.Second // what is open, after the right was taken
)

// on is the duty of this process, or nil while it has none: on a standby, and from the moment on in which the right is lost.
func (a *app) on() *duty {
	d := a.duty.Load()
	if d == nil {
		return nil
	}
	select {
	case <-d.lost:
		return nil
	default:
		return d
	}
}

// takeDuty takes the right to be the active process and joins the parts that it needs. It starts none of them.
func (a *app) takeDuty(ctx context.Context) error {
	asking, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	release, err := a.store.Acquire(asking)
	if err != nil {
		return err
	}
	lost := a.store.Lost()
	loading, cancel := context.WithTimeout(ctx, loadWithin)
	defer cancel()
	snapshot, err := a.store.Load(loading)
	if err != nil {
		release()
		return fmt.Errorf("read what is open: %w", err)
	}
	a.changing.Lock()
	defer a.changing.Unlock()
	d, err := a.joinDuty(snapshot)
	if err != nil {
		release()
		return err
	}
	d.lost, d.release = lost, release
	a.duty.Store(d)
	a.noteLease(ctx)
	return nil
}

// joinDuty makes the parts and hands each what it needs. The caller holds changing.
func (a *app) joinDuty(snapshot alerting.Snapshot) (*duty, error) {
	l := a.live.Load()
	notifiers, err := l.config.Receivers(a.receiverParts())
	if err != nil {
		return nil, err
	}
	a.talk.set(notifiers)
	if !a.opened { // what was opened before has been closed: a standby needs no sockets
		again := *l
		if again.checks, err = l.config.Checks(); err != nil {
			return nil, err
		}
		l = &again
		a.live.Store(l)
	}
	a.opened = false // the scheduler closes them
	d := &duty{began: time.Now(), canary: newCanary(time.Now)}
	d.outbox = outbox.New(outbox.Config{Queue: a.store, Notifiers: d.canary.with(notifiers), Logger: a.logger})
	d.engine = alerting.NewEngine(alerting.EngineConfig{
		Journal: a.store, Commands: a.store, Snapshot: snapshot, Config: &l.engine, Now: time.Now, Sink: a.store, Logger: a.logger,
		Confirm:  func(c alerting.ConfirmRequest) { d.scheduler.Confirm(c.Check, c.Probes, c.Every) },
		OnChange: func(alerting.Change) { d.outbox.Wake() },
	})
	d.usual = collectors.NewUsual(collectors.Tee(a.store, d.engine))
	d.services = collectors.NewServiceHealth(d.usual, l.config.Inventory(), l.checks, time.Now)
	d.scheduler = collectors.NewScheduler(collectors.SchedulerConfig{Sink: d.services, Runs: a.runs, Now: time.Now, Logger: a.logger})
	d.scheduler.SetChecks(l.checks)
	d.calls = newCallMonitor(l.config, store.CallWriter{Store: a.store}, d.services, a.logger)
	return d, nil
}

// reload hands a new configuration to the parts.
func (d *duty) reload(l *live, notifiers map[string]alerting.Notifier) {
	d.outbox.SetNotifiers(d.canary.with(notifiers))
	d.services.Swap(l.config.Inventory(), l.checks)
	d.engine.Reload(&l.engine)
	if d.calls != nil {
		d.calls.reload(l.config)
	}
	d.scheduler.SetChecks(l.checks)
}

// takeTurns does the duty while this process has the right, and stands by in between, until ctx ends or a part fails.
func (a *app) takeTurns(ctx context.Context) error {
	for {
		d := a.duty.Load()
		if d == nil {
			d = a.standBy(ctx)
		}
		if d == nil {
			return nil
		}
		if err := a.work(ctx, d); !errors.Is(err, alerting.ErrDeposed) {
			return err
		}
		a.stepDown(ctx, d)
	}
}

// work runs the parts until ctx ends, one fails, or the right is lost: then all of them end at once, and the error is ErrDeposed. What a
// worker of the outbox is in the middle of may end.
func (a *app) work(ctx context.Context, d *duty) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		select {
		case <-d.lost:
			return alerting.ErrDeposed
		case <-ctx.Done():
			return nil
		}
	})
	g.Go(func() error { return d.engine.Run(ctx) })
	g.Go(func() error { return d.outbox.Run(ctx) })
	g.Go(func() error { return a.talk.Run(ctx) })
	g.Go(func() error { return d.services.Run(ctx) })
	g.Go(func() error { return d.scheduler.Run(ctx) })
	if d.calls != nil {
		g.Go(func() error { return d.calls.Run(ctx) })
	}
	g.Go(func() error { return a.reportSelf(ctx) })
	derived := &deriver{store: a.store, live: a.live.Load, usual: d.usual, put: d.services.Put, now: time.Now, logger: a.logger}
	g.Go(func() error { return derived.Run(ctx) })
	saves := a.newBackups(d)
	g.Go(func() error { return saves.Run(ctx) })
	beats := newHeartbeat(func() *HeartbeatSpec { return a.live.Load().config.Heartbeat }, a.alive, a.logger)
	g.Go(func() error { return beats.Run(ctx) })
	return g.Wait()
}

// stepDown makes this process a standby again.
func (a *app) stepDown(ctx context.Context, d *duty) {
	a.changing.Lock()
	a.duty.Store(nil)
	a.changing.Unlock()
	d.release()
	a.noteLease(ctx)
	a.logger.Warn("this process is no longer the active one and stands by", "active", a.lease.Load().Holder)
}

// standBy asks for the right every second until it has it; nil when ctx ended before.
func (a *app) standBy(ctx context.Context) *duty {
	tick := time.NewTicker(askEvery)
	defer tick.Stop()
	var said string
	for ctx.Err() == nil {
		err := a.takeDuty(ctx)
		if err == nil {
			a.logger.Info("this process is the active one now", "epoch", a.lease.Load().Epoch)
			return a.duty.Load()
		}
		if text := err.Error(); !errors.Is(err, store.ErrTaken) && text != said && ctx.Err() == nil {
			said = text
			a.logger.Error("a standby cannot become the active one; it asks again every second", "err", err)
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
	return nil
}

// watchLease keeps what the pages say about the right true.
func (a *app) watchLease(ctx context.Context) error {
	tick := time.NewTicker(askEvery)
	defer tick.Stop()
	for {
		a.noteLease(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// noteLease remembers who has the right, for the pages. What was known stays when the database does not answer.
func (a *app) noteLease(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	if lease, err := a.store.Lease(ctx); err == nil {
		a.lease.Store(&lease)
	}
}
