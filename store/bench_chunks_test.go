package store_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/store"
	"vigia/store/chunk"
	"vigia/store/storetest"
)

const benchSeries = 10_000

// entropy is a value of 1.7 octets: one of 12,417 that are all as likely.
func entropy(chance *rand.Rand) float64 { return float64(chance.IntN(12_417)) / 1000 }

// operator is a store of 10,000 series at one minute, whose clock the benchmark sets.
type operator struct {
	*store.Store
	dsn    string
	names  []collectors.Series
	now    time.Time
	chance *rand.Rand
}

func newOperator(b testing.TB, dsn string, from time.Time) *operator {
	o := &operator{dsn: dsn, names: many(benchSeries), now: from, chance: rand.New(rand.NewPCG(1, 2))}
	o.Store = o.open(b, dsn)
	return o
}

func (o *operator) open(b testing.TB, dsn string) *store.Store {
	b.Helper()
	s, err := store.Open(b.Context(), store.Config{DSN: dsn, Now: func() time.Time { return o.now }})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	return s
}

// pass lets time pass with a flush of a sixth of the series every ten seconds.
func (o *operator) pass(b testing.TB, d time.Duration) {
	b.Helper()
	samples := make([]collectors.Sample, 0, len(o.names))
	for end := o.now.Add(d); o.now.Before(end); {
		for part := range slices.Chunk(o.names, (len(o.names)+5)/6) {
			samples = samples[:0]
			for _, name := range part {
				samples = append(samples, collectors.Sample{Series: name, At: o.now, Value: entropy(o.chance), Every: time.Minute})
			}
			o.Put(samples)
			flush(b, o.Store)
			o.now = o.now.Add(10 * time.Second)
		}
	}
}

func (o *operator) sweep(b testing.TB) {
	b.Helper()
	if err := o.Sweep(b.Context()); err != nil {
		b.Fatal(err)
	}
}

// cpu is what this process and the PostgreSQL under test have taken of the processors.
func cpu(b testing.TB) time.Duration {
	b.Helper()
	var own syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &own); err != nil {
		b.Fatal(err)
	}
	sum := time.Duration(own.Utime.Nano() + own.Stime.Nano())
	text, err := os.ReadFile(filepath.Join(os.Getenv("VIGIA_TEST_POSTGRES_DIR"), "data", "postmaster.pid"))
	if err != nil {
		return sum
	}
	postmaster, _, _ := strings.Cut(string(text), "\n")
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		b.Fatal(err)
	}
	for _, path := range stats {
		text, err := os.ReadFile(path)
		_, after, ok := strings.Cut(string(text), ") ")
		if f := strings.Fields(after); err == nil && ok && len(f) > 14 {
			sum += ticks(f, postmaster, filepath.Base(filepath.Dir(path)))
		}
	}
	return sum
}

// ticks is the processor time of a process of the database, and of those that it has waited for. The fields begin with the state.
func ticks(f []string, postmaster, pid string) time.Duration {
	if f[1] != postmaster && pid != postmaster {
		return 0
	}
	var sum int64
	for _, field := range f[11:15] { // utime, stime, cutime, cstime
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0
		}
		sum += n
	}
	return time.Duration(sum) * 10 * time.Millisecond
}

// A day of 10,000 series at one minute: written, made chunks of by the hour and then by the day.
func BenchmarkDayToChunks(b *testing.B) {
	for name, dsn := range map[string]func(testing.TB) string{"sqlite": storetest.SQLite, "postgres": storetest.Postgres} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				o := newOperator(b, dsn(b), november)
				const millions = benchSeries * 1440 / 1e6
				var flushes, hours time.Duration
				for range 24 {
					start := cpu(b)
					o.pass(b, time.Hour)
					flushes += cpu(b) - start
					start = cpu(b)
					o.now = o.now.Add(5 * time.Minute)
					o.sweep(b)
					o.now = o.now.Add(-5 * time.Minute)
					hours += cpu(b) - start
				}
				o.now = o.now.Add(4 * time.Hour)
				start := cpu(b)
				o.sweep(b)
				days := cpu(b) - start
				b.ReportMetric(flushes.Seconds()/millions, "flush-cpu-s/M")
				b.ReportMetric(hours.Seconds()/millions, "hour-cpu-s/M")
				b.ReportMetric(days.Seconds()/millions, "day-cpu-s/M")
				b.ReportMetric(float64(o.LongestSlice().Microseconds())/1000, "longest-slice-ms")
				o.shrunk(b)
			}
		})
	}
}

