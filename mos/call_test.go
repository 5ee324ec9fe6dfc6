package mos

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// TestPerceptionOfABurst: a call of 60 s with G.711, of which 5 s have 20 % loss. R by where the burst is, computed by another implementation.
func TestPerceptionOfABurst(t *testing.T) {
	bad := ieEff(NB, 0, 25.1, 20, 1)
	for start, want := range map[float64]float64{5: 83.0, 27.5: 80.8, 55: 74.2} {
		p := NewPerception(0)
		p.Add(start, 0)
		p.Add(5, bad)
		p.Add(55-start, 0) // at 55 s: nothing
		if got := 93.206208 - p.IeEff(); !near(got, want, 0.05) {
			t.Errorf("burst at %g s: R %.3f, want %g", start, got, want)
		}
	}
}

// TestPerceptionIsItsOwnSum: how an interval is cut does not matter.
func TestPerceptionIsItsOwnSum(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		one, cut := NewPerception(11), NewPerception(11)
		for _, level := range rapid.SliceOfN(rapid.Float64Range(0, 95), 1, 20).Draw(t, "levels") {
			one.Add(6, level)
			for range 3 {
				cut.Add(2, level)
			}
		}
		if a, b := one.IeEff(), cut.IeEff(); !near(a, b, 1e-9) {
			t.Errorf("%.12f in one, %.12f in three", a, b)
		}
	})
}

// TestPerceptionWithoutChange is the level itself; what is no interval changes nothing.
func TestPerceptionWithoutChange(t *testing.T) {
	p := NewPerception(11)
	if p.IeEff() != 11 {
		t.Error(p.IeEff())
	}
	for range 20 {
		p.Add(5, 11)
	}
	before := p
	for _, seconds := range []float64{0, -1, math.NaN(), math.Inf(1)} {
		p.Add(seconds, 95)
	}
	p.Add(5, math.NaN())
	p.Add(5, math.Inf(1))
	if p != before || !near(p.IeEff(), 11, 1e-9) {
		t.Errorf("%+v, %g", p, p.IeEff())
	}
}

// TestBurstsAndGaps: the closed form is what a long call of alternating intervals tends to.
func TestBurstsAndGaps(t *testing.T) {
	p := NewPerception(3)
	for range 500 {
		p.Add(20, 3)
		p.Add(4, 50)
	}
	mean, end := BurstsAndGaps(4, 20, 50, 3)
	if !near(p.area/p.seconds, mean, 0.05) || !near(p.level, end, 1e-6) {
		t.Errorf("mean %g and %g, at the end of a burst %g and %g", p.area/p.seconds, mean, p.level, end)
	}
	for _, c := range [][2]float64{{0, 20}, {0, 0}, {math.NaN(), 5}, {math.Inf(1), 5}} {
		if mean, end := BurstsAndGaps(c[0], c[1], 50, 3); mean != 3 || end != 3 {
			t.Errorf("%v: %g %g", c, mean, end)
		}
	}
}

// TestPool: the same burst, pooled: R 87.3, where weighting R by time flatters it to 89.7.
func TestPool(t *testing.T) {
	var p Pool
	if _, ok := p.Score(); ok {
		t.Error("a score of nothing")
	}
	weighted := 0.0
	for i := range 12 {
		in := Input{Codec: G711(), Known: KnownLoss | KnownCodec | KnownPLC | KnownLate}
		if i == 4 {
			in.LossPct = 20
		}
		s, err := Rate(in)
		if err != nil {
			t.Fatal(err)
		}
		weighted += s.R / 12
		if !p.Add(&s, 250) {
			t.Fatal("refused")
		}
	}
	s, ok := p.Score()
	if !ok || !near(s.R, 87.3, 0.05) || !near(weighted, 89.7, 0.05) {
		t.Errorf("pooled %.3f, weighted %.3f", s.R, weighted)
	}
	if !near(s.LossPct, 20.0/12, 1e-12) || s.Assumed != AssumedBurst|AssumedRTT {
		t.Errorf("loss %g, assumed %s", s.LossPct, s.Assumed)
	}
	var clean Pool
	if still, err := Rate(Input{Codec: G711(), Known: KnownLoss}); err != nil || !clean.Add(&still, 250) {
		t.Fatal(err)
	}
	if whole, ok := clean.Score(); !ok || whole.Params[BurstR] != 1 || whole.Outside != 0 {
		t.Errorf("without losses BurstR is %g", whole.Params[BurstR])
	}
	perceived := NewPerception(0)
	perceived.Add(60, s.IeEff)
	if r := s.PerceivedR(&perceived); r < s.R || r > 93.3 {
		t.Errorf("perceived R %g of a call that starts well and ends as its mean", r)
	}
}

// TestPoolOfDifferentIntervals: delay counts where it is known, late loss of what arrived, modelled or measured.
func TestPoolOfDifferentIntervals(t *testing.T) {
	var p Pool
	for _, c := range []struct {
		in       Input
		expected float64
	}{
		{Input{LossPct: 50, LatePct: 10, BurstR: 3, DelayMs: 300, Known: KnownLoss | KnownLate | KnownBurst | KnownDelay}, 100},
		{Input{LossPct: 0, JitterMs: 20, Known: KnownLoss | KnownJitter}, 100},
		{Input{LossPct: 0, DelayMs: 100, Known: KnownLoss | KnownDelay | KnownLate}, 300},
		{Input{LossPct: 90, Known: KnownLoss}, 0}, // no packets: says nothing
	} {
		c.in.Codec = G711()
		c.in.Known |= KnownCodec | KnownPLC
		s, err := Rate(c.in)
		if err != nil {
			t.Fatal(err)
		}
		if !p.Add(&s, c.expected) {
			t.Fatal("refused")
		}
	}
	s, ok := p.Score()
	late := LateLoss(20, Buffer{})
	if !ok || !near(s.LossPct, 10, 1e-9) || !near(s.Late.Pct, (50*10+100*late.Pct)/450, 1e-9) || !near(s.Params[Ta], 150, 1e-9) || !near(s.Params[Tr], 300, 1e-9) {
		t.Errorf("loss %g, late %+v, Ta %g", s.LossPct, s.Late, s.Params[Ta])
	}
	if s.LowR >= s.R || s.HighR <= s.R || s.Assumed != AssumedLate|AssumedBuffer|AssumedBurst {
		t.Errorf("R %g in %g to %g, assumed %s", s.R, s.LowR, s.HighR, s.Assumed)
	}
	if b := s.Params[BurstR]; b <= 2.5 || b >= 3 {
		t.Errorf("BurstR %g: nearly all losses were of the interval with 3", b)
	}
	other, err := Rate(Input{Scale: WB, Codec: G711()})
	if err != nil {
		t.Fatal(err)
	}
	if p.Add(&other, 100) {
		t.Error("another scale was mixed in")
	}
	if again, _ := p.Score(); again != s {
		t.Error("what was refused changed the pool")
	}
}
