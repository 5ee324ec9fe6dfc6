package store_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"vigia/store"
	"vigia/store/storetest"
)

// longMonth is a store with 60 hours of two series in its log and nothing in chunks.
func longMonth(t *testing.T, dsn string) *month {
	t.Helper()
	m := newMonth(t, dsn)
	m.pass(t, 60)
	m.now = m.now.Add(10 * time.Minute)
	return m
}

func (m *month) config(keep time.Duration) store.Config {
	return store.Config{DSN: m.dsn, Now: func() time.Time { return m.now }, SampleRetention: keep}
}

// rowsOf is how many rows each table of samples has, in the order of m.holds.
func rowsOf(s *store.Sizes) string {
	rows := map[string]int64{}
	for _, t := range s.Tables {
		rows[t.Name] = t.Rows
	}
	return fmt.Sprint(rows["sample_log"], rows["sample_hours"], rows["sample_days"], rows["sample_rollup_1d"])
}

// TestCompact: everything that is over becomes chunks, not a sample is lost, the count is the same, and each takes much less room.
func TestCompact(t *testing.T) {
	eachDSNWithLog(t, func(t *testing.T, m *month) {
		done := got[store.Compacted](t)(store.Compact(t.Context(), m.config(1000*time.Hour)))
		if before, after := rowsOf(&done.Before), rowsOf(&done.After); before != "3600 0 0 0" || after != "0 12 4 4" {
			t.Errorf("rows before: %s, after: %s", before, after)
		}
		if done.Before.Samples != 7200 || done.After.Samples != 7200 || done.Damaged != 0 {
			t.Errorf("%d samples before, %d after, %d rows damaged", done.Before.Samples, done.After.Samples, done.Damaged)
		}
		if b, a := done.Before.BytesPerSample(), done.After.BytesPerSample(); a <= 0 || a*3 > b {
			t.Errorf("a sample takes %.1f octets before and %.1f after", b, a)
		}
		m.check(t, 0)
		again := got[store.Compacted](t)(store.Compact(t.Context(), m.config(1000*time.Hour)))
		if diff := cmp.Diff(rowsOf(&done.After), rowsOf(&again.After)); diff != "" {
			t.Errorf("a second time changes rows:\n%s", diff)
		}
		release := acquire(t, m.Store) // it has given the right back
		release()
	})
}

func eachDSNWithLog(t *testing.T, test func(*testing.T, *month)) {
	t.Helper()
	storetest.EachDSN(t, func(t *testing.T, dsn string) { test(t, longMonth(t, dsn)) })
}

// TestCompactForgets deletes what is beyond its retention.
func TestCompactForgets(t *testing.T) {
	eachDSNWithLog(t, func(t *testing.T, m *month) {
		cfg := m.config(20 * time.Hour)
		cfg.RollupRetention = 30 * time.Hour
		done := got[store.Compacted](t)(store.Compact(t.Context(), cfg))
		if after := rowsOf(&done.After); after != "0 12 2 2" {
			t.Errorf("rows after: %s", after)
		}
	})
}

// TestCompactIsRefused beside an active process: it says which one and changes nothing.
func TestCompactIsRefused(t *testing.T) {
	eachDSNWithLog(t, func(t *testing.T, m *month) {
		release := acquire(t, m.Store)
		before := contents(t, m.dsn)
		_, err := store.Compact(t.Context(), m.config(time.Hour))
		if !errors.Is(err, store.ErrTaken) || !strings.Contains(err.Error(), fmt.Sprint("process ", os.Getpid())) {
			t.Errorf("it is refused with %v", err)
		}
		if diff := cmp.Diff(before, contents(t, m.dsn)); diff != "" {
			t.Errorf("it changed rows:\n%s", diff)
		}
		release()
		if _, err := store.Compact(t.Context(), m.config(time.Hour)); err != nil {
			t.Error(err)
		}
	})
}

// TestCompactNeverMigrates: an older vigia may run on the database.
func TestCompactNeverMigrates(t *testing.T) {
	storetest.EachDSN(t, func(t *testing.T, dsn string) {
		s := openAt(t, dsn, noon)
		if _, err := raw(t, dsn).Exec(`DELETE FROM schema_migrations WHERE version = (SELECT MAX(version) FROM schema_migrations)`); err != nil {
			t.Fatal(err)
		}
		s.Close()
		if _, err := store.Compact(t.Context(), store.Config{DSN: dsn}); err == nil || !strings.Contains(err.Error(), "let it run on the database once") {
			t.Errorf("an older schema: %v", err)
		}
	})
	dsn := storetest.SQLite(t)
	if _, err := store.Compact(t.Context(), store.Config{DSN: dsn}); err == nil || !strings.Contains(err.Error(), "there is no such file") {
		t.Errorf("no file: %v", err)
	}
}

// TestCompactNeedsRoom: on a disk with too little free space the file keeps its size, the error says how much is needed, and all else is
// done. With enough, the file is smaller, and so is what SQLite keeps beside it.
func TestCompactNeedsRoom(t *testing.T) {
	m := longMonth(t, storetest.SQLite(t))
	m.Close()
	file := strings.TrimPrefix(m.dsn, "sqlite:")
	for _, c := range []struct {
		free    uint64
		oneDisk bool
		says    string
	}{
		{17e6, true, "needs 34 MB in "}, {30e6, true, "where 30 MB are free"}, {16e6, false, "needs 17 MB in "},
	} {
		done, err := store.CompactWith(t.Context(), m.config(1000*time.Hour), c.free, c.oneDisk)
		if !errors.Is(err, store.ErrNoRoom) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%d octets are free: %v", c.free, err)
		}
		if after := rowsOf(&done.After); after != "0 12 4 4" || done.Free == 0 || done.After.Bytes < done.Before.Bytes {
			t.Errorf("rows after: %s, %d octets were free; %d octets before, %d after", after, done.Free, done.Before.Bytes, done.After.Bytes)
		}
	}
	done := got[store.Compacted](t)(store.CompactWith(t.Context(), m.config(1000*time.Hour), 18e6, false))
	info := got[os.FileInfo](t)(os.Stat(file))
	const page = 8192 // a page more than was free may be needed: the schema's own pages are filled anew
	if done.Free <= page || done.After.Bytes > done.Before.Bytes-done.Free+page || info.Size() != done.After.Bytes {
		t.Errorf("%d octets before, of which %d free; %d after, and the file has %d", done.Before.Bytes, done.Free, done.After.Bytes, info.Size())
	}
	if info, err := os.Stat(file + "-wal"); err == nil && info.Size() > 0 {
		t.Errorf("the log of writes has %d octets", info.Size())
	}
	m.check(t, 0)
}