// shrunk reports what a sample takes in day chunks and their index.
func (o *operator) shrunk(b *testing.B) {
	const samples = benchSeries * 1440
	db := raw(b, o.dsn)
	size := `SELECT SUM(pgsize) FROM dbstat WHERE name IN (SELECT name FROM sqlite_schema WHERE tbl_name = $1)`
	if strings.HasPrefix(o.dsn, "postgres") {
		size = `SELECT pg_total_relation_size(CAST(CAST($1 AS TEXT) AS regclass))`
	}
	for table, unit := range map[string]string{"sample_days": "octets/sample", "sample_rollup_1d": "rollup-octets/sample"} {
		var octets float64
		if err := db.QueryRow(size, table).Scan(&octets); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(octets/samples, unit)
	}
}

// The alert path while an hour of 10,000 series becomes chunks: what a durable commit takes, beside what it takes at other times.
func BenchmarkCommitAcrossRollOver(b *testing.B) {
	for name, dsn := range map[string]func(testing.TB) string{"sqlite": storetest.SQLite, "postgres": storetest.Postgres} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				o := newOperator(b, dsn(b), november)
				calm := o.commits(b, 1, func() { time.Sleep(time.Second) })
				o.pass(b, 25*time.Hour)
				o.now = o.now.Add(2*time.Hour + 6*time.Minute)
				rolled := o.commits(b, 1_000_000, func() { o.sweep(b) })
				b.ReportMetric(float64(len(rolled)), "commits")
				for what, list := range map[string][]time.Duration{"calm": calm, "roll-over": rolled} {
					b.ReportMetric(milliseconds(list, 50), what+"-p50-ms")
					b.ReportMetric(milliseconds(list, 99), what+"-p99-ms")
				}
				b.ReportMetric(milliseconds(rolled, 100), "roll-over-max-ms")
				b.ReportMetric(float64(o.LongestSlice().Microseconds())/1000, "longest-slice-ms")
			}
		})
	}
}

// commits applies small changes as fast as it can while something else is done, and returns how long each took.
func (o *operator) commits(b testing.TB, first int64, meanwhile func()) []time.Duration {
	b.Helper()
	var took []time.Duration
	done := make(chan struct{})
	var group sync.WaitGroup
	group.Go(func() {
		for n := first; ; n++ {
			select {
			case <-done:
				return
			default:
			}
			start := time.Now()
			apply(b, o.Store, outage(n, link, alerting.Major, o.now))
			took = append(took, time.Since(start))
		}
	})
	meanwhile()
	close(done)
	group.Wait()
	slices.Sort(took)
	return took
}

// milliseconds is a percentile of a sorted list.
func milliseconds(sorted []time.Duration, percent int) float64 {
	return sorted[min(len(sorted)*percent/100, len(sorted)-1)].Seconds() * 1000
}

