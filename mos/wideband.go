package mos

// The basic ratios of the wider scales.
const (
	roWB = 129
	roFB = 148
)

// wideband computes the line's part of G.107.1 (06/2019). The inputs are limited.
func wideband(p *Params) Result {
	r := Result{Scale: WB, Ro: roWB, A: p[A], No: quietOf(WB, p).no}
	if p[Echo] != 0 {
		r.Idte = wideTalkerEcho(p, r.No)
		r.Idle = listenerEcho(p, roWB)
	}
	r.Idd = WB.factor() * absoluteDelay(p[Ta], p[MT], p[ST])
	return r
}

// wideTalkerEcho is Idte of the wideband scale; K makes an echo less loud in a wider band.
func wideTalkerEcho(p *Params, no float64) float64 {
	if p[T] < 1 {
		return 0
	}
	k := 18.0
	if p[T] < 100 {
		k = 0.08*p[T] + 10
	}
	re := 80 + 3*(echoLoudness(p[TELR], p[T])+k-14)
	return echoImpairment(-1.5*(no-p[RLR]), re, p[T])
}

// fullband computes the line's part of G.107.2 (06/2019), which knows no echo.
func fullband(p *Params) Result {
	return Result{Scale: FB, Ro: roFB, A: p[A], Idd: FB.factor() * absoluteDelay(p[Ta], p[MT], p[ST])}
}
