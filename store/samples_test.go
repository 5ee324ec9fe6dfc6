package store_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"vigia/collectors"
	"vigia/collectors/inventory"
	"vigia/store"
	"vigia/store/storetest"
)

// at is a store whose clock stands at a time.
func at(now time.Time) storetest.Option {
	return func(c *store.Config) { c.Now = func() time.Time { return now } }
}

func flush(t testing.TB, s *store.Store) {
	t.Helper()
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// line makes n samples of a series, every apart, from a time on; the values count up from 0.
func line(name collectors.Series, from time.Time, every time.Duration, n int) []collectors.Sample {
	list := make([]collectors.Sample, n)
	for i := range list {
		list[i] = collectors.Sample{Series: name, At: from.Add(time.Duration(i) * every), Value: float64(i), Every: every}
	}
	return list
}

func read(t testing.TB, s *store.Store, name collectors.Series, from, to time.Time, points int) store.RangeResult {
	t.Helper()
	return got[store.RangeResult](t)(s.Range(t.Context(), store.Everything(), store.RangeQuery{Series: name, From: from, To: to, Points: points}))
}

func values(points []store.Point) []float64 {
	list := []float64{}
	for _, p := range points {
		list = append(list, p.Mean)
	}
	return list
}

func TestLatestAndSeries(t *testing.T) {
	s := storetest.Open(t, at(noon))
	loss, up := series(link, collectors.LossPct), series(link, collectors.Up)
	if _, ok := s.Latest(store.Everything(), loss); ok {
		t.Error("there is a sample before the first")
	}
	newest := collectors.Sample{Series: loss, At: noon, Value: 11.2, Reason: collectors.Because("ping.loss", 11.2), Detail: "{}", Every: time.Second}
	s.Put([]collectors.Sample{newest, {Series: loss, At: noon.Add(-time.Second), Value: 1}, {Series: up, At: noon, Value: 1}})
	latest, ok := s.Latest(store.Everything(), loss)
	if !ok {
		t.Error("there is no sample")
	}
	differ(t, "a late sample is not the latest", latest, newest)
	differ(t, "series of the link", s.SeriesOf(store.Everything(), link), []collectors.Series{loss, up})
	differ(t, "all series", s.AllSeries(store.Everything()), []collectors.Series{loss, up})
	differ(t, "every", read(t, s, loss, noon.Add(-time.Minute), noon, 0).Every, time.Second)
}

func TestPutRefuses(t *testing.T) {
	s := storetest.Open(t, at(noon))
	good := series(link, collectors.LossPct)
	named := func(instance string) collectors.Series {
		return collectors.Series{Metric: "loss_pct", Ref: link, Instance: instance}
	}
	s.Put([]collectors.Sample{
		{Series: good, At: noon, Value: math.NaN()},
		{Series: good, At: noon, Value: math.Inf(1)},
		{Series: good, Value: 1},
		{Series: good, At: noon.Add(6 * time.Minute), Value: 1},
		{Series: named("\xff"), At: noon, Value: 1},
		{Series: named("a\x00b"), At: noon, Value: 1},
		{Series: named(strings.Repeat("x", 600)), At: noon, Value: 1},
		{Series: good, At: noon, Value: 7},
	})
	s.Put(nil)
	flush(t, s)
	if stats := s.Stats(); stats.Refused != 7 || stats.Taken != 1 || stats.Written != 1 || stats.Series != 1 {
		t.Errorf("got %+v", stats)
	}
}

// What was put is read back the same from the head, from the log, and from both.
func TestRangeAfterRestart(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open storetest.Opener) {
		now := noon.Add(3 * time.Hour)
		loss, other := series(link, collectors.LossPct), series(acme, collectors.MOSMean)
		s := open(at(now))
		samples := append(line(loss, noon, 10*time.Second, 1000), line(other, noon, 10*time.Second, 1000)...)
		rand.New(rand.NewPCG(1, 2)).Shuffle(len(samples), func(i, j int) { samples[i], samples[j] = samples[j], samples[i] })
		for part := range slices.Chunk(samples, 300) {
			s.Put(part)
			flush(t, s)
		}
		from, to := noon.Add(100*time.Second), noon.Add(9000*time.Second)
		want := make([]float64, 0, 891)
		for i := 10; i <= 900; i++ {
			want = append(want, float64(i))
		}
		differ(t, "head and log", values(read(t, s, loss, from, to, 0).Points), want)

		again := open(at(now))
		differ(t, "all from the log", values(read(t, again, loss, from, to, 0).Points), want)
		again.Put(line(loss, noon.Add(10000*time.Second), 10*time.Second, 5))
		differ(t, "log, then head", len(read(t, again, loss, from, now, 0).Points), 891+99+5)
		run(t, again)
		eventually(t, "the head is filled", func() bool { _, ok := again.Latest(store.Everything(), other); return ok })
		differ(t, "after the head was filled", values(read(t, again, loss, from, to, 0).Points), want)
		result := read(t, again, loss, from, to, 0)
		if len(result.Gaps) != 0 || result.Every != 10*time.Second {
			t.Errorf("gaps %v, every %v", result.Gaps, result.Every)
		}
		latest, _ := again.Latest(store.Everything(), other)
		differ(t, "the latest after a restart", latest,
			collectors.Sample{Series: other, At: noon.Add(9990 * time.Second), Value: 999, Every: 10 * time.Second})
	})
}

