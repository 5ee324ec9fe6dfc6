package store_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"vigia/collectors"
	"vigia/store"
	"vigia/store/storetest"
)

const childKills = "VIGIA_TEST_KILLS" // how often a process is killed; 8 times without it

// numbered is the sample of a number: 40 series in turn, half an hour for each hundred, every seventeenth five hours late.
func numbered(n int64) collectors.Sample {
	at := november.Add(time.Duration(n)*18*time.Second + time.Duration(n)*time.Microsecond)
	if n%17 == 0 {
		at = at.Add(-5 * time.Hour)
	}
	return collectors.Sample{Series: counted(fmt.Sprint("n", n%40)), At: at, Value: float64(n*7919%1000) / 8, Every: 12 * time.Minute}
}

// clockOf is a clock that stands at a number's time.
func clockOf(n int64) time.Time { return november.Add(time.Duration(n+1) * 18 * time.Second) }

// TestChunkChild is no test of its own: it is the process that TestKilledWhileCompacting kills. Time flies: 15 hours in a hundred flushes,
// so that there is always something to be made chunks of.
func TestChunkChild(t *testing.T) {
	dsn := os.Getenv(childDSN)
	if dsn == "" {
		return
	}
	first, err := strconv.ParseInt(os.Getenv(childFrom), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	var next atomic.Int64
	next.Store(first)
	s, err := store.Open(t.Context(), store.Config{DSN: dsn, Now: func() time.Time { return clockOf(next.Load()) }})
	if err != nil {
		t.Fatal(err)
	}
	for _, err = s.Acquire(t.Context()); errors.Is(err, store.ErrTaken); {
		_, err = s.Acquire(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for swept := int64(1); ; swept++ {
			if err := s.Sweep(context.Background()); err != nil {
				fmt.Println("sweep:", err)
				os.Exit(3)
			}
			fmt.Println("swept", swept)
		}
	}()
	for n := first; ; {
		var samples []collectors.Sample
		for range 30 {
			samples = append(samples, numbered(n))
			n++
		}
		next.Store(n)
		s.Put(samples)
		flush(t, s)
		fmt.Println("flushed", n)
	}
}

// A process that makes chunks under load is killed at any point, again and again: what it said it had flushed is read back equal and
// once, and of the rest nothing that was not put.
func TestKilledWhileCompacting(t *testing.T) {
	kills, err := strconv.Atoi(os.Getenv(childKills))
	if err != nil {
		kills = 8
	}
	storetest.EachDSN(t, func(t *testing.T, dsn string) {
		random := rand.New(rand.NewPCG(7, 8))
		next, steps := int64(0), int64(0)
		for range kills {
			last := killedAs(t, "TestChunkChild", dsn, next, time.Duration(random.IntN(40_000))*time.Microsecond, 3+random.IntN(60))
			steps += last["swept"]
			next = max(last["flushed"], next)
			next = flushedAll(t, dsn, next, next+60) // it may have written more than it said
		}
		db := raw(t, dsn)
		var hours, days int
		if err := db.QueryRow(`SELECT (SELECT COUNT(*) FROM sample_hours), (SELECT COUNT(*) FROM sample_days)`).Scan(&hours, &days); err != nil {
			t.Fatal(err)
		}
		t.Logf("%d samples, %d kills, %d sweeps, %d hours and %d days left", next, kills, steps, hours, days)
	})
}

// flushedAll expects all samples below a number, each once, some of the next up to another, and returns the number after the last.
func flushedAll(t *testing.T, dsn string, certain, most int64) int64 {
	t.Helper()
	s := openAt(t, dsn, clockOf(most))
	defer s.Close()
	expected := map[collectors.Series]map[int64]int64{}
	for n := range most {
		sample := numbered(n)
		if expected[sample.Series] == nil {
			expected[sample.Series] = map[int64]int64{}
		}
		expected[sample.Series][sample.At.UnixMicro()] = n
	}
	next := certain
	for series, numbers := range expected {
		for _, p := range read(t, s, series, november.Add(-24*time.Hour), clockOf(most), 0).Points {
			n, there := numbers[p.At.UnixMicro()]
			if !there || p.Mean != numbered(n).Value {
				t.Fatalf("%s %v: got %v, which was not put (number %d)", series, p.At, p.Mean, n)
			}
			delete(numbers, p.At.UnixMicro())
			next = max(next, n+1)
		}
		for at, n := range numbers {
			if n < certain {
				t.Fatalf("number %d of %s at %v is lost; it had been flushed, with all below %d", n, series, time.UnixMicro(at).UTC(), certain)
			}
		}
	}
	if s.Stats().DamagedRows > 0 {
		t.Errorf("%d damaged rows", s.Stats().DamagedRows)
	}
	return next
}
