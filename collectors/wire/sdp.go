package wire

import (
	"bytes"
	"net/netip"

	"vigia/collectors/voice"
)

// The bounds of one session description.
const (
	maxMedia  = 16
	maxCodecs = 32
	maxSSRCs  = 8
)

// session is a session description being read (RFC 8866). Its memory is used again for the next.
type session struct {
	media  []voice.Media
	parts  []part
	codecs []voice.Codec
	ssrcs  []uint32
	common attributes // of the session level
}

// attributes are what may stand at the session level and again at a media line.
type attributes struct {
	addr         netip.Addr
	direction    voice.Direction
	ptimeMS      uint8
	hasAddr      bool
	hasDirection bool
	mux          bool
}

// part is where a media line's codecs and SSRCs lie while those slices still grow.
type part struct {
	attributes
	codecs, codecsEnd int
	ssrcs, ssrcsEnd   int
}

// describe takes the session description of a message.
func (d *decoded) describe(contentType []byte, m *Message) {
	body, ok := descriptionIn(contentType, m.Body)
	if !ok {
		return
	}
	d.signal.HasSDP = true
	if m.Cut { // the last line may be half of one
		body = body[:bytes.LastIndexByte(body, '\n')+1]
	}
	d.signal.Media = d.sdp.read(&d.text, body)
}

// descriptionIn finds the session description in a body: all of it, or one part of a multipart (RFC 5621).
func descriptionIn(contentType, body []byte) ([]byte, bool) {
	kind, params, _ := bytes.Cut(contentType, []byte(";"))
	kind = trim(kind)
	switch {
	case len(trim(body)) == 0:
		return nil, false
	case is(kind, "application/sdp"), len(kind) == 0 && bytes.HasPrefix(body, []byte("v=0")):
		return body, true
	case begins(kind, "multipart/"):
		return partOf(body, param(params, "boundary"))
	}
	return nil, false
}

// partOf finds the part of a multipart body whose type is application/sdp (RFC 2046 §5.1).
func partOf(body, boundary []byte) ([]byte, bool) {
	if len(boundary) == 0 || len(boundary) > 70 {
		return nil, false
	}
	for {
		start := bytes.Index(body, boundary)
		if start < 0 {
			return nil, false
		}
		body = body[start+len(boundary):]
		_, rest, _ := bytes.Cut(body, []byte("\n"))
		head, inner, whole := splitHead(rest)
		one := Message{head: head}
		kind, _, _ := bytes.Cut(one.Header("content-type", "c"), []byte(";"))
		if whole && is(trim(kind), "application/sdp") {
			if end := bytes.Index(inner, boundary); end >= 0 {
				inner = bytes.TrimSuffix(inner[:end], []byte("--"))
			}
			return inner, true
		}
	}
}

// read reads the lines and returns the media, which share the session's memory.
func (s *session) read(text *arena, body []byte) []voice.Media {
	s.media, s.parts, s.codecs, s.ssrcs, s.common = s.media[:0], s.parts[:0], s.codecs[:0], s.ssrcs[:0], attributes{}
	skip := false // the lines of a medium beyond maxMedia
	for len(body) > 0 {
		var line []byte
		line, body, _ = bytes.Cut(body, []byte("\n"))
		line = bytes.TrimSuffix(line, []byte("\r"))
		if len(line) < 2 || line[1] != '=' {
			continue
		}
		kind, value := line[0], trim(line[2:])
		if kind == 'm' {
			if skip = len(s.media) == maxMedia; !skip {
				s.medium(value)
			}
		} else if !skip {
			s.line(kind, value)
		}
	}
	s.finish(text)
	return s.media
}

// medium begins a media line: "audio 49170/2 RTP/AVP 0 8".
func (s *session) medium(value []byte) {
	var m voice.Media
	kind, rest, _ := bytes.Cut(value, []byte(" "))
	switch {
	case is(kind, "audio"):
		m.Kind = voice.MediaAudio
	case is(kind, "video"):
		m.Kind = voice.MediaVideo
	case is(kind, "image"):
		m.Kind = voice.MediaImage
	}
	port, rest, _ := bytes.Cut(trim(rest), []byte(" "))
	n, _, _ := number(port, 65535)
	m.Port = uint16(n)
	profile, formats, _ := bytes.Cut(trim(rest), []byte(" "))
	m.Encrypted = bytes.Contains(bytes.ToUpper(profile), []byte("SAVP"))
	p := part{codecs: len(s.codecs), ssrcs: len(s.ssrcs)}
	if m.Kind == voice.MediaAudio || m.Kind == voice.MediaVideo {
		s.formats(formats, p.codecs)
	}
	p.codecsEnd, p.ssrcsEnd = len(s.codecs), len(s.ssrcs)
	s.media, s.parts = append(s.media, m), append(s.parts, p)
}

// formats reads the payload types of a media line.
func (s *session) formats(list []byte, from int) {
	for list = trim(list); len(list) > 0 && len(s.codecs)-from < maxCodecs; list = trim(list) {
		var one []byte
		one, list, _ = bytes.Cut(list, []byte(" "))
		if n, rest, ok := number(one, 127); ok && len(rest) == 0 {
			s.codecs = append(s.codecs, voice.Codec{PayloadType: uint8(n)})
		}
	}
}

