package collectors

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"vigia/collectors/inventory"
)

// fake is a collector whose run takes a while and then says what it is told to. It notices what the scheduler must never do.
type fake struct {
	t      testing.TB
	takes  time.Duration
	result Result
	panics bool
	deaf   bool // does not look at its deadline

	busy   atomic.Bool
	closed atomic.Bool
	mu     sync.Mutex
	starts []time.Time
}

func (f *fake) Probe(ctx context.Context) Result {
	if f.closed.Load() {
		f.t.Error("probed after Close")
	}
	if !f.busy.CompareAndSwap(false, true) {
		f.t.Error("two runs at once")
	}
	defer f.busy.Store(false)
	f.mu.Lock()
	f.starts = append(f.starts, time.Now())
	f.mu.Unlock()
	if f.panics {
		panic("the library is broken")
	}
	done := ctx.Done()
	if f.deaf {
		done = nil
	}
	select {
	case <-time.After(f.takes):
		return f.result
	case <-done:
		return Result{Why: Because("t.timeout")}
	}
}

func (f *fake) Close() error {
	if f.busy.Load() {
		f.t.Error("closed while running")
	}
	if f.closed.Swap(true) {
		f.t.Error("closed twice")
	}
	return nil
}

func (f *fake) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.starts)
}

func good(t testing.TB, takes time.Duration) *fake {
	return &fake{t: t, takes: takes, result: Result{OK: true, Why: Because("t.ok"), Values: []Value{{Metric: Up, Value: 1}}}}
}

func every(id string, period time.Duration, c Collector) Check {
	return Check{ID: checkID(id, "ping"), Kind: "fake", Target: id, Every: period, Timeout: period / 2, Collector: c, Fingerprint: id}
}

// bench runs a scheduler in a synctest bubble until the test's function returns.
func inBubble(t *testing.T, cfg SchedulerConfig, test func(s *Scheduler)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		if cfg.Sink == nil {
			cfg.Sink = &gathered{}
		}
		s := NewScheduler(cfg)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- s.Run(ctx) }()
		test(s)
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

func TestSlotsKeepTheirPhase(t *testing.T) {
	f := good(t, 100*time.Millisecond)
	check := every("link/a", 10*time.Second, f)
	inBubble(t, SchedulerConfig{}, func(s *Scheduler) {
		s.SetChecks([]Check{check})
		time.Sleep(time.Minute)
	})
	if n := f.count(); n != 6 {
		t.Fatalf("%d runs in a minute, want 6", n)
	}
	want := int64(spread(check.ID) % uint64(10*time.Second))
	for _, at := range f.starts {
		if got := at.UnixNano() % int64(10*time.Second); got != want {
			t.Errorf("started at phase %v, want %v", time.Duration(got), time.Duration(want))
		}
	}
	if !f.closed.Load() {
		t.Error("not closed at the end")
	}
}

func TestPhasesSpread(t *testing.T) {
	const checks, buckets = 10000, 100
	now := time.Date(2026, 11, 23, 12, 0, 0, 12345, time.UTC)
	var in [buckets]int
	for i := range checks {
		c := every(fmt.Sprintf("link/l%d", i), 10*time.Second, nil)
		slot := nextSlot(c, now)
		if slot.Before(now) || slot.Sub(now) >= 10*time.Second {
			t.Fatalf("slot %v after now", slot.Sub(now))
		}
		if again := nextSlot(c, now.Add(-73*10*time.Second)); again.UnixNano()%1e10 != slot.UnixNano()%1e10 {
			t.Fatal("the phase changes with the start")
		}
		in[slot.Sub(now)*buckets/(10*time.Second)]++
	}
	for b, n := range in { // mean 100, standard deviation 10
		if n < 55 || n > 145 {
			t.Errorf("%d of %d checks in the %d. of %d parts of the period", n, checks, b+1, buckets)
		}
	}
}

func TestSlotsThatCouldNotRunAreCounted(t *testing.T) {
	f := good(t, 25*time.Second)
	f.deaf = true
	id := checkID("link/a", "ping")
	sink := &gathered{}
	inBubble(t, SchedulerConfig{Sink: sink}, func(s *Scheduler) {
		s.SetChecks([]Check{every("link/a", 10*time.Second, f)})
		time.Sleep(101 * time.Second)
		stats, ok := s.Check(id)
		if !ok || f.count() != 4 || stats.Skipped+4 != 10 {
			t.Errorf("%d runs and %d skipped slots in ten periods, want 4 and 6", f.count(), stats.Skipped)
		}
		all := s.Stats()
		if all.Skipped != stats.Skipped || all.Running != 1 || all.Checks != 1 {
			t.Errorf("stats %+v", all)
		}
		if all.Overran != 3 {
			t.Errorf("%d runs did not keep their deadline, want 3", all.Overran)
		}
	})
	told := 0.0
	for _, s := range sink.take(VigiaSkippedSlots) {
		told += s.Value
	}
	if told < 5 {
		t.Errorf("vigia_skipped_slots told of %v", told)
	}
}

