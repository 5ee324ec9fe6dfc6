package capture

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"vigia/collectors/voice"
)

// Packets of tests are put together from their fields.

var (
	ana  = netip.MustParseAddr("192.0.2.1")
	bob  = netip.MustParseAddr("198.51.100.2")
	ana6 = netip.MustParseAddr("2001:db8::1")
	bob6 = netip.MustParseAddr("2001:db8::2")
)

func u16(v int) []byte { return binary.BigEndian.AppendUint16(nil, uint16(v)) }
func u32(v int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(v)) }

func join(parts ...[]byte) []byte {
	var out []byte
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

// udp is ports, length and an absent checksum.
func udp(from, to int, payload []byte) []byte {
	return join(u16(from), u16(to), u16(8+len(payload)), u16(0), payload)
}

// tcp has a header of 20 octets.
func tcp(from, to, sequence int, flags byte, payload []byte) []byte {
	return join(u16(from), u16(to), u32(sequence), u32(0), []byte{5 << 4, flags}, u16(1000), u16(0), u16(0), payload)
}

// ip4 wraps without a fragment; ip4part has flags and offset.
func ip4(src, dst netip.Addr, protocol byte, payload []byte) []byte {
	return ip4part(src, dst, protocol, 1, 0, payload)
}

func ip4part(src, dst netip.Addr, protocol byte, id, fragment int, payload []byte) []byte {
	return join([]byte{0x45, 0}, u16(20+len(payload)), u16(id), u16(fragment), []byte{64, protocol}, u16(0), src.AsSlice(), dst.AsSlice(), payload)
}

func ip6(src, dst netip.Addr, next byte, payload []byte) []byte {
	return join([]byte{0x60, 0, 0, 0}, u16(len(payload)), []byte{next, 64}, src.AsSlice(), dst.AsSlice(), payload)
}

func ethernet(kind int, payload []byte) []byte {
	return join([]byte{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2}, u16(kind), payload)
}

// report is an RR with one block.
func report(reporter, source, lost, sequence int) []byte {
	return join([]byte{0x81, 201}, u16(7), u32(reporter), u32(source), []byte{byte(lost >> 24)}, u32(lost)[1:], u32(sequence), u32(40), u32(0), u32(0))
}

// sip is a request with a session description.
func sip(method, body string) []byte {
	return fmt.Appendf(nil, "%s sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\nCall-ID: c1\r\nCSeq: 1 %s\r\nContent-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s",
		method, method, len(body), body)
}

const description = "v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 0\r\n"

// keeper keeps one word for each fact.
type keeper struct{ facts []string }

func (k *keeper) Report(r *voice.Report) {
	k.facts = append(k.facts, fmt.Sprintf("report %s>%s %d/%d enc=%t", r.Seen.Src, r.Seen.Dst, r.Reporter, r.Source, r.Has.Has(voice.Encrypted)))
}

func (k *keeper) Signal(m *voice.Signal) {
	k.facts = append(k.facts, fmt.Sprintf("sip %s>%s %d %s %d", m.Seen.Src, m.Seen.Dst, m.Method, m.CallID, len(m.Media)))
}

func (k *keeper) Quality(q *voice.Quality) { k.facts = append(k.facts, "quality "+string(q.CallID)) }

func (k *keeper) String() string { return strings.Join(k.facts, "; ") }

var noon = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
