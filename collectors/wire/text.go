package wire

import (
	"bytes"
	"unicode/utf8"

	"vigia/collectors/voice"
)

// The bounds of what is kept of one message.
const (
	maxID   = 1024 // octets of a Call-ID; longer ones are refused, because a shortened id would be another call's
	maxText = 256  // octets of a number, a host or a user agent; the rest is cut off
)

// seen is what a fact says about its packet, as far as Meta tells; by which way the packet came it does not.
func seen(m *Meta) voice.Seen {
	return voice.Seen{Observer: voice.Observer{Agent: m.Agent, Addr: m.Observer}, At: m.At, Arrived: m.At, Src: m.From, Dst: m.To}
}

// arena is memory for the few texts of a message that are not in it word for word. What was handed out stays right when it grows.
type arena []byte

func (a *arena) add(text string) []byte {
	from := len(*a)
	*a = append(*a, text...)
	return (*a)[from:len(*a):len(*a)]
}

func (a *arena) addBytes(text []byte) []byte {
	from := len(*a)
	*a = append(*a, text...)
	return (*a)[from:len(*a):len(*a)]
}

// tidy makes text fit to be stored and shown: valid UTF-8 without control characters, each bad octet a question mark, at most max octets long.
func (a *arena) tidy(text []byte, most int) []byte {
	if len(text) > most {
		text = text[:most]
		for len(text) > 0 && !utf8.RuneStart(text[len(text)-1]) {
			text = text[:len(text)-1]
		}
		if n := len(text); n > 0 && text[n-1] >= utf8.RuneSelf {
			text = text[:n-1] // the first octet of a rune that is cut
		}
	}
	if clean(text) {
		return text
	}
	out := a.addBytes(text)
	for i := 0; i < len(out); {
		r, size := utf8.DecodeRune(out[i:])
		if r == utf8.RuneError && size == 1 || control(r) {
			for j := range size {
				out[i+j] = '?'
			}
		}
		i += size
	}
	return out
}

// control reports whether a rune steers a terminal or a line instead of being part of it.
func control(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u2028' || r == '\u2029' }

func clean(text []byte) bool {
	for i, c := range text {
		if c < ' ' || c == 0x7f {
			return false
		}
		if c >= utf8.RuneSelf {
			return utf8.Valid(text[i:]) && !bytes.ContainsFunc(text[i:], control)
		}
	}
	return true
}

// unfold joins a folded header to one line (RFC 3261 §7.3.1).
func (a *arena) unfold(value []byte) []byte {
	if bytes.IndexByte(value, '\n') < 0 {
		return value
	}
	out := a.addBytes(value)
	for i, c := range out {
		if c == '\r' || c == '\n' {
			out[i] = ' '
		}
	}
	return out
}

// unescape undoes %HH (RFC 3261 §19.1.2). What is no escape stays as it is.
func (a *arena) unescape(text []byte) []byte {
	if bytes.IndexByte(text, '%') < 0 {
		return text
	}
	out := a.addBytes(text)[:0]
	for i := 0; i < len(text); i++ {
		if text[i] == '%' && i+2 < len(text) {
			high, low := hexDigit(text[i+1]), hexDigit(text[i+2])
			if high >= 0 && low >= 0 {
				out = append(out, byte(high<<4|low))
				i += 2
				continue
			}
		}
		out = append(out, text[i])
	}
	return out
}

func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// is compares octets with a lower-case ASCII word, whatever the case of the octets.
func is(text []byte, word string) bool {
	if len(text) != len(word) {
		return false
	}
	for i := range len(word) {
		c := text[i]
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != word[i] {
			return false
		}
	}
	return true
}

// begins reports whether text starts with a lower-case ASCII word, whatever its case.
func begins(text []byte, word string) bool {
	return len(text) >= len(word) && is(text[:len(word)], word)
}

// trim takes blanks and line ends off both ends.
func trim(text []byte) []byte {
	for len(text) > 0 && blank(text[0]) {
		text = text[1:]
	}
	for len(text) > 0 && blank(text[len(text)-1]) {
		text = text[:len(text)-1]
	}
	return text
}

func blank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// number reads leading decimal digits; ok is false without any, or beyond limit.
func number(text []byte, limit uint64) (n uint64, rest []byte, ok bool) {
	i := 0
	for ; i < len(text) && text[i] >= '0' && text[i] <= '9'; i++ {
		n = n*10 + uint64(text[i]-'0')
		if n > limit {
			return 0, nil, false
		}
	}
	return n, text[i:], i > 0
}