func TestSlotsAfterTheSchedulerItselfWasLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewScheduler(SchedulerConfig{Sink: &gathered{}})
		j := &job{check: every("link/a", 10*time.Second, good(t, 0)), index: outside, slot: time.Now()}
		s.jobs[j.check.ID] = j
		s.due.place(j)
		time.Sleep(35 * time.Second) // the machine stood still
		first := j.slot
		s.dispatch(t.Context())
		synctest.Wait()
		if j.skipped != 3 || s.count.Skipped != 3 {
			t.Errorf("%d slots skipped, want 3", j.skipped)
		}
		if want := first.Add(40 * time.Second); !j.slot.Equal(want) {
			t.Errorf("next slot %v, want %v", j.slot, want)
		}
		if p99, _ := s.lates.close(); p99 != 5*time.Second {
			t.Errorf("late by %v, want 5s after the slot that ran", p99)
		}
	})
}

func TestADeadlineForEachRun(t *testing.T) {
	f := good(t, time.Hour)
	runs := NewRuns(0, 0)
	check := every("link/a", 10*time.Second, f)
	check.Timeout = time.Minute // more than the period
	inBubble(t, SchedulerConfig{Runs: runs}, func(s *Scheduler) {
		s.SetChecks([]Check{check})
		time.Sleep(45 * time.Second)
	})
	if n := len(runs.Last(check.ID, 0)); n < 3 {
		t.Errorf("%d runs kept: a deadline as long as the period must not cost slots", n)
	}
	for _, r := range runs.Last(check.ID, 0) {
		if r.Took != 10*time.Second || r.Result.Why.Code != "t.timeout" {
			t.Errorf("took %v: %v", r.Took, r.Result.Why)
		}
	}
}

// A thousand dead targets, each of which holds its place until its deadline, must not delay one healthy check.
func TestDeadTargetsDelayNobody(t *testing.T) {
	const dead, atOnce = 1000, 64
	runs := NewRuns(100, 0)
	healthy := every("server/healthy", time.Second, good(t, time.Millisecond))
	checks := []Check{healthy}
	for i := range dead {
		checks = append(checks, every(fmt.Sprintf("server/dead%d", i), 10*time.Second, good(t, time.Hour)))
	}
	inBubble(t, SchedulerConfig{Runs: runs, AtOnce: atOnce}, func(s *Scheduler) {
		s.SetChecks(checks)
		time.Sleep(2 * time.Minute) // until it is known who is slow
		for range 60 {
			time.Sleep(time.Second)
			if st := s.Stats(); st.Running > atOnce {
				t.Fatalf("%d at once", st.Running)
			}
		}
		if s.Stats().Skipped == 0 {
			t.Error("a thousand dead targets with 64 places skipped nothing: the test tests nothing")
		}
	})
	last := runs.Last(healthy.ID, 60)
	if len(last) != 60 {
		t.Fatalf("%d runs", len(last))
	}
	for _, r := range last {
		if r.Late > time.Millisecond {
			t.Errorf("late by %v", r.Late)
		}
	}
}

func TestWaitingIsFair(t *testing.T) {
	var fakes []*fake
	var checks []Check
	for i := range 20 {
		f := good(t, 4*time.Second) // 2 places × 10 s / 4 s: 5 of 20 can run in a period
		f.deaf = true
		fakes = append(fakes, f)
		checks = append(checks, every(fmt.Sprintf("server/s%d", i), 10*time.Second, f))
	}
	inBubble(t, SchedulerConfig{AtOnce: 2}, func(s *Scheduler) {
		s.SetChecks(checks)
		most := 0
		for range 20 * 60 {
			time.Sleep(time.Second)
			most = max(most, s.Stats().Running)
		}
		if most != 2 {
			t.Errorf("%d at once, want 2", most)
		}
	})
	counts := []int{}
	for _, f := range fakes {
		counts = append(counts, f.count())
	}
	if slices.Min(counts) < slices.Max(counts)/2 || slices.Min(counts) < 10 {
		t.Errorf("runs by check: %v", counts)
	}
}

