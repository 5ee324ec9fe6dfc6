package store_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"vigia/collectors/voice"
	"vigia/mos"
	"vigia/store"
	"vigia/store/storetest"
)

func ptr[T any](v T) *T { return &v }

func thousandth(v float64) *float64 { return ptr(math.Round(v*1000) / 1000) }

// oneOf is one of some values.
func oneOf[T any](random *rand.Rand, values ...T) T { return values[random.IntN(len(values))] }

// anyCall is a call with everything at random, within a day from noon on: measured or not, answered or not.
func anyCall(random *rand.Rand, n int) voice.Call {
	start := noon.Add(time.Duration(random.Int64N(int64(24 * time.Hour)))).Truncate(time.Microsecond)
	c := voice.Call{
		ID: fmt.Sprintf("%d-%x@sbc-1.example", n, random.Uint32()), Customer: oneOf(random, "acme", "beta", "gamma", voice.Unassigned),
		Trunk: oneOf[voice.Text](random, "", "carrier-a", "carrier-b"), Site: oneOf[voice.Text](random, "", "san-jose"),
		From: voice.Text(fmt.Sprintf("+5062222%04d", random.IntN(50))), To: voice.Text(fmt.Sprintf("00502%08d", random.IntN(1000))),
		Start: start, End: start.Add(time.Duration(random.Int64N(int64(10 * time.Minute)))).Truncate(time.Microsecond),
		Codec: oneOf[voice.Text](random, "", "PCMA", "opus"), Network: oneOf[voice.Text](random, "", "198.51.100.7", "2001:db8::7"), Country: "GT", UserAgent: "phone/1.0",
		Streams: []voice.Stream{}, Revision: 1, Signalled: random.IntN(5) > 0, Status: 200, Q850: 16, Why: "hangup", Legs: 1 + random.IntN(2), CarrierOf: []string{"carrier-a"},
	}
	if random.IntN(4) > 0 {
		c.Answered, c.PDDMS, c.CoveragePct = c.Start.Add(c.End.Sub(c.Start)/4).Truncate(time.Microsecond), thousandth(random.Float64()*4000), thousandth(random.Float64()*100)
	}
	for range random.IntN(4) {
		c.Streams = append(c.Streams, anyStream(random))
	}
	rate(random, &c)
	return c
}

// rate makes the worst stream's score that of the call.
func rate(random *rand.Rand, c *voice.Call) {
	scale := oneOf(random, mos.NB, mos.WB)
	for i := range c.Streams {
		s := &c.Streams[i]
		if s.R != nil && (c.R == nil || *s.R < *c.R) {
			c.R, c.MOS, c.Scale = s.R, thousandth(mos.MOS(scale, *s.R)), voice.Text(scale.String())
		}
		if s.OneWay {
			c.Cause = "one_way"
		}
	}
	if c.R != nil && c.Cause == "" && mos.BandOf(scale, *c.R) < mos.Satisfied {
		c.Cause = oneOf[voice.Text](random, "loss", "delay", "late", "codec")
	}
}

func anyStream(random *rand.Rand) voice.Stream {
	s := voice.Stream{
		Leg: random.IntN(2), Side: oneOf(random, voice.Access, voice.Core, voice.Carrier, voice.UnknownSide, "elsewhere"),
		Direction: oneOf(random, voice.CallerToCallee, voice.CalleeToCaller, voice.UnknownDirection), SSRC: random.Uint32(), OneWay: random.IntN(20) == 0,
		Assumed: []string{}, Codec: "PCMA", Encrypted: random.IntN(9) == 0, Repeated: uint32(random.IntN(3)), Closed: random.IntN(9) == 0, Disagrees: random.IntN(9) == 0,
	}
	for _, f := range []**uint32{&s.Reporter, &s.Packets, &s.Lost} {
		if random.IntN(4) > 0 {
			*f = ptr(random.Uint32())
		}
	}
	for _, f := range []**float64{&s.LossPct, &s.LatePct, &s.JitterMS, &s.RTTMS, &s.RPerceived, &s.WorstR, &s.Below70, &s.Below60, &s.VendorMOS} {
		if random.IntN(4) > 0 {
			*f = thousandth(random.Float64() * 90)
		}
	}
	if random.IntN(3) > 0 {
		s.R = thousandth(20 + random.Float64()*73)
		s.MOS = thousandth(mos.MOS(mos.NB, *s.R))
		s.Attribution = &voice.Attribution{Delay: 0.125, Loss: 1.5, Late: -0.001, Codec: 0}
		s.Assumed = []string{"codec", "rtt_one_side", "a word of tomorrow"}
	}
	for range random.IntN(40) * 8 {
		s.Packed = append(s.Packed, byte(random.Uint32()))
	}
	return s
}

