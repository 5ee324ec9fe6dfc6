package store_test

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"vigia/store"
	"vigia/store/storetest"
)

// someCall is a call with everything at random: of three customers, within four days, rated or not.
func someCall(random *rand.Rand) store.CallFigures {
	c := store.CallFigures{
		Customer: []string{"acme", "beta", "unassigned"}[random.IntN(3)], At: noon.Add(time.Duration(random.Int64N(int64(4 * 24 * time.Hour)))),
		Band: store.NotRated, OneWay: random.IntN(9) == 0, Talk: time.Duration(random.Int64N(1e12)),
		Dimensions: []store.Dimension{
			{Name: "trunk", Value: fmt.Sprint("carrier-", random.IntN(3))},
			{Name: "codec", Value: []string{"G.711", "Opus", "G.729"}[random.IntN(3)]},
			{Name: "direction", Value: []string{"in", "out"}[random.IntN(2)]},
			{Name: "country", Value: ""},
		},
	}
	if random.IntN(4) > 0 {
		r := 20 + 110*random.Float64()
		c.Band = store.Band(slices.IndexFunc([]float64{90, 80, 70, 60, 50, -1}, func(low float64) bool { return r >= low }))
		c.Scale = []string{"nb", "wb"}[random.IntN(2)]
		c.R, c.MOS = store.Known(r), store.Known(1+random.Float64()*3.5)
		c.Covered = c.Talk / 2
	}
	if random.IntN(2) == 0 {
		c.LossPct, c.JitterMs = store.Known(random.Float64()*20-2), store.Known(random.Float64()*300)
	}
	if random.IntN(3) == 0 {
		c.RTTMs = store.Known(random.Float64() * 900)
	}
	return c
}

// recount adds up calls from nothing, the plain way, by day in a zone.
func recount(calls []store.CallFigures, dimension string, zone *time.Location) []store.Marginal {
	type key struct {
		day                    string
		customer, value, scale string
	}
	found := map[key]*store.Marginal{}
	for _, c := range calls {
		value := ""
		for _, d := range c.Dimensions {
			if d.Name == dimension {
				value = d.Value
			}
		}
		local := c.At.Truncate(time.Hour).In(zone)
		k := key{local.Format(time.DateOnly), c.Customer, value, c.Scale}
		m := found[k]
		if m == nil {
			begin, _ := time.ParseInLocation(time.DateOnly, k.day, zone)
			m = &store.Marginal{Customer: c.Customer, Begin: begin, Dimension: dimension, Value: value, Scale: c.Scale}
			found[k] = m
		}
		m.Bands[c.Band]++
		m.Talk += c.Talk.Truncate(time.Millisecond)
		m.Covered += c.Covered.Truncate(time.Millisecond)
		if c.OneWay {
			m.OneWay++
		}
		for to, f := range map[*store.Measured]store.Figure{&m.R: c.R, &m.MOS: c.MOS, &m.LossPct: c.LossPct, &m.JitterMs: c.JitterMs, &m.RTTMs: c.RTTMs} {
			if f.Known {
				to.Calls++
				to.Sum += f.Value
				to.Squares += f.Value * f.Value
			}
		}
	}
	list := []store.Marginal{}
	for m := range maps.Values(found) {
		m.LossPct.Squares, m.JitterMs.Squares, m.RTTMs.Squares = 0, 0, 0
		list = append(list, *m)
	}
	slices.SortFunc(list, func(a, b store.Marginal) int {
		return cmp.Or(a.Begin.Compare(b.Begin), cmp.Compare(a.Customer, b.Customer), cmp.Compare(a.Value, b.Value), cmp.Compare(a.Scale, b.Scale))
	})
	return list
}

