package store_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vigia/alerting"
	"vigia/alerting/outbox"
	"vigia/collectors/inventory"
	"vigia/store"
	"vigia/store/storetest"
)

// severable is a database that can be cut off, and a folder for local journals.
type severable struct {
	t      *testing.T
	dsn    string // past what can be cut
	target string // through it
	cut    func(bool)
	folder string
}

// eachSeverable runs a suite on both databases. SQLite is cut off by another writer that does not end, PostgreSQL by a cut of the network.
func eachSeverable(t *testing.T, suite func(t *testing.T, w *severable)) {
	t.Run("sqlite", func(t *testing.T) {
		dsn := storetest.SQLite(t)
		suite(t, &severable{t: t, dsn: dsn, target: dsn, cut: keepLocked(t, strings.TrimPrefix(dsn, "sqlite:")), folder: t.TempDir()})
	})
	t.Run("postgres", func(t *testing.T) {
		dsn := storetest.Postgres(t)
		address := got[*url.URL](t)(url.Parse(dsn))
		p := newProxy(t, address.Host)
		address.Host = p.listener.Addr().String()
		suite(t, &severable{t: t, dsn: dsn, target: address.String(), cut: p.set, folder: t.TempDir()})
	})
}

func keepLocked(t *testing.T, file string) func(bool) {
	var db *sql.DB
	var tx *sql.Tx
	return func(lock bool) {
		if !lock {
			tx.Rollback()
			db.Close()
			return
		}
		db = got[*sql.DB](t)(sql.Open("sqlite", "file:"+file+"?_txlock=immediate"))
		tx = got[*sql.Tx](t)(db.Begin())
	}
}

// open opens the database as a process with a journal of its own name would.
func (w *severable) open(name, dsn string, options ...storetest.Option) *store.Store {
	w.t.Helper()
	cfg := store.Config{DSN: dsn, Journal: filepath.Join(w.folder, name), JournalRoom: 1 << 20, FlushEvery: 20 * time.Millisecond}
	for _, o := range options {
		o(&cfg)
	}
	s, err := store.Open(w.t.Context(), cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { s.Close() })
	return s
}

func logTo(w io.Writer) storetest.Option {
	return func(c *store.Config) { c.Logger = slog.New(slog.NewTextHandler(w, nil)) }
}

func sentResult(key string, attempt int, at time.Time) []outbox.Result {
	return []outbox.Result{{
		Delivery: alerting.Delivery{Key: key, Attempt: attempt, At: at, Took: time.Millisecond, OK: true, Outcome: "accepted"},
		State:    alerting.NotificationSent,
	}}
}

// expectTold checks what the database has of an incident's only notification.
func expectTold(t *testing.T, s *store.Store, incident int64, state alerting.NotificationState, deliveries int) {
	t.Helper()
	views := got[[]store.NotificationView](t)(s.Notifications(t.Context(), store.Everything(), incident))
	if len(views) != 1 || views[0].State != state || len(views[0].Deliveries) != deliveries {
		t.Errorf("incident %d: got %+v, want one notification that is %s with %d deliveries", incident, views, state, deliveries)
	}
}

