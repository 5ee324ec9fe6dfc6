package store_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
	"vigia/store"
	"vigia/store/storetest"
)

// clock is a wall clock that only the test moves.
type clock struct{ at atomic.Int64 }

func newClock(at time.Time) *clock {
	c := &clock{}
	c.at.Store(at.UnixMicro())
	return c
}

func (c *clock) now() time.Time          { return time.UnixMicro(c.at.Load()).UTC() }
func (c *clock) advance(d time.Duration) { c.at.Add(d.Microseconds()) }

// watched is a store with the real engine running on it.
type watched struct {
	*store.Store
	t      *testing.T
	clock  *clock
	engine *alerting.Engine
	stop   func()
}

func lossRules() *alerting.Rules {
	return alerting.NewRules([]alerting.Threshold{{Metric: collectors.LossPct, On: "link/*", Tiers: []alerting.Tier{
		{Severity: alerting.Major, Raise: 10, Clear: 5}, {Severity: alerting.Critical, Raise: 50, Clear: 40, For: 5 * time.Minute},
	}}})
}

func watch(t *testing.T, dsn string, c *clock) *watched {
	t.Helper()
	s := got[*store.Store](t)(store.Open(t.Context(), store.Config{DSN: dsn, Now: c.now}))
	w := &watched{Store: s, t: t, clock: c}
	policy := alerting.Policy{Name: "noc", Fallback: "managers", AckTimeout: time.Hour, Levels: []alerting.Level{
		{Name: "L1", MinSeverity: alerting.Warning, Notify: []string{"noc"}, Repeat: 15 * time.Minute},
		{Name: "L2", After: 30 * time.Minute, MinSeverity: alerting.Major, Notify: []string{"l2"}},
	}}
	start := c.now()
	w.engine = alerting.NewEngine(alerting.EngineConfig{
		Journal: s, Commands: s, Snapshot: got[alerting.Snapshot](t)(s.Load(t.Context())), Logger: slog.New(slog.DiscardHandler),
		Now: c.now, Mono: func() time.Duration { return c.now().Sub(start) },
		Config: &alerting.Config{Rules: lossRules(), Policies: map[string]alerting.Policy{"noc": policy}, DefaultPolicy: "noc"},
	})
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = w.engine.Run(ctx) })
	w.stop = sync.OnceFunc(func() {
		cancel()
		running.Wait()
		_ = s.Close()
	})
	t.Cleanup(w.stop)
	w.settles()
	return w
}

// settles waits until the engine has planned everything that it was given, at the clock's time.
func (w *watched) settles() {
	w.t.Helper()
	from := w.engine.Stats().Plans
	eventually(w.t, "the engine plans", func() bool {
		w.engine.Wake()
		return w.engine.Stats().Plans >= from+3
	})
}

func (w *watched) measure(name string, loss float64) {
	w.t.Helper()
	ref := inventory.Ref{Kind: inventory.KindLink, Name: name}
	w.engine.Put([]collectors.Sample{{Series: series(ref, collectors.LossPct), At: w.clock.now(), Value: loss, Every: time.Minute}})
	w.settles()
}

// later lets time pass in steps of an hour, while every link goes on as it is.
func (w *watched) later(d time.Duration, loss map[string]float64) {
	w.t.Helper()
	for ; d > 0; d -= time.Hour {
		w.clock.advance(time.Hour)
		for name, v := range loss {
			ref := inventory.Ref{Kind: inventory.KindLink, Name: name}
			w.engine.Put([]collectors.Sample{{Series: series(ref, collectors.LossPct), At: w.clock.now(), Value: v, Every: time.Minute}})
		}
		w.settles()
	}
}

// due are the keys of what the outbox would send within a year.
func (w *watched) due() []string {
	w.t.Helper()
	var list []string
	for _, n := range claim(w.t, w.Store, w.clock.now().AddDate(1, 0, 0), 1000) {
		list = append(list, n.Key)
	}
	return list
}

func (w *watched) state(name string) alerting.Incident {
	w.t.Helper()
	list := got[[]alerting.Incident](w.t)(w.Incidents(w.t.Context(), store.Everything(), store.IncidentFilter{
		Ref: inventory.Ref{Kind: inventory.KindLink, Name: name}, Limit: 1,
	}))
	if len(list) == 0 {
		w.t.Fatalf("there is no incident about %s", name)
	}
	return list[0]
}

