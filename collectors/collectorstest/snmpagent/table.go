package snmpagent

import (
	"math/bits"
	"slices"
	"time"
)

const (
	sysUpTime = "\x2b\x06\x01\x02\x01\x01\x03\x00" // 1.3.6.1.2.1.1.3.0
	tick      = 10 * time.Millisecond              // TimeTicks count these
)

// ticks are hundredths of a second. They wrap where TimeTicks do, after 497 days.
func ticks(d time.Duration) uint64 { return wrap(TimeTicks, uint64(max(d, 0)/tick)) }

// row is one variable. At its place in the octets stands its OID, and behind it, when the value does not change, the value's tag, length
// and contents.
type row struct {
	at       uint32
	oidLen   uint16
	valueLen uint16 // 0: it has none, or one that changes
	live     int32  // where in the table's live values; -1: the value does not change
}

// live is a number that may change.
type live struct {
	tag      Tag
	isUptime bool
	recorded uint64
	rate     uint64 // thousandths a second that it grows by, when it grows
	value    func(elapsed time.Duration) uint64
}

// table is what an agent looks answers up in. It never changes, so that agents share it.
type table struct {
	octets []byte
	rows   []row // sorted by OID, each once
	live   []live
}

// newTable sorts the rows, of each OID keeps the last that was set, and drops those that were removed.
func newTable(octets []byte, rows []row, lives []live) *table {
	t := &table{octets: octets, rows: slices.Clone(rows), live: slices.Clone(lives)}
	slices.SortStableFunc(t.rows, func(a, b row) int { return compareOID(t.oidOf(a), t.oidOf(b)) })
	kept := t.rows[:0]
	for i, r := range t.rows {
		replaced := i+1 < len(t.rows) && compareOID(t.oidOf(r), t.oidOf(t.rows[i+1])) == 0
		if !replaced && (r.valueLen > 0 || r.live >= 0) {
			kept = append(kept, r)
		}
	}
	t.rows = slices.Clip(kept)
	t.setRates()
	return t
}

// setRates gives every counter the rate at which it grows: what it was recorded with over the time that its device was up, which is its
// average so far, times 0.75 to 1.25 by its OID, so that no two interfaces look the same.
func (t *table) setRates() {
	up := t.uptime()
	for _, r := range t.rows {
		if r.live < 0 || !t.live[r.live].tag.isCounter() {
			continue
		}
		l := &t.live[r.live]
		l.rate = rateOf(l.recorded, up, spread(t.oidOf(r)))
	}
}

const (
	leastUptime   = 86_400   // seconds; a device that is not up that long has averages that are too wild
	fastest       = 2 << 36  // a second; as octets this is 1.1 Tbit/s, and a counter that says more was not counted
	perUnit       = 1000     // rates are in thousandths
	spreadSteps   = 512      // of the factor 0.75 to 1.25, in 1024ths
	spreadLeast   = 768      // 0.75 in 1024ths
	spreadDivisor = 1024     //
	hashPrime     = 16777619 // of FNV-1a with 32 bits
	hashOffset    = 2166136261
)

// rateOf is thousandths a second, at least one for a counter that ever counted. factor is in 1024ths.
func rateOf(recorded, uptime, factor uint64) uint64 {
	if recorded == 0 {
		return 0
	}
	average := min(recorded/uptime, fastest)*perUnit + recorded%uptime*perUnit/uptime
	return max(average*factor/spreadDivisor, 1)
}

// spread is a factor from 0.75 to 1.25 in 1024ths that depends on the octets alone.
func spread(octets []byte) uint64 { return spreadLeast + uint64(hashOf(octets))%spreadSteps }

func hashOf(octets []byte) uint32 {
	h := uint32(hashOffset)
	for _, o := range octets {
		h = (h ^ uint32(o)) * hashPrime
	}
	return h
}

