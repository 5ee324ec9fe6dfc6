package wire

import (
	"encoding/binary"

	"vigia/collectors/voice"
)

// XR block types that are used (RFC 3611 §4).
const (
	xrReceiverTime = 4
	xrDLRR         = 5
	xrSummary      = 6
	xrVoIP         = 7
)

// xrPart is one XR block, or one entry of a DLRR block.
type xrPart struct {
	reporter, source uint32
	data             []byte // the block with its header; of DLRR the entry of 12 octets
	kind             uint8
	used             bool
}

// findXR notes the XR blocks of the datagram. Blocks of other types (loss RLE and so on) are skipped by their length.
func (d *RTCPDecoder) findXR() {
	for i := range d.parts[:d.count] {
		p := &d.parts[i]
		if p.kind != rtcpXR {
			continue
		}
		if len(p.data) < rtcpHeaderLen {
			d.stats.Broken++
			continue
		}
		d.blocksXR(binary.BigEndian.Uint32(p.data[4:]), p.data[rtcpHeaderLen:])
	}
}

func (d *RTCPDecoder) blocksXR(reporter uint32, data []byte) {
	for len(data) >= 4 {
		n := rtcpLen(data)
		if n > len(data) {
			break
		}
		d.blockXR(reporter, data[:n])
		data = data[n:]
	}
	if len(data) > 0 {
		d.stats.Broken++
	}
}

func (d *RTCPDecoder) blockXR(reporter uint32, b []byte) {
	switch b[0] {
	case xrReceiverTime:
		d.noteXR(xrPart{reporter: reporter, data: b, kind: b[0]}, 12)
	case xrSummary:
		d.noteXR(xrPart{reporter: reporter, data: b, kind: b[0]}, 40)
	case xrVoIP:
		d.noteXR(xrPart{reporter: reporter, data: b, kind: b[0]}, 36)
	case xrDLRR:
		for e := b[4:]; len(e) >= 12; e = e[12:] {
			d.noteXR(xrPart{reporter: reporter, source: binary.BigEndian.Uint32(e), data: e[:12], kind: xrDLRR}, 12)
		}
	default:
		d.stats.Skipped++
	}
}

// noteXR keeps a block that has the octets its type needs.
func (d *RTCPDecoder) noteXR(x xrPart, needs int) {
	if len(x.data) < needs {
		d.stats.Broken++
		return
	}
	if d.xrs == maxXRParts {
		d.stats.Excess++
		return
	}
	if x.kind == xrSummary || x.kind == xrVoIP {
		x.source = binary.BigEndian.Uint32(x.data[4:])
	}
	d.xr[d.xrs] = x
	d.xrs++
}

// joinXR puts into a report what XR blocks of its reporter say of its source.
func (d *RTCPDecoder) joinXR(r *voice.Report) {
	for i := range d.xr[:d.xrs] {
		x := &d.xr[i]
		if x.kind != xrReceiverTime && x.reporter == r.Reporter && x.source == r.Source {
			x.used = true
			x.into(r)
		}
	}
}

// receiverTime fills in the receiver reference time of a reporter.
func (d *RTCPDecoder) receiverTime(reporter uint32) (has voice.Fields) {
	for i := range d.xr[:d.xrs] {
		if x := &d.xr[i]; x.kind == xrReceiverTime && x.reporter == reporter {
			x.used = true
			d.report.ReceiverNTP = binary.BigEndian.Uint64(x.data[4:])
			has = voice.HasReceiverTime
		}
	}
	return has
}

// aloneXR makes a report of its own of XR blocks about one source.
func (d *RTCPDecoder) aloneXR(x *xrPart, sink voice.Sink) {
	r := &d.report
	r.Reporter, r.Source = x.reporter, x.source
	r.Has = voice.HasReporter | voice.HasSource | d.about(x.reporter)
	d.joinXR(r)
	d.send(sink)
}

// into reads the block into a report.
func (x *xrPart) into(r *voice.Report) {
	switch x.kind {
	case xrDLRR:
		r.Has |= voice.HasDLRR
		r.LRR, r.DLRR = binary.BigEndian.Uint32(x.data[4:]), binary.BigEndian.Uint32(x.data[8:])
	case xrSummary:
		r.Has |= voice.HasSummary
		r.Summary = readSummary(x.data)
	case xrVoIP:
		r.Has |= voice.HasVoIP
		r.VoIP = readVoIP(x.data)
	}
}

// readSummary reads a statistics summary block of 40 octets (RFC 3611 §4.6); its flags say which parts hold.
func readSummary(b []byte) voice.Summary {
	flags := b[1]
	return voice.Summary{
		HasLoss: flags&0x80 != 0, HasDuplicates: flags&0x40 != 0, HasJitter: flags&0x20 != 0,
		BeginSeq: binary.BigEndian.Uint16(b[8:]), EndSeq: binary.BigEndian.Uint16(b[10:]),
		Lost: binary.BigEndian.Uint32(b[12:]), Duplicates: binary.BigEndian.Uint32(b[16:]),
		MinJitter: binary.BigEndian.Uint32(b[20:]), MaxJitter: binary.BigEndian.Uint32(b[24:]), MeanJitter: binary.BigEndian.Uint32(b[28:]),
	}
}

// readVoIP reads a VoIP metrics block of 36 octets (RFC 3611 §4.7).
func readVoIP(b []byte) voice.VoIPMetrics {
	return voice.VoIPMetrics{
		LossRate: b[8], DiscardRate: b[9], BurstDensity: b[10], GapDensity: b[11],
		BurstMS: binary.BigEndian.Uint16(b[12:]), GapMS: binary.BigEndian.Uint16(b[14:]),
		RoundTripMS: binary.BigEndian.Uint16(b[16:]), EndSystemMS: binary.BigEndian.Uint16(b[18:]),
		SignalDBm0: int8(b[20]), NoiseDBm0: int8(b[21]), RERL: b[22], Gmin: b[23],
		RFactor: b[24], ExternalR: b[25], MOSLQ: b[26], MOSCQ: b[27], RXConfig: b[28],
		BufferNominalMS: binary.BigEndian.Uint16(b[30:]), BufferMaxMS: binary.BigEndian.Uint16(b[32:]), BufferAbsMaxMS: binary.BigEndian.Uint16(b[34:]),
	}
}
