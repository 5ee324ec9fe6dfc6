package store_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"vigia/collectors/voice"
	"vigia/store"
	"vigia/store/storetest"
)

// TestFiguresAreTheSameHoweverTheyAreAddedUp: calls are written and amended at random, what they change is added to the hourly figures at random
// times, and this ends in the middle most of the time. After each step two processes say what a store says that was given the calls once.
func TestFiguresAreTheSameHoweverTheyAreAddedUp(t *testing.T) {
	storetest.EachDSN(t, func(t *testing.T, dsn string) {
		s, other, random := openAt(t, dsn, noon), openAt(t, dsn, noon), rand.New(rand.NewPCG(31, 32))
		known := map[int]voice.Call{}
		for step := range 14 {
			for range random.IntN(30) {
				n := random.IntN(80)
				c := anyCall(random, n)
				was := known[n]
				c.ID, c.Start, c.Revision = fmt.Sprint("call-", n), noon.Add(time.Duration(n)*7*time.Minute), was.Revision+1
				c.Answered, c.End = c.Start, later(c.End, c.Start)
				known[n] = c
				put(t, s, c)
			}
			if random.IntN(3) > 0 {
				if err := s.Fold(t.Context(), 1+random.IntN(12), random.IntN(8)-1); err != nil {
					t.Log(step, err)
				}
			}
			once := storetest.Open(t)
			for _, c := range known {
				put(t, once, c)
			}
			if len(known) == 0 {
				continue
			}
			sameFigures(t, s, once)
			if random.IntN(2) == 0 {
				sameFigures(t, other, once)
			}
		}
		fold(t, s) // goes on with what is half done
		fold(t, s)
		if rows := contents(t, dsn)["call_tallies"]; len(rows) > 0 {
			t.Errorf("%d rows wait after all is added up", len(rows))
		}
		if found := damages(t, dsn); len(found) > 0 {
			t.Errorf("verify names %v", found)
		}
		plain := storetest.SQLite(t)
		once := openAt(t, plain, noon)
		for _, c := range known {
			put(t, once, c)
		}
		sameFigures(t, other, once)
		fold(t, once)
		differ(t, "rows", contents(t, dsn)["call_hours"], contents(t, plain)["call_hours"])
	})
}

// TestTalliesWait for ten minutes, so that a row of the hourly figures is written once for many calls, or until there are very many.
func TestTalliesWait(t *testing.T) {
	storetest.EachDSN(t, func(t *testing.T, dsn string) {
		now := noon
		s := openWith(t, dsn, &now, func(*store.Config) {})
		for minute := range 12 {
			put(t, s, callAt(fmt.Sprint(minute), noon.Add(time.Duration(minute)*time.Second), "1", "2"))
			sweep(t, s)
			want := 0
			if minute >= 10 {
				want = 1
			}
			if rows := contents(t, dsn)["call_hours"]; len(rows) != want {
				t.Errorf("after %d minutes there are %d rows, want %d", minute, len(rows), want)
			}
			now = now.Add(time.Minute)
		}
	})
}

// TestDamagedTallies are named, and cost only what they hold.
func TestDamagedTallies(t *testing.T) {
	storetest.EachDSN(t, func(t *testing.T, dsn string) {
		s := openAt(t, dsn, noon)
		for n := range 3 {
			put(t, s, callAt(fmt.Sprint(n), noon.Add(time.Duration(n)*time.Second), "1", "2"))
		}
		if _, err := raw(t, dsn).Exec(`UPDATE call_tallies SET tallies = $1 WHERE id = 2`, []byte("\x01nothing")); err != nil {
			t.Fatal(err)
		}
		differ(t, "damaged", len(damages(t, dsn)), 1)
		for range 2 {
			list := figuresByHour(t, s)
			if len(list) != 1 || list[0].Bands.Calls() != 2 {
				t.Errorf("figures %v", list)
			}
			fold(t, s)
		}
		differ(t, "damaged after it is left out", len(damages(t, dsn)), 0)
	})
}

// TestCallsOfTheSchemaBefore: what was counted at once stays, and what comes is added to it.
func TestCallsOfTheSchemaBefore(t *testing.T) {
	storetest.EachDSN(t, func(t *testing.T, dsn string) {
		s := openAt(t, dsn, noon)
		var calls []voice.Call
		for n := range 40 {
			c := callAt(fmt.Sprint(n), noon.Add(time.Duration(n)*time.Hour), "1", "2")
			c.R, c.MOS, c.Scale, c.Cause = ptr(20.0), ptr(1.0+float64(n)/100), "nb", "loss"
			calls = append(calls, c)
		}
		put(t, s, calls...)
		fold(t, s)
		before := figuresByHour(t, s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		for _, text := range append(slices.Clone(sinceTallies), `DELETE FROM schema_migrations WHERE version >= 6`) { // the schema as it was
			if _, err := raw(t, dsn).Exec(text); err != nil {
				t.Fatal(err)
			}
		}
		s = openAt(t, dsn, noon)
		differ(t, "figures", figuresByHour(t, s), before)
		differ(t, "calls", len(got[[]voice.Call](t)(s.Calls(t.Context(), store.Everything(), store.CallFilter{MaxMOS: 1.1}))), 11)
		calls[0].Revision, calls[0].Trunk = 2, "carrier-a"
		put(t, s, calls[0])
		fold(t, s)
		once := storetest.Open(t)
		put(t, once, calls...)
		sameFigures(t, s, once)
		if found := damages(t, dsn); len(found) > 0 {
			t.Errorf("verify names %v", found)
		}
	})
}

// TestManyCallsOfALowMOS: the search finds the same on a day with so many that it reads them by time, and on one with few.
func TestManyCallsOfALowMOS(t *testing.T) {
	storetest.EachDSN(t, func(t *testing.T, dsn string) {
		s := openAt(t, dsn, noon)
		var calls []voice.Call
		for n := range 2300 {
			c := callAt(fmt.Sprint(n), noon.Add(time.Duration(n)*time.Second), "1", "2")
			if n >= 2250 {
				c.Start, c.End = c.Start.AddDate(0, 0, 1), c.End.AddDate(0, 0, 1)
				c.Answered = c.Start
			}
			c.R, c.MOS, c.Scale, c.Cause = ptr(20.0), ptr(1+float64(n%10)/10), "nb", "loss"
			calls = append(calls, c)
		}
		put(t, s, calls...)
		for most, want := range map[float64]int{1.95: 2300, 1.85: 2070, 1.05: 230, 0.9: 0} {
			list := pages(t, s, store.Everything(), store.CallFilter{Limit: 700, MaxMOS: most, MinMOS: 0.5}, nothing)
			if len(list) != want {
				t.Errorf("up to %v there are %d calls, want %d", most, len(list), want)
			}
		}
	})
}