// TestMarginalsAddUp adds, amends and takes back calls at random, in batches of every size, and compares each dimension with a recount of
// what is left: counts exactly, sums but for the rounding of each call. At the end everything is taken back and no row is left.
func TestMarginalsAddUp(t *testing.T) {
	zone := got[*time.Location](t)(time.LoadLocation("America/Costa_Rica"))
	near := gocmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) <= 0.5+1e-6*math.Abs(a) })
	storetest.EachDSN(t, func(t *testing.T, dsn string) {
		s, random := openAt(t, dsn, noon), rand.New(rand.NewPCG(21, 22))
		var live []store.CallFigures
		for range 60 {
			var batch []store.Contribution
			for range 1 + random.IntN(80) {
				live, batch = anyChange(random, live, batch)
			}
			if err := s.AddMarginals(t.Context(), batch); err != nil {
				t.Fatal(err)
			}
		}
		for _, dimension := range []string{"all", "trunk", "codec", "direction", "country"} {
			f := store.MarginalFilter{From: noon.AddDate(0, 0, -1), To: noon.AddDate(0, 0, 9), Dimension: dimension, Step: store.ByDay, Zone: zone}
			have := got[[]store.Marginal](t)(s.Marginals(t.Context(), store.Everything(), f))
			if diff := gocmp.Diff(recount(live, dimension, zone), have, near); diff != "" {
				t.Errorf("%s (-recounted +kept):\n%s", dimension, diff)
			}
		}
		if found := damages(t, dsn); len(found) > 0 {
			t.Errorf("verify names %v", found)
		}
		var back []store.Contribution
		for _, c := range live {
			back = append(back, store.Contribution{Call: c, Back: true})
		}
		if err := s.AddMarginals(t.Context(), back); err != nil {
			t.Fatal(err)
		}
		if rows := contents(t, dsn)["call_hours"]; len(rows) > 0 {
			t.Errorf("%d rows are left of %d calls that were taken back", len(rows), len(back))
		}
	})
}

// anyChange adds a call, or amends or takes back one that is there.
func anyChange(random *rand.Rand, live []store.CallFigures, batch []store.Contribution) ([]store.CallFigures, []store.Contribution) {
	what := random.IntN(4)
	if what < 2 || len(live) == 0 {
		c := someCall(random)
		return append(live, c), append(batch, store.Contribution{Call: c})
	}
	n := random.IntN(len(live))
	batch = append(batch, store.Contribution{Call: live[n], Back: true})
	if what == 2 {
		return slices.Delete(live, n, n+1), batch
	}
	late := someCall(random)
	if random.IntN(2) == 0 { // only a figure that came late
		late = live[n]
		late.RTTMs = store.Known(random.Float64() * 900)
	}
	live[n] = late
	return live, append(batch, store.Contribution{Call: late})
}

// TestMarginalsAreOneTransaction: a batch of which one part is not possible changes nothing, and says what it is.
func TestMarginalsAreOneTransaction(t *testing.T) {
	storetest.EachDSN(t, func(t *testing.T, dsn string) {
		s, random := openAt(t, dsn, noon), rand.New(rand.NewPCG(23, 24))
		c := someCall(random)
		c.Customer, c.Scale, c.Band, c.R, c.MOS = "acme", "", store.NotRated, store.Figure{}, store.Figure{}
		if err := s.AddMarginals(t.Context(), []store.Contribution{{Call: c}}); err != nil {
			t.Fatal(err)
		}
		before := contents(t, dsn)
		elsewhere, twice, other := c, c, someCall(random)
		elsewhere.At = c.At.Add(time.Hour)
		rated := c
		rated.Scale, rated.Band, rated.R, rated.MOS = "nb", store.Satisfied, store.Known(85), store.Known(4.2)
		nan := c
		nan.JitterMs = store.Known(math.NaN())
		half := rated
		half.MOS = store.Figure{}
		named := c
		named.Dimensions = []store.Dimension{{Name: "all", Value: "x"}}
		for name, test := range map[string]struct {
			list []store.Contribution
			want error
		}{
			"another hour":       {[]store.Contribution{{Call: other}, {Call: elsewhere, Back: true}}, store.ErrNotCounted},
			"another band":       {[]store.Contribution{{Call: other}, {Call: rated, Back: true}}, store.ErrNotCounted},
			"twice":              {[]store.Contribution{{Call: other}, {Call: twice, Back: true}, {Call: twice, Back: true}}, store.ErrNotCounted},
			"no number":          {[]store.Contribution{{Call: other}, {Call: nan}}, store.ErrFigures},
			"R without MOS":      {[]store.Contribution{{Call: other}, {Call: half}}, store.ErrFigures},
			"a dimension of all": {[]store.Contribution{{Call: other}, {Call: named}}, store.ErrFigures},
			"nobody's":           {[]store.Contribution{{Call: other}, {Call: store.CallFigures{At: noon}}}, store.ErrFigures},
		} {
			if err := s.AddMarginals(t.Context(), test.list); !errors.Is(err, test.want) {
				t.Errorf("%s: %v, want %v", name, err, test.want)
			}
		}
		s.Deposed()
		if err := s.AddMarginals(t.Context(), []store.Contribution{{Call: other}}); !errors.Is(err, store.ErrLost) {
			t.Errorf("a process that is no longer active: %v", err)
		}
		if diff := gocmp.Diff(before, contents(t, dsn)); diff != "" {
			t.Errorf("rows have changed:\n%s", diff)
		}
		if stats := s.Stats(); !stats.Up {
			t.Errorf("the database is taken for broken: %s", stats.LastError)
		}
	})
}

