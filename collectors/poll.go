package collectors

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"sync"
	"time"

	"vigia/collectors/inventory"
)

// SchedulerConfig is what a Scheduler needs.
type SchedulerConfig struct {
	Sink   Sink             // takes the samples of every run, one Put a run
	Runs   *Runs            // takes every run; nil keeps none
	Now    func() time.Time // the clock, with its monotonic reading; nil is time.Now
	Logger *slog.Logger     // told of panics; nil tells nobody
	AtOnce int              // how many runs may go on at one time; default DefaultAtOnce
	Report time.Duration    // how often Vigía's own samples are put; default 10 s
}

// DefaultAtOnce is how many runs may go on at one time unless it is told otherwise.
const DefaultAtOnce = 512

const defaultReport = 10 * time.Second

// Scheduler runs every check at its own phase of its period.
//
// Slots. A check's slots lie at phase + n·every. The phase comes from the CheckID alone and is counted from the Unix epoch, so a restart
// keeps it and ten thousand checks spread evenly; from the start on, slots follow the monotonic clock, whatever happens to the wall clock.
// A slot that could not run, because the former run of the check was still going or waiting a tenth of the period later, or because the
// scheduler itself woke more than a period late, is counted for its check and in total (SchedulerStats.Skipped, vigia_skipped_slots). How
// late runs start is counted too (LateP99, vigia_late_ms).
//
// Runs. At most AtOnce go on at one time; others wait in the order in which they became due. Checks whose last run took more than half of
// its deadline (dead targets) wait in a queue of their own and never hold more than three quarters of the places, so they delay each
// other and nobody else. Each run has a deadline of min(Timeout, Every). Two runs of one check never overlap. A panic in a Probe becomes
// a failed run. Figures that are not finite are refused and counted.
//
//	idle ── slot, Confirm or CheckNow ──▶ waiting ── a place is free ──▶ running ──▶ idle
//	  └────────────── removed or changed by SetChecks: after its last run the collector is closed ──────────────┘
type Scheduler struct {
	sink   Sink
	runs   *Runs
	now    func() time.Time
	log    *slog.Logger
	atOnce int
	report time.Duration
	wake   chan struct{} // the loop looks again

	mu      sync.Mutex // guards everything below
	stage   stage
	jobs    map[CheckID]*job
	due     jobHeap
	quick   queue
	slow    queue
	running int
	working sync.WaitGroup
	count   SchedulerStats // the counters of it
	lates   lateWindow
}

// stage is how far a Scheduler has come.
type stage int8

const (
	fresh stage = iota
	going
	over
)

// NewScheduler makes a scheduler without checks.
func NewScheduler(cfg SchedulerConfig) *Scheduler {
	s := &Scheduler{
		sink: cfg.Sink, runs: cfg.Runs, now: cfg.Now, log: cfg.Logger, atOnce: cfg.AtOnce, report: cfg.Report,
		wake: make(chan struct{}, 1), jobs: map[CheckID]*job{},
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.atOnce <= 0 {
		s.atOnce = DefaultAtOnce
	}
	if s.report <= 0 {
		s.report = defaultReport
	}
	return s
}

// Run runs the checks until ctx ends. Then it waits for the runs that are going, whose results no longer count, and closes every
// collector. It returns nil after a normal end and an error when it is called a second time.
func (s *Scheduler) Run(ctx context.Context) error {
	if err := s.begin(); err != nil {
		return err
	}
	var reporter sync.WaitGroup
	reporter.Go(func() { s.reportUntil(ctx) })
	s.loop(ctx)
	reporter.Wait()
	s.working.Wait()
	s.closeAll(s.end())
	return nil
}

func (s *Scheduler) begin() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stage != fresh {
		return errors.New("a scheduler runs only once")
	}
	s.stage = going
	now := s.now()
	for _, j := range s.due { // time may have passed since SetChecks
		j.slot = nextSlot(j.check, now)
	}
	heap.Init(&s.due)
	return nil
}

func (s *Scheduler) loop(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		case <-timer.C:
		}
		timer.Reset(s.dispatch(ctx))
	}
}

// end marks the scheduler as over and returns all collectors that are still open.
func (s *Scheduler) end() []Collector {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stage = over
	var open []Collector
	for _, j := range s.jobs {
		open = append(open, j.check.Collector)
		if j.changed != nil {
			open = append(open, useless(j.changed.Collector, j.check.Collector)...)
		}
	}
	s.jobs, s.due, s.quick, s.slow = map[CheckID]*job{}, nil, queue{}, queue{}
	return open
}

