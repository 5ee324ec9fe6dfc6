package snmp

import (
	"fmt"
	"math"
	"slices"

	"vigia/collectors"
	"vigia/collectors/snmp/profile"
)

// valuesOfPort is how many values a port has at most: its state, and in both directions bits and utilisation, and errors and discards.
const valuesOfPort = 7

// readInterfaces reads the counters of the interfaces and follows them. Values are made of them at once.
func (r *run) readInterfaces() error {
	switch {
	case len(r.watch) == 0:
		return nil
	case r.link != "":
		n := len(r.table.columns)
		if !r.readLine(&r.watch[0], r.exact.values[1:1+n], r.exact.moments[0].moment) {
			r.moved(1)
		}
		return nil
	}
	r.r.Values = slices.Grow(r.r.Values, len(r.watch)*valuesOfPort)
	next, moved := 0, 0
	err := r.s.gather(r.ctx, r.table, func(position int, cells []value, m moment) {
		for int(r.watch[next].at) != position { // both are in the order of the device's table
			next++
		}
		if !r.readLine(&r.watch[next], cells, m) {
			moved++
		}
	})
	if err == nil && moved > 0 {
		r.moved(moved)
	}
	return err
}

// moved: indexes have moved without a word, and what was read belongs to others.
func (r *run) moved(n int) {
	r.r.Steps = append(r.r.Steps, because("step_moved", n))
	r.device.forget(r.f)
}

// forget makes the next run discover anew; soon after a discovery only the one after a while does.
func (d *device) forget(f *found) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.found != f:
	case d.now().Sub(f.at) < apart:
		d.due = true
	default:
		d.found = nil
	}
}

// readLine takes one interface's cells. It reports false when the row bears another name than it did.
func (r *run) readLine(w *watched, cells []value, m moment) bool {
	p := &r.f.interfaces[w.at]
	reading := lineReading{m: m, speed: w.speed}
	gone := true
	oper := int8(0)
	for i, column := range r.table.columns {
		v := cells[i]
		gone = gone && v.kind == absent
		switch column {
		case ifInOctets, ifHCInOctets:
			reading.octets(inOctets, v)
		case ifOutOctets, ifHCOutOctets:
			reading.octets(outOctets, v)
		case ifInErrors:
			reading.count[inErrors] = counterOf(v)
		case ifOutErrors:
			reading.count[outErrors] = counterOf(v)
		case ifInDiscards:
			reading.count[inDiscards] = counterOf(v)
		case ifOutDiscards:
			reading.count[outDiscards] = counterOf(v)
		case ifOperStatus:
			oper = state(v)
		case ifDiscontinuity:
			reading.discontinuity, reading.hasMark = uint32(v.number), v.kind == ticks // TimeTicks have 32 bits
		default: // the name
			if v.kind != absent && !p.called(column, profile.Clean(v.text)) {
				w.line = line{}
				return false
			}
		}
	}
	if gone {
		w.line = line{}
		r.thrown.add(p.name, verdict{code: "discarded_gone"})
		return false
	}
	if oper != w.oper {
		w.oper, w.detail = oper, p.detail(r.capacity, oper)
		r.device.refresh(r.f) // speed and alias may have changed with it
	}
	r.tellState(w, oper)
	out, whole, single := w.line.next(reading)
	r.tellRates(w, out)
	if whole.bad() {
		r.thrown.add(p.name, whole)
	}
	for i, v := range single {
		if v.bad() {
			r.thrown.counter(p.name, i, v)
			if v.code == "discarded_above" {
				r.device.refresh(r.f)
			}
		}
	}
	return true
}

// octets takes a counter of octets; one with 64 bits, which comes after that with 32, takes its place.
func (l *lineReading) octets(i int, v value) {
	if c := counterOf(v); c.known {
		l.count[i] = c
	}
}

// called reports whether a row with this name in a column is still the same interface.
func (p *port) called(column, name string) bool {
	if column == ifName {
		return name == "" || name == p.plain
	}
	return name == p.descr
}

