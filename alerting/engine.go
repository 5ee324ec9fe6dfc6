package alerting

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"vigia/collectors"
	"vigia/collectors/inventory"
)

// CommandSource gives the commands that people posted. The store is one.
type CommandSource interface {
	// PendingCommands lists those with a Seq above afterSeq, in order.
	PendingCommands(ctx context.Context, afterSeq int64) ([]Command, error)
}

// EngineConfig is what an Engine is made of. Journal, Config, Now and Logger are needed, the rest may be nil.
type EngineConfig struct {
	Journal  Journal
	Commands CommandSource
	Snapshot Snapshot // where it starts from: Load of the store
	Config   *Config
	Now      func() time.Time // the wall clock
	// Mono is a clock that never jumps; nil: the monotonic reading of Now.
	Mono     func() time.Duration
	Confirm  func(ConfirmRequest) // asks the scheduler for immediate probes; it must not block
	OnChange func(Change)         // after a Change is stored: wakes the outbox and the pages; it must not block
	Sink     collectors.Sink      // where samples about Vigía itself go besides the engine: the store
	Logger   *slog.Logger
	Buffer   int // samples that may wait; zero: DefaultBuffer
}

// DefaultBuffer is how many samples may wait for a plan: half a minute of the design's 100,000 series at 30 s, with room to spare.
const DefaultBuffer = 200_000

// Times of the loop.
const (
	tickEvery    = time.Second
	auditEvery   = 10 * time.Second
	applyTimeout = 30 * time.Second
	firstRetry   = 100 * time.Millisecond
	longestRetry = 5 * time.Second
	jumpLimit    = 2 * time.Second
)

// Engine is the loop around Plan: it gathers what comes, plans, lets the Journal apply, and only then adopts. One Apply is in flight at a
// time. All methods may be called from any goroutine.
type Engine struct {
	cfg   EngineConfig
	state *State // owned by Run

	mu       sync.Mutex
	config   *Config
	reloaded bool
	samples  []collectors.Sample
	spare    []collectors.Sample
	settled  []Settled
	posted   bool
	dropped  int
	stats    EngineStats
	wake     chan struct{}
}

// EngineStats is what the engine says about itself.
type EngineStats struct {
	Series, Alarms, Incidents int // known; standing; live
	Waiting                   int // samples that wait for the next plan
	Plans, Changes            uint64
	Judged                    uint64 // samples
	Dropped, Late, Refused    uint64 // samples: the buffer was full; out of date; not a number or from the future
	LastPlan                  time.Time
	LastChange                time.Time
	FailingSince              time.Time // since when Apply fails; zero when it does not
	Failure                   string
	Untold                    int // the auditor's figure: should be 0
}

// NewEngine makes an engine that continues from the Snapshot.
func NewEngine(cfg EngineConfig) *Engine {
	if cfg.Buffer <= 0 {
		cfg.Buffer = DefaultBuffer
	}
	return &Engine{
		cfg: cfg, state: NewState(cfg.Snapshot), config: cfg.Config, reloaded: true, settled: cfg.Snapshot.Settled, wake: make(chan struct{}, 1),
	}
}

// Put hands in samples. It never blocks: when too many wait, the rest is dropped, counted, and shown as vigia_dropped_samples.
func (e *Engine) Put(samples []collectors.Sample) {
	e.mu.Lock()
	room := min(len(samples), max(e.cfg.Buffer-len(e.samples), 0))
	e.samples = append(e.samples, samples[:room]...)
	e.dropped += len(samples) - room
	e.mu.Unlock()
	e.Wake()
}

// Settled hands in what became of notifications. One that is to be tried again is still owed: it is not settled and is passed over.
func (e *Engine) Settled(settled []Settled) {
	e.mu.Lock()
	for _, s := range settled {
		if s.State != NotificationPending && s.State != NotificationLeased {
			e.settled = append(e.settled, s)
		}
	}
	e.mu.Unlock()
	e.Wake()
}

// CommandsPosted says that a command waits at the CommandSource. Those of other processes are found within a second.
func (e *Engine) CommandsPosted() {
	e.mu.Lock()
	e.posted = true
	e.mu.Unlock()
	e.Wake()
}

// Reload replaces the configuration from the next plan on. Live incidents keep their frozen policies.
func (e *Engine) Reload(config *Config) {
	e.mu.Lock()
	e.config, e.reloaded = config, true
	e.mu.Unlock()
	e.Wake()
}

// Wake lets the loop look at once.
func (e *Engine) Wake() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// Stats returns figures about the engine.
func (e *Engine) Stats() EngineStats {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.stats
	s.Waiting = len(e.samples)
	return s
}

