package wire

import (
	"encoding/binary"
	"errors"
	"fmt"

	"vigia/collectors/voice"
)

// What a datagram can be other than RTCP that we read.
var (
	ErrNotRTCP   = errors.New("not RTCP") // another version, or a packet type outside 192..223 (RFC 5761 §4): RTP, STUN, DTLS or noise
	ErrRTCPEmpty = errors.New("no RTCP sub-packet that can be read")
)

// RTCPStats says what one datagram held. It adds up.
type RTCPStats struct {
	Reports   int  // facts handed to the sink
	Broken    int  // sub-packets whose length or content is wrong; they cost only themselves
	Trailing  int  // octets after the last sub-packet that could be told apart
	Skipped   int  // sub-packets and XR blocks of types that say nothing about quality
	Excess    int  // what a packet held beyond the limits of this decoder
	Reduced   bool // reduced size (RFC 5506): the first sub-packet is no SR or RR
	Encrypted bool // SRTCP: only the sender's SSRC is used
}

// Packet types (RFC 3550 §12.1, RFC 3611 §2).
const (
	rtcpSR   = 200
	rtcpRR   = 201
	rtcpSDES = 202
	rtcpBYE  = 203
	rtcpXR   = 207
)

// Limits on one datagram. They are far above what any sender uses, and bound the work that a hostile one can cause.
const (
	maxRTCPParts = 24 // sub-packets
	maxXRParts   = 32 // XR blocks and DLRR entries that are used
)

const (
	rtcpHeaderLen = 8 // common header and SSRC
	rtcpSRLen     = 28
	rtcpBlockLen  = 24
)

// IsRTCP reports whether octets begin like RTCP: version 2 and a packet type of 192..223 (RFC 5761 §4).
func IsRTCP(data []byte) bool {
	return len(data) >= rtcpHeaderLen && data[0]>>6 == 2 && data[1] >= 192 && data[1] <= 223
}

// RTCP reads one RTCP datagram and hands every fact in it to sink. It allocates a decoder; who reads many uses an RTCPDecoder again and again.
func RTCP(meta Meta, data []byte, sink voice.Sink) (RTCPStats, error) {
	var d RTCPDecoder
	d.Begin(voice.Seen{
		Observer: voice.Observer{Agent: meta.Agent, Addr: meta.Observer}, At: meta.At, Arrived: meta.At, Src: meta.From, Dst: meta.To,
	}, []byte(meta.Correlation))
	return d.Decode(data, sink)
}

// RTCPDecoder reads RTCP datagrams (RFC 3550, RFC 3611, RFC 5506) one after another without allocating. It is for one goroutine.
//
// Sub-packets are told apart by their own lengths and read one by one, so that a broken one costs only itself. SR and RR come out with what
// SDES, BYE and XR of the same datagram say about the same reporter and source. The zero value is ready.
type RTCPDecoder struct {
	report voice.Report
	stats  RTCPStats
	parts  [maxRTCPParts]rtcpPart
	count  int
	xr     [maxXRParts]xrPart
	xrs    int
	kinds  uint8 // what parts hold besides SR and RR
}

// rtcpPart is one sub-packet, its padding taken off.
type rtcpPart struct {
	data []byte
	kind uint8
	rc   uint8
	used bool // of BYE: every SSRC in it has had its report
}

const (
	holdsSDES uint8 = 1 << iota
	holdsBYE
	holdsXR
)

// Begin says who saw the next datagram, and under which correlation id; both go into every report of it.
func (d *RTCPDecoder) Begin(by voice.Seen, correlation []byte) {
	d.report.Seen, d.report.CorrelationID = by, correlation
}

// Decode reads one datagram. ErrNotRTCP and ErrRTCPEmpty (wrapped) say that nothing was in it.
func (d *RTCPDecoder) Decode(data []byte, sink voice.Sink) (RTCPStats, error) {
	d.stats, d.count, d.xrs, d.kinds = RTCPStats{}, 0, 0, 0
	if !IsRTCP(data) {
		return d.stats, ErrNotRTCP
	}
	rest := d.split(data)
	if len(rest) > 0 && d.count == 1 && isSRTCP(data) {
		d.encrypted(data, sink)
		return d.stats, nil
	}
	d.stats.Trailing = len(rest)
	if d.count == 0 {
		return d.stats, fmt.Errorf("%w: %d octets, the first says %d", ErrRTCPEmpty, len(data), rtcpLen(data))
	}
	d.stats.Reduced = d.parts[0].kind != rtcpSR && d.parts[0].kind != rtcpRR
	if d.kinds&holdsXR != 0 {
		d.findXR()
	}
	for i := range d.parts[:d.count] {
		switch p := &d.parts[i]; p.kind {
		case rtcpSR, rtcpRR:
			d.reception(p, sink)
		case rtcpSDES, rtcpBYE, rtcpXR:
		default:
			d.stats.Skipped++
		}
	}
	if d.kinds&(holdsBYE|holdsXR) != 0 {
		d.leftover(sink)
	}
	return d.stats, nil
}

func rtcpLen(data []byte) int { return (int(binary.BigEndian.Uint16(data[2:])) + 1) * 4 }

// split finds the sub-packets and returns what follows the last one.
func (d *RTCPDecoder) split(data []byte) []byte {
	for len(data) >= 4 {
		n := rtcpLen(data)
		if data[0]>>6 != 2 || data[1] < 192 || data[1] > 223 || n > len(data) {
			break
		}
		if d.count == maxRTCPParts {
			d.stats.Excess++
			return nil
		}
		d.add(data[:n], n == len(data))
		data = data[n:]
	}
	return data
}

