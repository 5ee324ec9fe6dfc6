package chunk

import (
	"encoding/binary"
	"hash/crc32"
	"math"
	"math/bits"
	"slices"
)

const (
	packVersion  = 0x82 // no version of Encode's
	packVersion1 = 0x81 // the same, but the series is not under the checksum; still read
	// MostPoints is how many points Pack takes and Unpack gives back: one in 21 ms for a whole day.
	MostPoints = 1 << 22
)

// Pack appends the payload of one series' points to dst, of which there must be no more than MostPoints. The order of the points is kept,
// and they pack best in the order of time. The payload does not say which series it is of, but Unpack finds out when it is another.
func Pack(dst []byte, series int64, points []Point) []byte {
	start := len(dst)
	dst = append(dst, packVersion)
	dst = binary.AppendUvarint(dst, uint64(len(points)))
	if len(points) > 0 {
		dst = packTimes(dst, points)
		dst = packValues(dst, points)
	}
	return binary.LittleEndian.AppendUint32(dst, checksumOf(dst[start:], series))
}

// checksumOf is the checksum of what is before it, and of whose it is. What the first version made says nothing of that.
func checksumOf(body []byte, series int64) uint32 {
	sum := checksum(body)
	if len(body) > 0 && body[0] == packVersion1 {
		return sum
	}
	var whose [8]byte
	binary.LittleEndian.PutUint64(whose[:], uint64(series))
	return crc32.Update(sum, castagnoli(), whose[:])
}

// usualStep is the median of some distances between neighbours.
func usualStep(points []Point) int64 {
	const most = 31
	var some [most]int64
	n := min(len(points)-1, most)
	if n <= 0 {
		return 0
	}
	for i := range n {
		j := 1 + i*(len(points)-1)/n
		some[i] = points[j].At - points[j-1].At
	}
	slices.Sort(some[:n])
	return some[n/2]
}

// packTimes lets the arithmetic wrap round: the reader's wraps back.
func packTimes(dst []byte, points []Point) []byte {
	step := usualStep(points)
	var sizes lengths
	for i := 1; i < len(points); i++ {
		sizes.add(points[i].At - points[i-1].At - step)
	}
	k, _ := sizes.rice()
	dst = append(dst, byte(k))
	dst = binary.AppendVarint(dst, points[0].At)
	dst = binary.AppendVarint(dst, step)
	w := bitWriter{to: dst}
	for i := 1; i < len(points); i++ {
		w.residual(points[i].At-points[i-1].At-step, k)
	}
	return w.end()
}

// packValues writes the values in the shortest of the three ways.
func packValues(dst []byte, points []Point) []byte {
	start := len(dst)
	var few [64]int64 // an hour at one minute
	list, scale, ok := integers(few[:], points)
	if !ok {
		return appendFloats(dst, points)
	}
	dst = packIntegers(append(dst, byte(scale)), list)
	if size := len(dst) - start; size > 4*len(points)+8 {
		floats := appendFloats(nil, points)
		if len(floats) < size {
			return append(dst[:start], floats...)
		}
	}
	return dst
}

// integers gives the values as whole numbers at the smallest scale at which they are, in room when it is large enough.
func integers(room []int64, points []Point) (list []int64, scale int, ok bool) {
	if scale, ok = scaleOf(points); !ok {
		return nil, 0, false
	}
	if list = room; len(list) < len(points) {
		list = make([]int64, len(points))
	}
	for i, p := range points {
		list[i] = int64(math.RoundToEven(p.Value * pow10[scale]))
	}
	return list[:len(points)], scale, true
}

// appendFloats writes the values by XOR, or as they are when that is shorter.
func appendFloats(dst []byte, points []Point) []byte {
	start := len(dst)
	dst = appendXOR(dst, points)
	if len(dst)-start <= 1+8*len(points) {
		return dst
	}
	return appendRaw(dst[:start], points)
}

// guess foretells a value by those before: of order 0 it is always the base, of order 1 the value before, of order 2 that value plus
// the last change.
type guess struct {
	order      int
	next, last int64
}

// newGuess begins with the base, and with the first change, which only order 2 needs.
func newGuess(order int, base, change int64) guess { return guess{order, base, base - change} }

func (g *guess) learn(v int64) {
	switch g.order {
	case 1:
		g.next = v
	case 2:
		g.next, g.last = v+(v-g.last), v
	}
}

