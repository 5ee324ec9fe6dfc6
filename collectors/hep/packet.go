package hep

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"time"
)

// What octets can be other than HEP.
var (
	errMagic   = errors.New("not HEP: neither HEP3 nor version 1 or 2")
	errLength  = errors.New("total length does not fit the packet")
	errChunk   = errors.New("a chunk is shorter than its header or reaches beyond the packet")
	errAddress = errors.New("a chunk has a wrong length for its type")
)

// Chunk types of the vendor 0x0000 that are used (HEP3 specification, revision 37).
const (
	chunkSrc4        = 0x03
	chunkDst4        = 0x04
	chunkSrc6        = 0x05
	chunkDst6        = 0x06
	chunkSrcPort     = 0x07
	chunkDstPort     = 0x08
	chunkSeconds     = 0x09
	chunkMicros      = 0x0a
	chunkProtocol    = 0x0b
	chunkAgent       = 0x0c
	chunkKey         = 0x0e
	chunkPayload     = 0x0f
	chunkCompressed  = 0x10
	chunkCorrelation = 0x11
	chunkName        = 0x13
	chunkMOS         = 0x20
)

const (
	headLen = 6 // magic and total length; vendor, type and length of a chunk
)

// packet is one HEP message. Slices point into the octets that were read.
type packet struct {
	version     uint8 // 1, 2, 3
	protocol    uint8 // chunk 0x000b
	src, dst    netip.Addr
	srcPort     uint16
	dstPort     uint16
	seconds     uint32 // Unix; 0 together with micros: the agent gave no time
	micros      uint32
	agent       uint32
	mos         uint16 // in practice x100
	compressed  bool   // payload is
	longer      bool   // the datagram went on after the message
	key         []byte
	payload     []byte
	correlation []byte
	name        []byte
}

// read reads one message from a whole datagram, or from the piece of a stream that the total length cut out.
func (p *packet) read(data []byte) error {
	*p = packet{}
	if len(data) >= headLen && string(data[:4]) == "HEP3" {
		return p.read3(data)
	}
	if len(data) > 0 && (data[0] == 1 || data[0] == 2) {
		return p.readOld(data)
	}
	return errMagic
}

func (p *packet) read3(data []byte) error {
	p.version = 3
	total := int(binary.BigEndian.Uint16(data[4:]))
	if total < headLen || total > len(data) {
		return errLength
	}
	p.longer = total < len(data)
	for data = data[headLen:total]; len(data) > 0; {
		if len(data) < headLen {
			return errChunk
		}
		n := int(binary.BigEndian.Uint16(data[4:]))
		if n < headLen || n > len(data) {
			return errChunk
		}
		if binary.BigEndian.Uint16(data) == 0 { // a vendor's own chunks are none of ours, whatever their type
			if err := p.chunk(binary.BigEndian.Uint16(data[2:]), data[headLen:n:n]); err != nil {
				return err
			}
		}
		data = data[n:]
	}
	return nil
}

// chunk takes one generic chunk; of repeated ones the last counts.
func (p *packet) chunk(kind uint16, b []byte) error {
	switch kind {
	case chunkSrc4, chunkDst4, chunkSrc6, chunkDst6:
		return p.address(kind, b)
	case chunkSrcPort, chunkDstPort, chunkMOS:
		return p.word(kind, b)
	case chunkSeconds, chunkMicros, chunkAgent:
		return p.long(kind, b)
	case chunkProtocol:
		if len(b) != 1 {
			return errAddress
		}
		p.protocol = b[0]
	case chunkKey:
		p.key = b
	case chunkPayload:
		p.payload, p.compressed = b, false
	case chunkCompressed:
		p.payload, p.compressed = b, true
	case chunkCorrelation:
		p.correlation = b
	case chunkName:
		p.name = b
	}
	return nil
}

// address trusts the chunk rather than the family chunk, whose numbers differ between systems.
func (p *packet) address(kind uint16, b []byte) error {
	addr, ok := netip.AddrFromSlice(b)
	if !ok || (kind == chunkSrc4 || kind == chunkDst4) != (len(b) == 4) {
		return errAddress
	}
	if addr = addr.Unmap(); kind == chunkSrc4 || kind == chunkSrc6 {
		p.src = addr
	} else {
		p.dst = addr
	}
	return nil
}

func (p *packet) word(kind uint16, b []byte) error {
	if len(b) != 2 {
		return errAddress
	}
	switch v := binary.BigEndian.Uint16(b); kind {
	case chunkSrcPort:
		p.srcPort = v
	case chunkDstPort:
		p.dstPort = v
	case chunkMOS:
		p.mos = v
	}
	return nil
}

func (p *packet) long(kind uint16, b []byte) error {
	if len(b) != 4 {
		return errAddress
	}
	switch v := binary.BigEndian.Uint32(b); kind {
	case chunkSeconds:
		p.seconds = v
	case chunkMicros:
		p.micros = v
	case chunkAgent:
		p.agent = v
	}
	return nil
}

// readOld reads versions 1 and 2, which carry SIP only. Senders do not agree on what their header length counts, so the offsets come from the
// version and the family. The times of version 2 are little-endian in practice.
func (p *packet) readOld(data []byte) error {
	if len(data) < 8 {
		return errLength
	}
	p.version, p.protocol = data[0], typeSIP
	p.srcPort, p.dstPort = binary.BigEndian.Uint16(data[4:]), binary.BigEndian.Uint16(data[6:])
	size, rest := 4, data[8:]
	switch data[2] {
	case 2:
	case 10, 28, 30: // AF_INET6 of Linux, FreeBSD, macOS
		size = 16
	default:
		return errMagic
	}
	timed := 0
	if p.version == 2 {
		timed = 10
	}
	if len(rest) < 2*size+timed {
		return errLength
	}
	p.src, _ = netip.AddrFromSlice(rest[:size])
	p.dst, _ = netip.AddrFromSlice(rest[size : 2*size])
	p.src, p.dst = p.src.Unmap(), p.dst.Unmap()
	rest = rest[2*size:]
	if p.version == 2 {
		p.seconds, p.micros = binary.LittleEndian.Uint32(rest), binary.LittleEndian.Uint32(rest[4:])
		p.agent = uint32(binary.LittleEndian.Uint16(rest[8:]))
		rest = rest[10:]
	}
	p.payload = rest
	return nil
}

// at is when the packet passed the agent, by its clock; arrival when it gave no time. millis says that the field of microseconds holds
// milliseconds (hepipe.js).
func (p *packet) at(arrival time.Time, millis bool) time.Time {
	if p.seconds == 0 {
		return arrival
	}
	micros := int64(p.micros)
	if millis && micros < 1000 {
		micros *= 1000
	}
	if micros >= 1_000_000 {
		micros = 0 // no such instant; the second is right
	}
	return time.Unix(int64(p.seconds), micros*1000)
}

// from and to are the addresses of the packet that the agent saw, zero when it does not know them: an address without a port leads nowhere.
func (p *packet) from() netip.AddrPort { return endpoint(p.src, p.srcPort) }
func (p *packet) to() netip.AddrPort   { return endpoint(p.dst, p.dstPort) }

func endpoint(addr netip.Addr, port uint16) netip.AddrPort {
	if !addr.IsValid() || addr.IsUnspecified() || port == 0 {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(addr, port)
}
