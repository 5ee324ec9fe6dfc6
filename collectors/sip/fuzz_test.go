package sip

import (
	"bytes"
	"net"
	"strings"
	"testing"
)

// known is a request whose ids a fuzzer can hit.
func known() request {
	return request{branch: "z9hG4bKbranch", callID: "call@vigia", cseq: 7}
}

// good is a well-formed answer to known.
const good = "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKbranch;rport=5060;received=192.0.2.1\r\n" +
	"From: <sip:vigia@192.0.2.1>;tag=a\r\nTo: <sip:192.0.2.5>;tag=b\r\nCall-ID: call@vigia\r\nCSeq: 7 OPTIONS\r\nContent-Length: 0\r\n\r\n"

// torture are packets in the spirit of RFC 4475: well-formed ones that look odd, and broken ones that look right.
func torture() [][]byte {
	change := func(pairs ...string) []byte { return []byte(strings.NewReplacer(pairs...).Replace(good)) }
	return [][]byte{
		nil,
		{0},
		{0xff},
		[]byte("\r\n\r\n"), []byte(good),
		bytes.Repeat([]byte("A"), 60000),
		[]byte("SIP/2.0"), []byte("SIP/2.0 "), []byte("SIP/2.0 200"), []byte("SIP/2.0 200 "), []byte("SIP/2.0  200  OK\r\n\r\n"), []byte("SIP/2.0 200 OK\r\n\r\n"),
		change("200", "99999999999999999999"), change("200", "-1"), change("200", "000"), change("200", "0x80"),
		change("SIP/2.0 200", "SIP/7.0 200"), change("SIP/2.0 200", "sip/2.0 200"),
		change("Content-Length: 0", "Content-Length: -1"), change("Content-Length: 0", "Content-Length: 4294967295"),
		change("Content-Length: 0", "Content-Length: 18446744073709551617"), change("Content-Length: 0", "Content-Length: 9\r\nContent-Length: 0"),
		change("CSeq: 7 OPTIONS", "CSeq: 4294967296 OPTIONS"), change("CSeq: 7 OPTIONS", "CSeq:7\t \tOPTIONS"), change("CSeq: 7 OPTIONS", "CSeq: OPTIONS"), change("CSeq: 7 OPTIONS", "CSeq:"),
		change("Call-ID: call@vigia", "Call-ID:"), change("Call-ID: call@vigia", "Call-ID"), change("Call-ID: call@vigia", ":"),
		change("Via: SIP/2.0/UDP 192.0.2.1:5060;", "Via: SIP  /  2.0 \t/ \t UDP  192.0.2.1 : 5060 ; "), change("192.0.2.1:5060;", "[::1;"), change("192.0.2.1:5060;", "[]:;"),
		change(";branch=z9hG4bKbranch", ";branch"), change(";branch=z9hG4bKbranch", ";;;=;,"), change("From:", "Via: ,\r\nFrom:"), change("\r\nFrom:", ",SIP/2.0/TCP x;branch=z9hG4bKbranch\r\nFrom:"),
		change("\r\nFrom", "\r\n folded ;more=1\r\nFrom"), change("\r\n", "\n"), change("\r\n", "\r"), change("Call-ID: ", "Call-ID:\r\n\t"),
		change("OK", "\xf0\x9f\x98\x80 \xc3\x28 \x1b[2J"), change("OK", strings.Repeat("k", 50000)), change("From:", strings.Repeat("X: y\r\n", 9000)+"From:"),
		[]byte("INVITE sip:vigia@192.0.2.1 SIP/2.0\r\n" + good[len("SIP/2.0 200 OK\r\n"):]),
		[]byte("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), []byte("SSH-2.0-OpenSSH_9.2\r\n"),
		[]byte("\x16\x03\x01\x00\x05hello"), []byte("\x80\xc8\x00\x06" + strings.Repeat("\x00", 24)), // TLS; RTCP
	}
}

func TestTortureVerdicts(t *testing.T) {
	r, to := newReader(), known()
	for packet, want := range map[string]verdict{
		good: final,
		strings.Replace(good, "200 OK", "180 Ringing", 1):      provisional,
		strings.Replace(good, "SIP/2.0 200", "sip/2.0 200", 1): final,
		"\r\n\r\n" + good: final,
		good + "more octets than Content-Length says (RFC 3261 §18.3)":                        final,
		strings.Replace(good, "CSeq: 7 OPTIONS", "CSeq: 7   OPTIONS", 1):                      final,
		strings.Replace(good, "CSeq: 7 OPTIONS", "cSeQ  : 7 OPTIONS", 1):                      final,
		strings.Replace(good, "From:", "Via: SIP/2.0/UDP x;branch=z9hG4bKy\r\nFrom:", 1):      foreign,
		strings.Replace(good, "\r\nFrom:", ",SIP/2.0/TCP x;branch=z9hG4bKbranch\r\nFrom:", 1): foreign,
		strings.Replace(good, "Via:", "X:", 1):                                                foreign,
		strings.ReplaceAll(good, "\r\n", "\n"):                                                garbled,
		good[:len(good)-2]:                                                                    garbled,
	} {
		if a := r.datagram([]byte(packet), &to); a.verdict != want {
			t.Errorf("verdict %d (%s), want %d:\n%s", a.verdict, a.text, want, packet)
		}
	}
}

// FuzzResponse: no octets make the reader panic, read beyond what came, or take for our answer what does not hold all of our ids.
func FuzzResponse(f *testing.F) {
	for _, packet := range torture() {
		f.Add(packet)
	}
	r, to := newReader(), known()
	f.Fuzz(func(t *testing.T, packet []byte) {
		before := bytes.Clone(packet)
		a := r.datagram(packet, &to)
		b, used := r.stream(packet, &to)
		if used < 0 || used > len(packet) {
			t.Errorf("used %d of %d octets", used, len(packet))
		}
		if !bytes.Equal(before, packet) {
			t.Error("the packet was changed")
		}
		for _, a := range []answer{a, b} {
			ours := (a.verdict == final || a.verdict == provisional) && a.status != 0
			if ours && (a.status < 100 || a.status > 699 || (a.status < 200) != (a.verdict == provisional)) {
				t.Errorf("%+v", a)
			}
			if ours && !(bytes.Contains(packet, []byte(to.branch)) && bytes.Contains(packet, []byte(to.callID))) {
				t.Errorf("taken for ours: %q", packet)
			}
			if strings.ContainsAny(a.text, "\r\n\x00\x1b") || len([]rune(a.text)) > 100 {
				t.Errorf("text is not clean: %q", a.text)
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	r, to := newReader(), known()
	packet := []byte(good)
	b.SetBytes(int64(len(packet)))
	b.ReportAllocs()
	for b.Loop() {
		if a := r.datagram(packet, &to); a.verdict != final {
			b.Fatal(a.text)
		}
	}
}

func BenchmarkRequest(b *testing.B) {
	c := config("192.0.2.5:5060")
	local := &net.UDPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 40000}
	b.ReportAllocs()
	for b.Loop() {
		c.newRequest(local)
	}
}

// BenchmarkRoundTrip is a whole run over loopback: a socket, OPTIONS, 200.
func BenchmarkRoundTrip(b *testing.B) {
	collector := open(b, config(peer(b, "127.0.0.1:0", always("200 OK"))), 5e9)
	b.ReportAllocs()
	for b.Loop() {
		if r := collector.Probe(b.Context()); !r.OK {
			b.Fatal(why(r))
		}
	}
}
