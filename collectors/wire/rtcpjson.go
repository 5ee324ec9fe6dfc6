package wire

import (
	"errors"
	"net/netip"

	"vigia/collectors/voice"
)

// Dialect is who wrote RTCP as JSON (HEP type 5). The same keys mean different things to different senders.
type Dialect uint8

// The dialects. DialectPlain is any other: NTP or Unix time by its size, everything cumulative.
const (
	DialectAuto       Dialect = iota // told apart by what the message holds
	DialectPlain                     // none of the below, among them home-made agents
	DialectRTPEngine                 // rtpengine --homer
	DialectCaptagent                 // captagent
	DialectHeplify                   // heplify 1 and 2
	DialectAsterisk                  // Asterisk res_hep_rtcp
	DialectFreeSWITCH                // hepipe.js and others that forward FreeSWITCH's RTCP events
	dialectCount
)

var dialectNames = [dialectCount]string{"auto", "plain", "rtpengine", "captagent", "heplify", "asterisk", "freeswitch"}

// String is the dialect's name in the configuration.
func (d Dialect) String() string {
	if d < dialectCount {
		return dialectNames[d]
	}
	return "unknown"
}

// ParseDialect reads a name of the configuration; empty is auto.
func ParseDialect(name string) (Dialect, bool) {
	if name == "" {
		return DialectAuto, true
	}
	for d, n := range dialectNames {
		if n == name {
			return Dialect(d), true
		}
	}
	return DialectAuto, false
}

// What an RTCP JSON message can be other than useful.
var (
	ErrNotJSON      = errors.New("not JSON")
	ErrNoFigures    = errors.New("no reporter and no figures in it") // an SDES alone, or keys of another format
	ErrJSONTooLarge = errors.New("more than 64 KiB of JSON")
)

const maxRTCPJSON = 64 << 10

// JSONStats says what one message held.
type JSONStats struct {
	Dialect Dialect // in which it was read
	Reports int
	Cut     bool // closing brackets were missing; what stood before the end was used
	Excess  bool // more than 31 report blocks
}

// JSONDecoder reads RTCP as JSON, one message after another, without allocating. It is for one goroutine. The zero value is ready.
type JSONDecoder struct {
	report voice.Report
	msg    rtcpJSON
	mos    float32
	stats  JSONStats
}

// Begin says who saw the next message, its correlation id, and the MOS that came beside it (1..5; 0: none).
func (d *JSONDecoder) Begin(by voice.Seen, correlation []byte, mos float32) {
	d.report.Seen, d.report.CorrelationID, d.mos = by, correlation, mos
}

// Decode reads one message, in the dialect that is told or, with DialectAuto, found.
func (d *JSONDecoder) Decode(data []byte, dialect Dialect, sink voice.Sink) (JSONStats, error) {
	d.stats = JSONStats{Dialect: dialect}
	if len(data) > maxRTCPJSON {
		return d.stats, ErrJSONTooLarge
	}
	scan := jsonScan{data: data}
	m := &d.msg
	if !m.read(&scan) {
		return d.stats, ErrNotJSON
	}
	d.stats.Cut, d.stats.Excess = scan.cut, m.has&jsonExcess != 0
	if dialect == DialectAuto {
		d.stats.Dialect = m.dialect()
	}
	if d.stats.Dialect == DialectFreeSWITCH {
		d.forget()
	}
	common := d.common()
	for i := range m.blocks[:m.n] {
		d.report.Has = common
		d.block(&m.blocks[i])
		d.send(sink)
	}
	d.alone(common, sink)
	if d.stats.Reports == 0 {
		return d.stats, ErrNoFigures
	}
	return d.stats, nil
}

func (d *JSONDecoder) send(sink voice.Sink) {
	d.stats.Reports++
	sink.Report(&d.report)
}

// forget takes away addresses that are known to lie: hepipe.js writes 127.0.0.1 where it knows none.
func (d *JSONDecoder) forget() {
	if s := &d.report.Seen; s.Src.Addr().IsLoopback() || s.Dst.Addr().IsLoopback() {
		s.Src, s.Dst = netip.AddrPort{}, netip.AddrPort{}
	}
}

// dialect tells senders apart. Two that cannot be told apart mean the same.
func (m *rtcpJSON) dialect() Dialect {
	switch {
	case m.has&jsonQuoted != 0:
		return DialectAsterisk
	case m.has&jsonXRKey != 0:
		return DialectHeplify
	case m.has&jsonChunk != 0:
		return DialectRTPEngine
	case m.n == 1 && m.has&jsonCount != 0 && m.count != 1 && m.kind == rtcpSR && m.ssrc == m.blocks[0].value[blockSource]:
		return DialectFreeSWITCH // report_count is a sequence number of events there
	}
	return DialectPlain
}

