package callsim

import (
	"encoding/binary"
	"net/netip"
	"time"
)

// The protocol types of HEP that a Call writes.
const (
	TypeSIP  = 1
	TypeJSON = 5
)

// Agent is a sender of HEP version 3.
type Agent struct {
	ID  uint32
	Key string // empty: none
}

// Seen is one packet that an agent saw.
type Seen struct {
	Type        uint8 // of HEP
	Src, Dst    netip.AddrPort
	At          time.Time
	Correlation string
	Payload     []byte
}

// AppendHEP adds the message in which an agent tells of a packet between IPv4 addresses.
func (a Agent) AppendHEP(dst []byte, s *Seen) []byte {
	begin := len(dst)
	dst = append(dst, "HEP3\x00\x00"...)
	src, to := s.Src.Addr().As4(), s.Dst.Addr().As4()
	dst = chunk(dst, 0x01, 2)
	dst = chunk(dst, 0x02, 17)
	dst = chunk(dst, 0x03, src[:]...)
	dst = chunk(dst, 0x04, to[:]...)
	dst = chunk(dst, 0x07, byte(s.Src.Port()>>8), byte(s.Src.Port()))
	dst = chunk(dst, 0x08, byte(s.Dst.Port()>>8), byte(s.Dst.Port()))
	dst = chunk32(dst, 0x09, uint32(s.At.Unix()))
	dst = chunk32(dst, 0x0a, uint32(s.At.Nanosecond()/int(time.Microsecond/time.Nanosecond)))
	dst = chunk(dst, 0x0b, s.Type)
	dst = chunk32(dst, 0x0c, a.ID)
	if a.Key != "" {
		dst = append(chunkHead(dst, 0x0e, len(a.Key)), a.Key...)
	}
	if s.Correlation != "" {
		dst = append(chunkHead(dst, 0x11, len(s.Correlation)), s.Correlation...)
	}
	dst = append(chunkHead(dst, 0x0f, len(s.Payload)), s.Payload...)
	binary.BigEndian.PutUint16(dst[begin+4:], uint16(len(dst)-begin))
	return dst
}

func chunkHead(dst []byte, kind uint16, size int) []byte {
	dst = binary.BigEndian.AppendUint16(dst, 0)
	dst = binary.BigEndian.AppendUint16(dst, kind)
	return binary.BigEndian.AppendUint16(dst, uint16(6+size))
}

func chunk(dst []byte, kind uint16, body ...byte) []byte {
	return append(chunkHead(dst, kind, len(body)), body...)
}

func chunk32(dst []byte, kind uint16, v uint32) []byte {
	return binary.BigEndian.AppendUint32(chunkHead(dst, kind, 4), v)
}