// nameColumn is the column that tells whether a row is still the same interface.
func (f *found) nameColumn() string {
	for i := range f.interfaces {
		if p := &f.interfaces[i]; p.plain != p.descr {
			return ifName
		}
	}
	return ifDescr
}

// part is what a value of an interface is called: on a link the interface is the whole.
func (r *run) part(w *watched) string {
	if r.link != "" {
		return ""
	}
	return r.f.interfaces[w.at].name
}

func (r *run) tell(w *watched, m collectors.Metric, v float64, detail string) {
	r.r.Values = append(r.r.Values, collectors.Value{Metric: m, Part: r.part(w), Value: v, Detail: detail})
}

func (r *run) tellState(w *watched, oper int8) {
	r.oper = oper
	if oper == 0 || oper == stateUnknown {
		return
	}
	up := 0.0
	if oper == stateUp {
		up = 1
	}
	p := &r.f.interfaces[w.at]
	r.r.Values = append(r.r.Values, collectors.Value{
		Metric: collectors.InterfaceUp, Part: r.part(w), Value: up, Detail: w.detail, Why: collectors.Because(stateCodes[oper], p.name),
	})
	if r.link != "" {
		r.r.Values = append(r.r.Values, collectors.Value{Metric: collectors.Up, Value: up})
	}
}

const percent = 100

func (r *run) tellRates(w *watched, out rates) {
	for i, m := range [2]collectors.Metric{collectors.InBps, collectors.OutBps} {
		bits := out.per[inOctets+i] * 8
		if math.IsNaN(bits) {
			continue
		}
		r.bits[i] = bits
		r.tell(w, m, bits, "")
		if w.size > 0 {
			util := [2]collectors.Metric{collectors.InUtilPct, collectors.OutUtilPct}[i]
			r.tell(w, util, min(bits/w.size*percent, percent), "")
		}
	}
	if sum, ok := sumOf(out.per[inErrors], out.per[outErrors]); ok {
		r.faults = sum
		r.tell(w, collectors.ErrorsPps, sum, "")
	}
	if sum, ok := sumOf(out.per[inDiscards], out.per[outDiscards]); ok {
		r.tell(w, collectors.DiscardsPps, sum, "")
	}
}

// sumOf adds what is known of two directions.
func sumOf(a, b float64) (float64, bool) {
	switch {
	case math.IsNaN(a) && math.IsNaN(b):
		return 0, false
	case math.IsNaN(a):
		return b, true
	case math.IsNaN(b):
		return a, true
	}
	return a + b, true
}

// refresh makes the device be looked at anew soon, without forgetting what is known.
func (d *device) refresh(f *found) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.found == f {
		d.due = true
	}
}

// thrown collects what was thrown away, so that a restart of a switch with 48 ports is one line and not 48.
type thrown struct {
	count  int
	groups []group
}

type group struct {
	code  string
	args  []any
	names []string
}

// add notes a verdict about all counters of an interface.
func (t *thrown) add(name string, v verdict) {
	t.count++
	for i := range t.groups {
		if t.groups[i].code == v.code && len(v.args) == 0 {
			t.groups[i].names = append(t.groups[i].names, name)
			return
		}
	}
	t.groups = append(t.groups, group{v.code, v.args, []string{name}})
}

// counter notes a verdict about one counter.
func (t *thrown) counter(name string, i int, v verdict) {
	t.count++
	t.groups = append(t.groups, group{v.code, append([]any{counterNames[i]}, v.args...), []string{name}})
}

// mostThrown is how many lines a run has about what was thrown away.
const mostThrown = 20

func (t *thrown) reasons() []collectors.Reason {
	var out []collectors.Reason
	for i, g := range t.groups {
		if i == mostThrown {
			return append(out, because("discarded_more", len(t.groups)-i))
		}
		out = append(out, because(g.code, append([]any{nameSome(g.names)}, g.args...)...))
	}
	return out
}

// nameSome lists the first few of many.
func nameSome(names []string) string {
	const few = 3
	text := ""
	for i, n := range names {
		if i == few {
			return fmt.Sprintf("%s +%d", text, len(names)-few)
		}
		if i > 0 {
			text += ", "
		}
		text += n
	}
	return text
}
