package voice

import "net/netip"

// Method is a SIP request method (RFC 3261 §7.1), as far as the tracker cares. For a response it is the method of its CSeq.
type Method uint8

// The methods. MethodOther is ignored.
const (
	MethodOther Method = iota
	MethodInvite
	MethodAck
	MethodBye
	MethodCancel
	MethodPrack
	MethodUpdate
	MethodRefer
)

// ParseMethod reads a method's name; SIP methods are case-sensitive.
func ParseMethod(name []byte) Method {
	switch string(name) {
	case "INVITE":
		return MethodInvite
	case "ACK":
		return MethodAck
	case "BYE":
		return MethodBye
	case "CANCEL":
		return MethodCancel
	case "PRACK":
		return MethodPrack
	case "UPDATE":
		return MethodUpdate
	case "REFER":
		return MethodRefer
	}
	return MethodOther
}

// Signal is one SIP message (RFC 3261), reduced to what a call is made of. Byte slices may point into the decoder's buffer; an absent
// header is an empty slice. Users and hosts come unescaped, without angle brackets, parameters or the port.
type Signal struct {
	Seen Seen

	// CorrelationID is the id that the observer attached (HEP chunk 0x0011); empty when there is none. Usually equal to CallID.
	CorrelationID []byte

	Method Method // of the request, or of the CSeq of a response
	Status uint16 // 100..699 for a response; 0 for a request

	CallID  []byte // Call-ID (RFC 3261 §20.8)
	CSeq    uint32 // sequence number of CSeq (§20.16)
	Branch  []byte // branch of the topmost Via (§8.1.1.7)
	FromTag []byte // tag of From: the tag of who sent the request of this transaction
	ToTag   []byte // tag of To; empty in a request outside a dialog

	FromUser, FromHost       []byte // From URI; a tel URI has a user and no host
	ToUser, ToHost           []byte // To URI
	RequestUser, RequestHost []byte // Request-URI: the number really dialled on this leg; empty in a response
	AssertedUser             []byte // P-Asserted-Identity (RFC 3325), the caller's number as the network vouches for it

	UserAgent []byte // User-Agent of a request, Server or User-Agent of a response

	// Joint is what both legs of a B2BUA have in common: Session-ID (RFC 7989, the pair sorted or its local half that is not zero), the
	// icid-value of P-Charging-Vector (RFC 7315), or X-CID; the first of them that is there. Empty when none is.
	Joint []byte

	Q850Cause uint8  // cause of a Reason header of protocol Q.850 (RFC 3326), 1..127; 0: none
	SIPCause  uint16 // cause of a Reason header of protocol SIP, such as 200 in a CANCEL for "answered elsewhere"; 0: none

	// HasSDP: the message carries a session description. Media are its lines in order; none means that it could not be read.
	HasSDP bool
	Media  []Media
}

// MediaKind is what a media line carries.
type MediaKind uint8

// The kinds of media. MediaImage is T.38 fax (udptl), which has no RTCP.
const (
	MediaOther MediaKind = iota
	MediaAudio
	MediaVideo
	MediaImage
)

// Direction is the direction attribute of a media line, seen from who wrote it (RFC 8866 §6.7).
type Direction uint8

// The directions. SendRecv is what an absent attribute means.
const (
	SendRecv Direction = iota
	SendOnly
	RecvOnly
	Inactive
)

// Media is one media line of a session description (RFC 8866 §5.14) with the attributes that apply to it; those of the session level are
// already filled in where the line has none.
type Media struct {
	Kind MediaKind
	// Addr is from the connection line (c=), unmapped; 0.0.0.0 is an old way of holding and is passed on as it is. The zero Addr when it is a name.
	Addr netip.Addr
	Port uint16 // RTP; 0: the line was refused or ended
	// RTCP is from a=rtcp (RFC 3605): the zero AddrPort when the attribute is absent; its address is Addr when the attribute has only a port.
	RTCP      netip.AddrPort
	Mux       bool // a=rtcp-mux (RFC 5761)
	Encrypted bool // the profile is a secure one (RTP/SAVP…)
	Direction Direction
	PtimeMS   uint8    // a=ptime; 0: not said
	Codecs    []Codec  // payload types in the order of the line, the first is preferred
	SSRCs     []uint32 // from a=ssrc (RFC 5576)
}

// Codec is one payload type of a media line with its rtpmap (RFC 8866 §6.6); decoders fill in the static ones of RFC 3551 with StaticCodec.
type Codec struct {
	PayloadType uint8
	Name        []byte // encoding name as written, such as PCMU, G729, opus, telephone-event
	ClockHz     uint32 // RTP clock; 0: not said
	Fmtp        []byte // parameters of a=fmtp, such as mode-set=7 or annexb=no
}

// StaticCodec returns the name and the RTP clock of a static audio payload type of RFC 3551 §6 (G.722 is 8000 there although it samples at
// 16 kHz), and "" for any other.
func StaticCodec(payloadType uint8) (name string, clockHz uint32) {
	switch payloadType {
	case 0:
		return "PCMU", 8000
	case 3:
		return "GSM", 8000
	case 4:
		return "G723", 8000
	case 8:
		return "PCMA", 8000
	case 9:
		return "G722", 8000
	case 10, 11:
		return "L16", 44100
	case 13:
		return "CN", 8000
	case 15:
		return "G728", 8000
	case 18:
		return "G729", 8000
	}
	return "", 0
}
