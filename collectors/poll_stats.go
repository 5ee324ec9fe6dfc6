package collectors

import (
	"context"
	"slices"
	"time"

	"vigia/collectors/inventory"
)

// SchedulerStats is how the scheduler is doing.
type SchedulerStats struct {
	Checks  int // that are run
	Running int // runs going now
	Due     int // runs that wait for a place
	Stuck   int // runs going now that have not kept their deadline

	Runs    uint64 // since the start
	Failed  uint64 // of these, not OK
	Skipped uint64 // slots that could not run
	Panics  uint64 // of a kind
	Refused uint64 // figures that were not finite
	Overran uint64 // runs that did not keep their deadline

	// Of the last full report period (10 s by default).
	LateP99   time.Duration // 99th percentile of how late runs started
	LateMax   time.Duration
	PerMinute float64 // runs a minute
}

// CheckStats is how one check is doing.
type CheckStats struct {
	Next    time.Time // its next slot; UTC
	Busy    bool      // a run is waiting or going
	Runs    uint64    // since the check was added
	Skipped uint64    // slots that could not run
}

// Stats returns how the scheduler is doing.
func (s *Scheduler) Stats() SchedulerStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	stats := s.count
	stats.Running, stats.Due = s.running, s.quick.len()+s.slow.len()
	now := s.now()
	for _, j := range s.jobs {
		if !j.removed {
			stats.Checks++
		}
		if j.state == running && now.Sub(j.started) > j.check.deadline()+overdue {
			stats.Stuck++
		}
	}
	return stats
}

// Check returns how one check is doing; false when there is no such check.
func (s *Scheduler) Check(id CheckID) (CheckStats, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	j := s.jobs[id]
	if j == nil || j.removed {
		return CheckStats{}, false
	}
	return CheckStats{Next: j.slot.Round(0).UTC(), Busy: j.state != idle, Runs: j.runs, Skipped: j.skipped}, true
}

// reportUntil puts Vigía's own samples until ctx ends.
func (s *Scheduler) reportUntil(ctx context.Context) {
	ticker := time.NewTicker(s.report)
	defer ticker.Stop()
	var skipped, runs uint64
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		s.mu.Lock()
		now := s.now().Round(0).UTC()
		s.count.LateP99, s.count.LateMax = s.lates.close()
		s.count.PerMinute = float64(s.count.Runs-runs) * float64(time.Minute) / float64(s.report)
		newlySkipped, late := s.count.Skipped-skipped, s.count.LateP99
		skipped, runs = s.count.Skipped, s.count.Runs
		s.mu.Unlock()
		s.sink.Put([]Sample{
			s.own(VigiaSkippedSlots, now, float64(newlySkipped)),
			s.own(VigiaLateMS, now, milliseconds(late)),
		})
	}
}

// own is a sample about Vigía itself.
func (s *Scheduler) own(m Metric, at time.Time, value float64) Sample {
	return Sample{Series: Series{Metric: m, Ref: inventory.Self}, At: at, Value: value, Every: s.report}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// lateWindow gathers how late runs started in one report period. Beyond its size it keeps a regular choice of them.
type lateWindow struct {
	kept []time.Duration
	seen int
}

const lateWindowSize = 1 << 14

func (w *lateWindow) add(late time.Duration) {
	if late = max(late, 0); len(w.kept) < lateWindowSize {
		w.kept = append(w.kept, late)
	} else {
		w.kept[w.seen%lateWindowSize] = late
	}
	w.seen++
}

// close returns the 99th percentile and the maximum and begins a new window.
func (w *lateWindow) close() (p99, longest time.Duration) {
	if n := len(w.kept); n > 0 {
		slices.Sort(w.kept)
		p99, longest = w.kept[(n*99+99)/100-1], w.kept[n-1]
	}
	w.kept, w.seen = w.kept[:0], 0
	return p99, longest
}
