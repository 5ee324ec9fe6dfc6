package vqrtcpxr

import (
	"sync/atomic"

	"vigia/collectors/intake"
)

// Reason says what became of a packet. Every packet is counted under exactly one.
type Reason uint8

// The reasons.
const (
	Taken       Reason = iota // a report, handed on
	Repeated                  // a report or request that was answered before
	Refreshed                 // a PUBLISH without a body: it refreshes or ends a publication
	NotAllowed                // from an address outside the allowed networks; not answered
	TooMany                   // over the rate of one source, or over the number of connections; not answered
	NotSIP                    // not answered
	KeepAlive                 // line ends only
	Response                  // a SIP response, or an ACK: neither is answered
	Malformed                 // headers that an answer needs are missing or hold control characters; not answered
	WrongMethod               // answered with 405
	WrongEvent                // answered with 489
	WrongType                 // answered with 415
	Unreadable                // answered with 400: the report is cut off, or is none
	Panicked                  // made the decoder panic: a mistake of ours
	SendFailed                // the answer could not be sent; counted beside the packet's own reason
	reasonCount
)

var reasonNames = [reasonCount]string{
	"taken", "repeated", "refreshed", "not_allowed", "too_many", "not_sip", "keep_alive", "response", "malformed", "wrong_method", "wrong_event", "wrong_type",
	"unreadable", "panicked", "send_failed",
}

// String is the reason's name in counters.
func (r Reason) String() string {
	if r < reasonCount {
		return reasonNames[r]
	}
	return "unknown"
}

type counts [reasonCount]atomic.Uint64

// Stats is what a Listener did since it was made.
type Stats struct {
	By          map[Reason]uint64 // packets; reasons that never occurred are absent
	Connections int64             // open now
	Socket      intake.UDPStats   // of UDP, what the kernel dropped among it
}

// Stats reads the counters.
func (l *Listener) Stats() Stats {
	s := Stats{By: map[Reason]uint64{}, Connections: l.open.Load(), Socket: l.udp.Stats()}
	for r := range reasonCount {
		if n := l.count[r].Load(); n > 0 {
			s.By[r] = n
		}
	}
	return s
}