// uptime is how long the device was up when it was recorded, in seconds, but at least a day.
func (t *table) uptime() uint64 {
	i, found := t.search([]byte(sysUpTime))
	if !found || t.rows[i].live < 0 {
		return leastUptime
	}
	return max(t.live[t.rows[i].live].recorded/uint64(time.Second/tick), leastUptime)
}

func (t *table) oidOf(r row) []byte {
	end := int(r.at) + int(r.oidLen)
	return t.octets[r.at:end:end]
}

func (t *table) oid(i int) []byte { return t.oidOf(t.rows[i]) }

// tag is the type of a variable.
func (t *table) tag(i int) Tag {
	r := t.rows[i]
	if r.live >= 0 {
		return t.live[r.live].tag
	}
	return Tag(t.octets[int(r.at)+int(r.oidLen)])
}

// fixed is the encoding of a value that does not change; empty for one that does.
func (t *table) fixed(i int) []byte {
	r := t.rows[i]
	start := int(r.at) + int(r.oidLen)
	return t.octets[start : start+int(r.valueLen)]
}

// search finds the first variable that is not before an OID, and whether it is that OID.
func (t *table) search(oid []byte) (int, bool) {
	return slices.BinarySearchFunc(t.rows, oid, func(r row, want []byte) int { return compareOID(t.oidOf(r), want) })
}

// missing is what GET answers for an OID that is not there: noSuchInstance when another variable differs in the last arc or lies below
// it, else noSuchObject.
func (t *table) missing(oid []byte) Tag {
	parent := parentOf(oid)
	i, _ := t.search(parent)
	if len(parent) > 0 && i < len(t.rows) && isUnder(t.oid(i), parent) {
		return noSuchInstance
	}
	return noSuchObject
}

func (t *table) record(i int) Record {
	r := Record{OID: formatOID(t.oid(i)), Tag: t.tag(i)}
	encoded := t.fixed(i)
	if at := t.rows[i].live; at >= 0 && t.live[at].value == nil {
		encoded = appendNumber(nil, r.Tag, t.live[at].recorded)
	}
	_, contents, _, _ := next(encoded)
	r.Contents = slices.Clone(contents)
	return r
}

// view is a table at one moment of an agent's life.
type view struct {
	*table
	elapsed   time.Duration // since the agent began to listen or was restarted
	grow      bool
	restarted bool // sysUpTime began at 0
	zeroed    bool // and so did the counters
}

// number is the value of a live variable now.
func (v view) number(l *live) uint64 {
	elapsed := max(v.elapsed, 0)
	switch {
	case l.value != nil:
		return wrap(l.tag, l.value(elapsed))
	case l.isUptime:
		return wrap(l.tag, v.uptimeTicks(l.recorded, elapsed))
	case !l.tag.isCounter():
		return l.recorded
	}
	n := l.recorded
	if v.zeroed {
		n = 0
	}
	if v.grow {
		n += grown(l.rate, elapsed)
	}
	return wrap(l.tag, n)
}

// uptimeTicks goes on from what was recorded, or from 0 after a restart; a device that has restarted has a clock in any case.
func (v view) uptimeTicks(recorded uint64, elapsed time.Duration) uint64 {
	switch {
	case v.restarted:
		return ticks(elapsed)
	case v.grow:
		return recorded + ticks(elapsed)
	default:
		return recorded
	}
}

// grown is what a rate in thousandths a second gives over a time.
func grown(rate uint64, elapsed time.Duration) uint64 {
	high, low := bits.Mul64(rate, uint64(elapsed))
	const divisor = perUnit * uint64(time.Second)
	quotient, _ := bits.Div64(high%divisor, low, divisor)
	return quotient
}

// value encodes a variable, in the table or in scratch.
func (v view) value(i int, scratch []byte) []byte {
	at := v.rows[i].live
	if at < 0 {
		return v.fixed(i)
	}
	l := &v.live[at]
	return appendNumber(scratch[:0], l.tag, v.number(l))
}