// put writes calls and expects that every one is taken.
func put(t testing.TB, s *store.Store, calls ...voice.Call) {
	t.Helper()
	before := s.Stats()
	for i := range calls {
		s.PutCall(&calls[i])
	}
	flushCalls(t, s)
	if after := s.Stats(); after.CallsRefused != before.CallsRefused || after.CallsUncounted != before.CallsUncounted || after.CallsPending != 0 {
		t.Errorf("of %d calls %d are refused, %d are not counted, %d wait", len(calls), after.CallsRefused, after.CallsUncounted, after.CallsPending)
	}
}

func flushCalls(t testing.TB, s *store.Store) {
	t.Helper()
	for {
		if err := s.FlushCalls(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s.Stats().CallsPending == 0 {
			return
		}
	}
}

// listed is a call as a list shows it: without intervals.
func listed(c voice.Call) voice.Call {
	c.Streams = slices.Clone(c.Streams)
	for i := range c.Streams {
		c.Streams[i].Packed = nil
	}
	return c
}

// pages reads a search to its end.
func pages(t testing.TB, s *store.Store, scope store.Scope, f store.CallFilter, each func()) (list []voice.Call) {
	t.Helper()
	for {
		page := got[[]voice.Call](t)(s.Calls(t.Context(), scope, f))
		list = append(list, page...)
		if len(page) < f.Limit {
			return list
		}
		f.After = store.CallKeyOf(&page[len(page)-1])
		each()
	}
}

func nothing() {}

func newestFirst(list []voice.Call) []voice.Call {
	slices.SortFunc(list, func(a, b voice.Call) int { return b.Start.Compare(a.Start) })
	return list
}

// TestCallsComeBackWhole: all of a call, by its Call-ID and in a list.
func TestCallsComeBackWhole(t *testing.T) {
	storetest.EachDSN(t, func(t *testing.T, dsn string) {
		s, random := openAt(t, dsn, noon), rand.New(rand.NewPCG(1, 2))
		var calls, want []voice.Call
		for n := range 300 {
			calls = append(calls, anyCall(random, n))
			want = append(want, listed(calls[n]))
		}
		put(t, s, calls...)
		for _, c := range calls {
			one := got[voice.Call](t)(s.Call(t.Context(), store.Everything(), c.ID, time.Time{}))
			if diff := gocmp.Diff(c, one); diff != "" {
				t.Fatalf("%s (-put +read):\n%s", c.ID, diff)
			}
			if again := got[voice.Call](t)(s.Call(t.Context(), store.Everything(), c.ID, c.Start)); !reflect.DeepEqual(one, again) {
				t.Fatalf("%s is another one by its start", c.ID)
			}
		}
		if diff := gocmp.Diff(newestFirst(want), pages(t, s, store.Everything(), store.CallFilter{Limit: 1000}, nothing)); diff != "" {
			t.Errorf("(-put +listed):\n%s", diff)
		}
		if found := damages(t, dsn); len(found) > 0 {
			t.Errorf("verify names %v", found)
		}
		if _, err := s.Call(t.Context(), store.Everything(), "nobody", time.Time{}); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a call that is not there: %v", err)
		}
	})
}

