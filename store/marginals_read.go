package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"
)

// Step is what hours are added up to.
type Step int

// The steps. Days and months are those of a time zone.
const (
	WholeRange Step = iota
	ByHour
	ByDay
	ByMonth
)

// MarginalFilter says which hourly figures are added up.
type MarginalFilter struct {
	Customer  string    // empty: each that the scope may see
	From, To  time.Time // hours that begin in [From, To)
	Dimension string    // empty: AllCalls
	Values    []string  // of the dimension; nil: all of them
	Step      Step
	Zone      *time.Location // of days and months; nil: UTC. An hour counts in the day in which it begins
	Together  bool           // customers are added up, and none is named
}

// Marginal is the figures of one customer, value and scale, of one step. Several of them add up, field by field, over customers, values of
// one dimension, and time; calls of different scales share counts and nothing that is made of R or MOS.
type Marginal struct {
	Customer  string
	Begin     time.Time // of the step, in its zone; From for WholeRange
	Dimension string
	Value     string
	Scale     string // of R and MOS: nb, wb or fb; empty for calls without them

	Bands         Bands
	OneWay        int64
	Talk, Covered time.Duration
	R, MOS        Measured
	LossPct       Measured // without Squares, as what follows
	JitterMs      Measured
	RTTMs         Measured
}

// Measured is what is known of one figure of several calls.
type Measured struct {
	Calls        int64 // in which it was measured
	Sum, Squares float64
}

// Mean is the mean over the calls in which it was measured; ok is false when there is none.
func (m Measured) Mean() (mean float64, ok bool) {
	if m.Calls == 0 {
		return 0, false
	}
	return m.Sum / float64(m.Calls), true
}

// Variance is the variance of a single call, estimated from these; ok is false below two calls.
func (m Measured) Variance() (variance float64, ok bool) {
	if m.Calls < 2 {
		return 0, false
	}
	n := float64(m.Calls)
	return max(0, (m.Squares-m.Sum*m.Sum/n)/(n-1)), true
}

// marginal gives sums their names and units.
func (s *sums) marginal() Marginal {
	rated := s.calls() - s[NotRated]
	return Marginal{
		Bands: s.bands(), OneWay: s[atOneWay],
		Talk: time.Duration(s[atTalk]) * time.Millisecond, Covered: time.Duration(s[atCovered]) * time.Millisecond,
		R:        Measured{rated, float64(s[atR]) / unitR, float64(s[atR2]) / (unitR * unitR)},
		MOS:      Measured{rated, float64(s[atMOS]) / unitMOS, float64(s[atMOS2]) / (unitMOS * unitMOS)},
		LossPct:  Measured{Calls: s[atLossCalls], Sum: float64(s[atLoss]) / unitLoss},
		JitterMs: Measured{Calls: s[atJitterCalls], Sum: float64(s[atJitter]) / unitMs},
		RTTMs:    Measured{Calls: s[atRTTCalls], Sum: float64(s[atRTT]) / unitMs},
	}
}

// mostSteps is how many steps one answer may have: ten years of days.
const mostSteps = 4000

// Marginals adds up the hourly figures of one dimension that the scope may see, in order of step, customer, value and scale. What has no
// calls is not there. The range needs a beginning and an end, and may have 4,000 days or months at most.
func (s *Store) Marginals(ctx context.Context, scope Scope, f MarginalFilter) ([]Marginal, error) {
	if f.Dimension == "" {
		f.Dimension = AllCalls
	}
	if f.Zone == nil {
		f.Zone = time.UTC
	}
	steps, err := f.steps()
	if err != nil {
		return nil, err
	}
	found := map[marginalPlace]*sums{}
	if err := s.calls.addUp(ctx, scope, &f, steps, found); err != nil {
		return nil, fmt.Errorf("read the hourly figures of calls: %w", s.db.explain(err))
	}
	list := make([]Marginal, 0, len(found))
	for at, row := range found {
		if row.calls() > 0 { // else what waits has taken back all that there was
			list = append(list, f.marginal(at, row))
		}
	}
	slices.SortFunc(list, func(a, b Marginal) int {
		return cmp.Or(a.Begin.Compare(b.Begin), cmp.Compare(a.Customer, b.Customer), cmp.Compare(a.Value, b.Value), cmp.Compare(a.Scale, b.Scale))
	})
	return list, nil
}

// marginalPlace is where a row of the answer stands. Begin is in microseconds.
type marginalPlace struct {
	begin                  int64
	customer, value, scale string
}

func (f *MarginalFilter) marginal(at marginalPlace, row *sums) Marginal {
	m := row.marginal()
	m.Customer, m.Begin, m.Dimension, m.Value, m.Scale = at.customer, time.UnixMicro(at.begin).In(f.Zone), f.Dimension, at.value, at.scale
	return m
}

// addUp adds what call_hours holds and what waits for it, of one instant.
func (l *callLog) addUp(ctx context.Context, scope Scope, f *MarginalFilter, steps []step, found map[marginalPlace]*sums) error {
	l.waiting.mu.Lock()
	unlock := sync.OnceFunc(l.waiting.mu.Unlock)
	defer unlock()
	return l.db.snapshot(ctx, func(q querier) error {
		err := l.waitingFigures(ctx, q, func(k marginalKey, s *sums) {
			if at, ok := f.place(scope, steps, &k); ok {
				sumsAt(found, at).add(s, 1)
			}
		})
		if err != nil {
			return err
		}
		unlock()
		for _, step := range steps {
			if err := f.read(ctx, q, scope, step, found); err != nil {
				return err
			}
		}
		return nil
	})
}

