package alertingtest

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"vigia/alerting"
	"vigia/collectors"
)

// Start is the virtual time at which every world begins: a Monday.
var Start = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

// World is the pure engine with a Memory behind it, streams of values before it, and a clock that jumps from one thing that is due to the next.
type World struct {
	Now    time.Time
	Config *alerting.Config
	State  *alerting.State
	Memory *Memory

	ByHand   bool // deliveries: notifications stay unsent until Settle
	FailOnce bool // the Memory fails at every Change once
	Restarts bool // the State is rebuilt from the Memory after every Change

	Check func(w *World, p *alerting.Planned) error // looks at every Planned that was adopted

	streams map[collectors.Series]*stream
	held    alerting.Input
	seq     int64
	own     []collectors.Sample // samples about Vigía itself, all of them
	jumped  time.Duration
	retryAt time.Time
}

// stream is a value that comes again and again.
type stream struct {
	sample collectors.Sample
	next   time.Time
	probes []time.Time // immediate ones that the engine asked for
}

// due is when the next value comes.
func (s *stream) due() time.Time {
	if len(s.probes) > 0 && s.probes[0].Before(s.next) {
		return s.probes[0]
	}
	return s.next
}

// take is the value that comes next.
func (s *stream) take() collectors.Sample {
	m := s.sample
	m.At = s.due()
	if len(s.probes) > 0 && !s.probes[0].After(m.At) {
		s.probes = s.probes[1:]
	}
	if !s.next.After(m.At) {
		s.next = s.next.Add(m.Every)
	}
	return m
}

// retryEvery is how often a failing Memory is tried, as by the engine.
const retryEvery = 5 * time.Second

// NewWorld makes one at Start.
func NewWorld(cfg *alerting.Config) *World {
	return &World{
		Now: Start, Config: cfg, State: alerting.NewState(alerting.Snapshot{}), Memory: NewMemory(),
		streams: map[collectors.Series]*stream{}, held: alerting.Input{Reloaded: true},
	}
}

// Put hands in samples with the next plan.
func (w *World) Put(samples ...collectors.Sample) {
	w.held.Samples = append(w.held.Samples, samples...)
}

// Stream lets a value come now and every so often from now on. Every zero: once.
func (w *World) Stream(m collectors.Sample) {
	delete(w.streams, m.Series)
	m.At = w.Now
	if m.Every > 0 {
		w.streams[m.Series] = &stream{sample: m, next: w.Now.Add(m.Every)}
	}
	w.Put(m)
}

// Stop ends a stream.
func (w *World) Stop(s collectors.Series) { delete(w.streams, s) }

// Command posts a command.
func (w *World) Command(c alerting.Command) alerting.Command {
	w.seq++
	c.Seq, c.CreatedAt = w.seq, w.Now
	if c.ID == "" {
		c.ID = fmt.Sprintf("command-%d", w.seq)
	}
	w.held.Commands = append(w.held.Commands, c)
	return c
}

// Settle hands in what became of a notification.
func (w *World) Settle(key string, state alerting.NotificationState, outcome string) {
	w.held.Settled = append(w.held.Settled, w.Memory.Settle(key, state, outcome))
}

// Reload takes another configuration.
func (w *World) Reload(cfg *alerting.Config) { w.Config, w.held.Reloaded = cfg, true }

// Jump moves the wall clock.
func (w *World) Jump(by time.Duration) {
	w.Now = w.Now.Add(by)
	w.jumped += by
	w.held.Jump += by
	for _, s := range w.streams {
		s.next = s.next.Add(by)
		for i := range s.probes {
			s.probes[i] = s.probes[i].Add(by)
		}
	}
}

// At is the wall clock's time when so much time has passed since the start.
func (w *World) At(passed time.Duration) time.Time { return Start.Add(passed + w.jumped) }

// Restart rebuilds the State from the Memory.
func (w *World) Restart() error {
	s, err := w.Memory.Snapshot()
	if err != nil {
		return err
	}
	w.State = alerting.NewState(s)
	w.held.Reloaded = true
	return nil
}

// Dead lets the process be dead for so long and start again: what the streams gave meanwhile is missed.
func (w *World) Dead(d time.Duration) error {
	w.Now = w.Now.Add(d)
	for _, s := range w.streams {
		s.probes = nil
		for !s.next.After(w.Now) {
			s.next = s.next.Add(s.sample.Every)
		}
	}
	return w.Restart()
}

