package mos

import "math"

// MOS maps R of a scale to the mean opinion score of the same scale: 1 to 4.5 (G.107 Annex B, on R/1.29 and R/1.48 for the wider scales).
func MOS(s Scale, r float64) float64 {
	x := r / s.factor()
	switch {
	case !(x > lowestR): // NaN too
		return 1
	case x >= 100:
		return 4.5
	}
	return 1 + 0.035*x + x*(x-60)*(100-x)*7e-6
}

// lowestR is where the cubic comes up to 1 for good; below, it dips under it and would not be monotonic. It is 80 - sqrt(5400).
const lowestR = 6.51530771650466

// RFromMOS maps a MOS of a scale back (G.107 Appendix I). A MOS of 1 gives the highest R that has it. It is false for what is not between 1 and 4.5.
func RFromMOS(s Scale, score float64) (float64, bool) {
	if !(score >= 1 && score <= 4.5) {
		return 0, false
	}
	y := 15 * math.Sqrt(max(0, -903522+1113960*score-202500*score*score))
	h := math.Atan2(y, 18566-6750*score) / 3
	x := 20.0 / 3 * (8 - math.Sqrt(226)*math.Cos(h+math.Pi/3))
	return min(x, 100) * s.factor(), true
}

// GoB is the share of people, in per cent, who would call a connection of this R good or better.
func GoB(s Scale, r float64) float64 { return 100 * normal((r/s.factor()-60)/16) }

// PoW is the share of people, in per cent, who would call a connection of this R poor or worse.
func PoW(s Scale, r float64) float64 { return 100 * normal((45-r/s.factor())/16) }

// normal is the standard normal distribution function. NaN counts as the worst.
func normal(x float64) float64 {
	if math.IsNaN(x) {
		return 0
	}
	return math.Erfc(-x/math.Sqrt2) / 2
}

// Band is a category of user satisfaction, named by what starts at its R (G.107 Annex B, G.109).
type Band uint8

// The bands, the worst first, so that a better one is greater.
const (
	NotRecommended Band = iota // R under 50
	NearlyAllDissatisfied
	ManyDissatisfied
	SomeDissatisfied
	Satisfied
	VerySatisfied
)

// BandOf is the band of an R. On the wider scales R/1.29 and R/1.48 are used, which is a convention of this package: no Recommendation has bands for them.
func BandOf(s Scale, r float64) Band {
	x := r / s.factor()
	b := NotRecommended
	for b < VerySatisfied && x >= b.above() {
		b++
	}
	return b
}

// above is the narrowband R at which the next better band starts.
func (b Band) above() float64 { return 50 + 10*float64(b) }

// String is the category in words.
func (b Band) String() string {
	switch b {
	case VerySatisfied:
		return "very satisfied"
	case Satisfied:
		return "satisfied"
	case SomeDissatisfied:
		return "some users dissatisfied"
	case ManyDissatisfied:
		return "many users dissatisfied"
	case NearlyAllDissatisfied:
		return "nearly all users dissatisfied"
	}
	return "not recommended"
}
