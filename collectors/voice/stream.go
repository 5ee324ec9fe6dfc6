package voice

import "math"

// observerID is an Observer by number; 0 is nobody in particular.
type observerID uint16

// srKept is how many sender reports are remembered for a block to name (rule 10).
const srKept = 10

// sightings are when observers saw the last sender reports, or receiver reference times, known by the middle 32 bits of their NTP time. It is a
// ring; the lists go together.
type sightings struct {
	mid      [srKept]uint32
	at       [srKept]uint32 // 1/65536 s since the start of 1970, modulo 2^32: good for differences of up to 9 hours
	observer [srKept]observerID
	next     uint8
	full     bool
}

// sending is what is known of an SSRC as a sender.
type sending struct {
	ntp             uint64
	packets, octets uint32 // of the last SR
	rtp             uint32
	clockHz         uint32 // measured from two SRs (rule 8)
	ptimeMicros     uint32 // measured from two SRs (rule 9)
	seen            sightings
	octetsPer       uint16 // payload octets a packet, measured (rule 9)
	hasCounts       bool
	hasTime         bool
}

// stream is one SSRC in one direction of a leg, as one receiver reports it. There are two or more for each call: the fields are ordered by size,
// so that none is lost to padding.
type stream struct {
	send sending

	last   instant // observer's time of the last block taken
	baseAt instant // the baseline is the last block whose interval was closed

	codec     *codec // of the intervals after the last segment; nil: not known
	intervals []interval
	segments  []segment // what was spoken before codec (rule 14)
	xr        *VoIPMetrics
	side      *measured // of the endpoint itself (RFC 6035)
	gap       *gap      // nil: packets come
	rttSum    uint64

	ssrc     uint32 // of the sender
	reporter uint32 // of the receiver; 0: none has reported

	baseSeq                    uint32 // extended, see cycles
	baseLost                   int32
	lastRaw, lastLSR, lastDLSR uint32 // of the last block taken
	lastSeq                    uint32 // extended
	lastLost                   int32
	cycles                     uint32 // added to sequence numbers of receivers that never fill the upper half (rule 6)
	suspect                    uint32 // a sequence number that was refused as impossible; the next may prove it right
	blocks                     uint32 // taken
	deadBase                   uint32 // the sender's count of packets at the last block
	deadCounted                uint32 // packets counted as lost in a dead stretch that the receiver's counters will include
	repeats                    uint32 // packets that came twice
	clockHz                    uint32 // said by an observer
	ptimeMicros                uint32 // said by an observer
	rttMicros                  uint32 // observer to receiver and back, the last (rule 10)
	rttCount                   uint32
	vendor                     float32 // a MOS that a system in the middle made up; 0: none

	payloadType int16 // said by an observer; -1: not known
	leg         uint8
	to          whom // who hears it

	closed                          bool // another SSRC took its place (rule 7)
	started, hasSuspect, takeJitter bool
	encrypted                       bool
	oneWay                          bool // it was dead once (rule 3)
	hasDeadBase                     bool
	repeatsNow, repeatedBefore      bool // in this interval, in the one before
}

// gap is a stretch in which no packet came while the sender sent (rule 3).
type gap struct {
	since, last instant // the last block with a packet, the last block
	sent        uint32  // meanwhile, and not yet counted as lost
	reports     uint8   // in a row
}

// segment is a stretch of a stream's intervals with a codec that was then changed.
type segment struct {
	upTo        uint16 // intervals before it
	codec       *codec
	ptimeMicros uint32
}

// saysSomething reports whether there is anything about the stream to show.
func (s *stream) saysSomething() bool {
	return s.blocks > 0 || s.send.hasCounts || s.xr != nil || s.side != nil || s.encrypted || len(s.intervals) > 0 || s.vendor > 0
}

// add stores an interval.
func (s *stream) add(p passage) {
	if len(s.intervals) >= maxIntervals {
		s.intervals = halve(s.intervals)
		for i := range s.segments {
			s.segments[i].upTo /= 2
		}
	}
	if len(s.intervals) == cap(s.intervals) { // a minute at a time: append would double what a hundred thousand calls hold
		grown := make([]interval, len(s.intervals), len(s.intervals)+max(12, len(s.intervals)/4))
		copy(grown, s.intervals)
		s.intervals = grown
	}
	s.intervals = append(s.intervals, pack(p))
}

