package wire

import (
	"bytes"
	"sync"

	"vigia/collectors/voice"
)

// decoded is the memory of one decoding. It goes back to its pool afterwards, so the hot path allocates nothing.
type decoded struct {
	signal  voice.Signal
	quality voice.Quality
	sdp     session
	text    arena
}

// pool is shared by all decoders; a variable because nothing else can hold memory between calls.
var pool = sync.Pool{New: func() any { return new(decoded) }}

func borrow() *decoded {
	d := pool.Get().(*decoded)
	d.text = d.text[:0]
	return d
}

// SIP decodes one SIP message and hands it to sink as a Signal. A request that carries a vq-rtcpxr report (PUBLISH, NOTIFY, MESSAGE) becomes a
// Quality instead. Errors are ErrNotSIP, ErrNoCall and those of VQ; nothing was handed over then.
func SIP(meta Meta, data []byte, sink voice.Sink) error {
	return DecodeSIP(seen(&meta), []byte(meta.Correlation), data, sink)
}

// DecodeSIP is SIP for those who know by which way the packet came.
func DecodeSIP(by voice.Seen, correlation, data []byte, sink voice.Sink) error {
	m, err := ReadMessage(data)
	if err != nil {
		return err
	}
	d := borrow()
	defer pool.Put(d)
	if m.Status == 0 && len(m.Body) > 0 && voice.ParseMethod(m.Method) == voice.MethodOther && CarriesVQ(&m) {
		return d.report(by, correlation, m.Body, &m, sink)
	}
	d.signal = voice.Signal{Seen: by, CorrelationID: correlation, Status: m.Status}
	if err := d.read(&m); err != nil {
		return err
	}
	sink.Signal(&d.signal)
	return nil
}

// CarriesVQ reports whether a message's body is a vq-rtcpxr report.
func CarriesVQ(m *Message) bool {
	kind, _, _ := bytes.Cut(m.Header("content-type", "c"), []byte(";"))
	return is(trim(kind), "application/vq-rtcpxr") && len(trim(m.Body)) > 0
}

// found are the headers of a message that need a second look once all were read.
type found struct {
	contentType, session, charging, xcid, agent, server []byte
	via, from, to, asserted, cseq                       bool
}

// read fills the Signal.
func (d *decoded) read(m *Message) error {
	s := &d.signal
	var f found
	for name, value := range m.Headers() {
		d.header(&f, name, value)
	}
	if len(s.CallID) == 0 || !f.cseq || m.Status == 0 && voice.ParseMethod(m.Method) != s.Method {
		return ErrNoCall
	}
	if m.Status == 0 {
		s.RequestUser, s.RequestHost = d.text.uri(m.URI)
	}
	s.UserAgent = d.text.tidy(d.text.unfold(f.who(m.Status)), maxText)
	s.Joint = d.joint(&f)
	if s.Method != voice.MethodOther {
		d.describe(f.contentType, m)
	}
	return nil
}

// who is the software: of a response Server, else User-Agent.
func (f *found) who(status uint16) []byte {
	if status != 0 && len(f.server) > 0 {
		return f.server
	}
	return f.agent
}

// header takes one header. Names are told apart by length first: most of them are of no interest.
func (d *decoded) header(f *found, name, value []byte) {
	switch len(name) {
	case 1:
		d.compact(f, name[0]|0x20, value)
	case 2:
		if is(name, "to") {
			d.compact(f, 't', value)
		}
	case 3:
		if is(name, "via") {
			d.compact(f, 'v', value)
		}
	case 4:
		switch {
		case is(name, "from"):
			d.compact(f, 'f', value)
		case is(name, "cseq"):
			d.cseq(f, value)
		}
	case 5:
		if is(name, "x-cid") {
			f.xcid = value
		}
	case 6:
		switch {
		case is(name, "reason"):
			d.reason(value)
		case is(name, "server"):
			f.server = value
		}
	case 7:
		if is(name, "call-id") {
			d.compact(f, 'i', value)
		}
	default:
		d.longer(f, name, value)
	}
}

