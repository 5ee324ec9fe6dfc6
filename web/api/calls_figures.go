package api

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"vigia/store"
)

// CallFigures is figures of calls, added up from the hourly ones.
type CallFigures struct {
	From     time.Time    `json:"from" doc:"Begin of the first hour."`
	To       time.Time    `json:"to"`
	Timezone string       `json:"timezone"`
	Step     *string      `json:"step" enum:"hour,day,month" doc:"null: the whole range is one."`
	By       *string      `json:"by" doc:"null: all calls."`
	Figures  []CallFigure `json:"figures" nullable:"false" doc:"In order of begin, value and scale. What has no calls is not in it."`
}

// CallFigure is the calls of one step, value and scale.
type CallFigure struct {
	Begin       time.Time    `json:"begin" doc:"Of the step, in the time zone asked for. A call counts in the hour in which it began, an hour in the day in which it begins."`
	Value       *string      `json:"value" doc:"Of what is asked by, such as carrier-a; null for all calls."`
	Scale       *string      `json:"scale" enum:"nb,wb,fb" doc:"Of mos and r. Scales never mix; null for calls without a MOS."`
	Calls       int64        `json:"calls" doc:"That were answered; the sum of bands."`
	Bands       CallBands    `json:"bands"`
	OneWay      int64        `json:"one_way" doc:"Of which a direction was not heard."`
	TalkS       float64      `json:"talk_s" doc:"How long they lasted together."`
	CoveredS    float64      `json:"covered_s" doc:"Of that, what reports cover."`
	CoveragePct *float64     `json:"coverage_pct" doc:"covered_s of talk_s; null when nobody talked."`
	MOS         MeasuredSums `json:"mos" doc:"Of the worse direction of each call."`
	R           MeasuredSums `json:"r"`
	LossPct     MeasuredSums `json:"loss_pct"`
	JitterMS    MeasuredSums `json:"jitter_ms"`
	RTTMS       MeasuredSums `json:"rtt_ms"`
}

// CallBands is how many calls fell into each band of ITU-T G.107, by R brought to the narrowband scale.
type CallBands struct {
	R90     int64 `json:"r90" doc:"R is 90 or more: very satisfied."`
	R80     int64 `json:"r80" doc:"80 or more: satisfied."`
	R70     int64 `json:"r70" doc:"70 or more: some users dissatisfied."`
	R60     int64 `json:"r60" doc:"60 or more: many users dissatisfied."`
	R50     int64 `json:"r50" doc:"50 or more: nearly all users dissatisfied."`
	R0      int64 `json:"r0" doc:"Less: not recommended."`
	Unrated int64 `json:"unrated" doc:"No R is known, which is not good."`
}

// MeasuredSums is what adds up of one figure, and its mean.
type MeasuredSums struct {
	Calls int64    `json:"calls" doc:"In which it was measured."`
	Sum   float64  `json:"sum" doc:"Over these calls: sums and calls add up over rows, means do not."`
	Mean  *float64 `json:"mean" doc:"null when it was measured in none."`
}

type callFiguresInput struct {
	asked
	From     time.Time `query:"from" doc:"RFC 3339: hours that begin since; the hour in which it lies is the first. Default a day before to."`
	To       time.Time `query:"to" doc:"RFC 3339: hours that begin before. Default now."`
	Step     string    `query:"step" enum:"hour,day,month" doc:"What hours are added up to. Without it, the whole range."`
	Timezone string    `query:"timezone" doc:"IANA name: of days and months. Default UTC." example:"America/Costa_Rica"`
	Customer string    `query:"customer" doc:"Only this one's. Without it, all that the caller may see, added up."`
	By       string    `query:"by" enum:"customer,trunk,site,codec,direction,country,network,user_agent,cause" doc:"What to tell apart. A call of which it is not known counts only without it."`
}

var callSteps = map[string]store.Step{"": store.WholeRange, "hour": store.ByHour, "day": store.ByDay, "month": store.ByMonth}

