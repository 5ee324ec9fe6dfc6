package voice

import (
	"net/netip"
	"strings"
)

// describe takes a session description: where each party takes media, what is spoken, who may send.
func (t *Tracker) describe(c *call, leg int, m *Signal, w when) {
	l := &c.legs[leg]
	who := writer(t.fromCaller(l, m))
	answer := m.Status != 0 || m.Method == MethodAck
	first, image := true, false
	for i := range m.Media {
		d := &m.Media[i]
		t.takeAddress(c, leg, who, d, m)
		switch {
		case d.Port == 0:
		case d.Kind == MediaImage:
			image = true
		case d.Kind == MediaAudio && first:
			first = false
			t.speak(l, who, d, answer)
		}
		t.takeSSRCs(c, leg, who, d)
	}
	if answer && (image || !first) {
		l.fax = image && first
	}
	l.hold(w.at)
}

// takeAddress notes where a media line wants to be reached: the port itself, the one of a=rtcp, and, behind a NAT, the same port at the address that
// the signalling came from (rules 17, 21).
func (t *Tracker) takeAddress(c *call, leg int, who whom, d *Media, m *Signal) {
	if d.Port == 0 || d.Kind != MediaAudio && d.Kind != MediaVideo {
		return
	}
	e := endpoint{addr: d.Addr.Unmap(), port: d.Port, mute: d.Kind == MediaVideo}
	if d.RTCP.Port() != 0 && d.RTCP.Port() != d.Port+1 && (d.RTCP.Addr().Unmap() == e.addr || !usable(d.RTCP.Addr())) {
		e.rtcp = d.RTCP.Port()
	}
	t.addEndpoint(c, leg, who, e)
	if a := d.RTCP.Addr().Unmap(); usable(a) && a != e.addr {
		t.addEndpoint(c, leg, who, endpoint{addr: a, port: d.RTCP.Port(), mute: e.mute})
	}
	from := m.Seen.Src.Addr().Unmap()
	if usable(from) && from != e.addr && behindNAT(e.addr) && !t.rules.Load().ours(e.addr) {
		t.addEndpoint(c, leg, who, endpoint{addr: from, port: d.Port, rtcp: e.rtcp, nat: true, mute: e.mute})
	}
}

// behindNAT reports whether an address means nothing outside its own network (RFC 1918, RFC 6598, RFC 4193, link-local).
func behindNAT(a netip.Addr) bool {
	if a.Is4() {
		if b := a.As4(); b[0] == 100 && b[1]&0xc0 == 64 {
			return true
		}
	}
	return a.IsPrivate() || a.IsLinkLocalUnicast()
}

// takeSSRCs notes the SSRCs that a line announces (RFC 5576).
func (t *Tracker) takeSSRCs(c *call, leg int, who whom, d *Media) {
	for _, ssrc := range d.SSRCs {
		switch {
		case ssrc == 0:
		case d.Kind == MediaAudio:
			t.streamFor(c, leg, who.other(), ssrc, 0)
		case len(c.others) < maxStreams:
			c.others = append(c.others, ssrc)
		}
	}
}

// speak takes the codec and the direction of the audio line. The codec counts from the answer on (rule 14).
func (t *Tracker) speak(l *leg, who whom, d *Media, answer bool) {
	p := &l.parties[who]
	p.direction, p.noAddress = d.Direction, d.Addr.IsValid() && d.Addr.IsUnspecified()
	if !answer && l.codec != nil {
		return
	}
	for i := range d.Codecs {
		if speech(d.Codecs[i].Name) {
			l.codec = t.shared.codec(&d.Codecs[i])
			break
		}
	}
	if d.PtimeMS != 0 {
		l.ptimeMicros = uint32(d.PtimeMS) * 1000
	}
	l.dtmf = false
	for i := range d.Codecs {
		l.dtmf = l.dtmf || strings.EqualFold(string(d.Codecs[i].Name), "telephone-event")
	}
}

// hold works out which directions are on hold (rule 12).
func (l *leg) hold(at instant) {
	for _, to := range [2]whom{caller, callee} {
		hears, speaks := &l.parties[to], &l.parties[to.other()]
		held := hears.direction == SendOnly || hears.direction == Inactive || hears.noAddress ||
			speaks.direction == RecvOnly || speaks.direction == Inactive
		if held != l.held[to] {
			l.held[to], l.changed[to] = held, at
		}
	}
}