// loop is what Run keeps between its rounds.
type loop struct {
	*Engine
	held    Input // what could not be stored yet
	keeping bool  // held is to be planned again
	retry   time.Duration
	retryAt time.Duration // on the monotonic clock
	polled  time.Duration
	audited time.Duration
	wall    time.Time
	mono    time.Duration
	start   time.Time
	config  *Config
	drops   int  // samples dropped since the last audit
	lacked  bool // the last audit said that some were
	leapt   bool // the clock jumped since the last audit
	leaped  bool // and before
}

// Run plans until ctx ends, or the Journal says ErrDeposed: what was planned then is forgotten, because another process plans now. An Apply
// in flight is finished first. The error is that of ctx, or ErrDeposed.
func (e *Engine) Run(ctx context.Context) error {
	l := &loop{Engine: e, start: e.cfg.Now()}
	l.wall, l.mono = l.start.Round(0), l.clock()
	l.polled, l.audited = l.mono-tickEvery, l.mono
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-e.wake:
		case <-timer.C:
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		pause, err := l.round(ctx)
		if err != nil {
			return err
		}
		timer.Reset(pause)
	}
}

// clock is the monotonic time since the start.
func (l *loop) clock() time.Duration {
	if l.cfg.Mono != nil {
		return l.cfg.Mono()
	}
	return l.cfg.Now().Sub(l.start)
}

// round gathers, plans, applies and adopts once, and returns how long to sleep at most. The error is ErrDeposed.
func (l *loop) round(ctx context.Context) (time.Duration, error) {
	mono := l.clock()
	now := l.cfg.Now().Round(0).UTC()
	in := l.gather(ctx, now, mono)
	if l.keeping && mono < l.retryAt {
		l.held = in
		return l.retryAt - mono, nil
	}
	planned := Plan(l.state, l.config, in, now)
	if !planned.Change.Empty() {
		apply, cancel := context.WithTimeout(context.WithoutCancel(ctx), applyTimeout)
		err := l.cfg.Journal.Apply(apply, planned.Change)
		cancel()
		if errors.Is(err, ErrDeposed) {
			return 0, err
		}
		if err != nil {
			return l.failed(in, now, mono, err), nil
		}
	}
	l.state.Adopt(planned)
	l.succeeded(&planned, now)
	l.audit(now, mono)
	return l.sleep(now), nil
}

// gather takes all that waits and adds it to what could not be stored before.
func (l *loop) gather(ctx context.Context, now time.Time, mono time.Duration) Input {
	in := l.held
	l.held = Input{}
	l.mu.Lock()
	fresh := l.samples
	l.samples, l.spare = l.spare[:0], nil
	in.Settled = append(in.Settled, l.settled...)
	l.settled = nil
	in.Reloaded = in.Reloaded || l.reloaded
	l.reloaded = false
	l.config = l.Engine.config
	posted, dropped := l.posted, l.dropped
	l.posted, l.dropped = false, 0
	l.stats.Dropped += uint64(dropped)
	l.mu.Unlock()
	if len(in.Samples) == 0 {
		in.Samples = fresh
	} else {
		in.Samples = coalesce(append(in.Samples, fresh...), l.cfg.Buffer)
	}
	l.drops += dropped
	jump := l.jumped(now, mono)
	l.leapt = l.leapt || jump != 0
	in.Jump += jump
	if posted || mono-l.polled >= tickEvery {
		l.polled = mono
		l.fetch(ctx, &in)
	}
	return in
}

// jumped is how far the wall clock ran ahead of the monotonic one since the last round; zero when it kept pace.
func (l *loop) jumped(now time.Time, mono time.Duration) time.Duration {
	gap := now.Sub(l.wall) - (mono - l.mono)
	l.wall, l.mono = now, mono
	if gap.Abs() <= jumpLimit {
		return 0
	}
	l.cfg.Logger.Warn("the clock jumped", "by", gap)
	return gap
}

// fetch adds the commands that are not in the input yet.
func (l *loop) fetch(ctx context.Context, in *Input) {
	if l.cfg.Commands == nil {
		return
	}
	after := l.state.LastCommand()
	if n := len(in.Commands); n > 0 {
		after = max(after, in.Commands[n-1].Seq)
	}
	commands, err := l.cfg.Commands.PendingCommands(ctx, after)
	if err != nil {
		l.say(err)
		return
	}
	in.Commands = append(in.Commands, commands...)
}

// say logs an error once until another comes or all is well again.
func (l *loop) say(err error) {
	l.mu.Lock()
	known := l.stats.Failure == err.Error()
	l.stats.Failure = err.Error()
	l.mu.Unlock()
	if !known && !l.keeping { // while changes wait to be stored, one line has said so
		l.cfg.Logger.Error("engine", "error", err)
	}
}

