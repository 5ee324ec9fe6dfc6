package mos

// Shares are four figures, one for each cause.
type Shares struct{ Delay, Loss, Late, Codec float64 }

// Sum is all four.
func (s Shares) Sum() float64 { return s.Delay + s.Loss + s.Late + s.Codec }

// Attribution says what a call lost and to what, in MOS of its scale.
type Attribution struct {
	Reference float64 // MOS of the same call with an unimpaired codec, no delay and no loss
	Ceiling   float64 // MOS of the same call with its own codec, no delay and no loss: what faults are measured against

	// Lost is what each cause takes from Reference, by Shapley's rule: the mean over all orders in which the causes can join. Its sum is Reference - MOS.
	// The codec is a choice, not a fault.
	Lost Shares
	// Fixed is the MOS that the call would have without the one cause.
	Fixed Shares
}

// A cause is a bit of an index into the 16 combinations.
const (
	causeDelay = 1 << iota
	causeLoss
	causeLate
	causeCodec
	combinations
)

// Attribution divides what the call lost among delay, network loss, late loss and codec. The score must have been evaluated.
func (s *Score) Attribution() Attribution {
	v := s.worlds()
	all := combinations - 1
	return Attribution{
		Reference: v[0],
		Ceiling:   v[causeCodec],
		Lost:      Shares{shapley(&v, causeDelay), shapley(&v, causeLoss), shapley(&v, causeLate), shapley(&v, causeCodec)},
		Fixed:     Shares{v[all&^causeDelay], v[all&^causeLoss], v[all&^causeLate], v[all&^causeCodec]},
	}
}

// worlds are the MOS of the call under each combination of causes.
func (s *Score) worlds() (v [combinations]float64) {
	p := s.Params
	p.limit(s.Scale)
	still := p
	still.SetDelay(0)
	calm := line(s.Scale, &still)
	for i := range v {
		r := calm.without()
		if i&causeDelay != 0 {
			r = s.without()
		}
		v[i] = MOS(s.Scale, r-s.impairment(&p, i))
	}
	return v
}

// impairment is Ie,eff under a combination of causes. The narrowband scale's unimpaired codec is G.711 with concealment; the wider scales have no such
// reference, so there the codec gives up its Ie and keeps its Bpl.
func (s *Score) impairment(p *Params, causes int) float64 {
	ie, bpl, network, late := 0.0, p[Bpl], 0.0, 0.0
	if s.Scale == NB {
		bpl = referenceBpl
	}
	if causes&causeCodec != 0 {
		ie, bpl = p[Ie], p[Bpl]
	}
	if causes&causeLoss != 0 {
		network = s.LossPct
	}
	if causes&causeLate != 0 {
		late = s.Late.Pct
	}
	return ieEff(s.Scale, ie, bpl, CombinedLossPct(network, late), p[BurstR])
}

// referenceBpl is that of G.711 with concealment.
const referenceBpl = 25.1

// shapley is the mean loss of MOS when a cause joins, over the orders of the other three.
func shapley(v *[combinations]float64, cause int) float64 {
	weight := [...]float64{1.0 / 4, 1.0 / 12, 1.0 / 12, 1.0 / 4} // by how many have joined before: k!(3-k)!/4!
	sum := 0.0
	for others := range combinations {
		if others&cause == 0 {
			sum += weight[members(others)] * (v[others] - v[others|cause])
		}
	}
	return sum
}

// members counts the causes of a combination.
func members(causes int) (n int) {
	for ; causes != 0; causes &= causes - 1 {
		n++
	}
	return n
}
