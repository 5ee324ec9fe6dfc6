package mos

import (
	"encoding/binary"
	"math"
	"testing"
)

// FuzzParams: any bits for inputs give finite figures in their ranges.
func FuzzParams(f *testing.F) {
	f.Add(uint8(0), bits(Defaults(NB)))
	f.Add(uint8(1), bits(Defaults(WB)))
	f.Add(uint8(2), bits(Params{}))
	f.Add(uint8(1), bits(Defaults(NB))) // permitted on one scale and not on another
	f.Add(uint8(2), bits(Defaults(NB)))
	hostile := Params{}
	for i := range hostile {
		hostile[i] = []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, -1}[i%7]
	}
	for s := range uint8(4) {
		f.Add(s, bits(hostile))
	}
	f.Fuzz(func(t *testing.T, scale uint8, data []byte) {
		var p Params
		for i := range p {
			if len(data) >= 8 {
				p[i], data = math.Float64frombits(binary.LittleEndian.Uint64(data)), data[8:]
			}
		}
		s := Scale(scale)
		r := Compute(s, p)
		mustBeFinite(t, &r)
		for i := range numSymbols {
			k := PermittedRange(r.Scale, i)
			if inside := p[i] >= k.Low && p[i] <= k.High; inside == r.Outside.Has(i) {
				t.Errorf("%s=%g in %g to %g: outside %v", i, p[i], k.Low, k.High, r.Outside.Has(i))
			}
		}
	})
}

// FuzzInput: any measurements give finite figures, and shares that sum.
func FuzzInput(f *testing.F) {
	f.Add(uint8(0), uint16(0), 1.0, 2.0, 1.0, 150.0, 80.0, 5.0, 20.0, 60.0, 11.0, 19.0, true)
	f.Add(uint8(2), uint16(0xffff), math.NaN(), math.Inf(1), -1.0, math.Inf(-1), math.NaN(), 1e308, -20.0, math.NaN(), math.NaN(), -1.0, false)
	f.Add(uint8(1), uint16(0x7f), 100.0, 100.0, 0.0, 1e9, 1e9, 0.0, 0.0, 0.0, 500.0, 0.0, true)
	f.Fuzz(func(t *testing.T, scale uint8, known uint16, loss, late, burst, delay, rtt, jitter, packet, buffer, ie, bpl float64, adaptive bool) {
		s := Scale(scale % 3)
		in := Input{
			Scale: s, Codec: Own(s, ie, bpl), LossPct: loss, LatePct: late, BurstR: burst, DelayMs: delay, RTTMs: rtt, JitterMs: jitter, PacketMs: packet,
			Buffer: Buffer{Adaptive: adaptive, Ms: buffer}, Known: Known(known),
		}
		score, err := Rate(in)
		if err != nil {
			t.Fatal(err)
		}
		mustBeFinite(t, &score.Result)
		if !(score.LowR <= score.R && score.R <= score.HighR) {
			t.Errorf("R %g is not between %g and %g", score.R, score.LowR, score.HighR)
		}
		a := score.Attribution()
		if !near(a.Lost.Sum(), a.Reference-score.MOS(), 1e-12) {
			t.Errorf("shares %+v, lost %g", a.Lost, a.Reference-score.MOS())
		}
	})
}

func bits(p Params) []byte {
	var out []byte
	for _, v := range p {
		out = binary.LittleEndian.AppendUint64(out, math.Float64bits(v))
	}
	return out
}

func mustBeFinite(t *testing.T, r *Result) {
	t.Helper()
	for name, v := range map[string]float64{
		"R": r.R, "Ro": r.Ro, "Is": r.Is, "Idte": r.Idte, "Idle": r.Idle, "Idd": r.Idd, "IeEff": r.IeEff, "A": r.A, "No": r.No,
		"MOS": r.MOS(), "GoB": GoB(r.Scale, r.R), "PoW": PoW(r.Scale, r.R),
	} {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			t.Errorf("%s is %g", name, v)
		}
	}
	if m := r.MOS(); m < 1 || m > 4.5 {
		t.Errorf("MOS %g", m)
	}
	if sum := r.Ro - r.Is - r.Idte - r.Idle - r.Idd - r.IeEff + r.A; !near(sum, r.R, 1e-6*(1+math.Abs(r.R))) {
		t.Errorf("R %g, its parts make %g", r.R, sum)
	}
}
