package voice

import (
	"encoding/json"
	"time"
)

// Text is a string of the JSON shape that is null when it is not known.
type Text string

// MarshalJSON writes null for the empty Text.
func (t Text) MarshalJSON() ([]byte, error) {
	if t == "" {
		return []byte("null"), nil
	}
	return json.Marshal(string(t))
}

// Call is a finished call: the JSON shape that every face of Vigía shows. What was not measured is nil, never 0.
type Call struct {
	ID       string    `json:"call_id"`  // Call-ID of the first leg; of a call without signalling, one made of its SSRCs and start
	Customer string    `json:"customer"` // Unassigned when no rule matches
	Trunk    Text      `json:"trunk"`    // the carrier's when the call ran over one, else the customer's
	Site     Text      `json:"site"`
	From     Text      `json:"from"` // numbers or user names as signalled; whoever stores them masks them
	To       Text      `json:"to"`
	Start    time.Time `json:"start"` // of the first INVITE, or of the first report
	End      time.Time `json:"end"`

	Codec     Text `json:"codec"`      // of the worse direction; as agreed when nothing is rated
	Network   Text `json:"network"`    // the customer's own media address
	Country   Text `json:"country"`    // of the other party, ISO 3166
	UserAgent Text `json:"user_agent"` // the customer's; the caller's when the call is nobody's

	MOS         *float64 `json:"mos"` // of the worse direction; nil without a report that can be scored
	R           *float64 `json:"r"`
	Scale       Text     `json:"scale"`        // nb, wb or fb
	Cause       Text     `json:"cause"`        // what costs most: delay, loss, late, codec or one_way; nil when nothing does
	CoveragePct *float64 `json:"coverage_pct"` // how much of the answered time is covered by reports, both directions; nil when never answered

	Streams []Stream `json:"streams"`

	// What follows is not part of the shape.

	Revision  int       `json:"-"` // 1 when it is finished; counts up when late reports change it. ID and Start stay
	Signalled bool      `json:"-"` // false: inferred from reports alone
	Answered  time.Time `json:"-"` // zero: never
	Status    int       `json:"-"` // final SIP status of the first leg; 0: none was seen
	Q850      int       `json:"-"` // cause of its Reason header; 0: none
	PDDMS     *float64  `json:"-"` // from the INVITE to the first sign of ringing, ms
	Why       string    `json:"-"` // how it ended: hangup, failed, silent, evicted, shutdown
	Legs      int       `json:"-"`
	CarrierOf []string  `json:"-"` // every trunk that the call ran over
}

// Stream is one direction of one leg of a finished call, as its receiver reported it.
type Stream struct {
	Leg         int          `json:"leg"`       // 0 is the first
	Side        LegSide      `json:"side"`      // where the leg runs
	Direction   string       `json:"direction"` // caller_to_callee, callee_to_caller or unknown
	SSRC        uint32       `json:"ssrc"`
	Reporter    *uint32      `json:"reporter"` // SSRC of the receiver; nil when it never reported
	Packets     *uint32      `json:"packets"`  // expected in the time that is judged
	Lost        *uint32      `json:"lost"`     // of them
	LossPct     *float64     `json:"loss_pct"`
	LatePct     *float64     `json:"late_pct"`  // thrown away by the jitter buffer, of what arrived; by the model unless the endpoint says
	JitterMS    *float64     `json:"jitter_ms"` // RFC 3550, mean weighted by packets
	RTTMS       *float64     `json:"rtt_ms"`    // between the leg's ends
	MOS         *float64     `json:"mos"`
	R           *float64     `json:"r"`
	RPerceived  *float64     `json:"r_perceived"` // weighted by what a listener remembers (Clark)
	WorstR      *float64     `json:"worst_r"`     // of the worst ten seconds
	Below70     *float64     `json:"seconds_below_70"`
	Below60     *float64     `json:"seconds_below_60"`
	OneWay      bool         `json:"one_way"` // nothing arrived while the other side sent
	Assumed     []string     `json:"assumed"` // what the score rests on that nobody measured; never nil
	Attribution *Attribution `json:"attribution"`

	VendorMOS *float64 `json:"-"` // what a system in the middle or the endpoint says itself
	Disagrees bool     `json:"-"` // it is more than 0.5 away from MOS
	Codec     string   `json:"-"` // of the last intervals
	Encrypted bool     `json:"-"` // SRTCP: its numbers cannot be read
	Repeated  uint32   `json:"-"` // packets that came twice
	Closed    bool     `json:"-"` // another SSRC took its place
	Packed    []byte   `json:"-"` // its intervals, eight octets each; Intervals reads them
}

// Interval is a stretch of a stream between two reports.
type Interval struct {
	Seconds  float64
	Expected uint32
	Lost     uint32
	JitterMS *float64
	RTTMS    *float64 // from the observer to the receiver and back
	R        *float64
	Judged   bool // false: before the answer, on hold, fax, or doubtful
	Dead     bool // nothing arrived while the other side sent
}

// Attribution is what each cause takes from the MOS of an unimpaired call, in MOS.
type Attribution struct {
	Delay float64 `json:"delay"`
	Loss  float64 `json:"loss"`
	Late  float64 `json:"late"`
	Codec float64 `json:"codec"`
}

// The values of Stream.Direction.
const (
	CallerToCallee   = "caller_to_callee"
	CalleeToCaller   = "callee_to_caller"
	UnknownDirection = "unknown"
)

func directionOf(to whom, signalled bool) string {
	switch {
	case !signalled || to == nobody:
		return UnknownDirection
	case to == callee:
		return CallerToCallee
	}
	return CalleeToCaller
}

// String is the end's name in Call.Why.
func (e end) String() string {
	switch e {
	case endFailed:
		return "failed"
	case endSilent:
		return "silent"
	case endEvicted:
		return "evicted"
	case endShutdown:
		return "shutdown"
	}
	return "hangup"
}
