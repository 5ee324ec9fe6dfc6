package chunk

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"slices"
)

// Point is one value at one instant.
type Point struct {
	At    int64 // microseconds since 1970-01-01 UTC
	Value float64
}

// Block is the points of one series.
type Block struct {
	Series int64
	Points []Point
}

// Errors of Decode.
var (
	ErrDamaged = errors.New("the samples are damaged")
	ErrVersion = errors.New("the samples are of a newer version")
)

const (
	version    = 1
	flagSingle = 1 // every block has one point
	sumSize    = 4
)

func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

func checksum(b []byte) uint32 { return crc32.Checksum(b, castagnoli()) }

// Encode appends the payload of the blocks to dst. Blocks should come in the order of their series, which packs best; none should be empty,
// and an empty one is left out.
func Encode(dst []byte, blocks []Block) []byte {
	start := len(dst)
	count, points, single := 0, 0, true
	for i := range blocks {
		if n := len(blocks[i].Points); n > 0 {
			count++
			points += n
			single = single && n == 1
		}
	}
	dst = append(dst, version)
	dst = binary.AppendUvarint(dst, uint64(count))
	dst = binary.AppendUvarint(dst, uint64(points))
	flags := byte(0)
	if single {
		flags = flagSingle
	}
	dst = append(dst, flags)
	dst = appendIDs(dst, blocks)
	if !single {
		dst = appendCounts(dst, blocks)
	}
	dst = appendTimes(dst, blocks)
	scale := 0
	for i := range blocks {
		if points := blocks[i].Points; len(points) == 1 {
			dst, scale = appendValue(dst, points, scale)
		} else if len(points) > 1 {
			dst = appendValues(dst, points)
		}
	}
	return binary.LittleEndian.AppendUint32(dst, checksum(dst[start:]))
}

func appendIDs(dst []byte, blocks []Block) []byte {
	var last int64
	for i := range blocks {
		if len(blocks[i].Points) > 0 {
			dst = binary.AppendVarint(dst, blocks[i].Series-last)
			last = blocks[i].Series
		}
	}
	return dst
}

func appendCounts(dst []byte, blocks []Block) []byte {
	for i := range blocks {
		if n := len(blocks[i].Points); n > 0 {
			dst = binary.AppendUvarint(dst, uint64(n))
		}
	}
	return dst
}

// appendTimes lets the arithmetic wrap round: the reader's wraps back.
func appendTimes(dst []byte, blocks []Block) []byte {
	var first int64
	for i := range blocks {
		var last, step int64
		for j, p := range blocks[i].Points {
			if j == 0 {
				dst = binary.AppendVarint(dst, p.At-first)
				first = p.At
			} else {
				dst = binary.AppendVarint(dst, p.At-last-step)
				step = p.At - last
			}
			last = p.At
		}
	}
	return dst
}

// Decode reads a payload and calls visit for each block in order, until visit returns false. The points are valid until visit returns.
func Decode(payload []byte, visit func(series int64, points []Point) bool) error {
	return new(Decoder).Decode(payload, visit)
}

// Decoder decodes one payload after the other in the same memory. The zero Decoder is ready; it is not for several goroutines at once.
type Decoder struct {
	ids    []int64
	counts []int
	points []Point
}

// room is a slice of n elements, whose values are not set, in the memory of another when that is large enough.
func room[T any](of []T, n int) []T { return slices.Grow(of[:0], n)[:n] }

// Decode is as the function Decode.
func (d *Decoder) Decode(payload []byte, visit func(series int64, points []Point) bool) error {
	if len(payload) < 1+sumSize {
		return ErrDamaged
	}
	body := payload[:len(payload)-sumSize]
	if checksum(body) != binary.LittleEndian.Uint32(payload[len(body):]) {
		return ErrDamaged
	}
	if body[0] != version {
		return ErrVersion
	}
	return d.body(body[1:], visit)
}

func (d *Decoder) body(body []byte, visit func(int64, []Point) bool) error {
	r := reader{rest: body}
	blocks, points := r.uvarint(), r.uvarint()
	flags := r.octet()
	if r.bad || blocks > points || points > uint64(len(r.rest)) || flags > flagSingle { // each point takes an octet for its time at least
		return ErrDamaged
	}
	d.ids, d.counts, d.points = room(d.ids, int(blocks)), room(d.counts, int(blocks)), room(d.points, int(points))
	var last int64
	for i := range d.ids {
		last += r.varint()
		d.ids[i] = last
	}
	if !r.counts(d.counts, int(points), flags == flagSingle) {
		return ErrDamaged
	}
	if flags == flagSingle {
		return d.singles(&r, visit)
	}
	r.times(d.points, d.counts)
	at := 0
	for i, n := range d.counts {
		part := d.points[at : at+n]
		at += n
		if !r.values(part) {
			return ErrDamaged
		}
		if !visit(d.ids[i], part) {
			return nil
		}
	}
	if len(r.rest) != 0 {
		return ErrDamaged
	}
	return nil
}

// singles decodes what follows the ids when every block has one point.
func (d *Decoder) singles(r *reader, visit func(int64, []Point) bool) error {
	var at int64
	for i := range d.points {
		at += r.varint()
		d.points[i].At = at
	}
	for i := range d.points {
		one := d.points[i : i+1 : i+1]
		if len(r.rest) > 0 && r.rest[0] <= maxScale {
			scale := r.rest[0]
			r.rest = r.rest[1:]
			one[0].Value = float64(r.varint()) / pow10[scale]
		} else if !r.values(one) {
			return ErrDamaged
		}
		if r.bad {
			return ErrDamaged
		}
		if !visit(d.ids[i], one) {
			return nil
		}
	}
	if len(r.rest) != 0 {
		return ErrDamaged
	}
	return nil
}

// reader takes a payload apart. After the first octet that is missing or wrong it is bad and yields zeros.
type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) octet() byte {
	if len(r.rest) == 0 {
		r.bad = true
		return 0
	}
	b := r.rest[0]
	r.rest = r.rest[1:]
	return b
}

func (r *reader) uvarint() uint64 {
	if len(r.rest) > 2 { // nearly all take three octets at most
		switch a, b, c := r.rest[0], r.rest[1], r.rest[2]; {
		case a < 0x80:
			r.rest = r.rest[1:]
			return uint64(a)
		case b < 0x80:
			r.rest = r.rest[2:]
			return uint64(a&0x7f) | uint64(b)<<7
		case c < 0x80:
			r.rest = r.rest[3:]
			return uint64(a&0x7f) | uint64(b&0x7f)<<7 | uint64(c)<<14
		}
	}
	v, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.bad, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *reader) varint() int64 { return unzigzag(r.uvarint()) }

// counts reads how many points each block has; together they are exactly points.
func (r *reader) counts(counts []int, points int, single bool) bool {
	sum := 0
	for i := range counts {
		n := uint64(1)
		if !single {
			n = r.uvarint()
		}
		if n == 0 || n > uint64(points-sum) {
			return false
		}
		counts[i] = int(n)
		sum += int(n)
	}
	return sum == points && !r.bad
}

func (r *reader) times(list []Point, counts []int) {
	var first int64
	at := 0
	for _, n := range counts {
		first += r.varint()
		last, step := first, int64(0)
		list[at].At = first
		for j := 1; j < n; j++ {
			step += r.varint()
			last += step
			list[at+j].At = last
		}
		at += n
	}
}
