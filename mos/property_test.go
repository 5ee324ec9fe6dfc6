package mos

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// anyScale draws one of the three.
func anyScale(t *rapid.T) Scale { return Scale(rapid.IntRange(0, 2).Draw(t, "scale")) }

// within draws inputs within the permitted ranges.
func within(t *rapid.T, s Scale) Params {
	p := Defaults(s)
	for i := range numSymbols {
		k := PermittedRange(s, i)
		if i != Echo && k.Low < k.High {
			p[i] = rapid.Float64Range(k.Low, k.High).Draw(t, i.String())
		}
	}
	return p
}

// TestMonotonic: more of what harms never helps.
func TestMonotonic(t *testing.T) {
	for _, i := range []struct {
		symbol Symbol
		sign   float64 // 1: more is worse
	}{{Ppl, 1}, {BurstR, 1}, {Ie, 1}, {Bpl, -1}, {Ta, 1}, {MT, -1}, {Tr, 1}, {WEPL, -1}, {QDU, 1}, {A, -1}} {
		t.Run(i.symbol.String(), rapid.MakeCheck(func(t *rapid.T) {
			s := anyScale(t)
			p := within(t, s)
			q := p
			k := specOf(s, i.symbol)
			p[i.symbol] = rapid.Float64Range(k.floor, min(k.ceiling, 5e3)).Draw(t, "one")
			q[i.symbol] = rapid.Float64Range(k.floor, min(k.ceiling, 5e3)).Draw(t, "other")
			if (p[i.symbol]-q[i.symbol])*i.sign > 0 {
				p, q = q, p
			}
			better, worse := Compute(s, p), Compute(s, q)
			if worse.R > better.R+1e-9 || worse.MOS() > better.MOS()+1e-9 {
				t.Errorf("%g gives R %.9f, %g gives %.9f", p[i.symbol], better.R, q[i.symbol], worse.R)
			}
		}))
	}
}

// TestMonotonicAtDefaults: delay as a whole, echo and noise, for a line that is otherwise as usual. (For odd lines the model itself says otherwise: echo is
// masked by noise, and by sidetone.)
func TestMonotonicAtDefaults(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anyScale(t)
		a, b := rapid.Float64Range(0, 2000).Draw(t, "a"), rapid.Float64Range(0, 2000).Draw(t, "b")
		p, q := Defaults(s), Defaults(s)
		p.SetDelay(min(a, b))
		q.SetDelay(max(a, b))
		if better, worse := Compute(s, p).R, Compute(s, q).R; worse > better+1e-9 {
			t.Errorf("delay: %g ms gives %.9f, %g ms gives %.9f", min(a, b), better, max(a, b), worse)
		}
		for _, i := range []Symbol{Nc, Pr, Ps, Nfor} {
			p, q := Defaults(s), Defaults(s)
			k := PermittedRange(NB, i)
			a, b := rapid.Float64Range(k.Low, k.Low+50).Draw(t, "low"), rapid.Float64Range(k.Low, k.Low+50).Draw(t, "high")
			p[i], q[i] = min(a, b), max(a, b)
			if better, worse := Compute(s, p).R, Compute(s, q).R; worse > better+1e-9 {
				t.Errorf("%s: %g gives %.9f, %g gives %.9f", i, p[i], better, q[i], worse)
			}
		}
	})
}

// TestSmallDelays is the corner that the formula itself gets wrong: an echo of 1 to 4 ms.
func TestSmallDelays(t *testing.T) {
	last := math.Inf(1)
	for ms := 0.0; ms < 10; ms += 0.125 {
		p := Defaults(NB)
		p.SetDelay(ms)
		r := Compute(NB, p)
		if r.R > last || r.Idte < 0 {
			t.Errorf("%g ms: R %.6f after %.6f, Idte %.6f", ms, r.R, last, r.Idte)
		}
		last = r.R
	}
}

// TestThereAndBack maps R to MOS and back on every scale.
func TestThereAndBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anyScale(t)
		r := rapid.Float64Range(lowestR+1e-6, 100).Draw(t, "r") * s.factor()
		score := MOS(s, r)
		back, ok := RFromMOS(s, score)
		if !ok || !near(back, r, 1e-7) {
			t.Fatalf("R %.12f, MOS %.12f, R %.12f (%v)", r, score, back, ok)
		}
		if score < 1 || score > 4.5 || score < MOS(s, r-0.5) {
			t.Fatalf("MOS %g of %g", score, r)
		}
	})
}

