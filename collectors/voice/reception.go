package voice

import (
	"math"
	"time"
)

// The limits of what is believed (rules 3, 8, 10, 11, 24, 25).
const (
	fewPackets     = 10   // a report about fewer is joined to the next
	reorderWindow  = 3000 // sequence numbers that go back by less are an older report
	duplicateSpan  = 10 * instant(time.Second)
	maxJitterMS    = 1000
	maxRoundTrip   = 10 << 16 // 1/65536 s
	dlsrGrace      = 5 * instant(time.Second)
	burstFactor    = 10 // times as many packets as fit into the time are impossible
	fractionSlack  = 1.0 / 128
	deadAfter      = 2       // reports
	startUp        = 250     // packets of a first report whose stretch is not known: 5 s of 20 ms
	firstAtMost    = 10.0    // seconds that a first report may stand for
	sequenceHalf   = 1 << 15 // a fall by more is a wrap
	sequenceRound  = 1 << 16
	roundedSlack   = 66 // units of 1/65536 s: 1 ms
	rttPlausibleUS = 10_000_000
)

// takeBlock takes a report block: what the receiver of the stream got.
func (t *Tracker) takeBlock(c *call, s *stream, r *Report, w when, observer observerID) {
	if !r.Has.Has(HasSequence) {
		t.takePoor(c, s, r, w)
		return
	}
	if s.blocks > 0 && s.isCopy(c, r, w.at) {
		t.count.drop(ReasonDuplicate)
		return
	}
	sequence, cycles := s.extend(r.HighestSeq)
	step := int32(sequence - s.lastSeq)
	switch {
	case s.blocks == 0:
		if r.HighestSeq == 0 && r.Has.Has(HasFraction) && r.FractionLost > 0 {
			t.count.drop(ReasonImpossible) // loss of a stream of which nothing has come
			return
		}
	case step < 0 && step > -reorderWindow:
		t.count.drop(ReasonReordered)
		return
	case step <= -reorderWindow:
		t.count.drop(ReasonRestarted)
		s.rebase(r, sequence, w)
		return
	case t.impossible(c, s, r, step, sequence, w):
		return
	}
	s.cycles = cycles
	t.roundTrip(c, s, r, w, observer)
	s.closeInterval(c, r, sequence, step, w, &t.count)
	s.blocks++
	s.last = max(s.last, w.at)
	s.lastRaw, s.lastSeq, s.lastLost, s.lastLSR, s.lastDLSR = r.HighestSeq, sequence, r.CumulativeLost, r.LSR, r.DLSR
	s.hasSuspect = false
}

// isCopy reports whether the block was there before: seen by another observer, sent twice in a compound, relayed to another leg (rules 23, 24).
func (s *stream) isCopy(c *call, r *Report, at instant) bool {
	if s.same(r, at) {
		return true
	}
	for _, o := range c.streams {
		if o != s && o.ssrc == s.ssrc && o.reporter == s.reporter && o.blocks > 0 && o.same(r, at) {
			return true
		}
	}
	return false
}

func (s *stream) same(r *Report, at instant) bool {
	age := at - s.last
	if r.LSR == 0 && age > 2*instant(time.Second) && s.sentSince() >= fewPackets {
		return false // nothing reached this receiver, not even a sender report: its next report looks like its last
	}
	return s.lastRaw == r.HighestSeq && s.lastLost == r.CumulativeLost && s.lastLSR == r.LSR && s.lastDLSR == r.DLSR &&
		age < duplicateSpan && age > -duplicateSpan
}

// extend adds the cycles that a receiver does not count itself (rule 6).
func (s *stream) extend(raw uint32) (sequence, cycles uint32) {
	cycles = s.cycles
	if s.blocks > 0 && raw < sequenceRound && s.lastRaw < sequenceRound && raw+sequenceHalf < s.lastRaw {
		cycles += sequenceRound
	}
	return raw + cycles, cycles
}

// rebase starts a stream's counters anew, without an interval for what lies between.
func (s *stream) rebase(r *Report, sequence uint32, w when) {
	s.cycles = sequence - r.HighestSeq
	s.baseAt, s.baseSeq, s.baseLost = w.at, sequence, r.CumulativeLost
	s.lastRaw, s.lastSeq, s.lastLost, s.lastLSR, s.lastDLSR = r.HighestSeq, sequence, r.CumulativeLost, r.LSR, r.DLSR
	s.last = max(s.last, w.at)
	s.started, s.takeJitter, s.hasSuspect = true, false, false
	s.blocks++
}