// trouble makes a store in which everything that could page somebody waits: an incident with a page pending and one leased, one that is
// acknowledged for an hour, one whose page was given up, a level that is about to be crossed, and a command to escalate.
func trouble(t *testing.T, dsn string) {
	t.Helper()
	w := watch(t, dsn, newClock(noon))
	for _, name := range []string{"a", "b", "c"} {
		w.measure(name, 20)
	}
	post(t, w.Store, alerting.Command{ID: "ack", Kind: alerting.CommandAcknowledge, IncidentID: w.state("b").ID, Actor: "ana", CreatedAt: noon})
	w.engine.CommandsPosted()
	eventually(t, "b is acknowledged", func() bool { return w.state("b").State == alerting.Acknowledged })
	w.measure("a", 60) // critical in five minutes
	w.stop()
	s := openAt(t, dsn, noon)
	for _, n := range claim(t, s, noon.Add(time.Minute), 1000) {
		switch {
		case strings.HasPrefix(n.Key, "i3."):
			settle(t, s, attempt(n, alerting.NotificationGivenUp, time.Time{}))
		case n.Cause == alerting.CauseAcknowledged:
			settle(t, s, attempt(n, alerting.NotificationPending, noon.Add(time.Hour)))
		}
	}
	post(t, s, alerting.Command{ID: "up", Kind: alerting.CommandEscalate, IncidentID: 1, Actor: "luis", CreatedAt: noon})
}

// TestRestoreNeverPages starts the real engine on a restored store three days later and lets two days pass: nobody is told of what was open
// at the time of the backup, neither while it lasts nor when it ends. A new fault pages, and so does one that gets worse.
func TestRestoreNeverPages(t *testing.T) {
	storetest.EachDSN(t, func(t *testing.T, dsn string) {
		full := storetest.SQLite(t)
		trouble(t, full)
		file, _ := backup(t, full)

		late := newClock(noon.AddDate(0, 0, 3))
		r := restore(t, dsn, file, late.now())
		if r.Calmed.Incidents != 3 || r.Calmed.Notifications == 0 || r.Calmed.Commands != 1 {
			t.Errorf("calmed %+v", r.Calmed)
		}
		late.advance(time.Hour)
		w := watch(t, dsn, late)
		still := map[string]float64{"a": 20, "b": 20, "c": 20}
		w.later(48*time.Hour, still)
		if due := w.due(); len(due) > 0 {
			t.Fatalf("after the restore %v would be sent", due)
		}
		if i := w.state("a"); i.State != alerting.Acknowledged || i.Ack == nil || i.Ack.By != store.Restorer || i.Severity != alerting.Major {
			t.Errorf("a is %v by %+v, %v", i.State, i.Ack, i.Severity)
		}
		if i := w.state("b"); i.Ack == nil || i.Ack.By != "ana" || !i.Ack.Until.IsZero() {
			t.Errorf("b is had by %+v", i.Ack)
		}
		if n := w.engine.Stats().Untold; n != 0 {
			t.Errorf("the auditor counts %d untold incidents", n)
		}
		late.advance(time.Minute)
		w.measure("b", 0)
		if i := w.state("b"); i.State != alerting.Resolved || len(w.due()) > 0 {
			t.Errorf("b is %v, and %v would be sent", i.State, w.due())
		}

		w.measure("new", 20)
		due := w.due()
		if len(due) != 1 || !strings.Contains(due[0], ".noc.opened.") {
			t.Errorf("a new fault tells %v", due)
		}
		if id := w.state("new").ID; id < 3*24*3600 {
			t.Errorf("the new incident has the id %d, which the lost days may have used", id)
		}
		w.later(2*time.Hour, map[string]float64{"c": 60})
		if i := w.state("c"); i.State != alerting.Open || i.Severity != alerting.Critical || i.Ack != nil {
			t.Errorf("c got worse and is %v, %v", i.State, i.Severity)
		}
		w.stop()
		eachTimeline(t, dsn)
	})
}