// While the database is away, changes are taken, notifications come out, outcomes and commands are kept; afterwards the database has all of
// it, once.
func TestJournalWhileAway(t *testing.T) {
	eachSeverable(t, func(t *testing.T, w *severable) {
		var heard []alerting.Settled
		s := w.open("a", w.target, func(c *store.Config) { c.OnSettle = func(list []alerting.Settled) { heard = append(heard, list...) } })
		acquire(t, s)
		apply(t, s, outage(1, link, alerting.Major, noon))
		w.cut(true)
		apply(t, s, outage(2, link, alerting.Critical, noon), outage(3, link, alerting.Major, noon))
		claimed := claim(t, s, noon, 10)
		if len(claimed) != 3 || claimed[0].IncidentID != 2 || claimed[0].Attempts != 1 {
			t.Fatalf("claimed while away: %+v", claimed)
		}
		if again := claim(t, s, noon, 10); len(again) != 0 {
			t.Errorf("claimed twice: %+v", again)
		}
		settle := func(results []outbox.Result) {
			t.Helper()
			if err := s.Settle(t.Context(), results); err != nil {
				t.Fatal(err)
			}
		}
		settle(sentResult(claimed[0].Key, 1, noon))
		failed := sentResult(claimed[1].Key, 1, noon)
		failed[0].State, failed[0].NextAt, failed[0].Delivery.OK = alerting.NotificationPending, noon.Add(time.Second), false
		settle(failed)
		if due := got[time.Time](t)(s.NextDue(t.Context())); !due.Equal(noon.Add(time.Second)) {
			t.Errorf("next due %v, want in a second", due)
		}
		post(t, s, acknowledge("a"))
		commands := got[[]alerting.Command](t)(s.PendingCommands(t.Context(), 0))
		if len(commands) != 1 || commands[0].ID != "a" {
			t.Fatalf("commands while away: %+v", commands)
		}
		apply(t, s, alerting.Change{At: noon, Commands: []alerting.CommandResult{{ID: "a", At: noon, OK: true}}})
		if r := got[alerting.CommandResult](t)(s.AwaitCommand(t.Context(), "a")); !r.OK {
			t.Errorf("the command's answer: %+v", r)
		}
		expectSeen(t, s)
		if stats := s.Stats(); stats.Up || stats.Journaled != 6 {
			t.Errorf("while away: up %v, journaled %d, want 6", stats.Up, stats.Journaled)
		}
		w.cut(false)
		eventually(t, "the database has all of it", func() bool { s.ComeBack(t.Context()); return s.Stats().Up })
		if stats := s.Stats(); stats.Journaled != 0 {
			t.Errorf("%d still wait", stats.Journaled)
		}
		other := w.open("b", w.dsn)
		for n, want := range []struct {
			state      alerting.NotificationState
			deliveries int
		}{{alerting.NotificationPending, 1}, {alerting.NotificationSent, 1}, {alerting.NotificationPending, 0}} {
			expectTold(t, other, int64(n+1), want.state, want.deliveries)
		}
		if len(heard) != 2 || heard[0].State != alerting.NotificationSent || heard[1].State != alerting.NotificationPending {
			t.Errorf("heard %+v", heard)
		}
		snapshot := got[alerting.Snapshot](t)(other.Load(t.Context()))
		if snapshot.NextEvent != 4 || len(snapshot.Alarms) != 3 || snapshot.LastCommand == 0 {
			t.Errorf("what the database has: next event %d, %d alarms, last command %d", snapshot.NextEvent, len(snapshot.Alarms), snapshot.LastCommand)
		}
		apply(t, s, outage(4, link, alerting.Major, noon))
		if again := claim(t, s, noon.Add(time.Minute), 10); len(again) != 3 {
			t.Errorf("%d are due afterwards, want 3: %+v", len(again), again)
		}
	})
}

// expectSeen checks what pages show while the database is away.
func expectSeen(t *testing.T, s *store.Store) {
	t.Helper()
	live := true
	incidents := got[[]alerting.Incident](t)(s.Incidents(t.Context(), store.Everything(), store.IncidentFilter{Live: &live}))
	alarms := got[[]alerting.Alarm](t)(s.Alarms(t.Context(), store.Everything(), store.AlarmFilter{Active: true}))
	events := got[[]alerting.Event](t)(s.Events(t.Context(), store.Everything(), store.EventFilter{Incident: 3}))
	spans := got[[]store.Span](t)(s.AlarmSpans(t.Context(), store.Everything(), link, noon.Add(-time.Hour), noon.Add(time.Hour)))
	if len(incidents) != 3 || len(alarms) != 3 || len(events) != 1 || len(spans) != 3 || incidents[0].ID != 2 {
		t.Errorf("while away: %d incidents, %d alarms, %d events, %d spans", len(incidents), len(alarms), len(events), len(spans))
	}
	differ(t, "an incident from before", got[alerting.Incident](t)(s.Incident(t.Context(), store.Everything(), 1)), opened(1, link, alerting.Major, noon))
	expectTold(t, s, 2, alerting.NotificationSent, 1)
	if _, err := s.Incident(t.Context(), store.Scope{}, 9); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("an incident that there is not: %v", err)
	}
}

