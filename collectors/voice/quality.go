package voice

import (
	"net/netip"
	"time"
)

// QualityKind says what a Quality covers.
type QualityKind uint8

// The kinds of RFC 6035 reports, and of what other systems say.
const (
	QualityInterval QualityKind = iota // a part of the call (VQIntervalReport)
	QualitySession                     // the whole call (VQSessionReport; a call detail record)
	QualityAlert                       // a threshold was crossed (VQAlertReport); counts as an interval
)

// Quality is what an endpoint measured about a call (RFC 6035, vq-rtcpxr), or what another system worked out (a type 34, 35 or 38 HEP
// message, a call detail record). Unlike a Report it is not a state of counters but a finished figure.
type Quality struct {
	Seen Seen
	Kind QualityKind
	// Vendor: the figures are those of a system in the middle that worked them out by its own rules, not of the end that plays the sound.
	// Its MOS is only compared, never shown as a score.
	Vendor bool

	CorrelationID []byte // of the HEP message; empty when there is none
	// CallID is that of the phone's own leg: DialogID's or CallID's value in the body, never that of the PUBLISH (RFC 6035 §4.6.2.2).
	CallID  []byte
	FromTag []byte // of DialogID; empty when absent
	ToTag   []byte

	LocalUser, LocalHost   []byte // LocalID, the reporting phone
	RemoteUser, RemoteHost []byte // RemoteID
	UserAgent              []byte // of the PUBLISH

	Start, Stop time.Time // of Timestamps, by the phone's clock, which is not to be trusted; zero when absent or 0

	Local  Side // what the phone itself received: the direction remote → local
	Remote Side // what the other end told the phone about its reception: local → remote. Most phones fill in nothing or zeroes
}

// SideFields says which fields of a Side were there.
type SideFields uint32

// The fields, in the order of RFC 6035 §4.6.2. A key that is missing, or has the value that means "unavailable" (127; MOS 0), has no bit.
const (
	HasSideSSRC SideFields = 1 << iota
	HasSidePayloadType
	HasSideClock
	HasSidePtime
	HasSidePLC
	HasSideBufferMode
	HasSideBufferNominal
	HasSideBufferMax
	HasSideBufferAbsMax
	HasSideLoss
	HasSideDiscard
	HasSideBurst // BurstPct, BurstMS
	HasSideGap   // GapPct, GapMS
	HasSideRoundTrip
	HasSideEndSystem
	HasSideOneWay
	HasSideJitter
	HasSideSignal
	HasSideNoise
	HasSideRERL
	HasSideRLQ
	HasSideRCQ
	HasSideMOSLQ
	HasSideMOSCQ
	HasSidePackets // Packets, Lost: only of vendors; RFC 6035 has no counts
)

// Has reports whether all of the bits are there.
func (f SideFields) Has(bits SideFields) bool { return f&bits == bits }

// Side is the metrics of one direction of a Quality, in the units of RFC 6035 §4.6.2.
type Side struct {
	Has SideFields

	Addr netip.AddrPort // LocalAddr or RemoteAddr: where that party receives RTP; zero when absent
	SSRC uint32         // SSRC of LocalAddr or RemoteAddr: of what that party SENDS

	PayloadType uint8
	Codec       []byte // PD: name or free words, as written; empty when absent
	ClockHz     uint32 // SR: sample rate, which for G.722 is not the RTP clock
	PtimeMicros uint32 // FD x FPP: audio in one packet, microseconds
	PLC         uint8  // 0 unspecified, 1 disabled, 2 enhanced, 3 standard

	BufferMode      uint8  // JBA: 0 unknown, 2 fixed, 3 adaptive
	BufferNominalMS uint16 // JBN
	BufferMaxMS     uint16 // JBM, the current maximum
	BufferAbsMaxMS  uint16 // JBX

	LossPct      float32 // NLR: network loss, percent
	DiscardPct   float32 // JDR: thrown away by the jitter buffer, percent
	BurstPct     float32 // BLD: density of bursts, percent
	BurstMS      uint32  // BD: mean duration of a burst, ms
	GapPct       float32 // GLD: density of gaps, percent
	GapMS        uint32  // GD: mean duration of a gap, ms
	RoundTripMS  float32 // RTD, ms
	EndSystemMS  float32 // ESD, ms
	OneWayMS     float32 // OWD or SOWD, ms
	JitterMS     float32 // IAJ, interarrival jitter, already in ms
	SignalDBm0   float32 // SL
	NoiseDBm0    float32 // NL
	RERLDB       float32 // RERL
	RLQ, RCQ     float32 // R for listening and for conversation: 0..95 narrowband, 0..120 wideband
	MOSLQ, MOSCQ float32 // 1.0..4.9
	Packets      uint32  // vendors: packets received
	Lost         uint32  // vendors: packets lost
}
