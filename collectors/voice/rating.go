package voice

import (
	"encoding/binary"
	"math"

	"vigia/mos"
)

// rate scores a stream on the call's scale: the whole, every interval, the worst ten seconds, and what a listener remembers.
func (v *verdict) rate(scale mos.Scale) {
	if !v.ratable {
		return
	}
	v.input.Scale = scale
	score, err := mos.Rate(v.input)
	if err != nil {
		return
	}
	v.score, v.hasScore = score, true
	v.rateIntervals(scale)
	if len(v.parts) > 1 && len(v.spread) > 0 {
		v.rateParts(scale)
	}
	v.worst, v.perceived = v.score.R, v.score.R
	if len(v.spread) > 0 {
		v.worst = v.worstTen(scale)
		v.perceived = v.score.R + v.score.IeEff - perceivedIe(v.spread, v.quietIe(scale))
	}
}

// intervalInput is the input of one interval, or of several taken together.
func (v *verdict) intervalInput(scale mos.Scale, x passage, part int) mos.Input {
	in := v.input
	in.Scale = scale
	if len(v.parts) > 1 {
		p := v.parts[part]
		if m := p.codec.model(v.s.send.octetsPer, p.ptime); m.err == nil {
			in.Codec = m.codec
		}
	}
	in.Known = in.Known&^(mos.KnownLoss|mos.KnownJitter|mos.KnownBurst) | mos.KnownLoss
	if x.expected > 0 {
		in.LossPct = 100 * float64(x.lost) / float64(x.expected)
	}
	if !math.IsNaN(x.jitterMS) {
		in.JitterMs, in.Known = x.jitterMS, in.Known|mos.KnownJitter
	} else if v.input.Known&mos.KnownJitter != 0 {
		in.JitterMs, in.Known = v.input.JitterMs, in.Known|mos.KnownJitter
	}
	return in
}

// likeness is how an interval was rated that others may be like.
type likeness struct {
	lost, expected uint32 // expected 0: none yet
	jitterMS       float64
	part           int
	r, ie          float64
}

// ratings remembers some intervals of one stream: few losses and little jitter come in few combinations.
type ratings [32]likeness

// rateOne rates an interval, or finds one that was the same.
func (v *verdict) rateOne(scale mos.Scale, x *judged, known *ratings) (r, ie float64) {
	k := &known[(x.lost*7+x.expected*3+uint32(math.Float64bits(x.jitterMS)>>45))%uint32(len(known))]
	if k.expected == x.expected && k.lost == x.lost && k.jitterMS == x.jitterMS && k.part == x.part && x.expected != 0 {
		return k.r, k.ie
	}
	score, err := mos.Rate(v.intervalInput(scale, x.passage, x.part))
	if err != nil {
		return v.score.R, v.score.IeEff
	}
	*k = likeness{x.lost, x.expected, x.jitterMS, x.part, score.R, score.IeEff}
	return score.R, score.IeEff
}

func (v *verdict) rateIntervals(scale mos.Scale) {
	var known ratings
	for i := range v.spread {
		x := &v.spread[i]
		if i > 0 && x.like(&v.spread[i-1]) {
			x.r, x.ie = v.spread[i-1].r, v.spread[i-1].ie
		} else {
			x.r, x.ie = v.rateOne(scale, x, &known)
		}
		v.s.intervals[x.at] = v.s.intervals[x.at].withR(x.r)
		if band := mos.BandOf(scale, x.r); band < mos.SomeDissatisfied {
			v.below70 += x.seconds
			if band < mos.ManyDissatisfied {
				v.below60 += x.seconds
			}
		}
	}
}

// like reports whether two intervals are rated alike: nothing lost in either, and the same jitter. Most intervals of most calls are.
func (x *judged) like(o *judged) bool {
	return x.lost == 0 && o.lost == 0 && x.part == o.part && (x.jitterMS == o.jitterMS || math.IsNaN(x.jitterMS) && math.IsNaN(o.jitterMS))
}

