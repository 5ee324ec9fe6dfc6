package mos

import "math"

// narrowband computes the line's part of G.107 (06/2015) clause 7. The inputs are limited.
func narrowband(p *Params) Result {
	q := quietOf(NB, p)
	r := Result{Scale: NB, A: p[A], No: q.no, Ro: q.ro, Iolr: q.iolr, Iq: q.iq}
	r.Ist = sidetone(p)
	r.Is = r.Iolr + r.Ist + r.Iq
	if p[Echo] != 0 {
		r.Idte = talkerEcho(p, r.No, r.Ist)
		r.Idle = listenerEcho(p, r.Ro)
	}
	r.Idd = absoluteDelay(p[Ta], p[MT], p[ST])
	return r
}

// quiet is what follows from loudness and noise alone, without delay.
type quiet struct{ no, ro, iolr, iq float64 }

// usual is quiet at the defaults, which nearly every call has: its 14 powers and logarithms need not be computed again.
var usual = [...]struct {
	of Params
	is quiet
}{
	NB: {Defaults(NB), computeQuiet(Defaults(NB))},
	WB: {Defaults(WB), computeQuiet(Defaults(WB))},
}

// quietOf is quiet of a narrowband or wideband line.
func quietOf(s Scale, p *Params) quiet {
	d := &usual[s].of
	if p[SLR] == d[SLR] && p[RLR] == d[RLR] && p[LSTR] == d[LSTR] && p[Ds] == d[Ds] && p[QDU] == d[QDU] &&
		p[Nc] == d[Nc] && p[Nfor] == d[Nfor] && p[Ps] == d[Ps] && p[Pr] == d[Pr] {
		return usual[s].is
	}
	return computeQuiet(*p)
}

func computeQuiet(p Params) quiet {
	q := quiet{no: noise(&p)}
	q.ro = 15 - 1.5*(p[SLR]+q.no)
	q.iolr = tooLoud(&p, q.no)
	q.iq = quantizing(p[QDU], q.ro)
	return q
}

// noise is No, the power sum of all noise in dBm0p.
func noise(p *Params) float64 {
	olr := p[SLR] + p[RLR]
	sent := p[Ps] - olr - p[Ds] - 14
	nos := p[Ps] - p[SLR] - p[Ds] - 100 + 0.004*sent*sent
	pre := p[Pr] + 10*log10(1+fromDB(10-p[LSTR]))
	nor := p[RLR] - 121 + pre + 0.008*(pre-35)*(pre-35)
	nfo := p[Nfor] + p[RLR]
	return 10 * log10(fromDB(p[Nc])+fromDB(nos)+fromDB(nor)+fromDB(nfo))
}

// tooLoud is Iolr: the connection is too loud for its noise.
func tooLoud(p *Params, no float64) float64 {
	x := (p[SLR] + p[RLR] + 0.2*(64+no-p[RLR])) / 8
	return 20 * (eighthRoot(1+pow8(x)) - x)
}

// sidetone is Ist: one hears oneself too loud or not at all. An echo of a few milliseconds is sidetone.
func sidetone(p *Params) float64 {
	echo := math.Exp(-p[T]/4 - p[TELR]*(math.Ln10/10))
	x := -10 * log10(fromDB(-p[STMR])+echo)
	low, high, far := (x-13)/6, (x+1)/19.4, (x-3)/33
	return 12*eighthRoot(1+pow8(low)) - 28*root1p(pow35(high), 35) - 13*root1p(pow13(far), 13) + 29
}

// quantizing is Iq, from the number of PCM codings in a row.
func quantizing(qdu, ro float64) float64 {
	q := 37.0
	if qdu != 1 {
		q -= 15 * log10(qdu)
	}
	g := 1.07 + 0.258*q + 0.0602*q*q
	y := (ro-100)/15 + 46/8.4 - g/9
	z := 46.0/30 - g/40
	return 15 * log10(1+exp10(y)+exp10(z))
}

// talkerEcho is Idte. Before 1 ms an echo is sidetone.
func talkerEcho(p *Params, no, ist float64) float64 {
	if p[T] < 1 {
		return 0
	}
	terv := echoLoudness(p[TELR], p[T])
	if p[STMR] < 9 {
		terv += ist / 2
	}
	re := 80 + 2.5*(terv-14)
	idte := echoImpairment(-1.5*(no-p[RLR]), re, p[T])
	if p[STMR] > 20 {
		return math.Sqrt(idte*idte + ist*ist)
	}
	return idte
}

// echoLoudness is TERV: the loss of the echo path as it is perceived, in dB.
func echoLoudness(telr, t float64) float64 {
	terv := telr - 40*log10((150+15*t)/(150+t))
	if t < 12 { // beyond, the term is nothing
		terv += 6 * math.Exp(-0.3*t*t)
	}
	return terv
}

// echoImpairment is the last step of Idte: how far the echo's rating re is under the line's own, roe; never under 0.
func echoImpairment(roe, re, t float64) float64 {
	idte := softExcess(roe-re, 100) - 1
	if t < 40 { // beyond, the factor is 1
		idte *= 1 - math.Exp(-t)
	}
	return max(0, idte)
}

// listenerEcho is Idle; ro is the scale's basic ratio.
func listenerEcho(p *Params, ro float64) float64 {
	rle := 10.5 * (p[WEPL] + 7) / math.Sqrt(math.Sqrt(p[Tr]+1))
	return softExcess(ro-rle, 169)
}

// softExcess is d/2 + sqrt(d²/4 + c): about d where that is large, about 0 where it is far below 0. It is written so that nothing cancels out.
func softExcess(d, c float64) float64 {
	root := math.Sqrt(d*d/4 + c)
	if d < 0 {
		return c / (root - d/2)
	}
	return d/2 + root
}

// absoluteDelay is Idd: the parties interrupt each other. m is the delay that is noticed, s the sensitivity.
func absoluteDelay(ta, m, s float64) float64 {
	if ta <= m {
		return 0
	}
	x := math.Log2(ta / m)
	if s == 1 {
		return max(0, 25*(root1p(pow6(x), 6)-3*root1p(pow6(x/3), 6)+2))
	}
	e := 6 * s
	return max(0, 25*(root1p(math.Pow(x, e), e)-3*root1p(math.Pow(x/3, e), e)+2))
}

func pow6(x float64) float64 { x *= x; return x * x * x }
func pow8(x float64) float64 { x *= x; x *= x; return x * x }

func pow13(x float64) float64 {
	x4 := x * x * x * x
	return x4 * x4 * x4 * x
}

func pow35(x float64) float64 {
	x8 := pow8(x)
	return x8 * x8 * x8 * x8 * x * x * x
}

func eighthRoot(x float64) float64 { return math.Sqrt(math.Sqrt(math.Sqrt(x))) }

// root1p is the n-th root of 1 + y, for y of at least 0. Where y is small, five terms of the binomial series are exact and quicker.
func root1p(y, n float64) float64 {
	a := 1 / n
	if y < 2e-3 {
		return 1 + a*y*(1+(a-1)/2*y*(1+(a-2)/3*y*(1+(a-3)/4*y*(1+(a-4)/5*y))))
	}
	return math.Exp(a * math.Log(1+y))
}