// impossible reports whether the sequence numbers ran faster than any sender can (rule 25). The next block may show that they did: then the
// stream goes on from there.
func (t *Tracker) impossible(c *call, s *stream, r *Report, step int32, sequence uint32, w when) bool {
	ptime, _ := s.ptime(&c.legs[s.leg])
	micros := max(w.at-s.last, 0) / 1000
	if int64(step) <= burstFactor*micros/int64(ptime)+500 {
		return false
	}
	t.count.drop(ReasonImpossible)
	if s.hasSuspect && sequence-s.suspect < sequenceHalf && sequence != s.suspect {
		s.rebase(r, sequence, w)
		return true
	}
	s.suspect, s.hasSuspect = sequence, true
	return true
}

// closeInterval judges what came since the last closed interval, when that is enough to judge.
func (s *stream) closeInterval(c *call, r *Report, sequence uint32, step int32, w when, n *counts) {
	l := &c.legs[s.leg]
	s.switchCodec(l)
	held := s.to != nobody && l.held[s.to]
	if !s.started {
		s.firstInterval(c, l, r, sequence, w)
		return
	}
	if step <= 0 {
		s.deadReport(c, l, w, held)
		return
	}
	s.alive()
	expected := sequence - s.baseSeq
	if expected < fewPackets {
		n.drop(ReasonFewPackets)
		return // the baseline stays: the next report counts these packets too
	}
	lost := s.lossSince(r, expected, n)
	expected, lost = s.withoutDead(expected, lost)
	p := passage{
		seconds: seconds(w.at - s.baseAt), expected: expected, lost: lost,
		jitterMS: s.jitter(l, r, n), rttMS: math.NaN(), flags: s.flags(c, l, s.baseAt, held),
	}
	if s.rttMicros != 0 {
		p.rttMS = float64(s.rttMicros) / 1000
	}
	s.doubt(l, &p)
	if expected > 0 {
		s.add(p)
	}
	s.baseAt, s.baseSeq, s.baseLost = w.at, sequence, r.CumulativeLost
}

// firstInterval takes a stream's first report: of the counters nobody knows since when they run, so only the fraction counts (rule 5), and the
// jitter has not settled (rule 8).
func (s *stream) firstInterval(c *call, l *leg, r *Report, sequence uint32, w when) {
	s.started, s.takeJitter = true, true
	s.baseAt, s.baseSeq, s.baseLost = w.at, sequence, r.CumulativeLost
	s.deadBase, s.hasDeadBase = s.send.packets, s.send.hasCounts
	if !r.Has.Has(HasFraction) {
		return
	}
	ptime, _ := s.ptime(l)
	span := reportEvery.Seconds()
	if since := max(l.answered, c.lastBefore(s)); l.answered != 0 && w.at > since {
		span = min(seconds(w.at-since), firstAtMost)
	}
	expected := uint32(span * 1e6 / float64(ptime))
	if r.HighestSeq < startUp && r.HighestSeq > 0 {
		expected = min(expected, r.HighestSeq) // it counted from 0
	}
	if expected < fewPackets {
		return
	}
	from := w.at - instant(span*1e9)
	if l.early && w.at-l.answered < instant(reportEvery) {
		from = l.answered - 1 // most of what it tells of was ringback
	}
	s.add(passage{
		seconds: span, expected: expected, lost: uint32(math.Round(float64(expected) * float64(r.FractionLost) / 256)),
		jitterMS: math.NaN(), rttMS: math.NaN(), flags: s.flags(c, l, from, s.to != nobody && l.held[s.to]),
	})
}

// lastBefore is when the streams whose place a new one takes were last reported; 0 when there are none.
func (c *call) lastBefore(s *stream) (last instant) {
	for _, o := range c.streams {
		if o != s && o.leg == s.leg && o.to == s.to && s.to != nobody {
			last = max(last, o.last)
		}
	}
	return last
}

