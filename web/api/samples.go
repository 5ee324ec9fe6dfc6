package api

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"vigia/collectors"
	"vigia/collectors/inventory"
	"vigia/store"
)

// SeriesList lists what is measured.
type SeriesList struct {
	Series []SeriesName `json:"series" nullable:"false"`
}

// Latest is the newest value of each series of an object.
type Latest struct {
	Values []Value `json:"values" nullable:"false"`
}

// Samples is a series over a time range.
type Samples struct {
	SeriesName
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	Points []Point   `json:"points" nullable:"false" doc:"Oldest first. There is a point only where there were samples."`
	Gaps   []Gap     `json:"gaps" nullable:"false" doc:"When there should have been samples and there were none. Never bridge them."`
}

// Point stands for all samples in one piece of the range.
type Point struct {
	At    time.Time `json:"at"`
	Min   *float64  `json:"min"`
	Max   *float64  `json:"max"`
	Mean  *float64  `json:"mean"`
	Count int       `json:"count" doc:"How many samples; 1: all three figures are that sample's."`
}

// Gap is a time without data.
type Gap struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

type seriesInput struct {
	asked
	Ref    string `query:"ref" doc:"Only series of this object, kind/name." example:"link/sjo-mia"`
	Metric string `query:"metric" doc:"Only series of this metric." example:"loss_pct"`
}

type latestInput struct {
	asked
	Ref string `query:"ref" required:"true" doc:"kind/name" example:"link/sjo-mia"`
}

type samplesInput struct {
	asked
	Ref      string    `query:"ref" required:"true" doc:"kind/name" example:"link/sjo-mia"`
	Metric   string    `query:"metric" required:"true" example:"loss_pct"`
	Instance string    `query:"instance" doc:"Needed when several checks of the object measure the metric." example:"ping"`
	From     time.Time `query:"from" doc:"RFC 3339; default: an hour before to."`
	To       time.Time `query:"to" doc:"RFC 3339; default: now."`
	Points   int       `query:"points" minimum:"1" maximum:"5000" default:"500" doc:"How many points at most; samples that fall together become one point with minimum, maximum and mean."`
}

func listSeries(s *server, _ context.Context, who Caller, in *seriesInput) (SeriesList, error) {
	all := s.Store.AllSeries(who.Scope)
	if in.Ref != "" {
		ref, err := parseRef("ref", in.Ref)
		if err != nil {
			return SeriesList{}, err
		}
		all = s.Store.SeriesOf(who.Scope, ref)
	}
	out := SeriesList{Series: []SeriesName{}}
	for _, series := range all {
		if in.Metric == "" || string(series.Metric) == in.Metric {
			out.Series = append(out.Series, seriesName(series))
		}
	}
	return out, nil
}

func getLatest(s *server, _ context.Context, who Caller, in *latestInput) (Latest, error) {
	ref, err := parseRef("ref", in.Ref)
	if err != nil {
		return Latest{}, err
	}
	if !who.Scope.Sees(ref) {
		return Latest{}, store.ErrNotFound
	}
	return Latest{Values: s.latestOf(who, ref)}, nil
}

// latestOf is the newest value of each series of an object, by metric and instance.
func (s *server) latestOf(who Caller, ref inventory.Ref) []Value {
	out := []Value{}
	for _, one := range s.Store.SeriesOf(who.Scope, ref) {
		if sample, ok := s.Store.Latest(who.Scope, one); ok {
			out = append(out, s.value(who.Lang, sample))
		}
	}
	return out
}

func getSamples(s *server, ctx context.Context, who Caller, in *samplesInput) (Samples, error) {
	ref, err := parseRef("ref", in.Ref)
	if err != nil {
		return Samples{}, err
	}
	if !who.Scope.Sees(ref) {
		return Samples{}, store.ErrNotFound
	}
	series, err := pick(s.Store.SeriesOf(who.Scope, ref), in.Metric, in.Instance)
	if err != nil {
		return Samples{}, err
	}
	from, to, err := rangeOf(in.From, in.To, s.Now())
	if err != nil {
		return Samples{}, err
	}
	found, err := s.Store.Range(ctx, who.Scope, store.RangeQuery{Series: series, From: from, To: to, Points: in.Points})
	if err != nil {
		return Samples{}, err
	}
	return samplesOf(series, from, to, found), nil
}

func samplesOf(series collectors.Series, from, to time.Time, found store.RangeResult) Samples {
	out := Samples{SeriesName: seriesName(series), From: from, To: to, Points: []Point{}, Gaps: []Gap{}}
	for _, p := range found.Points {
		out.Points = append(out.Points, Point{At: p.At.UTC(), Min: figure(p.Min), Max: figure(p.Max), Mean: figure(p.Mean), Count: p.Count})
	}
	for _, g := range found.Gaps {
		out.Gaps = append(out.Gaps, Gap{From: g.From.UTC(), To: g.To.UTC()})
	}
	return out
}

// parseRef reads a Ref out of a query parameter.
func parseRef(parameter, text string) (inventory.Ref, error) {
	ref, err := inventory.ParseRef(text)
	if err != nil {
		return ref, badParameter(parameter, err.Error(), text)
	}
	return ref, nil
}

// pick finds the one series of a metric, or says which there are.
func pick(series []collectors.Series, metric, instance string) (collectors.Series, error) {
	var found []collectors.Series
	var instances []string
	for _, one := range series {
		if string(one.Metric) != metric {
			continue
		}
		instances = append(instances, one.Instance)
		if instance == "" || one.Instance == instance {
			found = append(found, one)
		}
	}
	slices.Sort(instances)
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) == 0:
		return collectors.Series{}, store.ErrNotFound
	}
	why := fmt.Sprintf("several checks measure %s: choose one of %s", metric, strings.Join(instances, ", "))
	return collectors.Series{}, badParameter("instance", why, instance)
}

// longestRange is how much of a series one request may ask for.
const longestRange = 5 * 366 * 24 * time.Hour

// rangeOf completes and checks a time range.
func rangeOf(from, to, now time.Time) (time.Time, time.Time, error) {
	if to.IsZero() {
		to = now
	}
	if from.IsZero() {
		from = to.Add(-time.Hour)
	}
	switch {
	case !from.Before(to):
		return from, to, badParameter("from", "from must be before to", from.Format(time.RFC3339))
	case to.Sub(from) > longestRange:
		return from, to, badParameter("from", "the range may be five years at most", from.Format(time.RFC3339))
	}
	return from.UTC(), to.UTC(), nil
}
