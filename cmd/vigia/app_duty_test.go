package main

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"

	"vigia/collectors/inventory"
	"vigia/store/storetest"
)

const dutyConfig = `listen: 127.0.0.1:0
store: %s
sites: [{name: here}]
links:
  - {name: one, site: here, peer: P, checks: [{kind: tcp, address: "%s", every: 1s, timeout: 500ms}]}
`

// dutyFile is the configuration on a database. Its target answers as long as the test lasts.
func dutyFile(t *testing.T, dsn string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return fmt.Sprintf(dutyConfig, dsn, l.Addr())
}

// appOn joins a process on a database.
func appOn(t *testing.T, dsn string) *app {
	t.Helper()
	file := filepath.Join(t.TempDir(), "vigia.yaml")
	if err := os.WriteFile(file, []byte(dutyFile(t, dsn)), 0o600); err != nil {
		t.Fatal(err)
	}
	a, err := newApp(t.Context(), file, kinds(), slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// running runs a process until the test ends, and demands that it ends well.
func running(t *testing.T, a *app) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("it ended with %v", err)
		}
	})
}

// until waits for a condition.
func until(t *testing.T, what string, so func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(30 * time.Second)
	for !so() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not in 30 s: %s", what)
		}
	}
}

func metricsOf(a *app) string {
	rec := httptest.NewRecorder()
	a.metrics().ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
	return rec.Body.String()
}

// TestStandbyAnswers: everything that looks at the parts of the active process copes with there being none.
func TestStandbyAnswers(t *testing.T) {
	dsn := storetest.Postgres(t)
	first, second := appOn(t, dsn), appOn(t, dsn)
	running(t, first)
	running(t, second)
	if first.on() == nil || second.on() != nil {
		t.Fatal("the wrong one is active")
	}
	pid := fmt.Sprint(", process ", os.Getpid())
	if s := second.state(); s.Active || !s.Held || !strings.HasSuffix(s.Holder, pid) || s.Epoch != 1 {
		t.Errorf("the standby's state: %+v", s)
	}
	if s := first.state(); !s.Active || s.Epoch != 1 || !strings.HasSuffix(s.Holder, pid) {
		t.Errorf("the active one's state: %+v", s)
	}
	if err := second.alive(); err != nil {
		t.Errorf("alive: %v", err)
	}
	until(t, "the standby can read its database", func() bool { return second.ready() == nil })
	one := inventory.Ref{Kind: inventory.KindLink, Name: "one"}
	if second.checkNow(one) || !first.checkNow(one) {
		t.Error("a standby runs a check, or the active one does not")
	}
	if _, ok := second.checkStats(second.live.Load().checks[0].ID); ok {
		t.Error("a standby knows how a check does")
	}
	if h := second.health(); h.Scheduler.Checks != 0 || !h.Engine.LastPlan.IsZero() || h.Config.LoadedAt.IsZero() {
		t.Errorf("the standby's health: %+v", h)
	}
	if got := metricsOf(second); !strings.Contains(got, "\nvigia_active 0\n") || !strings.Contains(got, "\nvigia_alarms 0\n") {
		t.Errorf("the standby's metrics:\n%s", got)
	}
	if !strings.Contains(metricsOf(first), "\nvigia_active 1\n") {
		t.Error("the active one does not say so")
	}
	second.putSelf()
	second.settled(nil)
}

// TestStandbyReloads: it takes a new configuration, refuses a bad one, and works by the new one when its turn comes.
func TestStandbyReloads(t *testing.T) {
	dsn := storetest.Postgres(t)
	first, second := appOn(t, dsn), appOn(t, dsn)
	running(t, second)
	text := dutyFile(t, dsn)
	rename := func(to string) {
		t.Helper()
		if err := os.WriteFile(second.file, []byte(strings.Replace(text, "name: one", to, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		second.Reload()
	}
	rename("name: two")
	rename("nmae: three")
	if since, err := second.reloader.Refused(); err == nil || since.IsZero() {
		t.Error("a bad file was taken")
	}
	closed := second.live.Load().checks[0].Collector
	first.close()
	until(t, "the standby takes over", func() bool { return second.on() != nil })
	if second.live.Load().checks[0].Collector == closed {
		t.Error("it works with a collector that it has closed")
	}
	two := inventory.Ref{Kind: inventory.KindLink, Name: "two"}
	if !second.checkNow(two) {
		t.Error("the new configuration is not the one that runs")
	}
	until(t, "its check runs", func() bool { return second.schedulerStats().Runs > 0 && second.engineStats().Plans > 0 })
}

// TestDeposedStandsByAgain: a process whose right another took goes on as a standby, stops its parts, and takes its turn again.
func TestDeposedStandsByAgain(t *testing.T) {
	dsn := storetest.Postgres(t)
	a := appOn(t, dsn)
	running(t, a)
	until(t, "it plans", func() bool { return a.engineStats().Plans > 0 })
	until(t, "its first canary is on its way", func() bool { return a.engineStats().Changes > 0 }) // the next one is half a minute away
	old := a.on()
	changes := old.engine.Stats().Changes
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(`UPDATE lease SET epoch = epoch + 1, holder = 'thief', guarded = FALSE, until = now() + INTERVAL '1 hour'`); err != nil {
		t.Fatal(err)
	}
	until(t, "it stands by", func() bool { return a.duty.Load() == nil && a.state().Holder == "thief" })
	if s := a.state(); s.Active || !s.Held || s.Epoch != 2 {
		t.Errorf("its state: %+v", s)
	}
	plans := old.engine.Stats().Plans
	if n := old.engine.Stats().Changes; n != changes {
		t.Errorf("%d changes were stored meanwhile: the test must not learn of the loss by one", n-changes)
	}
	if _, err := db.Exec(`UPDATE lease SET until = now() - INTERVAL '1 second'`); err != nil {
		t.Fatal(err)
	}
	until(t, "it is active again", func() bool { return a.on() != nil && a.engineStats().Plans > 0 && a.schedulerStats().Runs > 0 })
	if now := old.engine.Stats().Plans; now != plans {
		t.Errorf("the engine that was deposed went on: %d plans, then %d", plans, now)
	}
	if s := a.state(); !s.Active || s.Epoch != 3 {
		t.Errorf("its state: %+v", s)
	}
}
