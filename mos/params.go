package mos

import (
	"math"
	"strings"
)

// Symbol names an input of the E-model as the Recommendations do.
type Symbol uint8

// The inputs. Levels are in dB, delays in milliseconds.
const (
	SLR    Symbol = iota // send loudness rating
	RLR                  // receive loudness rating
	STMR                 // sidetone masking rating
	LSTR                 // listener sidetone rating
	Ds                   // D-value of the telephone, send side
	Dr                   // D-value of the telephone, receive side
	TELR                 // talker echo loudness rating
	WEPL                 // weighted echo path loss
	T                    // mean one-way delay of the echo path
	Tr                   // round-trip delay in the four-wire loop
	Ta                   // absolute delay from mouth to ear
	ST                   // sT: how sensitive the conversation is to delay
	MT                   // mT: the least delay that is noticed
	QDU                  // qdu: quantization distortion units
	Ie                   // equipment impairment factor of the codec
	Bpl                  // packet-loss robustness of the codec
	Ppl                  // packet loss, per cent, late packets included
	BurstR               // burst ratio: 1 for random loss
	Nc                   // circuit noise referred to the 0 dBr point, dBm0p
	Nfor                 // noise floor at the receive side, dBmp
	Ps                   // room noise at the send side, dB(A)
	Pr                   // room noise at the receive side, dB(A)
	A                    // advantage factor
	Echo                 // 1: echo counts; 0: perfect echo control, Idte and Idle are 0
	numSymbols
)

// Params are all inputs of the E-model, indexed by Symbol: p[mos.Ppl] = 2.
type Params [numSymbols]float64

// Symbols is a set of inputs.
type Symbols uint32

// Has says whether the set contains an input.
func (s Symbols) Has(i Symbol) bool { return s>>i&1 == 1 }

// Names lists the inputs. It is empty, never nil.
func (s Symbols) Names() []string {
	names := []string{}
	for i := range numSymbols {
		if s.Has(i) {
			names = append(names, i.String())
		}
	}
	return names
}

// String lists the inputs, with commas.
func (s Symbols) String() string { return strings.Join(s.Names(), ",") }

// Range is what a Recommendation permits for an input, and what it takes when nothing is known.
type Range struct {
	Low, High, Default float64
	Unit               string
}

// spec is what is known of an input. Beyond the floor and the ceiling the formulae have no meaning (a root of a negative number, a loss of more than all);
// what lies there is computed as the limit itself.
type spec struct {
	name           string
	low, high      float64
	floor, ceiling float64
	standard       float64
	unit           string
}

// specs holds G.107 (06/2015) Table 2: defaults and permitted ranges.
var specs = [numSymbols]spec{
	SLR:    {"SLR", 0, 18, -50, 50, 8, "dB"},
	RLR:    {"RLR", -5, 14, -50, 50, 2, "dB"},
	STMR:   {"STMR", 10, 20, 0, 60, 15, "dB"},
	LSTR:   {"LSTR", 13, 23, -20, 100, 18, "dB"},
	Ds:     {"Ds", -3, 3, -50, 50, 3, "dB"},
	Dr:     {"Dr", -3, 3, -50, 50, 3, "dB"},
	TELR:   {"TELR", 5, 65, 0, 200, 65, "dB"},
	WEPL:   {"WEPL", 5, 110, 0, 1e6, 110, "dB"},
	T:      {"T", 0, 500, 0, 1e5, 0, "ms"},
	Tr:     {"Tr", 0, 1000, 0, 2e5, 0, "ms"},
	Ta:     {"Ta", 0, 500, 0, 1e5, 0, "ms"},
	ST:     {"sT", 0.4, 1, 0.1, 10, 1, ""},
	MT:     {"mT", 20, 150, 1, 1e5, 100, "ms"},
	QDU:    {"qdu", 1, 14, 1, 400, 1, ""},
	Ie:     {"Ie", 0, 40, 0, 95, 0, ""},
	Bpl:    {"Bpl", 4.3, 40, 0.01, 1e6, 4.3, ""},
	Ppl:    {"Ppl", 0, 20, 0, 100, 0, "%"},
	BurstR: {"BurstR", 1, 8, 0.1, 1e3, 1, ""},
	Nc:     {"Nc", -80, -40, -150, 0, -70, "dBm0p"},
	Nfor:   {"Nfor", -64, -64, -150, 0, -64, "dBmp"},
	Ps:     {"Ps", 35, 85, 0, 150, 35, "dB(A)"},
	Pr:     {"Pr", 35, 85, 0, 150, 35, "dB(A)"},
	A:      {"A", 0, 20, -100, 100, 0, ""},
	Echo:   {"echo", 0, 1, 0, 1, 1, ""},
}

// permitted are the ranges alone, by scale, which are looked at for every score.
var permitted = func() (r [FB + 1][numSymbols][2]float64) {
	for s := range r {
		for i := range numSymbols {
			k := specOf(Scale(s), i)
			r[s][i] = [2]float64{k.low, k.high}
		}
	}
	return r
}()

// String is the Recommendation's spelling.
func (i Symbol) String() string {
	if i >= numSymbols {
		return "?"
	}
	return specs[i].name
}

// SymbolNames are all inputs by name, in the order of the Recommendation.
func SymbolNames() []string {
	names := make([]string, numSymbols)
	for i := range numSymbols {
		names[i] = specs[i].name
	}
	return names
}

// ParseSymbol finds an input by its name. Case matters: T is not t, and Ta is not TA.
func ParseSymbol(name string) (Symbol, bool) {
	for i := range numSymbols {
		if specs[i].name == name {
			return i, true
		}
	}
	return 0, false
}

// PermittedRange is what the Recommendation of a scale permits for an input.
func PermittedRange(s Scale, i Symbol) Range {
	if i >= numSymbols {
		return Range{}
	}
	k := specOf(s, i)
	return Range{Low: k.low, High: k.high, Default: k.standard, Unit: k.unit}
}

// specOf is the entry of specs as it holds on a scale. Codec figures of the wider scales are larger, and their noise floor is lower.
func specOf(s Scale, i Symbol) spec {
	k := specs[i]
	switch {
	case i == Ie && s == WB:
		k.high = 95
	case i == Ie && s == FB:
		k.high, k.ceiling = 132, 132
	case i == Nfor && s != NB:
		k.low, k.high, k.standard = -96, -96, -96
	}
	return k
}

// Defaults are the inputs of a scale when nothing is known.
func Defaults(s Scale) Params {
	var p Params
	for i := range numSymbols {
		p[i] = specOf(s, i).standard
	}
	return p
}

// SetDelay sets the three delays of a symmetric call from one: T and Ta to ms, Tr to twice as much.
func (p *Params) SetDelay(ms float64) { p[T], p[Ta], p[Tr] = ms, ms, 2*ms }

// limit brings each input into the limits of the formulae, and says which lie outside the permitted ranges. NaN is taken as the default.
func (p *Params) limit(s Scale) (outside Symbols) {
	ranges := &permitted[s]
	for i := range numSymbols {
		if v, k := p[i], &ranges[i]; !(v >= k[0] && v <= k[1]) {
			p[i], outside = limitOne(s, i, v, outside)
		}
	}
	return outside
}

// limitOne treats an input that is outside its narrowband range.
func limitOne(s Scale, i Symbol, v float64, outside Symbols) (float64, Symbols) {
	k := specOf(s, i)
	if math.IsNaN(v) {
		return k.standard, outside | 1<<i
	}
	if v < k.low || v > k.high {
		outside |= 1 << i
	}
	return min(max(v, k.floor), k.ceiling), outside
}
