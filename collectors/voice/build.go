package voice

import (
	"fmt"
	"math"
	"slices"

	"vigia/mos"
)

// build makes what is handed out of a call, whose shard is locked.
func (t *Tracker) build(c *call) Call {
	rules := t.rules.Load()
	o := rules.ownerOf(c)
	l := &c.legs[0]
	out := Call{
		ID: c.id, Customer: o.customer, Trunk: Text(o.trunk), Site: Text(o.site), From: Text(l.from), To: Text(l.to),
		Start: toTime(c.first), End: toTime(max(c.over, c.first)), Streams: []Stream{},
		Revision: int(c.revision), Signalled: c.signalled, Answered: toTime(l.answered), Status: int(l.status), Q850: int(l.q850),
		Why: c.why.String(), Legs: len(c.legs), CarrierOf: o.trunks,
	}
	if l.invited != 0 {
		out.Start = toTime(l.invited)
	}
	if out.ID == "" {
		out.ID = inferredID(c)
	}
	if first := firstOf(l.ringing, l.answered); first > l.invited && !l.joined {
		out.PDDMS = figure(float64(first-l.invited) / 1e6)
	}
	if o.address.IsValid() {
		out.Network = Text(o.address.String())
	}
	for i := range c.legs {
		if agreed := c.legs[i].codec; agreed != nil && out.Codec == "" {
			out.Codec = Text(agreed.shown)
		}
	}
	other := l.to
	out.UserAgent = Text(l.parties[caller].userAgent)
	if o.party != nobody {
		out.UserAgent = Text(c.legs[o.leg].parties[o.party].userAgent)
		if o.party == callee {
			other = l.from
		}
	}
	out.Country = Text(rules.countryOf(other))
	t.rateCall(c, &o, rules, &out)
	return out
}

// inferredID names a call without signalling: the same for as long as the call is held.
func inferredID(c *call) string {
	var pair []uint32
	for _, s := range c.streams {
		pair = append(pair, s.ssrc)
		if len(pair) == 2 {
			break
		}
	}
	slices.Sort(pair)
	for len(pair) < 2 {
		pair = append(pair, 0)
	}
	return fmt.Sprintf("ssrc-%08x-%08x-%d", pair[0], pair[1], c.first/1e9)
}

func firstOf(times ...instant) instant {
	first := instant(0)
	for _, at := range times {
		if at != 0 && (first == 0 || at < first) {
			first = at
		}
	}
	return first
}

// rateCall scores the streams and takes the worse direction as the call's.
func (t *Tracker) rateCall(c *call, o *owner, rules *Rules, out *Call) {
	var verdicts []*verdict
	scale := mos.NB
	for _, s := range c.streams {
		if !s.saysSomething() {
			continue
		}
		v := t.examine(c, s)
		if v.ratable {
			scale = max(scale, v.input.Codec.Scale)
		}
		if c.ownLoss {
			v.assumed["collector_loss"] = true
		}
		verdicts = append(verdicts, v)
	}
	for _, v := range verdicts {
		v.rate(scale)
		out.Streams = append(out.Streams, v.stream(c, rules.sideOf(c, int(v.s.leg), o)))
	}
	out.CoveragePct = c.coverage(verdicts)
	worst := worstDirection(verdicts, scale)
	if worst.dead {
		out.Cause = "one_way"
	}
	if worst.of == nil {
		out.Codec = codecUnrated(out.Codec, verdicts)
		return
	}
	out.R, out.MOS, out.Scale = figure(worst.r), figure(mos.MOS(scale, worst.r)), Text(scale.String())
	if worst.of.last != nil {
		out.Codec = Text(worst.of.last.shown)
	}
	if out.Cause == "" && mos.BandOf(scale, worst.r) < mos.Satisfied {
		out.Cause = causeOf(worst.score.Attribution().Lost)
	}
}

// codecUnrated is the codec of a call of which nothing is rated: as agreed, else the first that a stream betrays. The stream's Assumed says codec when it
// is guessed.
func codecUnrated(agreed Text, verdicts []*verdict) Text {
	for _, v := range verdicts {
		if agreed == "" && v.last != nil {
			agreed = Text(v.last.shown)
		}
	}
	return agreed
}

// causeOf is what costs most.
func causeOf(lost mos.Shares) Text {
	cause, most := Text("codec"), lost.Codec
	for _, x := range [...]struct {
		name Text
		cost float64
	}{{"delay", lost.Delay}, {"loss", lost.Loss}, {"late", lost.Late}} {
		if x.cost > most {
			cause, most = x.name, x.cost
		}
	}
	return cause
}

