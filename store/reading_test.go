package store_test

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"vigia/collectors"
	"vigia/store"
	"vigia/store/storetest"
)

// Who reads while samples move from the log to hours to days misses none that was flushed before, neither in the process that moves them
// nor in one that looks on.
func TestReadWhileCompacting(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open storetest.Opener) {
		var clock, next atomic.Int64
		options := func(c *store.Config) {
			c.Now = func() time.Time { return clockOf(clock.Load()) }
			c.HeadSamples = 1 // 64 of each series
		}
		active, standby := open(options), open(options)
		done := make(chan struct{})
		var others sync.WaitGroup
		others.Go(func() {
			for !over(done) {
				if err := active.Sweep(t.Context()); err != nil {
					t.Error(err)
					return
				}
			}
		})
		for i, s := range []*store.Store{active, standby} {
			others.Go(func() {
				chance := rand.New(rand.NewPCG(uint64(i), 1))
				for !over(done) {
					flushed := next.Load()
					if s == standby {
						if err := s.Follow(t.Context()); err != nil {
							t.Error(err)
							return
						}
					}
					readsAll(t, s, chance.Int64N(40), flushed)
				}
			})
		}
		for n := int64(0); n < 9000; {
			var samples []collectors.Sample
			for range 30 {
				samples = append(samples, numbered(n))
				n++
			}
			clock.Store(n)
			active.Put(samples)
			flush(t, active)
			next.Store(n)
		}
		close(done)
		others.Wait()
	})
}

func over(done chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}

// readsAll expects all samples of the series of a number that are below another one, each once.
func readsAll(t *testing.T, s *store.Store, k, flushed int64) {
	q := store.RangeQuery{Series: numbered(k).Series, From: november.Add(-24 * time.Hour), To: clockOf(flushed + 1000)}
	result, err := s.Range(t.Context(), store.Everything(), q)
	if err != nil {
		t.Error(err)
		return
	}
	found := map[int64]bool{}
	for _, p := range result.Points {
		if found[p.At.UnixMicro()] {
			t.Errorf("a sample of %v is there twice", p.At)
		}
		found[p.At.UnixMicro()] = true
	}
	missing := 0
	for n := k; n < flushed; n += 40 {
		if !found[numbered(n).At.UnixMicro()] {
			missing++
		}
	}
	if missing > 0 {
		t.Errorf("of %d samples %d are missing", flushed/40, missing)
	}
}
