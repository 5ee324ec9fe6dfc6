package mos

import (
	"math"
	"strings"
)

// Known says which fields of an Input were measured, signalled or configured. What is not known is ignored and something is assumed in its place.
type Known uint16

// The fields that can be known.
const (
	KnownCodec  Known = 1 << iota // Codec is what the call used
	KnownPLC                      // whether the receiver conceals lost packets
	KnownLoss                     // LossPct
	KnownLate                     // LatePct
	KnownBurst                    // BurstR
	KnownDelay                    // DelayMs
	KnownRTT                      // RTTMs
	KnownJitter                   // JitterMs
	KnownPacket                   // PacketMs
	KnownBuffer                   // Buffer
)

// Input is what is known of one direction of a call, over an interval or all of it.
type Input struct {
	Scale Scale // to rate on; a codec of a narrower band is moved to it
	Codec Codec // always needed: G711() when nothing is known, without KnownCodec

	LossPct  float64 // lost in the network, per cent of the packets that were sent
	LatePct  float64 // discarded by the jitter buffer, per cent of the packets that arrived
	BurstR   float64 // mean length of a run of losses over that of random loss; counts as at least 1 and at most 8
	DelayMs  float64 // one way, from mouth to ear; wins over RTTMs
	RTTMs    float64 // of the network, there and back
	JitterMs float64 // RFC 3550, in ms (not in timestamp units)
	PacketMs float64 // speech in one packet
	Buffer   Buffer  // of the receiver

	Known Known
}

// has says that a field is known and a number.
func (in *Input) has(k Known, v float64) bool { return in.Known&k != 0 && !math.IsNaN(v) }

// Assumed is the set of inputs of a score that nobody measured.
type Assumed uint16

// What can be assumed.
const (
	AssumedCodec  Assumed = 1 << iota // the codec is not known
	AssumedPLC                        // that the receiver conceals losses
	AssumedIe                         // the codec's Ie is not an ITU figure for this scale
	AssumedBpl                        // the codec's Bpl is not an ITU figure for this codec and way of listening
	AssumedLoss                       // no loss was measured; none is taken
	AssumedLate                       // late loss is by the model of the jitter buffer, or none is taken when jitter is not known either
	AssumedBurst                      // losses are taken to be random
	AssumedRTT                        // no delay is known; the score is for listening only
	AssumedPacket                     // 20 ms of speech in a packet
	AssumedBuffer                     // a fixed jitter buffer of AssumedBufferMs
	endOfAssumed
)

// word is the word for one member of the set.
func (a Assumed) word() string {
	switch a {
	case AssumedCodec:
		return "codec"
	case AssumedPLC:
		return "plc"
	case AssumedIe:
		return "ie"
	case AssumedBpl:
		return "bpl"
	case AssumedLoss:
		return "loss"
	case AssumedLate:
		return "late"
	case AssumedBurst:
		return "burst"
	case AssumedRTT:
		return "rtt"
	case AssumedPacket:
		return "packet"
	}
	return "buffer"
}

// Words lists the members: codec, plc, ie, bpl, loss, late, burst, rtt, packet, buffer. It is empty, never nil.
func (a Assumed) Words() []string {
	words := []string{}
	for bit := AssumedCodec; bit < endOfAssumed; bit <<= 1 {
		if a&bit != 0 {
			words = append(words, bit.word())
		}
	}
	return words
}

// String lists the members with commas.
func (a Assumed) String() string { return strings.Join(a.Words(), ",") }

// Score is a Result together with what it rests on.
type Score struct {
	Result
	Params  Params
	Assumed Assumed

	LossPct     float64 // in the network
	Late        Late    // after it; a range only where the model was used
	LowR, HighR float64 // of R, by the range of late loss

	capped Symbols // inputs that were cut to their range on the way
}

// Listening says that no delay is known: the score is of listening quality, not of conversation.
func (s *Score) Listening() bool { return s.Assumed&AssumedRTT != 0 }

// Rate scores an Input. The error is ErrNoFigures or ErrNarrower; everything else gets a score.
func Rate(in Input) (Score, error) {
	s, err := Prepare(in)
	if err != nil {
		return s, err
	}
	s.Evaluate()
	return s, nil
}

// Prepare makes the E-model's inputs of an Input and does not evaluate them yet, for callers who want to Set some of them.
func Prepare(in Input) (Score, error) {
	var s Score
	scale := in.Scale.known()
	s.Result.Scale = scale
	s.Params = Defaults(scale)
	if err := s.takeCodec(&in); err != nil {
		return s, err
	}
	s.takeLoss(&in)
	s.takeDelay(&in)
	return s, nil
}

