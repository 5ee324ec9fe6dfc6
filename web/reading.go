package web

import (
	"slices"
	"time"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
	"vigia/store"
)

// reading is the newest sample of a series.
type reading struct {
	Series collectors.Series
	At     time.Time
	Value  float64
	Every  time.Duration
	Reason collectors.Reason
	Detail string // JSON; not known after a restart until the next sample
	Fresh  bool
}

// readings are an object's newest samples.
type readings []reading

// How old a sample may be before it says nothing about now: three periods and the time to write it down; what has no period five minutes.
const (
	freshPeriods = 3
	freshGrace   = 2 * time.Second
	freshUnknown = 5 * time.Minute
)

// readings are all of an object's, in order.
func (s *Server) readings(v *visit, ref inventory.Ref) readings {
	samples := s.cfg.Store.LatestOf(v.scope(), ref, nil)
	list := make(readings, len(samples))
	for i, sample := range samples {
		list[i] = v.readingOf(sample)
	}
	list.sort()
	return list
}

// glance is what lists look at: the readings of the whole and of the disks, and one that stands for all other parts, without their figures,
// so that a device with hundreds of interfaces costs little. It is read once for each request.
func (s *Server) glance(v *visit, w *world, ref inventory.Ref) readings {
	if have, ok := w.glances[ref]; ok {
		return have
	}
	w.samples = s.cfg.Store.LatestOf(v.scope(), ref, w.samples[:0])
	var list readings
	var rest reading
	for i := range w.samples {
		series := &w.samples[i].Series
		if series.Part() == "" || series.Metric == collectors.DiskPct {
			list = append(list, v.readingOf(w.samples[i]))
			continue
		}
		if rest.Fresh {
			continue
		}
		if r := v.readingOf(w.samples[i]); r.Fresh || r.At.After(rest.At) {
			rest = r
			rest.Series.Metric = ""
		}
	}
	list.sort()
	if !rest.At.IsZero() {
		list = append(list, rest)
	}
	w.glances[ref] = list
	return list
}

func (list readings) sort() {
	slices.SortFunc(list, func(a, b reading) int {
		switch {
		case a.Series.Less(b.Series):
			return -1
		case b.Series.Less(a.Series):
			return 1
		}
		return 0
	})
}

func (s *Server) reading(v *visit, series collectors.Series) (reading, bool) {
	sample, ok := s.cfg.Store.Latest(v.scope(), series)
	if !ok {
		return reading{}, false
	}
	return v.readingOf(sample), true
}

func (v *visit) readingOf(sample collectors.Sample) reading {
	limit := freshUnknown
	if sample.Every > 0 {
		limit = freshPeriods*sample.Every + freshGrace
	}
	return reading{
		Series: sample.Series, At: sample.At, Value: sample.Value, Every: sample.Every, Reason: sample.Reason, Detail: sample.Detail,
		Fresh: v.now.Sub(sample.At) <= limit,
	}
}

// worstOf is the reading that says most about a metric: the worst among the fresh instances, else the newest one.
func (list readings) worstOf(m collectors.Metric) (reading, bool) {
	var best reading
	found := false
	low := collectors.Catalogue[m].LowerIsWorse
	for _, r := range list {
		if r.Series.Metric != m {
			continue
		}
		worse := r.Value > best.Value != low && r.Value != best.Value
		switch {
		case !found, r.Fresh && !best.Fresh, r.Fresh == best.Fresh && r.Fresh && worse, !r.Fresh && !best.Fresh && r.At.After(best.At):
			best, found = r, true
		}
	}
	return best, found
}

// firstOf is worstOf of the first metric that there is.
func (list readings) firstOf(metrics ...collectors.Metric) (reading, bool) {
	var stale reading
	found := false
	for _, m := range metrics {
		r, ok := list.worstOf(m)
		if ok && r.Fresh {
			return r, true
		}
		if ok && !found {
			stale, found = r, true
		}
	}
	return stale, found
}

// anyFresh reports whether anything at all was measured just now.
func (list readings) anyFresh() bool {
	for _, r := range list {
		if r.Fresh {
			return true
		}
	}
	return false
}

// newest is when anything was last measured; zero for never.
func (list readings) newest() time.Time {
	var at time.Time
	for _, r := range list {
		if r.At.After(at) {
			at = r.At
		}
	}
	return at
}

// cell writes a reading for a table or a tile: coloured when an alarm stands on it, a dash with its reason when it says nothing about now.
func (s *Server) cell(v *visit, w *world, r reading, found bool) figure {
	switch {
	case !found:
		return nothing(v.t("none.unmeasured"))
	case !r.Fresh:
		return nothing(v.t("none.since", v.brief(r.At)))
	}
	f := v.figure(r.Series.Metric, r.Value)
	if a := w.alarmOn(r.Series); a != nil {
		f.Class = "hot is-" + a.Severity.String()
	}
	return f
}

// alarmOn is the standing alarm of a series, or nil.
func (w *world) alarmOn(series collectors.Series) *alerting.Alarm { return w.on[series] }

// sparkSpan is how far back a sparkline goes at most, and of how many points it is.
const (
	sparkSpan   = time.Hour
	sparkPoints = 60
)

// sparks draws many series at once.
func (s *Server) sparks(v *visit, w *world, series []collectors.Series) (map[collectors.Series]spark, error) {
	out := make(map[collectors.Series]spark, len(series))
	if len(series) == 0 {
		return out, nil
	}
	from := s.sparkFrom(v.now)
	lines, err := s.cfg.Store.Sparklines(v.ctx(), v.scope(), series, from, v.now, sparkPoints)
	if err != nil {
		return nil, err
	}
	rules := s.cfg.Rules()
	for one, points := range lines {
		out[one] = drawSpark(points, from, v.now, s.gapOf(v, one), mark(w.alarmOn(one), rules.Match(one)))
	}
	return out, nil
}

// sparkFrom is where the sparklines of a page begin: an hour ago, or with the first sample when that is younger, but not less than two
// minutes ago. It is the same for all of them.
func (s *Server) sparkFrom(now time.Time) time.Time {
	from, begin := now.Add(-sparkSpan), s.firstSample()
	if least := now.Add(-2 * time.Minute); begin.After(least) {
		begin = least
	}
	if begin.After(from) {
		return begin
	}
	return from
}

// gapOf is the distance of two samples from which on nothing is drawn between them.
func (s *Server) gapOf(v *visit, series collectors.Series) time.Duration {
	if r, ok := s.reading(v, series); ok && r.Every > 0 {
		return freshPeriods * r.Every
	}
	return freshUnknown
}

// mark is the level beyond which a line is coloured.
func mark(a *alerting.Alarm, rule *alerting.Threshold) *alerting.Tier {
	if a != nil && a.State != alerting.Stale {
		return &a.Tier
	}
	if rule != nil && len(rule.Tiers) > 0 {
		return &rule.Tiers[0]
	}
	return nil
}

// point is what a line is drawn of.
type point = store.Point
