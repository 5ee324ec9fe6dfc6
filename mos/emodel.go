package mos

import (
	"math"
	"strings"
)

// Scale is the scale that an R or a MOS belongs to. Two figures of different scales must not be compared or averaged.
type Scale uint8

// The scales, by the audio band of their best codec.
const (
	NB Scale = iota // narrowband, G.107: R up to 100, MOS-CQEN
	WB              // wideband, G.107.1: R up to 129, MOS-CQEW
	FB              // fullband, G.107.2: R up to 148, MOS-CQEF
)

// String is nb, wb or fb.
func (s Scale) String() string {
	switch s {
	case WB:
		return "wb"
	case FB:
		return "fb"
	}
	return "nb"
}

// ParseScale reads nb, wb or fb.
func ParseScale(text string) (Scale, bool) {
	for _, s := range []Scale{NB, WB, FB} {
		if s.String() == text {
			return s, true
		}
	}
	return NB, false
}

// known makes a scale of any value; what is none is taken as narrowband.
func (s Scale) known() Scale {
	if s > FB {
		return NB
	}
	return s
}

// factor is how much longer the scale's R is than the narrowband's.
func (s Scale) factor() float64 {
	switch s {
	case WB:
		return 1.29
	case FB:
		return 1.48
	}
	return 1
}

// Caution names a limit of the model that a result is beyond or near.
type Caution uint8

// The cautions.
const (
	// BurstyLoss: G.107 trusts a BurstR over 2 only for less than 2 per cent of loss.
	BurstyLoss Caution = 1 << iota
	// BurstyCodec: a BurstR other than 1 is recommended only for codecs with a Bpl of 16 or more.
	BurstyCodec
	// BurstExtended: BurstR was used on a scale whose Recommendation has none.
	BurstExtended
)

// Texts says what each caution means. It is empty, never nil.
func (c Caution) Texts() []string {
	said := []string{}
	for _, k := range []struct {
		bit  Caution
		text string
	}{
		{BurstyLoss, "BurstR over 2 is only trusted for loss under 2 %"},
		{BurstyCodec, "BurstR other than 1 is only recommended for codecs with Bpl of 16 or more"},
		{BurstExtended, "BurstR is no input of this scale's Recommendation, and is used as in G.107"},
	} {
		if c&k.bit != 0 {
			said = append(said, k.text)
		}
	}
	return said
}

// String joins the texts.
func (c Caution) String() string { return strings.Join(c.Texts(), "; ") }

// Result is an R and what it was made of: R = Ro - Is - Idte - Idle - Idd - IeEff + A. All are in units of R of the scale.
type Result struct {
	Scale Scale
	R     float64

	Ro    float64 // basic signal-to-noise ratio
	Is    float64 // what is simultaneous with speech: Iolr + Ist + Iq
	Idte  float64 // talker echo
	Idle  float64 // listener echo
	Idd   float64 // absolute delay
	IeEff float64 // codec and loss
	A     float64 // advantage

	Iolr, Ist, Iq float64 // too loud a connection, sidetone, quantizing; narrowband only
	No            float64 // sum of all noise, dBm0p; narrowband and wideband

	Outside  Symbols // inputs outside their permitted range
	Cautions Caution
}

// Id is all that delay costs.
func (r *Result) Id() float64 { return r.Idte + r.Idle + r.Idd }

// MOS is the mean opinion score of R on the result's scale.
func (r *Result) MOS() float64 { return MOS(r.Scale, r.R) }

// Compute evaluates the E-model of a scale.
func Compute(s Scale, p Params) Result {
	s = s.known()
	outside := p.limit(s)
	r := evaluate(s, &p)
	r.Outside = outside
	return r
}

// evaluate is Compute for inputs that are limited.
func evaluate(s Scale, p *Params) Result {
	r := line(s, p)
	r.Cautions = cautions(s, p)
	r.IeEff = ieEff(s, p[Ie], p[Bpl], p[Ppl], p[BurstR])
	r.R = r.without() - r.IeEff
	return r
}

// without is R without codec and loss.
func (r *Result) without() float64 { return r.Ro - r.Is - r.Id() + r.A }

// line computes all but the codec: what the line and its delay do. The inputs are limited.
func line(s Scale, p *Params) Result {
	switch s {
	case WB:
		return wideband(p)
	case FB:
		return fullband(p)
	}
	return narrowband(p)
}

// ieEff is the effective equipment impairment: the codec's own, and what loss (per cent) adds, at most to the worst there is
// (G.107 eq. 7-29, G.107.1 eq. 7-15, G.107.2).
func ieEff(s Scale, ie, bpl, ppl, burstR float64) float64 {
	worst := 95.0 // on the wideband scale too
	if s == FB {
		worst = 132
	}
	return ie + (worst-ie)*min(1, ppl/(ppl/burstR+bpl))
}

func cautions(s Scale, p *Params) (c Caution) {
	if p[BurstR] == 1 || p[Ppl] == 0 {
		return 0
	}
	if p[BurstR] > 2 && p[Ppl] >= 2 {
		c |= BurstyLoss
	}
	if p[Bpl] < 16 {
		c |= BurstyCodec
	}
	if s != NB {
		c |= BurstExtended
	}
	return c
}

// exp10 is 10 to the power of x.
func exp10(x float64) float64 { return math.Exp(x * math.Ln10) }

// fromDB is the power ratio of a level in dB.
func fromDB(level float64) float64 { return math.Exp(level * (math.Ln10 / 10)) }

// log10 is the logarithm to base 10. It is quicker than the standard library's and as exact as these formulae need.
func log10(x float64) float64 { return math.Log(x) * (1 / math.Ln10) }
