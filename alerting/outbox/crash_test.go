package outbox_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"vigia/alerting"
	"vigia/alerting/outbox"
)

// process is one life of Vigía: when it has crashed, nothing of it reaches the queue or a receiver any more.
type process struct {
	*memory
	dead atomic.Bool
	one  sync.Mutex                     // hook is called by one goroutine at a time
	hook func(p *process, point string) // may kill it
}

func (p *process) at(point string) bool {
	p.one.Lock()
	defer p.one.Unlock()
	if p.hook != nil && !p.dead.Load() {
		p.hook(p, point)
	}
	return !p.dead.Load()
}

// Claim is memory's, while the process lives.
func (p *process) Claim(ctx context.Context, now time.Time, lease time.Duration, limit int, busy []string) ([]alerting.Notification, error) {
	if !p.at("claim") {
		return nil, errAway
	}
	list, err := p.memory.Claim(ctx, now, lease, limit, busy)
	if len(list) > 0 && !p.at("claimed") {
		return nil, errAway
	}
	return list, err
}

// Settle is memory's, while the process lives.
func (p *process) Settle(ctx context.Context, results []outbox.Result) error {
	if !p.at("settle") {
		return errAway
	}
	if err := p.memory.Settle(ctx, results); err != nil {
		return err
	}
	p.at("settled")
	return nil
}

// NextDue is memory's, while the process lives.
func (p *process) NextDue(ctx context.Context) (time.Time, error) {
	if p.dead.Load() {
		return time.Time{}, errAway
	}
	return p.memory.NextDue(ctx)
}

// mouth is the process's side of a receiver.
type mouth struct {
	p   *process
	ear *ear
}

// Notify reaches the ear, while the process lives.
func (m mouth) Notify(ctx context.Context, message alerting.Message) (alerting.Receipt, error) {
	if !m.p.at("send") {
		return alerting.Receipt{}, errAway
	}
	receipt, err := m.ear.Notify(ctx, message)
	if !m.p.at("sent") {
		return alerting.Receipt{}, errAway
	}
	return receipt, err
}

// live runs a process for a while on the queue and stops it.
func live(t *testing.T, q *memory, ears map[string]*ear, d time.Duration, hook func(*process, string)) {
	t.Helper()
	p := &process{memory: q, hook: hook}
	mouths := notifiers{}
	for name, e := range ears {
		mouths[name] = mouth{p, e}
	}
	_, stop := run(t, outbox.Config{Queue: p, Notifiers: mouths})
	time.Sleep(d)
	stop()
}

