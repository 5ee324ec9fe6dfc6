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
	"vigia/collectors"
	"vigia/store"
	"vigia/web"
)

// app is everything joined, in the order in which a packet travels: collectors → engine → store → outbox, with the pages looking on. The
// pages and the store are there always; the rest is the duty of the one active process.
type app struct {
	file    string
	kinds   Kinds
	words   collectors.Words
	logger  *slog.Logger
	started time.Time
	demo    func() []web.DemoMessage // what the demo's sinks received; nil outside the demo

	reloader *Reloader
	live     atomic.Pointer[live]
	store    *store.Store
	runs     *collectors.Runs
	talk     *talkback
	pages    *web.Server
	listener net.Listener

	changing sync.Mutex            // held while the configuration or the duty becomes another
	opened   bool                  // the collectors of live's checks are open and nobody's; guarded by changing
	duty     atomic.Pointer[duty]  // nil on a standby
	lease    atomic.Pointer[lease] // who is active, when it was last asked
}

// lease is who has the right to be the active process.
type lease = store.Lease

// live is what a reload replaces.
type live struct {
	loaded   time.Time
	config   *Config
	engine   alerting.Config
	checks   []collectors.Check
	policies map[string]alerting.Policy
}

// newApp reads the configuration, opens the store, takes the right to be the active process, and joins the parts. It starts nothing. Where
// another process has the right, it is refused on SQLite and becomes a standby on PostgreSQL.
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
		talk: newTalk(logger),
	}
	checks, err := cfg.Checks()
	if err != nil {
		return nil, err
	}
	a.live.Store(&live{loaded: time.Now(), config: cfg, engine: cfg.EngineConfig(), checks: checks, policies: cfg.Policies()})
	a.lease.Store(&lease{})
	a.opened = true
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
		CallRetention: cfg.Retention.Calls.Std(), IntervalsKept: cfg.Retention.Intervals.Std(), Numbers: cfg.numbers(), OnSettle: a.settled,
	})
	if err != nil {
		return err
	}
	if err := a.begin(ctx, cfg); err != nil {
		return err
	}
	a.pages, err = web.New(a.webConfig(cfg))
	return err
}

// begin takes the duty, or stands by where that is possible. What the configuration names is opened either way, so that a mistake shows at the
// start and not at the takeover.
func (a *app) begin(ctx context.Context, cfg *Config) error {
	err := a.takeDuty(ctx)
	if d := a.on(); err == nil && d != nil && d.calls != nil {
		return d.calls.Open()
	}
	busy := errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil // something of the process before is not over yet
	if !busy && !errors.Is(err, store.ErrTaken) || !a.store.MayStandBy() {
		return err
	}
	notifiers, err := cfg.Receivers(a.receiverParts())
	if err != nil {
		return err
	}
	a.talk.set(notifiers)
	a.noteLease(ctx)
	a.changing.Lock()
	defer a.changing.Unlock()
	closeChecks(a.live.Load().checks)
	a.opened = false
	return nil
}

// settled tells the engine what became of notifications.
func (a *app) settled(s []alerting.Settled) {
	if d := a.on(); d != nil {
		d.engine.Settled(s)
	}
}

// Run runs every part until ctx ends or one of them fails. What was measured and decided by then is stored. A process that loses the right
// to be the active one goes on as a standby, and its pages with it.
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
	g.Go(func() error { return a.takeTurns(ctx) })
	g.Go(func() error { return a.watchLease(ctx) })
	g.Go(func() error { return a.wakeOnCommands(ctx) })
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
	if d := a.duty.Swap(nil); d != nil {
		if d.calls != nil {
			d.calls.close()
		}
		d.release()
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
			if d := a.on(); d != nil {
				d.engine.CommandsPosted()
			}
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
	a.apply(&live{loaded: time.Now(), config: cfg, engine: cfg.EngineConfig(), checks: checks, policies: cfg.Policies()}, notifiers)
	a.logger.Info("configuration reloaded", "holds", cfg.Summary())
	a.putSelf()
}

// apply makes a configuration the one that runs. On a standby it was opened only to see that it can be.
func (a *app) apply(l *live, notifiers map[string]alerting.Notifier) {
	a.changing.Lock()
	defer a.changing.Unlock()
	a.live.Store(l)
	a.store.SetSampleRetention(l.config.Retention.Samples.Std())
	a.store.SetRollupRetention(l.config.Retention.Rollup1D.Std())
	a.store.SetCallRetention(l.config.Retention.Calls.Std(), l.config.Retention.Intervals.Std())
	a.store.SetNumbers(l.config.numbers())
	a.talk.set(notifiers)
	if d := a.duty.Load(); d != nil {
		d.reload(l, notifiers)
		return
	}
	closeChecks(l.checks)
}

// openParts opens what a configuration names. It connects to nothing.
func (a *app) openParts(cfg *Config) ([]collectors.Check, map[string]alerting.Notifier, error) {
	checks, err := cfg.Checks()
	if err != nil {
		return nil, nil, err
	}
	notifiers, err := cfg.Receivers(a.receiverParts())
	if err != nil {
		closeChecks(checks)
		return nil, nil, err
	}
	return checks, notifiers, nil
}