// A process that dies while the database is away loses nothing: the next one writes what the journal holds before it is active.
func TestJournalOutlivesTheProcess(t *testing.T) {
	eachSeverable(t, func(t *testing.T, w *severable) {
		s := w.open("a", w.target)
		release := acquire(t, s)
		w.cut(true)
		apply(t, s, outage(1, link, alerting.Major, noon))
		if err := s.Settle(t.Context(), sentResult(told(1, "noc-slack", alerting.Major, noon).Key, 1, noon)); err != nil {
			t.Fatal(err)
		}
		s.Forget() // as if it were killed
		release()
		s.Close()
		w.cut(false)
		next := w.open("a", w.target)
		release = acquire(t, next)
		expectTold(t, next, 1, alerting.NotificationSent, 1)
		snapshot := got[alerting.Snapshot](t)(next.Load(t.Context()))
		if len(snapshot.Incidents) != 1 || snapshot.NextIncident != 2 {
			t.Errorf("loaded %d incidents, the next is %d", len(snapshot.Incidents), snapshot.NextIncident)
		}
		release()
		next.Close()
		third := w.open("a", w.target) // nothing is written again
		acquire(t, third)
		expectTold(t, third, 1, alerting.NotificationSent, 1)
	})
}

// When another process has become the active one meanwhile, what was decided without the database is discarded, but not that somebody was
// told of what both know.
func TestJournalOfAProcessThatWasReplaced(t *testing.T) {
	dsn := storetest.Postgres(t)
	address := got[*url.URL](t)(url.Parse(dsn))
	p := newProxy(t, address.Host)
	address.Host = p.listener.Addr().String()
	w := &severable{t: t, dsn: dsn, target: address.String(), cut: p.set, folder: t.TempDir()}
	var log bytes.Buffer
	first := w.open("a", w.target, logTo(&log))
	acquire(t, first)
	apply(t, first, outage(1, link, alerting.Major, noon))
	w.cut(true)
	apply(t, first, outage(2, link, alerting.Critical, noon))
	for _, n := range []int64{1, 2} {
		if err := first.Settle(t.Context(), sentResult(told(n, "noc-slack", alerting.Major, noon).Key, 1, noon)); err != nil {
			t.Fatal(err)
		}
	}
	second := w.open("b", w.dsn)
	eventually(t, "the other one takes over", func() bool {
		release, err := second.Acquire(t.Context())
		if err == nil {
			t.Cleanup(release)
		}
		return err == nil
	})
	snapshot := got[alerting.Snapshot](t)(second.Load(t.Context()))
	if snapshot.NextIncident != 1002 {
		t.Errorf("the next incident is %d, which the first may have used without the database", snapshot.NextIncident)
	}
	later := outage(2, link, alerting.Major, noon.Add(time.Minute)) // it gives the same number, which ids that leap would prevent
	apply(t, second, later)
	w.cut(false)
	eventually(t, "the first notices", func() bool {
		return errors.Is(first.Apply(t.Context(), outage(3, link, alerting.Major, noon)), store.ErrLost) || first.ComeBack(t.Context()) != nil
	})
	if err := first.Apply(t.Context(), outage(3, link, alerting.Major, noon)); !errors.Is(err, store.ErrLost) {
		t.Errorf("the first still applies: %v", err)
	}
	if _, err := first.Claim(t.Context(), noon, time.Minute, 1, nil); !errors.Is(err, store.ErrLost) {
		t.Errorf("the first still claims: %v", err)
	}
	expectTold(t, second, 1, alerting.NotificationSent, 1)
	expectTold(t, second, 2, alerting.NotificationPending, 0)
	if !strings.Contains(log.String(), "discarded") || len(copies(t, w.folder, "a.discarded-*")) != 1 {
		t.Errorf("nothing says what was discarded:\n%s", log.String())
	}
}