func (s *Score) takeCodec(in *Input) error {
	c := &in.Codec
	if c.Ie.Grade == Unknown {
		return ErrNoFigures
	}
	ie, ok := c.on(s.Scale)
	if !ok {
		return ErrNarrower
	}
	s.Params[Ie], s.Params[Bpl] = ie, c.Bpl.Value
	s.assume(in.Known&KnownCodec == 0, AssumedCodec)
	s.assume(c.PLCMs > 0 && in.Known&KnownPLC == 0, AssumedPLC)
	s.assume(c.Ie.Grade.Weak() || c.Scale != s.Scale, AssumedIe)
	s.assume(c.Bpl.Grade.Weak() || c.Scale != s.Scale, AssumedBpl)
	if !(c.Bpl.Value > 0) {
		s.Params[Bpl] = specs[Bpl].standard
		s.assume(true, AssumedBpl)
	}
	return nil
}

// takeLoss joins what the network lost and what came too late.
func (s *Score) takeLoss(in *Input) {
	if in.has(KnownLoss, in.LossPct) {
		s.LossPct = percent(in.LossPct)
	} else {
		s.Assumed |= AssumedLoss
	}
	switch {
	case in.has(KnownLate, in.LatePct):
		late := percent(in.LatePct)
		s.Late = Late{Pct: late, LowPct: late, HighPct: late}
	case in.has(KnownJitter, in.JitterMs):
		s.Late = LateLoss(in.JitterMs, s.buffer(in))
		s.Assumed |= AssumedLate
	default:
		s.Assumed |= AssumedLate
	}
	s.Params[Ppl] = CombinedLossPct(s.LossPct, s.Late.Pct)
	s.takeBurst(in)
}

func (s *Score) takeBurst(in *Input) {
	if !in.has(KnownBurst, in.BurstR) {
		s.Assumed |= AssumedBurst
		return
	}
	s.Params[BurstR] = min(max(in.BurstR, specs[BurstR].low), specs[BurstR].high)
	if s.Params[BurstR] != in.BurstR {
		s.capped |= 1 << BurstR
	}
}

func (s *Score) takeDelay(in *Input) {
	switch {
	case in.has(KnownDelay, in.DelayMs):
		s.Params.SetDelay(in.DelayMs)
	case in.has(KnownRTT, in.RTTMs):
		packet := AssumedPacketMs
		if in.has(KnownPacket, in.PacketMs) {
			packet = in.PacketMs
		} else {
			s.Assumed |= AssumedPacket
		}
		s.Params.SetDelay(MouthToEarMs(in.RTTMs, &in.Codec, packet, s.buffer(in).Depth(jitterOf(in))))
	default:
		s.Assumed |= AssumedRTT
	}
}

// buffer is the receiver's, or the assumed one.
func (s *Score) buffer(in *Input) Buffer {
	if in.Known&KnownBuffer != 0 && !math.IsNaN(in.Buffer.Ms) {
		return in.Buffer
	}
	s.Assumed |= AssumedBuffer
	return Buffer{}
}

func jitterOf(in *Input) float64 {
	if in.has(KnownJitter, in.JitterMs) {
		return in.JitterMs
	}
	return 0
}

func (s *Score) assume(yes bool, what Assumed) {
	if yes {
		s.Assumed |= what
	}
}

// Set gives one input of the E-model a value before Evaluate; it is then no longer assumed. Ppl stands for all loss: it becomes the network's, and none is late.
func (s *Score) Set(i Symbol, v float64) {
	if i >= numSymbols {
		return
	}
	s.Params[i] = v
	s.capped &^= 1 << i
	s.Assumed &^= replaces(i)
	if i == Ppl {
		s.LossPct, s.Late = percent(v), Late{}
	}
}

// replaces are the assumptions that a given input makes unnecessary.
func replaces(i Symbol) Assumed {
	switch i {
	case Ie:
		return AssumedCodec | AssumedIe
	case Bpl:
		return AssumedPLC | AssumedBpl
	case Ppl:
		return AssumedLoss | AssumedLate
	case BurstR:
		return AssumedBurst
	case T, Ta:
		return AssumedRTT | AssumedPacket
	}
	return 0
}

// Evaluate computes the Result of Params, and the range of R.
func (s *Score) Evaluate() {
	p := s.Params
	outside := p.limit(s.Scale)
	s.Result = evaluate(s.Scale, &p)
	s.Outside = outside | s.capped
	s.LowR, s.HighR = s.R, s.R
	if s.Late.LowPct != s.Late.HighPct {
		s.LowR = s.withLate(&p, s.Late.HighPct)
		s.HighR = s.withLate(&p, s.Late.LowPct)
	}
}

// withLate is R of another late loss; the inputs are limited.
func (s *Score) withLate(p *Params, latePct float64) float64 {
	return s.without() - ieEff(s.Scale, p[Ie], p[Bpl], CombinedLossPct(s.LossPct, latePct), p[BurstR])
}