const (
	mostHours   = 4000   // of one answer by the hour; all that may be asked for is fewer days
	mostFigures = 50_000 // rows of one answer
)

func getCallFigures(s *server, ctx context.Context, who Caller, in *callFiguresInput) (CallFigures, error) {
	f, err := in.filter(s.Now())
	if err != nil {
		return CallFigures{}, err
	}
	found, err := s.Store.Marginals(ctx, who.Scope, f)
	if err != nil {
		return CallFigures{}, err
	}
	if len(found) > mostFigures {
		return CallFigures{}, badParameter("from", "the answer would have too many rows: ask for a shorter time or a longer step", in.From.Format(time.RFC3339))
	}
	out := CallFigures{From: f.From, To: f.To, Timezone: f.Zone.String(), Step: worded(in.Step), By: worded(in.By), Figures: []CallFigure{}}
	for i := range found {
		out.Figures = append(out.Figures, callFigureOf(&found[i], in.By))
	}
	slices.SortStableFunc(out.Figures, func(a, b CallFigure) int {
		return cmp.Or(a.Begin.Compare(b.Begin), strings.Compare(plain(a.Value), plain(b.Value)), strings.Compare(plain(a.Scale), plain(b.Scale)))
	})
	return out, nil
}

// filter is what is asked of the store, checked.
func (in *callFiguresInput) filter(now time.Time) (store.MarginalFilter, error) {
	to := in.To
	if to.IsZero() {
		to = now
	}
	from := in.From
	if from.IsZero() {
		from = to.Add(-24 * time.Hour)
	}
	from, to, err := rangeOf(from.Truncate(time.Hour), to, now)
	if err != nil {
		return store.MarginalFilter{}, err
	}
	if in.Step == "hour" && to.Sub(from) > mostHours*time.Hour {
		return store.MarginalFilter{}, badParameter("step", "4,000 hours at most: ask for a shorter time, or for days", in.Step)
	}
	zone, err := time.LoadLocation(in.Timezone)
	if err != nil || in.Timezone == "Local" {
		return store.MarginalFilter{}, badParameter("timezone", "there is no time zone of that name: it is an IANA name such as America/Costa_Rica", in.Timezone)
	}
	f := store.MarginalFilter{Customer: in.Customer, From: from, To: to, Dimension: in.By, Step: callSteps[in.Step], Zone: zone, Together: in.By != "customer"}
	if in.By == "customer" {
		f.Dimension = store.AllCalls
	}
	return f, nil
}

func callFigureOf(m *store.Marginal, by string) CallFigure {
	out := CallFigure{
		Begin: m.Begin, Scale: worded(m.Scale), Calls: m.Bands.Calls(), OneWay: m.OneWay, TalkS: m.Talk.Seconds(), CoveredS: m.Covered.Seconds(),
		Bands: CallBands{
			m.Bands[store.VerySatisfied], m.Bands[store.Satisfied], m.Bands[store.SomeDissatisfied], m.Bands[store.ManyDissatisfied],
			m.Bands[store.NearlyAllDissatisfied], m.Bands[store.NotRecommended], m.Bands[store.NotRated],
		},
		MOS: sumsOf(m.MOS), R: sumsOf(m.R), LossPct: sumsOf(m.LossPct), JitterMS: sumsOf(m.JitterMs), RTTMS: sumsOf(m.RTTMs),
	}
	if m.Talk > 0 {
		out.CoveragePct = figure(100 * m.Covered.Seconds() / m.Talk.Seconds())
	}
	switch by {
	case "":
	case "customer":
		out.Value = &m.Customer
	default:
		out.Value = &m.Value
	}
	return out
}

func sumsOf(m store.Measured) MeasuredSums {
	out := MeasuredSums{Calls: m.Calls, Sum: m.Sum}
	if mean, ok := m.Mean(); ok {
		out.Mean = figure(mean)
	}
	return out
}

// worded is a word that is null when it is empty.
func worded(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// plain is the opposite.
func plain(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
