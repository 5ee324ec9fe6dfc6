package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"vigia/collectors"
	"vigia/collectors/capture"
	"vigia/collectors/hep"
	"vigia/collectors/rtcp"
	"vigia/collectors/voice"
	"vigia/collectors/vqrtcpxr"
)

const (
	tickCalls      = time.Second      // how often the tracker looks for what is over
	openCallsAgain = 10 * time.Second // after sources could not be opened, or one of them broke
	lossWindow     = 10 * time.Second // over which the share of lost packets is taken
)

// callMonitor receives reports about calls and makes calls of them. Only the active process has one.
//
// Sources that cannot be opened, or break, are an alarm of their own and are opened again; the rest of the duty goes on. Only at the start of
// the program is it an error: whoever started it is looking.
type callMonitor struct {
	sources *callSources
	tracker *voice.Tracker
	logger  *slog.Logger

	mu      sync.Mutex // guards what follows
	open    receivers
	trouble error   // why nothing is received now; nil while it is
	taken   uint64  // packets at the last look of measureLoss, and
	dropped uint64  // those that the kernel had dropped
	lossPct float64 // what it dropped in the last window
}

// receivers are the listeners that are open; nil where none is configured.
type receivers struct {
	rtcp    *rtcp.Listener
	hep     *hep.Listener
	phones  *vqrtcpxr.Listener
	capture *capture.Live
}

// newCallMonitor makes the monitor of a configuration, or nil when it names no source. It opens nothing.
func newCallMonitor(cfg *Config, out voice.Output, sink collectors.Sink, logger *slog.Logger) *callMonitor {
	sources := cfg.sources()
	if sources == nil {
		return nil
	}
	return &callMonitor{
		sources: sources, logger: logger,
		tracker: voice.New(voice.Config{Buffer: cfg.assumedBuffer(), Rules: cfg.callRules()}, out, sink),
	}
}

// reload takes what can change while it runs.
func (m *callMonitor) reload(cfg *Config) {
	m.tracker.SetRules(cfg.callRules())
	m.tracker.SetBuffer(cfg.assumedBuffer())
}

// Open opens every source, or none.
func (m *callMonitor) Open() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	var r receivers
	err := r.openAll(m.sources, m.tracker, m.logger)
	if err != nil {
		r.close()
		r = receivers{}
	}
	m.open, m.trouble = r, err
	return err
}

func (r *receivers) openAll(s *callSources, sink voice.Sink, logger *slog.Logger) (err error) {
	if s.rtcp != nil {
		if r.rtcp, err = rtcp.New(*s.rtcp, sink, logger); err != nil {
			return fmt.Errorf("voice.rtcp: %w", err)
		}
	}
	if s.hep != nil {
		if r.hep, err = hep.New(*s.hep, sink, logger); err != nil {
			return fmt.Errorf("voice.hep: %w", err)
		}
	}
	if s.phones != nil {
		if r.phones, err = vqrtcpxr.New(*s.phones, sink, logger); err != nil {
			return fmt.Errorf("voice.vqrtcpxr: %w", err)
		}
	}
	if s.capture != nil {
		// HEP that passes by is the same that is sent to us, where we listen for it.
		var passing func([]byte, netip.Addr, time.Time)
		if s.hep == nil {
			passing = hep.NewDecoder(sink, logger).Message
		}
		if r.capture, err = capture.NewLive(*s.capture, sink, passing, logger); err != nil {
			return fmt.Errorf("voice.capture: %w", err)
		}
	}
	return nil
}

// close gives back listeners that do not run.
func (r *receivers) close() {
	if r.rtcp != nil {
		r.rtcp.Close()
	}
	if r.hep != nil {
		r.hep.Close()
	}
	if r.phones != nil {
		r.phones.Close()
	}
	if r.capture != nil {
		r.capture.Close()
	}
}

// run receives until ctx ends, and then returns nil, or until a source breaks.
func (r *receivers) run(ctx context.Context) error {
	defer r.close()
	g, ctx := errgroup.WithContext(ctx)
	if r.rtcp != nil {
		g.Go(func() error { return r.rtcp.Run(ctx) })
	}
	if r.hep != nil {
		g.Go(func() error { return r.hep.Run(ctx) })
	}
	if r.phones != nil {
		g.Go(func() error { return r.phones.Run(ctx) })
	}
	if r.capture != nil {
		g.Go(func() error { return r.capture.Run(ctx) })
	}
	return g.Wait()
}

// Run receives until ctx ends. Then it hands out the calls in progress, and returns nil.
func (m *callMonitor) Run(ctx context.Context) error {
	var ticking sync.WaitGroup
	ticking.Go(func() { m.tick(ctx) })
	for ctx.Err() == nil {
		if err := m.receive(ctx); err != nil && ctx.Err() == nil {
			m.logger.Error("calls are not seen; the sources are opened again", "in", openCallsAgain, "err", err)
			wait(ctx, openCallsAgain)
		}
	}
	ticking.Wait()
	m.finish()
	return nil
}

// receive opens what is not open and receives. Afterwards nothing is open.
func (m *callMonitor) receive(ctx context.Context) error {
	m.mu.Lock()
	r, isOpen := m.open, m.open != receivers{}
	m.mu.Unlock()
	if !isOpen {
		if err := m.Open(); err != nil {
			return err
		}
		m.mu.Lock()
		r = m.open
		m.mu.Unlock()
	}
	err := r.run(ctx)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.open, m.taken, m.dropped = receivers{}, 0, 0
	if m.trouble = err; err == nil && ctx.Err() == nil {
		m.trouble = errors.New("a source ended by itself")
	}
	return m.trouble
}

// tick moves the tracker's time on, until ctx ends.
func (m *callMonitor) tick(ctx context.Context) {
	every := time.NewTicker(tickCalls)
	defer every.Stop()
	looked := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-every.C:
			m.tracker.Tick(now)
			if now.Sub(looked) >= lossWindow {
				looked = now
				m.measureLoss()
			}
		}
	}
}

// finish hands out every call in progress that has something to show.
func (m *callMonitor) finish() {
	if lost := m.tracker.Close(time.Now()); lost > 0 {
		m.logger.Info("calls in progress without a report are not kept", "calls", lost)
	}
}

// close gives back what was opened and never run.
func (m *callMonitor) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.open.close()
	m.open = receivers{}
}
