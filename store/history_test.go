package store_test

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"vigia/collectors"
	"vigia/store"
	"vigia/store/storetest"
)

// remembered is what was put, by series and instant: what must be read back.
type remembered map[collectors.Series]map[int64]float64

func (r remembered) put(samples []collectors.Sample) {
	for _, s := range samples {
		if math.IsNaN(s.Value) {
			continue
		}
		if r[s.Series] == nil {
			r[s.Series] = map[int64]float64{}
		}
		r[s.Series][s.At.UnixMicro()] = s.Value
	}
}

// of lists what a series has in [from, to], as Range shows it without drawing together.
func (r remembered) of(series collectors.Series, from, to time.Time) []store.Point {
	var list []store.Point
	for at, value := range r[series] {
		if t := time.UnixMicro(at).UTC(); !t.Before(from) && !t.After(to) {
			list = append(list, store.Point{At: t, Min: value, Max: value, Mean: value, Count: 1})
		}
	}
	slices.SortFunc(list, func(a, b store.Point) int { return a.At.Compare(b.At) })
	return list
}

// random makes samples of a few series up to now: gaps, late ones of up to three days, instants for the second time, values of every kind.
func random(chance *rand.Rand, names []collectors.Series, from, now time.Time) []collectors.Sample {
	var list []collectors.Sample
	for at := from; at.Before(now); at = at.Add(time.Minute + time.Duration(chance.IntN(2000))*time.Microsecond) {
		if chance.IntN(100) == 0 {
			at = at.Add(time.Duration(chance.IntN(90)) * time.Minute)
		}
		for i, name := range names {
			s := collectors.Sample{Series: name, At: at, Every: time.Minute, Value: []float64{1, float64(chance.IntN(3000)) / 8, chance.NormFloat64(), math.NaN()}[(i+chance.IntN(20)/19)%4]}
			switch {
			case !at.Before(now):
				continue
			case chance.IntN(30) == 0:
				s.At = at.Add(-time.Duration(chance.IntN(72*60)) * time.Minute).Truncate(time.Minute)
			case chance.IntN(30) == 0:
				s.At = at.Truncate(time.Hour) // the same instant again and again
			}
			list = append(list, s)
		}
	}
	return list
}

// What was put is read back the same, whatever has become chunks of hours or days by then, across restarts, from any place together.
func TestReadBackProperty(t *testing.T) {
	for seed := range uint64(3) {
		storetest.EachDSN(t, func(t *testing.T, dsn string) {
			chance := rand.New(rand.NewPCG(seed, 9))
			names := []collectors.Series{counted("a"), counted("b"), counted("c"), counted("d")}
			know := remembered{}
			m := newMonth(t, dsn)
			for range 30 {
				from := m.now
				m.now = m.now.Add(time.Duration(10+chance.IntN(6*60)) * time.Minute)
				samples := random(chance, names, from, m.now)
				know.put(samples)
				for part := range slices.Chunk(samples, 1+chance.IntN(200)) {
					m.Put(part)
					flush(t, m.Store)
				}
				m.step(t, chance)
				m.agrees(t, know, names, chance)
			}
			m.open(t)
			for _, name := range names {
				result := read(t, m.Store, name, november.Add(-100*time.Hour), m.now, 0)
				differ(t, "all of "+name.Ref.Name, result.Points, know.of(name, november.Add(-100*time.Hour), m.now))
			}
		})
	}
}

