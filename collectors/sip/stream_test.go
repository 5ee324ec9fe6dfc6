package sip

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"

	"vigia/collectors"
	"vigia/collectors/reach/reachtest"
)

func TestStreams(t *testing.T) {
	write := func(parts ...string) func([]byte, net.Conn) {
		return func(request []byte, c net.Conn) {
			for _, part := range parts {
				io.WriteString(c, strings.ReplaceAll(part, "<ok>", string(reply(request, "200 OK"))))
			}
		}
	}
	for _, c := range []struct {
		name   string
		handle func([]byte, net.Conn)
		want   string
	}{
		{"200", write("<ok>"), "200 OK in "},
		{"octet by octet", func(request []byte, c net.Conn) {
			for _, b := range reply(request, "200 OK") {
				c.Write([]byte{b})
			}
		}, "200 OK in "},
		{"empty lines before", write("\r\n\r\n\r\n", "<ok>"), "200 OK in "},
		{"a body after empty lines", func(request []byte, c net.Conn) {
			trying := strings.Replace(string(reply(request, "100 Trying")), "Content-Length: 0\r\n\r\n", "Content-Length: 6\r\n\r\nabcdef", 1)
			io.WriteString(c, "\r\n\r\n"+trying+string(reply(request, "200 OK")))
		}, "200 OK in "},
		{"100 and 200 at once", func(request []byte, c net.Conn) {
			c.Write(append(reply(request, "100 Trying"), reply(request, "200 OK")...))
		}, "200 OK in "},
		{"a request before", write(string(aRequest()), "<ok>"), "200 OK in "},
		{"with a body", func(request []byte, c net.Conn) {
			c.Write([]byte(strings.Replace(string(reply(request, "200 OK")), "Content-Length: 0\r\n\r\n", "Content-Length: 3\r\n\r\nv=0", 1)))
		}, "200 OK in "},
		{"folded in segments", func(request []byte, c net.Conn) {
			head, tail, _ := strings.Cut(string(reply(request, "200 OK")), "Call-ID:")
			io.WriteString(c, head+"Call-ID:\r\n")
			time.AfterFunc(30*time.Millisecond, func() { io.WriteString(c, " "+tail) })
		}, "200 OK in "},
		{"100 only", func(request []byte, c net.Conn) { c.Write(reply(request, "183 Session Progress")) }, "183 Session Progress, but no final answer within 0.60 s"},
		{"no length", func(request []byte, c net.Conn) {
			c.Write(reply(request, "200 OK", "Content-Length: 0\r\n", ""))
		}, "answer is not SIP: there is no Content-Length"},
		{"half a body", func(request []byte, c net.Conn) {
			c.Write(reply(request, "200 OK", "Content-Length: 0", "Content-Length: 10"))
		}, "within 0.60 s (sent once)"},
		{"huge length", func(request []byte, c net.Conn) {
			c.Write(reply(request, "200 OK", "Content-Length: 0", "Content-Length: 4294967295"))
		}, "answer is not SIP: the message is longer"},
		{"other protocol", write("SSH-2.0-OpenSSH_9.2\r\n"), "answer is not SIP: "},
		{"endless line", write(strings.Repeat("x", 200<<10)), "answer is not SIP: "},
		{"endless headers", write("SIP/2.0 200 OK\r\n" + strings.Repeat("X: y\r\n", 40<<10)), "answer is not SIP: the message is longer"},
		{"closes", func(_ []byte, c net.Conn) { c.Close() }, "closes the connection without an answer"},
		{"silent", func([]byte, net.Conn) {}, "within 0.60 s (sent once)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := probe(t, config(streamPeer(t, nil, c.handle), over("tcp")), 600*time.Millisecond)
			if got := why(r); !strings.Contains(got, c.want) || r.OK != strings.Contains(c.want, " in ") {
				t.Errorf("why: %q, want %q; steps:\n%s", got, c.want, steps(r))
			}
		})
	}
}

func TestTLS(t *testing.T) {
	ca := reachtest.NewCA(t)
	for _, c := range []struct {
		name string
		leaf reachtest.Leaf
		want string
	}{
		{"good", reachtest.Leaf{Lasts: 20 * 24 * time.Hour}, "200 OK in "},
		{"expired", reachtest.Leaf{Lasts: -72 * time.Hour}, "certificate expired 3 days ago"},
		{"other name", reachtest.Leaf{Names: []string{"sbc.example"}}, "certificate is for sbc.example, not for 127.0.0.1"},
	} {
		address := streamPeer(t, ca.Issue(t, c.leaf), func(request []byte, conn net.Conn) { conn.Write(reply(request, "200 OK")) })
		r := probe(t, config(address, over("tls"), func(k *Config) { k.TLS.CA = ca.File }), 5*time.Second)
		if !strings.HasPrefix(why(r), c.want) {
			t.Errorf("%s: %q, want %q", c.name, why(r), c.want)
		}
		if _, measured := value(r, collectors.TLSExpiryD); !measured {
			t.Errorf("%s: no tls_expiry_d", c.name)
		}
	}
}

// TestParserPanics shows the recover boundary: a parser that panics makes a packet garbled, and no more.
func TestParserPanics(t *testing.T) {
	r := &reader{parse: func([]byte) (sip.Message, error) { panic("out of range") }}
	packet := []byte("SIP/2.0 200 OK\r\n\r\n")
	if a := r.datagram(packet, &request{}); a.verdict != garbled || !strings.Contains(a.text, "out of range") {
		t.Errorf("datagram: %+v", a)
	}
	if a, used := r.stream(packet, &request{}); a.verdict != garbled || used != len(packet) {
		t.Errorf("stream: %+v, %d used", a, used)
	}
	r.parse = func([]byte) (sip.Message, error) { return nil, errors.New("no") }
	if a := r.datagram([]byte("no end"), &request{}); a.verdict != garbled {
		t.Errorf("no end: %+v", a)
	}
}
