package chunk

import (
	"encoding/binary"
	"math/bits"
)

const (
	mostRice = 48 // the largest number of low bits of a residual that are written as they are
	noRice   = 63 // stands for it where every residual is zero and no bit is written
	escape   = 24 // so many zeros begin a residual of which all 64 bits follow
)

// zigzag makes small numbers of small distances to zero.
func zigzag(v int64) uint64   { return uint64(v<<1) ^ uint64(v>>63) }
func unzigzag(z uint64) int64 { return int64(z>>1) ^ -int64(z&1) }

// lengths counts residuals by how many bits they take.
type lengths [65]int

func (l *lengths) add(residual int64) { l[bits.Len64(zigzag(residual))]++ }

// rice chooses how many low bits of each residual are written as they are, and how many bits all of them take by that, about.
func (l *lengths) rice() (k, size int) {
	count, longest := 0, 0
	for n, c := range l {
		if c > 0 {
			count, longest = count+c, n
		}
	}
	if longest == 0 {
		return noRice, 0
	}
	k, size = -1, 0
	for try := min(longest, mostRice); try >= 0; try-- {
		cost := count*(try+1) + l.above(try, longest)
		if k < 0 || cost <= size {
			k, size = try, cost
		} else if cost > size+size/4 {
			break // with fewer it only becomes worse
		}
	}
	return k, size
}

// above is how many bits the parts above the k lowest take, about, when no residual is longer than longest.
func (l *lengths) above(k, longest int) int {
	sum := 0
	for n := k + 1; n <= longest; n++ {
		switch over := n - k; {
		case l[n] == 0:
		case over > 5: // 24 and more
			sum += l[n] * (escape + 64)
		default:
			sum += l[n] * (3 << over) / 4 // the middle of the numbers of that length
		}
	}
	return sum
}

// bitWriter appends bits to octets, the highest first.
type bitWriter struct {
	to   []byte
	have uint64 // the bits that no octet has yet, at the low end
	n    int    // how many; fewer than 32 between calls
}

// bits appends the n low bits of v, 32 at most.
func (w *bitWriter) bits(v uint64, n int) {
	w.have = w.have<<n | v&(1<<n-1)
	if w.n += n; w.n >= 32 {
		w.n -= 32
		w.to = binary.BigEndian.AppendUint32(w.to, uint32(w.have>>w.n))
	}
}

// residual appends one residual by Rice's code: the part above the k lowest bits as so many zeros and a one, then the k bits.
func (w *bitWriter) residual(v int64, k int) {
	if k == noRice {
		return
	}
	z := zigzag(v)
	if high := z >> k; high < escape {
		w.bits(1, int(high)+1)
	} else {
		w.bits(1, escape+1)
		k = 64
	}
	if k > 32 {
		w.bits(z>>32, k-32)
		k = 32
	}
	w.bits(z, k)
}

// end fills the last octet with zeros and returns all.
func (w *bitWriter) end() []byte {
	if gap := -w.n & 7; gap > 0 {
		w.have, w.n = w.have<<gap, w.n+gap
	}
	for w.n > 0 {
		w.n -= 8
		w.to = append(w.to, byte(w.have>>w.n))
	}
	return w.to
}

// bitReader reads what bitWriter wrote. Beyond the end it reads zeros and is bad.
type bitReader struct {
	rest []byte
	have uint64 // the next bits, at the high end; below them zeros
	n    int    // how many; negative when more were read than there are
}

// fill makes 57 bits or more ready where there are as many.
func (r *bitReader) fill() {
	if len(r.rest) >= 8 && r.n >= 0 {
		octets := (63 - r.n) >> 3
		r.have |= binary.BigEndian.Uint64(r.rest) >> r.n &^ (1<<(64-r.n-8*octets) - 1)
		r.rest = r.rest[octets:]
		r.n += 8 * octets
		return
	}
	for r.n >= 0 && r.n <= 56 && len(r.rest) > 0 {
		r.have |= uint64(r.rest[0]) << (56 - r.n)
		r.rest = r.rest[1:]
		r.n += 8
	}
}

// take drops n bits, which are ready, and returns them.
func (r *bitReader) take(n int) uint64 {
	v := r.have >> 1 >> (63 - n)
	r.have <<= n
	r.n -= n
	return v
}

func (r *bitReader) bad() bool { return r.n < 0 }

// residuals reads as many residuals as to holds; false when there are not as many.
func (r *bitReader) residuals(k int, to []int64) bool {
	for i := range to {
		if r.n < escape+1+32 {
			r.fill()
		}
		zeros := bits.LeadingZeros64(r.have)
		if zeros >= escape || k > 32 {
			v, ok := r.long(k, zeros)
			if !ok {
				return false
			}
			to[i] = v
			continue
		}
		low := r.have << uint((zeros+1)&63)
		to[i] = unzigzag(uint64(zeros)<<uint(k&63) | low>>1>>uint((63-k)&63))
		r.have = low << uint(k&63)
		r.n -= zeros + 1 + k
	}
	return !r.bad()
}

// long reads one residual with more bits than are ready at once.
func (r *bitReader) long(k, zeros int) (int64, bool) {
	if zeros > escape {
		return 0, false
	}
	r.take(zeros + 1)
	high := uint64(zeros) << k
	if zeros == escape {
		k, high = 64, 0
	}
	if k > 32 {
		r.fill()
		high |= r.take(k-32) << 32
		k = 32
	}
	r.fill()
	return unzigzag(high | r.take(k)), !r.bad()
}
