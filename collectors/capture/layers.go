package capture

import (
	"encoding/binary"
	"net/netip"

	"github.com/gopacket/gopacket/layers"
)

// datagram is the payload of one UDP or TCP packet, with what is around it.
type datagram struct {
	src, dst netip.AddrPort
	payload  []byte
	missing  int // octets of the payload that were not captured
}

// maxDepth bounds how deep packets may lie in packets.
const maxDepth = 8

// The numbers of IEEE (EtherType) and IANA (protocols) that are read.
const (
	etherIPv4   = 0x0800
	etherIPv6   = 0x86dd
	etherVLAN   = 0x8100
	etherQinQ   = 0x88a8
	etherQinQ2  = 0x9100
	etherMPLS   = 0x8847
	etherPPPoE  = 0x8864
	etherBridge = 0x6558 // Ethernet in GRE
	etherERSPAN = 0x88be // types I and II
	etherSPAN3  = 0x22eb

	protoIPIP = 4
	protoTCP  = 6
	protoUDP  = 17
	proto6in4 = 41
	protoGRE  = 47
)

var be = binary.BigEndian

// link takes a packet of the link layer.
func (d *Decoder) link(kind layers.LinkType, data []byte) {
	switch uint32(kind) {
	case 1:
		d.ethernet(data, 0)
	case 0, 108: // BSD loopback; the family is in the byte order of whoever wrote it
		d.version(skip(data, 4), 0)
	case 12, 14, 101, 228, 229:
		d.version(data, 0)
	case 113: // Linux cooked
		if len(data) >= 16 {
			d.ether(be.Uint16(data[14:]), data[16:], 0)
		}
	case 276: // Linux cooked 2
		if len(data) >= 20 {
			d.ether(be.Uint16(data), data[20:], 0)
		}
	default:
		d.stats.UnknownLink++
	}
}

func skip(data []byte, n int) []byte { return data[min(n, len(data)):] }

func (d *Decoder) ethernet(data []byte, depth int) {
	if len(data) >= 14 {
		d.ether(be.Uint16(data[12:]), data[14:], depth)
	}
}

// ether takes what an EtherType announces.
func (d *Decoder) ether(kind uint16, data []byte, depth int) {
	for tags := 0; kind == etherVLAN || kind == etherQinQ || kind == etherQinQ2; tags++ {
		if len(data) < 4 || tags == maxDepth {
			return
		}
		kind, data = be.Uint16(data[2:]), data[4:]
	}
	switch kind {
	case etherIPv4, etherIPv6:
		d.version(data, depth)
	case etherMPLS:
		for labels := 0; len(data) >= 4 && labels < 16; labels++ {
			bottom := data[2]&1 == 1
			if data = data[4:]; bottom {
				d.version(data, depth)
				return
			}
		}
	case etherPPPoE:
		if len(data) >= 8 && (be.Uint16(data[6:]) == 0x21 || be.Uint16(data[6:]) == 0x57) {
			d.version(data[8:], depth)
		}
	}
}

// version takes IP, of the version that it says.
func (d *Decoder) version(data []byte, depth int) {
	if len(data) == 0 || depth > maxDepth {
		return
	}
	switch data[0] >> 4 {
	case 4:
		d.ipv4(data, depth)
	case 6:
		d.ipv6(data, depth)
	}
}

func (d *Decoder) ipv4(data []byte, depth int) {
	head := int(data[0]&15) * 4
	if head < 20 || len(data) < head {
		d.stats.Malformed++
		return
	}
	total := int(be.Uint16(data[2:]))
	if total == 0 { // segmentation offload: the card would have filled it in
		total = len(data)
	}
	if total < head {
		d.stats.Malformed++
		return
	}
	src, dst := netip.AddrFrom4([4]byte(data[12:])), netip.AddrFrom4([4]byte(data[16:]))
	protocol, fragment, id := data[9], be.Uint16(data[6:]), be.Uint16(data[4:])
	missing := max(total-len(data), 0)
	payload := data[head:min(total, len(data))]
	if fragment&0x3fff != 0 { // an offset, or more to come
		key := fragmentKey{src: src, dst: dst, id: uint32(id), protocol: protocol}
		if payload = d.assemble(key, int(fragment&0x1fff)*8, fragment&0x2000 != 0, payload, missing); payload == nil {
			return
		}
		missing = 0
	}
	d.transport(protocol, src, dst, payload, missing, depth)
}

