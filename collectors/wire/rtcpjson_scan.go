package wire

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/bits"
	"strconv"
)

// jsonScan walks JSON once, without building anything. It is looser than RFC 8259 where senders are: a number may stand in quotes, a comma may
// stand before a closing bracket, and the last closing brackets may be missing (captagent's XR module loses one). What it takes besides that
// need not be JSON; everything that is JSON it reads as encoding/json does (fuzzed).
type jsonScan struct {
	data []byte
	at   int
	bad  bool // not JSON
	cut  bool // ended where a comma or a closing bracket should stand
}

// peek skips blanks and returns the octet that follows, 0 at the end.
func (s *jsonScan) peek() byte {
	for s.at < len(s.data) {
		if c := s.data[s.at]; c > ' ' {
			return c
		}
		s.at++
	}
	return 0
}

// open takes an opening bracket. A value of another type is skipped and false is returned.
func (s *jsonScan) open(bracket byte) bool {
	if s.peek() == bracket {
		s.at++
		return true
	}
	s.skip()
	return false
}

// next goes to the next member of an object or list and returns false when its closing bracket was taken, or when there is nothing to go to.
func (s *jsonScan) next(closing byte, first bool) bool {
	if d, i := s.data, s.at; i+2 < len(d) && d[i] == ',' && !first && !s.bad { // by far the most frequent
		switch {
		case d[i+1] == '"':
			s.at = i + 1
			return true
		case d[i+1] == ' ' && d[i+2] == '"':
			s.at = i + 2
			return true
		}
	}
	return s.nextSlow(closing, first)
}

func (s *jsonScan) nextSlow(closing byte, first bool) bool {
	c := s.peek()
	if c == ',' && !first {
		s.at++
		c = s.peek()
	} else if !first && c != closing {
		s.cut, s.bad = c == 0 || s.cut, s.bad || c != 0
		return false
	}
	switch {
	case c == closing:
		s.at++
		return false
	case c == 0:
		s.bad = true
	}
	return !s.bad && !s.cut
}

// key reads a member's name and the colon after it.
func (s *jsonScan) key() []byte {
	if s.peek() != '"' {
		s.bad = true
		return nil
	}
	name := s.text()
	if s.peek() != ':' {
		s.bad = true
		return nil
	}
	s.at++
	return name
}

// text reads a string at whose quote the scan stands, and returns it as written, escapes and all.
func (s *jsonScan) text() []byte {
	from := s.at + 1
	n := bytes.IndexByte(s.data[from:], '"')
	if n < 0 || n > 0 && s.data[from+n-1] == '\\' {
		return s.escaped(from)
	}
	s.at = from + n + 1
	return s.data[from : from+n]
}

// escaped is text for a string with a backslash before its first quote, and for one that does not end.
func (s *jsonScan) escaped(from int) []byte {
	for i := from; i < len(s.data); i++ {
		switch s.data[i] {
		case '"':
			s.at = i + 1
			return s.data[from:i]
		case '\\':
			i++
		}
	}
	s.at, s.bad = len(s.data), true
	return nil
}

// number reads a number, which may stand in quotes, and truncates it to an integer. ok is false for anything else, which is skipped.
func (s *jsonScan) number() (v int64, quoted, ok bool) {
	if d, i := s.data, s.at; i+17 <= len(d) { // by far the most frequent: up to 16 digits
		a, n := digits(binary.LittleEndian.Uint64(d[i:]))
		if n == 8 {
			var b uint64
			b, n = digits(binary.LittleEndian.Uint64(d[i+8:]))
			a, n = a*powers[n]+b, n+8
		}
		if c := d[i+n]; n > 0 && (c == ',' || c == '}') {
			s.at = i + n
			return int64(a), false, true
		}
	}
	return s.numberSlow()
}

var powers = [9]uint64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8}

// digits is the number that begins a word of eight octets, and how many of them are its digits. It adds neighbours up, first to pairs.
func digits(w uint64) (v uint64, n int) {
	w ^= '0' * everyOctet
	if other := (w + 0x76*everyOctet | w) & highBits; other != 0 {
		n = bits.TrailingZeros64(other) >> 3
		w <<= (8 - n) << 3
	} else {
		n = 8
	}
	w = (w*10 + w>>8) & 0x00ff00ff00ff00ff
	w = (w*100 + w>>16) & 0x0000ffff0000ffff
	return (w*10000 + w>>32) & 0xffffffff, n
}

func (s *jsonScan) numberSlow() (v int64, quoted, ok bool) {
	if s.peek() == '"' {
		v, ok = integer(s.text())
		return v, true, ok
	}
	from := s.at
	s.skip()
	v, ok = integer(s.data[from:s.at])
	return v, false, ok
}

// integer reads a number of any form. Fractions and exponents are truncated towards zero.
func integer(text []byte) (int64, bool) {
	size, negative := text, false
	if len(text) > 1 && text[0] == '-' {
		size, negative = text[1:], true
	}
	if v, ok := plain(size); ok {
		if negative {
			v = -v
		}
		return v, true
	}
	f, ok := float(text)
	if !ok || f >= 1<<63 || f < -1<<63 {
		return 0, false
	}
	return int64(f), true
}

// plain reads up to 18 digits, which always fit.
func plain(text []byte) (v int64, ok bool) {
	for _, c := range text {
		if c-'0' > 9 {
			return 0, false
		}
		v = v*10 + int64(c-'0')
	}
	return v, len(text) > 0 && len(text) <= 18
}

// float reads a decimal number.
func float(text []byte) (float64, bool) {
	if len(text) == 0 || len(text) > 40 || text[0]-'0' > 9 && (text[0] != '-' || len(text) == 1 || text[1]-'0' > 9) {
		return 0, false // no hexadecimal, no Inf, no leading plus or point
	}
	for _, c := range text {
		if c-'0' > 9 && c != '-' && c != '+' && c != '.' && c != 'e' && c != 'E' {
			return 0, false
		}
	}
	f, err := strconv.ParseFloat(string(text), 64)
	return f, err == nil && !math.IsNaN(f) && !math.IsInf(f, 0)
}

// decimal is number for the few values that have a fraction.
func (s *jsonScan) decimal() (float64, bool) {
	if s.peek() == '"' {
		return float(s.text())
	}
	from := s.at
	s.skip()
	return float(s.data[from:s.at])
}

// isScalar reports whether a number or a word goes on with this octet.
func isScalar(c byte) bool {
	return c-'0' <= 9 || c|0x20-'a' < 26 || c == '.' || c == '-' || c == '+'
}

// skip passes over one value of any type, without recursion: nesting costs no stack.
func (s *jsonScan) skip() {
	switch c := s.peek(); {
	case c == '"':
		s.text()
	case c == '{' || c == '[':
		s.skipNested()
	case isScalar(c):
		for s.at < len(s.data) && isScalar(s.data[s.at]) {
			s.at++
		}
		s.bad = s.bad || s.at == len(s.data) // a number at the very end may have lost digits
	default:
		s.bad = true
	}
}

func (s *jsonScan) skipNested() {
	for depth := 0; s.at < len(s.data); {
		switch s.data[s.at] {
		case '"':
			s.text()
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		s.at++
		if depth == 0 {
			return
		}
	}
	s.cut = true
}
