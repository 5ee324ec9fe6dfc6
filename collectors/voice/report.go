package voice

// Fields says which fields of a Report were there. What was not measured has no bit, whatever its field holds; 0 never stands for it.
type Fields uint32

// The fields, by what carries them. One bit covers fields that always come together.
const (
	HasReporter     Fields = 1 << iota // Reporter
	HasSource                          // Source
	HasCNAME                           // CNAME
	HasSenderTime                      // SenderNTP, SenderRTP
	HasSenderCounts                    // SentPackets, SentOctets
	HasFraction                        // FractionLost
	HasCumulative                      // CumulativeLost
	HasLostSince                       // LostSince
	HasSequence                        // HighestSeq
	HasJitter                          // JitterTicks
	HasLSR                             // LSR, DLSR, also when they are 0: the tracker knows what 0 means
	HasReceiverTime                    // ReceiverNTP
	HasDLRR                            // LRR, DLRR
	HasVoIP                            // VoIP
	HasSummary                         // Summary
	HasRTT                             // RTTMicros
	HasClock                           // ClockHz
	HasPayloadType                     // PayloadType
	HasPtime                           // PtimeMicros
	HasVendorMOS                       // VendorMOS

	// HasBye: Reporter said that it leaves (RTCP BYE, RFC 3550 §6.6).
	HasBye
	// Encrypted: SRTCP (RFC 3711 §3.4) whose numbers cannot be read. Only Reporter is right; it shows that the leg is alive.
	Encrypted
	// RoundedTime: SenderNTP was built again from microseconds (Asterisk), so its low bits are not those that an LSR names; the tracker
	// allows 66 units (1 ms).
	RoundedTime
)

// HasBlock are the fields of a report block (RFC 3550 §6.4.1); a Report with none of them says nothing about Source's reception.
const HasBlock = HasFraction | HasCumulative | HasLostSince | HasSequence | HasJitter | HasLSR

// Has reports whether all of the bits are there.
func (f Fields) Has(bits Fields) bool { return f&bits == bits }

// Any reports whether at least one of the bits is there.
func (f Fields) Any(bits Fields) bool { return f&bits != 0 }

// Report is what one participant (Reporter) said in one RTCP packet about one source that it receives (Source), and about what it sends
// itself. An SR or RR with several blocks becomes several Reports that repeat the sender's part; an SR without blocks becomes one Report
// without block fields. XR blocks go into the Report of the same Source when there is one in the compound packet, and else become one of
// their own; so does BYE. A packet of many blocks never needs memory of its own: the decoder fills the same Report again and again.
//
// The numbers of the block describe what Reporter RECEIVED, the direction Source → Reporter: what the party at Reporter hears.
type Report struct {
	Seen Seen
	Has  Fields

	// CorrelationID is the id that the observer attached (HEP chunk 0x0011), normally the SIP Call-ID; empty when there is none. It may be a
	// channel name (Asterisk) and is then simply unknown to the signalling.
	CorrelationID []byte

	Reporter uint32 // SSRC of who sent the RTCP packet (RFC 3550 §6.4.1)
	Source   uint32 // SSRC that the block is about; 0 is used by receivers before the first packet and is passed on as it is
	CNAME    uint64 // HashName of Reporter's CNAME (RFC 3550 §6.5.1)

	SenderNTP   uint64 // SR: wall clock of Reporter, NTP 32.32 fixed point, seconds since 1900, era dropped (RFC 3550 §6.4.1, RFC 5905 §6)
	SenderRTP   uint32 // SR: the same instant in RTP timestamp units
	SentPackets uint32 // SR: packets Reporter has sent since it started, modulo 2^32
	SentOctets  uint32 // SR: payload octets it has sent, modulo 2^32; some senders count the RTP header too

	FractionLost   uint8  // lost since the last report, in 1/256, rounded down; a negative fraction reads 0 (RFC 3550 §6.4.1)
	CumulativeLost int32  // packets lost since the start of reception: 24 bits, SIGN-EXTENDED by the decoder with SignExtend24; may be negative
	LostSince      int32  // packets lost since the same reporter's last report, for dialects that give differences (hepipe.js); may be negative
	HighestSeq     uint32 // extended highest sequence number received: cycles << 16 | sequence (RFC 3550 §6.4.1)
	JitterTicks    uint32 // interarrival jitter in RTP timestamp units (RFC 3550 §6.4.1); decoders pass on what was sent and convert nothing
	LSR            uint32 // middle 32 bits of the NTP time of the last SR from Source; 0 when there was none
	DLSR           uint32 // time between that SR and this block, 1/65536 s

	ReceiverNTP uint64 // XR receiver reference time of Reporter, NTP 32.32 (RFC 3611 §4.4)
	LRR         uint32 // XR DLRR: middle 32 bits of the receiver reference time that Source last sent (RFC 3611 §4.5)
	DLRR        uint32 // XR DLRR: time since then, 1/65536 s

	VoIP    VoIPMetrics // XR block 7 about Source (RFC 3611 §4.7)
	Summary Summary     // XR block 6 about Source (RFC 3611 §4.6)

	RTTMicros   uint32  // round trip between Reporter and the observer that the observer worked out itself, microseconds; not from LSR or DLSR
	ClockHz     uint32  // RTP clock of Source's stream, when the observer says it
	PayloadType uint8   // RTP payload type of Source's stream, when the observer says it
	PtimeMicros uint32  // duration of the audio in one packet of Source's stream, microseconds, when the observer says it
	VendorMOS   float32 // a MOS that the observer made up, 1.0 to 5.0 after scaling; a cross-check, never a score (voice.md §7.30)
}

