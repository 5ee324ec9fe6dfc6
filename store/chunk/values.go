package chunk

import (
	"encoding/binary"
	"math"
	"math/bits"
)

const (
	maxScale = 9
	modeXOR  = 10
	modeRaw  = 11
)

// pow10 are the scales. Each is exact as a float64.
var pow10 = [maxScale + 1]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9}

// scaled returns v × 10^scale as an integer, when that gives back v bit for bit.
func scaled(v float64, scale int) (int64, bool) {
	f := math.RoundToEven(v * pow10[scale])
	if !(math.Abs(f) <= 1<<53) {
		return 0, false
	}
	i := int64(f) // loses the sign of a negative zero, which is then no integer
	return i, math.Float64bits(float64(i)/pow10[scale]) == math.Float64bits(v)
}

// scaleOf is the smallest scale at which all points are integers.
func scaleOf(points []Point) (int, bool) {
	scale := 0
	for i := 0; i < len(points); i++ {
		if _, ok := scaled(points[i].Value, scale); ok {
			continue
		}
		for {
			if scale++; scale > maxScale {
				return 0, false
			}
			if _, ok := scaled(points[i].Value, scale); ok {
				break
			}
		}
		i = -1 // the points before must hold at the new scale too
	}
	return scale, true
}

// appendValues writes the values of one block in the shortest of the three ways.
func appendValues(dst []byte, points []Point) []byte {
	start, raw := len(dst), 1+8*len(points)
	dst, asIntegers := appendScaled(dst, points)
	integers := len(dst) - start
	if asIntegers && integers <= 1+2*len(points) { // the others seldom do better than two octets a value
		return dst
	}
	dst = appendXOR(dst, points)
	xor := len(dst) - start - integers
	switch {
	case asIntegers && integers <= min(xor, raw):
		return dst[:start+integers]
	case xor < raw:
		return dst[:start+copy(dst[start:], dst[start+integers:])]
	}
	return appendRaw(dst[:start], points)
}

// appendValue is appendValues for one point. It tries first whether the scale of the value before fits and no smaller one could, and returns
// the scale for the next.
func appendValue(dst []byte, one []Point, scale int) ([]byte, int) {
	v, fits := scaled(one[0].Value, scale)
	if !fits || scale > 0 && v%10 == 0 {
		if scale, fits = scaleOf(one); fits {
			v, _ = scaled(one[0].Value, scale)
		} else {
			scale = 0
		}
	}
	if fits && zigzag(v) < 1<<21 { // by XOR none that is so long takes fewer octets
		return binary.AppendVarint(append(dst, byte(scale)), v), scale
	}
	return appendValues(dst, one), scale
}

func appendRaw(dst []byte, points []Point) []byte {
	dst = append(dst, modeRaw)
	for _, p := range points {
		dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(p.Value))
	}
	return dst
}

func appendScaled(dst []byte, points []Point) ([]byte, bool) {
	scale, ok := scaleOf(points)
	if !ok {
		return dst, false
	}
	dst = append(dst, byte(scale))
	var last int64
	for _, p := range points {
		v, _ := scaled(p.Value, scale)
		dst = binary.AppendVarint(dst, v-last)
		last = v
	}
	return dst, true
}

func appendXOR(dst []byte, points []Point) []byte {
	dst = append(dst, modeXOR)
	var last uint64
	for _, p := range points {
		v := math.Float64bits(p.Value)
		dst = binary.AppendUvarint(dst, bits.ReverseBytes64(v^last))
		last = v
	}
	return dst
}

// values reads the values of one block into its points.
func (r *reader) values(points []Point) bool {
	mode := r.octet()
	switch {
	case r.bad || mode > modeRaw:
		return false
	case mode <= maxScale:
		var v int64
		for i := range points {
			v += r.varint()
			points[i].Value = float64(v) / pow10[mode]
		}
	case mode == modeXOR:
		var v uint64
		for i := range points {
			v ^= bits.ReverseBytes64(r.uvarint())
			points[i].Value = math.Float64frombits(v)
		}
	default:
		if len(r.rest) < 8*len(points) {
			return false
		}
		for i := range points {
			points[i].Value = math.Float64frombits(binary.LittleEndian.Uint64(r.rest[8*i:]))
		}
		r.rest = r.rest[8*len(points):]
	}
	return !r.bad
}
