package mos

import (
	"math"
	"testing"
)

// TestMistakes computes mistakes that public E-model code makes, and shows that this package makes none of them: what the mistake gives must lie
// clearly away from what is computed here. (It is there that the vectors would not notice.)
func TestMistakes(t *testing.T) {
	p := Defaults(NB)
	p.SetDelay(150)
	r := Compute(NB, p)
	wide := Defaults(WB)
	wide.SetDelay(150)
	w := Compute(WB, wide)
	for _, m := range []struct {
		name          string
		mistaken, own float64
		apart         float64
	}{
		{"Pre - 35.2 in Nor", norWith(35.2, math.Log10), norWith(35, math.Log10), 1e-4},
		{"natural logarithm in Nor", norWith(35, math.Log), norWith(35, math.Log10), 0.5},
		{"natural logarithm in No", noWith(math.Log), r.No, 10},
		{"natural logarithm in TERV", tervWith(math.Log, 65, 150), echoLoudness(65, 150), 10},
		{"exponent +0.25 in Rle", softExcess(r.Ro-10.5*117*math.Pow(301, 0.25), 169), r.Idle, 0.5},
		{"K = 0.08T + 100", wideEchoWith(100 + 0.08*50), wideEchoWith(10 + 0.08*50), 0.05},
		{"+1 for -1 in Idte", r.Idte + 2, r.Idte, 1},
		{"(1+X^6)^1/6 read as ((1+X^6)^1)/6", 25 * ((1+pow6(math.Log2(1.5)))/6 - 3*(1+pow6(math.Log2(1.5)/3))/6 + 2), r.Idd, 1},
		{"Ppl as a fraction", ieEff(NB, 11, 19, 0.02, 1), ieEff(NB, 11, 19, 2, 1), 5},
		{"RTT used as Ta", absoluteDelay(300, 100, 1), r.Idd, 10},
		{"wideband Ie in the narrowband equation", r.R - (13 + narrowOnWide), r.R - 13, 30},
		{"narrowband cubic on a 129 scale", MOS(NB, w.R-30), MOS(WB, w.R-30), 0.2},
		{"129 in place of 95 in Ie,eff,wb", 20 + (129-20)*2/(2+4.3), ieEff(WB, 20, 4.3, 2, 1), 5},
	} {
		if math.Abs(m.mistaken-m.own) < m.apart || math.IsNaN(m.mistaken) {
			t.Errorf("%s: the mistake gives %.6f, here it is %.6f", m.name, m.mistaken, m.own)
		}
	}
}

// TestMistakesAreMade shows that the right form of the helpers below is this package's own figure, so that the test above compares what it says.
func TestMistakesAreMade(t *testing.T) {
	p := Defaults(NB)
	if got := norWith(35, math.Log10); !near(got, -83.357814, 1e-5) {
		t.Errorf("Nor %f", got)
	}
	if got := noWith(math.Log10); !near(got, noise(&p), 1e-9) {
		t.Errorf("No %f, want %f", got, noise(&p))
	}
	if got := tervWith(math.Log10, 65, 150); !near(got, echoLoudness(65, 150), 1e-9) {
		t.Errorf("TERV %f", got)
	}
	w := Defaults(WB)
	w.SetDelay(50)
	if got, want := wideEchoWith(10+0.08*50), Compute(WB, w).Idte; !near(got, want, 1e-9) {
		t.Errorf("Idte,WB %f, want %f", got, want)
	}
}

// TestNorInNo: Nor is 21 dB under No at the defaults, so that a mistake in it is only seen in a noisy room.
func TestNorInNo(t *testing.T) {
	p := Defaults(NB)
	p[Pr] = 85
	pre := 85 + 10*math.Log10(1+math.Pow(10, -0.8))
	nor := func(c float64) float64 { return 2 - 121 + pre + 0.008*(pre-c)*(pre-c) }
	if no := noise(&p); !near(no, nor(35), 0.2) || near(no, nor(35.2), 0.12) {
		t.Errorf("No %.4f, Nor %.4f, with 35.2 %.4f", no, nor(35), nor(35.2))
	}
}

// TestJitterUnits: 160 units are 20 ms at 8 kHz and 3.3 ms at 48 kHz; taken for milliseconds they would empty any buffer.
func TestJitterUnits(t *testing.T) {
	for clock, want := range map[uint32]float64{8000: 20, 16000: 10, 48000: 10.0 / 3} {
		if got, ok := JitterMs(160, clock); !ok || !near(got, want, 1e-12) {
			t.Errorf("%d Hz: %g ms, want %g", clock, got, want)
		}
	}
	right, _ := JitterMs(160, 8000)
	if a, b := LateLoss(right, Buffer{}), LateLoss(160, Buffer{}); b.Pct-a.Pct < 50 {
		t.Errorf("late loss %g and %g: the test has no power", a.Pct, b.Pct)
	}
	if _, ok := JitterMs(160, 0); ok {
		t.Error("a jitter without a clock")
	}
}

func norWith(c float64, log func(float64) float64) float64 {
	pre := 35 + 10*log(1+math.Pow(10, -0.8))
	return 2 - 121 + pre + 0.008*(pre-c)*(pre-c)
}

func noWith(log func(float64) float64) float64 {
	nos := 35 - 8 - 3 - 100 + 0.004*math.Pow(35-10-3-14, 2)
	sum := 0.0
	for _, level := range []float64{-70, nos, norWith(35, math.Log10), -62} {
		sum += math.Pow(10, level/10)
	}
	return 10 * log(sum)
}

func tervWith(log func(float64) float64, telr, t float64) float64 {
	return telr - 40*log((1+t/10)/(1+t/150)) + 6*math.Exp(-0.3*t*t)
}

// wideEchoWith is Idte on the wideband scale at 50 ms with some K.
func wideEchoWith(k float64) float64 {
	p := Defaults(WB)
	re := 80 + 3*(tervWith(math.Log10, 65, 50)+k-14)
	half := (-1.5*(noise(&p)-2) - re) / 2
	return (half + math.Sqrt(half*half+100) - 1) * (1 - math.Exp(-50))
}
