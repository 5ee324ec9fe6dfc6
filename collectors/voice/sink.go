package voice

import (
	"hash/fnv"
	"net/netip"
	"time"
)

// Sink takes what the decoders found. The tracker is one; tests and replay may have others. The methods may be called from several
// goroutines at once and never block for long.
//
// The pointed-to value and everything it refers to (slices too) belongs to the caller, which uses it again for the next packet: the callee
// copies what it keeps and changes nothing.
type Sink interface {
	Report(*Report)   // what one RTCP reporter said about one source, or about itself
	Signal(*Signal)   // one SIP message
	Quality(*Quality) // what an endpoint or another system has already worked out about a call
}

// Via is the way by which a fact reached us. It decides how far its addresses and its time can be trusted.
type Via uint8

// The ways in. Replay says that a fact comes from a file: its times are those of the file and Arrived equals At.
const (
	ViaUnknown Via = iota
	ViaRTCP        // RTCP in a datagram that was sent to us
	ViaCapture     // a packet of a wire or of a mirror port that we read ourselves
	ViaReplay      // a capture file
	ViaHEP         // HEP from an agent
	ViaPublish     // a SIP PUBLISH or NOTIFY that an endpoint sent to us (RFC 6035)
)

// Observer is who saw something. It is comparable. Times and round trips are only ever compared within one Observer (voice.md §7.10).
type Observer struct {
	Via   Via
	Agent uint32     // capture id of the HEP agent (chunk 0x000c); 0 when there is none
	Addr  netip.Addr // who sent it to us: the HEP agent or the phone; the zero Addr for what we captured ourselves
}

// Seen is who saw a packet, when, and between which addresses it travelled.
type Seen struct {
	Observer Observer
	// At is when the packet passed the observer, by the observer's clock. Arrival, when the observer gave none (HEP time 0,0).
	At time.Time
	// Arrived is when it reached us, by our clock. It never goes back by much; the tracker's own clock is driven by it.
	Arrived time.Time
	// Src and Dst are the addresses of the packet that was observed (not of the HEP datagram), IPv4 unmapped. The zero AddrPort when the
	// sender does not know them or is known to lie (127.0.0.1 of hepipe.js). A decoder that knows that its dialect gives them the wrong way
	// round (hepipe.js RECV) turns them.
	Src, Dst netip.AddrPort
}

// HashName is the form in which a CNAME (RFC 3550 §6.5.1) travels: a 64-bit FNV-1a hash. Never 0.
func HashName(name []byte) uint64 {
	h := fnv.New64a()
	_, _ = h.Write(name)
	return max(h.Sum64(), 1)
}
