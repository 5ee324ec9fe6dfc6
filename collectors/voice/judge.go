package voice

import (
	"math"

	"vigia/mos"
)

// verdict is what is known of a stream once its call is over.
type verdict struct {
	s       *stream
	parts   []part
	last    *codec
	sum     summary   // of what is judged
	input   mos.Input // of the whole, with the codec of the longest part
	ratable bool      // there are figures for its codec, and reports enough
	rtt     float64   // between the ends of the leg, ms; NaN: not measured
	late    float64   // measured by the endpoint, per cent of what arrived; NaN: not measured
	assumed map[string]bool
	spread  []judged // its judged intervals

	score     mos.Score
	hasScore  bool
	perceived float64
	worst     float64
	below70   float64
	below60   float64
}

// judged is one interval that counts.
type judged struct {
	at int // among all of the stream's
	passage
	part int
	r    float64
	ie   float64
}

// examine gathers what a stream's reports say. Nothing is rated yet, for the scale is the call's.
func (t *Tracker) examine(c *call, s *stream) *verdict {
	l := &c.legs[s.leg]
	v := &verdict{s: s, parts: s.parts(l), sum: summary{jitterMS: math.NaN()}, assumed: map[string]bool{}}
	v.spread = make([]judged, 0, len(s.intervals))
	longest := -1
	for i, p := range v.parts {
		count := 0
		for at := p.from; at < p.to; at++ {
			x := s.intervals[at].unpack()
			x.jitterMS *= s.clockFactor(p.codec)
			if x.jitterMS > maxJitterMS {
				x.jitterMS = math.NaN()
			}
			switch {
			case x.flags&flagUnjudged != 0:
				continue
			case x.flags&flagDoubtful != 0:
				v.assumed["dtmf_loss"] = true // loss that was not believed
				continue
			}
			v.sum.add(x)
			v.spread = append(v.spread, judged{at: at, passage: x, part: i})
			count++
		}
		if count > longest {
			longest = count
			v.chooseCodec(s, p)
		}
	}
	v.last = v.parts[len(v.parts)-1].codec
	if v.last != nil && v.last.assumed {
		v.assumed["codec"] = true
	}
	v.rtt = c.roundTripOf(s, v.assumed)
	t.complete(v, s)
	return v
}

// chooseCodec takes a part's codec and packet time into the input.
func (v *verdict) chooseCodec(s *stream, p part) {
	m := p.codec.model(s.send.octetsPer, p.ptime)
	v.ratable = m.err == nil
	v.input.Codec = m.codec
	v.input.Known &^= mos.KnownCodec | mos.KnownPacket
	if m.known {
		v.input.Known |= mos.KnownCodec
	}
	if p.known {
		v.input.PacketMs, v.input.Known = float64(p.ptime)/1000, v.input.Known|mos.KnownPacket
	}
}

// roundTripOf is the way between the ends of a stream's leg: what the endpoint says, or the sum of the ways between the observer and either
// end (rule 10). When only one of them is known it stands alone, and the score says so.
func (c *call) roundTripOf(s *stream, assumed map[string]bool) float64 {
	if s.xr != nil && s.xr.RoundTripMS != 0 {
		return float64(s.xr.RoundTripMS)
	}
	if s.side != nil && s.side.Has.Has(HasSideRoundTrip) && s.side.RoundTripMS > 0 {
		return float64(s.side.RoundTripMS)
	}
	here, there := s.trip(), math.NaN()
	for _, o := range c.streams {
		if o.leg == s.leg && o != s && (o.to == s.to.other() && s.to != nobody || o.ssrc == s.reporter && s.reporter != 0) && !math.IsNaN(o.trip()) {
			there = o.trip()
		}
	}
	switch {
	case math.IsNaN(here) && math.IsNaN(there):
		return math.NaN()
	case math.IsNaN(here):
		assumed["rtt_one_side"] = true
		return there
	case math.IsNaN(there):
		assumed["rtt_one_side"] = true
		return here
	}
	return here + there
}

