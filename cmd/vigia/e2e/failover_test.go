package e2e

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

var (
	failoverKills = flag.Int("failover.kills", 5, "TestFailover: how often the active process is killed")
	failoverStops = flag.Int("failover.stops", 4, "TestFailover: how often it is stopped (SIGSTOP), every second time in mid-transaction")
	failoverCuts  = flag.Int("failover.cuts", 2, "TestFailover: how often it is cut off from the database, every second time without a word")
	failoverLone  = flag.Int("failover.lone", 2, "TestFailover: how often it alone knows of a failure that is over when it comes back, every second time killed in between")
)

// How soon a standby must be active.
const (
	afterKill = 5 * time.Second
	afterStop = 15 * time.Second
	afterCut  = 15 * time.Second
)

const failoverConfig = `listen: %s
store: %s
sites: [{name: here}]
thresholds:
  - {metric: up, on: link/*, tiers: [{severity: critical, raise: 0, clear: 1, for: 1s, clear_for: 1s}], policy: noc}
policies:
  - {name: noc, levels: [{name: L1, after: 0s, notify: [one, two], repeat: 60m}]}
receivers:
  - {name: one, kind: webhook, url: "%[3]s/one"}
  - {name: two, kind: webhook, url: "%[3]s/two"}
links:
`

// TestFailover lets two processes run on one database and takes the active one away, again and again: by killing it, by stopping it, also with
// a transaction open, and by cutting it off from the database. Each time a target fails meanwhile. The other one takes over in time, everyone
// is told of every failure, once or with one copy too many, and what comes back stands by and writes nothing.
func TestFailover(t *testing.T) {
	f := newFailover(t)
	f.standbyWorks()
	for range *failoverKills {
		f.kill()
	}
	for i := range *failoverStops {
		f.stop(i%2 == 1)
	}
	for i := range *failoverCuts {
		f.cut(i%2 == 1)
	}
	for i := range *failoverLone {
		f.lone(i%2 == 1)
	}
	f.calm()
	f.check()
	t.Logf("takeover after a kill: %s", f.kills)
	t.Logf("takeover after a stop: %s", f.stops)
	t.Logf("takeover after a cut network: %s", f.cuts)
}

type failover struct {
	t       *testing.T
	rng     *rand.Rand
	db      *sql.DB
	hook    *hook
	targets []*crashTarget
	failed  int // so many of them
	seats   [2]*seat
	on      int         // which seat is active
	losses  int         // how often somebody lost the right and lived
	taken   []time.Time // when each process was taken away

	kills, stops, cuts figures
}

func newFailover(t *testing.T) *failover {
	t.Helper()
	dsn := os.Getenv("VIGIA_TEST_POSTGRES")
	needs(t, dsn != "", "PostgreSQL", "set VIGIA_TEST_POSTGRES to a DSN whose user may create databases (.ci/postgres.sh start prints one)")
	dsn = newDatabase(t, dsn)
	seed := rand.Uint64()
	f := &failover{t: t, rng: rand.New(rand.NewPCG(seed, 1)), hook: newHook(t)}
	f.hook.slow = 300 * time.Millisecond // so that what takes a process away meets messages on their way
	var err error
	if f.db, err = sql.Open("pgx", dsn); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.db.Close() })
	links := ""
	for i := range 1 + *failoverKills + *failoverStops + *failoverCuts + *failoverLone { // each fails once
		target := newCrashTarget(t, f.rng)
		f.targets = append(f.targets, target)
		links += fmt.Sprintf("  - {name: t%03d, site: here, peer: P, checks: [{kind: tcp, address: %q, every: 1s, timeout: 500ms}]}\n", i, target.addr)
	}
	for i := range f.seats {
		f.seats[i] = newSeat(t, dsn, func(listen, dsn string) string { return fmt.Sprintf(failoverConfig, listen, dsn, f.hook.url) + links })
		f.seats[i].start()
	}
	f.active().becomes(true, time.Now(), time.Second)
	f.standby().becomes(false, time.Now(), time.Second)
	return f
}

