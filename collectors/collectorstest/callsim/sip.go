package callsim

import (
	"fmt"
	"net/netip"
)

// Message is one SIP message of a call.
type Message uint8

// The messages of a call, in their order.
const (
	Invite Message = iota
	Ringing
	Answer
	Ack
	Bye    // by the caller
	ByeAck // 200 to it
)

// request reports whether it goes from the caller to the callee.
func (m Message) request() bool { return m == Invite || m == Ack || m == Bye }

// Way is between which addresses a message travels.
func (c *Call) Way(m Message) (src, dst netip.AddrPort) {
	if m.request() {
		return c.Caller.Signalling, c.Callee.Signalling
	}
	return c.Callee.Signalling, c.Caller.Signalling
}

// AppendSIP adds a message.
func (c *Call) AppendSIP(dst []byte, m Message) []byte {
	cseq, method := 1, "INVITE"
	switch m {
	case Ack:
		method = "ACK"
	case Bye, ByeAck:
		cseq, method = 2, "BYE"
	}
	if m.request() {
		dst = fmt.Appendf(dst, "%s sip:%s@%s SIP/2.0\r\n", method, c.Callee.Number, c.Callee.Host)
	} else {
		dst = append(dst, map[Message]string{Ringing: "SIP/2.0 180 Ringing\r\n", Answer: "SIP/2.0 200 OK\r\n", ByeAck: "SIP/2.0 200 OK\r\n"}[m]...)
	}
	dst = fmt.Appendf(dst, "Via: SIP/2.0/UDP %s;branch=z9hG4bK%s%d\r\nFrom: <sip:%s@%s>;tag=a%x\r\nTo: <sip:%s@%s>",
		c.Caller.Signalling, method, cseq, c.Caller.Number, c.Caller.Host, c.Caller.SSRC, c.Callee.Number, c.Callee.Host)
	if m != Invite {
		dst = fmt.Appendf(dst, ";tag=b%x", c.Callee.SSRC)
	}
	dst = fmt.Appendf(dst, "\r\nCall-ID: %s\r\nCSeq: %d %s\r\nMax-Forwards: 70\r\n", c.ID, cseq, method)
	if m.request() {
		dst = fmt.Appendf(dst, "User-Agent: %s\r\n", c.Caller.Agent)
	} else {
		dst = fmt.Appendf(dst, "Server: %s\r\n", c.Callee.Agent)
	}
	body := ""
	switch m {
	case Invite:
		body = c.sdp(&c.Caller)
	case Answer:
		body = c.sdp(&c.Callee)
	}
	if body != "" {
		dst = append(dst, "Content-Type: application/sdp\r\n"...)
	}
	return fmt.Appendf(dst, "Content-Length: %d\r\n\r\n%s", len(body), body)
}

// sdp is the session description of a party (RFC 8866).
func (c *Call) sdp(p *Party) string {
	fmtp := ""
	if c.Codec.Fmtp != "" {
		fmtp = fmt.Sprintf("a=fmtp:%d %s\r\n", c.Codec.PayloadType, c.Codec.Fmtp)
	}
	ssrc := ""
	if c.TellSSRC {
		ssrc = fmt.Sprintf("a=ssrc:%d cname:%s@sim\r\n", p.SSRC, p.Number)
	}
	return fmt.Sprintf("v=0\r\no=- 1 1 IN IP4 %[1]s\r\ns=-\r\nc=IN IP4 %[1]s\r\nt=0 0\r\nm=audio %[2]d RTP/AVP %[3]d 101\r\na=rtpmap:%[3]d %[4]s/%[5]d\r\n%[6]sa=rtpmap:101 telephone-event/8000\r\na=ptime:%[7]d\r\na=sendrecv\r\n%[8]s",
		p.Media.Addr(), p.Media.Port(), c.Codec.PayloadType, c.Codec.Name, c.Codec.ClockHz, fmtp, c.Codec.PacketMS, ssrc)
}
