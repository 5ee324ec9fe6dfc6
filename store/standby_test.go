package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"vigia/alerting"
	"vigia/store"
	"vigia/store/storetest"
)

// pair opens two stores on one database; the first has the right, the second was refused it.
func pair(t *testing.T) (dsn string, first, second *store.Store, release func()) {
	t.Helper()
	dsn = storetest.Postgres(t)
	first, second = openAt(t, dsn, noon), openAt(t, dsn, noon)
	release = acquire(t, first)
	refusedTaken(t, second)
	return dsn, first, second, release
}

// overdue lets the lease run out, as it does for a process that has stopped.
func overdue(t *testing.T, dsn string) {
	t.Helper()
	if _, err := raw(t, dsn).Exec(`UPDATE lease SET until = now() - INTERVAL '1 second'`); err != nil {
		t.Fatal(err)
	}
}

// samplesOf puts n samples of one series, a second apart.
func samplesOf(s *store.Store, from time.Time, n int) {
	s.Put(line(series(link, "loss_pct"), from, time.Second, n))
}

// written counts what the log has, as a process sees it that has just come.
func written(t *testing.T, dsn string) int {
	t.Helper()
	return len(read(t, openAt(t, dsn, noon), series(link, "loss_pct"), noon.Add(-time.Hour), noon.Add(time.Hour), 0).Points)
}

func TestRefusedProcessWritesNothing(t *testing.T) {
	dsn, _, second, _ := pair(t)
	if err := second.Apply(t.Context(), outage(1, link, alerting.Major, noon)); !errors.Is(err, store.ErrLost) {
		t.Errorf("applied: %v", err)
	}
	if _, err := second.Claim(t.Context(), noon, time.Minute, 1, nil); !errors.Is(err, store.ErrLost) {
		t.Errorf("claimed: %v", err)
	}
	samplesOf(second, noon, 5)
	flush(t, second)
	differ(t, "samples of a standby", written(t, dsn), 0)
	if _, ok := second.Latest(store.Everything(), series(link, "loss_pct")); ok {
		t.Error("a standby shows what only it has measured")
	}
}

// What the process before wrote after the standby's last look is in the head of the one that takes over.
func TestTakeoverCatchesUp(t *testing.T) {
	_, first, second, release := pair(t)
	if err := second.Follow(t.Context()); err != nil {
		t.Fatal(err)
	}
	samplesOf(first, noon, 5)
	flush(t, first)
	release()
	acquire(t, second)
	if last, ok := second.Latest(store.Everything(), series(link, "loss_pct")); !ok || !last.At.Equal(noon.Add(4*time.Second)) {
		t.Errorf("the newest sample after the takeover: %v %v", last, ok)
	}
}

// A log that cannot be read does not keep a standby from taking over; what it lacks comes when the log can be read.
func TestTakeoverDoesNotWaitForTheLog(t *testing.T) {
	dsn, first, second, release := pair(t)
	samplesOf(first, noon, 5)
	flush(t, first)
	release()
	tx, err := raw(t, dsn).Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	if _, err := tx.Exec(`LOCK TABLE sample_log IN ACCESS EXCLUSIVE MODE`); err != nil {
		t.Fatal(err)
	}
	acquire(t, second) // would fail when the test ends
	apply(t, second, outage(1, link, alerting.Major, noon))
	run(t, second)
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the standby has what it lacked", func() bool {
		_, ok := second.Latest(store.Everything(), series(link, "loss_pct"))
		return ok
	})
}

// Whoever loses the right learns of it, even when it has nothing to write, and may take it again later.
func TestLostAndBack(t *testing.T) {
	dsn, first, second, release := pair(t)
	lost := first.Lost()
	select {
	case <-lost:
		t.Fatal("lost before anybody took it")
	case <-second.Lost():
	}
	overdue(t, dsn)
	takenFrom := acquire(t, second)
	eventually(t, "the first learns of it", func() bool {
		select {
		case <-lost:
			return true
		default:
			return false
		}
	})
	if first.Stats().Active {
		t.Error("the first calls itself active")
	}
	fences(t, first, second)
	lease, err := first.Lease(t.Context())
	if err != nil || lease.Epoch != 2 || !lease.Held || lease.Holder == "" {
		t.Errorf("the lease: %+v %v", lease, err)
	}
	takenFrom()
	release()
	acquire(t, first)
	apply(t, first, outage(9, link, alerting.Major, noon))
	select {
	case <-first.Lost():
		t.Error("the new right counts as lost")
	default:
	}
}

// What a process had measured before it was deposed is written; what the one that has the right measures itself is not written twice.
func TestDeposedProcessGivesWay(t *testing.T) {
	dsn, first, second, _ := pair(t)
	samplesOf(first, noon, 5)
	flush(t, first)
	samplesOf(first, noon.Add(10*time.Second), 10)
	overdue(t, dsn)
	acquire(t, second)
	if err := first.Flush(t.Context()); !errors.Is(err, store.ErrLost) {
		t.Errorf("the first flushed: %v", err)
	}
	differ(t, "samples before the second has written", written(t, dsn), 5)
	flush(t, first)
	differ(t, "samples while it is not known what the second measures", written(t, dsn), 5)
	samplesOf(second, noon.Add(15*time.Second), 3)
	flush(t, second)
	samplesOf(first, noon.Add(11*time.Second), 1) // a run that ended late
	flush(t, first)
	differ(t, "samples: five, five before the second's first, its three", written(t, dsn), 13)
	run(t, second)
	eventually(t, "the second has the first's last samples in memory", func() bool {
		samplesOf(second, noon.Add(20*time.Second), 1)
		return second.Flush(context.Background()) == nil && headHas(t, second, noon.Add(14*time.Second))
	})
}

// headHas reports whether the head has a sample of that instant.
func headHas(t *testing.T, s *store.Store, at time.Time) bool {
	t.Helper()
	result := read(t, s, series(link, "loss_pct"), at, at, 0)
	return len(result.Points) == 1
}
