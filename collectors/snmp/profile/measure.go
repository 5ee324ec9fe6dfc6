package profile

import (
	"math"

	"vigia/collectors"
)

// wrapped is added to a negative size: hrStorageSize and its like are Integer32, and agents write larger sizes as negative ones.
const wrapped = 1 << 32

// The values by which a sensor says that what it measures is outside its range (RFC 3433, EntitySensorValue).
const sensorBeyond = 1_000_000_000

// measure reads what one row needs. The outcome is not yet believed.
func (m *Metric) measure(row *Row, in Reading) outcome {
	if len(row.cells) != len(m.operands) || len(row.cells) == 0 {
		return outcome{why: WhyMissing} // a row of another metric
	}
	switch m.form {
	case formValue:
		return m.plain(row, in)
	case formOK:
		v, ok := number(in, row.cells[0])
		if !ok {
			return outcome{why: WhyMissing}
		}
		return m.judge(v)
	case formSensor:
		return m.sensed(row, in)
	}
	return m.ratio(row, in)
}

// plain is value · scale + offset; of a counter its growth per second.
func (m *Metric) plain(row *Row, in Reading) outcome {
	v, why := m.operand(0, row, in)
	if why != "" {
		return outcome{why: why}
	}
	if m.counters {
		elapsed := in.Elapsed()
		if !(elapsed > 0) || math.IsInf(elapsed, 0) {
			return outcome{why: WhyFirst}
		}
		v /= elapsed
	}
	return outcome{value: v*m.scale + m.offset}
}

// ratio finds used and total.
func (m *Metric) ratio(row *Row, in Reading) outcome {
	used, why := m.sum(0, m.used, row, in)
	if why != "" {
		return outcome{why: why}
	}
	free, why := m.sum(m.used, m.free, row, in)
	if why != "" {
		return outcome{why: why}
	}
	o := outcome{used: used, total: used + free, octets: m.octetsOf(row, in)}
	if m.form == formUsedFree {
		return o
	}
	if o.total, why = m.sum(m.free, len(m.operands), row, in); why != "" {
		return outcome{why: why}
	}
	if m.form == formFreeTotal {
		o.used = o.total - free
	}
	return o
}

// sum adds up operands. Optional ones that the device does not have count 0.
func (m *Metric) sum(from, to int, row *Row, in Reading) (total float64, why string) {
	for i := from; i < to; i++ {
		v, why := m.operand(i, row, in)
		switch {
		case why == WhyMissing && m.operands[i].optional:
		case why != "":
			return 0, why
		case v < 0 && v >= -wrapped/2 && !m.counters:
			total += v + wrapped
		default:
			total += v
		}
	}
	return total, ""
}

// operand reads one value, or how much it grew.
func (m *Metric) operand(i int, row *Row, in Reading) (v float64, why string) {
	oid := row.cells[i]
	v, ok := number(in, oid)
	if !ok {
		return 0, WhyMissing
	}
	if !m.counters {
		return v, ""
	}
	grown, ok := in.Growth(oid)
	if !ok || math.IsNaN(grown) {
		return 0, WhyFirst
	}
	return grown, ""
}

// octetsOf is the unit of a row, NaN when it is not known.
func (m *Metric) octetsOf(row *Row, in Reading) float64 {
	if m.unit.oid == "" || m.unit.column {
		return row.octets
	}
	if v, ok := number(in, m.unit.oid); ok && v > 0 {
		return v
	}
	return math.NaN()
}

// sensed is the value of a sensor that works.
func (m *Metric) sensed(row *Row, in Reading) outcome {
	if len(row.cells) > 1 {
		if status, ok := number(in, row.cells[1]); ok && status != 1 {
			return outcome{why: WhyStatus, value: status}
		}
	}
	v, ok := number(in, row.cells[0])
	switch {
	case !ok:
		return outcome{why: WhyMissing}
	case row.metric == collectors.PartOK && v == 1:
		return outcome{value: 1}
	case row.metric == collectors.PartOK && v == 2:
		return outcome{value: 0}
	case row.metric == collectors.PartOK, row.factor == 0, math.Abs(v) >= sensorBeyond:
		return outcome{why: WhyRange, value: v}
	}
	return outcome{value: v * row.factor}
}

// number reads a finite number.
func number(in Reading, oid string) (float64, bool) {
	v, ok := in.Number(oid)
	return v, ok && !math.IsNaN(v) && !math.IsInf(v, 0)
}
