package profile

import (
	"math"
	"slices"

	"vigia/collectors"
)

// Reading is what one poll read. OIDs have a leading dot.
type Reading interface {
	Number(oid string) (float64, bool) // an integer, gauge or counter; text that begins with a number (ParseNumber)
	Text(oid string) (string, bool)
	Growth(oid string) (float64, bool) // how much a counter grew since the last poll; false when that is not known
	Elapsed() float64                  // seconds between the two polls
}

// Figure is what a metric came to. It is finite.
type Figure struct {
	Metric      collectors.Metric
	Part        string // of what; empty: of the device
	Value       float64
	Used, Total float64           // octets; NaN when not known
	Tags        map[string]string // of the row; not to be changed
}

// Lack is a figure that should be there and is not.
type Lack struct {
	Metric collectors.Metric
	Part   string
	Why    string
	Value  float64 // what was not believed, or the status; 0 when there is none
}

// Why a figure lacks.
const (
	WhyMissing = "missing" // the device did not give a value, or gave no number
	WhyFirst   = "first"   // how much a counter grew is not known yet
	WhyRange   = "range"   // the figure cannot be true
	WhyStatus  = "status"  // the sensor says of itself that it does not work
)

// outcome is one row's figure on its way.
type outcome struct {
	value, used, total float64
	octets             float64 // per unit of used and total
	tags               map[string]string
	why                string // not empty: it lacks
	out                bool   // it is left out without a word
}

// Eval makes figures of what one poll read: of the rows that Rows found, or of the device when the metric has none. It may run in several
// goroutines at once.
func (m *Metric) Eval(rows []Row, in Reading) ([]Figure, []Lack) {
	if !m.HasRows() {
		rows = m.self
	}
	if m.fold != foldEach && m.HasRows() {
		return m.one(rows, in)
	}
	if len(rows) == 0 {
		return nil, nil
	}
	figures := make([]Figure, 0, len(rows))
	var lacks []Lack
	for i := range rows {
		row := &rows[i]
		o := m.settle(m.measure(row, in), row.limits)
		metric := m.Metric
		if m.Sensor {
			metric = row.metric
		}
		switch {
		case o.out:
		case o.why != "":
			lacks = append(lacks, Lack{metric, row.Name, o.why, o.value})
		default:
			figures = append(figures, Figure{metric, row.Name, o.value, o.used, o.total, row.Tags})
		}
	}
	return figures, lacks
}

// one makes one figure of all rows. Rows that lack are left out; when none is left, the first of them says why.
func (m *Metric) one(rows []Row, in Reading) ([]Figure, []Lack) {
	var all, lack outcome
	n := 0
	for i := range rows {
		o := m.measure(&rows[i], in)
		if m.fold == foldSum {
			o = m.absolute(o)
		} else {
			o = m.settle(o, m.limits)
			o.tags = rows[i].Tags
		}
		switch {
		case o.out:
		case o.why != "":
			if lack.why == "" {
				lack = o
			}
		default:
			all = m.fold.combine(all, o, n)
			n++
		}
		if m.fold == foldFirst && n > 0 {
			break
		}
	}
	switch {
	case n == 0:
		all = lack
		all.out = lack.why == ""
	case m.fold == foldSum:
		all = m.settle(all, m.limits)
	case m.fold == foldMean:
		all.value /= float64(n)
		all.used, all.total, all.tags = math.NaN(), math.NaN(), nil
	}
	switch {
	case all.out:
		return nil, nil
	case all.why != "":
		return nil, []Lack{{m.Metric, "", all.why, all.value}}
	}
	return []Figure{{Metric: m.Metric, Value: all.value, Used: all.used, Total: all.total, Tags: all.tags}}, nil
}

// combine takes one more row into what n rows came to so far.
func (f fold) combine(all, o outcome, n int) outcome {
	switch {
	case n == 0:
		return o
	case f == foldMax && o.value > all.value, f == foldMin && o.value < all.value:
		return o
	case f == foldSum, f == foldMean:
		all.value += o.value
		all.used += o.used
		all.total += o.total
	}
	return all
}

// absolute turns used and total into octets where there is a unit, so that rows of different units add up.
func (m *Metric) absolute(o outcome) outcome {
	if o.why != "" || o.out || !m.sized() {
		return o
	}
	if math.IsNaN(o.octets) {
		return outcome{why: WhyMissing}
	}
	o.used, o.total, o.octets = o.used*o.octets, o.total*o.octets, 1
	return o
}

// sized reports whether a unit is given.
func (m *Metric) sized() bool { return m.unit.oid != "" || !math.IsNaN(m.octets) }

// settle makes the figure of what was measured: of used and total their ratio, and believes it or not.
func (m *Metric) settle(o outcome, l limits) outcome {
	if o.why != "" || o.out {
		return o
	}
	if m.form.ratio() {
		if o.total == 0 {
			return outcome{out: true}
		}
		o.value = 100 * (o.used / o.total)
		if o.total < 0 {
			return outcome{why: WhyRange, value: finite(o.value)}
		}
		o.used, o.total = size(o.used*o.octets), size(o.total*o.octets)
	} else {
		o.used, o.total = math.NaN(), math.NaN()
	}
	v, ok := l.believe(o.value)
	if !ok {
		return outcome{why: WhyRange, value: finite(o.value)}
	}
	o.value = v
	return o
}

// size is octets, NaN when they are not known.
func size(octets float64) float64 {
	if math.IsInf(octets, 0) {
		return math.NaN()
	}
	return octets
}

func finite(v float64) float64 {
	if math.IsInf(v, 0) || math.IsNaN(v) {
		return 0
	}
	return v
}

// limits are what a figure must lie between to be believed.
type limits struct {
	low, high float64
	noise     float64 // what lies so little beyond is taken for the limit: rounding
}

// limitsOf are a metric's own limits, or those that a profile gives. Percentages lie between 0 and 100; but a UPS may carry more than it is
// built for.
func limitsOf(metric collectors.Metric, raw *rawMetric) limits {
	l := limits{low: math.Inf(-1), high: math.Inf(1)}
	if collectors.Catalogue[metric].Unit == collectors.UnitPercent {
		l = limits{low: 0, high: 100, noise: 0.5}
		if metric == collectors.LoadPct {
			l.high = math.Inf(1)
		}
	}
	if raw != nil && raw.given["min"] > 0 {
		l.low = raw.low
	}
	if raw != nil && raw.given["max"] > 0 {
		l.high = raw.high
	}
	return l
}

// believe reports whether a figure can be true, and returns it without rounding noise.
func (l limits) believe(v float64) (float64, bool) {
	if math.IsNaN(v) || math.IsInf(v, 0) || v < l.low-l.noise || v > l.high+l.noise {
		return v, false
	}
	return min(max(v, l.low), l.high), true
}

// judge says whether a value is good; it is left out when it is among those to skip.
func (m *Metric) judge(v float64) outcome {
	switch {
	case slices.Contains(m.skip, v):
		return outcome{out: true}
	case slices.Contains(m.good, v):
		return outcome{value: 1}
	}
	return outcome{value: 0}
}