// TestMarginalsAreSeenByScope, by customer, value and step.
func TestMarginalsAreSeenByScope(t *testing.T) {
	storetest.EachDSN(t, func(t *testing.T, dsn string) {
		s := openAt(t, dsn, noon)
		var list []store.Contribution
		for _, customer := range []string{"acme", "beta"} {
			for hour := range 48 {
				for n := range 1 + hour%2 {
					list = append(list, store.Contribution{Call: store.CallFigures{
						Customer: customer, At: november.Add(time.Duration(hour)*time.Hour + time.Minute), Band: store.Satisfied, Scale: "nb", R: store.Known(80 + float64(n)), MOS: store.Known(4),
						Dimensions: []store.Dimension{{Name: "trunk", Value: fmt.Sprint("t", n)}, {Name: "trunk", Value: fmt.Sprint("t", n)}},
					}})
				}
			}
		}
		if err := s.AddMarginals(t.Context(), list); err != nil {
			t.Fatal(err)
		}
		lima := time.FixedZone("Lima", -5*3600)
		day := func(f store.MarginalFilter) store.MarginalFilter {
			f.From, f.To = cmp.Or(f.From, november), cmp.Or(f.To, november.AddDate(0, 0, 2))
			return f
		}
		for name, c := range map[string]struct {
			scope store.Scope
			f     store.MarginalFilter
			want  string
		}{
			"together":               {store.Everything(), store.MarginalFilter{Together: true}, "01T00 144"},
			"a scope of two":         {store.Scope{Customers: []string{"acme", "beta"}}, store.MarginalFilter{Together: true, Step: store.ByDay, Dimension: "trunk", Values: []string{"t1"}}, "01T00 t1 24, 02T00 t1 24"},
			"another's, together":    {store.Scope{Customers: []string{"gamma"}}, store.MarginalFilter{Together: true}, ""},
			"everything, whole":      {store.Everything(), store.MarginalFilter{}, "acme 01T00 72, beta 01T00 72"},
			"one customer, by month": {store.Everything(), store.MarginalFilter{Customer: "beta", Step: store.ByMonth}, "beta 01T00 72"},
			"by day":                 {store.Everything(), store.MarginalFilter{Customer: "beta", Step: store.ByDay}, "beta 01T00 36, beta 02T00 36"},
			"by day in Lima":         {store.Everything(), store.MarginalFilter{Customer: "beta", Step: store.ByDay, Zone: lima}, "beta 31T00 7, beta 01T00 36, beta 02T00 29"},
			"by hour":                {store.Everything(), store.MarginalFilter{Customer: "beta", Step: store.ByHour, To: november.Add(3 * time.Hour)}, "beta 01T00 1, beta 01T01 2, beta 01T02 1"},
			"by trunk":               {store.Everything(), store.MarginalFilter{Customer: "beta", Dimension: "trunk"}, "beta 01T00 t0 48, beta 01T00 t1 24"},
			"one trunk":              {store.Everything(), store.MarginalFilter{Customer: "beta", Dimension: "trunk", Values: []string{"t1", "t9"}}, "beta 01T00 t1 24"},
			"no trunk":               {store.Everything(), store.MarginalFilter{Customer: "beta", Dimension: "trunk", Values: []string{}}, ""},
			"a scope of one":         {store.Scope{Customers: []string{"acme"}}, store.MarginalFilter{}, "acme 01T00 72"},
			"another's":              {store.Scope{Customers: []string{"acme"}}, store.MarginalFilter{Customer: "beta"}, ""},
			"no scope":               {store.Scope{}, store.MarginalFilter{}, ""},
		} {
			var said []string
			for _, m := range got[[]store.Marginal](t)(s.Marginals(t.Context(), c.scope, day(c.f))) {
				said = append(said, strings.Join(strings.Fields(fmt.Sprint(m.Customer, " ", m.Begin.Format("02T15"), " ", m.Value, " ", m.Bands.Calls())), " "))
			}
			differ(t, name, strings.Join(said, ", "), c.want)
		}
		for _, from := range []time.Time{{}, november.AddDate(-20, 0, 0)} {
			if list, err := s.Marginals(t.Context(), store.Everything(), store.MarginalFilter{From: from, To: november, Step: store.ByDay}); err == nil {
				t.Errorf("days from %s on are read: %v", from, list)
			}
		}
		one := got[[]store.Marginal](t)(s.Marginals(t.Context(), store.Everything(), day(store.MarginalFilter{Customer: "acme"})))[0]
		mean, _ := one.R.Mean()
		variance, _ := one.R.Variance()
		if math.Abs(mean-(80+24.0/72)) > 1e-9 || math.Abs(variance-(24-24*24.0/72)/71) > 1e-9 {
			t.Errorf("R has the mean %v and the variance %v", mean, variance)
		}
	})
}

