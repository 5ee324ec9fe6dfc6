package wire

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// The members that are read, by object. A sender writes them in the same order every time, so that each table learns which follows which, and the
// next key is a comparison of a few numbers. What was not foreseen is found by one look into a table.

// memberNames are the keys of one kind of object that are read; index 0 is none. The first eight octets and the length are enough to tell all keys of
// a kind apart.
type memberNames struct {
	names  []memberName
	factor uint64     // with which no two keys fall on one place
	places [256]uint8 // indexes into names; 0: none
}

// memberName is a key with its quotes and its colon, in pieces that are compared as numbers: what overlaps is compared twice.
type memberName struct {
	words [3]uint64 // octets 0-7, 8-15, 16-23; of a short key the mask says which of the first count
	mask  uint64
	last  uint64 // the last eight octets of a longer one
	size  int    // with quotes and colon
	text  string // without
}

// maxKey is longer than any key that is read.
const maxKey = 32

func newMembers(texts ...string) *memberNames {
	m := &memberNames{names: []memberName{{}}, factor: 0x9e3779b97f4a7c15}
	for _, text := range texts {
		m.names = append(m.names, newMember(text))
	}
	for !m.arrange() {
		m.factor += 2
	}
	return m
}

func newMember(text string) memberName {
	whole := `"` + text + `":`
	var octets [maxKey]byte
	copy(octets[:], whole)
	n := memberName{size: len(whole), text: text, mask: math.MaxUint64}
	for i := range n.words {
		n.words[i] = binary.LittleEndian.Uint64(octets[8*i:])
	}
	if n.size < 8 {
		n.mask = 1<<(8*n.size) - 1
	} else {
		n.last = binary.LittleEndian.Uint64(octets[n.size-8:])
	}
	return n
}

// arrange puts the keys into their places and reports whether each has its own.
func (m *memberNames) arrange() bool {
	clear(m.places[:])
	for i := 1; i < len(m.names); i++ {
		n := &m.names[i]
		place := &m.places[m.place(n.words[0]>>8&(1<<56-1), len(n.text))]
		if *place != 0 {
			return false
		}
		*place = uint8(i)
	}
	return true
}

func (m *memberNames) place(first uint64, length int) uint64 {
	return (first + uint64(length)<<59 + uint64(length)<<29) * m.factor >> 56
}

// index is the place of a key in the list, by comparison with each.
func (m *memberNames) index(key string) uint8 {
	for i := 1; i < len(m.names); i++ {
		if m.names[i].text == key {
			return uint8(i)
		}
	}
	return unknownMember
}

// Top level.
const (
	topSender = iota + 1
	topBlocks
	topSSRC
	topType
	topCount
	topXR
	topMetrics
	topExtended
	topExtendedLower
	topSDES
	topSources
	topSourceCount // not used, but everywhere
)

var topNames = newMembers(
	"sender_information", "report_blocks", "ssrc", "type", "report_count", "report_blocks_xr", "voip_metrics",
	"Extended_report_information", "extended_report_information", "sdes_ssrc", "sdes_information", "sdes_report_count")

// Within sender_information.
const (
	senderSec = iota + 1
	senderFrac
	senderRTP
	senderPackets
	senderOctets
)

var senderNames = newMembers("ntp_timestamp_sec", "ntp_timestamp_usec", "rtp_timestamp", "packets", "octets")

// Within a report block.
const (
	blockSource = iota + 1
	blockFraction
	blockLost
	blockSeq
	blockJitter
	blockLSR
	blockDLSR
	blockMembers
)

var blockNames = newMembers(
	"source_ssrc", "fraction_lost", "packets_lost", "highest_seq_no", "ia_jitter", "lsr", "dlsr")

// Within an item of sdes_information.
const (
	itemType = iota + 1
	itemChunk
	itemText
)

var itemNames = newMembers("type", "sdes_chunk_ssrc", "text")

const (
	everyOctet = 0x0101010101010101
	highBits   = 0x8080808080808080
)

// quotes marks the octets of a word that are quotes: the lowest mark is right, those above it need not be.
func quotes(w uint64) uint64 {
	w ^= '"' * everyOctet
	return (w - everyOctet) &^ w & highBits
}

// maxMembers is more than any kind of object has; the last stands for every key that is not read.
const (
	maxMembers    = 48
	unknownMember = maxMembers - 1
)

