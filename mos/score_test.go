package mos

import (
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const everything = KnownCodec | KnownPLC | KnownLoss | KnownLate | KnownBurst | KnownDelay

// TestWhatIsAssumed: everything that was not measured is named, and nothing else.
func TestWhatIsAssumed(t *testing.T) {
	g729, err := FindCodec("G729", 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		in   Input
		want []string
	}{
		{"all measured", Input{Codec: G711(), BurstR: 1, Known: everything}, []string{}},
		{"nothing known", Input{Codec: G711()}, []string{"codec", "plc", "loss", "late", "burst", "rtt"}},
		{"no PLC, so none assumed", Input{Codec: G711NoPLC(), BurstR: 1, Known: everything &^ KnownPLC}, []string{}},
		{"Bpl of a relative", Input{Codec: g729, BurstR: 1, Known: everything}, []string{"bpl"}},
		{"RTCP alone", Input{Codec: G711(), JitterMs: 5, Known: KnownCodec | KnownLoss | KnownJitter}, []string{"plc", "late", "burst", "rtt", "buffer"}},
		{"with RTT", Input{Codec: G711(), JitterMs: 5, Known: KnownCodec | KnownLoss | KnownJitter | KnownRTT}, []string{"plc", "late", "burst", "packet", "buffer"}},
		{"with XR discards", Input{Codec: G711(), Known: KnownCodec | KnownPLC | KnownLoss | KnownLate | KnownBurst | KnownRTT | KnownPacket | KnownBuffer, BurstR: 1, PacketMs: 20}, []string{}},
		{"moved to a wider scale", Input{Scale: WB, Codec: G711(), BurstR: 1, Known: everything}, []string{"ie", "bpl"}},
		{"NaN is not known", Input{Codec: G711(), LossPct: math.NaN(), DelayMs: math.NaN(), BurstR: 1, Known: everything}, []string{"loss", "rtt"}},
		{"codec without Bpl", Input{Codec: Own(NB, 5, 0), BurstR: 1, Known: everything}, []string{"bpl"}},
	} {
		s, err := Rate(c.in)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := s.Assumed.Words(); !slices.Equal(got, c.want) {
			t.Errorf("%s: assumed %v, want %v", c.name, got, c.want)
		}
		if s.Listening() != slices.Contains(c.want, "rtt") {
			t.Errorf("%s: listening %v", c.name, s.Listening())
		}
	}
	if got := (endOfAssumed - 1).String(); got != "codec,plc,ie,bpl,loss,late,burst,rtt,packet,buffer" {
		t.Error(got)
	}
}

// TestRate follows measurements into the E-model's inputs.
func TestRate(t *testing.T) {
	rated := func(in Input) Score {
		s, err := Rate(in)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := rated(Input{
		Codec: G711(), LossPct: 10, LatePct: 10, BurstR: 20, RTTMs: 100, PacketMs: 30, Buffer: Buffer{Ms: 80},
		Known: KnownLoss | KnownLate | KnownBurst | KnownRTT | KnownPacket | KnownBuffer,
	})
	if !near(s.Params[Ppl], 19, 1e-12) || !near(s.Params[Ta], 50+30+3.75+80, 1e-12) || s.Params[T] != s.Params[Ta] || s.Params[Tr] != 2*s.Params[Ta] {
		t.Errorf("Ppl %g, Ta %g, T %g, Tr %g", s.Params[Ppl], s.Params[Ta], s.Params[T], s.Params[Tr])
	}
	if s.Params[BurstR] != 8 || !s.Outside.Has(BurstR) {
		t.Errorf("BurstR %g, outside %s", s.Params[BurstR], s.Outside)
	}
	if s.Cautions != BurstyLoss {
		t.Errorf("cautions %q", s.Cautions)
	}
	if s = rated(Input{Codec: G711(), RTTMs: 100, Known: KnownRTT}); !near(s.Params[Ta], 50+20+3.75+60, 1e-12) {
		t.Errorf("Ta %g of what is assumed", s.Params[Ta])
	}
	// a burst ratio under 1 must not make a dead interval a good one
	if s = rated(Input{Codec: G711(), LossPct: 100, BurstR: 0, Known: KnownLoss | KnownBurst}); s.Params[BurstR] != 1 || !s.Outside.Has(BurstR) || s.R > 20 {
		t.Errorf("BurstR %g, outside %s, R %g", s.Params[BurstR], s.Outside, s.R)
	}
	if s = rated(Input{Codec: G711(), DelayMs: 120, RTTMs: 900, Known: KnownDelay | KnownRTT}); s.Params[Ta] != 120 {
		t.Errorf("delay must win over RTT: Ta %g", s.Params[Ta])
	}
	if s = rated(Input{Codec: G711(), LossPct: -3, Known: KnownLoss}); s.Params[Ppl] != 0 || s.Outside != 0 {
		t.Errorf("duplicates are no loss: Ppl %g, outside %s", s.Params[Ppl], s.Outside)
	}
	if s = rated(Input{Codec: G711(), LossPct: 30, DelayMs: 700, Known: KnownLoss | KnownDelay}); s.Outside.String() != "T,Tr,Ta,Ppl" {
		t.Errorf("outside %q", s.Outside)
	}
	// a known value without its bit is ignored
	if s = rated(Input{Codec: G711(), LossPct: 30, DelayMs: 700, JitterMs: 90, BurstR: 4}); s.R != rated(Input{Codec: G711()}).R {
		t.Errorf("R %g of what nobody measured", s.R)
	}
}

func TestRateRefuses(t *testing.T) {
	wide, err := FindCodec("AMR-WB", 12.65)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Rate(Input{Codec: wide}); !errors.Is(err, ErrNarrower) {
		t.Errorf("a wideband Ie in the narrowband equation: %v", err)
	}
	for _, c := range Codecs() {
		_, err := Rate(Input{Scale: FB, Codec: c, Known: KnownCodec})
		if unknown := c.Ie.Grade == Unknown; unknown != errors.Is(err, ErrNoFigures) {
			t.Errorf("%s: %v", c.Label(), err)
		}
	}
}

// TestSetReplacesAssumptions: what is given is no longer assumed, and Ppl takes the place of both losses.
func TestSetReplacesAssumptions(t *testing.T) {
	s, err := Prepare(Input{Codec: G711(), JitterMs: 30, RTTMs: 100, Known: KnownJitter})
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range []Symbol{Ie, Bpl, Ppl, BurstR, T, Ta, Tr, numSymbols, 255} {
		s.Set(i, 2)
	}
	s.Evaluate()
	if got := s.Assumed.Words(); !slices.Equal(got, []string{"buffer"}) {
		t.Errorf("assumed %v", got)
	}
	if s.LossPct != 2 || s.Late != (Late{}) || s.LowR != s.HighR {
		t.Errorf("loss %g, late %+v, R %g to %g", s.LossPct, s.Late, s.LowR, s.HighR)
	}
}

// TestAttributionExamples are three calls worked out by another implementation, to two decimals.
func TestAttributionExamples(t *testing.T) {
	for _, c := range []struct {
		name string
		in   Input
		want Shares
	}{
		{"G.729A, 2 %, 150 ms", Input{Codec: Own(NB, 11, 19), LossPct: 2, DelayMs: 150}, Shares{Delay: 0.13, Loss: 0.26, Codec: 0.40}},
		{"G.729A, 3 % and 2 % late, bursts, 300 ms", Input{Codec: Own(NB, 11, 19), LossPct: 3, LatePct: 2, BurstR: 1.5, DelayMs: 300}, Shares{0.92, 0.45, 0.29, 0.53}},
		{"G.711, 1 % and 5 % late, 100 ms", Input{Codec: G711(), LossPct: 1, LatePct: 5, DelayMs: 100}, Shares{Delay: 0.08, Loss: 0.10, Late: 0.52}},
	} {
		c.in.Known = KnownLoss | KnownLate | KnownDelay
		if c.in.BurstR != 0 {
			c.in.Known |= KnownBurst
		}
		s, err := Rate(c.in)
		if err != nil {
			t.Fatal(err)
		}
		got := s.Attribution()
		rounded := Shares{cents(got.Lost.Delay), cents(got.Lost.Loss), cents(got.Lost.Late), cents(got.Lost.Codec)}
		if diff := cmp.Diff(c.want, rounded); diff != "" {
			t.Errorf("%s:\n%s", c.name, diff)
		}
		if !near(got.Reference, 4.409406, 1e-6) {
			t.Errorf("%s: reference %g", c.name, got.Reference)
		}
	}
}

// TestFixed: without each cause alone, as if the call were rated so.
func TestFixed(t *testing.T) {
	in := Input{Codec: Own(NB, 11, 19), LossPct: 3, LatePct: 2, DelayMs: 300, Known: KnownLoss | KnownLate | KnownDelay}
	of := func(change func(*Input)) float64 {
		c := in
		change(&c)
		s, err := Rate(c)
		if err != nil {
			t.Fatal(err)
		}
		return s.MOS()
	}
	s, _ := Rate(in)
	a := s.Attribution()
	want := Shares{
		Delay: of(func(c *Input) { c.DelayMs = 0 }), Loss: of(func(c *Input) { c.LossPct = 0 }), Late: of(func(c *Input) { c.LatePct = 0 }),
		Codec: of(func(c *Input) { c.Codec = G711() }),
	}
	for i, pair := range [][2]float64{{a.Fixed.Delay, want.Delay}, {a.Fixed.Loss, want.Loss}, {a.Fixed.Late, want.Late}, {a.Fixed.Codec, want.Codec}} {
		if !near(pair[0], pair[1], 1e-12) {
			t.Errorf("cause %d: %g, want %g", i, pair[0], pair[1])
		}
	}
	if clean := of(func(c *Input) { c.DelayMs, c.LossPct, c.LatePct = 0, 0, 0 }); !near(a.Ceiling, clean, 1e-12) {
		t.Errorf("ceiling %g, want %g", a.Ceiling, clean)
	}
}

func cents(v float64) float64 { return math.Round(v*100) / 100 }

// TestScales: the same MOS is three different R, and perfect G.711 three different MOS.
func TestScales(t *testing.T) {
	for s, want := range map[Scale]float64{NB: 4.41, WB: 3.70, FB: 3.25} {
		score, err := Rate(Input{Scale: s, Codec: G711(), Known: everything})
		if err != nil {
			t.Fatal(err)
		}
		if got := score.MOS(); !near(got, want, 0.006) {
			t.Errorf("G.711 on %s: MOS %.4f, want %g", s, got, want)
		}
		if back, ok := ParseScale(s.String()); !ok || back != s {
			t.Errorf("%s is read as %s", s, back)
		}
	}
	if _, ok := ParseScale("swb"); ok {
		t.Error("swb is no scale")
	}
	if got := Compute(9, Defaults(NB)).Scale; got != NB {
		t.Errorf("scale 9 is %s", got)
	}
}

func TestSymbols(t *testing.T) {
	for _, name := range SymbolNames() {
		i, ok := ParseSymbol(name)
		if !ok || i.String() != name {
			t.Errorf("%s is read as %s", name, i)
		}
		for _, s := range []Scale{NB, WB, FB} {
			if k := PermittedRange(s, i); !(k.Low <= k.Default && k.Default <= k.High) {
				t.Errorf("%s %s: the default %g is not in %g to %g", s, name, k.Default, k.Low, k.High)
			}
		}
		if k := specs[i]; !(k.floor <= k.low && k.high <= k.ceiling) {
			t.Errorf("%s cannot be computed over all its range", name)
		}
	}
	if _, ok := ParseSymbol("ta"); ok {
		t.Error("ta is no symbol")
	}
	if got := Symbol(200).String(); got != "?" {
		t.Error(got)
	}
	if r := PermittedRange(NB, 200); r != (Range{}) {
		t.Error(r)
	}
}

// TestEchoOff: perfect echo control leaves the absolute delay alone (computed: 93.2 - Idd).
func TestEchoOff(t *testing.T) {
	for delay, want := range map[float64]float64{100: 93.36, 200: 90.31, 300: 78.59, 500: 62.71} {
		p := Defaults(NB)
		p.SetDelay(delay)
		p[Echo] = 0
		if r := Compute(NB, p); !near(r.R, want, 0.01) || r.Idte != 0 || r.Idle != 0 {
			t.Errorf("%g ms: R %.3f, want %g", delay, r.R, want)
		}
	}
}

// TestSidetoneCases reach the two branches for loud and for missing sidetone.
func TestSidetoneCases(t *testing.T) {
	base := Defaults(NB)
	base.SetDelay(100)
	base[TELR] = 40
	usual := Compute(NB, base)
	for stmr, want := range map[float64]func(r Result) float64{
		5:  func(r Result) float64 { return idteOf(&base, r, echoLoudness(40, 100)+r.Ist/2) },
		25: func(r Result) float64 { return math.Hypot(idteOf(&base, r, echoLoudness(40, 100)), r.Ist) },
	} {
		p := base
		p[STMR] = stmr
		r := Compute(NB, p)
		if !near(r.Idte, want(r), 1e-9) || near(r.Idte, usual.Idte, 1e-3) {
			t.Errorf("STMR %g: Idte %.6f, want %.6f; with 15 dB %.6f", stmr, r.Idte, want(r), usual.Idte)
		}
		if !r.Outside.Has(STMR) {
			t.Errorf("STMR %g is not flagged", stmr)
		}
	}
}

// idteOf is Idte written out once more, from TERV.
func idteOf(p *Params, r Result, terv float64) float64 {
	half := (-1.5*(r.No-p[RLR]) - (80 + 2.5*(terv-14))) / 2
	return (half + math.Sqrt(half*half+100) - 1) * (1 - math.Exp(-p[T]))
}