// SignExtend24 turns the 24 bits of a cumulative loss, as an unsigned number, into what they mean. Decoders call it once, at the border.
// A number that is already negative in 32 bits comes out unchanged.
func SignExtend24(v uint32) int32 { return int32(v<<8) >> 8 }

// VoIPMetrics is the XR block 7 (RFC 3611 §4.7). Rates run since the start of reception. Where the block has a value for "unavailable", the
// field says which here; decoders pass the octets on as they are, and the tracker refuses what is out of range.
type VoIPMetrics struct {
	LossRate        uint8  // 1/256 of the expected packets, lost in the network
	DiscardRate     uint8  // 1/256 of the expected packets, thrown away by the jitter buffer
	BurstDensity    uint8  // 1/256, lost and discarded within bursts
	GapDensity      uint8  // 1/256, lost and discarded within gaps
	BurstMS         uint16 // mean duration of a burst, ms; 0: there was none
	GapMS           uint16 // mean duration of a gap, ms
	RoundTripMS     uint16 // ms; 0: unknown
	EndSystemMS     uint16 // ms: buffer, decoder, playout
	SignalDBm0      int8   // dBm0; 127: unavailable
	NoiseDBm0       int8   // dBm0; 127: unavailable
	RERL            uint8  // residual echo return loss, dB; 127: unavailable
	Gmin            uint8  // gap threshold, packets
	RFactor         uint8  // 0..100; 127: unavailable
	ExternalR       uint8  // 0..100; 127: unavailable
	MOSLQ           uint8  // MOS x 10, 10..50; 127: unavailable
	MOSCQ           uint8  // MOS x 10, 10..50; 127: unavailable
	RXConfig        uint8  // bits 7-6 PLC (3 standard, 2 enhanced, 1 disabled, 0 unknown), 5-4 buffer (3 adaptive, 2 fixed, 0 unknown), 3-0 rate
	BufferNominalMS uint16 // ms
	BufferMaxMS     uint16 // ms; 65535: more
	BufferAbsMaxMS  uint16 // ms; 65535: more
}

// Unavailable is the value of VoIPMetrics and of RFC 6035 that means "not measured", for levels, R and MOS.
const Unavailable = 127

// Summary is the XR block 6 (RFC 3611 §4.6). The flags say which of its parts were there.
type Summary struct {
	HasLoss       bool
	HasDuplicates bool
	HasJitter     bool
	Lost          uint32 // packets lost between the block's first and last sequence number
	Duplicates    uint32 // packets that came more than once, in the same range
	MinJitter     uint32 // RTP timestamp units
	MaxJitter     uint32
	MeanJitter    uint32
	BeginSeq      uint16 // first sequence number
	EndSeq        uint16 // last sequence number plus one
}
