package capture

import (
	"fmt"
	"net/netip"
	"time"

	"vigia/collectors/voice"
	"vigia/collectors/wire"
)

// Config is how a Decoder works.
type Config struct {
	Via  voice.Via  // ViaReplay for files, ViaCapture for an interface
	Sink voice.Sink // takes the facts; their Observer is Via alone, but for those of HEP
	// HEP takes a HEP message that was captured on its way, from the agent at from. nil: HEP is counted only.
	HEP func(message []byte, from netip.Addr, at time.Time)
}

// Stats counts what the packets held.
type Stats struct {
	Packets     uint64
	SIP         uint64 // messages, over UDP or TCP
	RTCP        uint64 // datagrams
	Encrypted   uint64 // of them SRTCP
	RTP         uint64
	HEP         uint64
	OtherUDP    uint64
	OtherTCP    uint64 // segments of streams that are neither SIP nor HEP
	Fragments   uint64
	Cut         uint64 // packets of which the capture holds a part only
	Malformed   uint64 // IP, UDP or TCP headers that cannot be
	UnknownLink uint64 // packets of a link type that is not read
	Unreadable  uint64 // SIP or RTCP that could not be decoded
	Panics      uint64 // packets that made a decoder panic: a mistake of ours
}

// Decoder takes packets one after another and hands on what they say. It is for one goroutine.
type Decoder struct {
	cfg        Config
	stats      Stats
	now        time.Time // of the packet
	rtcp       wire.RTCPDecoder
	assembling map[fragmentKey]*assembly
	streams    map[streamKey]*stream
	known      endpoints
	lastPanic  error

	sweepFragments, sweepStreams sweep
}

// sweep is when a full table was last looked through: at most once a second, or every further packet would pay for it.
type sweep time.Time

func (s *sweep) due(now time.Time) bool {
	if age := now.Sub(time.Time(*s)); age >= 0 && age < time.Second {
		return false
	}
	*s = sweep(now)
	return true
}

// New makes a Decoder.
func New(cfg Config) *Decoder {
	d := &Decoder{cfg: cfg, assembling: map[fragmentKey]*assembly{}, streams: map[streamKey]*stream{}}
	d.known = endpoints{sink: cfg.Sink, new: map[netip.AddrPort]struct{}{}}
	return d
}

// Stats is what was counted so far.
func (d *Decoder) Stats() Stats { return d.stats }

// Err is the last mistake of ours that a packet brought to light; nil when there was none.
func (d *Decoder) Err() error { return d.lastPanic }

// Packet takes one packet.
func (d *Decoder) Packet(p *Packet) {
	d.stats.Packets++
	defer func() {
		if r := recover(); r != nil {
			d.stats.Panics++
			d.lastPanic = fmt.Errorf("packet %d makes a decoder fail: %v", d.stats.Packets, r)
		}
	}()
	d.now = p.At
	if p.Missing > 0 {
		d.stats.Cut++
	}
	d.link(p.Link, p.Data)
}

func isHEP(payload []byte) bool { return len(payload) >= 4 && string(payload[:4]) == "HEP3" }

// datagram tells what a UDP payload is.
func (d *Decoder) datagram(g *datagram) {
	switch {
	case isHEP(g.payload):
		d.hep(g.payload, g)
	case wire.IsRTCP(g.payload) && (exact(g.payload) || d.known.has(g.src) || d.known.has(g.dst)):
		d.report(g)
	case wire.LooksLikeSIP(g.payload):
		d.sip(g.payload, g)
	case len(g.payload) >= 12 && g.payload[0]>>6 == 2:
		d.stats.RTP++
	default:
		d.stats.OtherUDP++
	}
}

// exact reports whether the lengths of RTCP sub-packets end exactly where the datagram ends.
func exact(data []byte) bool {
	for len(data) >= 4 {
		n := (int(be.Uint16(data[2:])) + 1) * 4
		if data[0]>>6 != 2 || data[1] < 192 || data[1] > 223 || n > len(data) {
			return false
		}
		data = data[n:]
	}
	return len(data) == 0
}

func (d *Decoder) seen(g *datagram) voice.Seen {
	return voice.Seen{Observer: voice.Observer{Via: d.cfg.Via}, At: d.now, Arrived: d.now, Src: g.src, Dst: g.dst}
}

func (d *Decoder) report(g *datagram) {
	d.stats.RTCP++
	d.rtcp.Begin(d.seen(g), nil)
	stats, err := d.rtcp.Decode(g.payload, d.cfg.Sink)
	if stats.Encrypted {
		d.stats.Encrypted++
	}
	if err != nil {
		d.stats.Unreadable++
	}
}

func (d *Decoder) sip(message []byte, g *datagram) {
	d.stats.SIP++
	if err := wire.DecodeSIP(d.seen(g), nil, message, &d.known); err != nil {
		d.stats.Unreadable++
	}
}

func (d *Decoder) hep(message []byte, g *datagram) {
	d.stats.HEP++
	if d.cfg.HEP != nil {
		d.cfg.HEP(message, g.src.Addr(), d.now)
	}
}

// maxEndpoints bounds each of the two generations of addresses.
const maxEndpoints = 1 << 16

// endpoints are the RTCP addresses that session descriptions announced, in two generations. It stands between the SIP decoder and the sink.
type endpoints struct {
	sink     voice.Sink
	new, old map[netip.AddrPort]struct{}
}

func (e *endpoints) has(a netip.AddrPort) bool {
	_, ok := e.new[a]
	if !ok {
		_, ok = e.old[a]
	}
	return ok
}

func (e *endpoints) add(a netip.Addr, port uint16) {
	if !a.IsValid() || port == 0 {
		return
	}
	if len(e.new) >= maxEndpoints {
		e.old, e.new = e.new, map[netip.AddrPort]struct{}{}
	}
	e.new[netip.AddrPortFrom(a, port)] = struct{}{}
}

// Signal notes where RTCP is expected.
func (e *endpoints) Signal(m *voice.Signal) {
	for i := range m.Media {
		if d := &m.Media[i]; d.Port != 0 {
			e.add(d.Addr, d.Port) // rtcp-mux
			e.add(d.Addr, d.Port+1)
			e.add(d.RTCP.Addr(), d.RTCP.Port())
		}
	}
	e.sink.Signal(m)
}

// Report passes a report on.
func (e *endpoints) Report(r *voice.Report) { e.sink.Report(r) }

// Quality passes a phone's report on.
func (e *endpoints) Quality(q *voice.Quality) { e.sink.Quality(q) }
