package collectors

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

func TestReloadKeepsWhatDidNotChange(t *testing.T) {
	kept, changed, removed := good(t, time.Second), good(t, time.Second), good(t, time.Second)
	spare, next := good(t, time.Second), good(t, time.Second)
	sink := &gathered{}
	inBubble(t, SchedulerConfig{Sink: sink}, func(s *Scheduler) {
		s.SetChecks([]Check{every("link/kept", 10*time.Second, kept), every("link/changed", 10*time.Second, changed), every("link/removed", 10*time.Second, removed)})
		time.Sleep(35 * time.Second)
		other := every("link/changed", 10*time.Second, next)
		other.Fingerprint = "another"
		s.SetChecks([]Check{every("link/kept", 10*time.Second, spare), other})
		if !spare.closed.Load() || kept.closed.Load() {
			t.Error("the new collector of an unchanged check must be closed, the old one kept")
		}
		time.Sleep(time.Second) // a run may have been going
		synctest.Wait()
		if !changed.closed.Load() || !removed.closed.Load() {
			t.Error("the collectors of changed and removed checks are still open")
		}
		time.Sleep(30 * time.Second)
		if next.count() < 3 || kept.count() < 6 || spare.count() != 0 || s.Stats().Checks != 2 {
			t.Errorf("runs: next %d, kept %d, spare %d; %d checks", next.count(), kept.count(), spare.count(), s.Stats().Checks)
		}
		gap := kept.starts[len(kept.starts)-1].Sub(kept.starts[0]) % (10 * time.Second)
		if gap != 0 {
			t.Errorf("the unchanged check lost its phase by %v", gap)
		}
	})
}

// Reloading in the middle of runs, again and again, never overlaps two runs of a check, never closes a collector in use, and closes each
// exactly once: the fakes watch over all three.
func TestReloadInTheMiddleOfRuns(t *testing.T) {
	var all []*fake
	make1 := func(id, fingerprint string) Check {
		f := good(t, 700*time.Millisecond)
		f.deaf = true
		all = append(all, f)
		c := every(id, time.Second, f)
		c.Fingerprint = fingerprint
		return c
	}
	inBubble(t, SchedulerConfig{AtOnce: 3}, func(s *Scheduler) {
		for round := range 200 {
			var checks []Check
			for i := range 6 {
				if (round*7+i*3)%5 == 0 {
					continue // not this time
				}
				checks = append(checks, make1(fmt.Sprintf("link/l%d", i), fmt.Sprint((round+i)/4)))
			}
			s.SetChecks(checks)
			time.Sleep(time.Duration(130+round%9*90) * time.Millisecond)
		}
	})
	ran := 0
	for i, f := range all {
		if !f.closed.Load() {
			t.Errorf("collector %d of %d was never closed", i, len(all))
		}
		if f.count() > 0 {
			ran++
		}
	}
	if ran < 50 {
		t.Errorf("only %d collectors ever ran", ran)
	}
}

func TestTheEndDropsWhatItCutOff(t *testing.T) {
	sink, runs := &gathered{}, NewRuns(0, 0)
	f := good(t, 3*time.Second)
	check := every("link/a", 10*time.Second, f)
	inBubble(t, SchedulerConfig{Sink: sink, Runs: runs}, func(s *Scheduler) {
		s.SetChecks([]Check{check})
		stats, _ := s.Check(check.ID)
		time.Sleep(time.Until(stats.Next) + time.Second)
	})
	if f.count() != 1 || !f.closed.Load() {
		t.Fatalf("%d runs, closed %v", f.count(), f.closed.Load())
	}
	if _, ok := runs.LastRun(check.ID); ok || len(sink.take(Up)) > 0 {
		t.Error("a run that our own end cut off was taken for the target's failure")
	}
}

func TestRunsOnlyOnce(t *testing.T) {
	s := NewScheduler(SchedulerConfig{Sink: &gathered{}})
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("at once"))
	if err := s.Run(ctx); err != nil {
		t.Errorf("first: %v", err)
	}
	if err := s.Run(ctx); err == nil {
		t.Error("ran twice")
	}
	late := good(t, 0)
	s.SetChecks([]Check{every("link/a", time.Second, late)})
	if !late.closed.Load() || s.CheckNow(checkID("link/a", "ping")) {
		t.Error("a check that comes after the end must be closed and unknown")
	}
}
