package chunk

import "encoding/binary"

const (
	groupVersion = 0x91 // no version of Encode's or Pack's
	// MostParts is how many parts a group may have.
	MostParts = 1024
)

// Part is the packed samples of one series in a group.
type Part struct {
	Series int64
	Packed []byte // as Pack made it for the series
}

// AppendGroup appends the payload of a group to dst: the parts as they are, and where each is. They come in the order of their series.
func AppendGroup(dst []byte, parts []Part) []byte {
	start := len(dst)
	points := 0
	for _, p := range parts {
		n, _ := Count(p.Packed) // of one that is damaged it may be anything
		points += n
	}
	dst = append(dst, groupVersion)
	dst = binary.AppendUvarint(dst, uint64(points))
	dst = binary.AppendUvarint(dst, uint64(len(parts)))
	var last int64
	for _, p := range parts {
		dst = binary.AppendVarint(dst, p.Series-last)
		dst = binary.AppendUvarint(dst, uint64(len(p.Packed)))
		last = p.Series
	}
	dst = binary.LittleEndian.AppendUint32(dst, checksum(dst[start:]))
	for _, p := range parts {
		dst = append(dst, p.Packed...)
	}
	return dst
}

// Parts appends the parts of a payload to dst; they share its memory. A payload of Pack's is one part, of the series that its row is of.
// Damage to one part costs only this one, which Unpack notices: what is missing at the end the last parts lack, and what is too much is
// given to the last. ErrDamaged says that it cannot be told any more where the parts are, or that there is none.
func Parts(dst []Part, series int64, payload []byte) ([]Part, error) {
	switch {
	case len(payload) == 0:
		return dst, ErrDamaged
	case payload[0] == packVersion || payload[0] == packVersion1:
		return append(dst, Part{series, payload}), nil
	case payload[0] != groupVersion:
		return dst, ErrDamaged
	}
	r := reader{rest: payload[1:]}
	r.uvarint() // how many points
	n := int(min(r.uvarint(), MostParts+1))
	if r.bad || n == 0 || n > MostParts {
		return dst, ErrDamaged
	}
	lengths := r // again, when it is known where the parts begin
	for range n {
		r.varint()
		r.uvarint()
	}
	index := len(payload) - len(r.rest)
	if r.bad || len(r.rest) < sumSize || checksum(payload[:index]) != binary.LittleEndian.Uint32(r.rest) {
		return dst, ErrDamaged
	}
	return lengths.parts(dst, n, r.rest[sumSize:]), nil
}

// parts reads where n parts are, and takes them from octets.
func (r *reader) parts(dst []Part, n int, octets []byte) []Part {
	var last int64
	for range n - 1 {
		last += r.varint()
		long := min(r.uvarint(), uint64(len(octets)))
		dst = append(dst, Part{last, octets[:long:long]})
		octets = octets[long:]
	}
	return append(dst, Part{last + r.varint(), octets})
}

// HeadSize is how many octets of a payload Count needs at most.
const HeadSize = 1 + binary.MaxVarintLen64

// Count tells how many points a payload of Pack's or AppendGroup's says that it holds, from its first HeadSize octets alone: it cannot
// notice damage. ok is false when this is the beginning of no such payload.
func Count(head []byte) (n int, ok bool) {
	if len(head) < 2 {
		return 0, false
	}
	most := uint64(MostPoints)
	switch head[0] {
	case packVersion, packVersion1:
	case groupVersion:
		most = MostPoints * MostParts
	default:
		return 0, false
	}
	r := reader{rest: head[1:]}
	v := r.uvarint()
	if r.bad || v > most {
		return 0, false
	}
	return int(v), true
}
