package vqrtcpxr

import (
	"bytes"
	"net/netip"
	"strconv"

	"vigia/collectors/wire"
)

// request is what an answer needs of a request: the headers that it repeats (RFC 3261 §8.2.6.2).
type request struct {
	message              wire.Message
	vias                 [][]byte
	from, to, call, cseq []byte
	event                []byte
	expires              int64 // seconds; -1 when the request does not say
}

const maxVias = 32

// readRequest collects the headers. ok is false when one of those is missing, stands twice, or holds an octet that could end a line.
func readRequest(m wire.Message) (r request, ok bool) {
	r = request{message: m, expires: -1}
	for name, value := range m.Headers() {
		switch {
		case named(name, "via", "v"):
			if r.vias = append(r.vias, value); len(r.vias) > maxVias || !oneLine(value) {
				return r, false
			}
			continue
		case named(name, "from", "f"):
			ok = once(&r.from, value)
		case named(name, "to", "t"):
			ok = once(&r.to, value)
		case named(name, "call-id", "i"):
			ok = once(&r.call, value)
		case named(name, "cseq", ""):
			ok = once(&r.cseq, value)
		case named(name, "event", "o"):
			r.event = value
			continue
		case named(name, "expires", ""):
			if n, err := strconv.ParseInt(string(value), 10, 64); err == nil && n >= 0 {
				r.expires = n
			}
			continue
		default:
			continue
		}
		if !ok {
			return r, false
		}
	}
	return r, len(r.vias) > 0 && r.from != nil && r.to != nil && r.call != nil && r.cseq != nil
}

// once sets a header that must be there once.
func once(to *[]byte, value []byte) bool {
	if *to != nil || len(value) == 0 || !oneLine(value) {
		return false
	}
	*to = value
	return true
}

// oneLine reports whether a value holds nothing that could end a line in an answer. Folded values are refused too: phones fold nothing.
func oneLine(value []byte) bool {
	for _, c := range value {
		if c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

func named(name []byte, long, compact string) bool {
	return bytes.EqualFold(name, []byte(long)) || compact != "" && bytes.EqualFold(name, []byte(compact))
}

// answer is a status and the headers that belong to it.
type answer struct {
	status string
	extra  string // header lines
}

// The answers that are always the same.
var (
	badRequest  = answer{status: "400 Unreadable Report"}
	badMethod   = answer{"405 Method Not Allowed", "Allow: PUBLISH, NOTIFY, MESSAGE\r\n"}
	badType     = answer{"415 Unsupported Media Type", "Accept: application/vq-rtcpxr\r\n"}
	badEvent    = answer{"489 Bad Event", "Allow-Events: vq-rtcpxr\r\n"}
	fine        = answer{status: "200 OK"}
	eventName   = []byte("vq-rtcpxr")
	tagMark     = []byte(";tag=")
	rportMark   = []byte(";rport")
	receivedKey = []byte(";received=")
)

// write composes the answer. tag is the same for the same request, so that a repeated one gets the same answer.
func (r *request) write(out []byte, a answer, from netip.AddrPort, tag uint64) []byte {
	out = append(append(append(out, "SIP/2.0 "...), a.status...), "\r\n"...)
	for i, via := range r.vias {
		out = append(out, "Via: "...)
		if i == 0 {
			out = appendVia(out, via, from)
		} else {
			out = append(out, via...)
		}
		out = append(out, "\r\n"...)
	}
	out = append(append(out, "From: "...), r.from...)
	out = append(append(out, "\r\nTo: "...), r.to...)
	if find(r.to, tagMark) < 0 {
		out = strconv.AppendUint(append(out, tagMark...), tag, 36)
	}
	out = append(append(out, "\r\nCall-ID: "...), r.call...)
	out = append(append(out, "\r\nCSeq: "...), r.cseq...)
	out = append(append(out, "\r\n"...), a.extra...)
	return append(out, "Server: Vigia\r\nContent-Length: 0\r\n\r\n"...)
}

// published is the answer to a PUBLISH: an entity tag, and an Expires that is not longer than asked (RFC 3903 §6).
func (r *request) published(tag uint64) answer {
	expires := r.expires
	if expires < 0 || expires > longestExpires {
		expires = longestExpires
	}
	return answer{fine.status, "SIP-ETag: " + strconv.FormatUint(tag, 36) + "\r\nExpires: " + strconv.FormatInt(expires, 10) + "\r\n"}
}

// appendVia writes the topmost Via with received, and rport when it asks for that (RFC 3581 §4). More values may follow a comma.
func appendVia(out, via []byte, from netip.AddrPort) []byte {
	end := bytes.IndexByte(via, ',')
	if end < 0 {
		end = len(via)
	}
	top, rest := via[:end], via[end:]
	if at := find(top, rportMark); at >= 0 && wantsPort(top[at+len(rportMark):]) {
		after := at + len(rportMark)
		out = append(append(out, top[:after]...), '=')
		out = strconv.AppendUint(out, uint64(from.Port()), 10)
		out = append(out, top[after:]...)
	} else {
		out = append(out, top...)
	}
	if find(top, receivedKey) < 0 {
		out = append(append(out, receivedKey...), from.Addr().String()...)
	}
	return append(out, rest...)
}

// find is where a mark of small letters begins, whatever the case of the text, or -1. The text may be no UTF-8, of which bytes.ToLower would make
// another length.
func find(text, mark []byte) int {
	for i := range len(text) - len(mark) + 1 {
		if bytes.EqualFold(text[i:i+len(mark)], mark) {
			return i
		}
	}
	return -1
}

// wantsPort reports whether what follows ;rport shows that it is empty, so that it is to be filled in.
func wantsPort(after []byte) bool {
	after = bytes.TrimLeft(after, " \t")
	return len(after) == 0 || after[0] == ';'
}

// port is where an answer over UDP goes at the source's address: the port that the request came from when Via has an rport, else that of Via.
func (r *request) port(from netip.AddrPort) uint16 {
	top, _, _ := bytes.Cut(r.vias[0], []byte(","))
	if find(top, rportMark) >= 0 {
		return from.Port()
	}
	sentBy, _, _ := bytes.Cut(top, []byte(";"))
	sentBy = bytes.TrimSpace(sentBy)
	if i := bytes.LastIndexAny(sentBy, " \t"); i >= 0 {
		sentBy = sentBy[i+1:]
	}
	if i := bytes.LastIndexByte(sentBy, ':'); i > bytes.LastIndexByte(sentBy, ']') {
		if n, err := strconv.ParseUint(string(sentBy[i+1:]), 10, 16); err == nil && n > 0 {
			return uint16(n)
		}
	}
	return 5060
}
