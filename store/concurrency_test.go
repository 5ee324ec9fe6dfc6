package store_test

import (
	"sync"
	"testing"
	"time"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/store"
	"vigia/store/storetest"
)

// Everything at once, as in a running process: nobody blocks anybody for ever, nothing is lost, the race detector is quiet.
func TestEverythingAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open storetest.Opener) {
		s := open(func(c *store.Config) { c.FlushEvery = 5 * time.Millisecond })
		stop := run(t, s)
		acquire(t, s)
		ticks, end := s.Subscribe()
		defer end()
		const changes, puts = 40, 200
		now := time.Now()
		var writers sync.WaitGroup
		writers.Go(func() {
			for n := range int64(changes) {
				apply(t, s, outage(n+1, link, alerting.Major, now))
			}
		})
		writers.Go(func() {
			for sent := 0; sent < changes; {
				list, err := s.Claim(t.Context(), now.Add(time.Hour), time.Minute, 10, nil)
				if err != nil {
					t.Error(err)
					return
				}
				for _, n := range list {
					settle(t, s, attempt(n, alerting.NotificationSent, time.Time{}))
				}
				sent += len(list)
			}
		})
		for w := range 2 {
			writers.Go(func() {
				name := series(link, collectors.LossPct)
				name.Instance = string(rune('a' + w))
				for i := range puts {
					s.Put(line(name, now.Add(time.Duration(i-puts)*10*time.Second), time.Second, 10))
				}
			})
		}
		written := make(chan struct{})
		var readers sync.WaitGroup
		readers.Go(func() {
			for {
				select {
				case <-written:
					return
				case <-ticks:
				}
				read(t, s, series(link, collectors.LossPct), now.Add(-time.Hour), now, 100)
				got[[]alerting.Incident](t)(s.Incidents(t.Context(), store.Everything(), store.IncidentFilter{}))
				s.AllSeries(store.Everything())
				s.Stats()
			}
		})
		writers.Wait()
		close(written)
		readers.Wait()
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		stats := s.Stats()
		if stats.Written != 2*puts*10 || stats.Dropped != 0 || stats.Pending != 0 {
			t.Errorf("got %+v", stats)
		}
		if n := len(got[alerting.Snapshot](t)(s.Load(t.Context())).Notifications); n != 0 {
			t.Errorf("%d notifications wait", n)
		}
	})
}
