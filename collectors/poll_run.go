package collectors

import (
	"context"
	"fmt"
	"math"
	"runtime/debug"
	"slices"
	"time"
)

// PollWords is what the scheduler itself says in a Run.
var PollWords = Words{
	"check.panic":      {EN: "the check itself broke: {0}", ES: "la comprobación misma falló: {0}"},
	"check.not_finite": {EN: "{0} is not a number and was left out", ES: "{0} no es un número y se omitió"},
}

// farAway is how long the loop sleeps when nothing is due.
const farAway = time.Hour

// dispatch queues whatever is due and returns how long until the next is.
func (s *Scheduler) dispatch(ctx context.Context) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	for len(s.due) > 0 {
		j := s.due[0]
		if wait := j.next().Sub(now); wait > 0 {
			s.start(ctx)
			return wait
		}
		if j.slot.After(now) {
			s.takeExtra(j, now)
		} else {
			s.takeSlot(j, now)
		}
		s.due.place(j)
	}
	s.start(ctx)
	return farAway
}

// takeSlot uses or counts the slot that is due, and all that went by unseen.
func (s *Scheduler) takeSlot(j *job, now time.Time) {
	every := j.check.period()
	missed := now.Sub(j.slot) / every
	s.skip(j, uint64(missed))
	slot := j.slot.Add(missed * every)
	j.slot = slot.Add(every)
	switch {
	case j.state == idle:
		s.enqueue(j, turn{due: slot})
	case !j.turn.extra: // a run that was asked for is as good as the slot's own
		s.giveUp(j)
		j.owed = slot
	}
}

// giveUp counts the slot that the run which is waiting or going has so far kept from running.
func (s *Scheduler) giveUp(j *job) {
	if !j.owed.IsZero() {
		s.skip(j, 1)
		j.owed = time.Time{}
	}
}

// catchUp runs the slot that the run which has just ended kept from running, when that was only just: a deadline as long as the period
// ends a little after the next slot, and must not cost every second one.
func (s *Scheduler) catchUp(j *job) {
	if owed := j.owed; !owed.IsZero() && s.now().Sub(owed) <= j.check.period()/10 {
		j.owed = time.Time{}
		s.enqueue(j, turn{due: owed})
		return
	}
	s.giveUp(j)
}

func (s *Scheduler) skip(j *job, slots uint64) {
	j.skipped += slots
	s.count.Skipped += slots
}

// takeExtra uses one of the runs that were asked for.
func (s *Scheduler) takeExtra(j *job, now time.Time) {
	t := turn{due: j.extra.at, extra: true, confirm: j.extra.confirm}
	j.extra.left--
	j.extra.at = now.Add(j.extra.every)
	s.enqueue(j, t)
}

func (s *Scheduler) enqueue(j *job, t turn) {
	j.state, j.turn = waiting, t
	if j.slow {
		s.slow.push(j)
	} else {
		s.quick.push(j)
	}
}

// start gives free places to waiting jobs, in turn to quick and slow ones.
func (s *Scheduler) start(ctx context.Context) {
	for s.running < s.atOnce && ctx.Err() == nil {
		slowMay := s.slow.len() > 0 && s.slow.running < max(1, s.atOnce*3/4)
		switch {
		case s.quick.len() > 0:
			s.launch(ctx, s.quick.pop(), false)
			if slowMay && s.running < s.atOnce {
				s.launch(ctx, s.slow.pop(), true)
			}
		case slowMay:
			s.launch(ctx, s.slow.pop(), true)
		default:
			return
		}
	}
}

// launch starts the run of a job that has waited.
func (s *Scheduler) launch(ctx context.Context, j *job, slow bool) {
	if j.removed {
		s.retire(j)
		return
	}
	j.state, j.place, j.started = running, slow, s.now()
	s.running++
	if slow {
		s.slow.running++
	}
	if !j.turn.extra {
		s.lates.add(j.started.Sub(j.turn.due))
	}
	check, t, started := j.check, j.turn, j.started
	s.working.Go(func() { s.work(ctx, j, check, t, started) })
}

// retire forgets a removed job and closes its collector without holding up the caller.
func (s *Scheduler) retire(j *job) {
	j.state = idle
	s.due.take(j)
	delete(s.jobs, j.check.ID)
	collector := j.check.Collector
	s.working.Go(func() { s.closeAll([]Collector{collector}) })
}