// packIntegers writes whole numbers by their distance to the guess that fits best.
func packIntegers(dst []byte, list []int64) []byte {
	sum := 0.0
	for _, v := range list {
		sum += float64(v)
	}
	bases, change := [3]int64{int64(sum / float64(len(list))), list[0], list[0]}, list[min(1, len(list)-1)]-list[0]
	best, bestK := bestGuess(list, bases, change)
	dst = append(dst, byte(best), byte(bestK))
	dst = binary.AppendVarint(dst, bases[best])
	if best == 2 {
		dst = binary.AppendVarint(dst, change)
	}
	w := bitWriter{to: dst}
	g := newGuess(best, bases[best], change)
	for _, v := range list {
		w.residual(v-g.next, bestK)
		g.learn(v)
	}
	return w.end()
}

// bestGuess is the order of the guess by which the numbers are shortest, all added up, and how many low bits are written as they are.
func bestGuess(list []int64, bases [3]int64, change int64) (order, k int) {
	var sums [3]int
	same, straight := bases[1], newGuess(2, bases[2], change)
	for _, v := range list {
		sums[0] += bits.Len64(zigzag(v - bases[0]))
		sums[1] += bits.Len64(zigzag(v - same))
		sums[2] += bits.Len64(zigzag(v - straight.next))
		same = v
		straight.learn(v)
	}
	for o, sum := range sums {
		if sum < sums[order] {
			order = o
		}
	}
	var sizes lengths
	g := newGuess(order, bases[order], change)
	for _, v := range list {
		sizes.add(v - g.next)
		g.learn(v)
	}
	k, _ = sizes.rice()
	return order, k
}

// Unpack appends the points of a payload of Pack's to dst. A payload that is damaged, or of another series, leaves dst as it was.
func Unpack(dst []Point, series int64, payload []byte) ([]Point, error) {
	if len(payload) < 1+sumSize {
		return dst, ErrDamaged
	}
	body := payload[:len(payload)-sumSize]
	if checksumOf(body, series) != binary.LittleEndian.Uint32(payload[len(body):]) {
		return dst, ErrDamaged
	}
	if body[0] != packVersion && body[0] != packVersion1 {
		return dst, ErrVersion
	}
	r := reader{rest: body[1:]}
	n := r.uvarint()
	if r.bad || n > MostPoints {
		return dst, ErrDamaged
	}
	all := slices.Grow(dst, int(n))[:len(dst)+int(n)]
	if n > 0 && (!r.unpackTimes(all[len(dst):]) || !r.unpackValues(all[len(dst):])) || len(r.rest) != 0 {
		return dst, ErrDamaged
	}
	return all, nil
}

// rice reads how many low bits are written as they are.
func (r *reader) rice() int {
	k := int(r.octet())
	if k > mostRice && k != noRice {
		r.bad = true
	}
	return k
}

// residuals begins to read bits.
func (r *reader) residuals() bitReader { return bitReader{rest: r.rest} }

// ended takes the octets that follow the bits; what is left of the last octet must be zero.
func (r *reader) ended(b *bitReader) bool {
	if b.bad() {
		return false
	}
	back := b.n / 8 // octets that were made ready and not needed
	spare := b.n % 8
	at := len(r.rest) - len(b.rest) - back
	if spare > 0 && r.rest[at-1]&(1<<spare-1) != 0 {
		return false
	}
	r.rest = r.rest[at:]
	return true
}

func (r *reader) unpackTimes(points []Point) bool {
	k := r.rice()
	at, step := r.varint(), r.varint()
	if r.bad {
		return false
	}
	points[0].At = at
	var some [128]int64 // zeros, when no bit was written
	b := r.residuals()
	for rest := points[1:]; len(rest) > 0; {
		n := min(len(rest), len(some))
		if k != noRice && !b.residuals(k, some[:n]) {
			return false
		}
		for i, v := range some[:n] {
			at += step + v
			rest[i].At = at
		}
		rest = rest[n:]
	}
	return r.ended(&b)
}

func (r *reader) unpackValues(points []Point) bool {
	if len(r.rest) > 0 && r.rest[0] > maxScale {
		return r.values(points)
	}
	scale, order, k := r.octet(), r.octet(), r.rice()
	base, change := r.varint(), int64(0)
	if order == 2 {
		change = r.varint()
	}
	if r.bad || order > 2 {
		return false
	}
	g := newGuess(int(order), base, change)
	var some [128]int64
	b := r.residuals()
	for rest := points; len(rest) > 0; {
		n := min(len(rest), len(some))
		if k != noRice && !b.residuals(k, some[:n]) {
			return false
		}
		for i, v := range some[:n] {
			v += g.next
			g.learn(v)
			rest[i].Value = float64(v) / pow10[scale]
		}
		rest = rest[n:]
	}
	return r.ended(&b)
}