// step makes chunks, restarts, or does neither.
func (m *month) step(t *testing.T, chance *rand.Rand) {
	t.Helper()
	m.SetSampleRetention(10_000 * time.Hour)
	if chance.IntN(3) > 0 {
		m.tidy(t)
	}
	if chance.IntN(4) == 0 {
		m.open(t)
		if chance.IntN(2) == 0 {
			if err := m.Replay(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// agrees reads a range of each series, drawn together or not, and many at once.
func (m *month) agrees(t *testing.T, know remembered, names []collectors.Series, chance *rand.Rand) {
	t.Helper()
	from := m.now.Add(-time.Duration(chance.IntN(100*60)) * time.Minute)
	to := from.Add(time.Duration(chance.IntN(100*60)) * time.Minute)
	n := 1 + chance.IntN(200)
	for _, name := range names {
		want := know.of(name, from, to)
		differ(t, "samples", read(t, m.Store, name, from, to, 0).Points, want)
		drawn(t, read(t, m.Store, name, from, to, n).Points, want, n)
	}
	lines := got[map[collectors.Series][]store.Point](t)(m.Sparklines(t.Context(), store.Everything(), names, from, to, n))
	for _, name := range names {
		drawn(t, lines[name], know.of(name, from, to), n)
	}
}

// drawn expects every sample once in a drawing, with its extremes.
func drawn(t *testing.T, points, want []store.Point, n int) {
	t.Helper()
	if len(points) > n {
		t.Fatalf("%d points, want at most %d", len(points), n)
	}
	for _, p := range points {
		if p.Count > len(want) || p.Count < 1 {
			t.Fatalf("a point of %d samples, %d are left", p.Count, len(want))
		}
		some := want[:p.Count]
		want = want[p.Count:]
		low := slices.MinFunc(some, func(a, b store.Point) int { return cmp.Compare(a.Min, b.Min) })
		high := slices.MaxFunc(some, func(a, b store.Point) int { return cmp.Compare(a.Max, b.Max) })
		sum := 0.0
		for _, q := range some {
			sum += q.Mean
		}
		if mean := sum / float64(p.Count); p.Min != low.Min || p.Max != high.Max || math.Abs(p.Mean-mean) > 1e-9*(1+math.Abs(mean)) || p.At.Before(some[0].At) {
			t.Fatalf("got %+v of %v", p, some)
		}
	}
	if len(want) > 0 {
		t.Fatalf("%d samples are not drawn", len(want))
	}
}

// A store of an older vigia has all its history in the log, partly in large rows; it becomes chunks by and by and reads the same.
func TestOldStoreIsTakenOver(t *testing.T) {
	storetest.EachDSN(t, func(t *testing.T, dsn string) {
		m := newMonth(t, dsn)
		names := []collectors.Series{counted("a"), counted("b")}
		know := remembered{}
		chance := rand.New(rand.NewPCG(4, 2))
		m.now = november.Add(11*24*time.Hour + 17*time.Minute)
		samples := random(chance, names, november, m.now)
		know.put(samples)
		for part := range slices.Chunk(samples, 500) {
			m.Put(part)
			flush(t, m.Store)
		}
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{ // the schema as it was
			`DROP TABLE sample_hours`, `DROP TABLE sample_days`, `DROP TABLE sample_rollup_1d`, `DROP TABLE sample_compaction`, `DROP TABLE call_hours`,
			`DROP TABLE calls`, `DROP TABLE call_intervals`, `DROP TABLE call_masking`, `DROP TABLE oncall_overrides`, `DROP TABLE handover_notes`, `ALTER TABLE commands DROP COLUMN on_call`, `DROP INDEX sample_log_begin`,
			`CREATE INDEX sample_log_time ON sample_log (t1, t0)`, `DELETE FROM schema_migrations WHERE version > 1`,
		} {
			if _, err := m.db.Exec(text); err != nil {
				t.Fatal(err)
			}
		}
		m.open(t)
		differ(t, "before anything is done", read(t, m.Store, names[0], november.Add(-100*time.Hour), m.now, 0).Points, know.of(names[0], november.Add(-100*time.Hour), m.now))
		m.SetSampleRetention(10_000 * time.Hour)
		m.tidy(t)
		if n := m.count(t, `SELECT COUNT(*) FROM sample_days`); n < 20 {
			t.Errorf("%d day chunks of two series and eleven days", n)
		}
		if n := m.count(t, `SELECT COUNT(*) FROM sample_log`); n > 5 {
			t.Errorf("%d rows are left in the log", n)
		}
		for _, name := range names {
			differ(t, name.Ref.Name, read(t, m.Store, name, november.Add(-100*time.Hour), m.now, 0).Points, know.of(name, november.Add(-100*time.Hour), m.now))
		}
	})
}

// A process that looks on sees the same as the one that makes chunks, also when it was stopped for hours meanwhile.
func TestStandbySeesChunks(t *testing.T) {
	storetest.EachDSN(t, func(t *testing.T, dsn string) {
		m := newMonth(t, dsn)
		m.pass(t, 3)
		standby := openAt(t, dsn, m.now)
		if err := standby.Replay(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, follow := range []bool{true, false, true} {
			m.pass(t, 4)
			if follow {
				if err := standby.Follow(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			m.tidy(t)
			m.now = m.now.Add(10 * time.Minute)
			m.tidy(t)
			if err := standby.Follow(t.Context()); err != nil {
				t.Fatal(err)
			}
			for i, s := range []*store.Store{m.Store, standby} {
				points := read(t, s, counted("a"), november, m.now, 0).Points
				differ(t, fmt.Sprint("process ", i, " misses none"), len(points), int(points[len(points)-1].Mean)+1-m.skipped(points))
			}
		}
	})
}

// skipped is how many minutes the clock has jumped over between the points.
func (m *month) skipped(points []store.Point) (n int) {
	for i := 1; i < len(points); i++ {
		if d := points[i].At.Sub(points[i-1].At); d > time.Minute && d <= 11*time.Minute {
			n += int(d/time.Minute) - 1
		}
	}
	return n
}