func (f *failover) active() *seat  { return f.seats[f.on] }
func (f *failover) standby() *seat { return f.seats[1-f.on] }

// fail lets the next target fail and returns its object.
func (f *failover) fail() string {
	ref := fmt.Sprintf("link/t%03d", f.failed)
	f.targets[f.failed].turn(f.t)
	f.failed++
	return ref
}

// told waits until both receivers have heard of a failure.
func (f *failover) told(ref string) {
	f.t.Helper()
	// A notification that a process had leased which was only stopped is sent by the other one when that lease is over: half a minute.
	if !eventually(45*time.Second, func() bool { return f.hook.tells(ref, "opened") }) {
		f.t.Fatalf("nobody was told of %s: %v\n%s", ref, f.hook.heard(), f.active().p.output)
	}
}

// recover mends the target that failed last.
func (f *failover) recover() { f.targets[f.failed-1].mend(f.t) }

// pause is a moment of the script, so that what comes next falls on any point of what is under way.
func (f *failover) pause(most time.Duration) {
	within(f.t.Context(), between(f.rng, 0, most))
}

// standbyWorks shows that a standby answers, says what it is, and takes decisions that the active process carries out.
func (f *failover) standbyWorks() {
	f.t.Helper()
	ref := f.fail()
	f.told(ref)
	p := f.standby().p
	for _, page := range []string{"/", "/alarms", "/health", "/wallboard", "/settings"} {
		if text := p.get(f.t, page); !strings.Contains(text, "Standby: ") {
			f.t.Errorf("%s on the standby does not say what it is", page)
		}
		if text := f.active().p.get(f.t, page); strings.Contains(text, "Standby: ") {
			f.t.Errorf("%s on the active one says that it is a standby", page)
		}
	}
	if got := p.get(f.t, "/healthz") + p.get(f.t, "/readyz"); got != "ok\nok\n" {
		f.t.Errorf("a standby's health: %q", got)
	}
	var list struct{ Incidents []crashIncident }
	if err := p.getJSON("/api/v1/incidents?state=open", &list); err != nil || len(list.Incidents) != 1 {
		f.t.Fatalf("incidents that the standby sees: %v %v", list.Incidents, err)
	}
	if status := takeIncident(f.t.Context(), p.base, list.Incidents[0].ID, "one"); status != http.StatusOK {
		f.t.Errorf("acknowledged on the standby: status %d", status)
	}
	f.recover()
}

// kill ends the active process as a power cut of its machine would.
func (f *failover) kill() {
	f.t.Helper()
	ref := f.fail()
	f.pause(3 * time.Second)
	dead, killed := f.active(), time.Now()
	f.taken = append(f.taken, killed)
	dead.p.kill()
	f.kills = append(f.kills, f.standby().becomes(true, killed, afterKill))
	f.on = 1 - f.on
	f.told(ref)
	f.stored(ref)
	f.recover()
	dead.start()
	dead.becomes(false, time.Now(), time.Second)
}

// stop stops the active process and lets it go on when another has taken over.
func (f *failover) stop(inTransaction bool) {
	f.t.Helper()
	ref := f.fail()
	old := f.active()
	var stopped time.Time
	if inTransaction {
		stopped = f.stopInTransaction(old)
	} else {
		f.pause(3 * time.Second)
		old.halt()
		stopped = time.Now()
	}
	f.taken = append(f.taken, stopped)
	f.stops = append(f.stops, f.standby().becomes(true, stopped, afterStop-time.Since(stopped)))
	f.on = 1 - f.on
	f.pause(3 * time.Second)
	before := old.stepsDown()
	old.signal(syscall.SIGCONT)
	f.deposed(old, before)
	f.told(ref)
	f.stored(ref)
	f.recover()
}

