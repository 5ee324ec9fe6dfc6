package voice

import "sync/atomic"

// Reason says why something was not used. Everything that the tracker drops is counted under one.
type Reason uint8

// The reasons. Numbers in brackets are the edge rules of doc.go.
const (
	ReasonDuplicate     Reason = iota // the same report again (23, 24)
	ReasonReordered                   // an older report after a newer one (24)
	ReasonRestarted                   // counters went back: the receiver started again; only the interval is lost (5, 6)
	ReasonImpossible                  // loss or sequence numbers that cannot be (25)
	ReasonJitter                      // jitter above one second (8, 25)
	ReasonRoundTrip                   // round trip out of 0..10 s, or a DLSR longer than the call (10, 25)
	ReasonXR                          // XR or vq-rtcpxr values out of range (25)
	ReasonNoSource                    // a block about SSRC 0 (7)
	ReasonEncrypted                   // SRTCP, numbers unreadable
	ReasonFewPackets                  // a report about fewer than ten packets, joined to the next (11)
	ReasonUnknownDialog               // a BYE, ACK … of a call whose INVITE was not seen
	ReasonIgnored                     // a SIP method that is not a call's
	ReasonLegs                        // a call with too many legs, addresses or streams; the further ones are dropped (25)
	ReasonObserverFull                // an observer has as many calls without signalling as one may (25)
	ReasonEvicted                     // the oldest idle call, to make room for a new one
	ReasonNotAllowed                  // a call inferred from reports of an observer that may not (25)
	ReasonTooShort                    // an inferred call with too few reports to be one
	ReasonNotSpeech                   // reports about video
	ReasonLate                        // about a call that was handed out more than a minute ago (20)
	ReasonParts                       // a country's figures of a trunk beyond the limit
	reasonCount
)

var reasonNames = [reasonCount]string{
	"duplicate", "reordered", "restarted", "impossible", "jitter", "round_trip", "xr", "no_source", "encrypted", "few_packets", "unknown_dialog",
	"ignored", "too_many_parts_of_a_call", "observer_full", "evicted", "not_allowed", "too_short", "not_speech", "late", "parts",
}

// String is the reason's name in counters.
func (r Reason) String() string {
	if r < reasonCount {
		return reasonNames[r]
	}
	return "unknown"
}

// counts are the tracker's own counters.
type counts struct {
	reports, signals, qualities, finished, amended, orphansJoined atomic.Uint64
	dropped                                                       [reasonCount]atomic.Uint64
}

func (c *counts) drop(r Reason) { c.dropped[r].Add(1) }

// Stats is a snapshot of what the tracker holds and did since it was made.
type Stats struct {
	Calls    int // held now, the finished ones that wait for late reports included
	Inferred int // of them without signalling
	Streams  int // of all calls held

	Reports, Signals, Qualities uint64 // facts taken
	Finished, Amended           uint64 // calls handed out the first time, and again
	Adopted                     uint64 // calls inferred from reports that signalling was found for later
	Dropped                     map[Reason]uint64
}
