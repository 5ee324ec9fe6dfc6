package callsim

import (
	"net/netip"
	"time"

	"vigia/mos"
)

// Codec is how speech is sent.
type Codec struct {
	Name        string // as in SDP
	PayloadType uint8
	ClockHz     uint32 // of RTP timestamps
	PacketMS    int    // speech in a packet
	Octets      int    // in a packet
	Fmtp        string // parameters; empty: none
}

// PCMA is G.711 A-law, the codec of the fixed network.
func PCMA() Codec {
	return Codec{Name: "PCMA", PayloadType: 8, ClockHz: 8000, PacketMS: 20, Octets: 160}
}

// GSM is the full-rate codec of early mobile networks: it costs more than G.711 on any link.
func GSM() Codec {
	return Codec{Name: "GSM", PayloadType: 3, ClockHz: 8000, PacketMS: 20, Octets: 33}
}

// Hearing is how what the other party sends arrives.
type Hearing struct {
	LossPct  float64
	JitterMS float64
	TripMS   float64 // between this party and where both parties' reports are seen, there and back
	Nothing  bool    // not one packet arrives
}

// Party is one end of a call.
type Party struct {
	Number, Host, Agent string // user and host of its URI, its User-Agent
	Signalling, Media   netip.AddrPort
	SSRC                uint32    // of what it sends
	Since               time.Time // when it began to send with this SSRC; zero: when the call was answered
	Hears               Hearing
}

func (p *Party) rtcp() netip.AddrPort { return netip.AddrPortFrom(p.Media.Addr(), p.Media.Port()+1) }

// Call is one call.
type Call struct {
	ID             string
	Caller, Callee Party
	Codec          Codec
	TellSSRC       bool // the session descriptions name the SSRCs (RFC 5576): RTCP alone can be told to be this call's
	Invited        time.Time
	Answered       time.Time
	Every          time.Duration // between two reports of a party; those of the callee come in the middle between those of the caller
}

// Who is a party.
type Who uint8

// The parties.
const (
	Caller Who = iota
	Callee
)

// Other is the other one.
func (w Who) Other() Who { return 1 - w }

// Party is the one that is meant.
func (c *Call) Party(w Who) *Party {
	if w == Caller {
		return &c.Caller
	}
	return &c.Callee
}

// packets is how many packets a party has sent by an instant, with its present SSRC.
func (c *Call) packets(w Who, at time.Time) uint32 {
	since := c.Answered
	if p := c.Party(w); !p.Since.IsZero() {
		since = p.Since
	}
	d := at.Sub(since)
	if d <= 0 {
		return 0
	}
	return uint32(d / (time.Duration(c.Codec.PacketMS) * time.Millisecond))
}

// ReportAt is when a party sends its n-th report, the first is 1.
func (c *Call) ReportAt(w Who, n int) time.Time {
	at := c.Answered.Add(time.Duration(n) * c.Every)
	if w == Callee {
		at = at.Add(c.Every / 2)
	}
	return at
}

// Truth is how good the call sounds to a party by the E-model, with an assumed jitter buffer (nil: that of the E-model) and nothing else unknown.
func (c *Call) Truth(w Who, buffer *mos.Buffer) (r, score float64, err error) {
	codec, err := mos.FindCodec(modelName(c.Codec.Name), 0)
	if err != nil {
		return 0, 0, err
	}
	h := c.Party(w).Hears
	in := mos.Input{
		Scale: codec.Scale, Codec: codec, LossPct: h.LossPct, JitterMs: h.JitterMS, PacketMs: float64(c.Codec.PacketMS),
		RTTMs: c.Caller.Hears.TripMS + c.Callee.Hears.TripMS,
		Known: mos.KnownCodec | mos.KnownLoss | mos.KnownJitter | mos.KnownPacket | mos.KnownRTT,
	}
	if buffer != nil {
		in.Buffer, in.Known = *buffer, in.Known|mos.KnownBuffer
	}
	s, err := mos.Rate(in)
	if err != nil {
		return 0, 0, err
	}
	return s.R, s.MOS(), nil
}

// modelName is the codec's name in the E-model's table.
func modelName(sdp string) string {
	switch sdp {
	case "PCMA", "PCMU":
		return "G.711"
	case "G729":
		return "G.729A"
	case "GSM":
		return "GSM-FR"
	}
	return sdp
}
