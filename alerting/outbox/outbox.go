package outbox

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"vigia/alerting"
)

// Config is what an Outbox needs. Only Queue is required; the rest has defaults.
type Config struct {
	Queue     Queue
	Notifiers map[string]alerting.Notifier // by receiver; SetNotifiers replaces them
	Now       func() time.Time             // time.Now
	Logger    *slog.Logger                 // nobody
	Jitter    func() float64               // from [0, 1); random

	Timeout     time.Duration // of one send; 10 s
	Lease       time.Duration // how long a claim is ours, longer than Timeout; 30 s
	GiveUpAfter time.Duration // how long a receiver may fail before the fallback hears of it; 45 s
	Grace       time.Duration // how long a send may go on when Run is to end; 5 s
	Poll        time.Duration // how often the queue is looked at when nobody wakes us; 2 s
	Limit       int           // how much is claimed at once, and so the longest digest; 500
	DigestOver  int           // more than that due to one receiver at once becomes a digest; 5
}

func (c Config) withDefaults() Config {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Jitter == nil {
		c.Jitter = rand.Float64
	}
	c.Timeout = cmp.Or(c.Timeout, 10*time.Second)
	c.Lease = max(cmp.Or(c.Lease, 30*time.Second), c.Timeout+leaseMargin)
	c.GiveUpAfter = cmp.Or(c.GiveUpAfter, 45*time.Second)
	c.Grace = cmp.Or(c.Grace, 5*time.Second)
	c.Poll = cmp.Or(c.Poll, 2*time.Second)
	c.Limit = cmp.Or(c.Limit, 500)
	c.DigestOver = cmp.Or(c.DigestOver, 5)
	return c
}

// leaseMargin is what must be left of a lease beyond the timeout when a send begins, for settling it.
const leaseMargin = 2 * time.Second

// Outbox sends. Make it with New, run it with Run; Wake, SetNotifiers and Health may be called from anywhere.
type Outbox struct {
	cfg  Config
	wake chan struct{} // there is something new
	free chan struct{} // a worker is done

	mu        sync.Mutex // guards everything below
	notifiers map[string]alerting.Notifier
	receivers map[string]*receiver
}

// receiver is what is known of one of them. Fields are guarded by Outbox.mu.
type receiver struct {
	name     string
	busy     bool // a worker speaks to it
	rest     time.Time
	failing  failing
	refused  string // the last permanent refusal since it took something
	bucket   bucket
	missed   missed
	lastSent time.Time
}

// New makes an Outbox that does nothing until Run.
func New(cfg Config) *Outbox {
	o := &Outbox{cfg: cfg.withDefaults(), wake: make(chan struct{}, 1), free: make(chan struct{}, 1), receivers: map[string]*receiver{}}
	o.notifiers = maps.Clone(o.cfg.Notifiers)
	return o
}

// Wake says that there is something new in the queue. It never blocks.
func (o *Outbox) Wake() { signal(o.wake) }

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// SetNotifiers replaces the receivers, after a new configuration. What is under way goes on with the old ones; no receiver
// rests any longer, since the configuration may have mended it.
func (o *Outbox) SetNotifiers(notifiers map[string]alerting.Notifier) {
	o.mu.Lock()
	o.notifiers = maps.Clone(notifiers)
	for name, r := range o.receivers {
		r.rest, r.missed.at = time.Time{}, time.Time{}
		if notifiers[name] == nil && !r.busy {
			delete(o.receivers, name)
		}
	}
	o.mu.Unlock()
	o.Wake()
}

// Health is how one receiver is.
type Health struct {
	Receiver     string
	FailingSince time.Time // zero: it is well, as far as is known
	Failures     int       // in a row
	LastError    string
	LastSent     time.Time
	Missed       int // incidents that it will be told of when it can be reached again
}

// Health lists every receiver that has been spoken to, by name.
func (o *Outbox) Health() []Health {
	o.mu.Lock()
	defer o.mu.Unlock()
	list := make([]Health, 0, len(o.receivers))
	for _, name := range slices.Sorted(maps.Keys(o.receivers)) {
		r := o.receivers[name]
		list = append(list, Health{name, r.failing.since, r.failing.count, r.failing.last, r.lastSent, len(r.missed.list)})
	}
	return list
}

// Run sends until ctx ends, and returns nil. It waits for the workers: each finishes the send that is under way, or gives back what it holds.
func (o *Outbox) Run(ctx context.Context) error {
	var workers sync.WaitGroup
	defer workers.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	failures := 0
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-o.wake:
		case <-o.free:
			if o.wait(ctx, timer) {
				continue
			}
		case <-timer.C:
			if o.wait(ctx, timer) {
				continue
			}
		}
		again, err := o.turn(ctx, &workers)
		failures = o.noteQueue(ctx, err, failures)
		switch {
		case failures > 0:
			timer.Reset(backoff(failures, o.cfg.Jitter()))
		case again:
			timer.Reset(0)
		default:
			timer.Reset(o.pause(ctx))
		}
	}
}