// rateParts makes R of a call whose codec changed the mean of its parts' by time (rule 14).
func (v *verdict) rateParts(scale mos.Scale) {
	r, total := 0.0, 0.0
	for i := range v.parts {
		sum := summary{jitterMS: math.NaN()}
		for _, x := range v.spread {
			if x.part == i {
				sum.add(x.passage)
			}
		}
		if sum.expected == 0 || sum.expected > math.MaxUint32 {
			continue
		}
		x := passage{seconds: sum.seconds, expected: uint32(sum.expected), lost: uint32(sum.lost), jitterMS: sum.jitterMS}
		if score, err := mos.Rate(v.intervalInput(scale, x, i)); err == nil {
			r += score.R * sum.seconds
			total += sum.seconds
		}
	}
	if total > 0 {
		v.score.R = r / total
	}
}

// worstTen is R of the worst stretch of at least ten seconds, or of the whole when it is shorter. A stretch with less loss and less jitter than one
// that was rated before cannot be worse, and is not rated.
func (v *verdict) worstTen(scale mos.Scale) float64 {
	worst := math.Inf(1)
	var bad passage // the stretch that worst is of
	part := -1
	for from := range v.spread {
		x := v.spread[from].passage
		to := from + 1
		for ; x.seconds < leastSeconds && to < len(v.spread); to++ {
			x = joined(x, v.spread[to].passage)
		}
		if x.seconds < leastSeconds && from > 0 {
			break
		}
		if part == v.spread[from].part && x.lessThan(&bad) {
			continue
		}
		r := v.spread[from].r
		if to > from+1 && !v.alike(from, to) {
			if score, err := mos.Rate(v.intervalInput(scale, x, v.spread[from].part)); err == nil {
				r = score.R
			}
		}
		if r < worst {
			worst, bad, part = r, x, v.spread[from].part
		}
	}
	return worst
}

// lessThan reports whether nothing of a stretch is worse than of another: neither loss nor jitter.
func (p *passage) lessThan(o *passage) bool {
	return p.expected > 0 && o.expected > 0 && uint64(p.lost)*uint64(o.expected) <= uint64(o.lost)*uint64(p.expected) && p.jitterMS <= o.jitterMS
}

// alike reports whether a run of intervals is rated like its first.
func (v *verdict) alike(from, to int) bool {
	for i := from + 1; i < to; i++ {
		if !v.spread[i].like(&v.spread[from]) {
			return false
		}
	}
	return true
}

// quietIe is what the codec costs when nothing is lost.
func (v *verdict) quietIe(scale mos.Scale) float64 {
	in := v.intervalInput(scale, passage{jitterMS: math.NaN()}, v.spread[0].part)
	in.LossPct, in.Known = 0, in.Known&^mos.KnownJitter
	score, err := mos.Rate(in)
	if err != nil {
		return v.score.IeEff
	}
	return score.IeEff
}

// perceivedIe is the impairment that a listener remembers, after Clark (ETSI TS 101 329-5 Annex E): bad speech is noticed with a time constant of 5 s,
// forgiven with one of 15 s, and what was bad near the end weighs more.
func perceivedIe(spread []judged, quiet float64) float64 {
	const rise, fall, recency, memory = 5.0, 15.0, 0.7, 30.0
	level, area, total := quiet, 0.0, 0.0
	ends := make([]float64, len(spread))
	for i, x := range spread {
		tau := fall
		if x.ie > level {
			tau = rise
		}
		if x.seconds > 0 {
			kept := math.Exp(-x.seconds / tau)
			area += x.ie*x.seconds + (level-x.ie)*tau*(1-kept)
			level = x.ie + (level-x.ie)*kept
		}
		total += x.seconds
		ends[i] = level
	}
	if total == 0 {
		return quiet
	}
	mean := area / total
	remembered, since := 0.0, 0.0
	for i := len(spread) - 1; i >= 0; i-- {
		remembered = max(remembered, (ends[i]-mean)*math.Exp(-since/memory))
		since += spread[i].seconds
	}
	return mean + recency*remembered
}

// packed are the stream's intervals as they are stored: the jitter in real ms.
func (v *verdict) packed() []byte {
	out := make([]byte, 0, 8*len(v.s.intervals))
	for _, p := range v.parts {
		factor := v.s.clockFactor(p.codec)
		for at := p.from; at < p.to; at++ {
			i := v.s.intervals[at]
			if factor != 1 {
				x := i.unpack()
				x.jitterMS *= factor
				r := i & (255 << 52)
				i = pack(x)&^(255<<52) | r
			}
			out = binary.LittleEndian.AppendUint64(out, uint64(i))
		}
	}
	return out
}