// stopInTransaction stops a process that has begun to store the failure of a target: its transaction holds the fence and stays open.
func (f *failover) stopInTransaction(s *seat) time.Time {
	f.t.Helper()
	lock, err := f.db.Begin()
	if err != nil {
		f.t.Fatal(err)
	}
	defer lock.Rollback()
	if _, err := lock.Exec("LOCK TABLE events IN SHARE ROW EXCLUSIVE MODE"); err != nil {
		f.t.Fatal(err)
	}
	pid := 0
	const waiting = `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query ILIKE 'INSERT INTO events%'`
	if !eventually(10*time.Second, func() bool { return f.db.QueryRow(waiting).Scan(&pid) == nil }) {
		f.t.Fatalf("no transaction waits:\n%s", s.p.output)
	}
	s.halt()
	stopped := time.Now()
	if err := lock.Rollback(); err != nil {
		f.t.Fatal(err)
	}
	const open = `SELECT TRUE FROM pg_stat_activity WHERE pid = $1 AND state = 'idle in transaction'`
	var yes bool
	if !eventually(3*time.Second, func() bool { return f.db.QueryRow(open, pid).Scan(&yes) == nil }) {
		f.t.Fatalf("the stopped process holds no open transaction:\n%s", s.p.output)
	}
	return stopped
}

// cut takes the active process's way to the database away and gives it back.
func (f *failover) cut(silently bool) {
	f.t.Helper()
	ref := f.fail()
	f.pause(3 * time.Second)
	old, began := f.active(), time.Now()
	before := old.stepsDown()
	f.taken = append(f.taken, began)
	if silently {
		old.way.hush(true)
	} else {
		old.way.set(true)
	}
	f.cuts = append(f.cuts, f.standby().becomes(true, began, afterCut))
	f.on = 1 - f.on
	f.pause(3 * time.Second)
	old.way.hush(false)
	old.way.set(false)
	f.deposed(old, before)
	f.told(ref)
	f.stored(ref)
	f.recover()
}

// lone cuts the active process off, lets it tell of a failure that nobody else knows of, and takes it away before it has seen the recovery. To the
// other one the target has always been well. When the first one comes back, everyone who was told hears that it is over.
func (f *failover) lone(kill bool) {
	f.t.Helper()
	old, began := f.active(), time.Now()
	before := old.stepsDown()
	f.taken = append(f.taken, began)
	old.way.set(true)
	ref := f.fail()
	f.told(ref)
	if kill {
		old.p.kill()
	} else {
		old.halt()
	}
	f.recover()
	f.cuts = append(f.cuts, f.standby().becomes(true, began, afterCut))
	f.on = 1 - f.on
	old.way.set(false)
	if kill {
		old.start()
		old.becomes(false, time.Now(), time.Second)
	} else {
		old.signal(syscall.SIGCONT)
		f.deposed(old, before)
	}
	if !eventually(30*time.Second, func() bool { return f.hook.tells(ref, "resolved") }) {
		f.t.Fatalf("nobody was told that %s is over: %v\n%s\n%s", ref, f.hook.heard(), old.p.output, f.active().p.output)
	}
	f.stored(ref)
}

// stored waits until the process that is active has an incident about the failure. The other one may have told of one that only itself knew of.
func (f *failover) stored(ref string) {
	f.t.Helper()
	const known = `SELECT TRUE FROM incidents WHERE ref_kind || '/' || ref_name = $1`
	var yes bool
	if !eventually(20*time.Second, func() bool { return f.db.QueryRow(known, ref).Scan(&yes) == nil }) {
		f.t.Fatalf("the active process knows nothing of %s:\n%s", ref, f.active().p.output)
	}
}

// deposed waits until a process has found out that it lost the right, and looks at what it says then.
func (f *failover) deposed(s *seat, before int) {
	f.t.Helper()
	f.losses++
	if !eventually(20*time.Second, func() bool { return s.stepsDown() == before+1 }) {
		f.t.Fatalf("it does not step down:\n%s", s.p.output)
	}
	s.becomes(false, time.Now(), 2*time.Second)
	f.active().becomes(true, time.Now(), 2*time.Second)
	if text := s.p.get(f.t, "/health"); !strings.Contains(text, "Standby: ") {
		f.t.Error("the page of the deposed process does not say that it stands by")
	}
}