// year is a store of 400 days of 10,000 series: of the first 200 whole days at one minute, of the others two samples; and of the last
// 26 hours all of all as hour chunks.
func year(b *testing.B, dsn string) *operator {
	b.Helper()
	o := newOperator(b, dsn, november)
	o.pass(b, 26*time.Hour)
	o.now = o.now.Add(6 * time.Minute)
	if err := o.Sweep(b.Context()); err != nil { // 02:00: the day before is not over for three hours yet
		b.Fatal(err)
	}
	db := raw(b, dsn)
	tx, err := db.Begin()
	if err != nil {
		b.Fatal(err)
	}
	defer tx.Rollback()
	text := `INSERT INTO sample_days (t0, series, payload) SELECT $1, id, CASE WHEN id <= 200 THEN $2 ELSE $3 END FROM series ORDER BY id`
	if strings.HasPrefix(dsn, "postgres") {
		text = strings.NewReplacer("$2", "$2::bytea", "$3", "$3::bytea").Replace(text)
	}
	day := make([]chunk.Point, 1440)
	for d := range 400 {
		t0 := november.AddDate(0, 0, -1-d)
		for i := range day {
			day[i] = chunk.Point{At: t0.Add(time.Duration(i) * time.Minute).UnixMicro(), Value: entropy(o.chance)}
		}
		var stamp any = t0
		if !strings.HasPrefix(dsn, "postgres") {
			stamp = t0.UnixMicro()
		}
		few, whole := ofBefore(chunk.Pack(nil, 1, day[:2])), ofBefore(chunk.Pack(nil, 1, day)) // which are good for any series
		if _, err := tx.Exec(text, stamp, whole, few); err != nil {
			b.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		b.Fatal(err)
	}
	if strings.HasPrefix(dsn, "postgres") {
		if _, err := db.Exec(`VACUUM ANALYZE`); err != nil { // as autovacuum does within the minute
			b.Fatal(err)
		}
	}
	o.Store = o.open(b, dsn)
	return o
}

// BenchmarkHistory reads what is in no memory of Vigía's: a day by its hours and as one chunk, a year, and sparklines.
func BenchmarkHistory(b *testing.B) {
	for name, dsn := range map[string]func(testing.TB) string{"sqlite": storetest.SQLite, "postgres": storetest.Postgres} {
		b.Run(name, func(b *testing.B) {
			o := year(b, dsn(b))
			end := o.now.Truncate(time.Hour)
			o.reads(b, "a day by its hours", end.Add(-24*time.Hour), end, 600, 1440)
			o.reads(b, "a day by its day", november.AddDate(0, 0, -30), november.AddDate(0, 0, -29).Add(-time.Second), 600, 1440)
			o.reads(b, "a month", november.AddDate(0, 0, -60), november.AddDate(0, 0, -30), 1000, 30*1440)
			o.reads(b, "a year", november.AddDate(0, 0, -365), november, 1000, 365*1440)
			o.sparklines(b, "200 sparklines of a day", func(i, n int) int { return i%40*200 + n }, end)
			o.sparklines(b, "200 sparklines of a day, each of another row", func(i, n int) int { return (i%32 + n*50) % len(o.names) }, end)
			b.Run("a month's 95th percentile", func(b *testing.B) {
				median(b, func(i int) {
					if _, err := o.Percentile95(b.Context(), store.Everything(), o.names[i%200:i%200+1], november.AddDate(0, 0, -60), november.AddDate(0, 0, -30)); err != nil {
						b.Fatal(err)
					}
				})
			})
		})
	}
}

// sparklines reads the last day of 200 series; which says the n-th of the i-th time.
func (o *operator) sparklines(b *testing.B, what string, which func(i, n int) int, end time.Time) {
	b.Run(what, func(b *testing.B) {
		names := make([]collectors.Series, 200)
		median(b, func(i int) {
			for n := range names {
				names[n] = o.names[which(i, n)]
			}
			lines, err := o.Sparklines(b.Context(), store.Everything(), names, end.Add(-24*time.Hour), end, 60)
			if err != nil || len(lines) != 200 {
				b.Fatal(len(lines), err)
			}
		})
	})
}

func (o *operator) reads(b *testing.B, what string, from, to time.Time, points, samples int) {
	b.Run(what, func(b *testing.B) {
		median(b, func(i int) {
			q := store.RangeQuery{Series: o.names[i*17%200], From: from, To: to, Points: points}
			r := got[store.RangeResult](b)(o.Range(b.Context(), store.Everything(), q))
			n := 0
			for _, p := range r.Points {
				n += p.Count
			}
			if len(r.Points) > points || n < samples-1 || n > samples+1 {
				b.Fatal(fmt.Sprint(len(r.Points), " points of ", n, " samples, want ", samples))
			}
		})
	})
}

// median reports the median and the 99th percentile of what a piece of work takes.
func median(b *testing.B, work func(i int)) {
	b.Helper()
	var took []time.Duration
	for i := 0; b.Loop(); i++ {
		start := time.Now()
		work(i)
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	b.ReportMetric(milliseconds(took, 50), "p50-ms")
	b.ReportMetric(milliseconds(took, 99), "p99-ms")
}
