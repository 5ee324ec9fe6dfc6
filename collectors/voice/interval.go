package voice

import (
	"encoding/binary"
	"math"
)

// interval is one stretch between two reports of a stream, packed into eight octets:
//
//	bits  0-7   duration, quarters of a second, up to 63.75 s
//	bits  8-20  packets expected
//	bits 21-33  packets lost
//	bits 34-42  jitter, logarithm of ms at a clock of 8000 Hz; 511: not measured
//	bits 43-51  round trip, logarithm of ms; 511: not measured
//	bits 52-59  R of the call's scale, 1.7 units each; 255: not rated. Filled in when the call is finished
//	bits 60-63  flags
type interval uint64

// The flags of an interval.
const (
	flagEarly    = 1 << iota // before the answer (rule 13)
	flagHeld                 // the direction was on hold (rule 12), or carried fax (rule 29)
	flagDead                 // nothing arrived while the other side sent (rule 3)
	flagDoubtful             // loss that repeated DTMF packets may have feigned (rule 28)
	flagUnjudged = flagEarly | flagHeld
)

const (
	maxPackets   = 1<<13 - 1
	notMeasured9 = 511
	jitterScale  = 58.0 // 510 / ln(1 + 6000): a second of 48 kHz ticks
	rttScale     = 55.0 // 510 / ln(1 + 10000 ms)
)

// passage is what an interval says, unpacked.
type passage struct {
	seconds  float64
	expected uint32
	lost     uint32
	jitterMS float64 // at a clock of 8000 Hz; NaN: not measured
	rttMS    float64 // NaN: not measured
	flags    uint8
}

func pack(p passage) interval {
	expected, lost := p.expected, p.lost
	for expected > maxPackets {
		expected, lost = (expected+1)/2, (lost+1)/2
	}
	quarters := uint64(math.Round(min(max(p.seconds, 0), 63.75) * 4))
	return interval(quarters | uint64(expected)<<8 | uint64(min(lost, expected))<<21 |
		logCode(p.jitterMS, jitterScale)<<34 | logCode(p.rttMS, rttScale)<<43 | 255<<52 | uint64(p.flags&15)<<60)
}

// withR fills in how the stretch was rated.
func (i interval) withR(r float64) interval {
	return i&^(255<<52) | interval(math.Round(min(max(r, 0), 149)*1.7))<<52
}

// r is how the stretch was rated.
func (i interval) r() (float64, bool) {
	code := i >> 52 & 255
	return float64(code) / 1.7, code != 255
}

// Intervals reads what Stream.Packed holds; octets that are left over are ignored.
func Intervals(packed []byte) []Interval {
	out := make([]Interval, 0, len(packed)/8)
	for ; len(packed) >= 8; packed = packed[8:] {
		i := interval(binary.LittleEndian.Uint64(packed))
		p := i.unpack()
		v := Interval{
			Seconds: p.seconds, Expected: p.expected, Lost: p.lost, JitterMS: figure(p.jitterMS), RTTMS: figure(p.rttMS),
			Judged: p.flags&(flagUnjudged|flagDoubtful) == 0, Dead: p.flags&flagDead != 0,
		}
		if r, ok := i.r(); ok {
			v.R = figure(r)
		}
		out = append(out, v)
	}
	return out
}

// figure is a number that may not have been measured, rounded to three decimals.
func figure(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	v = math.Round(v*1000) / 1000
	return &v
}

func (i interval) unpack() passage {
	return passage{
		seconds:  float64(i&255) / 4,
		expected: uint32(i >> 8 & maxPackets),
		lost:     uint32(i >> 21 & maxPackets),
		jitterMS: logValue(uint64(i>>34&511), jitterScale),
		rttMS:    logValue(uint64(i>>43&511), rttScale),
		flags:    i.flags(),
	}
}

func (i interval) flags() uint8 { return uint8(i >> 60) }

// withFlags adds flags to a packed interval.
func (i interval) withFlags(flags uint8) interval { return i | interval(flags&15)<<60 }

func logCode(ms, scale float64) uint64 {
	if math.IsNaN(ms) || ms < 0 {
		return notMeasured9
	}
	return uint64(min(math.Round(math.Log1p(ms)*scale), notMeasured9-1))
}

func logValue(code uint64, scale float64) float64 {
	if code == notMeasured9 {
		return math.NaN()
	}
	return math.Expm1(float64(code) / scale)
}

// maxIntervals bounds the memory of one stream: 5.7 hours of reports every five seconds. A longer call keeps its figures at half the detail.
const maxIntervals = 4096

// halve joins the intervals two by two. Both are of one kind when their flags agree; else the pair keeps the flags of the first.
func halve(list []interval) []interval {
	out := list[:0]
	for i := 0; i+1 < len(list); i += 2 {
		out = append(out, pack(joined(list[i].unpack(), list[i+1].unpack())))
	}
	return out
}

// joined is two passages as one, weighted by their packets.
func joined(a, b passage) passage {
	wa, wb := float64(a.expected), float64(b.expected)
	return passage{
		seconds:  a.seconds + b.seconds,
		expected: a.expected + b.expected,
		lost:     a.lost + b.lost,
		jitterMS: weighted(a.jitterMS, wa, b.jitterMS, wb),
		rttMS:    weighted(a.rttMS, 1, b.rttMS, 1),
		flags:    a.flags,
	}
}

func weighted(a, wa, b, wb float64) float64 {
	switch {
	case math.IsNaN(a):
		return b
	case math.IsNaN(b) || wa+wb == 0:
		return a
	}
	return (a*wa + b*wb) / (wa + wb)
}