func copies(t *testing.T, folder, pattern string) []string {
	t.Helper()
	return got[[]string](t)(filepath.Glob(filepath.Join(folder, pattern)))
}

// What the database refuses for good does not hold up the rest: it is set aside, and people are told all the same.
func TestRefusedForGood(t *testing.T) {
	eachSeverable(t, func(t *testing.T, w *severable) {
		s := w.open("a", w.target)
		acquire(t, s)
		refuse(t, w)
		odd := inventory.Ref{Kind: inventory.KindLink, Name: "refused"}
		c := outage(2, odd, alerting.Major, noon)
		c.Alarms = append(c.Alarms, raised(3, 2, link, alerting.Major, noon))
		c.Notifications[0].Receiver = "refused"
		apply(t, s, outage(1, link, alerting.Major, noon), c)
		if stats := s.Stats(); stats.SetAside != 3 || !stats.Up {
			t.Errorf("%d set aside, up %v", stats.SetAside, stats.Up)
		}
		snapshot := got[alerting.Snapshot](t)(s.Load(t.Context()))
		if len(snapshot.Alarms) != 2 || len(snapshot.Incidents) != 1 {
			t.Errorf("kept %d alarms and %d incidents, want 2 and 1", len(snapshot.Alarms), len(snapshot.Incidents))
		}
		claimed := claim(t, s, noon, 10)
		if len(claimed) != 2 {
			t.Fatalf("claimed %+v", claimed)
		}
		for _, n := range claimed {
			if err := s.Settle(t.Context(), sentResult(n.Key, 1, noon)); err != nil {
				t.Fatal(err)
			}
		}
		if again := claim(t, s, noon.Add(time.Hour), 10); len(again) != 0 {
			t.Errorf("claimed again %+v", again)
		}
		data := got[[]byte](t)(os.ReadFile(filepath.Join(w.folder, "a.refused")))
		for i, line := range strings.Split(strings.TrimSpace(string(data)), "\n") {
			var kept struct{ Why, What any }
			if err := json.Unmarshal([]byte(line), &kept); err != nil || kept.Why == "" || kept.What == nil {
				t.Errorf("line %d: %v: %s", i, err, line)
			}
		}
		w.cut(true) // and through the journal
		apply(t, s, outage(5, odd, alerting.Major, noon), outage(6, link, alerting.Major, noon))
		w.cut(false)
		eventually(t, "the database has the rest", func() bool { s.ComeBack(t.Context()); return s.Stats().Up })
		expectTold(t, s, 6, alerting.NotificationPending, 0)
		if stats := s.Stats(); stats.SetAside != 5 {
			t.Errorf("%d set aside, want 5", stats.SetAside)
		}
	})
}

// refuse lets the database refuse everything about one link and one receiver.
func refuse(t *testing.T, w *severable) {
	t.Helper()
	driver, address := "pgx", w.dsn
	texts := []string{}
	for _, column := range [][2]string{{"alarms", "ref_name"}, {"incidents", "ref_name"}, {"notifications", "receiver"}} {
		text := fmt.Sprintf(`ALTER TABLE %s ADD CHECK (%s <> 'refused')`, column[0], column[1])
		if file, ok := strings.CutPrefix(w.dsn, "sqlite:"); ok {
			driver, address = "sqlite", file
			text = fmt.Sprintf(`CREATE TRIGGER refuse_%s BEFORE INSERT ON %s WHEN new.%s = 'refused' BEGIN SELECT RAISE(ABORT, 'refused'); END`,
				column[0], column[0], column[1])
		}
		texts = append(texts, text)
	}
	db := got[*sql.DB](t)(sql.Open(driver, address))
	defer db.Close()
	for _, text := range texts {
		if _, err := db.ExecContext(context.Background(), text); err != nil {
			t.Fatal(err)
		}
	}
}
