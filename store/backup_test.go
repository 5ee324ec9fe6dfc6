package store_test

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
	"vigia/store"
	"vigia/store/storetest"
)

// world fills a store with something of everything: incidents in every state, notifications in every state, commands done and waiting,
// samples over several rows, texts of several scripts.
func world(t testing.TB, s *store.Store) {
	t.Helper()
	odd := inventory.Ref{Kind: inventory.KindServer, Name: "servidor «ñandú» 日本"}
	for n, ref := range []inventory.Ref{link, acme, beta, odd, link} {
		apply(t, s, outage(int64(n+1), ref, alerting.Severity(2+n%4), noon.Add(time.Duration(n)*time.Minute)))
	}
	over := opened(2, acme, alerting.Minor, noon)
	over.State, over.ResolvedAt = alerting.Resolved, noon.Add(time.Hour)
	cleared := raised(2, 2, acme, alerting.Minor, noon)
	cleared.State, cleared.ClearedAt, cleared.Holds = alerting.Clear, noon.Add(time.Hour), nil
	had := opened(3, beta, alerting.Major, noon)
	had.State, had.Ack = alerting.Acknowledged, &alerting.Acknowledgement{By: "ana", Until: noon.Add(time.Hour), Severity: alerting.Major}
	pending := raised(6, 0, odd, alerting.None, noon)
	pending.State, pending.RaisedAt, pending.Series.Metric = alerting.Pending, time.Time{}, collectors.CPUPct
	apply(t, s, alerting.Change{At: noon.Add(time.Hour), Incidents: []alerting.Incident{over, had}, Alarms: []alerting.Alarm{cleared, pending}})
	var many []alerting.Event
	for n := range int64(130) { // more than one statement of a restore takes
		many = append(many, event(1000+n, 1, 1, noon.Add(time.Duration(n)*time.Second)))
	}
	apply(t, s, alerting.Change{At: noon, Events: many})
	states := []alerting.NotificationState{alerting.NotificationSent, alerting.NotificationGivenUp, alerting.NotificationPending, ""}
	for _, n := range claim(t, s, noon.Add(time.Hour), 4) {
		if state := states[0]; state != "" {
			settle(t, s, attempt(n, state, noon.Add(2*time.Hour)))
		}
		states = states[1:]
	}
	apply(t, s, alerting.Change{At: noon, Overrides: []alerting.Override{override("o", "eva", noon)}, Handovers: []alerting.HandoverNote{handover("n", noon)}})
	post(t, s, acknowledge("done"))
	apply(t, s, alerting.Change{At: noon, Commands: []alerting.CommandResult{{ID: "done", Seq: 1, At: noon, OK: true}}})
	post(t, s, alerting.Command{ID: "waits", Kind: alerting.CommandEscalate, IncidentID: 1, Actor: "luis", CreatedAt: noon})
	for n := range 3 {
		for _, ref := range []inventory.Ref{link, acme, odd} {
			s.Put(line(series(ref, collectors.LossPct), noon.Add(time.Duration(n)*time.Hour), 10*time.Second, 100))
		}
		flush(t, s)
	}
}

func backup(t testing.TB, dsn string) (string, store.Manifest) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "vigia.backup.tgz")
	result := got[store.BackupResult](t)(store.Backup(t.Context(), store.Config{DSN: dsn, Now: func() time.Time { return noon }}, store.BackupRequest{File: file, Vigia: "test"}))
	return file, result.Manifest
}

func contents(t testing.TB, dsn string) map[string][]string {
	t.Helper()
	return got[map[string][]string](t)(store.Contents(t.Context(), dsn))
}

var databases = map[string]func(testing.TB) string{"sqlite": storetest.SQLite, "postgres": storetest.Postgres}

// TestBackupRoundTrips restores a store full of everything from each database into each, and compares every row.
func TestBackupRoundTrips(t *testing.T) {
	for from, source := range databases {
		for to, target := range databases {
			t.Run(from+" to "+to, func(t *testing.T) {
				dsn := source(t)
				world(t, openAt(t, dsn, noon.Add(12*time.Hour)))
				file, m := backup(t, dsn)
				want := contents(t, dsn)
				if m.Rows() < 30 || len(want) < 8 {
					t.Fatalf("only %d rows in %d tables are in the backup", m.Rows(), len(want))
				}
				again := target(t)
				if err := store.LoadOnly(t.Context(), store.Config{DSN: again}, file); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, contents(t, again)); diff != "" {
					t.Errorf("rows differ (-before +after):\n%s", diff)
				}
				second, m2 := backup(t, again)
				if diff := cmp.Diff(m.Tables, m2.Tables, cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".SHA256" }, cmp.Ignore())); diff != "" {
					t.Errorf("the second backup %s differs:\n%s", second, diff)
				}
				goesOn(t, again)
			})
		}
	}
}

