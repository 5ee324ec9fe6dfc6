package collectors

import (
	"context"
	"strings"
	"time"

	"vigia/collectors/inventory"
)

// Series names what is measured: one metric of one object, and which of several (an interface, a disk, a check). It is comparable.
type Series struct {
	Metric   Metric
	Ref      inventory.Ref
	Instance string // the check's name, by default its kind; of a part (an interface, a disk), "check:part"
}

// Check is the check that feeds the series.
func (s Series) Check() CheckID {
	check, _, _ := strings.Cut(s.Instance, partMark)
	return CheckID{Ref: s.Ref, Instance: check}
}

// Part is which part of what the check looks at is measured (an interface, a disk); empty for the whole.
func (s Series) Part() string {
	_, part, _ := strings.Cut(s.Instance, partMark)
	return part
}

// partMark stands between the names of a check, which hold none, and of a part.
const partMark = ":"

// String writes metric{ref,instance}, for logs and errors.
func (s Series) String() string {
	if s.Instance == "" {
		return string(s.Metric) + "{" + s.Ref.String() + "}"
	}
	return string(s.Metric) + "{" + s.Ref.String() + "," + s.Instance + "}"
}

// Less orders series by object, metric, instance.
func (s Series) Less(o Series) bool {
	if s.Ref != o.Ref {
		return s.Ref.Kind < o.Ref.Kind || s.Ref.Kind == o.Ref.Kind && s.Ref.Name < o.Ref.Name
	}
	if s.Metric != o.Metric {
		return s.Metric < o.Metric
	}
	return s.Instance < o.Instance
}

// Sample is one value at one instant.
type Sample struct {
	Series Series
	At     time.Time // when it was measured; UTC
	Value  float64   // finite, in the unit of the metric
	Reason Reason    // why the value is what it is, when the collector knows; travels with the alarm that it raises
	Detail string    // JSON for those who want more (a cause, an attribution); may be empty
	// Every is how often the series is expected, zero when it is not periodic. The engine judges "no data" by it when the threshold has no figure.
	Every time.Duration
}

// Sink takes samples. Put never blocks for long: when the sink is full it drops, counts and says so by a metric of its own.
type Sink interface {
	Put([]Sample)
}

// SinkFunc is a function as a Sink.
type SinkFunc func([]Sample)

// Put calls f.
func (f SinkFunc) Put(samples []Sample) { f(samples) }

// Tee puts into every sink, in order.
func Tee(sinks ...Sink) Sink {
	return SinkFunc(func(samples []Sample) {
		for _, s := range sinks {
			s.Put(samples)
		}
	})
}

// CheckID names one check of one object: its instance is the check's name, by default its kind.
type CheckID struct {
	Ref      inventory.Ref
	Instance string
}

// Part is the instance of the series of one part of what the check looks at; of the whole when part is empty.
func (id CheckID) Part(part string) string {
	if part == "" {
		return id.Instance
	}
	return id.Instance + partMark + part
}

// String writes link/sjo-mia:ping.
func (id CheckID) String() string { return id.Ref.String() + ":" + id.Instance }

// Check is one probe that is to be run again and again.
type Check struct {
	ID        CheckID
	Kind      string
	Target    string // what is probed, for people: an address, a URL; never a secret
	Every     time.Duration
	Timeout   time.Duration
	Collector Collector
	// Fingerprint is a digest of all of the check's configuration, secrets included. Equal digests mean that the collector of a running
	// check can be kept when the configuration is loaded again; empty means unknown, and the collector is replaced.
	Fingerprint string
}

// Collector runs one probe of one target. Probe keeps to ctx's deadline, is never run twice at once for the same check, and reports what
// went wrong in the Result, not by an error or a panic.
type Collector interface {
	Probe(ctx context.Context) Result
}

// Closer is implemented by a Collector that keeps something open between runs; Close is called once, after its last run.
type Closer interface {
	Close() error
}

// Result is what one run found.
type Result struct {
	Values []Value
	OK     bool     // false: the run shows that the target is not well, or the run itself could not be done
	Why    Reason   // one line: what was found, or what went wrong
	Steps  []Reason // what happened on the way, in order, for who wants to see more
	// Discarded is how many figures were measured and thrown away because they could not be true; Steps say each and why. Such a run is
	// kept as long as a failed one.
	Discarded int
}

// Value is one figure of a Result: of the whole, or of one Part of what the check looks at.
type Value struct {
	Metric Metric
	Part   string
	Value  float64
	Detail string // JSON; becomes the sample's
	Why    Reason // when the run's own does not say it of this figure
}

// Run is one entry of the log of a target's last runs.
type Run struct {
	Check   CheckID
	Kind    string
	At      time.Time     // when it started
	Took    time.Duration // how long it ran
	Late    time.Duration // how long after its slot it started
	Confirm bool          // a re-probe that the engine asked for
	Result  Result
}
