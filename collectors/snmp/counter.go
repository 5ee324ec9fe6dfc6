package snmp

import (
	"math"
	"time"
)

// This file decides what counters mean, with values alone: which growth is true, which is not, and why. What it promises is in doc.go,
// "Rates".

// counter is one counter as it was read.
type counter struct {
	value uint64
	wide  bool // 64 bits
	known bool
}

func counterOf(v value) counter {
	switch v.kind {
	case counter32, gauge, integer, ticks:
		return counter{value: v.number & math.MaxUint32, known: true}
	case counter64:
		return counter{value: v.number, wide: true, known: true}
	}
	return counter{}
}

// The counters of an interface.
const (
	inOctets = iota
	outOctets
	inErrors
	outErrors
	inDiscards
	outDiscards
	counters
)

// lineReading is one interface at one moment.
type lineReading struct {
	m             moment
	count         [counters]counter
	discontinuity uint32 // ifCounterDiscontinuityTime (RFC 2863 §3.1.6)
	hasMark       bool
	speed         float64 // bit/s, 0 unknown; what a rate may not exceed
}

// kept is a lineReading that waits for the next one, in two thirds of the room: there is one of each port of each device.
type kept struct {
	at            time.Time
	value         [counters]uint64
	speed         float64
	ticks         uint32
	discontinuity uint32
	known, wide   uint8 // a bit for each counter
	hasTicks      bool
	hasMark       bool
}

func keep(r lineReading) kept {
	k := kept{at: r.m.at, speed: r.speed, ticks: r.m.ticks, discontinuity: r.discontinuity, hasTicks: r.m.hasTicks, hasMark: r.hasMark}
	for i, c := range r.count {
		k.value[i] = c.value
		if c.known {
			k.known |= 1 << i
		}
		if c.wide {
			k.wide |= 1 << i
		}
	}
	return k
}

func (k *kept) reading() lineReading {
	r := lineReading{
		m:             moment{at: k.at, ticks: k.ticks, hasTicks: k.hasTicks},
		discontinuity: k.discontinuity, hasMark: k.hasMark, speed: k.speed,
	}
	for i := range r.count {
		r.count[i] = counter{value: k.value[i], known: k.known&(1<<i) != 0, wide: k.wide&(1<<i) != 0}
	}
	return r
}

// line follows the counters of one interface from poll to poll.
type line struct {
	last  kept
	known bool
	flips int8 // discontinuities in a row
	clock clock
}

// rates are what grew, per second; NaN where nothing can be said.
type rates struct {
	per     [counters]float64
	elapsed float64
}

// verdict is why growth was thrown away: a code of words ("discarded_…") and what belongs to it.
type verdict struct {
	code string
	args []any
}

func (v verdict) bad() bool { return v.code != "" }

// Verdicts about a whole reading.
var (
	restarted  = verdict{code: "discarded_restart"}
	jumped     = verdict{code: "discarded_clock"}
	repeated   = verdict{code: "discarded_repeat"}
	outOfOrder = verdict{code: "discarded_old"}
	broken     = verdict{code: "discarded_mark"}
)

// wentBack is the verdict on a counter that fell without having wrapped.
const wentBack = "discarded_back"

// enough is how much later than the last reading a new one must be.
const enough = 0.2 // seconds

// next takes a reading and says how fast each counter grew since the last one. A verdict about the whole leaves no rates; those about one
// counter are in single. The first reading says nothing and is nobody's fault.
func (l *line) next(r lineReading) (out rates, whole verdict, single [counters]verdict) {
	for i := range out.per {
		out.per[i] = math.NaN()
	}
	if !l.known {
		l.last, l.known = keep(r), true
		return out, verdict{}, single
	}
	before := l.last
	last := before.reading()
	elapsed, bad := l.clock.between(last.m, r.m)
	if bad.code == outOfOrder.code {
		return out, bad, single // the last reading stays what the next is compared with
	}
	l.last = keep(r)
	switch {
	case bad.bad():
		return out, bad, single
	case elapsed < enough:
		l.last = before // asked again at once: too short to say anything
		return out, verdict{}, single
	case l.discontinued(last, r):
		return out, broken, single
	}
	out.elapsed = elapsed
	speed := max(last.speed, r.speed)
	var grown [counters]float64
	fell := false
	for i := range r.count {
		grown[i], single[i] = growth(last.count[i], r.count[i], elapsed, limitOf(i, speed))
		fell = fell || i > outOctets && single[i].bad() || single[i].code == wentBack
	}
	both := wrapped(last.count[inOctets], r.count[inOctets]) && wrapped(last.count[outOctets], r.count[outOctets])
	// A wrap of two counters in one interval, of one that hardly counts, or of 64 bits: it was reset. RFC 2863 asks to say so; not all do.
	if fell || both {
		return out, resetOf(last, r), [counters]verdict{}
	}
	for i, g := range grown {
		if !single[i].bad() {
			out.per[i] = g / elapsed
		}
	}
	return out, verdict{}, single
}

