package callsim

import (
	"encoding/binary"
	"strconv"
	"time"
)

// figures are what one report says.
type figures struct {
	reporter, source      uint32
	seconds, fraction     uint32 // NTP time
	packets, octets, rtp  uint32
	block                 bool
	lossFraction          uint8
	lost, highest, jitter uint32
	lsr, dlsr             uint32
}

// ntpEpoch is the year 1970 in NTP time.
const ntpEpoch = 2_208_988_800

func ntp(at time.Time) (seconds, fraction uint32) {
	return uint32(at.Unix() + ntpEpoch), uint32((uint64(at.Nanosecond()) << 32) / 1e9)
}

// firstSeq is the sequence number of the first packet.
const firstSeq = 1000

// figures are those of a party's report at an instant.
func (c *Call) figures(w Who, at time.Time) figures {
	p, other := c.Party(w), c.Party(w.Other())
	f := figures{reporter: p.SSRC, source: other.SSRC, packets: c.packets(w, at)}
	f.seconds, f.fraction = ntp(at)
	f.octets, f.rtp = f.packets*uint32(c.Codec.Octets), f.packets*c.Codec.ClockHz/1000*uint32(c.Codec.PacketMS)
	h := p.Hears
	heard := c.packets(w.Other(), at)
	if f.block = !h.Nothing && heard > 0; !f.block {
		return f
	}
	before := c.packets(w.Other(), at.Add(-c.Every))
	lost := func(expected uint32) uint32 { return uint32(float64(expected)*h.LossPct/100 + 0.5) }
	f.lost, f.highest = lost(heard), firstSeq+heard-1
	f.lossFraction = uint8(256 * (f.lost - lost(before)) / max(heard-before, 1) & 0xff)
	f.jitter = uint32(h.JitterMS * float64(c.Codec.ClockHz) / 1000)
	if sr := at.Add(-c.Every / 2); sr.Sub(c.Answered) >= c.Every {
		s, frac := ntp(sr)
		f.lsr = s<<16 | frac>>16
		delay := at.Sub(sr) - time.Duration(h.TripMS*float64(time.Millisecond))
		f.dlsr = uint32(delay * 65536 / time.Second)
	}
	return f
}

// AppendJSON adds a party's report at an instant as JSON, in the way of rtpengine.
func (c *Call) AppendJSON(dst []byte, w Who, at time.Time) []byte {
	f := c.figures(w, at)
	put := func(key string, v uint32) {
		dst = append(dst, key...)
		dst = strconv.AppendUint(dst, uint64(v), 10)
	}
	put(`{"sender_information":{"ntp_timestamp_sec":`, f.seconds)
	put(`,"ntp_timestamp_usec":`, f.fraction)
	put(`,"octets":`, f.octets)
	put(`,"rtp_timestamp":`, f.rtp)
	put(`,"packets":`, f.packets)
	put(`},"ssrc":`, f.reporter)
	put(`,"type":200,"report_count":`, one(f.block))
	dst = append(dst, `,"report_blocks":[`...)
	if f.block {
		put(`{"source_ssrc":`, f.source)
		put(`,"highest_seq_no":`, f.highest)
		put(`,"fraction_lost":`, uint32(f.lossFraction))
		put(`,"ia_jitter":`, f.jitter)
		put(`,"packets_lost":`, f.lost)
		put(`,"lsr":`, f.lsr)
		put(`,"dlsr":`, f.dlsr)
		dst = append(dst, '}')
	}
	put(`],"sdes_ssrc":`, f.reporter)
	put(`,"sdes_report_count":1,"sdes_information":[{"sdes_chunk_ssrc":`, f.reporter)
	dst = append(dst, `,"type":1,"text":"`...)
	dst = append(dst, c.Party(w).Number...)
	return append(dst, `@sim"}]}`...)
}

func one(b bool) uint32 {
	if b {
		return 1
	}
	return 0
}

// AppendRTCP adds the same report as it is on the wire: a sender report and the CNAME (RFC 3550 §6.1).
func (c *Call) AppendRTCP(dst []byte, w Who, at time.Time) []byte {
	f := c.figures(w, at)
	blocks := uint16(one(f.block))
	dst = append(dst, 0x80|byte(blocks), 200)
	dst = binary.BigEndian.AppendUint16(dst, 6+6*blocks)
	for _, v := range [...]uint32{f.reporter, f.seconds, f.fraction, f.rtp, f.packets, f.octets} {
		dst = binary.BigEndian.AppendUint32(dst, v)
	}
	if f.block {
		for _, v := range [...]uint32{f.source, uint32(f.lossFraction)<<24 | f.lost&0xffffff, f.highest, f.jitter, f.lsr, f.dlsr} {
			dst = binary.BigEndian.AppendUint32(dst, v)
		}
	}
	return appendCNAME(dst, f.reporter, c.Party(w).Number+"@sim")
}

// appendCNAME adds a source description with one CNAME.
func appendCNAME(dst []byte, ssrc uint32, name string) []byte {
	pad := 4 - (2+len(name))%4 // at least one, which ends the chunk
	words := uint16((4 + 2 + len(name) + pad) / 4 & 0xff)
	dst = append(dst, 0x81, 202)
	dst = binary.BigEndian.AppendUint16(dst, words)
	dst = binary.BigEndian.AppendUint32(dst, ssrc)
	dst = append(dst, 1, byte(len(name)))
	dst = append(dst, name...)
	return append(dst, make([]byte, pad)...)
}
