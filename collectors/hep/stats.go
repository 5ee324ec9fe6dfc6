package hep

import (
	"sync/atomic"

	"vigia/collectors/intake"
	"vigia/collectors/wire"
)

// Reason says why a message, or a part of one, was not used.
type Reason uint8

// The reasons.
const (
	NotAllowed  Reason = iota // the source is in none of the allowed networks
	TooFast                   // the source is above its rate
	TableFull                 // too many sources at one time
	Connections               // too many connections, of one source or altogether
	NotHEP                    // bad magic; a connection is closed for it
	Malformed                 // lengths that do not fit
	WrongKey                  // no authentication key, or another
	Longer                    // octets after the message in its datagram; the message was used
	Unpack                    // a compressed payload that cannot be unpacked, or becomes too large
	NoPayload                 // nothing in it
	Type                      // a protocol type of which nothing is known
	Log                       // log lines (type 100), which are not kept
	NotDecoded                // RTCP, JSON, SIP or a report that cannot be read
	NoFigures                 // readable, but with nothing in it that could be used
	Broken                    // broken sub-packets of raw RTCP; the rest was used
	Stalled                   // a connection that stopped within a message
	Handshake                 // TLS that was not agreed on
	Panic                     // a decoder failed; a fault of ours
	reasonCount
)

var reasonNames = [reasonCount]string{
	"not_allowed", "too_fast", "table_full", "connections", "not_hep", "malformed", "wrong_key", "longer", "unpack", "no_payload", "type", "log",
	"not_decoded", "no_figures", "broken", "stalled", "handshake", "panic",
}

// String is the reason's name in counters.
func (r Reason) String() string {
	if r < reasonCount {
		return reasonNames[r]
	}
	return "unknown"
}

// dialects is how many dialects are counted.
const dialects = int(wire.DialectFreeSWITCH) + 1

type counters struct {
	messages, octets, reports, encrypted atomic.Uint64
	connections                          atomic.Int64
	dropped                              [reasonCount]atomic.Uint64
	types                                [256]atomic.Uint64
	dialects                             [dialects]atomic.Uint64
}

func (c *counters) drop(r Reason) { c.dropped[r].Add(1) }

// Stats is a snapshot of what a Listener has done since it was made.
type Stats struct {
	Socket      intake.UDPStats // of UDP; zero without
	Sources     intake.SourceStats
	Connections int    // TCP and TLS, open now
	Messages    uint64 // well-formed, with the right key
	Octets      uint64 // of those messages
	Reports     uint64 // of RTCP, handed to the sink
	Encrypted   uint64 // SRTCP packets: a sign of life without figures
	Types       map[uint8]uint64
	Dialects    map[string]uint64 // of RTCP JSON
	Dropped     map[string]uint64
}

// Stats is for any goroutine.
func (l *Listener) Stats() Stats {
	c := &l.count
	s := Stats{
		Sources: l.sources.Stats(), Connections: int(c.connections.Load()), Messages: c.messages.Load(), Octets: c.octets.Load(),
		Reports: c.reports.Load(), Encrypted: c.encrypted.Load(),
		Types: map[uint8]uint64{}, Dialects: map[string]uint64{}, Dropped: make(map[string]uint64, reasonCount),
	}
	if l.udp != nil {
		s.Socket = l.udp.Stats()
	}
	for i := range c.types {
		if n := c.types[i].Load(); n > 0 {
			s.Types[uint8(i)] = n
		}
	}
	for i := range c.dialects {
		if n := c.dialects[i].Load(); n > 0 {
			s.Dialects[wire.Dialect(i).String()] = n
		}
	}
	for r := range reasonCount {
		s.Dropped[r.String()] = c.dropped[r].Load()
	}
	return s
}
