package store_test

import (
	"errors"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
	"vigia/store"
)

var (
	awaySeries  = flag.Int("away.series", 500, "TestAwayForAnHour: how many series are measured once a minute")
	awayMinutes = flag.Int("away.minutes", 60, "TestAwayForAnHour: for how many minutes of samples the database is away")
	awayWarm    = flag.Int("away.warm", 80, "TestAwayForAnHour: how many minutes of samples there are before, so that memory holds what it holds in service")
)

// TestAwayForAnHour puts the samples of an hour, as fast as it can, while PostgreSQL is away: memory grows by no more than 256 MiB, what is
// decided goes on, and within five minutes the database has every sample and every change.
func TestAwayForAnHour(t *testing.T) {
	w := severablePostgres(t)
	s := w.open("a", w.target)
	acquire(t, s)
	stop := run(t, s)
	load := newAwayLoad(s, time.Now().Add(-time.Duration(3*(*awayMinutes+*awayWarm))*time.Minute))
	before := load.warm(t)
	w.cut(true)
	most := before
	for m := range *awayMinutes {
		load.minute()
		if err := s.Flush(t.Context()); err == nil {
			t.Fatal("the database is not away")
		}
		apply(t, s, outage(int64(m+1), link, alerting.Major, time.Now()))
		most = max(most, resident(t))
	}
	stats := s.Stats()
	t.Logf("%d series away for %d minutes: %d samples wait, %d changes in the journal, %d dropped; memory grew by at most %d MiB from %d MiB",
		*awaySeries, *awayMinutes, uint64(load.put)-stats.Written-stats.Dropped, stats.Journaled, stats.Dropped, (most-before)>>20, before>>20)
	if grown := most - before; grown > 256<<20 {
		t.Errorf("memory grew by %d MiB", grown>>20)
	}
	w.cut(false)
	back := time.Now()
	if !within(5*time.Minute, func() bool { now := s.Stats(); return now.Up && now.Pending == 0 && now.Journaled == 0 }) {
		t.Fatalf("not caught up in five minutes: %+v", s.Stats())
	}
	t.Logf("caught up after %s", time.Since(back).Round(100*time.Millisecond))
	load.expectAll(t, w, stats.Dropped)
	if err := stop(); err != nil && !errors.Is(err, store.ErrLost) {
		t.Error(err)
	}
}

// within waits for a condition.
func within(most time.Duration, so func() bool) bool {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(most); !so(); <-tick.C {
		if time.Now().After(end) {
			return false
		}
	}
	return true
}

// awayLoad measures many series once a minute: round trips, states that do not change, whole figures.
type awayLoad struct {
	s      *store.Store
	names  []collectors.Series
	at     time.Time
	put    int
	random *rand.Rand
}

func newAwayLoad(s *store.Store, from time.Time) *awayLoad {
	l := &awayLoad{s: s, at: from, random: rand.New(rand.NewPCG(1, 2))}
	metrics := []collectors.Metric{collectors.LatencyMS, collectors.LossPct, collectors.Up, collectors.CPUPct}
	for i := range *awaySeries {
		ref := inventory.Ref{Kind: inventory.KindServer, Name: fmt.Sprint("server-", i/len(metrics))}
		l.names = append(l.names, series(ref, metrics[i%len(metrics)]))
	}
	return l
}

// warm puts samples until memory holds what it holds in a process that has run for long: heads that are full, and a heap that the collector has
// gone through twice since. It returns how much that is, octets.
func (l *awayLoad) warm(t *testing.T) (most int64) {
	t.Helper()
	var m runtime.MemStats
	until := uint32(math.MaxUint32)
	for n := 0; m.NumGC < until; n++ {
		l.minute()
		if !within(2*time.Minute, func() bool { return l.s.Stats().Written == uint64(l.put) }) {
			t.Fatalf("what was before is not written: %+v", l.s.Stats())
		}
		most = max(most, resident(t))
		if runtime.ReadMemStats(&m); n+1 == *awayWarm {
			until = m.NumGC + 2
		}
	}
	return most
}

// minute puts one sample of each series, in parts as the scheduler does.
func (l *awayLoad) minute() {
	part := make([]collectors.Sample, 0, 256)
	for i, name := range l.names {
		at := l.at.Add(time.Duration(i) * time.Minute / time.Duration(len(l.names)))
		part = append(part, collectors.Sample{Series: name, At: at, Value: l.value(i), Every: time.Minute})
		if len(part) == cap(part) || i == len(l.names)-1 {
			l.s.Put(part)
			part = part[:0]
		}
	}
	l.at, l.put = l.at.Add(time.Minute), l.put+len(l.names)
}

func (l *awayLoad) value(i int) float64 {
	switch i % 4 {
	case 0:
		return float64(2000+i%3000+l.random.IntN(500)) / 100
	case 1:
		return float64(max(l.random.IntN(40)-38, 0) * 20)
	case 2:
		return 1
	}
	return float64(l.random.IntN(1000)) / 10
}

// expectAll checks that the database has all samples but those that were dropped, and all changes.
func (l *awayLoad) expectAll(t *testing.T, w *severable, dropped uint64) {
	t.Helper()
	db := raw(t, w.dsn)
	var samples uint64
	var incidents int
	if err := db.QueryRow(`SELECT COALESCE(SUM(count), 0) FROM sample_log`).Scan(&samples); err != nil {
		t.Fatal(err)
	}
	if err := db.QueryRow(`SELECT COUNT(*) FROM incidents`).Scan(&incidents); err != nil {
		t.Fatal(err)
	}
	if samples+dropped != uint64(l.put) || incidents != *awayMinutes {
		t.Errorf("the database has %d samples and %d changes, want %d less %d, and %d", samples, incidents, l.put, dropped, *awayMinutes)
	}
}

// resident is how much memory this process has, octets.
func resident(t *testing.T) int64 {
	t.Helper()
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("memory can be asked only of Linux")
	}
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			return got[int64](t)(strconv.ParseInt(strings.Fields(rest)[0], 10, 64)) << 10
		}
	}
	return 0
}
