package wire

import (
	"net/netip"
	"time"
)

// Meta is what an observer says about the packet whose octets it hands on.
type Meta struct {
	At          time.Time      // when the packet passed the observer, by the observer's clock; the arrival where it gives none
	Agent       uint32         // HEP capture id (chunk 0x000c) of the agent that saw it; 0 when there is none
	AgentName   string         // HEP capture agent name (chunk 0x0013); empty when there is none
	From, To    netip.AddrPort // addresses of the packet that was seen, IPv4 unmapped; zero when not known
	Correlation string         // HEP correlation id (chunk 0x0011), normally the Call-ID; empty when there is none
	Observer    netip.Addr     // who sent us the packet: the agent or the phone; the zero Addr for what we captured ourselves
}