func TestMOSAtItsEnds(t *testing.T) {
	for _, s := range []Scale{NB, WB, FB} {
		for _, r := range []float64{math.Inf(-1), -5, 0, 3.22, 6.5, math.NaN()} {
			if got := MOS(s, r*s.factor()); got != 1 {
				t.Errorf("%s R %g: MOS %g, want 1", s, r, got)
			}
		}
		for _, r := range []float64{100, 101, math.Inf(1)} {
			if got := MOS(s, r*s.factor()); got != 4.5 {
				t.Errorf("%s R %g: MOS %g, want 4.5", s, r, got)
			}
		}
		for _, score := range []float64{0, 0.999, 4.501, math.NaN(), math.Inf(1)} {
			if r, ok := RFromMOS(s, score); ok {
				t.Errorf("%s MOS %g: R %g", s, score, r)
			}
		}
		if r, ok := RFromMOS(s, 1); !ok || !near(r, lowestR*s.factor(), 1e-9) {
			t.Errorf("%s MOS 1: R %g", s, r)
		}
		if r, ok := RFromMOS(s, 4.5); !ok || !near(r, 100*s.factor(), 1e-9) {
			t.Errorf("%s MOS 4.5: R %g", s, r)
		}
	}
}

// TestBands is G.107 Table B.1.
func TestBands(t *testing.T) {
	for _, row := range []struct {
		r, mos, gob, pow float64
		band             Band
	}{
		{90, 4.34, 97, 0, VerySatisfied},
		{80, 4.03, 89, 1, Satisfied},
		{70, 3.60, 73, 6, SomeDissatisfied},
		{60, 3.10, 50, 17, ManyDissatisfied},
		{50, 2.58, 27, 38, NearlyAllDissatisfied},
	} {
		if got := MOS(NB, row.r); !near(got, row.mos, 0.007) {
			t.Errorf("MOS of %g: %g", row.r, got)
		}
		if got := GoB(NB, row.r); !near(got, row.gob, 0.6) {
			t.Errorf("%%GoB of %g: %g", row.r, got)
		}
		if got := PoW(NB, row.r); !near(got, row.pow, 0.6) {
			t.Errorf("%%PoW of %g: %g", row.r, got)
		}
		for _, s := range []Scale{NB, WB, FB} {
			if at, under := BandOf(s, row.r*s.factor()+1e-9), BandOf(s, (row.r-0.01)*s.factor()); at != row.band || under != row.band-1 {
				t.Errorf("%s %g: %s, and just under it %s", s, row.r, at, under)
			}
		}
	}
	for _, s := range []Scale{NB, WB, FB} { // by the tables of the normal distribution
		for z, want := range map[float64]float64{0: 50, 1: 84.1345, -1: 15.8655, 2: 97.7250} {
			if good, poor := GoB(s, (60+16*z)*s.factor()), PoW(s, (45-16*z)*s.factor()); !near(good, want, 1e-4) || !near(poor, want, 1e-4) {
				t.Errorf("%s, %g deviations: %g and %g, want %g", s, z, good, poor, want)
			}
		}
	}
	for r, want := range map[float64]Band{math.NaN(): NotRecommended, math.Inf(-1): NotRecommended, 1e9: VerySatisfied} {
		if got := BandOf(NB, r); got != want {
			t.Errorf("%g: %s", r, got)
		}
	}
}

// TestShares: Shapley's shares sum to what was lost, and each is at most that.
func TestShares(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anyScale(t)
		in := Input{
			Scale: s, Codec: Own(s, rapid.Float64Range(0, 60).Draw(t, "Ie"), rapid.Float64Range(4.3, 40).Draw(t, "Bpl")),
			LossPct: rapid.Float64Range(0, 100).Draw(t, "loss"), LatePct: rapid.Float64Range(0, 100).Draw(t, "late"),
			BurstR: rapid.Float64Range(1, 8).Draw(t, "burst"), DelayMs: rapid.Float64Range(0, 2000).Draw(t, "delay"),
			Known: KnownLoss | KnownLate | KnownBurst | KnownDelay,
		}
		score, err := Rate(in)
		if err != nil {
			t.Fatal(err)
		}
		a := score.Attribution()
		if !near(a.Lost.Sum(), a.Reference-score.MOS(), 1e-12) {
			t.Errorf("the shares %+v sum to %.15f, lost are %.15f", a.Lost, a.Lost.Sum(), a.Reference-score.MOS())
		}
		for _, v := range []float64{a.Lost.Delay, a.Lost.Loss, a.Lost.Late} {
			if v < -1e-12 {
				t.Errorf("a fault helps: %+v", a.Lost)
			}
		}
		for _, v := range []float64{a.Fixed.Delay, a.Fixed.Loss, a.Fixed.Late} {
			if v < score.MOS()-1e-12 {
				t.Errorf("mending harms: %+v, MOS %g", a.Fixed, score.MOS())
			}
		}
	})
}

// TestUsualLine: what is computed in advance for the defaults is what would be computed for them, and stands for nothing else.
func TestUsualLine(t *testing.T) {
	for _, s := range []Scale{NB, WB} {
		p := Defaults(s)
		if got := quietOf(s, &p); got != computeQuiet(p) {
			t.Errorf("%s: %+v, want %+v", s, got, computeQuiet(p))
		}
		for i := range numSymbols {
			p := Defaults(s)
			p[i] += 0.5
			if got := quietOf(s, &p); got != computeQuiet(p) {
				t.Errorf("%s, another %s: %+v, want %+v", s, i, got, computeQuiet(p))
			}
		}
	}
}