func TestGaps(t *testing.T) {
	sec := func(n int) time.Time { return noon.Add(time.Duration(n) * time.Second) }
	gap := func(a, b int) store.Gap { return store.Gap{From: sec(a), To: sec(b)} }
	tests := []struct {
		name     string
		at       []int
		every    time.Duration
		from, to int
		want     []store.Gap
	}{
		{"nothing at all", nil, 0, 0, 100, []store.Gap{gap(0, 100)}},
		{"none", []int{0, 10, 20, 30}, 10 * time.Second, 0, 40, nil},
		{"exactly three periods", []int{0, 30, 60}, 10 * time.Second, 0, 60, nil},
		{"more than three", []int{0, 31, 40, 80}, 10 * time.Second, 0, 80, []store.Gap{gap(0, 31), gap(40, 80)}},
		{"begin and end", []int{50, 60}, 10 * time.Second, 0, 100, []store.Gap{gap(0, 50), gap(60, 100)}},
		{"by the median", []int{0, 1, 2, 3, 50, 51}, 0, 0, 52, []store.Gap{gap(3, 50)}},
		{"one sample, no period", []int{50}, 0, 0, 100, nil},
		{"the future is no gap", []int{0, 10, 20}, 10 * time.Second, 0, 5000, []store.Gap{gap(20, 1000)}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := storetest.Open(t, at(sec(1000)))
			name := series(link, collectors.LossPct)
			for _, n := range test.at {
				s.Put([]collectors.Sample{{Series: name, At: sec(n), Value: 1, Every: test.every}})
			}
			differ(t, "gaps", read(t, s, name, sec(test.from), sec(test.to), 10).Gaps, test.want)
		})
	}
}

func TestRangeDrawsTogether(t *testing.T) {
	s := storetest.Open(t, at(noon.Add(time.Hour)))
	name := series(link, collectors.LossPct)
	s.Put(line(name, noon, time.Second, 100))
	result := read(t, s, name, noon, noon.Add(100*time.Second), 10)
	if len(result.Points) != 10 {
		t.Fatalf("%d points, want 10", len(result.Points))
	}
	differ(t, "the third", result.Points[2], store.Point{At: noon.Add(24500 * time.Millisecond), Min: 20, Max: 29, Mean: 24.5, Count: 10})
	count := 0
	for _, p := range result.Points {
		count += p.Count
	}
	differ(t, "every sample counts once", count, 100)
	differ(t, "few are left alone", len(read(t, s, name, noon, noon.Add(9*time.Second), 10).Points), 10)
	differ(t, "an end before its beginning", read(t, s, name, noon, noon.Add(-time.Second), 10), store.RangeResult{Every: time.Second})
}

func TestSparklines(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open storetest.Opener) {
		s := open(at(noon.Add(time.Hour)))
		var names []collectors.Series
		for i := range 20 {
			name := series(inventory.Ref{Kind: inventory.KindServer, Name: fmt.Sprint("s", i)}, collectors.CPUPct)
			names = append(names, name)
			s.Put(line(name, noon, 30*time.Second, 100))
		}
		flush(t, s)
		names = append(names, series(acme, collectors.MOSMean), series(link, collectors.Up)) // one not to be seen, one that is not there
		for what, store := range map[string]*store.Store{"head": s, "log": open(at(noon.Add(time.Hour)))} {
			lines := got[map[collectors.Series][]storePoint](t)(store.Sparklines(t.Context(), noCustomer, names, noon, noon.Add(time.Hour), 30))
			differ(t, what, len(lines), 20)
			for name, points := range lines {
				if len(points) < 20 || len(points) > 30 || points[0].Min != 0 {
					t.Errorf("%s: %s has %d points from %v", what, name, len(points), points[0])
				}
			}
		}
	})
}

type storePoint = store.Point

var noCustomer = store.Scope{}

// The head keeps no more than its budget, and says truly from when on it is whole.
func TestHeadIsBounded(t *testing.T) {
	s := storetest.Open(t, at(noon.Add(24*time.Hour)), func(c *store.Config) { c.HeadSamples = 1000 })
	for part := range 10 {
		for i := range 40 {
			name := series(inventory.Ref{Kind: inventory.KindServer, Name: fmt.Sprint("s", i)}, collectors.CPUPct)
			s.Put(line(name, noon.Add(time.Duration(part)*50*time.Second), time.Second, 50))
		}
	}
	flush(t, s)
	if n := s.Stats().HeadSamples; n > 40*80 {
		t.Errorf("%d samples in memory, want at most about 64 for each of 40 series", n)
	}
	for i := range 40 {
		name := series(inventory.Ref{Kind: inventory.KindServer, Name: fmt.Sprint("s", i)}, collectors.CPUPct)
		differ(t, "all are read", len(read(t, s, name, noon, noon.Add(time.Hour), 0).Points), 500)
	}
}

