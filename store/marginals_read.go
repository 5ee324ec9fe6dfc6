package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
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

// stepKey is one sum of the answer.
type stepKey struct {
	begin                  int64 // seconds
	customer, value, scale string
}

// Marginals adds up the hourly figures of one dimension that the scope may see, in order of step, customer, value and scale. What has no
// calls is not there.
func (s *Store) Marginals(ctx context.Context, scope Scope, f MarginalFilter) ([]Marginal, error) {
	if f.Dimension == "" {
		f.Dimension = AllCalls
	}
	if f.Zone == nil {
		f.Zone = time.UTC
	}
	q := marginalQuery(scope, &f)
	steps := stepper{f: &f}
	found := map[stepKey]*sums{}
	var k stepKey
	var one sums
	var hour time.Time
	targets := []any{&k.customer, instant{&hour}, &k.value, &k.scale}
	for i := range one {
		targets = append(targets, &one[i])
	}
	err := each(ctx, s.db.read, q.text.String(), q.args, func(rows *sql.Rows) error {
		if err := rows.Scan(targets...); err != nil {
			return err
		}
		k.begin = steps.begin(hour)
		if found[k] == nil {
			found[k] = &sums{}
		}
		found[k].add(&one, 1)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the hourly figures of calls: %w", s.db.explain(err))
	}
	return f.answer(found), nil
}

func marginalQuery(scope Scope, f *MarginalFilter) *query {
	q := newQuery(`SELECT customer, hour, value, scale, ` + strings.Join(marginalColumns[:], ", ") + ` FROM call_hours`)
	if f.Customer != "" {
		q.and("customer = ?", shortText(f.Customer))
	}
	q.and("dimension = ?", shortText(f.Dimension))
	q.and("hour >= ?", stamp(f.From))
	q.and("hour < ?", stamp(f.To))
	if f.Values != nil {
		values := make([]any, len(f.Values))
		for i, v := range f.Values {
			values[i] = shortText(v)
		}
		q.in("value", values...)
	}
	q.sees(scope, "customer")
	return q
}

func (f *MarginalFilter) answer(found map[stepKey]*sums) []Marginal {
	list := make([]Marginal, 0, len(found))
	for k, sum := range found {
		m := sum.marginal()
		m.Customer, m.Dimension, m.Value, m.Scale = k.customer, f.Dimension, k.value, k.scale
		m.Begin = time.Unix(k.begin, 0).In(f.Zone)
		list = append(list, m)
	}
	slices.SortFunc(list, func(a, b Marginal) int {
		return cmp.Or(a.Begin.Compare(b.Begin), cmp.Compare(a.Customer, b.Customer), cmp.Compare(a.Value, b.Value), cmp.Compare(a.Scale, b.Scale))
	})
	return list
}

// stepper finds the step of an hour. Rows of one hour often follow one another.
type stepper struct {
	f     *MarginalFilter
	hour  time.Time
	known int64
}

// begin is the beginning of the step in which an hour begins, seconds.
func (s *stepper) begin(hour time.Time) int64 {
	if hour.Equal(s.hour) {
		return s.known
	}
	s.hour = hour
	local := hour.In(s.f.Zone)
	switch s.f.Step {
	case ByHour:
		s.known = hour.Unix()
	case ByDay:
		s.known = time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, s.f.Zone).Unix()
	case ByMonth:
		s.known = time.Date(local.Year(), local.Month(), 1, 0, 0, 0, 0, s.f.Zone).Unix()
	default:
		s.known = s.f.From.Unix()
	}
	return s.known
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
