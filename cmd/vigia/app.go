package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"vigia/alerting"
	"vigia/alerting/outbox"
	"vigia/collectors"
	"vigia/collectors/inventory"
	"vigia/store"
	"vigia/web"
)

// app is everything joined, in the order in which a packet travels: collectors → engine → store → outbox, with the pages looking on.
type app struct {
	file    string
	kinds   Kinds
	words   collectors.Words
	logger  *slog.Logger
	started time.Time
	demo    func() []web.DemoMessage // what the demo's sinks received; nil outside the demo

	reloader  *Reloader
	live      atomic.Pointer[live]
	store     *store.Store
	runs      *collectors.Runs
	services  *collectors.ServiceHealth
	scheduler *collectors.Scheduler
	engine    *alerting.Engine
	outbox    *outbox.Outbox
	pages     *web.Server
	listener  net.Listener
	release   func() // gives back the right to be the active one
}

// live is what a reload replaces.
type live struct {
	loaded   time.Time
	config   *Config
	engine   alerting.Config
	checks   []collectors.Check
	policies map[string]alerting.Policy
}

// newApp reads the configuration, opens the store, takes the right to be the active process, and joins the parts. It starts nothing.
func newApp(ctx context.Context, file string, k Kinds, logger *slog.Logger, demo func() []web.DemoMessage) (*app, error) {
	cfg, notices, err := Load(file, k)
	if err != nil {
		return nil, err
	}
	for _, n := range notices {
		logger.Warn(n.String())
	}
	a := &app{
		file: file, kinds: k, words: words(k), logger: logger, started: time.Now(),
		demo: demo, reloader: NewReloader(cfg, notices, k, time.Now), runs: collectors.NewRuns(0, 0),
	}
	checks, err := cfg.Checks()
	if err != nil {
		return nil, err
	}
	a.live.Store(&live{loaded: time.Now(), config: cfg, engine: cfg.EngineConfig(), checks: checks, policies: cfg.Policies()})
	if err := a.open(ctx, cfg); err != nil {
		closeChecks(checks)
		a.close()
		return nil, err
	}
	return a, nil
}

// open opens what can be refused from outside: the address, the store, the right to run.
func (a *app) open(ctx context.Context, cfg *Config) error {
	var err error
	if a.listener, err = net.Listen("tcp", cfg.Listen); err != nil {
		return fmt.Errorf("listen on %s: %w (is another program there? give a free address with listen:, or with --listen for the demo)", cfg.Listen, err)
	}
	a.store, err = store.Open(ctx, store.Config{
		DSN: cfg.Store.Reveal(), Journal: cfg.JournalFile(), Logger: a.logger, SampleRetention: cfg.Retention.Samples.Std(), RollupRetention: cfg.Retention.Rollup1D.Std(),
		OnSettle: func(s []alerting.Settled) { a.engine.Settled(s) },
	})
	if err != nil {
		return err
	}
	if a.release, err = a.store.Acquire(ctx); err != nil {
		return err
	}
	snapshot, err := a.store.Load(ctx)
	if err != nil {
		return fmt.Errorf("read what is open: %w", err)
	}
	return a.join(cfg, snapshot)
}

// join makes the parts and hands each what it needs.
func (a *app) join(cfg *Config, snapshot alerting.Snapshot) error {
	notifiers, err := cfg.Receivers(ReceiverParts{Words: a.words, Logger: a.logger})
	if err != nil {
		return err
	}
	a.outbox = outbox.New(outbox.Config{Queue: a.store, Notifiers: notifiers, Logger: a.logger})
	l := a.live.Load()
	a.engine = alerting.NewEngine(alerting.EngineConfig{
		Journal: a.store, Commands: a.store, Snapshot: snapshot, Config: &l.engine, Now: time.Now, Sink: a.store, Logger: a.logger,
		Confirm:  func(c alerting.ConfirmRequest) { a.scheduler.Confirm(c.Check, c.Probes, c.Every) },
		OnChange: func(alerting.Change) { a.outbox.Wake() },
	})
	a.services = collectors.NewServiceHealth(collectors.Tee(a.store, a.engine), cfg.Inventory(), l.checks, time.Now)
	a.scheduler = collectors.NewScheduler(collectors.SchedulerConfig{Sink: a.services, Runs: a.runs, Now: time.Now, Logger: a.logger})
	a.scheduler.SetChecks(l.checks)
	a.pages, err = web.New(a.webConfig(cfg))
	return err
}

