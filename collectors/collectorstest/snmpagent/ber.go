package snmpagent

// Tag is the BER tag of a value as SNMP uses it (RFC 2578 §7.1, RFC 3416 §3), the number that a .snmprec file writes.
type Tag byte

// The types of values.
const (
	Integer32        Tag = 2
	OctetString      Tag = 4
	Null             Tag = 5
	ObjectIdentifier Tag = 6
	IPAddress        Tag = 64
	Counter32        Tag = 65
	Gauge32          Tag = 66
	TimeTicks        Tag = 67
	Opaque           Tag = 68
	Counter64        Tag = 70
)

const (
	tagSequence Tag = 0x30

	// What stands in place of a value in an answer (RFC 3416 §3).
	noSuchObject   Tag = 0x80
	noSuchInstance Tag = 0x81
	endOfMibView   Tag = 0x82
)

// isCounter reports whether values of this type only ever count up.
func (t Tag) isCounter() bool { return t == Counter32 || t == Counter64 }

// isNumber reports whether values of this type are whole numbers.
func (t Tag) isNumber() bool {
	return t == Integer32 || t == Gauge32 || t == TimeTicks || t.isCounter()
}

// lengthSize is how many octets the length n takes. Lengths here are below 2^24: a datagram is shorter.
func lengthSize(n int) int {
	switch {
	case n < 1<<7:
		return 1
	case n < 1<<8:
		return 2
	case n < 1<<16:
		return 3
	default:
		return 4
	}
}

// appendLength encodes a length in as few octets as it takes.
func appendLength(b []byte, n int) []byte {
	size := lengthSize(n)
	if size == 1 {
		return append(b, byte(n))
	}
	b = append(b, 0x80|byte(size-1))
	for shift := 8 * (size - 2); shift >= 0; shift -= 8 {
		b = append(b, byte(n>>shift))
	}
	return b
}

// appendValue encodes tag, length and contents.
func appendValue(b []byte, tag Tag, contents []byte) []byte {
	b = appendLength(append(b, byte(tag)), len(contents))
	return append(b, contents...)
}

// appendInteger encodes a signed number with its tag and length, in as few octets as it takes.
func appendInteger(b []byte, tag Tag, v int64) []byte {
	size := 1
	for rest := v; rest > 0x7f || rest < -0x80; rest >>= 8 {
		size++
	}
	b = append(b, byte(tag), byte(size))
	for shift := 8 * (size - 1); shift >= 0; shift -= 8 {
		b = append(b, byte(v>>shift))
	}
	return b
}

// appendUnsigned encodes an unsigned number: like a signed one, with a zero octet in front when its highest bit would say "negative".
func appendUnsigned(b []byte, tag Tag, v uint64) []byte {
	if v < 1<<63 {
		return appendInteger(b, tag, int64(v))
	}
	b = append(b, byte(tag), 9, 0)
	for shift := 56; shift >= 0; shift -= 8 {
		b = append(b, byte(v>>shift))
	}
	return b
}

// appendNumber encodes a number of a numeric type; what is too large for its type wraps.
func appendNumber(b []byte, tag Tag, v uint64) []byte {
	v = wrap(tag, v)
	if tag == Integer32 {
		return appendInteger(b, tag, int64(v))
	}
	return appendUnsigned(b, tag, v)
}

// wrap brings a number into the range of its type. A negative Integer32 is held in two's complement.
func wrap(tag Tag, v uint64) uint64 {
	switch tag {
	case Counter64:
		return v
	case Integer32:
		return uint64(int64(int32(v)))
	default:
		return uint64(uint32(v))
	}
}

// next splits the first tag, length and contents off b. It is not ok when b is shorter than it says, when a length is indefinite, and
// when it takes more than four octets.
func next(b []byte) (tag Tag, contents, rest []byte, ok bool) {
	if len(b) < 2 {
		return 0, nil, nil, false
	}
	length, at := int(b[1]), 2
	if length >= 0x80 {
		octets := length & 0x7f
		if octets == 0 || octets > 4 || len(b) < at+octets {
			return 0, nil, nil, false
		}
		length = 0
		for _, o := range b[at : at+octets] {
			length = length<<8 | int(o)
		}
		at += octets
	}
	if length < 0 || length > len(b)-at {
		return 0, nil, nil, false
	}
	return Tag(b[0]), b[at : at+length], b[at+length:], true
}

// nextOf is next for when only one tag may stand there.
func nextOf(want Tag, b []byte) (contents, rest []byte, ok bool) {
	tag, contents, rest, ok := next(b)
	return contents, rest, ok && tag == want
}

// integerOf reads the contents of an INTEGER.
func integerOf(contents []byte) (int64, bool) {
	if len(contents) == 0 || len(contents) > 8 {
		return 0, false
	}
	v := int64(int8(contents[0]))
	for _, o := range contents[1:] {
		v = v<<8 | int64(o)
	}
	return v, true
}

// unsignedOf reads the contents of a number of an unsigned type.
func unsignedOf(contents []byte) (uint64, bool) {
	if len(contents) == 0 || len(contents) > 9 || len(contents) == 9 && contents[0] != 0 {
		return 0, false
	}
	var v uint64
	for _, o := range contents {
		v = v<<8 | uint64(o)
	}
	return v, true
}