// While the database is away samples wait packed, however many there are; beyond the bound the oldest are dropped, each of them counted, and what
// is left is written whole.
func TestPendingIsBounded(t *testing.T) {
	for _, c := range []struct {
		name    string
		room    int64
		dropped bool
	}{{"there is room", 1 << 20, false}, {"there is not", 2000, true}} {
		t.Run(c.name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, open storetest.Opener) {
				s := open(at(noon.Add(time.Hour)), func(cfg *store.Config) { cfg.MaxPending, cfg.MaxPacked = 1000, c.room })
				ended, cancel := context.WithCancel(t.Context())
				cancel()
				names := []collectors.Series{series(link, collectors.LossPct), series(link, collectors.LatencyMS)}
				for i := range 300 {
					for _, name := range names {
						s.Put(line(name, noon.Add(time.Duration(10*i)*time.Second), time.Second, 10))
					}
					if err := s.Flush(ended); err == nil {
						t.Fatal("a flush without time succeeded")
					}
				}
				stats := s.Stats()
				if uint64(stats.Pending)+stats.Dropped != 6000 || (stats.Dropped > 0) != c.dropped || stats.Pending < 250 {
					t.Errorf("%d wait, %d dropped", stats.Pending, stats.Dropped)
				}
				flush(t, s)
				if after := s.Stats(); after.Pending != 0 || after.Written != uint64(stats.Pending) || after.Dropped != stats.Dropped {
					t.Errorf("got %+v", after)
				}
				expectNewest(t, open(at(noon.Add(time.Hour))), names, stats.Pending)
			})
		})
	}
}

// expectNewest checks that a database has the newest samples of some series, one a second, so many in all.
func expectNewest(t *testing.T, s *store.Store, names []collectors.Series, all int) {
	t.Helper()
	for _, name := range names {
		points := read(t, s, name, noon, noon.Add(time.Hour), 0).Points
		all -= len(points)
		for i, p := range points {
			if at := noon.Add(time.Duration(3000-len(points)+i) * time.Second); !p.At.Equal(at) || p.Mean != float64(at.Second()%10) {
				t.Fatalf("%s: point %d is %+v, want that of %v", name, i, p, at)
			}
		}
	}
	if all != 0 {
		t.Errorf("%d lack", all)
	}
}

func TestRunFlushesAtTheEnd(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open storetest.Opener) {
		s := open(at(noon.Add(time.Hour)), func(c *store.Config) { c.FlushEvery = time.Hour })
		stop := run(t, s)
		s.Put(line(series(link, collectors.LossPct), noon, time.Second, 100))
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		differ(t, "read by another", len(read(t, open(at(noon.Add(time.Hour))), series(link, collectors.LossPct), noon, noon.Add(time.Hour), 0).Points), 100)
	})
}

// Rows that were damaged on the disk are noticed, counted and left out; everything else is read.
func TestDamagedRows(t *testing.T) {
	storetest.EachDSN(t, func(t *testing.T, dsn string) {
		s := openAt(t, dsn, noon.Add(time.Hour))
		name := series(link, collectors.LossPct)
		for part := range slices.Chunk(line(name, noon, time.Second, 2000), 5) { // 400 rows
			s.Put(part)
			flush(t, s)
		}
		db := raw(t, dsn)
		random := rand.New(rand.NewPCG(5, 6))
		for id := 1; id <= 200; id++ {
			var payload []byte
			if err := db.QueryRow(`SELECT payload FROM sample_log WHERE id = $1`, id).Scan(&payload); err != nil {
				t.Fatal(err)
			}
			payload[random.IntN(len(payload))] ^= 1 << random.IntN(8)
			if _, err := db.Exec(`UPDATE sample_log SET payload = $1 WHERE id = $2`, payload, id); err != nil {
				t.Fatal(err)
			}
		}
		again := openAt(t, dsn, noon.Add(time.Hour))
		result := read(t, again, name, noon, noon.Add(2000*time.Second), 0)
		if len(result.Points) != 1000 || result.Points[0].Mean != 1000 || again.Stats().DamagedRows != 200 {
			t.Errorf("%d points from %v on, %d damaged rows; want 1000 from 1000 on, 200", len(result.Points), result.Points[0].Mean, again.Stats().DamagedRows)
		}
	})
}

func openAt(t testing.TB, dsn string, now time.Time) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Config{DSN: dsn, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}