func TestSamplesOfARun(t *testing.T) {
	sink := &gathered{}
	runs := NewRuns(0, 0)
	f := good(t, 300*time.Millisecond)
	f.result.Values = []Value{
		{Metric: Up, Value: 1},
		{Metric: InBps, Part: "eth0", Value: 5, Detail: `{"x":1}`},
		{Metric: LatencyMS, Value: math.NaN()},
		{Metric: JitterMS, Value: math.Inf(1)},
	}
	check := every("link/a", 10*time.Second, f)
	inBubble(t, SchedulerConfig{Sink: sink, Runs: runs}, func(s *Scheduler) {
		s.SetChecks([]Check{check})
		time.Sleep(10 * time.Second)
		time.Sleep(300 * time.Millisecond)
		if got := s.Stats().Refused; got != 2 {
			t.Errorf("%d figures refused, want 2", got)
		}
	})
	at := f.starts[0].Round(0).UTC()
	want := []Sample{
		{Series: Series{Up, check.ID.Ref, "ping"}, At: at, Value: 1, Reason: Because("t.ok"), Every: 10 * time.Second},
		{Series: Series{InBps, check.ID.Ref, "ping:eth0"}, At: at, Value: 5, Reason: Because("t.ok"), Every: 10 * time.Second, Detail: `{"x":1}`},
	}
	got := slices.DeleteFunc(sink.samples, func(s Sample) bool { return s.Series.Ref == inventory.Self })
	if diff := cmp.Diff(want, got[:2]); diff != "" {
		t.Errorf("samples (-want +got):\n%s", diff)
	}
	run, _ := runs.LastRun(check.ID)
	if len(run.Result.Values) != 1 || len(run.Result.Steps) != 2 || run.Took != 300*time.Millisecond || !run.At.Equal(at) {
		t.Errorf("run %+v", run)
	}
}

func TestAPanicIsAFailedRun(t *testing.T) {
	f := good(t, 0)
	f.panics = true
	runs := NewRuns(0, 0)
	inBubble(t, SchedulerConfig{Runs: runs}, func(s *Scheduler) {
		s.SetChecks([]Check{every("link/a", time.Second, f), every("link/b", time.Second, good(t, 0))})
		time.Sleep(5500 * time.Millisecond)
		if st := s.Stats(); st.Panics < 5 || st.Failed != st.Panics || st.Running != 0 {
			t.Errorf("stats %+v", st)
		}
	})
	run, ok := runs.LastRun(checkID("link/a", "ping"))
	if why := PollWords.Say(English, run.Result.Why); !ok || run.Result.OK || why != "the check itself broke: the library is broken" {
		t.Errorf("OK %v: %s", run.Result.OK, why)
	}
	if n := len(runs.Last(checkID("link/b", "ping"), 0)); n < 5 {
		t.Errorf("the other check ran %d times", n)
	}
}

func TestConfirm(t *testing.T) {
	f := good(t, 200*time.Millisecond)
	runs := NewRuns(0, 0)
	check := every("link/a", time.Minute, f)
	inBubble(t, SchedulerConfig{Runs: runs}, func(s *Scheduler) {
		s.SetChecks([]Check{check})
		stats, _ := s.Check(check.ID)
		time.Sleep(time.Until(stats.Next) + 5*time.Second)
		asked := time.Now()
		if !s.Confirm(check.ID, 3, time.Second) || s.Confirm(checkID("link/none", "ping"), 1, 0) {
			t.Error("Confirm does not know which checks there are")
		}
		time.Sleep(10 * time.Second)
		var after []time.Duration
		for _, r := range runs.Last(check.ID, 3) {
			after = append(after, r.At.Sub(asked))
			if !r.Confirm {
				t.Error("not marked as a confirmation")
			}
		}
		if diff := cmp.Diff([]time.Duration{2 * time.Second, time.Second, 0}, after); diff != "" {
			t.Errorf("confirmations after the question (-want +got):\n%s", diff)
		}
		if f.count() != 4 {
			t.Errorf("%d runs, want one slot and three confirmations", f.count())
		}
		time.Sleep(time.Minute)
		if st, _ := s.Check(check.ID); st.Skipped != 0 || f.count() != 5 {
			t.Errorf("%d runs, %d skipped", f.count(), st.Skipped)
		}
	})
}

