package store_test

import (
	"fmt"
	"testing"
	"time"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
	"vigia/store"
	"vigia/store/storetest"
)

func BenchmarkApplySmall(b *testing.B) {
	storetest.EachBenchmark(b, func(b *testing.B, open storetest.Opener) {
		s := open()
		acquire(b, s)
		n := int64(0)
		for b.Loop() {
			n++
			apply(b, s, outage(n, link, alerting.Major, noon))
		}
	})
}

// A storm: 1,000 alarms in one Change.
func BenchmarkApplyStorm(b *testing.B) {
	storetest.EachBenchmark(b, func(b *testing.B, open storetest.Opener) {
		s := open()
		n := int64(0)
		for b.Loop() {
			c := alerting.Change{At: noon}
			for range 1000 {
				n++
				one := outage(n, link, alerting.Major, noon)
				c.Alarms = append(c.Alarms, one.Alarms...)
				c.Events = append(c.Events, one.Events...)
			}
			apply(b, s, c)
		}
	})
}

func BenchmarkClaim(b *testing.B) {
	storetest.EachBenchmark(b, func(b *testing.B, open storetest.Opener) {
		s := open()
		acquire(b, s)
		c := alerting.Change{At: noon}
		for n := range 5000 {
			c.Notifications = append(c.Notifications, told(int64(n), "a", alerting.Major, noon))
		}
		apply(b, s, c)
		now := noon
		for b.Loop() {
			claim(b, s, now, 1)
			now = now.Add(time.Second)
		}
	})
}

func BenchmarkClaimAndSettle(b *testing.B) {
	storetest.EachBenchmark(b, func(b *testing.B, open storetest.Opener) {
		s := open()
		acquire(b, s)
		c := alerting.Change{At: noon}
		for n := range 100 {
			c.Notifications = append(c.Notifications, told(int64(n), "a", alerting.Major, noon))
		}
		apply(b, s, c)
		for b.Loop() {
			list := claim(b, s, noon, 1)
			settle(b, s, attempt(list[0], alerting.NotificationPending, noon))
		}
	})
}

// many are n series of as many servers.
func many(n int) []collectors.Series {
	names := make([]collectors.Series, n)
	for i := range names {
		names[i] = series(inventory.Ref{Kind: inventory.KindServer, Name: fmt.Sprint("server-", i)}, collectors.LatencyMS)
	}
	return names
}

func BenchmarkPutAndFlush10000(b *testing.B) {
	storetest.EachBenchmark(b, func(b *testing.B, open storetest.Opener) {
		now := noon
		s := open(func(c *store.Config) { c.Now = func() time.Time { return now } })
		names := many(10_000)
		samples := make([]collectors.Sample, len(names))
		for b.Loop() {
			now = now.Add(10 * time.Second)
			for i, name := range names {
				samples[i] = collectors.Sample{Series: name, At: now, Value: float64(i%1000) / 8, Every: 10 * time.Second}
			}
			s.Put(samples)
			flush(b, s)
		}
	})
}

// twoHours is a store with two hours at ten seconds of n series, written in flushes of two seconds' worth, as another process sees it.
func twoHours(b *testing.B, open storetest.Opener, n int) (withHead, withoutHead *store.Store, names []collectors.Series) {
	b.Helper()
	clock := at(noon.Add(2 * time.Hour))
	withHead, names = open(clock), many(n)
	for step := range 720 {
		for part := range 5 { // each fifth of the series has its own two seconds
			var samples []collectors.Sample
			for i := part; i < n; i += 5 {
				when := noon.Add(time.Duration(step)*10*time.Second + time.Duration(part)*2*time.Second)
				samples = append(samples, collectors.Sample{Series: names[i], At: when, Value: float64(step%100) / 8, Every: 10 * time.Second})
			}
			withHead.Put(samples)
		}
		flush(b, withHead)
	}
	return withHead, open(clock), names
}

func BenchmarkRange2h(b *testing.B) {
	storetest.EachBenchmark(b, func(b *testing.B, open storetest.Opener) {
		head, log, names := twoHours(b, open, 300)
		for where, s := range map[string]*store.Store{"head": head, "log": log} {
			b.Run(where, func(b *testing.B) {
				for b.Loop() {
					q := store.RangeQuery{Series: names[7], From: noon, To: noon.Add(2 * time.Hour), Points: 600}
					if r := got[store.RangeResult](b)(s.Range(b.Context(), store.Everything(), q)); len(r.Points) < 300 {
						b.Fatal(len(r.Points))
					}
				}
			})
		}
	})
}

func BenchmarkSparklines200(b *testing.B) {
	storetest.EachBenchmark(b, func(b *testing.B, open storetest.Opener) {
		head, log, names := twoHours(b, open, 300)
		for where, s := range map[string]*store.Store{"head": head, "log": log} {
			b.Run(where, func(b *testing.B) {
				for b.Loop() {
					lines, err := s.Sparklines(b.Context(), store.Everything(), names[:200], noon.Add(time.Hour), noon.Add(2*time.Hour), 60)
					if err != nil || len(lines) != 200 {
						b.Fatal(len(lines), err)
					}
				}
			})
		}
	})
}

func BenchmarkPut(b *testing.B) {
	s := storetest.Open(b, at(noon), func(c *store.Config) { c.MaxPending = 10_000 })
	names := many(10_000)
	one := make([]collectors.Sample, 1)
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		one[0] = collectors.Sample{Series: names[i%len(names)], At: noon.Add(-time.Hour).Add(time.Duration(i) * time.Millisecond), Value: 1, Every: time.Second}
		i++
		s.Put(one)
	}
}
