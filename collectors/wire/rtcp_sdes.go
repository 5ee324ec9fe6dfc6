package wire

import (
	"encoding/binary"

	"vigia/collectors/voice"
)

// cname finds the CNAME of a source (RFC 3550 §6.5) and returns its hash.
func (d *RTCPDecoder) cname(ssrc uint32) (hash uint64, ok bool) {
	for i := range d.parts[:d.count] {
		p := &d.parts[i]
		if p.kind != rtcpSDES {
			continue
		}
		if name, whole := chunkName(p.data[4:], int(p.rc), ssrc); name != nil {
			return hashName(name), true
		} else if !whole && !p.used {
			p.used = true
			d.stats.Broken++
		}
	}
	return 0, false
}

// chunkName walks the chunks of an SDES. whole is false when they do not fit into it.
func chunkName(data []byte, chunks int, ssrc uint32) (name []byte, whole bool) {
	for range chunks {
		if len(data) < 8 { // an SSRC and a word of items, of which the first may be the end
			return nil, false
		}
		ours := binary.BigEndian.Uint32(data) == ssrc
		at := 4
		for at < len(data) && data[at] != 0 {
			if at+2 > len(data) || at+2+int(data[at+1]) > len(data) {
				return nil, false
			}
			end := at + 2 + int(data[at+1])
			if ours && data[at] == 1 && end > at+2 {
				return data[at+2 : end], true
			}
			at = end
		}
		at = (at + 4) &^ 3 // the zero octet that ends the items, then up to a whole word
		if at > len(data) {
			return nil, false
		}
		data = data[at:]
	}
	return nil, true
}

// hashName is voice.HashName without an interface, 64-bit FNV-1a; a test holds the two together.
func hashName(name []byte) uint64 {
	h := uint64(14695981039346656037)
	for _, c := range name {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return max(h, 1)
}

// leaves reports whether a BYE names the source (RFC 3550 §6.6).
func (d *RTCPDecoder) leaves(ssrc uint32) bool {
	for i := range d.parts[:d.count] {
		if p := &d.parts[i]; p.kind == rtcpBYE && p.names(ssrc) {
			return true
		}
	}
	return false
}

// gone is the number of SSRCs of a BYE that are there.
func (p *rtcpPart) gone() int { return min(int(p.rc), (len(p.data)-4)/4) }

func (p *rtcpPart) names(ssrc uint32) bool {
	for i := range p.gone() {
		if binary.BigEndian.Uint32(p.data[4+4*i:]) == ssrc {
			return true
		}
	}
	return false
}

// leftover reports what no SR or RR of the datagram could carry: XR about other sources, and sources that leave.
func (d *RTCPDecoder) leftover(sink voice.Sink) {
	for i := range d.xr[:d.xrs] {
		if x := &d.xr[i]; !x.used && x.kind != xrReceiverTime {
			d.aloneXR(x, sink)
		}
	}
	for i := range d.xr[:d.xrs] {
		if x := &d.xr[i]; !x.used {
			d.report.Reporter = x.reporter
			d.report.Has = voice.HasReporter | d.about(x.reporter)
			d.send(sink)
		}
	}
	for i := range d.parts[:d.count] {
		if p := &d.parts[i]; p.kind == rtcpBYE {
			d.farewell(p, sink)
		}
	}
}

// farewell reports the sources of a BYE that have no other report in the datagram.
func (d *RTCPDecoder) farewell(p *rtcpPart, sink voice.Sink) {
	if p.gone() < int(p.rc) {
		d.stats.Broken++
	}
	for i := range p.gone() {
		ssrc := binary.BigEndian.Uint32(p.data[4+4*i:])
		if d.reported(ssrc) {
			continue
		}
		d.report.Reporter = ssrc
		d.report.Has = voice.HasReporter | d.about(ssrc)
		d.send(sink)
	}
}

// reported says whether a report of the datagram already carried the reporter, and with it its BYE.
func (d *RTCPDecoder) reported(ssrc uint32) bool {
	for i := range d.parts[:d.count] {
		p := &d.parts[i]
		if (p.kind == rtcpSR || p.kind == rtcpRR) && p.whole() && binary.BigEndian.Uint32(p.data[4:]) == ssrc {
			return true
		}
	}
	for i := range d.xr[:d.xrs] {
		if d.xr[i].reporter == ssrc {
			return true
		}
	}
	return false
}

// whole reports whether an SR or RR has room for its blocks.
func (p *rtcpPart) whole() bool {
	at := rtcpHeaderLen
	if p.kind == rtcpSR {
		at = rtcpSRLen
	}
	return len(p.data) >= at+int(p.rc)*rtcpBlockLen
}