func (d *Decoder) ipv6(data []byte, depth int) {
	if len(data) < 40 {
		d.stats.Malformed++
		return
	}
	total := 40 + int(be.Uint16(data[4:]))
	if total == 40 {
		total = len(data)
	}
	src, dst := netip.AddrFrom16([16]byte(data[8:])).Unmap(), netip.AddrFrom16([16]byte(data[24:])).Unmap()
	next, payload, missing := data[6], data[40:min(total, len(data))], max(total-len(data), 0)
	for range maxDepth {
		switch next {
		case 0, 43, 60: // hop by hop, routing, destination options
			if len(payload) < 8 || len(payload) < (int(payload[1])+1)*8 {
				return
			}
			next, payload = payload[0], payload[(int(payload[1])+1)*8:]
		case 51: // authentication header
			if len(payload) < 8 || len(payload) < (int(payload[1])+2)*4 {
				return
			}
			next, payload = payload[0], payload[(int(payload[1])+2)*4:]
		case 44: // fragment
			if len(payload) < 8 {
				return
			}
			place := be.Uint16(payload[2:])
			key := fragmentKey{src: src, dst: dst, id: be.Uint32(payload[4:]), protocol: payload[0]}
			next, payload = payload[0], payload[8:]
			if place&0xfff9 == 0 { // atomic
				continue
			}
			if payload = d.assemble(key, int(place&0xfff8), place&1 != 0, payload, missing); payload == nil {
				return
			}
			missing = 0
		default:
			d.transport(next, src, dst, payload, missing, depth)
			return
		}
	}
}

// transport takes what an IP packet carries.
func (d *Decoder) transport(protocol uint8, src, dst netip.Addr, data []byte, missing, depth int) {
	switch protocol {
	case protoUDP:
		d.udp(src, dst, data, missing, depth)
	case protoTCP:
		d.tcp(src, dst, data, missing)
	case protoIPIP, proto6in4:
		d.version(data, depth+1)
	case protoGRE:
		d.gre(data, depth+1)
	}
}

// gre takes GRE (RFC 2784, RFC 2890) and the mirrors that use it.
func (d *Decoder) gre(data []byte, depth int) {
	if len(data) < 4 || depth > maxDepth {
		return
	}
	flags, kind := be.Uint16(data), be.Uint16(data[2:])
	head := 4
	for _, bit := range [...]uint16{0x8000, 0x2000, 0x1000} { // checksum, key, sequence number
		if flags&bit != 0 {
			head += 4
		}
	}
	sequence := flags&0x1000 != 0
	data = skip(data, head)
	switch kind {
	case etherBridge:
		d.ethernet(data, depth)
	case etherERSPAN:
		if sequence { // type II has a header of its own, type I has none
			data = skip(data, 8)
		}
		d.ethernet(data, depth)
	case etherSPAN3:
		head := 12
		if len(data) >= 12 && data[11]&1 == 1 { // a further header follows
			head = 20
		}
		d.ethernet(skip(data, head), depth)
	default:
		d.ether(kind, data, depth)
	}
}

// The ports of VXLAN: IANA's (RFC 7348) and the one that Linux used before.
const (
	portVXLAN    = 4789
	portOldVXLAN = 8472
)

func (d *Decoder) udp(src, dst netip.Addr, data []byte, missing, depth int) {
	if len(data) < 8 {
		d.stats.Malformed++
		return
	}
	g := datagram{src: netip.AddrPortFrom(src, be.Uint16(data)), dst: netip.AddrPortFrom(dst, be.Uint16(data[2:])), payload: data[8:], missing: missing}
	if length := int(be.Uint16(data[4:])); length >= 8 && length < len(data) {
		g.payload, g.missing = data[8:length], 0
	}
	port := g.dst.Port()
	if (port == portVXLAN || port == portOldVXLAN) && len(g.payload) >= 8 && g.payload[0] == 0x08 && depth < maxDepth {
		d.ethernet(g.payload[8:], depth+1)
		return
	}
	d.datagram(&g)
}
