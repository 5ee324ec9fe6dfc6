package mos

import "math"

// How people take quality that changes (Clark; ETSI TS 101 329-5 Annex E): it gets bad within seconds, good again three times as slowly, and the last bad
// passage is remembered at the end of the call. Seconds.
const (
	worsens  = 5.0
	recovers = 15.0
	forgets  = 30.0
	recency  = 0.7
)

// Perception follows what a listener feels of a changing Ie,eff. It starts with NewPerception; intervals are added in order.
type Perception struct {
	level   float64 // Ie,eff as it is felt now
	area    float64 // its integral
	seconds float64
	peak    float64 // level at the end of the last bad passage that still counts
	since   float64 // seconds since then
}

// NewPerception starts a call whose codec has this Ie on the call's scale.
func NewPerception(ie float64) Perception {
	return Perception{level: notNegative(ie), peak: notNegative(ie)}
}

// Add takes an interval of so many seconds at an Ie,eff (Result.IeEff).
func (p *Perception) Add(seconds, ieEff float64) {
	if !(seconds > 0) || math.IsInf(seconds, 0) || math.IsNaN(ieEff) || math.IsInf(ieEff, 0) {
		return
	}
	tau := recovers
	if ieEff > p.level {
		tau = worsens
	}
	left := math.Exp(-seconds / tau)
	p.area += ieEff*seconds + tau*(p.level-ieEff)*(1-left)
	rising := ieEff > p.level
	p.level = ieEff + (p.level-ieEff)*left
	p.seconds += seconds
	p.since += seconds
	if rising && p.level >= p.peak*math.Exp(-p.since/forgets) {
		p.peak, p.since = p.level, 0
	}
}

// IeEff is the Ie,eff that the call is remembered by: the mean of what was felt, drawn to the last bad passage.
func (p *Perception) IeEff() float64 {
	if p.seconds == 0 {
		return p.level
	}
	mean := p.area / p.seconds
	return mean + recency*max(0, p.peak-mean)*math.Exp(-p.since/forgets)
}

// PerceivedR is the R of a call as it is remembered: that of its pooled Score with the perceived Ie,eff in place of its own.
func (s *Score) PerceivedR(p *Perception) float64 { return s.without() - p.IeEff() }

// BurstsAndGaps is the steady state of the same model for a call that alternates between bursts and gaps of a mean length in seconds: the mean felt Ie,eff,
// and its level at the end of a burst.
func BurstsAndGaps(burstSeconds, gapSeconds, ieBurst, ieGap float64) (mean, atEndOfBurst float64) {
	b, g := notNegative(burstSeconds), notNegative(gapSeconds)
	if b == 0 || math.IsInf(b+g, 0) {
		return ieGap, ieGap
	}
	eb, eg := math.Exp(-b/worsens), math.Exp(-g/recovers)
	// I1 = Ib - (Ib - I2) eb and I2 = Ig + (I1 - Ig) eg, solved for I1
	i1 := (ieBurst*(1-eb) + ieGap*(1-eg)*eb) / (1 - eb*eg)
	i2 := ieGap + (i1-ieGap)*eg
	mean = (b*ieBurst + g*ieGap - worsens*(ieBurst-i2)*(1-eb) + recovers*(i1-ieGap)*(1-eg)) / (b + g)
	return mean, i1
}

// Pool joins the scored intervals of one direction of a call, so that the call is rated once, by what happened to it altogether: means of MOS hide what was
// bad. The zero value is empty.
type Pool struct {
	first    Score
	any      bool
	assumed  Assumed // by any interval
	expected mean    // loss, by packets expected
	late     [3]mean // late loss and its range, by packets that arrived
	burst    mean    // BurstR, by packets missing
	delay    [3]mean // T, Tr and Ta, by packets expected
}

// mean is a weighted mean.
type mean struct{ sum, weight float64 }

func (m *mean) add(v, weight float64) {
	if weight > 0 && !math.IsNaN(v) && !math.IsInf(v, 0) {
		m.sum += v * weight
		m.weight += weight
	}
}

// or is the mean, or another value when nothing was added.
func (m *mean) or(other float64) float64 {
	if m.weight == 0 {
		return other
	}
	return m.sum / m.weight
}

// Add takes a scored interval in which so many packets were expected; one without packets says nothing. It is false, and the interval is not taken, when scale
// or codec differ from those before: that is another pool.
func (p *Pool) Add(s *Score, expected float64) bool {
	if !p.any {
		p.first = *s
	}
	if s.Scale != p.first.Scale || s.Params[Ie] != p.first.Params[Ie] || s.Params[Bpl] != p.first.Params[Bpl] {
		return false
	}
	if !(expected > 0) || math.IsInf(expected, 0) {
		return true
	}
	p.any = true
	p.assumed |= s.Assumed
	p.addLoss(s, expected)
	if !s.Listening() {
		for i, symbol := range pooledDelays {
			p.delay[i].add(s.Params[symbol], expected)
		}
	}
	return true
}

var pooledDelays = [...]Symbol{T, Tr, Ta}

func (p *Pool) addLoss(s *Score, expected float64) {
	if s.Assumed&AssumedLoss == 0 {
		p.expected.add(s.LossPct, expected)
	}
	arrived := expected * (100 - s.LossPct) / 100
	for i, v := range [...]float64{s.Late.Pct, s.Late.LowPct, s.Late.HighPct} {
		p.late[i].add(v, arrived)
	}
	p.burst.add(s.Params[BurstR], expected*s.Params[Ppl]/100)
}

// Score rates the whole. It is false when no packets were added. Loss is of all packets, late loss of all that arrived, the burst ratio is weighted by what is
// missing and delay by packets, over the intervals that know it. What any interval assumed is assumed, but for loss and delay that another one knows.
func (p *Pool) Score() (Score, bool) {
	s := p.first
	s.Late = Late{p.late[0].or(0), p.late[1].or(0), p.late[2].or(0), s.Late.BufferMs}
	s.LossPct = p.expected.or(0)
	s.Params[Ppl] = CombinedLossPct(s.LossPct, s.Late.Pct)
	s.Params[BurstR] = p.burst.or(1)
	for i, symbol := range pooledDelays {
		s.Params[symbol] = p.delay[i].or(0)
	}
	s.Assumed = p.assumed
	if p.expected.weight > 0 {
		s.Assumed &^= AssumedLoss
	}
	if p.delay[0].weight > 0 {
		s.Assumed &^= AssumedRTT
	}
	if p.any {
		s.Evaluate()
	}
	return s, p.any
}
