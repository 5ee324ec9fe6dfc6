package voice

import "net/netip"

// instant is a time as nanoseconds since 1970; 0 is never.
type instant = int64

// The limits of one call (rule 25).
const (
	maxLegs      = 6
	maxStreams   = 24
	maxEndpoints = 6
)

// legState is where a leg's dialog stands.
type legState uint8

const (
	legTrying legState = iota
	legAnswered
	legEnded  // answered before
	legFailed // never answered
)

func (s legState) over() bool { return s >= legEnded }

// whom says which party of a leg is meant. As the direction of a stream it is the party that hears it.
type whom uint8

const (
	caller whom = iota
	callee
	nobody // not known
)

func (w whom) other() whom {
	if w == nobody {
		return nobody
	}
	return 1 - w
}

// endpoint is an address at which a party takes media.
type endpoint struct {
	addr netip.Addr
	port uint16
	rtcp uint16 // when it is neither port nor port+1, at the same address
	nat  bool   // the signalling's address with the SDP's port: a guess (rule 17)
	mute bool   // it carries no speech: video
}

// party is one end of a leg.
type party struct {
	signalling netip.Addr
	ends       []endpoint
	userAgent  string
	direction  Direction
	noAddress  bool // c=0.0.0.0, the old way of holding
}

// leg is one SIP dialog, or what reports alone show of one.
type leg struct {
	callID               string
	callerTag, calleeTag uint64
	from, to             string // numbers or user names
	fromHost, toHost     string
	parties              [2]party
	codec                *codec // of the last answer; nil: not known from SDP
	ptimeMicros          uint32

	invited, ringing, answered, ended instant
	changed                           [2]instant // when the hold of the direction towards that party last changed
	cseq                              uint32     // of the INVITE that started the leg
	status                            uint16
	q850                              uint8
	state                             legState
	held                              [2]bool // the direction towards that party
	early                             bool    // media before the answer was agreed
	fax                               bool    // T.38
	dtmf                              bool    // telephone-event was agreed
	joined                            bool    // found in the middle: its start was not seen
	offered                           bool    // the INVITE carried the offer
	tries                             []try
}

// try is one attempt over one trunk.
type try struct {
	trunk   string
	invited instant
	ringing instant
	settled bool // its outcome is counted
}

// talking reports whether the leg is answered or ended after an answer.
func (l *leg) talking() bool { return l.answered != 0 }

// listKind is which of its shard's lists a call is in: they differ in how long a call may be silent.
type listKind uint8

const (
	listOrphans  listKind = iota // reports without signalling
	listTrying                   // not answered yet
	listQuiet                    // answered, no report yet
	listTalking                  // answered, with reports
	listSettling                 // over, waiting to be handed out
	listLate                     // handed out, waiting for late reports
	listCount
)

// end is why a call is over.
type end uint8

const (
	endNone end = iota
	endNormal
	endFailed
	endSilent   // no sign of life for too long
	endEvicted  // pushed out of memory
	endShutdown // the monitor stopped
)

// call is a call in memory. All of it belongs to its shard's lock.
type call struct {
	shard      *shard
	prev, next *call
	in         listKind
	gone       bool // no longer in any index: look again

	id       string
	legs     []leg
	streams  []*stream
	keys     []uint64 // in tracker.ids, beyond the legs' own: correlation ids, joints
	cnames   []cname
	space    callSpace
	parked   *parked  // what was known of its parties before its signalling came
	others   []uint32 // SSRCs that carry no speech, from a=ssrc
	observer observerID
	site     string // of the observer

	first, last instant // of any fact, observer's time corrected
	alive       instant // of the last fact, our clock: idleness is judged by it
	over        instant // when it ended; 0: goes on
	due         instant // our clock: when to leave listSettling or listLate
	why         end
	revision    uint16
	signalled   bool
	quality     bool // a Quality came
	dirty       bool // changed since it was handed out
	settled     bool // its outcome is counted
	ownLoss     bool // the collector itself lost reports meanwhile (rule 27)
}

// callSpace is where the lists of nearly all calls begin: in the call itself, so that a report meets fewer places in memory.
type callSpace struct {
	legs    [1]leg
	streams [2]*stream
	cnames  [2]cname
	keys    [3]uint64
}

// useSpace makes the lists of a new call begin in it.
func (c *call) useSpace() {
	c.legs, c.streams, c.cnames, c.keys = c.space.legs[:0], c.space.streams[:0], c.space.cnames[:0], c.space.keys[:0]
}

// cname is a name that a party's RTCP goes by.
type cname struct {
	hash  uint64
	party whom
	leg   uint8
}

// parked is where the two sides of a call reported from before signalling said which of them called, and which side heard what.
type parked struct {
	ends [2][]endpoint
	to   map[*stream]whom
}

// otherMedia reports whether a report is about something else than speech: video at an address or of an SSRC of its own.
func (c *call) otherMedia(r *Report) bool {
	for _, ssrc := range c.others {
		if r.Has.Has(HasSource) && r.Source == ssrc || r.Has.Has(HasReporter) && r.Reporter == ssrc {
			return true
		}
	}
	src, a := c.find(unmap(r.Seen.Src))
	dst, b := c.find(unmap(r.Seen.Dst))
	return a && src.mute || b && dst.mute
}

// leg index of a dialog, or -1.
func (c *call) legOf(callID []byte) int {
	for i := range c.legs {
		if c.legs[i].callID == string(callID) {
			return i
		}
	}
	return -1
}

// match says how an address fits a call.
type match struct {
	leg   int
	party whom
	nat   bool
	mute  bool
}

// find looks an RTCP address up among the call's endpoints: the RTP port itself (rtcp-mux, rule 21), the one above it, or the one named by a=rtcp.
func (c *call) find(a netip.AddrPort) (match, bool) {
	var best match
	found := false
	for i := range c.legs {
		for p := range c.legs[i].parties {
			for _, e := range c.legs[i].parties[p].ends {
				if e.addr == a.Addr() && e.takes(a.Port()) && (!found || best.nat) {
					best, found = match{leg: i, party: whom(p), nat: e.nat, mute: e.mute}, true
				}
			}
		}
	}
	return best, found
}

func (e endpoint) takes(port uint16) bool {
	return port == e.port || port == e.port+1 || e.rtcp != 0 && port == e.rtcp
}

// knows reports whether any endpoint has the address, whatever the port.
func (c *call) knows(a netip.Addr) bool {
	for i := range c.legs {
		for p := range c.legs[i].parties {
			for _, e := range c.legs[i].parties[p].ends {
				if e.addr == a {
					return true
				}
			}
		}
	}
	return false
}

// addresses reports whether any endpoint is known at all.
func (c *call) addresses() bool {
	for i := range c.legs {
		for p := range c.legs[i].parties {
			if len(c.legs[i].parties[p].ends) > 0 {
				return true
			}
		}
	}
	return false
}