// lossSince is the packets lost since the baseline (rules 4, 5).
func (s *stream) lossSince(r *Report, expected uint32, n *counts) uint32 {
	fraction := float64(r.FractionLost) / 256
	if r.Has.Has(HasLostSince) {
		return uint32(min(max(int64(r.LostSince), 0), int64(expected)))
	}
	if !r.Has.Has(HasCumulative) {
		if r.Has.Has(HasFraction) {
			return uint32(math.Round(fraction * float64(expected)))
		}
		return 0
	}
	delta := SignExtend24(uint32(r.CumulativeLost - s.baseLost))
	s.repeatsNow = delta < 0
	reset := int64(delta) > int64(expected) || delta < 0 && r.Has.Has(HasFraction) && fraction > fractionSlack
	switch {
	case reset:
		n.drop(ReasonRestarted)
		s.repeatsNow = false
		return uint32(math.Round(fraction * float64(expected)))
	case delta < 0:
		s.repeats += uint32(-delta)
		return 0
	}
	return uint32(delta)
}

// jitter is the block's in ms at a clock of 8000 Hz, or NaN when it is not to be used (rule 8).
func (s *stream) jitter(l *leg, r *Report, n *counts) float64 {
	if !s.takeJitter {
		s.takeJitter = true
		return math.NaN()
	}
	if !r.Has.Has(HasJitter) {
		return math.NaN()
	}
	clock := s.clock(s.codec)
	if clock == 0 {
		clock = 48000
	}
	if float64(r.JitterTicks)*1000/float64(clock) > maxJitterMS {
		n.drop(ReasonJitter)
		return math.NaN()
	}
	return float64(r.JitterTicks) / 8
}

// flags says how the stretch since from is judged: before the answer it is early media (rule 13); on hold, or when the hold changed within it, not
// at all (rule 12).
func (s *stream) flags(c *call, l *leg, from instant, held bool) uint8 {
	var f uint8
	if c.signalled && (l.answered == 0 || from < l.answered) {
		f |= flagEarly
	}
	if held || l.fax || s.to != nobody && l.changed[s.to] > from {
		f |= flagHeld
	}
	return f
}

// doubt marks loss next to packets that came twice: repeated RFC 4733 end packets make some receivers miscount (rule 28).
func (s *stream) doubt(l *leg, p *passage) {
	if !l.dtmf {
		return
	}
	last := len(s.intervals) - 1
	if s.repeatsNow && last >= 0 && s.intervals[last].unpack().lost > 0 {
		s.intervals[last] = s.intervals[last].withFlags(flagDoubtful)
	}
	if p.lost > 0 && s.repeatedBefore {
		p.flags |= flagDoubtful
	}
	s.repeatedBefore = s.repeatsNow
}

// switchCodec notes where the codec changed (rule 14). The jitter of the first report with a new clock is not used.
func (s *stream) switchCodec(l *leg) {
	if l.codec == nil || l.codec == s.codec {
		return
	}
	if s.codec != nil && len(s.intervals) > 0 && len(s.segments) < 16 {
		ptime, _ := s.ptime(l)
		s.segments = append(s.segments, segment{upTo: uint16(len(s.intervals)), codec: s.codec, ptimeMicros: ptime})
	}
	if s.codec != nil && s.codec.clockHz != l.codec.clockHz {
		s.takeJitter = false
	}
	s.codec = l.codec
}

// takePoor takes a block without a sequence number, as some dialects send: only a fraction or a difference, over the time since the last one.
func (t *Tracker) takePoor(c *call, s *stream, r *Report, w when) {
	l := &c.legs[s.leg]
	s.switchCodec(l)
	span := min(seconds(w.at-s.last), firstAtMost)
	if s.blocks == 0 {
		span = reportEvery.Seconds()
	}
	if s.blocks > 0 && span < 0.5 {
		t.count.drop(ReasonDuplicate)
		return
	}
	ptime, _ := s.ptime(l)
	expected := uint32(span * 1e6 / float64(ptime))
	if expected >= fewPackets && r.Has.Any(HasFraction|HasLostSince) {
		lost := uint32(math.Round(float64(expected) * float64(r.FractionLost) / 256))
		if r.Has.Has(HasLostSince) {
			lost = uint32(min(max(int64(r.LostSince), 0), int64(expected)))
		}
		s.add(passage{
			seconds: span, expected: expected, lost: lost, jitterMS: s.jitter(l, r, &t.count), rttMS: math.NaN(),
			flags: s.flags(c, l, w.at-instant(span*1e9), s.to != nobody && l.held[s.to]),
		})
	}
	s.blocks++
	s.last = max(s.last, w.at)
}

func seconds(d instant) float64 { return float64(d) / 1e9 }
