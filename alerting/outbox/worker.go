package outbox

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"vigia/alerting"
)

// worker speaks to one receiver: what is due to it, and then what it missed.
type worker struct {
	o        *Outbox
	cfg      *Config
	r        *receiver
	notifier alerting.Notifier // nil: no receiver of that name is configured
	due      []alerting.Notification
	until    time.Time // the end of the lease
}

const notConfigured = "no receiver of this name is configured"

func (w *worker) serve(ctx context.Context) {
	defer w.done()
	if w.notifier == nil {
		w.closeAll(ctx, w.due, alerting.NotificationGivenUp, time.Time{}, notConfigured)
		return
	}
	parcels := pack(w.due, min(w.cfg.DigestOver, w.tokens()), w.cfg.Now())
	for i, p := range parcels {
		if ctx.Err() != nil || w.cfg.Now().Add(w.cfg.Timeout+leaseMargin).After(w.until) {
			w.closeAll(ctx, flatten(parcels[i:]), alerting.NotificationPending, w.cfg.Now(), "not tried yet: what came before took too long, or Vigía stopped")
			return
		}
		v, reason := w.send(ctx, p)
		if v.down {
			w.closeAll(ctx, flatten(parcels[i+1:]), v.state, v.rest, "not tried: the message before met "+reason)
			return
		}
	}
	w.sendMissed(ctx)
}

func flatten(parcels []parcel) []alerting.Notification {
	var all []alerting.Notification
	for _, p := range parcels {
		all = append(all, p.members...)
	}
	return all
}

// tokens is how many messages the receiver may hear now.
func (w *worker) tokens() int {
	w.o.mu.Lock()
	defer w.o.mu.Unlock()
	return w.r.bucket.fill(paceOf(w.notifier), w.cfg.Now())
}

// done hands the receiver back.
func (w *worker) done() {
	w.o.mu.Lock()
	w.r.busy = false
	if w.o.notifiers[w.r.name] == nil {
		delete(w.o.receivers, w.r.name)
	}
	w.o.mu.Unlock()
	signal(w.o.free)
}

// send makes one attempt at a parcel and settles it. Reason is what went wrong, in the receiver's words.
func (w *worker) send(ctx context.Context, p parcel) (v verdict, reason string) {
	start := w.cfg.Now()
	receipt, err := w.notify(ctx, p.message)
	end := w.cfg.Now()
	outcome := receipt.Outcome
	if err != nil {
		outcome = strings.TrimSuffix(err.Error(), ": "+alerting.ErrPermanent.Error()) // the mark is for us, the words are for people
	}
	outcome = alerting.Outcome(outcome)
	v = w.note(err, outcome, start, end)
	results := make([]Result, len(p.members))
	for i, n := range p.members {
		d := alerting.Delivery{Key: n.Key, Attempt: n.Attempts, At: start, Took: end.Sub(start), OK: err == nil, Outcome: outcome}
		if len(p.message.Digest) > 0 {
			d.Outcome += fmt.Sprintf(" (one digest of %d)", len(p.members))
		}
		results[i] = Result{Delivery: d, State: v.state, NextAt: v.rest}
	}
	w.remember(p.members, v)
	w.settle(ctx, results)
	return v, outcome
}

// note takes the attempt into the receiver's books, decides what follows from it, and logs when the receiver's condition changes.
func (w *worker) note(err error, outcome string, start, end time.Time) verdict {
	w.o.mu.Lock()
	defer w.o.mu.Unlock()
	r := w.r
	r.bucket.tokens--
	before, refused := r.failing, r.refused
	permanent := errors.Is(err, alerting.ErrPermanent)
	switch {
	case err == nil:
		r.failing, r.refused, r.lastSent = failing{}, "", end
	case permanent:
		r.refused = outcome
	default:
		if r.failing.count == 0 {
			r.failing.since = start
		}
		r.failing.count++
		r.failing.last = outcome
	}
	v := judge(err, end, r.failing, w.cfg.GiveUpAfter, w.cfg.Jitter())
	r.rest = v.rest
	switch log := w.cfg.Logger.With("receiver", r.name); {
	case err == nil && before.count > 0:
		log.Info("receiver can be reached again", "after", end.Sub(before.since).Round(time.Second).String(), "failures", before.count)
	case permanent && outcome != refused:
		log.Error("receiver refuses a notification for good", "outcome", outcome)
	case err != nil && !permanent && before.count == 0:
		log.Warn("receiver cannot be reached; trying again", "outcome", outcome)
	}
	return v
}