func sumsAt(found map[marginalPlace]*sums, at marginalPlace) *sums {
	row := found[at]
	if row == nil {
		row = &sums{}
		found[at] = row
	}
	return row
}

// place is where a row of call_hours is added to the answer, as query finds it; false when it is not asked for.
func (f *MarginalFilter) place(scope Scope, steps []step, k *marginalKey) (marginalPlace, bool) {
	hour := time.Unix(k.hour, 0)
	n := sort.Search(len(steps), func(i int) bool { return hour.Before(steps[i].to) })
	if k.dimension != shortText(f.Dimension) || f.Customer != "" && k.customer != shortText(f.Customer) || !scope.seesCustomer(k.customer) ||
		n == len(steps) || hour.Before(steps[n].from) || f.Values != nil && !f.hasValue(k.value) {
		return marginalPlace{}, false
	}
	begin := steps[n].begin
	if f.Step == ByHour {
		begin = hour
	}
	at := marginalPlace{begin.UnixMicro(), k.customer, k.value, k.scale}
	if f.Together {
		at.customer = ""
	}
	return at, true
}

func (f *MarginalFilter) hasValue(value string) bool {
	return slices.ContainsFunc(f.Values, func(v string) bool { return shortText(v) == value })
}

// step is hours that are added up together: those that begin in [from, to).
type step struct{ begin, from, to time.Time }

// steps parts the range into its steps. Hours are one step, and told apart when they are read.
func (f *MarginalFilter) steps() ([]step, error) {
	if f.From.IsZero() || f.To.IsZero() {
		return nil, errors.New("hourly figures of calls are asked for without a beginning or an end")
	}
	if f.Step != ByDay && f.Step != ByMonth {
		return []step{{f.From, f.From, f.To}}, nil
	}
	local := f.From.In(f.Zone)
	year, month, day := local.Date()
	if f.Step == ByMonth {
		day = 1
	}
	var list []step
	for begin := time.Date(year, month, day, 0, 0, 0, 0, f.Zone); begin.Before(f.To); {
		if f.Step == ByMonth {
			month++
		} else {
			day++
		}
		next := time.Date(year, month, day, 0, 0, 0, 0, f.Zone)
		list = append(list, step{begin, latest(begin, f.From), earliest(next, f.To)})
		if begin = next; len(list) > mostSteps {
			return nil, fmt.Errorf("%s to %s are more than %d steps (ask for a shorter time, or for months)", f.From.Format(time.DateOnly), f.To.Format(time.DateOnly), mostSteps)
		}
	}
	return list, nil
}

// read adds the sums of one step.
func (f *MarginalFilter) read(ctx context.Context, from querier, scope Scope, part step, found map[marginalPlace]*sums) error {
	q := f.query(scope, part)
	var one sums
	var hour time.Time
	at := marginalPlace{}
	targets := []any{instant{&hour}, &at.customer, &at.value, &at.scale}
	for i := range one {
		targets = append(targets, &one[i])
	}
	return each(ctx, from, q.text.String(), q.args, func(rows *sql.Rows) error {
		if err := rows.Scan(targets...); err != nil {
			return err
		}
		at.begin = part.begin.UnixMicro()
		if f.Step == ByHour {
			at.begin = hour.UnixMicro()
		}
		sumsAt(found, at).add(&one, 1)
		return nil
	})
}

// query adds up the rows of one step. Its first column is the hour, which tells hours apart.
func (f *MarginalFilter) query(scope Scope, part step) *query {
	added := make([]string, len(marginalColumns))
	for i, c := range marginalColumns {
		added[i] = "CAST(SUM(" + c + ") AS BIGINT)"
	}
	customer, group := "customer", " GROUP BY value, scale"
	if f.Together {
		customer = "''"
	} else {
		group += ", customer"
	}
	q := newQuery(`SELECT MIN(hour), ` + customer + `, value, scale, ` + strings.Join(added, ", ") + ` FROM call_hours`)
	if f.Customer != "" {
		q.and("customer = ?", shortText(f.Customer))
	}
	q.and("dimension = ?", shortText(f.Dimension))
	q.and("hour >= ?", stamp(part.from))
	q.and("hour < ?", stamp(part.to))
	if f.Values != nil {
		values := make([]any, len(f.Values))
		for i, v := range f.Values {
			values[i] = shortText(v)
		}
		q.in("value", values...)
	} else if f.Dimension == AllCalls {
		q.and("value = ''")
	}
	q.sees(scope, "customer")
	q.add(group)
	if f.Step == ByHour {
		q.add(", hour")
	}
	return q
}

// marginalTable is the table of the hourly figures.
const marginalTable = "call_hours"

// marginalKeyOf names a row of the hourly figures.
func marginalKeyOf(r record) string {
	hour, _ := r["hour"].(time.Time)
	return fmt.Sprintf("customer %q, %v %q, scale %q, hour %s", r["customer"], r["dimension"], r["value"], r["scale"], hour.UTC().Format(time.RFC3339))
}

// verifyMarginal reports why a row of the hourly figures cannot be right.
func verifyMarginal(r record) error {
	var s sums
	for i, c := range marginalColumns {
		s[i], _ = r[c].(int64)
	}
	calls, _ := r["calls"].(int64)
	switch {
	case calls != s.calls():
		return fmt.Errorf("its bands hold %d calls, and it says %d", s.calls(), calls)
	case !s.onlyGrows():
		return errors.New("it counts less than nothing, or nothing at all")
	case max(s[atOneWay], s[atLossCalls], s[atJitterCalls], s[atRTTCalls]) > calls:
		return fmt.Errorf("it has %d calls, and something was measured in more of them", calls)
	}
	return nil
}
