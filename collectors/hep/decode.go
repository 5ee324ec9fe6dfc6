package hep

import (
	"crypto/subtle"
	"errors"
	"net/netip"
	"runtime/debug"
	"time"

	"vigia/collectors/intake"
	"vigia/collectors/voice"
	"vigia/collectors/wire"
)

// Protocol types (chunk 0x000b) that are read.
const (
	typeSIP    = 1
	typeRTCP   = 5
	typeReport = 34  // figures of one stream, JSON
	typeVQ     = 35  // vq-rtcpxr, bare or as a whole SIP message
	typeIPFIX  = 38  // horaclifix, JSON
	typeLog    = 100 // text
)

// decoders read SIP and vq-rtcpxr.
type decoders struct {
	sip, vq func(meta wire.Meta, data []byte, sink voice.Sink) error
}

// handler reads messages one after another. It is for one goroutine: each socket has its own.
type handler struct {
	l       *Listener
	packet  packet
	rtcp    wire.RTCPDecoder
	json    wire.JSONDecoder
	inflate inflater
	stamp   stamp
	quality voice.Quality
}

func newHandler(l *Listener) *handler {
	return &handler{l: l, stamp: stamp{sink: l.sink}}
}

// admitted asks the table of sources about one message.
func (l *Listener) admitted(from netip.Addr, now time.Time) bool {
	switch l.sources.Admit(from, now) {
	case intake.NotAllowed:
		l.count.drop(NotAllowed)
	case intake.TooFast:
		l.count.drop(TooFast)
	case intake.TableFull:
		l.count.drop(TableFull)
	default:
		return true
	}
	return false
}

// message reads one message of a source that was admitted. Nothing that it holds can end the collector.
func (h *handler) message(data []byte, from netip.Addr, arrived time.Time) {
	defer h.recovered()
	c, p := &h.l.count, &h.packet
	switch err := p.read(data); {
	case errors.Is(err, errMagic):
		c.drop(NotHEP)
		return
	case err != nil:
		c.drop(Malformed)
		return
	case !h.l.keyed(p):
		c.drop(WrongKey)
		return
	}
	c.messages.Add(1)
	c.octets.Add(uint64(len(data)))
	c.types[p.protocol].Add(1)
	if p.longer {
		c.drop(Longer)
	}
	if payload, ok := h.payload(); ok {
		h.decode(payload, from, arrived)
	}
}

// keyed compares the key in a time that does not depend on where it differs.
func (l *Listener) keyed(p *packet) bool {
	return len(l.key) == 0 || subtle.ConstantTimeCompare(l.key, p.key) == 1
}

func (h *handler) payload() ([]byte, bool) {
	p := h.packet.payload
	if len(p) == 0 {
		h.l.count.drop(NoPayload)
		return nil, false
	}
	if !h.packet.compressed {
		return p, true
	}
	p, err := h.inflate.unpack(p)
	if err != nil {
		h.l.count.drop(Unpack)
		return nil, false
	}
	return p, true
}

// decode hands a payload to the decoder of its type.
func (h *handler) decode(payload []byte, from netip.Addr, arrived time.Time) {
	p, c := &h.packet, &h.l.count
	dialect := h.l.dialects[p.agent]
	seen := voice.Seen{
		Observer: voice.Observer{Via: voice.ViaHEP, Agent: p.agent, Addr: from},
		At:       p.at(arrived, dialect == wire.DialectFreeSWITCH), Arrived: arrived, Src: p.from(), Dst: p.to(),
	}
	switch p.protocol {
	case typeRTCP:
		h.report(payload, &seen, dialect)
	case typeSIP:
		h.hook(h.l.decoders.sip, payload, &seen)
	case typeVQ:
		h.hook(h.l.decoders.vq, payload, &seen)
	case typeReport, typeIPFIX:
		h.figures(payload, &seen)
	case typeLog:
		c.drop(Log)
	default:
		c.drop(Type)
	}
}

// report reads RTCP: JSON in any dialect, or as it was on the wire.
func (h *handler) report(payload []byte, seen *voice.Seen, dialect wire.Dialect) {
	c := &h.l.count
	if wire.IsRTCP(payload) {
		h.rtcp.Begin(*seen, h.packet.correlation)
		stats, err := h.rtcp.Decode(payload, h.l.sink)
		c.reports.Add(uint64(stats.Reports))
		c.dropped[Broken].Add(uint64(stats.Broken))
		if stats.Encrypted {
			c.encrypted.Add(1)
		}
		if err != nil {
			c.drop(NotDecoded)
		}
		return
	}
	mos, _ := normalMOS(float64(h.packet.mos))
	h.json.Begin(*seen, h.packet.correlation, mos)
	stats, err := h.json.Decode(payload, dialect, h.l.sink)
	switch {
	case errors.Is(err, wire.ErrNoFigures):
		c.drop(NoFigures)
	case err != nil:
		c.drop(NotDecoded)
		return
	}
	c.dialects[stats.Dialect].Add(1)
	c.reports.Add(uint64(stats.Reports))
}

// hook calls a decoder of another file of package wire.
func (h *handler) hook(decode func(wire.Meta, []byte, voice.Sink) error, payload []byte, seen *voice.Seen) {
	p := &h.packet
	if decode == nil {
		h.l.count.drop(Type)
		return
	}
	h.stamp.arrived = seen.Arrived
	meta := wire.Meta{
		At: seen.At, Agent: p.agent, AgentName: string(p.name), From: seen.Src, To: seen.Dst,
		Correlation: string(p.correlation), Observer: seen.Observer.Addr,
	}
	if err := decode(meta, payload, &h.stamp); err != nil {
		h.l.count.drop(NotDecoded)
	}
}

// figures reads what another system worked out.
func (h *handler) figures(payload []byte, seen *voice.Seen) {
	q := &h.quality
	*q = voice.Quality{Seen: *seen, CorrelationID: h.packet.correlation}
	var err error
	if h.packet.protocol == typeReport {
		if err = fullReport(payload, q); err == nil {
			h.l.sink.Quality(q)
		}
	} else {
		err = ipfixReport(payload, h.l.sink.Quality, q)
	}
	if err != nil {
		h.l.count.drop(NotDecoded)
	}
}

// stamp completes what a decoder says of who saw a fact: it came by HEP, and arrived when it did whatever the agent's clock says. It writes into
// the fact, which belongs to the decoder that runs inside our call.
type stamp struct {
	sink    voice.Sink
	arrived time.Time
}

func (s *stamp) mark(seen *voice.Seen) { seen.Observer.Via, seen.Arrived = voice.ViaHEP, s.arrived }

func (s *stamp) Report(r *voice.Report) {
	s.mark(&r.Seen)
	s.sink.Report(r)
}

func (s *stamp) Signal(m *voice.Signal) {
	s.mark(&m.Seen)
	s.sink.Signal(m)
}

func (s *stamp) Quality(q *voice.Quality) {
	s.mark(&q.Seen)
	s.sink.Quality(q)
}

// recovered is the recover boundary of one message. The first failure is logged with its place; all are counted.
func (h *handler) recovered() {
	if p := recover(); p != nil {
		h.l.count.drop(Panic)
		h.l.once.Do(func() {
			h.l.log.Error("hep: a message made a decoder fail; please report this", "panic", p, "stack", string(debug.Stack()))
		})
	}
}
