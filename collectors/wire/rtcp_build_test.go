package wire

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"time"

	"vigia/collectors/voice"
)

// recorder is a Sink that keeps a copy of every report.
type recorder struct{ reports []voice.Report }

func (r *recorder) Report(p *voice.Report) {
	c := *p
	c.CorrelationID = slices.Clone(c.CorrelationID)
	r.reports = append(r.reports, c)
}
func (r *recorder) Signal(*voice.Signal)   {}
func (r *recorder) Quality(*voice.Quality) {}

// counter is a Sink that costs nothing.
type counter struct{ n int }

func (c *counter) Report(*voice.Report)   { c.n++ }
func (c *counter) Signal(*voice.Signal)   {}
func (c *counter) Quality(*voice.Quality) {}

func u16(v ...uint16) (out []byte) {
	for _, x := range v {
		out = binary.BigEndian.AppendUint16(out, x)
	}
	return out
}

func u32(v ...uint32) (out []byte) {
	for _, x := range v {
		out = binary.BigEndian.AppendUint32(out, x)
	}
	return out
}

func cat(parts ...[]byte) []byte { return slices.Concat(parts...) }

// sub is an RTCP sub-packet: its header, with the length counted, and its body.
func sub(kind, rc uint8, body ...[]byte) []byte {
	b := cat(body...)
	return cat([]byte{2<<6 | rc, kind}, u16(uint16(len(b)/4)), b)
}

// rb is a report block.
func rb(source uint32, fraction uint8, lost int32, seq, jitter, lsr, dlsr uint32) []byte {
	return u32(source, uint32(fraction)<<24|uint32(lost)&0xffffff, seq, jitter, lsr, dlsr)
}

func srOf(ssrc, sec, frac, rtp, packets, octets uint32, blocks ...[]byte) []byte {
	return sub(rtcpSR, uint8(len(blocks)), u32(ssrc, sec, frac, rtp, packets, octets), cat(blocks...))
}

func rrOf(ssrc uint32, blocks ...[]byte) []byte {
	return sub(rtcpRR, uint8(len(blocks)), u32(ssrc), cat(blocks...))
}

// sdesOf is an SDES of one chunk with one CNAME.
func sdesOf(ssrc uint32, cname string) []byte {
	chunk := cat(u32(ssrc), []byte{1, byte(len(cname))}, []byte(cname), []byte{0})
	for len(chunk)%4 != 0 {
		chunk = append(chunk, 0)
	}
	return sub(rtcpSDES, 1, chunk)
}

// xrBlock is an XR block with its header.
func xrBlock(kind, specific uint8, body ...[]byte) []byte {
	b := cat(body...)
	return cat([]byte{kind, specific}, u16(uint16(len(b)/4)), b)
}

// voip is a VoIP metrics block whose fields all differ.
func voip(source uint32) []byte {
	return xrBlock(xrVoIP, 0, u32(source),
		[]byte{5, 7, 90, 2}, // loss rate, discard rate, burst density, gap density
		u16(640, 9000),      // burst and gap duration
		u16(120, 85),        // round trip and end system delay
		[]byte{0xf1, 0xc4},  // signal -15 dBm0, noise -60 dBm0
		[]byte{55, 16},      // RERL, Gmin
		[]byte{88, 127},     // R, external R unavailable
		[]byte{41, 39},      // MOS-LQ 4.1, MOS-CQ 3.9
		[]byte{0xf3, 0},     // RX config: standard PLC, adaptive buffer, rate 3
		u16(60, 120, 240),   // buffer nominal, maximum, absolute maximum
	)
}

var wantVoIP = voice.VoIPMetrics{
	LossRate: 5, DiscardRate: 7, BurstDensity: 90, GapDensity: 2, BurstMS: 640, GapMS: 9000, RoundTripMS: 120, EndSystemMS: 85,
	SignalDBm0: -15, NoiseDBm0: -60, RERL: 55, Gmin: 16, RFactor: 88, ExternalR: 127, MOSLQ: 41, MOSCQ: 39, RXConfig: 0xf3,
	BufferNominalMS: 60, BufferMaxMS: 120, BufferAbsMaxMS: 240,
}

var testSeen = voice.Seen{
	Observer: voice.Observer{Via: voice.ViaRTCP}, At: time.Unix(1_790_000_000, 0), Arrived: time.Unix(1_790_000_001, 0),
	Src: netip.MustParseAddrPort("192.0.2.1:4001"), Dst: netip.MustParseAddrPort("192.0.2.2:4003"),
}