// add notes a sub-packet. Only the last may be padded (RFC 3550 §6.4.1).
func (d *RTCPDecoder) add(part []byte, last bool) {
	p := &d.parts[d.count]
	p.kind, p.rc, p.used = part[1], part[0]&31, false
	if part[0]&0x20 != 0 && last {
		pad := int(part[len(part)-1])
		if pad == 0 || pad > len(part)-4 {
			d.stats.Broken++
			return
		}
		part = part[:len(part)-pad]
	}
	p.data = part
	d.count++
	switch p.kind {
	case rtcpSDES:
		d.kinds |= holdsSDES
	case rtcpBYE:
		d.kinds |= holdsBYE
	case rtcpXR:
		d.kinds |= holdsXR
	}
}

// isSRTCP recognises SRTCP (RFC 3711 §3.4): the first header and SSRC are in clear, what follows is cipher text, so that the chain of headers
// breaks after one link, and near the end stands the E bit with a packet index, which counts from 0. The index stands before a tag of
// 10 or 4 octets, or last with AES-GCM (RFC 7714 §9.3); an MKI of 1, 2 or 4 octets may come in between.
func isSRTCP(data []byte) bool {
	for _, back := range [...]int{14, 8, 4, 18, 15, 16, 12, 9, 10} {
		at := len(data) - back
		if at < rtcpHeaderLen {
			continue
		}
		if word := binary.BigEndian.Uint32(data[at:]); word>>31 == 1 && word&0x7fffffff < 1<<20 {
			return true
		}
	}
	return false
}

// encrypted reports a sign of life of which only the reporter is known.
func (d *RTCPDecoder) encrypted(data []byte, sink voice.Sink) {
	d.stats.Encrypted = true
	d.report.Has = voice.HasReporter | voice.Encrypted
	d.report.Reporter = binary.BigEndian.Uint32(data[4:])
	d.send(sink)
}

func (d *RTCPDecoder) send(sink voice.Sink) {
	d.stats.Reports++
	sink.Report(&d.report)
}

// reception reads an SR or RR. A report with too few octets for its blocks is broken as a whole: which of its fields are right is not known.
func (d *RTCPDecoder) reception(p *rtcpPart, sink voice.Sink) {
	at := rtcpHeaderLen
	if p.kind == rtcpSR {
		at = rtcpSRLen
	}
	if len(p.data) < at+int(p.rc)*rtcpBlockLen {
		d.stats.Broken++
		return
	}
	r := &d.report
	r.Reporter = binary.BigEndian.Uint32(p.data[4:])
	common := voice.HasReporter | d.about(r.Reporter)
	if p.kind == rtcpSR {
		common |= readSender(r, p.data)
	}
	r.Has = common
	if p.rc == 0 {
		d.send(sink)
		return
	}
	for i := range int(p.rc) {
		r.Has = common
		readBlock(r, p.data[at+i*rtcpBlockLen:])
		if d.xrs > 0 {
			d.joinXR(r)
		}
		d.send(sink)
	}
}

// readSender reads the sender's part of an SR. An NTP time of 0 means that it has no clock (RFC 3550 §6.4.1).
func readSender(r *voice.Report, data []byte) voice.Fields {
	_ = data[27]
	r.SenderNTP = binary.BigEndian.Uint64(data[8:])
	r.SenderRTP = binary.BigEndian.Uint32(data[16:])
	r.SentPackets = binary.BigEndian.Uint32(data[20:])
	r.SentOctets = binary.BigEndian.Uint32(data[24:])
	if r.SenderNTP == 0 {
		return voice.HasSenderCounts
	}
	return voice.HasSenderTime | voice.HasSenderCounts
}

// wireBlock are the fields of a report block on the wire, which has no LostSince.
const wireBlock = voice.HasBlock &^ voice.HasLostSince

// readBlock reads one report block (RFC 3550 §6.4.1).
func readBlock(r *voice.Report, data []byte) {
	_ = data[23]
	r.Has |= voice.HasSource | wireBlock
	r.Source = binary.BigEndian.Uint32(data)
	lost := binary.BigEndian.Uint32(data[4:])
	r.FractionLost = uint8(lost >> 24)
	r.CumulativeLost = voice.SignExtend24(lost & 0xffffff)
	r.HighestSeq = binary.BigEndian.Uint32(data[8:])
	r.JitterTicks = binary.BigEndian.Uint32(data[12:])
	r.LSR = binary.BigEndian.Uint32(data[16:])
	r.DLSR = binary.BigEndian.Uint32(data[20:])
}

// about fills in what the rest of the datagram says of a reporter: its CNAME, that it leaves, and its receiver reference time.
func (d *RTCPDecoder) about(reporter uint32) (has voice.Fields) {
	if d.kinds == 0 {
		return 0
	}
	if d.kinds&holdsSDES != 0 {
		if hash, ok := d.cname(reporter); ok {
			d.report.CNAME = hash
			has |= voice.HasCNAME
		}
	}
	if d.kinds&holdsBYE != 0 && d.leaves(reporter) {
		has |= voice.HasBye
	}
	if d.xrs > 0 {
		has |= d.receiverTime(reporter)
	}
	return has
}
