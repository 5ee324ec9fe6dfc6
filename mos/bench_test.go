package mos

import "testing"

// BenchmarkNarrowband is the full G.107 of a call on a usual line, with delay, echo, loss and bursts.
func BenchmarkNarrowband(b *testing.B) { benchmarkScale(b, NB, 0) }

// BenchmarkNarrowbandOddLine is that of a line whose loudness is not the default: every term is computed.
func BenchmarkNarrowbandOddLine(b *testing.B) { benchmarkScale(b, NB, 1) }

// BenchmarkWideband is the full G.107.1.
func BenchmarkWideband(b *testing.B) { benchmarkScale(b, WB, 0) }

func benchmarkScale(b *testing.B, s Scale, louder float64) {
	p := Defaults(s)
	p.SetDelay(150)
	p[SLR] -= louder
	p[Ie], p[Bpl], p[Ppl], p[BurstR] = 11, 19, 2, 1.5
	b.ReportAllocs()
	sum := 0.0
	for b.Loop() {
		p[Ppl] += 1e-9
		r := Compute(s, p)
		sum += r.R
	}
	if sum == 0 {
		b.Fatal("nothing was computed")
	}
}

// BenchmarkRate is what an interval of a call costs: from measurements, with late loss by the model, to R and its range.
func BenchmarkRate(b *testing.B) {
	in := Input{Codec: G711(), LossPct: 1, RTTMs: 80, JitterMs: 12, Known: KnownCodec | KnownLoss | KnownRTT | KnownJitter}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Rate(in); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkAttribution is what its shares cost.
func BenchmarkAttribution(b *testing.B) {
	s, err := Rate(Input{Codec: G711(), LossPct: 1, RTTMs: 80, JitterMs: 12, Known: KnownCodec | KnownLoss | KnownRTT | KnownJitter})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if a := s.Attribution(); a.Reference == 0 {
			b.Fatal("nothing")
		}
	}
}

// TestNoAllocation: the way to a score and its shares allocates nothing.
func TestNoAllocation(t *testing.T) {
	in := Input{Codec: G711(), LossPct: 1, RTTMs: 80, JitterMs: 12, Known: KnownCodec | KnownLoss | KnownRTT | KnownJitter}
	var pool Pool
	perception := NewPerception(0)
	if n := testing.AllocsPerRun(100, func() {
		s, err := Rate(in)
		if err != nil || s.Attribution().Reference == 0 {
			t.Error(err)
		}
		pool.Add(&s, 250)
		perception.Add(5, s.IeEff)
		if whole, ok := pool.Score(); !ok || whole.R == 0 {
			t.Error("no score of the whole")
		}
	}); n != 0 {
		t.Errorf("%g allocations", n)
	}
}