// line takes a c= or a= line.
func (s *session) line(kind byte, value []byte) {
	to := &s.common
	if n := len(s.parts); n > 0 {
		to = &s.parts[n-1].attributes
	}
	switch kind {
	case 'c':
		if !to.hasAddr {
			to.addr, to.hasAddr = connection(value), true
		}
	case 'a':
		name, of, _ := bytes.Cut(value, []byte(":"))
		if !to.take(trim(name), trim(of)) && len(s.parts) > 0 {
			s.attribute(trim(name), trim(of))
		}
	}
}

// take takes the attributes that may stand at both levels.
func (t *attributes) take(name, of []byte) bool {
	switch {
	case is(name, "sendrecv"):
		t.direction = voice.SendRecv
	case is(name, "sendonly"):
		t.direction = voice.SendOnly
	case is(name, "recvonly"):
		t.direction = voice.RecvOnly
	case is(name, "inactive"):
		t.direction = voice.Inactive
	case is(name, "rtcp-mux"):
		t.mux = true
		return true
	case is(name, "ptime"):
		n, _, _ := number(of, 255)
		t.ptimeMS = uint8(n)
		return true
	default:
		return false
	}
	t.hasDirection = true
	return true
}

// attribute takes one of the current media line alone.
func (s *session) attribute(name, of []byte) {
	i := len(s.parts) - 1
	p, m := &s.parts[i], &s.media[i]
	switch {
	case is(name, "rtpmap"):
		if c, rest := s.codec(p, of); c != nil {
			name, clock, _ := bytes.Cut(rest, []byte("/"))
			n, _, _ := number(clock, 1<<32-1)
			c.Name, c.ClockHz = trim(name), uint32(n)
		}
	case is(name, "fmtp"):
		if c, rest := s.codec(p, of); c != nil && c.Fmtp == nil {
			c.Fmtp = rest
		}
	case is(name, "rtcp"):
		m.RTCP = rtcpAddress(of)
	case is(name, "ssrc"):
		n, _, ok := number(of, 1<<32-1)
		ssrc := uint32(n)
		if ok && p.ssrcsEnd-p.ssrcs < maxSSRCs && (p.ssrcsEnd == p.ssrcs || s.ssrcs[p.ssrcsEnd-1] != ssrc) {
			s.ssrcs = append(s.ssrcs, ssrc)
			p.ssrcsEnd = len(s.ssrcs)
		}
	}
}

// codec finds the payload type that an attribute is about; what follows it is rest.
func (s *session) codec(p *part, of []byte) (c *voice.Codec, rest []byte) {
	n, rest, ok := number(of, 127)
	if !ok {
		return nil, nil
	}
	for i := p.codecs; i < p.codecsEnd; i++ {
		if uint64(s.codecs[i].PayloadType) == n {
			return &s.codecs[i], trim(rest)
		}
	}
	return nil, nil
}

// connection reads "IN IP4 192.0.2.1/127"; the zero Addr when it is a name.
func connection(value []byte) netip.Addr {
	i := bytes.LastIndexByte(value, ' ')
	host, _, _ := bytes.Cut(value[i+1:], []byte("/"))
	return address(host)
}

// address reads an IP address, unmapped and without its zone; the zero Addr when it is none.
func address(text []byte) netip.Addr {
	if len(text) > 64 {
		return netip.Addr{}
	}
	a, err := netip.ParseAddr(string(text))
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap().WithZone("")
}

// rtcpAddress reads "53020" or "53020 IN IP6 2001:db8::1" (RFC 3605).
func rtcpAddress(of []byte) netip.AddrPort {
	n, rest, ok := number(of, 65535)
	if !ok {
		return netip.AddrPort{}
	}
	var at netip.Addr
	if rest = trim(rest); len(rest) > 0 {
		at = connection(rest)
	}
	return netip.AddrPortFrom(at, uint16(n))
}

// finish fills the media from their parts, from the session level and from the table of static payload types.
func (s *session) finish(text *arena) {
	for i := range s.codecs {
		if c := &s.codecs[i]; len(c.Name) == 0 {
			name, clock := voice.StaticCodec(c.PayloadType)
			c.Name, c.ClockHz = text.add(name), clock
		}
	}
	for i := range s.media {
		m, p := &s.media[i], &s.parts[i]
		m.Addr, m.Direction, m.PtimeMS, m.Mux = p.addr, p.direction, p.ptimeMS, p.mux || s.common.mux
		if !p.hasAddr {
			m.Addr = s.common.addr
		}
		if !p.hasDirection {
			m.Direction = s.common.direction
		}
		if m.PtimeMS == 0 {
			m.PtimeMS = s.common.ptimeMS
		}
		if m.RTCP.Port() != 0 && !m.RTCP.Addr().IsValid() {
			m.RTCP = netip.AddrPortFrom(m.Addr, m.RTCP.Port())
		}
		m.Codecs = s.codecs[p.codecs:p.codecsEnd:p.codecsEnd]
		m.SSRCs = s.ssrcs[p.ssrcs:p.ssrcsEnd:p.ssrcsEnd]
	}
}
