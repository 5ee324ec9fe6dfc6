package collectors

import (
	"math"
	"slices"
	"sync/atomic"
	"time"
)

// UsualWords is what derived samples say.
var UsualWords = Words{
	"usual.is":     {EN: "{0:m} {1}, usual at this hour {2} (± {3}), by {4} weeks", ES: "{0:m} {1}, usual a esta hora {2} (± {3}), según {4} semanas"},
	"usual.change": {EN: "{0:m} was {1} an hour ago and is {2}", ES: "{0:m} era {1} hace una hora y es {2}"},
	"usual.full":   {EN: "{0} % full, as it grew in the last {1}", ES: "{0} % lleno, según creció en los últimos {1}"},
}

// Baseline is what is usual for a series at one hour of the week.
type Baseline struct {
	Middle float64 // the median of the same hour of earlier weeks
	Spread float64 // the scatter around it, as a standard deviation: 1.4826 times the median absolute deviation, never less than what is noise
	Weeks  int     // that it was learnt from
	// From and Until bound the hour that it is about.
	From, Until time.Time
}

// What a baseline is learnt from.
const (
	LearnWeeks  = 6  // that are looked at
	learnFewest = 3  // of those that must have data, else nothing is usual yet
	LearnPoints = 12 // that an hour is drawn together to
	leastUsual  = 5  // below this a share of the usual says nothing
	madScale    = 1.4826
)

// Learn makes the baseline of an hour from the values of the same hour of earlier weeks; false while fewer than three weeks have any. Median and
// median absolute deviation keep a week of outage or of celebration from changing it (NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.5.17).
func Learn(metric Metric, weeks [][]float64, from time.Time) (Baseline, bool) {
	b := Baseline{From: from, Until: from.Add(time.Hour)}
	var all []float64
	for _, values := range weeks {
		if len(values) > 0 {
			b.Weeks++
			all = append(all, values...)
		}
	}
	if b.Weeks < learnFewest {
		return b, false
	}
	b.Middle = median(all)
	for i := range all {
		all[i] = math.Abs(all[i] - b.Middle)
	}
	b.Spread = max(madScale*median(all), noise(metric, b.Middle))
	return b, true
}

// noise is the least scatter that counts: a fiftieth of the value; of a number of things its square root, as of rare events; of a share half a
// point; of a time half a millisecond.
func noise(metric Metric, middle float64) float64 {
	least := math.Abs(middle) / 50
	switch Catalogue[metric].Unit {
	case UnitNone:
		return max(least, math.Sqrt(max(math.Abs(middle), 1)))
	case UnitPercent, UnitMS:
		return max(least, 0.5)
	case UnitBps:
		return max(least, 1000)
	}
	return max(least, 1e-9)
}

func median(values []float64) float64 {
	list := slices.Clone(values)
	slices.Sort(list)
	n := len(list)
	if n == 0 {
		return 0
	}
	return (list[(n-1)/2] + list[n/2]) / 2
}

// Watched says which figures somebody wants to have of a series.
type Watched struct {
	Baseline
	Distance bool // as Unusual
	Share    bool // as TimesUsual
}

// Usual is a Sink that passes on what it is given and adds how far it is from usual, for the series that somebody watches.
type Usual struct {
	next    Sink
	watched atomic.Pointer[map[Series]Watched]
}

// NewUsual makes the decorator of next. It watches nothing at first.
func NewUsual(next Sink) *Usual { return &Usual{next: next} }

// Watch replaces what is watched.
func (u *Usual) Watch(list map[Series]Watched) { u.watched.Store(&list) }

// Watching is what is watched now; it must not be changed.
func (u *Usual) Watching() map[Series]Watched {
	if list := u.watched.Load(); list != nil {
		return *list
	}
	return nil
}

// Put passes samples on, with what follows from them.
func (u *Usual) Put(samples []Sample) {
	u.next.Put(samples)
	watched := u.Watching()
	if len(watched) == 0 {
		return
	}
	var more []Sample
	for i := range samples {
		if w, ok := watched[samples[i].Series]; ok {
			more = w.judge(&samples[i], more)
		}
	}
	if len(more) > 0 {
		u.next.Put(more)
	}
}

// judge appends what a sample is compared with the usual. One of another hour is not compared.
func (w *Watched) judge(m *Sample, to []Sample) []Sample {
	if m.At.Before(w.From) || !m.At.Before(w.Until) || m.Value-m.Value != 0 {
		return to
	}
	why := Because("usual.is", string(m.Series.Metric), rounded(m.Value), rounded(w.Middle), rounded(w.Spread), float64(w.Weeks))
	if w.Distance {
		to = append(to, Sample{Series: DerivedSeries(Unusual, m.Series), At: m.At, Value: (m.Value - w.Middle) / w.Spread, Every: m.Every, Reason: why})
	}
	if w.Share && w.Middle >= leastUsual {
		to = append(to, Sample{Series: DerivedSeries(TimesUsual, m.Series), At: m.At, Value: m.Value / w.Middle, Every: m.Every, Reason: why})
	}
	return to
}

// rounded is a figure with three significant digits, for people.
func rounded(v float64) float64 {
	if v == 0 || math.IsInf(v, 0) {
		return v
	}
	scale := math.Pow(10, 2-math.Floor(math.Log10(math.Abs(v))))
	return math.Round(v*scale) / scale
}

// DerivedSeries names what is worked out from a series: its instance is the base metric, and behind a colon the base's own instance.
func DerivedSeries(metric Metric, base Series) Series {
	instance := string(base.Metric)
	if base.Instance != "" {
		instance += partMark + base.Instance
	}
	return Series{Metric: metric, Ref: base.Ref, Instance: instance}
}

// Change makes the sample of how much a series changed within an hour.
func Change(base Series, at time.Time, before, now float64, every time.Duration) Sample {
	return Sample{
		Series: DerivedSeries(Change1H, base), At: at, Value: now - before, Every: every,
		Reason: Because("usual.change", string(base.Metric), rounded(before), rounded(now)),
	}
}