func (d *decoded) longer(f *found, name, value []byte) {
	switch {
	case len(name) == 10 && is(name, "user-agent"):
		f.agent = value
	case len(name) == 10 && is(name, "session-id"):
		f.session = value
	case len(name) == 12 && is(name, "content-type"):
		d.compact(f, 'c', value)
	case len(name) == 17 && is(name, "p-charging-vector"):
		f.charging = value
	case len(name) == 19 && is(name, "p-asserted-identity") && !f.asserted:
		f.asserted = true
		d.signal.AssertedUser = d.text.address(firstOf(value)).user
	}
}

// compact takes a header by its compact name (RFC 3261 §7.3.3).
func (d *decoded) compact(f *found, name byte, value []byte) {
	s := &d.signal
	switch {
	case name == 'i' && s.CallID == nil:
		if len(value) <= maxID {
			s.CallID = d.text.tidy(d.text.unfold(value), maxID)
		}
	case name == 'v' && !f.via:
		f.via = true
		_, params, _ := bytes.Cut(firstOf(value), []byte(";"))
		s.Branch = d.text.tidy(param(params, "branch"), maxText)
	case name == 'f' && !f.from:
		f.from = true
		p := d.text.address(d.text.unfold(value))
		s.FromUser, s.FromHost, s.FromTag = p.user, p.host, p.tag
	case name == 't' && !f.to:
		f.to = true
		p := d.text.address(d.text.unfold(value))
		s.ToUser, s.ToHost, s.ToTag = p.user, p.host, p.tag
	case name == 'c' && f.contentType == nil:
		f.contentType = value
	}
}

// firstOf is the first of values that commas separate.
func firstOf(value []byte) []byte {
	angle := 0
	for i := 0; i < len(value); i++ {
		switch value[i] {
		case '"':
			if end := unquotedEnd(value[i:]); end > 0 {
				i += end
			}
		case '<':
			angle++
		case '>':
			angle--
		case ',':
			if angle <= 0 {
				return trim(value[:i])
			}
		}
	}
	return value
}

// unquotedEnd is where the quoted string ends that text starts with; 0 when it does not end.
func unquotedEnd(text []byte) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return 0
}

// cseq reads sequence number and method.
func (d *decoded) cseq(f *found, value []byte) {
	n, rest, ok := number(value, 1<<32-1)
	if !ok || f.cseq {
		return
	}
	f.cseq = true
	d.signal.CSeq = uint32(n)
	d.signal.Method = voice.ParseMethod(trim(rest))
}

// reason reads the causes of a Reason header (RFC 3326), which may hold several values.
func (d *decoded) reason(value []byte) {
	for len(value) > 0 {
		one := firstOf(value)
		value = bytes.TrimLeft(value[min(len(value), len(one)):], ", \t\r\n")
		protocol, params, _ := bytes.Cut(one, []byte(";"))
		cause, _, ok := number(param(params, "cause"), 999)
		switch protocol = trim(protocol); {
		case !ok:
		case is(protocol, "q.850") && cause >= 1 && cause <= 127:
			d.signal.Q850Cause = uint8(cause)
		case is(protocol, "sip") && cause >= 100:
			d.signal.SIPCause = uint16(cause)
		}
	}
}

// joint is what both legs of a B2BUA have in common.
func (d *decoded) joint(f *found) []byte {
	if id := d.sessionID(f.session); len(id) > 0 {
		return id
	}
	if id := param(f.charging, "icid-value"); len(id) > 0 {
		return d.text.tidy(id, maxText)
	}
	return d.text.tidy(trim(f.xcid), maxText)
}

// sessionID is the pair of RFC 7989 in a fixed order, or the half that is not nil (all zeros).
func (d *decoded) sessionID(value []byte) []byte {
	local, params, _ := bytes.Cut(value, []byte(";"))
	local, remote := half(trim(local)), half(param(params, "remote"))
	switch {
	case len(local) == 0:
		return d.text.tidy(remote, maxText)
	case len(remote) == 0:
		return d.text.tidy(local, maxText)
	case bytes.Compare(local, remote) > 0:
		local, remote = remote, local
	}
	from := len(d.text)
	d.text = append(append(d.text, local...), remote...)
	return d.text.tidy(d.text[from:len(d.text):len(d.text)], maxText)
}

// half is one half of a Session-ID; nil when it is the nil one.
func half(id []byte) []byte {
	if len(bytes.Trim(id, "0")) == 0 {
		return nil
	}
	return id
}
