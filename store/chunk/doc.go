// Package chunk packs samples of one or many series into few octets, and notices when they come back damaged.
//
// A payload is columns, so that like stands beside like:
//
//	version  1 octet, 1
//	blocks   uvarint, how many series
//	points   uvarint, how many points in all
//	flags    1 octet; bit 0: every series has exactly one point, and the counts are left out
//	ids      for each block: varint, the distance of the series' id from the one before
//	counts   for each block: uvarint, its points
//	times    for each block: varint, the distance of its first time from the first time of the block before; then for each further point
//	         the change of the distance (delta of delta), microseconds
//	values   for each block: 1 octet that says how, then its values, whichever of these is smallest:
//	         0..9  integers, scaled by 10 to that power: varint, the distance from the value before
//	         10    XOR with the value before, its octets reversed, as uvarint
//	         11    eight octets each, little-endian, as IEEE 754 has them
//	sum      4 octets, CRC-32C (Castagnoli, RFC 3720 appendix B.4) of all before, little-endian
//
// varint is the zig-zag form of encoding/binary. What Encode takes, Decode gives back bit for bit and in the same order: NaN with its
// payload, infinities, negative zero, repeated times, times that run backwards. With one series a payload is a chunk of its history, with
// many it is one flush of all of them.
//
// Decode trusts nothing: a damaged or foreign payload is ErrDamaged or ErrVersion, never a panic, and never takes more memory than the
// payload's own length justifies.
package chunk