// goesOn: a restored store takes changes, commands and samples, under numbers that were never given.
func goesOn(t *testing.T, dsn string) {
	t.Helper()
	s := openAt(t, dsn, noon.Add(13*time.Hour))
	apply(t, s, outage(100, link, alerting.Major, noon))
	post(t, s, acknowledge("new"))
	s.Put(line(series(link, collectors.LossPct), noon.Add(12*time.Hour), time.Second, 10))
	flush(t, s)
	waiting := got[[]alerting.Command](t)(s.PendingCommands(t.Context(), 2))
	if len(waiting) != 1 || waiting[0].ID != "new" || waiting[0].Seq != 3 {
		t.Errorf("after the restore the commands %+v wait", waiting)
	}
}

func restore(t testing.TB, dsn, file string, now time.Time) store.RestoreResult {
	t.Helper()
	cfg := store.Config{DSN: dsn, Now: func() time.Time { return now }}
	return got[store.RestoreResult](t)(store.Restore(t.Context(), cfg, store.RestoreRequest{File: file}))
}

// TestRestoreCounts: every table has as many rows as the manifest says and as the database counts; what the restore adds is told apart.
func TestRestoreCounts(t *testing.T) {
	storetest.EachDSN(t, func(t *testing.T, dsn string) {
		full := storetest.SQLite(t)
		world(t, openAt(t, full, noon.Add(12*time.Hour)))
		file, m := backup(t, full)
		r := restore(t, dsn, file, noon.Add(24*time.Hour))
		if len(r.Tables) != len(m.Tables) {
			t.Fatalf("%d tables, want %d", len(r.Tables), len(m.Tables))
		}
		after := contents(t, dsn)
		for i, table := range r.Tables {
			if table.Backup != m.Tables[i].Rows || table.Loaded != table.Backup || int64(len(after[table.Name])) != table.Loaded+table.Added {
				t.Errorf("%+v, and %d rows are there", table, len(after[table.Name]))
			}
		}
		if want := (store.Calmed{Incidents: 4, Notifications: 3, Commands: 1, Alarms: 1}); r.Calmed != want {
			t.Errorf("calmed %+v, want %+v", r.Calmed, want)
		}
		verified := got[store.Verified](t)(store.Verify(t.Context(), store.Config{DSN: dsn}, func(d store.Damage) { t.Errorf("damage: %+v", d) }))
		if verified.Samples != 900 {
			t.Errorf("%d samples, want 900", verified.Samples)
		}
	})
}

func TestRestoreRefuses(t *testing.T) {
	storetest.EachDSN(t, func(t *testing.T, dsn string) {
		s := openAt(t, dsn, noon)
		world(t, s)
		file, _ := backup(t, dsn)
		before := contents(t, dsn)
		cfg := store.Config{DSN: dsn}
		_, err := store.Restore(t.Context(), cfg, store.RestoreRequest{File: file})
		if diff := cmp.Diff(before, contents(t, dsn)); diff != "" {
			t.Errorf("a refused restore changed rows:\n%s", diff)
		}
		if !errors.Is(err, store.ErrHolds) || !strings.Contains(err.Error(), "incidents (5)") {
			t.Errorf("a full database is not refused: %v", err)
		}
		release := acquire(t, s)
		if _, err := store.Restore(t.Context(), cfg, store.RestoreRequest{File: file, Force: true}); !errors.Is(err, store.ErrTaken) {
			t.Errorf("another process is active, and it is not refused: %v", err)
		}
		release()
		s = openAt(t, dsn, noon)
		apply(t, s, outage(50, link, alerting.Major, noon))
		if _, err := store.Restore(t.Context(), cfg, store.RestoreRequest{File: file, Force: true}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Incident(t.Context(), store.Everything(), 50); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("what was there before the forced restore is still there: %v", err)
		}
		if _, err := store.Backup(t.Context(), cfg, store.BackupRequest{File: file}); err == nil || !strings.Contains(err.Error(), "there already") {
			t.Errorf("a backup overwrote a file: %v", err)
		}
	})
}