// failed keeps the input for the next try.
func (l *loop) failed(in Input, now time.Time, mono time.Duration, err error) time.Duration {
	l.say(err)
	l.mu.Lock()
	first := l.stats.FailingSince.IsZero()
	if first {
		l.stats.FailingSince = now
	}
	l.mu.Unlock()
	if first {
		l.retry = firstRetry
		in.Samples = append(in.Samples, l.own(collectors.VigiaStoreDown, now, 1, collectors.Because(codeStoreFailing, err.Error())))
	} else {
		l.retry = min(2*l.retry, longestRetry)
	}
	l.held, l.keeping, l.retryAt = in, true, mono+l.retry
	return l.retry
}

// succeeded tells everyone who waits for a Change.
func (l *loop) succeeded(planned *Planned, now time.Time) {
	l.mu.Lock()
	healed := !l.stats.FailingSince.IsZero()
	l.stats.FailingSince = time.Time{}
	if healed || l.stats.Failure != "" && !planned.Change.Empty() {
		l.stats.Failure = ""
	}
	l.stats.Plans++
	l.stats.Judged += uint64(len(planned.input.Samples))
	l.stats.Late += uint64(planned.Late)
	l.stats.Refused += uint64(planned.Refused)
	l.stats.LastPlan = now
	if !planned.Change.Empty() {
		l.stats.Changes++
		l.stats.LastChange = now
	}
	if l.spare == nil {
		clear(planned.input.Samples)
		l.spare = planned.input.Samples[:0]
	}
	l.mu.Unlock()
	l.keeping = false
	if healed {
		l.cfg.Logger.Info("engine: changes are stored again")
		l.Put([]collectors.Sample{l.own(collectors.VigiaStoreDown, now, 0, collectors.Reason{})})
	}
	l.pass(planned)
}

// pass hands on what a plan asks of others.
func (l *loop) pass(planned *Planned) {
	if !planned.Change.Empty() && l.cfg.OnChange != nil {
		l.cfg.OnChange(planned.Change)
	}
	if l.cfg.Confirm != nil {
		for _, c := range planned.Confirms {
			l.cfg.Confirm(c)
		}
	}
	if len(planned.Samples) > 0 {
		if l.cfg.Sink != nil {
			l.cfg.Sink.Put(planned.Samples)
		}
		l.Put(planned.Samples)
	}
}

// own makes a sample about Vigía itself and gives the store its copy.
func (l *loop) own(metric collectors.Metric, at time.Time, value float64, why collectors.Reason) collectors.Sample {
	m := collectors.Sample{Series: collectors.Series{Metric: metric, Ref: inventory.Self}, At: at, Value: value, Reason: why}
	if l.cfg.Sink != nil {
		l.cfg.Sink.Put([]collectors.Sample{m})
	}
	return m
}

// audit looks for incidents that should have told somebody and did not, and refreshes the figures that take a walk.
func (l *loop) audit(now time.Time, mono time.Duration) {
	if mono-l.audited < auditEvery {
		return
	}
	l.audited = mono
	untold := l.state.Untold(now)
	series, alarms, incidents := l.state.Counts()
	l.mu.Lock()
	l.stats.Series, l.stats.Alarms, l.stats.Incidents, l.stats.Untold = series, alarms, incidents, untold
	l.mu.Unlock()
	own := []collectors.Sample{l.own(collectors.VigiaUnsent, now, float64(untold), collectors.Because(codeUntold, float64(untold)))}
	if l.drops > 0 || l.lacked {
		own = append(own, l.own(collectors.VigiaDropped, now, float64(l.drops), collectors.Because(codeDropped, float64(l.drops))))
	}
	if l.leaped && !l.leapt { // the plan said how far it jumped; a quiet period after that it is over
		own = append(own, l.own(collectors.VigiaClockJumpS, now, 0, collectors.Reason{}))
	}
	l.lacked, l.drops = l.drops > 0, 0
	l.leaped, l.leapt = l.leapt, false
	l.Put(own)
}

// sleep is until the next deadline, a second at most.
func (l *loop) sleep(now time.Time) time.Duration {
	next := l.state.Next()
	if next.IsZero() {
		return tickEvery
	}
	return min(max(next.Sub(now), time.Millisecond), tickEvery)
}

// coalesce keeps, of samples that had to wait for too long, the last of each series and its extremes.
func coalesce(samples []collectors.Sample, limit int) []collectors.Sample {
	if len(samples) <= limit {
		return samples
	}
	type keep struct{ last, low, high int }
	kept := make(map[collectors.Series]keep)
	for i := range samples {
		k, ok := kept[samples[i].Series]
		if !ok {
			k = keep{i, i, i}
		}
		k.last = i
		if samples[i].Value < samples[k.low].Value {
			k.low = i
		}
		if samples[i].Value > samples[k.high].Value {
			k.high = i
		}
		kept[samples[i].Series] = k
	}
	out := make([]collectors.Sample, 0, 3*len(kept))
	for i := range samples {
		if k := kept[samples[i].Series]; i == k.last || i == k.low || i == k.high {
			out = append(out, samples[i])
		}
	}
	return out
}