func TestCrashes(t *testing.T) {
	tests := []struct {
		point  string
		copies int // how often it is heard in the end
	}{
		{"claim", 1}, {"claimed", 1}, {"send", 1}, {"sent", 2}, {"settle", 2}, {"settled", 1},
	}
	for _, tt := range tests {
		t.Run(tt.point, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q, noc := newMemory(), &ear{}
				key := q.add("noc", 1, alerting.Critical)
				live(t, q, map[string]*ear{"noc": noc}, time.Second, func(p *process, point string) {
					if point == tt.point {
						p.dead.Store(true)
					}
				})
				live(t, q, map[string]*ear{"noc": noc}, time.Minute, nil)
				want := make([]string, tt.copies)
				for i := range want {
					want[i] = key
				}
				if diff := cmp.Diff(want, noc.keys()); diff != "" {
					t.Errorf("heard (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(states{alerting.NotificationSent: 1}, q.states()); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

// TestManyCrashes kills process after process at random points while notifications keep coming, and counts: everything is heard, and a crash
// makes at most one more copy of what was on its way to each receiver.
func TestManyCrashes(t *testing.T) {
	for seed := range uint64(60) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			q, ears := newMemory(), map[string]*ear{"noc": {}, "soc": {pace: alerting.Pace{Burst: 2, Every: time.Second}}}
			crashes, added := 0, 0
			for range 8 {
				for range random.IntN(9) {
					added++
					q.add([]string{"noc", "soc"}[random.IntN(2)], added, alerting.Severity(1+random.IntN(5)))
				}
				steps := random.IntN(30)
				live(t, q, ears, 3*time.Second, func(p *process, _ string) {
					if steps--; steps == 0 {
						p.dead.Store(true)
						crashes++
					}
				})
			}
			live(t, q, ears, 5*time.Minute, nil)
			if got := q.states()[alerting.NotificationSent]; got != added {
				t.Fatalf("seed %d: %d of %d sent", seed, got, added)
			}
			for _, e := range ears {
				copies := map[string]int{}
				for _, m := range e.heard {
					for _, one := range append(m.Digest, m) {
						copies[one.Key]++
					}
				}
				for key, n := range copies {
					if n > 1+crashes {
						t.Errorf("seed %d: %s heard %d times after %d crashes", seed, key, n, crashes)
					}
				}
			}
		})
	}
}

// TestStopGivesBack: what a stopped process had claimed and not begun is due at once; the send that was under way is finished.
func TestStopGivesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, noc := newMemory(), &ear{}
		noc.answer = func(context.Context, alerting.Message) error {
			time.Sleep(3 * time.Second)
			return nil
		}
		for i := range 4 {
			q.add("noc", i, alerting.Major)
		}
		_, stop := run(t, outbox.Config{Queue: q, Notifiers: notifiers{"noc": noc}})
		time.Sleep(time.Second)
		start := time.Now()
		stop()
		if took := time.Since(start); took != 2*time.Second {
			t.Errorf("stopping took %v, want the 2 s that the send needed", took)
		}
		if diff := cmp.Diff(states{alerting.NotificationSent: 1, alerting.NotificationPending: 3}, q.states()); diff != "" {
			t.Error(diff)
		}
		noc.set(nil)
		_, stop = run(t, outbox.Config{Queue: q, Notifiers: notifiers{"noc": noc}})
		synctest.Wait()
		stop()
		if len(noc.heard) != 4 {
			t.Errorf("heard %d, want 4 without a copy", len(noc.heard))
		}
	})
}

func TestStopDoesNotWaitForAHangingReceiver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, noc := newMemory(), &ear{answer: hang}
		q.add("noc", 1, alerting.Major)
		_, stop := run(t, outbox.Config{Queue: q, Notifiers: notifiers{"noc": noc}})
		time.Sleep(time.Second)
		start := time.Now()
		stop()
		if took := time.Since(start); took != 5*time.Second {
			t.Errorf("stopping took %v, want the 5 s of Grace", took)
		}
		if diff := cmp.Diff(states{alerting.NotificationPending: 1}, q.states()); diff != "" {
			t.Error(diff)
		}
	})
}

// TestLeaseIsNeverOutlived: with a receiver that takes 9 s each time, nothing is sent under a lease that may have run out.
func TestLeaseIsNeverOutlived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, noc := newMemory(), &ear{}
		noc.answer = func(context.Context, alerting.Message) error {
			time.Sleep(9 * time.Second)
			return nil
		}
		for i := range 5 {
			q.add("noc", i, alerting.Major)
		}
		_, stop := run(t, outbox.Config{Queue: q, Notifiers: notifiers{"noc": noc}})
		time.Sleep(2 * time.Minute)
		stop()
		if len(noc.heard) != 5 {
			t.Errorf("heard %d, want 5", len(noc.heard))
		}
		if diff := cmp.Diff(states{alerting.NotificationSent: 5}, q.states()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestTwoOutboxesOnOneQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, noc := newMemory(), &ear{}
		_, stopA := run(t, outbox.Config{Queue: q, Notifiers: notifiers{"noc": noc}})
		_, stopB := run(t, outbox.Config{Queue: q, Notifiers: notifiers{"noc": noc}})
		for i := range 40 {
			q.add("noc", i, alerting.Major)
			time.Sleep(time.Second)
		}
		time.Sleep(10 * time.Second)
		stopA()
		stopB()
		if len(noc.heard) != 40 {
			t.Errorf("heard %d, want 40: a lease keeps the other away", len(noc.heard))
		}
	})
}
