package mos

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// simple is G.107 and its two relatives written down once more, line by line as the Recommendation has them and with the standard library's functions only, to
// be compared with the quicker forms over the whole input space.
type simple struct{ no, ro, iolr, ist, iq, idte, idle, idd float64 }

func plainLine(s Scale, p *Params) simple {
	log, pow := math.Log10, math.Pow
	olr := p[SLR] + p[RLR]
	nos := p[Ps] - p[SLR] - p[Ds] - 100 + 0.004*pow(p[Ps]-olr-p[Ds]-14, 2)
	pre := p[Pr] + 10*log(1+pow(10, (10-p[LSTR])/10))
	nor := p[RLR] - 121 + pre + 0.008*pow(pre-35, 2)
	nfo := p[Nfor] + p[RLR]
	var v simple
	v.no = 10 * log(pow(10, p[Nc]/10)+pow(10, nos/10)+pow(10, nor/10)+pow(10, nfo/10))
	v.ro = 15 - 1.5*(p[SLR]+v.no)
	xolr := olr + 0.2*(64+v.no-p[RLR])
	v.iolr = 20 * (pow(1+pow(xolr/8, 8), 1.0/8) - xolr/8)
	stmro := -10 * log(pow(10, -p[STMR]/10)+math.Exp(-p[T]/4)*pow(10, -p[TELR]/10))
	v.ist = 12*pow(1+pow((stmro-13)/6, 8), 1.0/8) - 28*pow(1+pow((stmro+1)/19.4, 35), 1.0/35) - 13*pow(1+pow((stmro-3)/33, 13), 1.0/13) + 29
	q := 37 - 15*log(p[QDU])
	g := 1.07 + 0.258*q + 0.0602*q*q
	v.iq = 15 * log(1+pow(10, (v.ro-100)/15+46/8.4-g/9)+pow(10, 46.0/30-g/40))

	k, slope, re := 0.0, 2.5, 0.0
	if s != NB {
		v.ro, v.iolr, v.ist, v.iq = 129, 0, 0, 0
		slope = 3
		k = 18
		if p[T] < 100 {
			k = 0.08*p[T] + 10
		}
	}
	terv := p[TELR] + k - 40*log((1+p[T]/10)/(1+p[T]/150)) + 6*math.Exp(-0.3*p[T]*p[T])
	if s == NB && p[STMR] < 9 {
		terv += v.ist / 2
	}
	re = 80 + slope*(terv-14)
	roe := -1.5 * (v.no - p[RLR])
	if p[T] >= 1 {
		v.idte = math.Max(0, ((roe-re)/2+math.Sqrt(pow(roe-re, 2)/4+100)-1)*(1-math.Exp(-p[T])))
		if s == NB && p[STMR] > 20 {
			v.idte = math.Sqrt(v.idte*v.idte + v.ist*v.ist)
		}
	}
	rle := 10.5 * (p[WEPL] + 7) * pow(p[Tr]+1, -0.25)
	v.idle = (v.ro-rle)/2 + math.Sqrt(pow(v.ro-rle, 2)/4+169)
	if p[Ta] > p[MT] {
		x, e := math.Log(p[Ta]/p[MT])/math.Log(2), 6*p[ST]
		v.idd = 25 * (pow(1+pow(x, e), 1/e) - 3*pow(1+pow(x/3, e), 1/e) + 2)
	}
	if s == WB {
		v.idd *= 1.29
	}
	return v
}

// TestAgainstPlain compares every component over the permitted ranges, and sidetone a little beyond them.
func TestAgainstPlain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := Scale(rapid.IntRange(0, 1).Draw(t, "scale"))
		p := within(t, s)
		for _, i := range []Symbol{T, Tr, Ta} { // small delays matter most to echo
			if rapid.Bool().Draw(t, "small "+i.String()) {
				p[i] = rapid.Float64Range(0, 50).Draw(t, i.String()+" small")
			}
		}
		if rapid.Bool().Draw(t, "odd sidetone") {
			p[STMR] = rapid.Float64Range(2, 30).Draw(t, "STMR odd")
		}
		if rapid.Bool().Draw(t, "default class") {
			p[ST] = 1
		}
		r, want := Compute(s, p), plainLine(s, &p)
		for name, pair := range map[string][2]float64{
			"No": {r.No, want.no}, "Ro": {r.Ro, want.ro}, "Iolr": {r.Iolr, want.iolr}, "Ist": {r.Ist, want.ist}, "Iq": {r.Iq, want.iq},
			"Idte": {r.Idte, want.idte}, "Idle": {r.Idle, want.idle}, "Idd": {r.Idd, want.idd},
		} {
			if !near(pair[0], pair[1], 1e-8) {
				t.Errorf("%s: %.12f, want %.12f", name, pair[0], pair[1])
			}
		}
		id := want.idte + want.idle + want.idd
		ratio := p[Ppl] / (p[Ppl]/p[BurstR] + p[Bpl])
		whole := want.ro - want.iolr - want.ist - want.iq - id - (p[Ie] + (95-p[Ie])*math.Min(1, ratio)) + p[A]
		if !near(r.R, whole, 1e-7) {
			t.Errorf("R %.12f, want %.12f", r.R, whole)
		}
	})
}