// A run that ends a little after the next slot delays that slot and does not cost it.
func TestASlotMissedByAHairRunsLate(t *testing.T) {
	f := good(t, 10500*time.Millisecond)
	f.deaf = true
	runs := NewRuns(0, 0)
	check := every("link/a", 10*time.Second, f)
	inBubble(t, SchedulerConfig{Runs: runs}, func(s *Scheduler) {
		s.SetChecks([]Check{check})
		stats, _ := s.Check(check.ID)
		time.Sleep(time.Until(stats.Next) + 39*time.Second)
		stats, _ = s.Check(check.ID)
		if f.count() != 3 || stats.Skipped != 1 { // at 0, 10.5 and 21; the slot at 30 would begin at 31.5
			t.Errorf("%d runs, %d slots skipped, want 3 and 1", f.count(), stats.Skipped)
		}
	})
	var late []time.Duration
	for _, r := range runs.Last(check.ID, 0) {
		late = append(late, r.Late)
	}
	if diff := cmp.Diff([]time.Duration{time.Second, 500 * time.Millisecond, 0}, late[max(0, len(late)-3):]); diff != "" {
		t.Errorf("late by (-want +got):\n%s", diff)
	}
}

// A run that was asked for stands for the slot that falls into it.
func TestAnExtraRunCoversASlot(t *testing.T) {
	f := good(t, 2*time.Second)
	check := every("link/a", time.Minute, f)
	inBubble(t, SchedulerConfig{}, func(s *Scheduler) {
		s.SetChecks([]Check{check})
		stats, _ := s.Check(check.ID)
		time.Sleep(time.Until(stats.Next) + 59*time.Second)
		s.CheckNow(check.ID)
		time.Sleep(30 * time.Second)
		if stats, _ = s.Check(check.ID); f.count() != 2 || stats.Skipped != 0 {
			t.Errorf("%d runs, %d slots skipped, want 2 and 0", f.count(), stats.Skipped)
		}
	})
}

// A confirmation that is asked for during a run follows right after it.
func TestConfirmDuringARun(t *testing.T) {
	f := good(t, 5*time.Second)
	check := every("link/a", time.Minute, f)
	inBubble(t, SchedulerConfig{}, func(s *Scheduler) {
		s.SetChecks([]Check{check})
		stats, _ := s.Check(check.ID)
		time.Sleep(time.Until(stats.Next) + time.Second)
		s.Confirm(check.ID, 2, time.Second)
		time.Sleep(20 * time.Second)
		if f.count() != 3 {
			t.Fatalf("%d runs, want 3", f.count())
		}
		if got := f.starts[1].Sub(f.starts[0]); got != 5*time.Second {
			t.Errorf("the first confirmation came after %v", got)
		}
	})
}

func TestCheckNow(t *testing.T) {
	a, b := good(t, time.Millisecond), good(t, time.Millisecond)
	ping, web := every("server/a", time.Hour, a), every("server/a", time.Hour, b)
	web.ID.Instance = "web"
	inBubble(t, SchedulerConfig{}, func(s *Scheduler) {
		s.SetChecks([]Check{ping, web})
		if n := s.CheckNowOf(ping.ID.Ref); n != 2 {
			t.Errorf("CheckNowOf found %d", n)
		}
		time.Sleep(time.Second)
		s.CheckNow(web.ID)
		time.Sleep(time.Second)
		if a.count() != 1 || b.count() != 2 {
			t.Errorf("%d and %d runs, want 1 and 2", a.count(), b.count())
		}
	})
}

func TestOwnSamples(t *testing.T) {
	sink := &gathered{}
	inBubble(t, SchedulerConfig{Sink: sink, AtOnce: 1}, func(s *Scheduler) {
		s.SetChecks([]Check{every("link/a", 10*time.Second, good(t, 2*time.Second)), every("link/b", 10*time.Second, good(t, 2*time.Second))})
		s.CheckNow(checkID("link/a", "ping"))
		time.Sleep(31 * time.Second)
		st := s.Stats()
		if st.PerMinute != 12 {
			t.Errorf("%v runs a minute, want 12", st.PerMinute)
		}
	})
	var metrics []Metric
	for _, s := range sink.samples {
		if s.Series.Ref == inventory.Self {
			metrics = append(metrics, s.Series.Metric)
			if s.Every != 10*time.Second || s.At.Location() != time.UTC {
				t.Errorf("%v every %v in %v", s.Series, s.Every, s.At.Location())
			}
		}
	}
	want := []Metric{VigiaSkippedSlots, VigiaLateMS, VigiaSkippedSlots, VigiaLateMS, VigiaSkippedSlots, VigiaLateMS}
	if diff := cmp.Diff(want, metrics); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLateWindow(t *testing.T) {
	var w lateWindow
	for i := range 100 {
		w.add(time.Duration(i+1) * time.Millisecond)
	}
	if p99, longest := w.close(); p99 != 99*time.Millisecond || longest != 100*time.Millisecond {
		t.Errorf("p99 %v, longest %v", p99, longest)
	}
	if p99, longest := w.close(); p99 != 0 || longest != 0 {
		t.Errorf("an empty window: %v, %v", p99, longest)
	}
}