// clock is the RTP clock of the stream in Hz, 0 when nobody said and it cannot be measured (rule 8).
func (s *stream) clock(c *codec) uint32 {
	switch {
	case c != nil && c.clockHz != 0:
		return c.clockHz
	case s.clockHz != 0:
		return s.clockHz
	case s.payloadType >= 0:
		if _, hz := StaticCodec(uint8(s.payloadType)); hz != 0 {
			return hz
		}
	}
	return s.send.clockHz
}

// ptime is the audio in a packet in microseconds, and whether that was said or measured rather than taken to be 20 ms.
func (s *stream) ptime(l *leg) (micros uint32, known bool) {
	switch {
	case s.send.ptimeMicros != 0:
		return s.send.ptimeMicros, true
	case s.ptimeMicros != 0:
		return s.ptimeMicros, true
	case l.ptimeMicros != 0:
		return l.ptimeMicros, true
	}
	return 20000, false
}

// newStream makes a stream that nothing is known of but who it is.
func newStream(leg int, to whom, ssrc, reporter uint32) *stream {
	return &stream{leg: uint8(leg), to: to, ssrc: ssrc, reporter: reporter, payloadType: -1}
}

var standardClocks = [...]uint32{8000, 16000, 24000, 32000, 44100, 48000}

// nearestClock rounds a measured rate to a standard one within 5 %, or to 0.
func nearestClock(hz float64) uint32 {
	for _, c := range standardClocks {
		if math.Abs(hz-float64(c)) <= 0.05*float64(c) {
			return c
		}
	}
	return 0
}

// sent takes what a sender report says (rules 8, 9, 10).
func (g *sending) sent(r *Report, at instant, observer observerID) {
	if r.Has.Has(HasSenderTime) {
		g.seen.note(uint32(r.SenderNTP>>16), shortTime(at), observer)
	}
	if r.Has.Has(HasSenderTime | HasSenderCounts) {
		g.measure(r)
	}
	if r.Has.Has(HasSenderTime) {
		g.ntp, g.rtp, g.hasTime = r.SenderNTP, r.SenderRTP, true
	}
	if r.Has.Has(HasSenderCounts) {
		g.packets, g.octets, g.hasCounts = r.SentPackets, r.SentOctets, true
	}
}

// measure compares a sender report with the last one: clock, packet time and packet size.
func (g *sending) measure(r *Report) {
	if !g.hasCounts || !g.hasTime {
		return
	}
	packets, octets := int32(r.SentPackets-g.packets), int32(r.SentOctets-g.octets)
	ticks := int32(r.SenderRTP - g.rtp)
	seconds := float64(int64(r.SenderNTP-g.ntp)) / (1 << 32)
	if packets < 10 || ticks <= 0 || seconds < 0.5 || seconds > 120 {
		return
	}
	if hz := nearestClock(float64(ticks) / seconds); hz != 0 {
		g.clockHz = hz
		micros := float64(ticks) / float64(packets) / float64(hz) * 1e6
		if step := math.Round(micros/2500) * 2500; step >= 2500 && step <= 120000 && math.Abs(step-micros) < 0.05*step {
			g.ptimeMicros = uint32(step) // else silence was suppressed, and the packets do not tell
		}
	}
	if octets > 0 && octets/packets < 2000 {
		g.octetsPer = uint16(math.Round(float64(octets) / float64(packets)))
	}
}

// shortTime is an instant in 1/65536 s modulo 2^32.
func shortTime(at instant) uint32 {
	return uint32(at/1e9)<<16 | uint32(at%1e9*65536/1e9)&0xffff
}

func (g *sightings) note(mid, at uint32, observer observerID) {
	for i := range g.held() {
		if g.mid[i] == mid && g.observer[i] == observer {
			return // a copy
		}
	}
	g.mid[g.next], g.at[g.next], g.observer[g.next] = mid, at, observer
	g.next++
	if g.next == srKept {
		g.next, g.full = 0, true
	}
}

// held is how many places of the ring are filled.
func (g *sightings) held() int {
	if g.full {
		return srKept
	}
	return int(g.next)
}

// find returns when the observer saw the report with these middle bits, within slack units.
func (g *sightings) find(mid uint32, observer observerID, slack int32) (uint32, bool) {
	for i := range g.held() {
		if d := int32(g.mid[i] - mid); g.observer[i] == observer && d >= -slack && d <= slack {
			return g.at[i], true
		}
	}
	return 0, false
}
