package collectors

import (
	"time"

	"vigia/collectors/inventory"
)

// Kind is one sort of check: its name in the configuration, the type of its own keys, and what it says and measures.
type Kind struct {
	Name    string
	New     func() CheckConfig // a fresh configuration that holds the defaults; its type has yaml tags
	Metrics []Metric           // what it can yield
	Words   Words              // what its Reasons say
	Every   time.Duration      // default period
	Timeout time.Duration      // default deadline of a run; never more than the period
}

// CheckConfig is a kind's own part of a check's configuration: everything but kind, name, from, every and timeout, which all checks have.
type CheckConfig interface {
	// Validate lists everything that is wrong; nil when nothing is.
	Validate() []Problem
	// Target is what is probed, for people. It holds no secret.
	Target() string
	// Open makes the collector. It does no input or output that could block or fail for a reason that is not the configuration's.
	Open(setup Setup) (Collector, error)
}

// Setup is what every check has.
type Setup struct {
	ID      CheckID
	Every   time.Duration
	Timeout time.Duration
	// Object facts that a collector may need.
	Capacity inventory.Bandwidth // of a link; 0 when unknown
	// Files is a folder of the operator's own with more about devices (snmp: profiles); empty for none.
	Files string
}

// Problem is one mistake in a configuration: which key, what is wrong, what to do. The central configuration adds file and line.
type Problem struct {
	Key     string // the key inside the kind's own part, such as "host"; "" for the whole
	Message string // what is wrong: one clause, no full stop
	Hint    string // what to do; may be empty
}