// discontinued reports whether the device says that it began to count anew. A mark that changes at each poll is no mark.
func (l *line) discontinued(last, r lineReading) bool {
	if !last.hasMark || !r.hasMark || last.discontinuity == r.discontinuity {
		l.flips = 0
		return false
	}
	if l.flips < math.MaxInt8 {
		l.flips++
	}
	return l.flips < 3
}

func wrapped(last, now counter) bool {
	return last.known && now.known && now.value < last.value
}

// resetOf names what shows that counters were reset: the first that fell, with what it was and is, or the one that grew more than there can
// be packets.
func resetOf(last, r lineReading) verdict {
	for i := range r.count {
		if wrapped(last.count[i], r.count[i]) {
			return verdict{code: "discarded_fell", args: []any{counterNames[i], float64(last.count[i].value), float64(r.count[i].value)}}
		}
	}
	for i := inErrors; i < counters; i++ {
		if a, b := last.count[i], r.count[i]; a.known && b.known && b.value > a.value {
			return verdict{code: "discarded_faults", args: []any{counterNames[i], float64(b.value - a.value)}}
		}
	}
	return broken
}

// counterNames are IF-MIB's names, for reasons.
var counterNames = [counters]string{"ifInOctets", "ifOutOctets", "ifInErrors", "ifOutErrors", "ifInDiscards", "ifOutDiscards"}

// mostPackets is how many packets a second of the least size (64 octets and 20 between them, IEEE 802.3) a line of 1 bit/s can carry.
const mostPackets = 1.0 / ((64 + 20) * 8)

// limitOf is how fast counter i can grow on a line of a speed, per second; infinite when the speed is not known.
func limitOf(i int, speed float64) float64 {
	switch {
	case speed <= 0:
		return math.Inf(1)
	case i <= outOctets:
		return speed / 8
	}
	return speed * mostPackets
}

// Tolerances of a limit: a device's clock has ticks of 10 ms, and what it counts is some milliseconds older or younger than its answer.
const (
	limitSlack = 0.05 // seconds
	limitShare = 1.01
)

// growth is how much a counter grew in elapsed seconds when it can grow by at most limit a second. A narrow counter may have wrapped once;
// where it could have wrapped more often nothing can be said of it.
func growth(last, now counter, elapsed, limit float64) (float64, verdict) {
	if !last.known || !now.known || last.wide != now.wide {
		return math.NaN(), verdict{}
	}
	most := limit * (elapsed + limitSlack) * limitShare
	if now.wide {
		if now.value < last.value {
			return math.NaN(), verdict{code: wentBack, args: []any{float64(last.value), float64(now.value)}}
		}
		return within(float64(now.value-last.value), most, elapsed)
	}
	const span = 1 << 32
	switch {
	case !math.IsInf(limit, 1) && limit*elapsed >= span*0.98:
		return math.NaN(), verdict{code: "discarded_narrow", args: []any{round1(span / limit), round1(elapsed)}}
	case now.value >= last.value:
		return within(float64(now.value-last.value), most, elapsed)
	case math.IsInf(limit, 1):
		return math.NaN(), verdict{code: wentBack, args: []any{float64(last.value), float64(now.value)}}
	}
	return within(float64(now.value+span-last.value), most, elapsed)
}

// within accepts a growth of at most most.
func within(grown, most, elapsed float64) (float64, verdict) {
	if grown > most {
		return math.NaN(), verdict{code: "discarded_above", args: []any{grown / elapsed, most / elapsed}}
	}
	return grown, verdict{}
}

func round1(v float64) float64 { return math.Round(v*10) / 10 }