// remember keeps what the receiver will be told of later, and forgets what a newer message has made old.
func (w *worker) remember(members []alerting.Notification, v verdict) {
	w.o.mu.Lock()
	defer w.o.mu.Unlock()
	for _, n := range members {
		switch {
		case v.state == alerting.NotificationSent:
			w.r.missed.told(n)
		case v.keep:
			w.r.missed.keep(n)
		}
	}
	if v.keep {
		w.r.missed.tries++
		w.r.missed.at = w.later(v)
	}
}

// later is when what was missed is offered again.
func (w *worker) later(v verdict) time.Time {
	at := w.cfg.Now().Add(backoff(w.r.missed.tries+minFailures, w.cfg.Jitter()))
	if v.rest.After(at) {
		at = v.rest
	}
	return at
}

// notify makes the attempt itself. It has Timeout, and Grace once Run is to end. A panic of the notifier is an error like another.
func (w *worker) notify(ctx context.Context, m alerting.Message) (receipt alerting.Receipt, err error) {
	attempt, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.cfg.Timeout)
	defer cancel()
	defer context.AfterFunc(ctx, func() {
		select {
		case <-time.After(w.cfg.Grace):
			cancel()
		case <-attempt.Done():
		}
	})()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the notifier broke: %v", p)
		}
	}()
	return w.notifier.Notify(attempt, m)
}

// sendMissed tells the receiver, as one message, what it could not be told before.
func (w *worker) sendMissed(ctx context.Context) {
	w.o.mu.Lock()
	list := w.r.missed.due(w.cfg.Now())
	w.o.mu.Unlock()
	if len(list) == 0 || ctx.Err() != nil {
		return
	}
	start := w.cfg.Now()
	receipt, err := w.notify(ctx, digest(alerting.CauseMissed, list, start))
	end := w.cfg.Now()
	if err != nil {
		w.missedAgain(err, start, end)
		return
	}
	w.note(nil, "", start, end)
	results := make([]Result, len(list))
	for i, n := range list {
		d := alerting.Delivery{Key: n.Key, Attempt: n.Attempts + 1, At: start, Took: end.Sub(start), OK: true}
		d.Outcome = alerting.Outcome(receipt.Outcome) + fmt.Sprintf(" (one message of %d that it had missed)", len(list))
		results[i] = Result{Delivery: d, State: alerting.NotificationSent}
	}
	w.o.mu.Lock()
	for _, n := range list {
		w.r.missed.told(n)
	}
	w.r.missed.tries = 0
	w.o.mu.Unlock()
	w.settle(ctx, results)
}

// missedAgain puts off what was missed, or drops it when it is refused for good.
func (w *worker) missedAgain(err error, start, end time.Time) {
	v := w.note(err, alerting.Outcome(err.Error()), start, end)
	w.o.mu.Lock()
	defer w.o.mu.Unlock()
	if !v.down {
		w.r.missed = missed{}
		return
	}
	w.r.missed.tries++
	w.r.missed.at = w.later(v)
	w.r.rest = time.Time{} // what is new gets its own attempt at once
	if after := (*alerting.RetryAfterError)(nil); errors.As(err, &after) {
		w.r.rest = v.rest
	}
}

// closeAll settles notifications without an attempt, and says why.
func (w *worker) closeAll(ctx context.Context, list []alerting.Notification, state alerting.NotificationState, next time.Time, why string) {
	now := w.cfg.Now()
	results := make([]Result, len(list))
	for i, n := range list {
		d := alerting.Delivery{Key: n.Key, Attempt: n.Attempts, At: now, Outcome: alerting.Outcome(why)}
		results[i] = Result{Delivery: d, State: state, NextAt: next}
	}
	if state == alerting.NotificationGivenUp && w.notifier != nil {
		w.o.mu.Lock()
		for _, n := range list {
			w.r.missed.keep(n)
		}
		w.o.mu.Unlock()
	}
	w.settle(ctx, results)
}

const (
	settleTimeout    = 5 * time.Second
	firstSettleRetry = 100 * time.Millisecond
	lastSettleRetry  = 5 * time.Second
)

// settle records results, however long the queue refuses them: as long as this process lives, what was sent is not sent again. When Run is
// to end it tries once more; after that the lease runs out, and the next process sends again with the same key.
func (w *worker) settle(ctx context.Context, results []Result) {
	if len(results) == 0 {
		return
	}
	logged := false
	for delay := firstSettleRetry; ; delay = min(2*delay, lastSettleRetry) {
		last := ctx.Err() != nil
		attempt, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
		err := w.cfg.Queue.Settle(attempt, results)
		cancel()
		if err == nil {
			return
		}
		if !logged || last {
			w.cfg.Logger.Error("outcome of notifications cannot be stored", "receiver", w.r.name, "notifications", len(results), "err", err, "last try", last)
			logged = true
		}
		if last {
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(delay):
		}
	}
}
