package capture

import (
	"net/netip"
	"slices"
	"time"

	"vigia/collectors/wire"
)

// The bounds of TCP.
const (
	maxStreams    = 8192
	maxWaiting    = 64      // segments that came before their turn
	maxHeld       = 1 << 17 // octets of one stream: two messages of the greatest length
	streamsExpire = 10 * time.Minute
)

// streamKey is one direction of a TCP connection.
type streamKey struct{ src, dst netip.AddrPort }

// stream is what is held of one direction.
type stream struct {
	last    time.Time
	next    uint32 // sequence number that is expected
	got     []byte // octets in order, not yet a whole message
	waiting []segment
}

type segment struct {
	sequence uint32
	data     []byte
}

// TCP flags.
const (
	flagSYN = 0x02
	flagRST = 0x04
)

// tcp takes a segment. A stream is known from the first segment on that begins like SIP or HEP, so a capture may begin in its middle; others cost
// nothing.
func (d *Decoder) tcp(src, dst netip.Addr, data []byte, missing int) {
	if len(data) < 20 || len(data) < int(data[12]>>4)*4 || data[12]>>4 < 5 {
		d.stats.Malformed++
		return
	}
	g := datagram{src: netip.AddrPortFrom(src, be.Uint16(data)), dst: netip.AddrPortFrom(dst, be.Uint16(data[2:]))}
	key := streamKey{g.src, g.dst}
	if data[13]&(flagSYN|flagRST) != 0 {
		delete(d.streams, key)
		return
	}
	sequence := be.Uint32(data[4:])
	if g.payload = data[int(data[12]>>4)*4:]; len(g.payload) == 0 {
		return
	}
	s := d.streams[key]
	if s == nil {
		if !d.talks(g.payload) || !d.roomForStream() {
			d.stats.OtherTCP++
			return
		}
		s = &stream{next: sequence}
		d.streams[key] = s
	}
	s.last = d.now
	if !s.take(sequence, g.payload) || !d.messages(s, &g) {
		delete(d.streams, key)
		return
	}
	if missing > 0 { // the capture cut it: what is there of its last message is all that there will be
		d.stats.Cut++
		if wire.LooksLikeSIP(s.got) {
			d.sip(s.got, &g)
		}
		delete(d.streams, key)
	}
}

// talks reports whether a stream that begins like this is one of ours.
func (d *Decoder) talks(payload []byte) bool { return wire.LooksLikeSIP(payload) || isHEP(payload) }

// take puts a segment into its place. false: too much is missing before it.
func (s *stream) take(sequence uint32, data []byte) bool {
	ahead := int32(sequence - s.next)
	if ahead > 0 {
		if len(s.waiting) == maxWaiting || ahead > maxHeld {
			return false
		}
		s.waiting = append(s.waiting, segment{sequence, slices.Clone(data)})
		return true
	}
	s.join(sequence, data)
	for again := true; again; {
		again = false
		for i, w := range s.waiting {
			if int32(w.sequence-s.next) <= 0 {
				s.waiting = slices.Delete(s.waiting, i, i+1)
				s.join(w.sequence, w.data)
				again = true
				break
			}
		}
	}
	return len(s.got) <= maxHeld
}

// join appends what of a segment is new.
func (s *stream) join(sequence uint32, data []byte) {
	known := int(s.next - sequence)
	if known >= len(data) {
		return
	}
	s.got = append(s.got, data[known:]...)
	s.next = sequence + uint32(len(data))
}

// messages takes the whole messages of a stream. false: it cannot be read on.
func (d *Decoder) messages(s *stream, g *datagram) bool {
	for len(s.got) > 0 {
		message, n, err := d.frame(s.got)
		if err != nil {
			return false
		}
		if n == 0 {
			return true
		}
		if isHEP(message) {
			d.hep(message, g)
		} else if len(message) > 0 {
			d.sip(message, g)
		}
		s.got = s.got[n:]
	}
	s.got = nil
	return true
}

// frame cuts the first message off.
func (d *Decoder) frame(got []byte) (message []byte, n int, err error) {
	if !isHEP(got) {
		return wire.Frame(got)
	}
	if len(got) < 6 || len(got) < int(be.Uint16(got[4:])) {
		return nil, 0, nil
	}
	n = max(int(be.Uint16(got[4:])), 6)
	return got[:n], n, nil
}

// roomForStream forgets the streams that are silent, once the table is full.
func (d *Decoder) roomForStream() bool {
	if len(d.streams) < maxStreams {
		return true
	}
	if !d.sweepStreams.due(d.now) {
		return false
	}
	for key, s := range d.streams {
		if d.now.Sub(s.last) > streamsExpire {
			delete(d.streams, key)
		}
	}
	return len(d.streams) < maxStreams
}