// alone sends what no block could carry: the sender's part of an SR without blocks, and XR about a source without a block.
func (d *JSONDecoder) alone(common voice.Fields, sink voice.Sink) {
	m := &d.msg
	if m.has&jsonXR != 0 && !m.describes(m.xrSource) {
		d.report.Has = common | voice.HasSource | voice.HasVoIP
		d.report.Source, d.report.VoIP = m.xrSource, m.xr
		d.send(sink)
	}
	if d.stats.Reports > 0 || !common.Has(voice.HasReporter) {
		return
	}
	if m.kind == rtcpSR || m.kind == rtcpRR || common.Any(voice.HasSenderTime|voice.HasSenderCounts) {
		d.report.Has = common
		d.send(sink)
	}
}

// describes reports whether there is a block about the source.
func (m *rtcpJSON) describes(source uint32) bool {
	for i := range m.blocks[:m.n] {
		if b := &m.blocks[i]; b.all(blockSource) && uint32(b.value[blockSource]) == source {
			return true
		}
	}
	return false
}

// common fills in what all reports of the message share.
func (d *JSONDecoder) common() (has voice.Fields) {
	m, r := &d.msg, &d.report
	switch {
	case m.has&jsonSSRC != 0 && uint32(m.ssrc) != 0:
		r.Reporter, has = uint32(m.ssrc), voice.HasReporter
	case m.has&jsonSDES != 0 && uint32(m.sdes) != 0: // captagent leaves ssrc out of an SR without blocks
		r.Reporter, has = uint32(m.sdes), voice.HasReporter
	}
	if m.has&jsonCNAME != 0 && (m.chunk < 0 || uint32(m.chunk) == r.Reporter) {
		r.CNAME = hashName(m.cname)
		has |= voice.HasCNAME
	}
	return has | d.sender()
}

const (
	unixToNTP = 2208988800 // seconds from 1900 to 1970 (RFC 5905 §6)
	micros    = 1_000_000
)

// sender reads the sender's part. heplify fills it with zeroes for an RR.
func (d *JSONDecoder) sender() (has voice.Fields) {
	m, r := &d.msg, &d.report
	const counts, times = jsonPackets | jsonOctets, jsonNTPSec | jsonNTPFrac | jsonRTP
	if m.has&counts == counts && d.stats.Dialect != DialectFreeSWITCH && (m.packets|m.octet != 0 || m.kind == rtcpSR) {
		r.SentPackets, r.SentOctets = uint32(m.packets), uint32(m.octet)
		has = voice.HasSenderCounts
	}
	if m.has&times != times || m.ntpSec == 0 && m.ntpFrac == 0 {
		return has
	}
	r.SenderRTP = uint32(m.rtp)
	unix := d.stats.Dialect == DialectAsterisk || d.stats.Dialect == DialectPlain && m.ntpSec <= unixToNTP
	if !unix {
		r.SenderNTP = uint64(uint32(m.ntpSec))<<32 | uint64(uint32(m.ntpFrac))
		return has | voice.HasSenderTime
	}
	frac := uint64(uint32(m.ntpFrac))
	if frac < micros {
		frac = frac << 32 / micros
	}
	r.SenderNTP = uint64(uint32(m.ntpSec+unixToNTP))<<32 | frac&0xffffffff
	return has | voice.HasSenderTime | voice.RoundedTime
}

// block fills in one report block, its XR, and the observer's MOS. All figures are reduced to the width that they have on the wire.
func (d *JSONDecoder) block(b *jsonBlock) {
	r := &d.report
	if b.all(blockSource) {
		r.Source = uint32(b.value[blockSource])
		r.Has |= voice.HasSource
		if d.msg.has&jsonXR != 0 && d.msg.xrSource == r.Source {
			r.VoIP = d.msg.xr
			r.Has |= voice.HasVoIP
		}
	}
	if f := b.value[blockFraction]; b.all(blockFraction) && f>>8 == 0 {
		r.FractionLost = uint8(f)
		r.Has |= voice.HasFraction
	}
	if b.all(blockSeq) {
		r.HighestSeq = uint32(b.value[blockSeq])
		r.Has |= voice.HasSequence
	}
	if b.all(blockJitter) {
		r.JitterTicks = uint32(b.value[blockJitter])
		r.Has |= voice.HasJitter
	}
	if b.all(blockLSR, blockDLSR) {
		r.LSR, r.DLSR = uint32(b.value[blockLSR]), uint32(b.value[blockDLSR])
		r.Has |= voice.HasLSR
	}
	d.lost(b)
	if d.mos >= 1 && d.mos <= 5 {
		r.VendorMOS = d.mos
		r.Has |= voice.HasVendorMOS
	}
}

// lost reads packets_lost: 24 bits with or without their sign; FreeSWITCH's forwarders send the difference since the last message.
func (d *JSONDecoder) lost(b *jsonBlock) {
	if !b.all(blockLost) {
		return
	}
	r := &d.report
	lost := voice.SignExtend24(uint32(b.value[blockLost]))
	if d.stats.Dialect == DialectFreeSWITCH {
		r.LostSince = lost
		r.Has |= voice.HasLostSince
		return
	}
	r.CumulativeLost = lost
	r.Has |= voice.HasCumulative
}
