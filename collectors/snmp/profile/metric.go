package profile

import (
	"regexp"
	"slices"

	"vigia/collectors"
)

// Metric is one definition of a profile: what to read, and which figures it makes. It does not change after Load; the slices that its
// methods return are not to be changed either.
type Metric struct {
	Metric  collectors.Metric // empty for a sensor table, whose rows say what they are
	Sensor  bool              // an ENTITY-SENSOR-MIB table
	Also    bool              // used besides what else has the metric
	Profile string            // the profile that defines it, which may be one that is extended

	form          form
	operands      []operand
	used, free    int // operands before used are used ones, before free free ones; what is left is the total
	counters      bool
	scale, offset float64
	limits        limits
	octets        float64 // a unit, NaN when it is none or one that is read
	unit          target
	fold          fold
	ways          []way
	only          []condition
	tags          []tag
	good, skip    []float64
	kind          string // columns of a sensor table that are read in discovery; may be empty but for kind
	power         string // 10 to which power, as RFC 3433 numbers it
	precision     string
	scalars       []string
	columns       []string
	find          []string
	exists        string // the column whose cells say which rows there are
	self          []Row  // what stands for the row of a metric that has none
}

// operand is one value that is read at each poll.
type operand struct {
	target
	optional bool
}

// way is one way to find out what a row is called.
type way struct {
	column, via string
	pattern     *regexp.Regexp
}

// condition is one that a row must meet; without a column it is about the index.
type condition struct {
	column  string
	set     map[string]bool
	not     bool
	matches *regexp.Regexp
}

// tag is a column that says more about a row.
type tag struct{ key, column string }

// fold is what becomes of the rows' figures.
type fold uint8

const (
	foldEach fold = iota
	foldMean
	foldMax
	foldMin
	foldSum
	foldFirst
)

// Kind is what a metric counts as in the list of what a device has: cpu, memory, disk or sensor; empty when it is none of them.
func (m *Metric) Kind() string {
	if m.Sensor {
		return "sensor"
	}
	switch m.Metric {
	case collectors.CPUPct, collectors.CorePct:
		return "cpu"
	case collectors.RAMPct, collectors.PoolPct, collectors.SwapPct:
		return "memory"
	case collectors.DiskPct:
		return "disk"
	case collectors.TemperatureC, collectors.FanRPM, collectors.VoltageV, collectors.CurrentA, collectors.PowerW, collectors.OpticalDBM,
		collectors.HumidityPct, collectors.PartOK:
		return "sensor"
	}
	return ""
}

// HasRows reports whether the metric is of a table.
func (m *Metric) HasRows() bool {
	return slices.ContainsFunc(m.operands, func(o operand) bool { return o.column })
}

// Scalars are the objects to read at each poll, and in discovery for Has.
func (m *Metric) Scalars() []string { return m.scalars }

// Columns are the columns whose cells are read at each poll, in the rows that Rows found.
func (m *Metric) Columns() []string { return m.columns }

// Find are the columns to walk in discovery, for Rows.
func (m *Metric) Find() []string { return m.find }

// Has reports whether the device has every object that the metric needs; optional ones may lack. Whether it has rows, Rows says.
func (m *Metric) Has(scalar func(oid string) bool) bool {
	for _, o := range m.operands {
		if !o.column && !o.optional && !scalar(o.oid) {
			return false
		}
	}
	return true
}

// finish works out the lists that the methods return.
func (m *Metric) finish(part string) {
	for _, o := range m.operands {
		if o.column {
			m.columns = appendNew(m.columns, o.oid)
			if m.exists == "" && !o.optional {
				m.exists = o.oid
			}
		} else {
			m.scalars = appendNew(m.scalars, o.oid)
		}
	}
	if m.unit.oid != "" && !m.unit.column {
		m.scalars = appendNew(m.scalars, m.unit.oid)
	}
	if !m.HasRows() {
		row := Row{Name: part, octets: m.octets, limits: m.limits}
		for _, o := range m.operands {
			row.cells = append(row.cells, o.oid)
		}
		m.self = []Row{row}
		return
	}
	m.find = m.discovered()
}

// discovered lists the columns that are walked in discovery.
func (m *Metric) discovered() []string {
	out := appendNew(nil, m.exists)
	for _, w := range m.ways {
		out = appendNew(appendNew(out, w.via), w.column)
	}
	for _, c := range m.only {
		out = appendNew(out, c.column)
	}
	for _, t := range m.tags {
		out = appendNew(out, t.column)
	}
	for _, oid := range []string{m.kind, m.power, m.precision} {
		out = appendNew(out, oid)
	}
	if m.unit.column {
		out = appendNew(out, m.unit.oid)
	}
	return out
}

// appendNew adds an OID that is there and not yet in the list.
func appendNew(list []string, oid string) []string {
	if oid == "" || slices.Contains(list, oid) {
		return list
	}
	return append(list, oid)
}