// eachTimeline: what was open says that it was restored, in both languages.
func eachTimeline(t *testing.T, dsn string) {
	t.Helper()
	s := openAt(t, dsn, noon)
	for id := int64(1); id <= 3; id++ {
		found := false
		for _, e := range got[[]alerting.Event](t)(s.Events(t.Context(), store.Everything(), store.EventFilter{Incident: id})) {
			found = found || strings.HasPrefix(e.Text.Code, "store.restored")
			if word, ok := store.RestoreWords[e.Text.Code]; strings.HasPrefix(e.Text.Code, "store.") && (!ok || word.EN == "" || word.ES == "") {
				t.Errorf("there are no words for %s", e.Text.Code)
			}
		}
		if !found {
			t.Errorf("the timeline of incident %d does not say that it was restored", id)
		}
	}
}

// TestWithoutRestoreItPages shows that the same store, taken up late without a restore, does page: what TestRestoreNeverPages looks for is
// there to be found.
func TestWithoutRestoreItPages(t *testing.T) {
	dsn := storetest.SQLite(t)
	trouble(t, dsn)
	w := watch(t, dsn, newClock(noon.AddDate(0, 0, 3)))
	w.measure("a", 20)
	if due := w.due(); len(due) < 3 {
		t.Errorf("only %v would be sent", due)
	}
}

// TestRestoreIntoOpenedDatabase restores into a database that a vigia has opened once, and that holds nothing yet.
func TestRestoreIntoOpenedDatabase(t *testing.T) {
	storetest.EachDSN(t, func(t *testing.T, dsn string) {
		full := storetest.SQLite(t)
		world(t, openAt(t, full, noon.Add(12*time.Hour)))
		file, m := backup(t, full)
		openAt(t, dsn, noon) // makes the schema, and holds nothing
		r := restore(t, dsn, file, noon.Add(24*time.Hour))
		if r.Manifest.Rows() != m.Rows() {
			t.Errorf("%d rows of %d", r.Manifest.Rows(), m.Rows())
		}
		release := acquire(t, openAt(t, dsn, noon)) // the right was given back
		release()
		second := filepath.Join(t.TempDir(), "again.tgz")
		if _, err := store.Backup(t.Context(), store.Config{DSN: dsn}, store.BackupRequest{File: second}); err != nil {
			t.Error(err)
		}
		if _, err := store.VerifyBackup(t.Context(), second); err != nil {
			t.Error(err)
		}
	})
}

// spoil makes a table refuse every row, or lose it without a word.
func spoil(t *testing.T, dsn, table string, silently bool) {
	t.Helper()
	db := raw(t, dsn)
	what, verdict := "ABORT, 'no'", "RAISE EXCEPTION 'no'"
	if silently {
		what, verdict = "IGNORE", "RETURN NULL"
	}
	list := []string{"CREATE TRIGGER spoil BEFORE INSERT ON " + table + " BEGIN SELECT RAISE(" + what + "); END"}
	if strings.HasPrefix(dsn, "postgres") {
		list = []string{
			"CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN " + verdict + "; END $$",
			"CREATE TRIGGER spoil BEFORE INSERT ON " + table + " FOR EACH ROW EXECUTE FUNCTION spoil()",
		}
	}
	for _, text := range list {
		if _, err := db.Exec(text); err != nil {
			t.Fatal(err)
		}
	}
}

// TestRestoreIsWholeOrNothing makes the database refuse the rows of a table, or lose them: the restore says so and leaves everything as it was.
func TestRestoreIsWholeOrNothing(t *testing.T) {
	full := storetest.SQLite(t)
	world(t, openAt(t, full, noon.Add(12*time.Hour)))
	file, _ := backup(t, full)
	for _, silently := range []bool{false, true} {
		storetest.EachDSN(t, func(t *testing.T, dsn string) {
			apply(t, openAt(t, dsn, noon), outage(7, link, alerting.Major, noon))
			before := contents(t, dsn)
			spoil(t, dsn, "series", silently)
			r, err := store.Restore(t.Context(), store.Config{DSN: dsn}, store.RestoreRequest{File: file, Force: true})
			if err == nil || errors.Is(err, store.ErrCounts) != silently {
				t.Errorf("lost without a word: %v; the restore says %v", silently, err)
			}
			wrong := 0
			for _, table := range r.Tables {
				if table.Loaded != table.Backup {
					wrong++
				}
			}
			if silently && wrong != 1 {
				t.Errorf("%d tables are said to be wrong: %+v", wrong, r.Tables)
			}
			if diff := cmp.Diff(before, contents(t, dsn)); diff != "" {
				t.Errorf("a restore that went wrong changed rows:\n%s", diff)
			}
		})
	}
}