// memberOrder is what has been learned: after which member which one came.
type memberOrder [maxMembers]uint8

// member reads a key with its colon and returns which it is. previous is the member before, 0 at the start.
func (s *jsonScan) member(names *memberNames, order *memberOrder, previous uint8) uint8 {
	d, guess := s.data, order[previous]
	if int(guess) < len(names.names) {
		n := &names.names[guess]
		if end := s.at + max(n.size, 16); end <= len(d) && n.begins(d[s.at:end]) {
			s.at += n.size
			return guess
		}
	}
	found := s.search(names)
	if found != unknownMember {
		order[previous] = found
	}
	return found
}

// memberValues are the numbers of an object by member, and a bit for each that was there.
type memberValues struct {
	value [maxMembers]int64
	has   uint64
	odd   uint64 // it was written in another way than as a plain number, which matters for some
}

func (v *memberValues) put(member uint8, n int64) {
	v.value[member] = n
	v.has |= 1 << (member & 63)
}

func (v *memberValues) putOdd(member uint8, n int64) {
	v.put(member, n)
	v.odd |= 1 << (member & 63)
}

// numbers reads members as long as their names are those that were foreseen and their values plain numbers, as nearly all are: in one loop that
// keeps its place in a register. It returns the last member read, and whether the scan stands at a key now, rather than behind a value. The scan
// stands at a key when it begins.
func (v *memberValues) numbers(s *jsonScan, names *memberNames, order *memberOrder, last uint8) (uint8, bool) {
	d, i, list := s.data, s.at, names.names
	for {
		guess := order[last]
		if int(guess) >= len(list) || guess >= maxMembers {
			break
		}
		n := &list[guess]
		at := i + n.size
		if at+19 > len(d) || !n.begins(d[i:at+19]) {
			break
		}
		x, width := digits(binary.LittleEndian.Uint64(d[at:]))
		if width == 8 {
			more, w := digits(binary.LittleEndian.Uint64(d[at+8:]))
			x, width = x*powers[w]+more, w+8
		}
		c := d[at+width]
		if width == 0 || c != ',' && c != '}' {
			break
		}
		v.put(guess, int64(x))
		last, i = guess, at+width
		switch {
		case c == ',' && d[i+1] == '"':
			i++
		case c == ',' && d[i+1] == ' ' && d[i+2] == '"':
			i += 2
		default:
			s.at = i
			return last, false
		}
	}
	s.at = i
	return last, true
}

// begins reports whether octets begin with the key. There must be as many of them as the key has, and at least 16.
func (n *memberName) begins(d []byte) bool {
	if binary.LittleEndian.Uint64(d)&n.mask != n.words[0] {
		return false
	}
	switch {
	case n.size <= 8:
		return n.size > 0
	case n.size <= 16:
		return binary.LittleEndian.Uint64(d[n.size-8:]) == n.last
	}
	return binary.LittleEndian.Uint64(d[n.size-8:]) == n.last && binary.LittleEndian.Uint64(d[8:]) == n.words[1] &&
		(n.size <= 24 || binary.LittleEndian.Uint64(d[16:]) == n.words[2])
}

// search reads a key that was not foreseen.
func (s *jsonScan) search(names *memberNames) uint8 {
	d := s.data
	if s.at+maxKey <= len(d) && d[s.at] == '"' {
		first, length := binary.LittleEndian.Uint64(d[s.at+1:]), 0
		for ; length < maxKey-8; length += 8 {
			if mark := quotes(binary.LittleEndian.Uint64(d[s.at+1+length:])); mark != 0 {
				length += bits.TrailingZeros64(mark) >> 3
				break
			}
		}
		if length < 7 {
			first &= 1<<(8*length) - 1
		}
		i := names.places[names.place(first&(1<<56-1), length)]
		if n := &names.names[i]; n.begins(d[s.at : s.at+maxKey]) {
			s.at += n.size
			return i
		}
	}
	return s.searchSlow(names)
}

// searchSlow is search for keys that are not read, with blanks around them, or near the end.
func (s *jsonScan) searchSlow(names *memberNames) uint8 {
	key := s.key()
	for i := 1; i < len(names.names); i++ {
		if names.names[i].text == string(key) {
			return uint8(i)
		}
	}
	return unknownMember
}