// Run runs every part until ctx ends or one of them fails. What was measured and decided by then is stored.
func (a *app) Run(ctx context.Context) error {
	defer a.close()
	server := &http.Server{Handler: a.pages.Handler(), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10}
	server.RegisterOnShutdown(a.pages.Close) // open streams end with us
	// The store outlives the rest by its last flush: what the others put until they ended is written.
	keep, stopStore := context.WithCancel(context.WithoutCancel(ctx))
	defer stopStore()
	var stored sync.WaitGroup
	var storeErr error
	stored.Go(func() { storeErr = a.store.Run(keep) })
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return a.engine.Run(ctx) })
	g.Go(func() error { return a.outbox.Run(ctx) })
	g.Go(func() error { return a.services.Run(ctx) })
	g.Go(func() error { return a.scheduler.Run(ctx) })
	g.Go(func() error { return a.wakeOnCommands(ctx) })
	g.Go(func() error { return a.reportSelf(ctx) })
	saves := a.newBackups()
	g.Go(func() error { return saves.Run(ctx) })
	beats := newHeartbeat(func() *HeartbeatSpec { return a.live.Load().config.Heartbeat }, a.alive, a.logger)
	g.Go(func() error { return beats.Run(ctx) })
	g.Go(func() error { return serve(ctx, server, a.listener) })
	err := g.Wait()
	stopStore()
	stored.Wait()
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	return errors.Join(err, storeErr)
}

// serve answers until ctx ends, and gives what is under way a moment.
func serve(ctx context.Context, server *http.Server, listener net.Listener) error {
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	select {
	case err := <-done:
		return fmt.Errorf("serve pages: %w", err)
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	if err := server.Shutdown(last); err != nil {
		return server.Close()
	}
	return nil
}

// close gives back what open took. It may be called twice.
func (a *app) close() {
	if a.listener != nil {
		a.listener.Close()
	}
	if a.release != nil {
		a.release()
		a.release = nil
	}
	if a.store != nil {
		if err := a.store.Close(); err != nil {
			a.logger.Error("close the store", "err", err)
		}
		a.store = nil
	}
}

// wakeOnCommands lets the engine look at once when a page in this process posted a command.
func (a *app) wakeOnCommands(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-a.store.CommandsPosted():
			a.engine.CommandsPosted()
		}
	}
}

// Reload reads the file again. A bad one changes nothing and is remembered, so that it is shown and raises an alarm.
func (a *app) Reload() {
	var checks []collectors.Check
	var notifiers map[string]alerting.Notifier
	cfg, err := a.reloader.Reload(func(fresh *Config) (err error) {
		checks, notifiers, err = a.openParts(fresh)
		return err
	})
	if err != nil {
		a.logger.Error("the new configuration is refused; the old one runs on", "err", err)
		a.putSelf()
		return
	}
	for _, n := range a.reloader.Notices() {
		a.logger.Warn(n.String())
	}
	l := &live{loaded: time.Now(), config: cfg, engine: cfg.EngineConfig(), checks: checks, policies: cfg.Policies()}
	a.live.Store(l)
	a.store.SetSampleRetention(cfg.Retention.Samples.Std())
	a.store.SetRollupRetention(cfg.Retention.Rollup1D.Std())
	a.outbox.SetNotifiers(notifiers)
	a.services.Swap(cfg.Inventory(), checks)
	a.engine.Reload(&l.engine)
	a.scheduler.SetChecks(checks)
	a.logger.Info("configuration reloaded", "holds", cfg.Summary())
	a.putSelf()
}

// openParts opens what a configuration names. It connects to nothing.
func (a *app) openParts(cfg *Config) ([]collectors.Check, map[string]alerting.Notifier, error) {
	checks, err := cfg.Checks()
	if err != nil {
		return nil, nil, err
	}
	notifiers, err := cfg.Receivers(ReceiverParts{Words: a.words, Logger: a.logger})
	if err != nil {
		closeChecks(checks)
		return nil, nil, err
	}
	return checks, notifiers, nil
}

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

// putSelf makes samples of what only the joints know.
func (a *app) putSelf() {
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
	a.services.Put(samples)
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

// alive reports why Vigía cannot be trusted to tell people, or nil.
func (a *app) alive() error {
	now := time.Now()
	s := a.engine.Stats()
	switch {
	case now.Sub(a.started) < stuckAfter:
	case !s.FailingSince.IsZero() && now.Sub(s.FailingSince) > stuckAfter:
		return fmt.Errorf("the store has refused changes since %s: %s", s.FailingSince.Format(time.TimeOnly), s.Failure)
	case now.Sub(s.LastPlan) > stuckAfter:
		return errors.New("the engine's loop does not turn")
	}
	if lag, ok := a.outboxLag(now); ok && lag > unsentAfter {
		return fmt.Errorf("a notification has waited for %s", lag.Round(time.Second))
	}
	return nil
}

// ready reports why the store does not take writes, or nil.
func (a *app) ready() error {
	s := a.store.Stats()
	if !s.Up {
		return fmt.Errorf("the store has been away since %s", s.DownSince.UTC().Format(time.RFC3339))
	}
	return nil
}