// complete fills the input from the pooled reports and from what the endpoint measured: discards and delay are the endpoint's to know, loss is that of
// RTCP when there is any (rule 30).
func (t *Tracker) complete(v *verdict, s *stream) {
	in := &v.input
	v.late = s.latePct()
	loss := v.sum.lossPct()
	if v.sum.expected == 0 {
		loss = s.endpointLoss()
	}
	if !math.IsNaN(loss) {
		in.LossPct, in.Known = loss, in.Known|mos.KnownLoss
	}
	jitter := v.sum.jitterMS
	if math.IsNaN(jitter) && s.side != nil && s.side.Has.Has(HasSideJitter) {
		jitter = float64(s.side.JitterMS)
	}
	if !math.IsNaN(jitter) {
		in.JitterMs, in.Known = jitter, in.Known|mos.KnownJitter
		v.sum.jitterMS = jitter
	}
	if !math.IsNaN(v.late) {
		in.LatePct, in.Known = v.late, in.Known|mos.KnownLate
	}
	if !math.IsNaN(v.rtt) {
		in.RTTMs, in.Known = v.rtt, in.Known|mos.KnownRTT
	}
	if s.side != nil && s.side.Has.Has(HasSideOneWay) && s.side.OneWayMS > 0 {
		in.DelayMs, in.Known = float64(s.side.OneWayMS), in.Known|mos.KnownDelay
	}
	if burst, ok := s.burstR(); ok {
		in.BurstR, in.Known = burst, in.Known|mos.KnownBurst
	}
	t.takeReceiverKind(v, s)
	enough := v.sum.enough() || v.sum.expected == 0 && !math.IsNaN(s.endpointLoss())
	v.ratable = v.ratable && enough && !s.encrypted
}

// takeReceiverKind takes what is known of the receiver's buffer and concealment.
func (t *Tracker) takeReceiverKind(v *verdict, s *stream) {
	in, assumed := &v.input, t.buffer.Load()
	plc := uint8(0)
	switch {
	case s.xr != nil && s.xr.BufferNominalMS != 0:
		in.Buffer, in.Known = mos.Buffer{Ms: float64(s.xr.BufferNominalMS)}, in.Known|mos.KnownBuffer
	case s.side != nil && s.side.Has.Has(HasSideBufferNominal) && s.side.BufferNominalMS != 0:
		in.Buffer, in.Known = mos.Buffer{Ms: float64(s.side.BufferNominalMS)}, in.Known|mos.KnownBuffer
	case assumed != nil:
		in.Buffer, in.Known = *assumed, in.Known|mos.KnownBuffer
		v.assumed["buffer"] = true // configured, but nobody measured it
	}
	if s.xr != nil {
		plc = s.xr.RXConfig >> 6
	} else if s.side != nil && s.side.Has.Has(HasSidePLC) {
		plc = s.side.PLC
	}
	switch {
	case plc == 2 || plc == 3:
		in.Known |= mos.KnownPLC
	case plc == 1 && in.Codec.Name == mos.G711().Name:
		in.Codec, in.Known = mos.G711NoPLC(), in.Known|mos.KnownPLC
	}
}

// latePct is what the endpoint's buffer threw away, per cent of what arrived; NaN when it does not say.
func (s *stream) latePct() float64 {
	switch {
	case s.xr != nil:
		loss, discard := float64(s.xr.LossRate)/256, float64(s.xr.DiscardRate)/256
		return min(100*discard/max(1-loss, 1.0/256), 100)
	case s.side != nil && s.side.Has.Has(HasSideDiscard):
		loss := 0.0
		if s.side.Has.Has(HasSideLoss) {
			loss = float64(s.side.LossPct) / 100
		}
		return min(float64(s.side.DiscardPct)/max(1-loss, 0.01), 100)
	}
	return math.NaN()
}

// endpointLoss is the loss that the endpoint measured over the whole, per cent; NaN when it does not say.
func (s *stream) endpointLoss() float64 {
	switch {
	case s.side != nil && s.side.Has.Has(HasSideLoss):
		return float64(s.side.LossPct)
	case s.xr != nil:
		return float64(s.xr.LossRate) / 256 * 100
	}
	return math.NaN()
}

// burstR is how bursty the endpoint found the losses.
func (s *stream) burstR() (float64, bool) {
	var x mos.XRBursts
	switch {
	case s.xr != nil:
		x = mos.XRBursts{BurstMs: s.xr.BurstMS, GapMs: s.xr.GapMS, BurstDensity: s.xr.BurstDensity, GapDensity: s.xr.GapDensity}
	case s.side != nil && s.side.Has.Has(HasSideBurst|HasSideGap):
		x = mos.XRBursts{
			BurstMs: uint16(min(s.side.BurstMS, 65535)), GapMs: uint16(min(s.side.GapMS, 65535)),
			BurstDensity: uint8(s.side.BurstPct * 2.55), GapDensity: uint8(s.side.GapPct * 2.55),
		}
	default:
		return 0, false
	}
	_, burst, ok := x.Loss()
	return burst, ok
}