// TestAmendedCallsEqualARecount writes calls and amendments of them in any order and in batches of any size, also several times, and compares the
// hourly figures with those of a store that was given only the last revision of each.
func TestAmendedCallsEqualARecount(t *testing.T) {
	storetest.EachDSN(t, func(t *testing.T, dsn string) {
		s, random := openAt(t, dsn, noon), rand.New(rand.NewPCG(3, 4))
		var sent []voice.Call
		last := map[string]voice.Call{}
		for round := range 40 {
			for n := range 1 + random.IntN(60) {
				c := anyCall(random, 1000*round+n)
				if len(sent) > 0 && random.IntN(3) == 0 {
					old := oneOf(random, sent...)
					c.ID, c.Start, c.Revision = old.ID, old.Start, 1+random.IntN(4)
					c.End = later(c.End, c.Start)
					if !c.Answered.IsZero() {
						c.Answered = c.Start
					}
				}
				if was, ok := last[c.ID]; !ok || was.Revision < c.Revision {
					last[c.ID] = c
				}
				sent = append(sent, c)
				s.PutCall(&c)
				if random.IntN(10) == 0 {
					old := oneOf(random, sent...)
					s.PutCall(&old) // again, which changes nothing
				}
			}
			flushCalls(t, s)
		}
		once := openAt(t, storetest.SQLite(t), noon)
		var want []voice.Call
		for _, c := range last {
			put(t, once, c)
			want = append(want, listed(c))
		}
		if diff := gocmp.Diff(newestFirst(want), newestFirst(pages(t, s, store.Everything(), store.CallFilter{Limit: 500}, nothing))); diff != "" {
			t.Errorf("calls (-last +kept):\n%s", diff)
		}
		sameFigures(t, s, once)
		if found := damages(t, dsn); len(found) > 0 {
			t.Errorf("verify names %v", found)
		}
		if stats := s.Stats(); stats.CallsAmended == 0 || stats.CallsUncounted+stats.CallsRefused != 0 {
			t.Errorf("%+v", stats)
		}
	})
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// figuresByHour is all of the hourly figures.
func figuresByHour(t testing.TB, s *store.Store) (list []store.Marginal) {
	t.Helper()
	for _, dimension := range []string{store.AllCalls, store.ByTrunk, store.ByCodec, store.ByDirection, store.ByNetwork, store.BySite, store.ByCountry, store.ByUserAgent, store.ByCause} {
		list = append(list, got[[]store.Marginal](t)(s.Marginals(t.Context(), store.Everything(), store.MarginalFilter{
			From: noon.AddDate(-1, 0, 0), To: noon.AddDate(1, 0, 0), Dimension: dimension, Step: store.ByHour,
		}))...)
	}
	return list
}

func sameFigures(t testing.TB, have, want *store.Store) {
	t.Helper()
	all := figuresByHour(t, want)
	if diff := gocmp.Diff(all, figuresByHour(t, have)); diff != "" || len(all) == 0 {
		t.Errorf("hourly figures (-counted once +kept), %d rows:\n%s", len(all), diff)
	}
}

// TestCallFigures: what calls of every sort add to the hourly figures.
func TestCallFigures(t *testing.T) {
	s := storetest.Open(t)
	at := func(c voice.Call) voice.Call {
		c.ID, c.Start, c.End, c.Revision, c.Signalled, c.Customer = fmt.Sprint(c.From, c.Why), noon, noon.Add(time.Minute), 1, true, "acme"
		return c
	}
	put(t, s,
		at(voice.Call{Why: "failed", From: "1"}),
		at(voice.Call{Why: "hangup", From: "2", Answered: noon.Add(20 * time.Second), CoveragePct: ptr(0.0)}),
		at(voice.Call{Why: "hangup", From: "3", Answered: noon, CoveragePct: ptr(50.0), R: ptr(100.0), MOS: ptr(4.0), Scale: "wb", Network: "198.51.100.77", Streams: []voice.Stream{
			{R: ptr(120.0), LossPct: ptr(9.0), Direction: voice.CalleeToCaller}, {R: ptr(100.0), LossPct: ptr(-1.0), RTTMS: nil, Direction: voice.CallerToCallee}, {RTTMS: ptr(80.0)},
		}}),
		at(voice.Call{Why: "hangup", From: "4", Answered: noon, Cause: "one_way", Streams: []voice.Stream{{OneWay: true}}}))
	var said []string
	for _, m := range figuresByHour(t, s) {
		said = append(said, fmt.Sprint(m.Dimension, "=", m.Value, " ", m.Scale, " ", m.Bands, " one way ", m.OneWay, " ", m.Talk, " of which ", m.Covered, " loss ", m.LossPct.Sum, " rtt ", m.RTTMs.Sum))
	}
	differ(t, "figures", strings.Join(said, "\n"), strings.Join([]string{
		"all=  [0 0 0 0 0 0 2] one way 1 1m40s of which 0s loss 0 rtt 0",
		"all= wb [0 0 1 0 0 0 0] one way 0 1m0s of which 30s loss -1 rtt 80",
		"direction=caller_to_callee wb [0 0 1 0 0 0 0] one way 0 1m0s of which 30s loss -1 rtt 80",
		"network=198.51.100.0/24 wb [0 0 1 0 0 0 0] one way 0 1m0s of which 30s loss -1 rtt 80",
		"cause=one_way  [0 0 0 0 0 0 1] one way 1 1m0s of which 0s loss 0 rtt 0",
	}, "\n"))
}

// TestCallSearch compares every filter with what a plain look at each call says, page by page, while calls that are newer and older come in.
func TestCallSearch(t *testing.T) {
	storetest.EachDSN(t, func(t *testing.T, dsn string) {
		s, random := openAt(t, dsn, noon), rand.New(rand.NewPCG(5, 6))
		var calls []voice.Call
		for n := range 1500 {
			c := anyCall(random, n)
			if n%3 == 0 { // several at one instant, and several days
				c.Start = noon.Add(time.Duration(n/100) * 7 * time.Hour)
				c.End, c.Answered = c.Start, c.Start
			}
			calls = append(calls, listed(c))
		}
		put(t, s, calls...)
		two := store.Scope{Customers: []string{"acme", "beta"}}
		for name, c := range searches(two) {
			var want []string
			for _, call := range calls {
				if c.match(&call) {
					want = append(want, call.ID)
				}
			}
			if len(want) == 0 && !c.none {
				t.Errorf("%s: no call matches", name)
			}
			late := 0
			found := pages(t, s, c.scope, c.f, func() {
				if late++; late < 6 {
					now := anyCall(random, 1_000_000)
					now.Start, now.End, now.Answered, now.Customer = noon.AddDate(1, 0, late), noon.AddDate(1, 0, late), time.Time{}, "nobody's"
					put(t, s, now)
				}
			})
			if !slices.IsSortedFunc(found, func(a, b voice.Call) int { return b.Start.Compare(a.Start) }) {
				t.Errorf("%s: not the newest first", name)
			}
			var have []string
			for _, call := range found {
				if !strings.HasPrefix(call.ID, meanwhile) {
					have = append(have, call.ID)
				}
			}
			slices.Sort(want)
			slices.Sort(have)
			if diff := gocmp.Diff(want, have); diff != "" {
				t.Errorf("%s, %d calls (-want +found):\n%s", name, len(want), diff)
			}
		}
	})
}

// meanwhile is how the Call-IDs of calls begin that come in during a search.
const meanwhile = "1000000-"

// callSearch is one search and what it is to find.
type callSearch struct {
	scope store.Scope
	f     store.CallFilter
	match func(*voice.Call) bool
	none  bool
}

func searches(two store.Scope) map[string]callSearch {
	all := store.Everything()
	mosUpTo := func(c *voice.Call, most float64) bool { return c.MOS != nil && *c.MOS <= most }
	oneWay := func(c *voice.Call) bool {
		return c.Cause == "one_way" || slices.ContainsFunc(c.Streams, func(s voice.Stream) bool { return s.OneWay })
	}
	of := func(names ...string) func(*voice.Call) bool {
		return func(c *voice.Call) bool { return slices.Contains(names, c.Customer) }
	}
	number := func(text string) func(*voice.Call) bool {
		return func(c *voice.Call) bool {
			return strings.HasSuffix(string(c.From), text) || strings.HasSuffix(string(c.To), text)
		}
	}
	begins := func(texts ...string) func(*voice.Call) bool {
		return func(c *voice.Call) bool {
			return slices.ContainsFunc(texts, func(text string) bool {
				return strings.HasPrefix(string(c.From), text) || strings.HasPrefix(string(c.To), text)
			})
		}
	}
	recent := noon.Add(3 * time.Hour)
	range3 := func(c *voice.Call) bool { return !c.Start.Before(noon) && c.Start.Before(recent) }
	return map[string]callSearch{
		"a range":    {scope: all, f: store.CallFilter{Limit: 7, Since: noon, Until: recent}, match: range3},
		"a customer": {scope: all, f: store.CallFilter{Limit: 50, Customer: "beta"}, match: of("beta")},
		"a scope":    {scope: two, f: store.CallFilter{Limit: 50, Until: noon.AddDate(0, 6, 0)}, match: of("acme", "beta")},
		"another's":  {scope: two, f: store.CallFilter{Limit: 50, Customer: "gamma"}, match: of(), none: true},
		"no scope":   {f: store.CallFilter{Limit: 50}, match: of(), none: true},
		"a trunk":    {scope: all, f: store.CallFilter{Limit: 50, Trunk: "carrier-a", Until: recent}, match: func(c *voice.Call) bool { return c.Trunk == "carrier-a" && c.Start.Before(recent) }},
		"a trunk of a scope": {scope: two, f: store.CallFilter{Limit: 50, Trunk: "carrier-a", Site: "san-jose"}, match: func(c *voice.Call) bool {
			return c.Trunk == "carrier-a" && c.Site == "san-jose" && of("acme", "beta")(c)
		}},
		"a low MOS":            {scope: all, f: store.CallFilter{Limit: 20, MaxMOS: 2.5, Until: noon.AddDate(0, 6, 0)}, match: func(c *voice.Call) bool { return mosUpTo(c, 2.5) }},
		"a low MOS of a scope": {scope: two, f: store.CallFilter{Limit: 20, MaxMOS: 4.02}, match: func(c *voice.Call) bool { return mosUpTo(c, 4.02) && of("acme", "beta")(c) }},
		"a MOS between":        {scope: all, f: store.CallFilter{Limit: 20, MinMOS: 2, MaxMOS: 4.3, Until: noon.AddDate(0, 6, 0)}, match: func(c *voice.Call) bool { return mosUpTo(c, 4.3) && *c.MOS >= 2 }},
		"a cause":              {scope: all, f: store.CallFilter{Limit: 20, Cause: "delay", Until: noon.AddDate(0, 6, 0)}, match: func(c *voice.Call) bool { return c.Cause == "delay" }},
		"one way":              {scope: two, f: store.CallFilter{Limit: 20, OneWay: true}, match: func(c *voice.Call) bool { return oneWay(c) && of("acme", "beta")(c) }},
		"not measured": {scope: two, f: store.CallFilter{Limit: 20, Unmeasured: true}, match: func(c *voice.Call) bool {
			return c.MOS == nil && (!c.Answered.IsZero() || !c.Signalled) && of("acme", "beta")(c)
		}},
		"a number":               {scope: all, f: store.CallFilter{Limit: 5, Number: "+50622220007"}, match: number("22220007")},
		"the end of a number":    {scope: all, f: store.CallFilter{Limit: 5, Number: "007", Until: noon.AddDate(0, 6, 0)}, match: func(c *voice.Call) bool { return number("007")(c) && c.Start.Before(noon.AddDate(0, 6, 0)) }},
		"the beginning of one":   {scope: two, f: store.CallFilter{Limit: 5, Number: "+506222200*"}, match: func(c *voice.Call) bool { return begins("+506222200")(c) && of("acme", "beta")(c) }},
		"written otherwise":      {scope: all, f: store.CallFilter{Limit: 5, Number: "+502 0000 00*"}, match: func(c *voice.Call) bool { return begins("00502000000")(c) }},
		"a number and a low MOS": {scope: all, f: store.CallFilter{Limit: 5, Number: "0007", MaxMOS: 3}, match: func(c *voice.Call) bool { return number("0007")(c) && mosUpTo(c, 3) }},
		"no number":              {scope: all, f: store.CallFilter{Limit: 5, Number: "*"}, match: of(), none: true},
	}
}
