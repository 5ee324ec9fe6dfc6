package wire

import (
	"bytes"
	"errors"
	"iter"
	"strings"
)

// What keeps a message from being read.
var (
	ErrNotSIP  = errors.New("not SIP: the first line is neither a request nor a status of SIP/2.0")
	ErrNoCall  = errors.New("SIP without a usable Call-ID or CSeq, or cut off before them")
	ErrNotVQ   = errors.New("not a vq-rtcpxr report: it has no VQSessionReport, VQIntervalReport or VQAlertReport line")
	ErrTooLong = errors.New("SIP over a stream: a message longer than 64 KiB")
	ErrNoFrame = errors.New("SIP over a stream: a message without Content-Length")
)

// Message is one SIP message, cut into its parts; they point into the octets that it was read from.
type Message struct {
	Method []byte // of a request
	URI    []byte // of a request
	Status uint16 // 100..699 of a response; 0 for a request
	Body   []byte
	// Cut: the octets end before the message does: within the headers, or before as many octets of body as Content-Length says.
	Cut bool

	head []byte // header lines, with the line end of the last
}

// ReadMessage cuts the octets of one message: a datagram, what a HEP agent saw, or a frame of a stream. Line ends before it are skipped.
func ReadMessage(data []byte) (Message, error) {
	data = bytes.TrimLeft(data, "\r\n")
	line, rest, whole := bytes.Cut(data, []byte("\n"))
	var m Message
	if !whole || !m.startLine(bytes.TrimSuffix(line, []byte("\r"))) {
		return Message{}, ErrNotSIP
	}
	m.head, m.Body, whole = splitHead(rest)
	m.Cut = !whole
	if length, ok := m.length(); ok && whole {
		m.Cut = length > uint64(len(m.Body))
		m.Body = m.Body[:min(length, uint64(len(m.Body)))]
	}
	return m, nil
}

// startLine reads the first line of a request or a response.
func (m *Message) startLine(line []byte) bool {
	if begins(line, "sip/2.0 ") {
		n, rest, ok := number(trim(line[8:]), 699)
		m.Status = uint16(n)
		return ok && n >= 100 && (len(rest) == 0 || rest[0] == ' ')
	}
	line = trim(line)
	if len(line) < 8 || !is(line[len(line)-8:], " sip/2.0") {
		return false
	}
	method, uri, ok := bytes.Cut(line[:len(line)-8], []byte(" "))
	m.Method, m.URI = method, trim(uri)
	return ok && len(m.URI) > 0 && token(method)
}

// token reports whether text is a method or a header's name (RFC 3261 §25.1).
func token(text []byte) bool {
	for _, c := range text {
		if c <= ' ' || c >= 0x7f || strings.IndexByte("\"(),/:;<=>?@[\\]{}", c) >= 0 {
			return false
		}
	}
	return len(text) > 0
}

// splitHead cuts after the empty line that ends the headers, whichever line ends it has. Of headers that are cut off, the last line counts only
// when it ended.
func splitHead(rest []byte) (head, body []byte, whole bool) {
	switch { // no headers at all
	case bytes.HasPrefix(rest, []byte("\r\n")):
		return nil, rest[2:], true
	case bytes.HasPrefix(rest, []byte("\n")):
		return nil, rest[1:], true
	}
	end, length := bytes.Index(rest, []byte("\n\r\n")), 2
	if end < 0 {
		end = len(rest)
	}
	if i := bytes.Index(rest[:end], []byte("\n\n")); i >= 0 {
		end, length = i, 1
	}
	if end == len(rest) {
		return rest[:bytes.LastIndexByte(rest, '\n')+1], nil, false
	}
	return rest[:end+1], rest[end+1+length:], true
}

// Headers are the names and values in their order. A value is without blanks at its ends; a folded one still holds its line ends, which
// count as blanks. Lines without a colon or with a name that is none are skipped.
func (m *Message) Headers() iter.Seq2[[]byte, []byte] {
	return func(yield func(name, value []byte) bool) {
		for head := m.head; len(head) > 0; {
			var line []byte
			line, head = nextLine(head)
			colon := bytes.IndexByte(line, ':')
			if colon <= 0 {
				continue
			}
			if name := trim(line[:colon]); len(name) > 0 && !yield(name, trim(line[colon+1:])) {
				return
			}
		}
	}
}

// nextLine takes one header with the lines that are folded into it.
func nextLine(head []byte) (line, rest []byte) {
	for end := 0; ; {
		i := bytes.IndexByte(head[end:], '\n')
		if i < 0 {
			return head, nil
		}
		end += i + 1
		if end == len(head) || head[end] != ' ' && head[end] != '\t' {
			return head[:end], head[end:]
		}
	}
}

// Header is the first value of a header, by its long and its compact name in lower case; nil when it is absent.
func (m *Message) Header(name, compact string) []byte {
	for n, value := range m.Headers() {
		if is(n, name) || compact != "" && is(n, compact) {
			return value
		}
	}
	return nil
}

func (m *Message) length() (uint64, bool) {
	n, rest, ok := number(m.Header("content-length", "l"), 1<<31)
	return n, ok && len(rest) == 0
}

// maxFrame bounds a message of a stream.
const maxFrame = 64 << 10

// Frame finds the first message of a stream (RFC 3261 §18.3). n is how many octets it takes, line ends before it included; 0 when more must
// come. An error means that the stream cannot be read on from here.
func Frame(got []byte) (message []byte, n int, err error) {
	start := bytes.TrimLeft(got, "\r\n")
	skipped := len(got) - len(start)
	if len(start) == 0 {
		return nil, skipped, nil
	}
	line, rest, whole := bytes.Cut(start, []byte("\n"))
	if !whole {
		if len(line) > 4096 || !printable(line) {
			return nil, 0, ErrNotSIP
		}
		return nil, 0, nil
	}
	var m Message
	if !m.startLine(bytes.TrimSuffix(line, []byte("\r"))) {
		return nil, 0, ErrNotSIP
	}
	if m.head, m.Body, whole = splitHead(rest); !whole {
		if len(start) > maxFrame {
			return nil, 0, ErrTooLong
		}
		return nil, 0, nil
	}
	length, ok := m.length()
	size := uint64(len(start)-len(m.Body)) + length
	switch {
	case !ok:
		return nil, 0, ErrNoFrame
	case size > maxFrame:
		return nil, 0, ErrTooLong
	case size > uint64(len(start)):
		return nil, 0, nil
	}
	return start[:size], skipped + int(size), nil
}

func printable(line []byte) bool {
	for _, c := range line {
		if c < ' ' && c != '\t' && c != '\r' || c == 0x7f {
			return false
		}
	}
	return true
}

// LooksLikeSIP tells from its first octets whether a payload may be SIP, cheaply: it is asked of every datagram of a mirror port.
func LooksLikeSIP(data []byte) bool {
	data = bytes.TrimLeft(data[:min(len(data), 4096)], "\r\n")
	if begins(data, "sip/2.0 ") {
		return true
	}
	for i, c := range data {
		switch {
		case c == ' ':
			line, _, _ := bytes.Cut(data, []byte("\n"))
			line = trim(line)
			return i > 0 && i < 32 && len(line) > 8 && is(line[len(line)-8:], " sip/2.0")
		case (c < 'A' || c > 'Z') && c != '_' && c != '-':
			return false
		}
	}
	return false
}