// coverage is how much of the answered time the reports cover, per cent, of both directions; nil for a call that was never answered.
func (c *call) coverage(verdicts []*verdict) *float64 {
	from := c.legs[0].answered
	if !c.signalled {
		from = c.first - instant(reportEvery)
	}
	if from == 0 || c.over <= from {
		return nil
	}
	length := seconds(c.over - from)
	covered := map[whom]float64{}
	alone := 0.0
	for _, leg := range c.legsOf(verdicts) {
		sums := map[whom]float64{}
		for _, v := range verdicts {
			if int(v.s.leg) == leg {
				sums[v.s.to] += v.sum.seconds
			}
		}
		covered[caller], covered[callee] = max(covered[caller], sums[caller]), max(covered[callee], sums[callee])
		alone += sums[nobody]
	}
	total := min(covered[caller], length) + min(covered[callee], length) + alone
	return figure(min(100*total/(2*length), 100))
}

func (c *call) legsOf(verdicts []*verdict) []int {
	var legs []int
	for _, v := range verdicts {
		if !slices.Contains(legs, int(v.s.leg)) {
			legs = append(legs, int(v.s.leg))
		}
	}
	return legs
}

// stream is what is shown of a stream.
func (v *verdict) stream(c *call, side LegSide) Stream {
	s := v.s
	out := Stream{
		Leg: int(s.leg), Side: side, Direction: directionOf(s.to, c.signalled), SSRC: s.ssrc, OneWay: s.oneWay,
		JitterMS: figure(v.sum.jitterMS), RTTMS: figure(v.rtt), LatePct: figure(v.late),
		Encrypted: s.encrypted, Repeated: s.repeats, Closed: s.closed, Packed: v.packed(),
	}
	if v.last != nil {
		out.Codec = v.last.shown
	}
	if s.reporter != 0 {
		reporter := s.reporter
		out.Reporter = &reporter
	}
	if v.sum.expected > 0 {
		packets, lost := uint32(min(v.sum.expected, math.MaxUint32)), uint32(min(v.sum.lost, math.MaxUint32))
		out.Packets, out.Lost, out.LossPct = &packets, &lost, figure(v.sum.lossPct())
	} else {
		out.LossPct = figure(s.endpointLoss())
	}
	if v.hasScore {
		v.showScore(&out)
	}
	v.compare(&out)
	out.Assumed = v.assumptions()
	return out
}

func (v *verdict) showScore(out *Stream) {
	scale := v.score.Scale
	out.R, out.MOS = figure(v.score.R), figure(mos.MOS(scale, v.score.R))
	out.RPerceived, out.WorstR = figure(v.perceived), figure(v.worst)
	out.Below70, out.Below60 = figure(v.below70), figure(v.below60)
	if out.LatePct == nil && v.input.Known&mos.KnownJitter != 0 {
		out.LatePct = figure(v.score.Late.Pct)
	}
	lost := v.score.Attribution().Lost
	out.Attribution = &Attribution{Delay: round3(lost.Delay), Loss: round3(lost.Loss), Late: round3(lost.Late), Codec: round3(lost.Codec)}
}

func round3(v float64) float64 { return math.Round(v*1000) / 1000 }

// assumptions lists what the score rests on that nobody measured.
func (v *verdict) assumptions() []string {
	words := []string{}
	if v.hasScore {
		words = v.score.Assumed.Words()
	}
	for w := range v.assumed {
		if !slices.Contains(words, w) {
			words = append(words, w)
		}
	}
	slices.Sort(words)
	return words
}

// compare sets what others say beside our figure (rule 30).
func (v *verdict) compare(out *Stream) {
	said := 0.0
	switch s := v.s; {
	case s.vendor > 0:
		said = float64(s.vendor)
	case s.side != nil && s.side.Has.Has(HasSideMOSCQ):
		said = float64(s.side.MOSCQ)
	case s.side != nil && s.side.Has.Has(HasSideMOSLQ):
		said = float64(s.side.MOSLQ)
	case s.xr != nil && s.xr.MOSCQ != Unavailable:
		said = float64(s.xr.MOSCQ) / 10
	default:
		return
	}
	out.VendorMOS = figure(said)
	out.Disagrees = out.MOS != nil && math.Abs(*out.MOS-said) > 0.5
}
