package store_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"vigia/collectors/voice"
	"vigia/store"
	"vigia/store/storetest"
)

// open opens a database at an instant that the test moves.
func openWith(t testing.TB, dsn string, now *time.Time, option func(*store.Config)) *store.Store {
	t.Helper()
	cfg := store.Config{DSN: dsn, Now: func() time.Time { return *now }}
	option(&cfg)
	s := got[*store.Store](t)(store.Open(t.Context(), cfg))
	t.Cleanup(func() { s.Close() })
	return s
}

func sweep(t testing.TB, s *store.Store) {
	t.Helper()
	if err := s.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// callAt is a call that began at an instant, with one stream and one interval.
func callAt(id string, at time.Time, from, to string) voice.Call {
	return voice.Call{
		ID: id, Customer: "acme", Start: at, End: at.Add(time.Minute), Answered: at, From: voice.Text(from), To: voice.Text(to), Revision: 1, Signalled: true, Why: "hangup",
		Streams: []voice.Stream{{Side: voice.Access, Direction: voice.CallerToCallee, Assumed: []string{}, Packed: []byte("interval")}},
	}
}

// TestNumbersAreMasked before they are stored, once they are old enough, and not at all; what is left of them is found.
func TestNumbersAreMasked(t *testing.T) {
	storetest.EachDSN(t, func(t *testing.T, dsn string) {
		now := noon
		s := openWith(t, dsn, &now, func(c *store.Config) { c.Numbers = store.Numbers{Masked: true, MaskAfter: 24 * time.Hour} })
		put(t, s,
			callAt("old", noon.AddDate(0, 0, -2), "+506 2222-3333", "101"), callAt("new", noon, "+50622223333", "ana.perez"), callAt("name", noon.AddDate(0, 0, -2), "ñandú", ""))
		numbers := func() string {
			var list []string
			for _, c := range pages(t, s, store.Everything(), store.CallFilter{Limit: 100}, nothing) {
				list = append(list, fmt.Sprint(c.ID, " ", c.From, " ", c.To))
			}
			slices.Sort(list)
			return strings.Join(list, ", ")
		}
		found := func(number string) string {
			var list []string
			for _, c := range pages(t, s, store.Everything(), store.CallFilter{Limit: 100, Number: number}, nothing) {
				list = append(list, c.ID)
			}
			return strings.Join(list, " ")
		}
		sweep(t, s)
		differ(t, "numbers", numbers(), "name ñan**** , new +50622223333 ana.perez, old +506 2222-**** 1**")
		for number, want := range map[string]string{
			"+50622223333": "new old", "22223333": "new old", "22224444": "old", "3333": "new", "+5062222*": "new", "+506 2222*": "new", "ana.perez": "new", "Perez": "new", "ñandú": "name", "ana*": "new",
		} {
			if number == "+5062222*" || number == "+506 2222*" {
				want = "new" // the other one was signalled with a space
			}
			differ(t, number, found(number), want)
		}
		now = noon.AddDate(0, 0, 3)
		sweep(t, s)
		differ(t, "numbers later", numbers(), "name ñan**** , new +5062222**** ana****, old +506 2222-**** 1**")
		differ(t, "a name that is masked", found("ana.perez"), "new")
		s.SetNumbers(store.Numbers{})
		put(t, s, callAt("full", now, "+50622225555", ""))
		sweep(t, s)
		s.SetNumbers(store.Numbers{Masked: true})
		put(t, s, callAt("now", now, "+50622226666", ""))
		differ(t, "numbers of now", numbers(), "full +50622225555 , name ñan**** , new +5062222**** ana****, now +5062222**** , old +506 2222-**** 1**")
		sweep(t, s)
		now = now.Add(time.Minute)
		sweep(t, s)
		differ(t, "numbers at last", numbers(), "full +5062222**** , name ñan**** , new +5062222**** ana****, now +5062222**** , old +506 2222-**** 1**")
	})
}

// TestCallsAreKept for so long as is said, their intervals for less, and their hourly figures for longer.
func TestCallsAreKept(t *testing.T) {
	storetest.EachDSN(t, func(t *testing.T, dsn string) {
		now := noon
		s := openWith(t, dsn, &now, func(c *store.Config) { c.CallRetention, c.IntervalsKept = 90*24*time.Hour, 14*24*time.Hour })
		const each = 4
		var calls []voice.Call
		for day := range 120 {
			for n := range each {
				calls = append(calls, callAt(fmt.Sprint(day, "-", n), noon.AddDate(0, 0, -day).Add(time.Duration(n)*time.Second), "1", "2"))
			}
		}
		put(t, s, calls...)
		figures := figuresByHour(t, s)
		check := func(days, withIntervals int) {
			t.Helper()
			var left, whole int
			for _, c := range calls {
				one, err := s.Call(t.Context(), store.Everything(), c.ID, time.Time{})
				if err != nil {
					continue
				}
				left++
				if len(voice.Intervals(one.Streams[0].Packed)) == 1 {
					whole++
				}
			}
			if left != each*days || whole != each*withIntervals {
				t.Errorf("%d calls are left and %d have intervals, want %d and %d", left, whole, each*days, each*withIntervals)
			}
		}
		check(120, 120)
		sweep(t, s)
		check(91, 15)
		s.SetCallRetention(10*24*time.Hour, 14*24*time.Hour)
		now = now.AddDate(0, 0, 1)
		sweep(t, s)
		check(10, 10)
		if rows := contents(t, dsn)["call_intervals"]; len(rows) != each*10 {
			t.Errorf("%d rows of intervals are left of %d calls", len(rows), each*10)
		}
		if diff := gocmp.Diff(figures, figuresByHour(t, s)); diff != "" {
			t.Errorf("hourly figures went with the calls:\n%s", diff)
		}
	})
}

// TestDamagedCallsCostOnlyThemselves: they are named once, counted, and left out; what is whole is read and can be amended.
func TestDamagedCallsCostOnlyThemselves(t *testing.T) {
	storetest.EachDSN(t, func(t *testing.T, dsn string) {
		s := openAt(t, dsn, noon)
		put(t, s, callAt("a", noon, "1", "2"), callAt("b", noon.Add(time.Second), "1", "2"), callAt("c", noon.Add(2*time.Second), "1", "2"))
		db := raw(t, dsn)
		for _, text := range []string{
			`UPDATE calls SET streams = (SELECT streams FROM calls WHERE call_id = 'a') WHERE call_id = 'b'`,
			`UPDATE call_intervals SET intervals = (SELECT intervals FROM call_intervals ORDER BY start_at LIMIT 1) WHERE start_at = (SELECT start_at FROM calls WHERE call_id = 'c')`,
		} {
			if _, err := db.Exec(text); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 {
			var said []string
			for _, id := range []string{"a", "b", "c"} {
				c := got[voice.Call](t)(s.Call(t.Context(), store.Everything(), id, time.Time{}))
				said = append(said, fmt.Sprint(c.ID, " ", len(c.Streams)))
				for _, stream := range c.Streams {
					said = append(said, fmt.Sprint(len(stream.Packed)))
				}
			}
			differ(t, "calls", strings.Join(said, ", "), "a 1, 8, b 0, c 1, 0")
		}
		differ(t, "damaged rows", s.Stats().DamagedRows, 2)
		found := damages(t, dsn)
		if len(found) != 2 {
			t.Errorf("verify names %v", found)
		}
		before := figuresByHour(t, s)
		for _, id := range []string{"a", "b"} {
			c := callAt(id, noon, "1", "2")
			if id == "b" {
				c.Start = noon.Add(time.Second)
			}
			c.Revision, c.Trunk = 2, "carrier-a"
			s.PutCall(&c)
		}
		flushCalls(t, s)
		if stats := s.Stats(); stats.CallsAmended != 2 || stats.CallsUncounted != 1 {
			t.Errorf("%d are amended, of which %d are not counted as they should be; want 2 and 1", stats.CallsAmended, stats.CallsUncounted)
		}
		after := figuresByHour(t, s)
		if len(before) != 1 || len(after) != 2 || before[0].Bands != after[0].Bands || after[1].Bands.Calls() != 1 {
			t.Errorf("hourly figures before %v and after %v", before, after)
		}
		differ(t, "b", len(got[voice.Call](t)(s.Call(t.Context(), store.Everything(), "b", time.Time{})).Streams), 1)
	})
}

// TestFiguresThatAreGoneStay: an amendment of a call whose hourly figures are no longer there, among others, costs only what was to be taken back.
func TestFiguresThatAreGoneStay(t *testing.T) {
	storetest.EachDSN(t, func(t *testing.T, dsn string) {
		s := openAt(t, dsn, noon)
		var calls []voice.Call
		for n := range 40 {
			calls = append(calls, callAt(fmt.Sprint(n), noon.Add(time.Duration(n)*time.Hour), "1", "2"))
		}
		put(t, s, calls...)
		fold(t, s)
		if _, err := raw(t, dsn).Exec(`DELETE FROM call_hours WHERE hour = (SELECT start_at FROM calls WHERE call_id = '7')`); err != nil {
			t.Fatal(err)
		}
		for n := range calls {
			calls[n].Revision, calls[n].Trunk, calls[n].R, calls[n].MOS, calls[n].Scale = 2, "carrier-a", ptr(92.0), ptr(4.3), "nb"
			s.PutCall(&calls[n])
		}
		flushCalls(t, s)
		fold(t, s)
		stats := s.Stats()
		if stats.CallsAmended != 40 || stats.CallsUncounted != 1 || stats.CallsRefused != 0 || stats.CallsPending != 0 || !stats.Up {
			t.Errorf("%+v", stats)
		}
		list := pages(t, s, store.Everything(), store.CallFilter{Limit: 100, Trunk: "carrier-a"}, nothing)
		by := got[[]store.Marginal](t)(s.Marginals(t.Context(), store.Everything(), store.MarginalFilter{From: noon, To: noon.AddDate(0, 0, 9), Dimension: store.ByTrunk}))
		if len(list) != 40 || len(by) != 1 || by[0].Bands.Calls() != 40 {
			t.Errorf("%d calls, figures %v", len(list), by)
		}
	})
}

// TestCallsWait while the database is away: the newest, so many as fit, and nothing that cannot be a call.
func TestCallsWait(t *testing.T) {
	now := noon
	dsn := storetest.SQLite(t)
	s := openWith(t, dsn, &now, func(c *store.Config) { c.MaxPendingCalls = 80 })
	var out voice.Output = store.CallWriter{Store: s} // as the tracker has it
	for n := range 100 {
		out.Call(callAt(fmt.Sprint(n), noon.Add(time.Duration(n)*time.Second), "1", "2"))
	}
	for _, c := range []voice.Call{{}, {ID: "x", Start: noon}, {ID: "x", Revision: 1}} {
		s.PutCall(&c)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.FlushCalls(gone); err == nil {
		t.Error("calls are written without a database")
	}
	stats := s.Stats()
	if stats.CallsDropped == 0 || stats.CallsPending > 90 || stats.CallsRefused != 3 || stats.CallsTaken != 100 || uint64(stats.CallsPending)+stats.CallsDropped != 100 {
		t.Errorf("%+v", stats)
	}
	flushCalls(t, s)
	if list := pages(t, s, store.Everything(), store.CallFilter{Limit: 100}, nothing); len(list) != stats.CallsPending || list[0].ID != "99" {
		t.Errorf("%d calls are written of %d that waited, the newest is %s", len(list), stats.CallsPending, list[0].ID)
	}
	s.Deposed()
	c := callAt("late", noon, "1", "2")
	s.PutCall(&c)
	if err := s.FlushCalls(t.Context()); err == nil || !strings.Contains(err.Error(), store.ErrLost.Error()) {
		t.Errorf("a process that is no longer active: %v", err)
	}
}

// TestCallsAreInABackup, whole, also from one database into the other.
func TestCallsAreInABackup(t *testing.T) {
	storetest.EachDSN(t, func(t *testing.T, dsn string) {
		s, random := openAt(t, dsn, noon), rand.New(rand.NewPCG(9, 10))
		for n := range 200 {
			put(t, s, anyCall(random, n))
		}
		if err := s.Fold(t.Context(), 10, 4); err == nil { // in the middle
			t.Fatal("all is added up")
		}
		file, _ := backup(t, dsn)
		other := storetest.SQLite(t)
		restore(t, other, file, noon)
		was, is := contents(t, dsn), contents(t, other)
		for _, table := range []string{"calls", "call_intervals", "call_hours", "call_tallies", "call_folding"} {
			if diff := gocmp.Diff(was[table], is[table]); diff != "" || len(was[table]) == 0 {
				t.Errorf("%s, %d rows (-backed up +restored):\n%s", table, len(was[table]), diff)
			}
		}
		again := openAt(t, other, noon)
		all := store.CallFilter{Limit: 300}
		if diff := gocmp.Diff(pages(t, s, store.Everything(), all, nothing), pages(t, again, store.Everything(), all, nothing)); diff != "" {
			t.Errorf("calls (-backed up +restored):\n%s", diff)
		}
		sameFigures(t, again, s)
	})
}

// TestCallsThatAreNotWrittenAreTold when a process ends and has no time for them.
func TestCallsThatAreNotWrittenAreTold(t *testing.T) {
	storetest.EachDSN(t, func(t *testing.T, dsn string) {
		s := openAt(t, dsn, noon)
		release := got[func()](t)(s.Acquire(t.Context()))
		defer release()
		for n := range 3 {
			c := callAt(fmt.Sprint(n), noon, "1", "2")
			s.PutCall(&c)
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.LastCalls(ended); err == nil || !strings.Contains(err.Error(), "3 calls, or amendments of calls, ") {
			t.Errorf("it says %v", err)
		}
		if err := s.LastCalls(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// TestCallChild is no test of its own: it is the process that TestKilledWhileCallsAreWritten kills.
func TestCallChild(t *testing.T) {
	dsn := os.Getenv(childDSN)
	if dsn == "" {
		return
	}
	first, err := strconv.Atoi(os.Getenv(childFrom))
	if err != nil {
		t.Fatal(err)
	}
	s := openAt(t, dsn, noon)
	for n := first; ; n++ {
		for revision := 1; revision <= 2; revision++ {
			for i := range 15 {
				c := callAt(fmt.Sprint(15*n+i), noon.Add(time.Duration(15*n+i)*time.Millisecond), "1", "2")
				c.Revision, c.Trunk = revision, voice.Text(fmt.Sprint("carrier-", revision))
				s.PutCall(&c)
			}
			flushCalls(t, s)
		}
		if err := s.Fold(t.Context(), 2, -1); err != nil {
			t.Fatal(err)
		}
		fmt.Println("flushed", n)
	}
}

// TestKilledWhileCallsAreWritten: what was flushed is there, and the hourly figures are those of the calls that are there.
func TestKilledWhileCallsAreWritten(t *testing.T) {
	storetest.EachDSN(t, func(t *testing.T, dsn string) {
		random := rand.New(rand.NewPCG(11, 12))
		next := int64(0)
		for range 3 {
			last := killedAs(t, "TestCallChild", dsn, next, time.Duration(random.IntN(20_000))*time.Microsecond, 2+random.IntN(5))
			next = last["flushed"] + 1
			s := openAt(t, dsn, noon)
			list := pages(t, s, store.Everything(), store.CallFilter{Limit: 500}, nothing)
			amended := slices.DeleteFunc(slices.Clone(list), func(c voice.Call) bool { return c.Trunk != "carrier-2" })
			if int64(len(amended)) < next*15 {
				t.Errorf("%d calls are there as amended of %d that were written", len(amended), next*15)
			}
			once := storetest.Open(t)
			for i := range list {
				put(t, once, got[voice.Call](t)(s.Call(t.Context(), store.Everything(), list[i].ID, list[i].Start)))
			}
			sameFigures(t, s, once)
			s.Close()
		}
	})
}