// RunTo lets virtual time pass until t; what is due at t itself waits for Plan.
func (w *World) RunTo(t time.Time) error {
	if t.After(w.Now) && !w.held.Empty() {
		if err := w.Plan(); err != nil {
			return err
		}
	}
	for {
		next := w.next()
		if next.IsZero() || !next.Before(t) {
			break
		}
		if next.After(w.Now) {
			w.Now = next
		}
		if err := w.Plan(); err != nil {
			return err
		}
	}
	if t.After(w.Now) {
		w.Now = t
	}
	return nil
}

// next is when something happens by itself.
func (w *World) next() time.Time {
	next := w.State.Next()
	if w.Memory.Failing && !next.IsZero() && !next.After(w.Now) {
		next = w.Now.Add(retryEvery)
	}
	for _, s := range w.streams {
		if next.IsZero() || s.due().Before(next) {
			next = s.due()
		}
	}
	return next
}

// flow puts what the streams give now, in an order that does not depend on chance.
func (w *World) flow() {
	keys := slices.SortedFunc(maps.Keys(w.streams), func(a, b collectors.Series) int {
		if a.Less(b) {
			return -1
		}
		return 1
	})
	for _, key := range keys {
		s := w.streams[key]
		for !s.due().After(w.Now) {
			w.Put(s.take())
		}
	}
}

// Plan takes what the streams give now, plans on all that waits, applies and adopts; again, when deliveries or samples of its own follow at once.
func (w *World) Plan() error {
	w.flow()
	for range 20 {
		again, err := w.planOnce()
		if err != nil || !again {
			return err
		}
	}
	return fmt.Errorf("at %s the engine does not come to rest", w.Now.Sub(Start))
}

func (w *World) planOnce() (again bool, err error) {
	if w.FailOnce && !w.Memory.Failing {
		if err := w.failFirst(); err != nil {
			return false, err
		}
	}
	if w.Memory.Failing && w.Now.Before(w.retryAt) {
		return false, nil
	}
	p := alerting.Plan(w.State, w.Config, w.held, w.Now)
	if !p.Change.Empty() {
		if err := w.Memory.Apply(context.Background(), p.Change); err != nil {
			w.retryAt = w.Now.Add(retryEvery)
			return false, nil
		}
	}
	w.State.Adopt(p)
	w.held = alerting.Input{}
	if w.Check != nil {
		if err := w.Check(w, &p); err != nil {
			return false, err
		}
	}
	w.follow(&p)
	if w.Restarts && !p.Change.Empty() {
		if err := w.Restart(); err != nil {
			return false, err
		}
	}
	return !w.held.Empty(), nil
}

// failFirst plans once in vain: the second plan must say exactly the same.
func (w *World) failFirst() error {
	before, err := throughJSON(w.State.Snapshot())
	if err != nil {
		return err
	}
	first := alerting.Plan(w.State, w.Config, w.held, w.Now)
	if first.Change.Empty() {
		return nil
	}
	again := alerting.Plan(w.State, w.Config, w.held, w.Now)
	if !reflect.DeepEqual(first.Change, again.Change) {
		return fmt.Errorf("at %s two plans on the same state differ:\n%+v\n%+v", w.Now.Sub(Start), first.Change, again.Change)
	}
	if after, err := throughJSON(w.State.Snapshot()); err != nil || !reflect.DeepEqual(before, after) {
		return fmt.Errorf("at %s a plan changed the state:\n%+v\n%+v", w.Now.Sub(Start), before, after)
	}
	return nil
}

// follow does what the world does after a plan: sends, probes again, gives the engine its own samples.
func (w *World) follow(p *alerting.Planned) {
	for _, c := range p.Confirms {
		if s := w.streams[c.Series]; s != nil {
			w.probe(s, c)
		}
	}
	w.own = append(w.own, p.Samples...)
	w.Put(p.Samples...)
	if !w.ByHand {
		for _, key := range w.Memory.Pending() {
			w.Settle(key, alerting.NotificationSent, "accepted")
		}
	}
}

// probe is the scheduler's answer to a request: extra values of the same stream.
func (w *World) probe(s *stream, c alerting.ConfirmRequest) {
	s.probes = nil
	for i := range c.Probes {
		s.probes = append(s.probes, w.Now.Add(time.Duration(i+1)*c.Every))
	}
}

// Own lists the samples about Vigía itself.
func (w *World) Own() []collectors.Sample { return w.own }

// Alarm finds the alarm of a series in the Memory: the one that is not clear, else the last one.
func (w *World) Alarm(s collectors.Series) (alerting.Alarm, bool) {
	var found alerting.Alarm
	for _, a := range w.Memory.Alarms {
		if a.Series == s && (a.State != alerting.Clear && (found.State == alerting.Clear || a.ID > found.ID) || found.State == alerting.Clear && a.ID > found.ID) {
			found = a
		}
	}
	return found, found.ID != 0
}
