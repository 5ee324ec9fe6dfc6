package chunk

import "encoding/binary"

// HeadSize is how many octets of a payload Count needs at most.
const HeadSize = 1 + binary.MaxVarintLen32

// Count tells how many points a payload of Pack's says that it holds, from its first HeadSize octets alone: it cannot notice damage. ok is
// false when this is the beginning of no such payload.
func Count(head []byte) (n int, ok bool) {
	if len(head) < 2 || head[0] != packVersion {
		return 0, false
	}
	r := reader{rest: head[1:]}
	v := r.uvarint()
	if r.bad || v > MostPoints {
		return 0, false
	}
	return int(v), true
}
