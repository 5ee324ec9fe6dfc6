package alerting

import (
	"cmp"
	"slices"
	"time"

	"vigia/collectors"
	"vigia/collectors/inventory"
)

// Tier is one level of a threshold. Whether it looks up or down is read from raise against clear: raise ≥ clear means that high is bad.
// At equality a value that reaches raise raises and one that reaches clear clears.
type Tier struct {
	Severity Severity
	Raise    float64
	Clear    float64
	For      time.Duration // how long the level must hold before it raises
	ClearFor time.Duration // how long the value must be beyond clear before it clears
	Samples  int           `json:",omitempty"` // how many samples in a row must have reached raise, besides For; zero or one: one
}

// Below reports whether low values are bad.
func (t Tier) Below() bool { return t.Raise < t.Clear }

// Crossed reports whether v has reached the raise level.
func (t Tier) Crossed(v float64) bool {
	if t.Raise < t.Clear {
		return v <= t.Raise
	}
	return v >= t.Raise
}

// Cleared reports whether v has reached the clear level.
func (t Tier) Cleared(v float64) bool {
	if t.Raise < t.Clear {
		return v >= t.Clear
	}
	if t.Raise == t.Clear {
		return v < t.Raise
	}
	return v <= t.Clear
}

// NoData says when a series that has gone silent is an alarm.
type NoData struct {
	After    time.Duration
	Severity Severity
}

// Confirm asks for immediate probes when a level is crossed: Probes of them, Every apart, instead of waiting out the polling period.
type Confirm struct {
	Probes int
	Every  time.Duration
}

// Flapping turns more than Changes raises and clears within Window into one notice and quiet until the series is stable for Window.
type Flapping struct {
	Changes int
	Window  time.Duration
}

// Threshold is what is expected of a metric on the objects that On selects.
type Threshold struct {
	Metric   collectors.Metric
	On       inventory.Pattern
	Instance string // only this instance or this part of one; empty: every one
	Tiers    []Tier // from the least severe to the worst
	NoData   *NoData
	Confirm  *Confirm
	Flapping *Flapping
	Policy   string // name of the escalation policy; empty: the object's own, else "default", else the only one
	Source   string // where it is written, file:line, or "default"
}

// Rules is a set of thresholds, prepared for looking up. It is immutable.
type Rules struct {
	byMetric map[collectors.Metric][]*Threshold
	all      []*Threshold
}

// NewRules prepares thresholds. The most specific On wins whole; own thresholds win over defaults (Source "default") of any pattern.
func NewRules(thresholds []Threshold) *Rules {
	r := &Rules{byMetric: map[collectors.Metric][]*Threshold{}}
	for i := range thresholds {
		t := thresholds[i]
		t.Tiers = slices.Clone(t.Tiers)
		slices.SortStableFunc(t.Tiers, func(a, b Tier) int { return cmp.Compare(a.Severity, b.Severity) })
		r.byMetric[t.Metric] = append(r.byMetric[t.Metric], &t)
		r.all = append(r.all, &t)
	}
	for _, list := range r.byMetric {
		slices.SortStableFunc(list, func(a, b *Threshold) int { return -cmp.Compare(a.weight(), b.weight()) })
	}
	return r
}

// DefaultSource is the Source of a threshold that ships with Vigía.
const DefaultSource = "default"

func (t *Threshold) weight() int {
	w := t.On.Weight() * 2
	if t.Instance != "" {
		w++
	}
	if t.Source != DefaultSource {
		w += 1 << 20
	}
	return w
}

// Match returns the threshold that judges the series, or nil.
func (r *Rules) Match(s collectors.Series) *Threshold {
	if r == nil {
		return nil
	}
	for _, t := range r.byMetric[s.Metric] {
		if t.about(s) && t.On.Matches(s.Ref) {
			return t
		}
	}
	return nil
}

// about reports whether the threshold is about a series' instance. Of a derived metric the instance is the metric that it was derived from.
func (t *Threshold) about(s collectors.Series) bool {
	return t.Instance == "" || t.Instance == s.Instance || t.Instance == s.Part() ||
		collectors.Catalogue[s.Metric].Derived && t.Instance == s.Check().Instance
}

// All lists the thresholds in the order in which they were written.
func (r *Rules) All() []*Threshold {
	if r == nil {
		return nil
	}
	return r.all
}