// wait sets the timer to when something is due, or reports false when that is now.
func (o *Outbox) wait(ctx context.Context, timer *time.Timer) bool {
	d := o.untilDue(ctx)
	if d > 0 {
		timer.Reset(d)
	}
	return d > 0
}

// untilDue is how long nothing is due, at most Poll; zero when something is, or when that cannot be known.
func (o *Outbox) untilDue(ctx context.Context) time.Duration {
	now := o.cfg.Now()
	if o.missedDue(now) {
		return 0
	}
	due, err := o.cfg.Queue.NextDue(ctx)
	switch {
	case err != nil:
		return 0 // Claim will say it again, and is backed off
	case due.IsZero():
		return o.cfg.Poll
	}
	return min(due.Sub(now), o.cfg.Poll)
}

// pause is how long to wait after a turn. What is due to receivers that are busy or rest is not due to us.
func (o *Outbox) pause(ctx context.Context) time.Duration {
	now := o.cfg.Now()
	wait := o.untilDue(ctx)
	if wait > 0 {
		return wait
	}
	wait = o.cfg.Poll
	o.mu.Lock()
	defer o.mu.Unlock()
	for name, r := range o.receivers {
		if at := r.available(o.notifiers[name]); !r.busy && at.After(now) {
			wait = min(wait, at.Sub(now))
		}
	}
	return wait
}

// available is when the receiver may be spoken to again.
func (r *receiver) available(n alerting.Notifier) time.Time {
	at := r.rest
	if p := paceOf(n); p.Burst > 0 && r.bucket.tokens < 1 && !r.bucket.at.IsZero() {
		if next := r.bucket.next(p); next.After(at) {
			at = next
		}
	}
	return at
}

func paceOf(n alerting.Notifier) alerting.Pace {
	if p, ok := n.(alerting.Paced); ok {
		return p.Pace()
	}
	return alerting.Pace{}
}

// noteQueue logs the first failure of the queue and its recovery, and returns how often it has failed in a row.
func (o *Outbox) noteQueue(ctx context.Context, err error, failures int) int {
	switch {
	case err == nil && failures > 0:
		o.cfg.Logger.Info("outbox can be read again", "failures", failures)
	case err != nil && failures == 0 && ctx.Err() == nil:
		o.cfg.Logger.Error("outbox cannot be read; notifications wait", "err", err)
	}
	if err == nil {
		return 0
	}
	return failures + 1
}

// turn claims what is due and starts a worker for each receiver of it. Again says that there may be more.
func (o *Outbox) turn(ctx context.Context, workers *sync.WaitGroup) (again bool, err error) {
	now := o.cfg.Now()
	claimed, err := o.cfg.Queue.Claim(ctx, now, o.cfg.Lease, o.cfg.Limit, o.unavailable(now))
	if err != nil {
		return false, err
	}
	groups := map[string][]alerting.Notification{}
	for _, n := range claimed {
		groups[n.Receiver] = append(groups[n.Receiver], n)
	}
	o.addMissed(groups, now)
	for name, due := range groups {
		w := o.worker(name, due, now.Add(o.cfg.Lease))
		workers.Go(func() { w.serve(ctx) })
	}
	return len(claimed) == o.cfg.Limit, nil
}

// unavailable lists the receivers that nothing is claimed for: a worker speaks to them, they rest, or have heard enough for the moment.
func (o *Outbox) unavailable(now time.Time) []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	var names []string
	for name, r := range o.receivers {
		if r.busy || r.rest.After(now) || r.bucket.fill(paceOf(o.notifiers[name]), now) < 1 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// addMissed lets receivers that missed something have a worker although nothing new is due to them.
func (o *Outbox) addMissed(groups map[string][]alerting.Notification, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for name, r := range o.receivers {
		if o.offers(r, now) && groups[name] == nil {
			groups[name] = []alerting.Notification{}
		}
	}
}

func (o *Outbox) missedDue(now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, r := range o.receivers {
		if o.offers(r, now) {
			return true
		}
	}
	return false
}

// offers reports whether it is time to offer the receiver what it missed.
func (o *Outbox) offers(r *receiver, now time.Time) bool {
	return len(r.missed.list) > 0 && !r.busy && o.notifiers[r.name] != nil && !r.missed.at.After(now) && !r.rest.After(now)
}

// worker takes the receiver for a worker.
func (o *Outbox) worker(name string, due []alerting.Notification, until time.Time) *worker {
	o.mu.Lock()
	defer o.mu.Unlock()
	r := o.receivers[name]
	if r == nil {
		r = &receiver{name: name}
		o.receivers[name] = r
	}
	r.busy = true
	return &worker{o: o, cfg: &o.cfg, r: r, notifier: o.notifiers[name], due: due, until: until}
}