// calm waits until all is mended and said.
func (f *failover) calm() {
	f.t.Helper()
	if !eventually(60*time.Second, func() bool {
		for i := range f.failed {
			if ref := fmt.Sprintf("link/t%03d", i); !f.hook.tells(ref, "resolved") {
				return false
			}
		}
		return true
	}) {
		f.t.Errorf("not every recovery was told: %v", f.hook.heard())
	}
}

// check counts: each failure is one incident, each process that was taken away left one copy of a message too many at most, and the right was taken as often as it was lost.
func (f *failover) check() {
	f.t.Helper()
	type once struct{ path, key string }
	copies, more, most := map[once][]time.Time{}, 0, 0
	for _, m := range f.hook.heard() {
		copies[once{m.path, m.key}] = append(copies[once{m.path, m.key}], m.at)
	}
	for m, at := range copies {
		more, most = more+len(at)-1, max(most, len(at))
		if n := f.takenBetween(at[0].Add(-45*time.Second), at[len(at)-1]); len(at) > 1+n {
			f.t.Errorf("%v came %d times (%v), and %d processes were taken away meanwhile: each may leave one copy too many", m, len(at), at, n)
		}
	}
	f.t.Logf("%d failures, %d messages, %d copies too many, at most %d of one message", f.failed, len(copies), more, most)
	f.ends()
	f.counts("incidents of one target", `SELECT COUNT(*) FROM (SELECT ref_name FROM incidents WHERE ref_kind = 'link' AND state <> 'merged' GROUP BY ref_name HAVING COUNT(*) <> 1) twice`, 0)
	f.counts("incidents", `SELECT COUNT(*) FROM incidents WHERE ref_kind = 'link' AND state <> 'merged'`, f.failed)
	f.counts("takeovers", `SELECT epoch FROM lease`, 1+len(f.kills)+len(f.stops)+len(f.cuts))
	for _, s := range f.seats {
		if text := s.p.output.String(); strings.Contains(text, "panic") || strings.Contains(text, "DATA RACE") {
			f.t.Errorf("a process says:\n%s", text)
		}
	}
}

// takenBetween is how often a process was taken away in a span. A message that it was sending or had leased, for half a minute, is sent again.
func (f *failover) takenBetween(from, to time.Time) (n int) {
	for _, at := range f.taken {
		if !at.Before(from) && !at.After(to) {
			n++
		}
	}
	return n
}

// ends expects of each incident that whoever heard of it also hears that it is over, or part of another.
func (f *failover) ends() {
	f.t.Helper()
	var lacking []string
	if !eventually(90*time.Second, func() bool { lacking = f.unended(); return len(lacking) == 0 }) {
		f.t.Errorf("somebody never heard how it ended: %s\n%s", lacking, f.active().p.output)
	}
}

func (f *failover) unended() (list []string) {
	type told struct{ path, incident, ref string }
	ended := map[told]bool{}
	for _, m := range f.hook.heard() {
		incident, _, _ := strings.Cut(m.key, ".")
		at := told{m.path, incident, m.ref}
		ended[at] = ended[at] || m.cause == "resolved" || m.cause == "merged"
	}
	for at, end := range ended {
		if !end {
			list = append(list, fmt.Sprint(at))
		}
	}
	return list
}

// counts compares a number in the database.
func (f *failover) counts(what, query string, want int) {
	f.t.Helper()
	got := 0
	if err := f.db.QueryRowContext(context.Background(), query).Scan(&got); err != nil {
		f.t.Fatal(err)
	}
	if got != want {
		f.t.Errorf("%s: %d, want %d", what, got, want)
	}
}
