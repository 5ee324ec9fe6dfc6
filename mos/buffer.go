package mos

import "math"

// Buffer is a receiver's jitter buffer. The zero value is a fixed buffer of AssumedBufferMs.
type Buffer struct {
	Adaptive bool
	Ms       float64 // of a fixed buffer; 0: AssumedBufferMs
}

// What is assumed of a buffer that nobody has described, and the limits of an adaptive one: four times the jitter, within these.
const (
	AssumedBufferMs = 60
	leastAdaptiveMs = 40
	mostAdaptiveMs  = 200
	jitterFloorMs   = 1 // an adaptive buffer loses nothing below it
)

// Depth is how long the buffer holds a packet, in ms, at an RFC 3550 jitter in ms.
func (b Buffer) Depth(jitterMs float64) float64 {
	switch {
	case b.Adaptive:
		return min(max(4*notNegative(jitterMs), leastAdaptiveMs), mostAdaptiveMs)
	case b.Ms > 0:
		return b.Ms
	}
	return AssumedBufferMs
}

// Late is late loss by the model, in per cent of the packets that arrived, and how far the truth may lie from it. Jitter alone cannot tell more: the same
// jitter means very different tails, by how the network delays packets.
type Late struct {
	Pct, LowPct, HighPct float64
	BufferMs             float64 // that was reckoned with
}

// LateLoss estimates what a buffer discards at an RFC 3550 jitter in ms: exp(-B/J), as of an exponential queue. The range runs from Gaussian delays to a
// correlated queue (coefficient 0.8), which a bloated buffer in the network resembles.
func LateLoss(jitterMs float64, b Buffer) Late {
	l := Late{BufferMs: b.Depth(jitterMs)}
	if !(jitterMs > 0) || b.Adaptive && jitterMs < jitterFloorMs {
		return l
	}
	x := l.BufferMs / jitterMs
	l.Pct = 100 * math.Exp(-x)
	l.LowPct = min(l.Pct, 100*normal(-1.128*x))
	l.HighPct = max(l.Pct, 62.3*math.Exp(-0.2146*x)) // fits a simulated queue from B/J 1 (50.3 %) to 8 (11.2 %)
	return l
}

// CombinedLossPct is what is missing at the decoder, in per cent: what the network lost, and of the rest what came too late.
func CombinedLossPct(networkPct, latePct float64) float64 {
	n, l := percent(networkPct), percent(latePct)
	return n + (100-n)*l/100
}

// percent brings a share into 0 to 100; NaN is 0.
func percent(v float64) float64 { return min(notNegative(v), 100) }

// notNegative is v, or 0 for what is negative or NaN.
func notNegative(v float64) float64 {
	if v > 0 {
		return v
	}
	return 0
}
