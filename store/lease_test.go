package store_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vigia/alerting"
	"vigia/store"
	"vigia/store/storetest"
)

func acquire(t testing.TB, s *store.Store) (release func()) {
	t.Helper()
	release, err := s.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(release)
	return release
}

func refusedTaken(t testing.TB, s *store.Store) {
	t.Helper()
	_, err := s.Acquire(t.Context())
	if !errors.Is(err, store.ErrTaken) || !strings.Contains(err.Error(), fmt.Sprint("process ", os.Getpid())) {
		t.Errorf("got %v, want that it is taken by this process", err)
	}
}

func TestOneIsActive(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open storetest.Opener) {
		first, second := open(), open()
		release := acquire(t, first)
		refusedTaken(t, second)
		if _, err := first.Acquire(t.Context()); err == nil || errors.Is(err, store.ErrTaken) {
			t.Errorf("acquired twice: %v", err)
		}
		if !first.Stats().Active || second.Stats().Active {
			t.Error("the wrong one is active")
		}
		apply(t, first, outage(1, link, alerting.Major, noon))
		differ(t, "claimed", len(claim(t, first, noon, 1)), 1)
		post(t, second, acknowledge("a")) // commands need no right

		release()
		release()
		if err := first.Apply(t.Context(), outage(2, link, alerting.Major, noon)); !errors.Is(err, store.ErrLost) {
			t.Errorf("applied after giving the right back: %v", err)
		}
		acquire(t, second)
		apply(t, second, outage(2, link, alerting.Major, noon))
		acquireFails := func() { refusedTaken(t, first) }
		acquireFails()
	})
}

// fences checks that the first may write no more and the second may.
func fences(t *testing.T, first, second *store.Store) {
	t.Helper()
	if err := first.Apply(t.Context(), outage(7, link, alerting.Major, noon)); !errors.Is(err, store.ErrLost) {
		t.Errorf("the first applied: %v", err)
	}
	if _, err := first.Claim(t.Context(), noon, time.Minute, 1, nil); !errors.Is(err, store.ErrLost) {
		t.Errorf("the first claimed: %v", err)
	}
	apply(t, second, outage(8, link, alerting.Major, noon))
	differ(t, "claimed by the second", len(claim(t, second, noon, 1)), 1)
	if _, err := second.Incident(t.Context(), store.Everything(), 7); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("what the first applied: %v", err)
	}
}

// A process that is killed loses its session, and the standby takes over at once.
func TestKilledProcessLosesTheLease(t *testing.T) {
	dsn := storetest.Postgres(t)
	first, second := openAt(t, dsn, noon), openAt(t, dsn, noon)
	acquire(t, first)
	leaseOne(t, first)
	refusedTaken(t, second)
	const kill = `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'
		AND classid = CAST(hashtext('vigia run') AS BIGINT) & 4294967295 AND objid = CAST(hashtext(current_schema()) AS BIGINT) & 4294967295`
	result, err := raw(t, dsn).Exec(kill)
	if err != nil {
		t.Fatal(err)
	}
	if n, _ := result.RowsAffected(); n != 1 {
		t.Fatalf("%d sessions were ended, want 1", n)
	}
	eventually(t, "the second takes over", func() bool {
		release, err := second.Acquire(t.Context())
		if err == nil {
			t.Cleanup(release)
		}
		return err == nil
	})
	differ(t, "of what the dead had leased, due at once", len(claim(t, second, noon, 10)), 1)
	fences(t, first, second)
}

// leaseOne lets s have a notification that it has not sent.
func leaseOne(t *testing.T, s *store.Store) {
	t.Helper()
	apply(t, s, outage(1, link, alerting.Major, noon))
	differ(t, "leased", len(claim(t, s, noon, 1)), 1)
}

// A file has one process at a time: what is leased when the next one comes was leased by a dead one.
func TestFileIsInheritedWithItsLeases(t *testing.T) {
	dsn := "sqlite:" + filepath.Join(t.TempDir(), "vigia.db")
	first, second := openAt(t, dsn, noon), openAt(t, dsn, noon)
	release := acquire(t, first)
	leaseOne(t, first)
	differ(t, "leased twice", len(claim(t, first, noon, 10)), 0)
	release() // gives the lock back, as the kernel does for the dead
	acquire(t, second)
	differ(t, "of what the dead had leased, due at once", len(claim(t, second, noon, 10)), 1)
}

// A process that has stopped without dying keeps its session; the standby takes over when the lease is over, and keeps it.
func TestStoppedProcessLosesTheLease(t *testing.T) {
	dsn := storetest.Postgres(t)
	first, second, third := openAt(t, dsn, noon), openAt(t, dsn, noon), openAt(t, dsn, noon)
	acquire(t, first)
	leaseOne(t, first)
	if _, err := raw(t, dsn).Exec(`UPDATE lease SET until = now() - INTERVAL '1 second'`); err != nil {
		t.Fatal(err)
	}
	acquire(t, second)
	differ(t, "of what the stopped one may still send", len(claim(t, second, noon, 10)), 0)
	fences(t, first, second)
	refusedTaken(t, third)
	first.Close() // its session, and with it the advisory lock
	refusedTaken(t, third)
}

// A renewal must not wait for a transaction that holds the fence, nor the other way round.
func TestRenewalDoesNotWaitForWriters(t *testing.T) {
	dsn := storetest.Postgres(t)
	s := openAt(t, dsn, noon)
	acquire(t, s)
	tx, err := raw(t, dsn).Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	if _, err := tx.Exec(`UPDATE lease SET until = now() + INTERVAL '10 seconds'`); err != nil { // a renewal that is not over
		t.Fatal(err)
	}
	apply(t, s, outage(1, link, alerting.Major, noon)) // would wait for ever if it needed more than the key
}
