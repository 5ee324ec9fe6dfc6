package voice

// measured is what an endpoint worked out itself about a stream that it receives (RFC 6035), or another system about one that it passes on.
type measured struct {
	session bool // of the whole call
	pd      string
	Side
}

// takeXR keeps the last XR blocks about a stream; their rates run since the start of reception. What is out of range is refused (rule 25).
func (t *Tracker) takeXR(s *stream, r *Report) {
	if r.Has.Has(HasSummary) && r.Summary.HasDuplicates {
		s.repeats = max(s.repeats, r.Summary.Duplicates)
	}
	if !r.Has.Has(HasVoIP) {
		return
	}
	v := r.VoIP
	if !v.plausible() {
		t.count.drop(ReasonXR)
		return
	}
	if s.xr == nil {
		s.xr = new(VoIPMetrics)
	}
	*s.xr = v
}

// plausible reports whether a block's figures can be (RFC 3611 §4.7). Rates and durations are right whatever they say.
func (v *VoIPMetrics) plausible() bool {
	r := func(x uint8) bool { return x <= 100 || x == Unavailable }
	m := func(x uint8) bool { return x >= 10 && x <= 50 || x == Unavailable }
	return r(v.RFactor) && r(v.ExternalR) && m(v.MOSLQ) && m(v.MOSCQ) && v.RoundTripMS <= 10_000 && int(v.LossRate)+int(v.DiscardRate) <= 510
}

// plausible reports whether a side's figures can be (RFC 6035 §4.6.2); those that cannot are taken out of it.
func (v *Side) plausible() (clean Side, ok bool) {
	clean, ok = *v, true
	refuse := func(bits SideFields, bad bool) {
		if clean.Has&bits != 0 && bad {
			clean.Has &^= bits
			ok = false
		}
	}
	percent := func(x float32) bool { return !(x >= 0 && x <= 100) }
	refuse(HasSideLoss, percent(v.LossPct))
	refuse(HasSideDiscard, percent(v.DiscardPct))
	refuse(HasSideBurst, percent(v.BurstPct))
	refuse(HasSideGap, percent(v.GapPct))
	refuse(HasSideRoundTrip, !(v.RoundTripMS >= 0 && v.RoundTripMS <= 10_000))
	refuse(HasSideEndSystem, !(v.EndSystemMS >= 0 && v.EndSystemMS <= 10_000))
	refuse(HasSideOneWay, !(v.OneWayMS >= 0 && v.OneWayMS <= 10_000))
	refuse(HasSideJitter, !(v.JitterMS >= 0 && v.JitterMS <= maxJitterMS))
	refuse(HasSideRLQ, !(v.RLQ >= 0 && v.RLQ <= 120))
	refuse(HasSideRCQ, !(v.RCQ >= 0 && v.RCQ <= 120))
	refuse(HasSideMOSLQ, !(v.MOSLQ >= 1 && v.MOSLQ <= 5))
	refuse(HasSideMOSCQ, !(v.MOSCQ >= 1 && v.MOSCQ <= 5))
	refuse(HasSidePtime, v.PtimeMicros < 2500 || v.PtimeMicros > 200_000)
	refuse(HasSidePackets, v.Lost > v.Packets && v.Packets > 0 && v.Lost-v.Packets > 1<<24)
	return clean, ok
}

// silent reports whether a side says nothing: no metric is there, or all that could be measured are 0, as phones write that were told nothing by
// the other end.
func (v *Side) silent() bool {
	const figures = HasSideLoss | HasSideDiscard | HasSideBurst | HasSideGap | HasSideRoundTrip | HasSideEndSystem | HasSideOneWay | HasSideJitter |
		HasSideRLQ | HasSideRCQ | HasSideMOSLQ | HasSideMOSCQ | HasSidePackets
	if v.Has&figures == 0 {
		return true
	}
	sum := v.LossPct + v.DiscardPct + v.BurstPct + v.GapPct + v.RoundTripMS + v.EndSystemMS + v.OneWayMS + v.JitterMS + v.RLQ + v.RCQ + v.MOSLQ + v.MOSCQ
	return sum == 0 && v.Packets == 0
}
