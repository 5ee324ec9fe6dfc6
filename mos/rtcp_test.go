package mos

import (
	"math"
	"testing"
)

func TestIntervalLoss(t *testing.T) {
	for _, c := range []struct {
		name                string
		lostBefore, lostNow int32
		seqBefore, seqNow   uint32
		want                float64
		ok                  bool
	}{
		{"one of 250", 10, 11, 1000, 1250, 0.4, true},
		{"none", 10, 10, 1000, 1250, 0, true},
		{"duplicates", 10, 7, 1000, 1250, 0, true},
		{"from negative", -5, 5, 1000, 1100, 10, true},
		{"over a wrap of the 16 bits", 0, 5, 65530, 65630, 5, true},
		{"more than all", 0, 500, 0, 100, 100, true},
		{"nothing sent", 0, 0, 7, 7, 0, false},
		{"restart", 0, 1, 70000, 100, 0, false},
		{"limits", math.MinInt32, math.MaxInt32, 0, math.MaxUint32, 100 * float64(1<<32-1) / float64(1<<32-1), true},
	} {
		if got, ok := IntervalLossPct(c.lostBefore, c.lostNow, c.seqBefore, c.seqNow); ok != c.ok || !near(got, c.want, 1e-9) {
			t.Errorf("%s: %g %v, want %g %v", c.name, got, ok, c.want, c.ok)
		}
	}
	if got := FractionPct(64); got != 25 {
		t.Error(got)
	}
}

func TestRoundTrip(t *testing.T) {
	const second = 65536
	for _, c := range []struct {
		name               string
		arrival, lsr, dlsr uint32
		want               float64
		ok                 bool
	}{
		{"RFC 3550 figure 2", 0xb710_8000, 0xb705_2000, 0x0005_4000, 6125, true},
		{"100 ms", 20*second + 6554, 15 * second, 5 * second, 100.0061, true},
		{"over the wrap", 1000, 0xffff_ff00, 200, 1000 * 1056.0 / second, true},
		{"no report yet", second, 0, 5, 0, false},
		{"negative", 15 * second, 15 * second, second, 0, false},
		{"more than 10 s", 40 * second, 15 * second, second, 0, false},
	} {
		if got, ok := RoundTripMs(c.arrival, c.lsr, c.dlsr); ok != c.ok || !near(got, c.want, 1e-3) {
			t.Errorf("%s: %g %v, want %g", c.name, got, ok, c.want)
		}
	}
	if got, ok := ProbeTripMs(1050, second); !ok || !near(got, 50, 1e-9) {
		t.Errorf("%g %v", got, ok)
	}
	for _, elapsed := range []float64{999, math.NaN(), math.Inf(1)} {
		if _, ok := ProbeTripMs(elapsed, second); ok {
			t.Errorf("%g ms is a trip", elapsed)
		}
	}
}

func TestMouthToEar(t *testing.T) {
	g729, err := FindCodec("G.729", 0)
	if err != nil {
		t.Fatal(err)
	}
	g711 := G711()
	for _, c := range []struct {
		codec               *Codec
		rtt, packet, buffer float64
		want                float64
	}{
		{&g711, 100, 20, 60, 133.75},
		{&g729, 100, 20, 60, 135},
		{&g729, 100, 5, 60, 125}, // a packet holds at least one frame
		{&g729, -1, -1, -1, 15},
		{&g711, math.NaN(), 20, math.NaN(), 23.75},
	} {
		if got := MouthToEarMs(c.rtt, c.codec, c.packet, c.buffer); !near(got, c.want, 1e-9) {
			t.Errorf("%s: %g, want %g", c.codec.Name, got, c.want)
		}
	}
}

// TestBurstRatio: random loss is 1 by all three ways.
func TestBurstRatio(t *testing.T) {
	if got, ok := BurstRatio(100, 90, 1000); !ok || !near(got, 1, 1e-12) { // 1000 at 10 %: 90 runs are expected
		t.Errorf("random: %g %v", got, ok)
	}
	if got, ok := BurstRatio(10, 10, 1000); !ok || !near(got, 0.99, 1e-12) {
		t.Errorf("never two in a row: %g %v", got, ok)
	}
	if got, ok := BurstRatio(100, 25, 1000); !ok || !near(got, 3.6, 1e-12) {
		t.Errorf("runs of four: %g %v", got, ok)
	}
	for _, c := range [][3]uint64{{0, 0, 100}, {5, 6, 100}, {101, 1, 100}, {100, 1, 100}} {
		if got, ok := BurstRatio(c[0], c[1], c[2]); ok {
			t.Errorf("%v: %g", c, got)
		}
	}
	if r, loss, ok := GilbertBurstRatio(0.1, 0.9); !ok || !near(r, 1, 1e-12) || !near(loss, 10, 1e-12) {
		t.Errorf("Gilbert: %g %g %v", r, loss, ok)
	}
	if r, loss, ok := GilbertBurstRatio(0.02, 0.38); !ok || !near(r, 2.5, 1e-12) || !near(loss, 5, 1e-12) {
		t.Errorf("Gilbert: %g %g %v", r, loss, ok)
	}
	for _, pq := range [][2]float64{{0, 0}, {-0.1, 0.5}, {1.1, 0.5}, {0.5, 1.1}, {math.NaN(), 0.5}} {
		if _, _, ok := GilbertBurstRatio(pq[0], pq[1]); ok {
			t.Errorf("%v are probabilities", pq)
		}
	}
}