// TestMarginalsAreKeptAsLongAsDailyFigures, are in a backup, and are named when they are damaged.
func TestMarginalsAreKeptAsLongAsDailyFigures(t *testing.T) {
	storetest.EachDSN(t, func(t *testing.T, dsn string) {
		s, random := openAt(t, dsn, noon.AddDate(0, 0, 4)), rand.New(rand.NewPCG(25, 26))
		var list []store.Contribution
		var kept []store.CallFigures
		from := noon.Truncate(24*time.Hour).AddDate(0, 0, 2)
		for range 300 {
			c := someCall(random)
			list = append(list, store.Contribution{Call: c})
			if !c.At.Truncate(time.Hour).Before(from) {
				kept = append(kept, c)
			}
		}
		if err := s.AddMarginals(t.Context(), list); err != nil {
			t.Fatal(err)
		}
		s.SetRollupRetention(48 * time.Hour)
		if err := s.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		var calls int64
		for _, m := range got[[]store.Marginal](t)(s.Marginals(t.Context(), store.Everything(), store.MarginalFilter{From: november, To: noon.AddDate(1, 0, 0)})) {
			calls += m.Bands.Calls()
		}
		if calls != int64(len(kept)) {
			t.Errorf("%d calls are kept, want %d of %d", calls, len(kept), len(list))
		}
		file, _ := backup(t, dsn)
		other := storetest.SQLite(t)
		restore(t, other, file, noon)
		differ(t, "restored", contents(t, other)["call_hours"], contents(t, dsn)["call_hours"])
		for text, says := range map[string]string{
			`UPDATE call_hours SET r80 = r80 + 1 WHERE dimension = 'all'`:              " calls, and it says ",
			`UPDATE call_hours SET jitter_calls = calls + 1 WHERE dimension = 'trunk'`: "something was measured in more of them",
		} {
			if _, err := raw(t, dsn).Exec(text); err != nil {
				t.Fatal(err)
			}
			if found := fmt.Sprint(damages(t, dsn)); !strings.Contains(found, says) || !strings.Contains(found, `call_hours, customer "acme", `) {
				t.Errorf("after %s: %.300s", text, found)
			}
		}
	})
}