// work is one run, in its own goroutine.
func (s *Scheduler) work(ctx context.Context, j *job, check Check, t turn, started time.Time) {
	bounded, cancel := context.WithTimeout(ctx, check.deadline())
	result, broken := s.probe(bounded, check)
	cancel()
	run := Run{
		Check: check.ID, Kind: check.Kind, At: started.Round(0).UTC(),
		Took: s.now().Sub(started), Late: max(0, started.Sub(t.due)), Confirm: t.confirm, Result: result,
	}
	if s.counts(ctx, j, &run, broken) {
		if samples := samplesOf(check, run); len(samples) > 0 {
			s.sink.Put(samples)
		}
		if s.runs != nil {
			s.runs.Add(run)
		}
	}
	s.finish(ctx, j, run.Took)
}

// probe is the border to the kinds: whatever panics in one becomes a failed run.
func (s *Scheduler) probe(ctx context.Context, check Check) (result Result, broken *breakage) {
	defer func() {
		if p := recover(); p != nil {
			broken = &breakage{what: fmt.Sprint(p), stack: debug.Stack()}
			result = Result{Why: Because("check.panic", broken.what)}
		}
	}()
	return check.Collector.Probe(ctx), nil
}

// breakage is a panic of a Probe.
type breakage struct {
	what  string
	stack []byte
}

// counts brings the counters up to date, cleans the result, and reports whether it is to be kept: not when the run was ended by our own
// end, or when its check has been changed or removed meanwhile.
func (s *Scheduler) counts(ctx context.Context, j *job, run *Run, broken *breakage) bool {
	refused := refuse(&run.Result)
	s.mu.Lock()
	defer s.mu.Unlock()
	if broken != nil {
		s.count.Panics++
		if !j.told {
			s.log.Error("a check panicked", "check", run.Check, "kind", run.Kind, "panic", broken.what, "stack", string(broken.stack))
		}
	}
	j.told = broken != nil
	if ctx.Err() != nil || j.removed || j.changed != nil {
		return false
	}
	s.count.Runs++
	s.count.Refused += uint64(refused)
	if !run.Result.OK {
		s.count.Failed++
	}
	if run.Took > j.check.deadline()+overdue {
		s.count.Overran++
	}
	j.runs++
	return true
}

// overdue is how much longer than its deadline a run may take before it counts as one that does not keep it.
const overdue = time.Second

// refuse takes figures that are not finite out of the result, says so in its steps, and returns how many there were.
func refuse(r *Result) int {
	finite := func(v Value) bool { return !math.IsNaN(v.Value) && !math.IsInf(v.Value, 0) }
	if !slices.ContainsFunc(r.Values, func(v Value) bool { return !finite(v) }) {
		return 0
	}
	kept := make([]Value, 0, len(r.Values))
	for _, v := range r.Values {
		if finite(v) {
			kept = append(kept, v)
		} else {
			r.Steps = append(slices.Clip(r.Steps), Because("check.not_finite", string(v.Metric)))
		}
	}
	refused := len(r.Values) - len(kept)
	r.Values = kept
	return refused
}

// samplesOf is what a run measured, for the sinks.
func samplesOf(check Check, run Run) []Sample {
	samples := make([]Sample, len(run.Result.Values))
	part, instance := "", check.ID.Instance
	for i := range run.Result.Values {
		v := &run.Result.Values[i]
		if v.Part != part { // the values of one part come together
			part, instance = v.Part, check.ID.Part(v.Part)
		}
		why := v.Why
		if why.IsZero() {
			why = run.Result.Why
		}
		samples[i] = Sample{
			Series: Series{Metric: v.Metric, Ref: check.ID.Ref, Instance: instance},
			At:     run.At, Value: v.Value, Reason: why, Detail: v.Detail, Every: check.Every,
		}
	}
	return samples
}

// finish gives the place back and makes the job ready for its next run, changed or removed as was asked meanwhile.
func (s *Scheduler) finish(ctx context.Context, j *job, took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running--
	if j.place {
		s.slow.running--
	}
	j.state = idle
	j.slow = took > j.check.deadline()/2
	switch {
	case j.removed:
		s.retire(j)
	case j.changed != nil:
		old := useless(j.check.Collector, j.changed.Collector)
		s.change(j, *j.changed)
		s.working.Go(func() { s.closeAll(old) })
	default:
		s.catchUp(j)
		s.due.place(j)
	}
	s.start(ctx)
	if j.extra.left > 0 || s.due.Len() > 0 && s.due[0] == j {
		s.look()
	}
}
