package sip

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"

	"vigia/collectors/reach"
)

const mostMessage = 65535 // octets of one message

// request is one OPTIONS and what its answer is recognised by.
type request struct {
	bytes  []byte
	branch string
	callID string
	cseq   uint32
	uri    string
}

// newRequest writes an OPTIONS that leaves from local (an IP address and port).
func (c *Config) newRequest(local net.Addr) request {
	token := rand.Text()
	var number [4]byte
	rand.Read(number[:])
	r := request{
		branch: "z9hG4bK" + token,
		callID: rand.Text() + "@vigia",
		cseq:   1 + uint32(number[0])<<16 + uint32(number[1])<<8 + uint32(number[2]),
		uri:    c.requestURI(),
	}
	hop := local.String()
	from := c.Domain
	if from == "" {
		from, _, _ = net.SplitHostPort(hop)
	}
	contact := c.From + "@" + hop
	if c.Transport != overUDP {
		contact += ";transport=" + c.Transport
	}
	lines := []string{
		"OPTIONS " + r.uri + " SIP/2.0",
		"Via: SIP/2.0/" + strings.ToUpper(c.Transport) + " " + hop + ";branch=" + r.branch + ";rport",
		"Max-Forwards: " + strconv.Itoa(c.MaxForwards),
		"From: <sip:" + c.From + "@" + bracketed(from) + ">;tag=" + token[:10],
		"To: <" + r.uri + ">",
		"Call-ID: " + r.callID,
		"CSeq: " + strconv.FormatUint(uint64(r.cseq), 10) + " OPTIONS",
		"Contact: <sip:" + contact + ">",
		"Accept: application/sdp",
		"User-Agent: vigia",
		"Content-Length: 0",
	}
	r.bytes = []byte(strings.Join(lines, "\r\n") + "\r\n\r\n")
	return r
}

// requestURI is whom OPTIONS asks.
func (c *Config) requestURI() string {
	if c.URI != "" {
		return c.URI
	}
	host := bracketed(c.Host)
	if c.Domain != "" {
		host = bracketed(c.Domain)
	} else if c.Port != 0 {
		host += ":" + strconv.Itoa(c.Port)
	}
	if c.User != "" {
		host = c.User + "@" + host
	}
	if c.Transport != overUDP {
		host += ";transport=" + c.Transport
	}
	return "sip:" + host
}

// bracketed puts an IPv6 address into the brackets that URIs want.
func bracketed(host string) string {
	if strings.Contains(host, ":") && !strings.HasPrefix(host, "[") {
		return "[" + host + "]"
	}
	return host
}

// verdict is what a packet is to a request.
type verdict int

const (
	final       verdict = iota // the answer
	provisional                // an answer that says to wait
	foreign                    // SIP, but no answer to this request
	garbled                    // not SIP
)

// answer is one packet, read.
type answer struct {
	verdict verdict
	status  int
	text    string // status and phrase; of a garbled packet, why
}

// reader reads packets. Its parser keeps nothing, so it may be shared.
type reader struct {
	parse func(head []byte) (sip.Message, error) // a start line and headers, with the empty line at their end
}

func newReader() *reader {
	known := sip.DefaultHeadersParser()
	needed := map[string]sip.HeaderParser{}
	for _, header := range [...]string{"via", "v", "call-id", "i", "cseq", "content-length", "l"} {
		needed[header] = known[header]
	}
	parser := sip.NewParser(sip.WithHeadersParsers(needed))
	return &reader{parse: func(head []byte) (sip.Message, error) {
		message, _, err := parser.ParseHeaders(head, false)
		return message, err
	}}
}

var (
	errNoEnd    = errors.New("the headers do not end")
	errShort    = errors.New("the body is shorter than its Content-Length")
	errNoLength = errors.New("there is no Content-Length, which streams need")
	errTooLong  = errors.New("the message is longer than 64 KiB")
	errVersion  = errors.New("the version is not SIP/2.0")
	errStatus   = errors.New("the status is not from 100 to 699")
)

// datagram reads one datagram as a whole message.
func (r *reader) datagram(packet []byte, to *request) answer {
	head, body, ended := split(bytes.TrimLeft(packet, "\r\n"))
	if !ended {
		return answer{verdict: garbled, text: r.complain(head, errNoEnd)}
	}
	message, err := r.headers(head)
	if err != nil {
		return answer{verdict: garbled, text: complaint(err)}
	}
	if length := message.ContentLength(); length != nil && int64(*length) > int64(len(body)) {
		return answer{verdict: garbled, text: errShort.Error()}
	}
	return judge(message, to)
}