// SetChecks makes these the checks that are run. A check that was there before, with the same ID and an equal Fingerprint, goes on with its
// old collector and the one that comes with it is closed; so loading a configuration again disturbs nothing that it did not change. Without
// a Fingerprint every new collector counts as a change. Of a changed or removed check, a run that is going is let finish, its result is
// dropped, and the old collector is closed. Of two checks with one ID the later wins.
func (s *Scheduler) SetChecks(checks []Check) {
	s.mu.Lock()
	var unwanted []Collector
	wanted := make(map[CheckID]bool, len(checks))
	for _, c := range checks {
		wanted[c.ID] = true
		unwanted = append(unwanted, s.set(c)...)
	}
	for id, j := range s.jobs {
		if !wanted[id] && !j.removed {
			unwanted = append(unwanted, s.remove(j)...)
		}
	}
	s.mu.Unlock()
	s.closeAll(unwanted)
	s.look()
}

// set adds or updates one check and returns the collectors that have become useless.
func (s *Scheduler) set(c Check) []Collector {
	j := s.jobs[c.ID]
	switch {
	case s.stage == over:
		return []Collector{c.Collector}
	case j == nil:
		j = &job{check: c, slot: nextSlot(c, s.now()), index: outside}
		s.jobs[c.ID] = j
		s.due.place(j)
		return nil
	case j.latest().same(c):
		return s.keep(j, c)
	case j.state == running:
		old := j.changed
		j.changed, j.removed = &c, false
		if old == nil {
			return nil
		}
		return useless(old.Collector, c.Collector, j.check.Collector)
	}
	old := j.check.Collector
	s.change(j, c)
	return useless(old, c.Collector)
}

// useless returns c, unless it is one of those still in use.
func useless(c Collector, used ...Collector) []Collector {
	if slices.ContainsFunc(used, func(u Collector) bool { return identical(c, u) }) {
		return nil
	}
	return []Collector{c}
}

// identical reports whether a and b are one collector.
func identical(a, b Collector) bool { return reflect.ValueOf(a).Comparable() && a == b }

// keep goes on with j's collector; the one in c goes, unless it is the same.
func (s *Scheduler) keep(j *job, c Check) []Collector {
	if j.removed { // it was taken out and has come back before its last run ended
		j.removed = false
		s.due.place(j)
	}
	return useless(c.Collector, j.check.Collector, j.latest().Collector)
}

// change replaces the check of a job that is not running.
func (s *Scheduler) change(j *job, c Check) {
	j.check, j.changed, j.removed, j.owed = c, nil, false, time.Time{}
	j.slot = nextSlot(c, s.now())
	s.due.place(j)
}

// remove takes a job out. A run that is waiting or going ends first; drop and finish see to the rest.
func (s *Scheduler) remove(j *job) []Collector {
	s.due.take(j)
	j.removed = true
	var unwanted []Collector
	if j.changed != nil {
		unwanted = useless(j.changed.Collector, j.check.Collector)
		j.changed = nil
	}
	if j.state == idle {
		delete(s.jobs, j.check.ID)
		unwanted = append(unwanted, j.check.Collector)
	}
	return unwanted
}

// Confirm asks for that many runs of a check at once and then every so often, besides its slots; they are marked as Run.Confirm. It
// reports whether the check exists. Asked again while runs are outstanding, the larger number and the shorter distance count.
func (s *Scheduler) Confirm(id CheckID, probes int, every time.Duration) bool {
	return s.ask(id, extra{left: probes, every: every, confirm: true})
}

// CheckNow asks for one run of a check at once, besides its slots. It reports whether the check exists.
func (s *Scheduler) CheckNow(id CheckID) bool { return s.ask(id, extra{left: 1}) }

// CheckNowOf asks for one run of every check of an object at once and returns how many there are.
func (s *Scheduler) CheckNowOf(ref inventory.Ref) int {
	s.mu.Lock()
	var ids []CheckID
	for id, j := range s.jobs {
		if id.Ref == ref && !j.removed {
			ids = append(ids, id)
		}
	}
	s.mu.Unlock()
	n := 0
	for _, id := range ids {
		if s.CheckNow(id) {
			n++
		}
	}
	return n
}

func (s *Scheduler) ask(id CheckID, more extra) bool {
	s.mu.Lock()
	j := s.jobs[id]
	known := j != nil && !j.removed
	if known && more.left > 0 {
		j.extra.add(more, s.now())
		s.due.place(j)
	}
	s.mu.Unlock()
	s.look()
	return known
}

// look wakes the loop, or leaves a note that it is to look again.
func (s *Scheduler) look() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *Scheduler) closeAll(collectors []Collector) {
	for _, c := range collectors {
		if closer, ok := c.(Closer); ok {
			if err := closer.Close(); err != nil {
				s.log.Warn("closing a collector", "err", fmt.Errorf("close: %w", err))
			}
		}
	}
}