// TestDamagedBackups changes single octets of a backup and cuts its end off: each is found, with a clear message, and nothing is restored.
func TestDamagedBackups(t *testing.T) {
	dsn := storetest.SQLite(t)
	world(t, openAt(t, dsn, noon.Add(12*time.Hour)))
	file, _ := backup(t, dsn)
	whole := got[[]byte](t)(os.ReadFile(file))
	target := "sqlite:" + filepath.Join(t.TempDir(), "new.db")
	random := rand.New(rand.NewPCG(1, 2))
	said := map[string]int{}
	for n := range 400 {
		damaged := append([]byte{}, whole...)
		if n%2 == 0 {
			damaged[random.IntN(len(damaged))] ^= byte(1 + random.IntN(255))
		} else {
			damaged = damaged[:random.IntN(len(damaged))]
		}
		if err := os.WriteFile(file, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := store.Restore(t.Context(), store.Config{DSN: target}, store.RestoreRequest{File: file})
		if err == nil {
			t.Fatalf("damage %d was not found", n)
		}
		_, after, _ := strings.Cut(err.Error(), file)
		after, _, _ = strings.Cut(after, ":")
		said[after]++
		if !strings.Contains(err.Error(), "damaged") && !strings.Contains(err.Error(), "no whole backup") && !strings.Contains(err.Error(), "only the beginning") {
			t.Errorf("%v", err)
		}
	}
	if _, err := os.Stat(strings.TrimPrefix(target, "sqlite:")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a damaged backup made a database: %v", err)
	}
	t.Log(said)
}

// TestBackupBesideWriters takes a backup while another goroutine applies changes and flushes samples: neither waits for the other, and the
// backup holds whole changes only.
func TestBackupBesideWriters(t *testing.T) {
	storetest.EachDSN(t, func(t *testing.T, dsn string) {
		s := openAt(t, dsn, time.Now())
		apply(t, s, outage(1, link, alerting.Major, noon))
		ctx, stop := context.WithCancel(t.Context())
		var writer sync.WaitGroup
		var slowest time.Duration
		var last int64
		writer.Go(func() {
			for last = 2; ctx.Err() == nil; last++ {
				start := time.Now()
				apply(t, s, outage(last, link, alerting.Major, noon))
				slowest = max(slowest, time.Since(start))
				s.Put(line(series(link, collectors.LossPct), time.Now().Add(-time.Minute), time.Millisecond, 50))
				flush(t, s)
			}
		})
		for range 5 {
			_, m := backup(t, dsn)
			rows := map[string]int64{}
			for _, table := range m.Tables {
				rows[table.Name] = table.Rows
			}
			if rows["incidents"] == 0 || rows["incidents"] != rows["events"] || rows["incidents"] != rows["alarms"] || rows["incidents"] != rows["notifications"] {
				t.Errorf("half a change is in the backup: %v", rows)
			}
		}
		stop()
		writer.Wait()
		t.Logf("%d changes meanwhile, the slowest took %s", last, slowest)
		if slowest > 2*time.Second {
			t.Errorf("a change waited %s for the backup", slowest)
		}
	})
}

// heapMeter notes the most memory that was in use while it was written to.
type heapMeter struct {
	octets, next int64
	most         uint64
}

func (h *heapMeter) Write(b []byte) (int, error) {
	h.octets += int64(len(b))
	if h.octets >= h.next {
		h.next += 1 << 20
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		h.most = max(h.most, m.HeapAlloc)
	}
	return len(b), nil
}

// fill puts rows of a kilobyte that cannot be compressed into the log. SQLite's own randomblob takes minutes under the race detector.
func fill(t *testing.T, db *sql.DB, rows int) {
	t.Helper()
	tx := got[*sql.Tx](t)(db.Begin())
	defer tx.Rollback() // after a commit it is nothing
	noise := rand.New(rand.NewPCG(1, 2))
	payload := make([]byte, 1000)
	for i := range rows {
		for k := 0; k+8 <= len(payload); k += 8 {
			binary.LittleEndian.PutUint64(payload[k:], noise.Uint64())
		}
		at := int64(1700000000000000 + i)
		if _, err := tx.Exec(`INSERT INTO sample_log (id, t0, t1, count, payload) VALUES ($3, $1, $1, 1, $2)`, at, payload, i+1); err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

// TestBackupMemory backs up and restores 24,000 rows of samples, a kilobyte each, within a fixed amount of memory.
func TestBackupMemory(t *testing.T) {
	dsn := storetest.SQLite(t)
	s := openAt(t, dsn, noon)
	db := raw(t, dsn)
	fill(t, db, 24_000)
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	var meter heapMeter
	m := got[store.Manifest](t)(s.Dump(t.Context(), &meter))
	if m.Rows() < 24_000 || meter.octets < 20_000_000 {
		t.Fatalf("%d rows, %d octets", m.Rows(), meter.octets)
	}
	grown := int64(meter.most) - int64(before.HeapAlloc)
	t.Logf("%d octets, the heap grew by %d KiB", meter.octets, grown>>10)
	if grown > 16<<20 {
		t.Errorf("the heap grew by %d octets", grown)
	}
	file, _ := backup(t, dsn)
	start := time.Now()
	r := restore(t, storetest.SQLite(t), file, noon)
	if r.Manifest.Rows() != m.Rows() {
		t.Errorf("%d rows were restored", r.Manifest.Rows())
	}
	t.Logf("verified and restored in %s", time.Since(start))
}

var _ io.Writer = (*heapMeter)(nil)
