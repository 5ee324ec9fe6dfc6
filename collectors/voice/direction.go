package voice

import (
	"math"

	"vigia/mos"
)

// direction is what one party hears, over all legs.
type direction struct {
	of    *verdict // the stream that weighs most; nil: nothing is rated
	score mos.Score
	r     float64
	dead  bool // nothing arrived for as long as it was judged, or at the end
}

// worstDirection rates both directions and returns the worse.
func worstDirection(verdicts []*verdict, scale mos.Scale) direction {
	var worst direction
	take := func(d direction) {
		dead := worst.dead || d.dead
		if d.of != nil && (worst.of == nil || d.r < worst.r) {
			worst = d
		}
		worst.dead = dead
	}
	for _, to := range [2]whom{caller, callee} {
		take(rateDirection(verdicts, to, scale))
	}
	for _, v := range verdicts {
		if v.s.to == nobody && v.hasScore {
			take(direction{of: v, score: v.score, r: v.score.R, dead: v.s.oneWay})
		}
	}
	return worst
}

// rateDirection rates what a party hears. Within a leg, streams that followed one another count by their time. Through a B2BUA the legs add up: delays
// and codecs' impairments are summed, and what gets through one leg must get through the next (rule 15).
func rateDirection(verdicts []*verdict, to whom, scale mos.Scale) direction {
	var legs [maxLegs]direction
	var weight [maxLegs]float64
	rated := 0
	dead := false
	for _, v := range verdicts {
		if v.s.to != to {
			continue
		}
		dead = dead || v.s.oneWay
		if !v.hasScore {
			continue
		}
		d, w := &legs[v.s.leg], max(v.sum.seconds, 1)
		if d.of == nil {
			rated++
			*d = direction{of: v, score: v.score, r: v.score.R}
		} else {
			d.r = (d.r*weight[v.s.leg] + v.score.R*w) / (weight[v.s.leg] + w)
			if w > max(d.of.sum.seconds, 1) {
				d.of, d.score = v, v.score
			}
		}
		weight[v.s.leg] += w
	}
	if rated > 1 {
		return chain(legs[:], scale, dead)
	}
	for _, d := range legs {
		if d.of != nil {
			d.dead = dead
			return d
		}
	}
	return direction{dead: dead}
}

// chain joins the legs of one direction.
func chain(legs []direction, scale mos.Scale, dead bool) direction {
	var in mos.Input
	var of *verdict
	through, inTime, rtt, ie, bpl := 1.0, 1.0, 0.0, 0.0, math.Inf(1)
	name := ""
	transcoded := false
	for _, d := range legs {
		if d.of == nil {
			continue
		}
		if of == nil || d.r < of.score.R {
			of = d.of
		}
		x := d.of.input
		if in.Codec.Name == "" {
			in = x
			name = x.Codec.Name
		}
		transcoded = transcoded || x.Codec.Name != name
		through *= 1 - d.score.LossPct/100
		inTime *= 1 - d.score.Late.Pct/100
		ie += d.score.Params[mos.Ie]
		bpl = min(bpl, d.score.Params[mos.Bpl])
		if x.Known&mos.KnownRTT != 0 {
			rtt += x.RTTMs
			in.Known |= mos.KnownRTT
		}
	}
	in.Scale = scale
	in.LossPct, in.LatePct, in.RTTMs = 100*(1-through), 100*(1-inTime), rtt
	in.Known = in.Known&^(mos.KnownBurst|mos.KnownDelay) | mos.KnownLoss | mos.KnownLate
	if transcoded {
		in.Codec = mos.Own(scale, ie, bpl)
	}
	score, err := mos.Rate(in)
	if err != nil {
		return direction{of: of, score: of.score, r: of.score.R, dead: dead}
	}
	return direction{of: of, score: score, r: score.R, dead: dead}
}