func TestXRBursts(t *testing.T) {
	if loss, r, ok := (XRBursts{BurstMs: 500, GapMs: 500, BurstDensity: 64, GapDensity: 64}).Loss(); !ok || !near(loss, 25, 1e-9) || !near(r, 1, 1e-9) {
		t.Errorf("the same everywhere is random: %g %g %v", loss, r, ok)
	}
	loss, r, ok := XRBursts{BurstMs: 200, GapMs: 3800, BurstDensity: 128}.Loss() // f 0.05, b 0.5, g 0
	if !ok || !near(loss, 2.5, 1e-9) || !near(r, 0.025/0.0125*0.975, 1e-9) {
		t.Errorf("%g %g %v", loss, r, ok)
	}
	loss, r, ok = XRBursts{BurstMs: 250, GapMs: 750, BurstDensity: 128, GapDensity: 32}.Loss() // f 0.25, b 0.5, g 0.125
	if whole := 0.125 + 0.09375; !ok || !near(loss, 100*whole, 1e-9) || !near(r, whole/(0.0625+0.08203125)*(1-whole), 1e-9) {
		t.Errorf("%g %g %v", loss, r, ok)
	}
	if loss, r, ok := (XRBursts{GapMs: 100}).Loss(); !ok || loss != 0 || r != 1 {
		t.Errorf("no loss: %g %g %v", loss, r, ok)
	}
	if _, _, ok := (XRBursts{BurstDensity: 3}).Loss(); ok {
		t.Error("durations of nothing")
	}
	if loss, r, ok := (XRBursts{BurstMs: 65535, GapMs: 65535, BurstDensity: 255, GapDensity: 255}).Loss(); !ok || loss > 100 || math.IsInf(r, 0) {
		t.Errorf("%g %g %v", loss, r, ok)
	}
}

// TestLateLoss is the table of late loss against B/J, by how the network delays packets.
func TestLateLoss(t *testing.T) {
	for _, row := range []struct{ x, exponential, gauss, queue float64 }{
		{1, 36.8, 13, 50.3}, {2, 13.5, 1.2, 40.7}, {3, 5, 0.04, 32.7}, {4, 1.8, 0.0003, 26.4}, {6, 0.25, 0, 17.2}, {8, 0.03, 0, 11.2},
	} {
		l := LateLoss(60/row.x, Buffer{})
		for i, pair := range [][2]float64{{l.Pct, row.exponential}, {l.LowPct, row.gauss}, {l.HighPct, row.queue}} {
			if !near(pair[0], pair[1], []float64{0.06, 0.06, 0.2}[i]) { // the last is a fit
				t.Errorf("B/J %g, column %d: %.4f, want %g", row.x, i, pair[0], pair[1])
			}
		}
		if l.BufferMs != 60 {
			t.Errorf("buffer %g", l.BufferMs)
		}
	}
}

func TestBuffer(t *testing.T) {
	for _, c := range []struct {
		b           Buffer
		jitter, low float64 // depth
		late        float64
	}{
		{Buffer{}, 0, 60, 0},
		{Buffer{Ms: 100}, 25, 100, 1.83},
		{Buffer{Adaptive: true}, 0.9, 40, 0},
		{Buffer{Adaptive: true}, 5, 40, 0.03},
		{Buffer{Adaptive: true}, 25, 100, 1.83},
		{Buffer{Adaptive: true}, 100, 200, 13.5},
		{Buffer{Adaptive: true}, math.NaN(), 40, 0},
		{Buffer{}, math.Inf(1), 60, 100},
		{Buffer{}, -4, 60, 0},
	} {
		l := LateLoss(c.jitter, c.b)
		if l.BufferMs != c.low || !near(l.Pct, c.late, 0.06) || l.LowPct > l.Pct || l.HighPct < l.Pct {
			t.Errorf("%+v at %g ms: %+v", c.b, c.jitter, l)
		}
	}
	if under, over := LateLoss(0.99, Buffer{Adaptive: true}), LateLoss(1.01, Buffer{Adaptive: true}); under.HighPct != 0 || over.HighPct == 0 {
		t.Errorf("under 1 ms of jitter %+v, over it %+v", under, over)
	}
	last := -1.0
	for j := 0.0; j < 500; j += 0.25 {
		l := LateLoss(j, Buffer{Adaptive: true})
		if l.Pct < last-1e-9 {
			t.Fatalf("jitter %g: late loss falls to %g from %g", j, l.Pct, last)
		}
		last = l.Pct
	}
}

func TestCombinedLoss(t *testing.T) {
	for _, c := range [][3]float64{{10, 10, 19}, {0, 5, 5}, {5, 0, 5}, {100, 50, 100}, {-3, 4, 4}, {math.NaN(), 4, 4}, {200, 200, 100}} {
		if got := CombinedLossPct(c[0], c[1]); !near(got, c[2], 1e-12) {
			t.Errorf("%v: %g", c, got)
		}
	}
}
