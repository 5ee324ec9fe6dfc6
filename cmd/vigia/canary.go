package main

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"vigia/alerting"
	"vigia/collectors"
)

// Times of canaries.
const (
	canaryEvery = 30 * time.Second
	canaryLate  = 90 * time.Second // without one that passed, Vigía cannot be trusted to tell people
)

// canary is what waits at the end of the way that an alarm takes. A canary is put into the sink as a sample every half minute; the engine plans
// a notification for it, the store applies it, the outbox sends it, and it arrives here. It is a Notifier.
type canary struct {
	mu     sync.Mutex
	began  time.Time
	sent   time.Time // when the last one was put into the sink
	passed time.Time // when the newest that arrived had been put there
	took   time.Duration
	now    func() time.Time
}

func newCanary(now func() time.Time) *canary { return &canary{began: now(), now: now} }

// Notify takes one that has arrived, or a digest of several.
func (c *canary) Notify(_ context.Context, m alerting.Message) (alerting.Receipt, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, one := range append([]alerting.Message{m}, m.Digest...) {
		if one.Cause == alerting.CauseCanary && one.At.After(c.passed) {
			c.passed, c.took = one.At, c.now().Sub(one.At)
		}
	}
	return alerting.Receipt{Outcome: "arrived"}, nil
}

// age is how long ago the newest one that arrived was sent, and how long it took. Before the first it counts from the start.
func (c *canary) age(now time.Time) (age, took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	since := c.passed
	if since.Before(c.began) {
		since = c.began // those of the process before say nothing of this one
	}
	return max(now.Sub(since), 0), c.took
}

// due reports whether the next one is to be sent, and notes that it is.
func (c *canary) due(now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Sub(c.sent) < canaryEvery && !now.Before(c.sent) {
		return false
	}
	c.sent = now
	return true
}

// late says so when none has arrived for too long.
func (c *canary) late(now time.Time) error {
	if age, _ := c.age(now); age > canaryLate {
		return fmt.Errorf("no canary has come through collecting, judging, storing and sending for %s", age.Round(time.Second))
	}
	return nil
}

// sample is the canary that sets out: it says how long ago the last one arrived.
func (c *canary) sample(now time.Time, own func(collectors.Metric, float64, collectors.Reason) collectors.Sample) collectors.Sample {
	age, took := c.age(now)
	m := own(collectors.VigiaCanaryS, age.Seconds(), collectors.Because("app.canary", collectors.FormatSpan(collectors.English, age.Round(time.Second)), float64(took.Milliseconds())))
	m.Every = canaryEvery
	return m
}

// with adds the canary's receiver to those of the configuration.
func (c *canary) with(notifiers map[string]alerting.Notifier) map[string]alerting.Notifier {
	all := maps.Clone(notifiers)
	if all == nil {
		all = map[string]alerting.Notifier{}
	}
	all[alerting.CanaryReceiver] = c
	return all
}