// stream takes the first whole message from what has come so far. used is 0 when more must come; a garbled stream cannot be read on.
func (r *reader) stream(got []byte, to *request) (a answer, used int) {
	trimmed := bytes.TrimLeft(got, "\r\n")
	skipped := len(got) - len(trimmed)
	head, body, ended := split(trimmed)
	if !ended {
		if len(got) >= mostMessage {
			return answer{verdict: garbled, text: errTooLong.Error()}, len(got)
		}
		if !mayBeSIP(trimmed) {
			return answer{verdict: garbled, text: r.complain(trimmed, errNoEnd)}, len(got)
		}
		return answer{}, 0
	}
	message, err := r.headers(head)
	if err != nil {
		return answer{verdict: garbled, text: complaint(err)}, len(got)
	}
	if message.ContentLength() == nil {
		return answer{verdict: garbled, text: errNoLength.Error()}, len(got)
	}
	switch length := int64(*message.ContentLength()); {
	case int64(len(head))+length > mostMessage:
		return answer{verdict: garbled, text: errTooLong.Error()}, len(got)
	case length > int64(len(body)):
		return answer{}, 0
	default:
		return judge(message, to), skipped + len(head) + int(length)
	}
}

// split cuts a message after the empty line that ends its headers.
func split(message []byte) (head, body []byte, ended bool) {
	i := bytes.Index(message, []byte("\r\n\r\n"))
	if i < 0 {
		return message, nil, false
	}
	return message[:i+4], message[i+4:], true
}

// mayBeSIP tells from the start line, as soon as it is there, whether waiting for more makes sense.
func mayBeSIP(start []byte) bool {
	line, _, whole := bytes.Cut(start, []byte("\n"))
	if !whole {
		const longest = 1024
		return len(line) < longest && (len(line) == 0 || line[0] >= ' ' && line[0] < 0x7f)
	}
	return bytes.Contains(line, []byte("SIP/"))
}

// headers parses a message's head. A panic of the parser over a stranger's octets is an error like any other.
func (r *reader) headers(head []byte) (m sip.Message, err error) {
	defer func() {
		if p := recover(); p != nil {
			m, err = nil, fmt.Errorf("the parser stumbles: %v", p)
		}
	}()
	message, err := r.parse(head)
	if err != nil {
		return nil, err
	}
	if message == nil {
		return nil, errNoEnd
	}
	return message, nil
}

// complain says what is wrong with octets that have no end: what the parser says of their first line, or else err.
func (r *reader) complain(start []byte, err error) string {
	line, _, _ := bytes.Cut(start, []byte("\r\n"))
	if _, parseErr := r.headers(append(bytes.Clone(line), "\r\n\r\n"...)); parseErr != nil {
		return complaint(parseErr)
	}
	return err.Error()
}

func complaint(err error) string { return reach.Clean(err.Error(), 80) }

// judge says what a well-formed message is to a request (RFC 3261 §17.1.3, §8.1.3.3).
func judge(message sip.Message, to *request) answer {
	response, ok := message.(*sip.Response)
	switch {
	case !ok:
		return answer{verdict: foreign}
	case !strings.EqualFold(response.SipVersion, "SIP/2.0"):
		return answer{verdict: garbled, text: errVersion.Error()}
	case response.StatusCode < 100 || response.StatusCode > 699:
		return answer{verdict: garbled, text: errStatus.Error()}
	case !answers(response, to):
		return answer{verdict: foreign}
	}
	a := answer{status: response.StatusCode, text: strconv.Itoa(response.StatusCode)}
	if phrase := reach.Clean(response.Reason, 60); phrase != "" {
		a.text += " " + phrase
	}
	if response.StatusCode < 200 {
		a.verdict = provisional
	}
	return a
}

func answers(response *sip.Response, to *request) bool {
	via, callID, cseq := response.GetHeaders("Via"), response.CallID(), response.CSeq()
	if len(via) != 1 || callID == nil || cseq == nil {
		return false
	}
	top, ok := via[0].(*sip.ViaHeader)
	if !ok {
		return false
	}
	branch, _ := top.Params.Get("branch")
	return branch == to.branch && string(*callID) == to.callID && cseq.SeqNo == to.cseq &&
		strings.TrimSpace(string(cseq.MethodName)) == "OPTIONS"
}
