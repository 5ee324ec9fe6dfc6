// Package chunk packs samples of one or many series into few octets, and notices when they come back damaged. Encode takes many series of few
// samples each, as one flush has them; Pack one series of many, as its hour or day has them.
//
// A payload of Encode is columns, so that like stands beside like:
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
// A payload of Pack is closer, because it knows what its neighbours are like:
//
//	version  1 octet, 0x82
//	points   uvarint, how many
//	times    1 octet k; varint, the first time; varint, the usual distance; then for each further point how much its distance differs from
//	         the usual one, as a residual
//	values   1 octet that says how, as above, of which 10 and 11 are the same; after 0..9: 1 octet, the order of the guess; 1 octet k; varint,
//	         the base; for order 2: varint, the first change; then for each point how much it differs from the guess, as a residual. The guess
//	         of order 0 is the base, of order 1 the value before, of order 2 the value before and the last change again
//	sum      4 octets, as above, but of all before and of the number of the series, 8 octets, little-endian, which are not there: so a
//	         payload that got the key of another series is noticed. In version 0x81, which is still read, as above
//
// A residual is written by Rice's code of its zig-zag form z: z >> k zeros, a one, the k low bits of z; or 24 zeros, a one, and all 64 bits
// of z where that would be more zeros. The residuals of a column fill whole octets, the last one with zeros. k is 0..48, or 63 when all
// residuals are zero, of which then no bit is written: a day of one value at even times takes 24 octets.
//
// A payload of AppendGroup is an index and the payloads of Pack's as they are, so that one of them can be read, or replaced, without the others:
//
//	version  1 octet, 0x91
//	points   uvarint, how many in all
//	parts    uvarint, how many series, 1024 at most
//	index    for each part: varint, the distance of the series' number from the one before; uvarint, its octets
//	sum      4 octets, CRC-32C of all before
//	parts    one after the other
//
// varint is the zig-zag form of encoding/binary. What Encode and Pack take, Decode and Unpack give back bit for bit and in the same order: NaN
// with its payload, infinities, negative zero, repeated times, times that run backwards.
//
// Decode, Unpack and Parts trust nothing: a damaged or foreign payload is ErrDamaged or ErrVersion, never a panic. Decode takes no more memory than
// the payload's own length justifies, Unpack no more than MostPoints need.
package chunk
