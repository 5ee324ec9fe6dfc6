package mos

import "math"

// AssumedPacketMs is the speech in a packet when nobody says how much.
const AssumedPacketMs = 20.0

// IntervalLossPct is the loss between two reports of one stream, per cent of the packets that were expected: by the cumulative counts (sign-extended 24-bit
// values) and the extended highest sequence numbers. It survives reports that went missing. Duplicates can make it negative; that counts as 0. It is false
// when no packet was expected or the sequence ran backwards: then it is a new stream.
func IntervalLossPct(lostBefore, lostNow int32, seqBefore, seqNow uint32) (float64, bool) {
	expected := int64(seqNow) - int64(seqBefore)
	if expected <= 0 {
		return 0, false
	}
	return percent(100 * float64(int64(lostNow)-int64(lostBefore)) / float64(expected)), true
}

// FractionPct is the fraction lost of a report block (in 1/256) in per cent: only for a stream's first report, being rounded down by up to 0.39.
func FractionPct(fraction uint8) float64 { return float64(fraction) * 100 / 256 }

// JitterMs turns RFC 3550 jitter from timestamp units into milliseconds. The clock is the RTP clock, which is 8000 for G.722 and 48000 for Opus. It is false
// without a clock.
func JitterMs(units, clockHz uint32) (float64, bool) {
	if clockHz == 0 {
		return 0, false
	}
	return 1000 * float64(units) / float64(clockHz), true
}

// RoundTripMs is the round trip to the receiver of a sender report, seen where that report was sent: arrival of the block, its LSR and DLSR, all in 1/65536 s
// (the middle of an NTP timestamp). It is false when the receiver had no report yet (LSR 0), and for a trip of less than none or more than 10 s.
func RoundTripMs(arrival, lsr, dlsr uint32) (float64, bool) {
	if lsr == 0 {
		return 0, false
	}
	return plausibleTrip(1000 * float64(int32(arrival-lsr-dlsr)) / 65536)
}

// ProbeTripMs is the round trip from a probe in the middle to a receiver: a sender report passed the probe, and elapsedMs later the block about it came back,
// having waited dlsr (1/65536 s) at the receiver. The sum of both sides' is the whole trip. It is false as RoundTripMs is.
func ProbeTripMs(elapsedMs float64, dlsr uint32) (float64, bool) {
	return plausibleTrip(elapsedMs - 1000*float64(dlsr)/65536)
}

func plausibleTrip(ms float64) (float64, bool) {
	if !(ms >= 0 && ms <= 10_000) {
		return 0, false
	}
	return ms, true
}

// MouthToEarMs is Ta: half the network's round trip, the wait for a packet to fill, the codec's look-ahead, concealment, and the jitter buffer. The devices
// themselves (10 to 30 ms) are not in it.
func MouthToEarMs(rttMs float64, c *Codec, packetMs, bufferMs float64) float64 {
	return notNegative(rttMs)/2 + max(notNegative(packetMs), c.FrameMs) + c.LookAheadMs + c.PLCMs + notNegative(bufferMs)
}

// BurstRatio is BurstR of counted losses: lost packets in runs of successive losses, among all expected. It is false when nothing was
// lost, and when everything was.
func BurstRatio(lost, runs, expected uint64) (float64, bool) {
	if runs == 0 || lost < runs || lost >= expected {
		return 0, false
	}
	ppl := float64(lost) / float64(expected)
	return float64(lost) / float64(runs) * (1 - ppl), true
}

// GilbertBurstRatio is BurstR and loss (per cent) of a two-state model: p leads from received to lost, q back. It is false for what are no probabilities.
func GilbertBurstRatio(p, q float64) (burstR, lossPct float64, ok bool) {
	if !(p >= 0 && p <= 1 && q >= 0 && q <= 1 && p+q > 0) {
		return 0, 0, false
	}
	return 1 / (p + q), 100 * p / (p + q), true
}

// XRBursts are the burst fields of an RFC 3611 VoIP metrics block: durations in ms, densities in 1/256. They count lost and discarded packets alike.
type XRBursts struct {
	BurstMs, GapMs           uint16
	BurstDensity, GapDensity uint8
}

// Loss is the whole loss (per cent) and an approximate BurstR, which takes losses inside a burst and inside a gap to be random. It is false without durations.
func (x XRBursts) Loss() (lossPct, burstR float64, ok bool) {
	total := float64(x.BurstMs) + float64(x.GapMs)
	if total == 0 {
		return 0, 0, false
	}
	f, b, g := float64(x.BurstMs)/total, float64(x.BurstDensity)/256, float64(x.GapDensity)/256
	loss := f*b + (1-f)*g
	starts := f*b*(1-b) + (1-f)*g*(1-g)
	if loss == 0 {
		return 0, 1, true
	}
	return 100 * loss, math.Max(1, loss/starts*(1-loss)), true
}
