package wire

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/emiago/sipgo/sip"

	"vigia/collectors/voice"
)

var testMeta = Meta{
	At: time.Unix(1_750_000_000, 0).UTC(), From: netip.MustParseAddrPort("192.0.2.1:5060"), To: netip.MustParseAddrPort("192.0.2.2:5060"),
	Agent: 7, Correlation: "corr", Observer: netip.MustParseAddr("192.0.2.9"),
}

// offer is a usual INVITE.
var offer = withBody(`INVITE sip:+50622223333@carrier.example:5080;transport=udp;user=phone SIP/2.0
Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKtop;rport, SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKsecond
Via: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bKthird
Max-Forwards: 69
From: "Ana <x>; \"y\"" <sip:%2B50688887777@acme.example;user=phone>;tag=from-1
To: <tel:+50622223333;phone-context=example>
Call-ID: a84b4c76e66710@192.0.2.1
CSeq: 314159 INVITE
Contact: <sip:ana@192.0.2.1>
P-Asserted-Identity: "Ana, of Acme" <sip:+50688887777@acme.example>, <tel:+50600000000>
User-Agent: Acme PBX
  4.2
Session-ID: ab30317f1a784dc48ff824d0d3715d86;remote=00000000000000000000000000000000
P-Charging-Vector: icid-value=1234bc9876e;icid-generated-at=192.0.6.8
Content-Type: application/sdp
`, `v=0
o=- 1 1 IN IP4 192.0.2.64
s=-
c=IN IP4 192.0.2.64
t=0 0
a=sendonly
a=ptime:30
m=audio 49170/1 RTP/AVP 8 9 96 101 13
a=rtpmap:96 AMR-WB/16000/1
a=fmtp:96 mode-set=7; octet-align=1
a=rtpmap:101 telephone-event/8000
a=rtcp:53020
a=sendrecv
a=ssrc:314159 cname:ana
a=ssrc:314159 msid:x
a=ssrc:271828 cname:ana
m=video 51372 UDP/TLS/RTP/SAVPF 97
c=IN IP6 2001:db8::5
a=rtpmap:97 H264/90000
a=rtcp-mux
a=rtcp:51373 IN IP6 2001:db8::6
m=image 0 udptl t38
`)

func crlf(text string) string { return strings.ReplaceAll(text, "\n", "\r\n") }

func withBody(head, body string) string {
	body = crlf(body)
	return crlf(head) + fmt.Sprintf("Content-Length: %d\r\n\r\n", len(body)) + body
}

func signalOf(t *testing.T, message string) voice.Signal {
	t.Helper()
	var k keeper
	if err := SIP(testMeta, []byte(message), &k); err != nil {
		t.Fatalf("%v in\n%s", err, message)
	}
	if len(k.signals) != 1 || len(k.qualities) != 0 {
		t.Fatalf("%d signals, %d qualities", len(k.signals), len(k.qualities))
	}
	return k.signals[0]
}

func TestSIPRequest(t *testing.T) {
	s := signalOf(t, offer)
	got := fmt.Sprintf("%d %d %s %d %s|%s %s %s|%s %s %s|%s %s|%s|%s|%s|%s", s.Method, s.Status, s.CallID, s.CSeq, s.Branch,
		s.FromUser, s.FromHost, s.FromTag, s.ToUser, s.ToHost, s.ToTag, s.RequestUser, s.RequestHost, s.AssertedUser, s.UserAgent, s.Joint, s.CorrelationID)
	want := "1 0 a84b4c76e66710@192.0.2.1 314159 z9hG4bKtop|+50688887777 acme.example from-1|+50622223333  |+50622223333 carrier.example|+50688887777|" +
		"Acme PBX    4.2|ab30317f1a784dc48ff824d0d3715d86|corr"
	if got != want {
		t.Errorf("got\n%s, want\n%s", got, want)
	}
	if s.Seen.Src != testMeta.From || s.Seen.Dst != testMeta.To || s.Seen.Observer.Agent != 7 || s.Seen.Observer.Addr != testMeta.Observer || !s.Seen.At.Equal(testMeta.At) {
		t.Errorf("seen: %+v", s.Seen)
	}
}

func TestSDP(t *testing.T) {
	s := signalOf(t, offer)
	if !s.HasSDP || len(s.Media) != 3 {
		t.Fatalf("SDP %t, %d media", s.HasSDP, len(s.Media))
	}
	var got []string
	for _, m := range s.Media {
		line := fmt.Sprintf("%d %s:%d rtcp %s mux %t enc %t dir %d ptime %d %v", m.Kind, m.Addr, m.Port, m.RTCP, m.Mux, m.Encrypted, m.Direction, m.PtimeMS, m.SSRCs)
		for _, c := range m.Codecs {
			line += fmt.Sprintf(" %d=%s/%d(%s)", c.PayloadType, c.Name, c.ClockHz, c.Fmtp)
		}
		got = append(got, line)
	}
	want := []string{
		"1 192.0.2.64:49170 rtcp 192.0.2.64:53020 mux false enc false dir 0 ptime 30 [314159 271828] 8=PCMA/8000() 9=G722/8000() " +
			"96=AMR-WB/16000(mode-set=7; octet-align=1) 101=telephone-event/8000() 13=CN/8000()",
		"2 2001:db8::5:51372 rtcp [2001:db8::6]:51373 mux true enc true dir 1 ptime 30 [] 97=H264/90000()",
		"3 192.0.2.64:0 rtcp invalid AddrPort mux false enc false dir 1 ptime 30 []",
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// response is one with all that the tracker looks at.
const response = "SIP/2.0 487 Request Terminated\nv: SIP/2.0/TCP [2001:db8::1]:5060;received=192.0.2.3;branch=z9hG4bKr\nf: sip:ana@[2001:db8::7]:5070;tag=a\n" +
	"t: Bob <sips:bob:secret@bob.example>;tag=b\ni: id\nCSEQ : 9  INVITE\nServer: SBC\nUser-Agent: other\n" +
	"Reason: SIP;cause=200;text=\"Call completed, elsewhere\", Q.850;cause=26\nl: 0\n\n"

func TestSIPResponse(t *testing.T) {
	for name, message := range map[string]string{"CRLF": crlf(response), "LF": response, "line ends before": "\r\n\r\n" + crlf(response)} {
		s := signalOf(t, message)
		got := fmt.Sprintf("%d %d %s %d %s|%s %s %s|%s %s %s|%s|%d %d|%s%s", s.Method, s.Status, s.CallID, s.CSeq, s.Branch, s.FromUser, s.FromHost, s.FromTag,
			s.ToUser, s.ToHost, s.ToTag, s.UserAgent, s.SIPCause, s.Q850Cause, s.RequestUser, s.RequestHost)
		if want := "1 487 id 9 z9hG4bKr|ana 2001:db8::7 a|bob bob.example b|SBC|200 26|"; got != want {
			t.Errorf("%s: got\n%s, want\n%s", name, got, want)
		}
	}
}

func TestSIPOdd(t *testing.T) {
	base := crlf("BYE sip:b@h SIP/2.0\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\nFrom: <sip:a@h>;tag=1\nTo: <sip:b@h>;tag=2\nCall-ID: c\nCSeq: 2 BYE\n\n")
	change := func(pairs ...string) string { return strings.NewReplacer(pairs...).Replace(base) }
	field := func(f func(*voice.Signal) any) func(*voice.Signal) any { return f }
	from := field(func(s *voice.Signal) any {
		return string(s.FromUser) + "@" + string(s.FromHost) + ";" + string(s.FromTag)
	})
	joint := field(func(s *voice.Signal) any { return string(s.Joint) })
	for name, c := range map[string]struct {
		message string
		of      func(*voice.Signal) any
		want    any
	}{
		"no display name, no brackets": {change("<sip:a@h>;tag=1", "sip:a@h;tag=1"), from, "a@h;1"},
		"host only":                    {change("<sip:a@h>;tag=1", "<sip:gw.example:5080>;tag=1"), from, "@gw.example;1"},
		"user parameters":              {change("sip:a@h", "sip:+1555;npdi;rn=+1444@h"), from, "+1555@h;1"},
		"uri headers":                  {change("sip:a@h", "sip:a@h?Subject=x"), from, "a@h;1"},
		"blank tag":                    {change(";tag=1", " ; x=y ; TAG = 1 "), from, "a@h;1"},
		"anonymous urn":                {change("sip:a@h", "urn:service:sos"), from, "@;1"},
		"bracket never closed":         {change("<sip:a@h>;tag=1", "<sip:a@h;tag=1"), from, "a@h;"},
		"control octets":               {change("sip:a@h", "sip:a\x1b[2J\x00%0d%0aX:@h"), from, "a?[2J???X@h;1"},
		"not UTF-8":                    {change("sip:a@h", "sip:\xff\xc3\xa1@h"), from, "?\u00e1@h;1"},
		"broken escape":                {change("sip:a@h", "sip:%zz%4@h"), from, "%zz%4@h;1"},
		"first of two From":            {change("To:", "From: <sip:z@h>;tag=9\r\nTo:"), from, "a@h;1"},
		"bare CR is no line end":       {change("<sip:a@h>", "<sip:a@h\rX: y>"), from, "a@h?X;1"},
		"session id pair":              {change("CSeq", "Session-ID: bb01;remote=aa02\r\nCSeq"), joint, "aa02bb01"},
		"session id of the other side": {change("CSeq", "Session-ID: 0000;remote=aa02\r\nCSeq"), joint, "aa02"},
		"charging vector":              {change("CSeq", "Session-ID: 0000\r\nP-Charging-Vector: icid-value=\"x;y\";a=b\r\nCSeq"), joint, "x;y"},
		"x-cid":                        {change("CSeq", "X-CID: other@leg\r\nCSeq"), joint, "other@leg"},
		"header cut off":               {base[:len(base)-2] + "X-CID: oth", joint, ""},
		"no branch":                    {change(";branch=z9hG4bK1", ""), field(func(s *voice.Signal) any { return string(s.Branch) }), ""},
		"method of another kind":       {change("BYE", "OPTIONS"), field(func(s *voice.Signal) any { return s.Method }), voice.MethodOther},
		"greatest CSeq":                {change("CSeq: 2", "CSeq: 4294967295"), field(func(s *voice.Signal) any { return s.CSeq }), uint32(4294967295)},
	} {
		s := signalOf(t, c.message)
		if got := c.of(&s); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestSIPRefused(t *testing.T) {
	base := crlf("BYE sip:b@h SIP/2.0\nFrom: <sip:a@h>;tag=1\nCall-ID: c\nCSeq: 2 BYE\n\n")
	change := func(pairs ...string) string { return strings.NewReplacer(pairs...).Replace(base) }
	for name, c := range map[string]struct {
		message string
		want    error
	}{
		"nothing":             {"", ErrNotSIP},
		"line ends":           {"\r\n\r\n", ErrNotSIP},
		"HTTP":                {"GET / HTTP/1.1\r\n\r\n", ErrNotSIP},
		"RTP":                 {"\x80\x00\x12\x34" + strings.Repeat("\x7f", 160), ErrNotSIP},
		"no line end":         {"BYE sip:b@h SIP/2.0", ErrNotSIP},
		"status 999":          {"SIP/2.0 999 x\r\n\r\n", ErrNotSIP},
		"status 20x":          {"SIP/2.0 20x x\r\n\r\n", ErrNotSIP},
		"odd method":          {change("BYE s", "B(E s"), ErrNotSIP},
		"no Call-ID":          {change("Call-ID", "X"), ErrNoCall},
		"empty Call-ID":       {change("Call-ID: c", "Call-ID:"), ErrNoCall},
		"endless Call-ID":     {change("Call-ID: c", "Call-ID: "+strings.Repeat("c", 1025)), ErrNoCall},
		"CSeq too big":        {change("CSeq: 2", "CSeq: 4294967296"), ErrNoCall},
		"CSeq of another":     {change("2 BYE", "2 INVITE"), ErrNoCall},
		"cut within CSeq":     {base[:strings.Index(base, "BYE\r\n\r\n")], ErrNoCall},
		"cut before the CSeq": {base[:strings.Index(base, "CSeq")], ErrNoCall},
	} {
		var k keeper
		if err := SIP(testMeta, []byte(c.message), &k); !errors.Is(err, c.want) || len(k.signals) > 0 {
			t.Errorf("%s: %v, want %v; %d signals", name, err, c.want, len(k.signals))
		}
	}
}

// TestSIPCut cuts an offer everywhere: it never fails otherwise than by saying so, and what it tells is the same as that of the whole message.
func TestSIPCut(t *testing.T) {
	whole := signalOf(t, offer)
	for n := range len(offer) {
		var k keeper
		if err := SIP(testMeta, []byte(offer[:n]), &k); err != nil {
			continue
		}
		s := k.signals[0]
		if string(s.CallID) != string(whole.CallID) || s.CSeq != whole.CSeq || string(s.FromUser) != string(whole.FromUser) && len(s.FromUser) > 0 {
			t.Fatalf("cut at %d: %s %d %s", n, s.CallID, s.CSeq, s.FromUser)
		}
		for i, m := range s.Media {
			if m.Port != whole.Media[i].Port || len(m.Codecs) != len(whole.Media[i].Codecs) {
				t.Fatalf("cut at %d: media line %d is %+v", n, i, m)
			}
		}
	}
}

func TestSDPForms(t *testing.T) {
	head := "INVITE sip:b@h SIP/2.0\nCall-ID: c\nCSeq: 1 INVITE\n"
	plain := "v=0\nc=IN IP4 sip.example\nm=audio 4000 RTP/AVP 0\n"
	mixed := "--frontier\nContent-Type: application/isup\n\n\x01\x10\n--frontier\nContent-Type: application/sdp;x=y\n\n" + plain + "--frontier--\n"
	for name, c := range map[string]struct {
		message string
		media   int
		has     bool
	}{
		"name as address":  {withBody(head+"Content-Type: application/sdp\n", plain), 1, true},
		"no Content-Type":  {withBody(head, plain), 1, true},
		"no length":        {crlf(head + "c: Application/SDP ; charset=x\n\n" + plain), 1, true},
		"last line alone":  {crlf(head + "c: application/sdp\n\n" + strings.TrimSuffix(plain, "\n")), 1, true},
		"multipart":        {withBody(head+"Content-Type: multipart/mixed; boundary=\"frontier\"\n", mixed), 1, true},
		"multipart cut":    {crlf(head + "Content-Type: multipart/mixed; boundary=\"frontier\"\n\n" + mixed[:70]), 0, false},
		"unreadable":       {withBody(head+"Content-Type: application/sdp\n", "what?\n"), 0, true},
		"other type":       {withBody(head+"Content-Type: text/plain\n", plain), 0, false},
		"too many media":   {withBody(head+"Content-Type: application/sdp\n", plain+strings.Repeat("m=audio 4000 RTP/AVP 0\n", 100)), maxMedia, true},
		"odd port":         {withBody(head+"Content-Type: application/sdp\n", "m=audio 99999 RTP/AVP 0 0 300 -1 x\n"), 1, true},
		"empty media line": {withBody(head+"Content-Type: application/sdp\n", "m=\nm=audio\n"), 2, true},
	} {
		s := signalOf(t, c.message)
		if s.HasSDP != c.has || len(s.Media) != c.media {
			t.Errorf("%s: SDP %t with %d media, want %t and %d", name, s.HasSDP, len(s.Media), c.has, c.media)
		}
	}
}

func TestFrame(t *testing.T) {
	one := "\r\n\r\n" + offer
	two := one + crlf(response)
	if m, n, err := Frame([]byte(two)); err != nil || n != len(one) || string(m) != offer {
		t.Errorf("%d octets, %v, want %d", n, err, len(one))
	}
	for n := range len(one) {
		if m, used, err := Frame([]byte(one[:n])); m != nil || err != nil || used > 4 {
			t.Fatalf("at %d: message of %d, used %d, %v", n, len(m), used, err)
		}
	}
	for message, want := range map[string]error{
		"BYE sip:b@h SIP/2.0\r\nCall-ID: c\r\n\r\n":                           ErrNoFrame,
		"BYE sip:b@h SIP/2.0\r\nContent-Length: 99999\r\n\r\n":                ErrTooLong,
		"BYE sip:b@h SIP/2.0\r\n" + strings.Repeat("X: y\r\n", 12000):         ErrTooLong,
		"BYE sip:b@h SIP/2.0\r\nContent-Length: 18446744073709551617\r\n\r\n": ErrNoFrame,
		"\x16\x03\x01\x02":         ErrNotSIP,
		strings.Repeat("A", 5000):  ErrNotSIP,
		"SSH-2.0-OpenSSH_9.2\r\n":  ErrNotSIP,
		"POST /hep HTTP/1.1\r\n\r": ErrNotSIP,
	} {
		if _, _, err := Frame([]byte(message)); !errors.Is(err, want) {
			t.Errorf("%.40q: %v, want %v", message, err, want)
		}
	}
}

func TestLooksLikeSIP(t *testing.T) {
	for text, want := range map[string]bool{
		offer: true, crlf(response): true, "\r\n" + offer: true, "REGISTER sip:x SIP/2.0\r\n": true, "": false, "HEP3\x00\x10": false,
		"GET / HTTP/1.1\r\n": false, "\x80\xc8\x00\x06": false, strings.Repeat("A", 70000): false, " sip/2.0": false,
	} {
		if got := LooksLikeSIP([]byte(text)); got != want {
			t.Errorf("%.30q: %t", text, got)
		}
	}
}

func TestSplitHead(t *testing.T) {
	for text, want := range map[string]string{
		"a\r\n\r\nb": "a\r\n|b|true", "a\n\nb": "a\n|b|true", "a\n\nb\r\n\r\nc": "a\n|b\r\n\r\nc|true", "a\r\n\nb": "a\r\n|b|true", "a\n\r\nb\n\nc": "a\n|b\n\nc|true",
		"\r\nb": "|b|true", "\nb": "|b|true", "": "||false", "a": "||false", "a\r\nb": "a\r\n||false", "a\r\nb\r\n": "a\r\nb\r\n||false", "a\r\n\r\n": "a\r\n||true", "a\n\r": "a\n||false",
	} {
		head, body, whole := splitHead([]byte(text))
		if got := fmt.Sprintf("%s|%s|%t", head, body, whole); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func FuzzSIP(f *testing.F) {
	for _, m := range []string{offer, crlf(response), response, polycom, "", "SIP/2.0 200 \r\n"} {
		f.Add([]byte(m))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var k keeper
		if err := SIP(testMeta, data, &k); err != nil {
			if len(k.signals)+len(k.qualities) > 0 {
				t.Error("both an error and a fact")
			}
			return
		}
		for _, s := range k.signals {
			for _, text := range [][]byte{s.CallID, s.Branch, s.FromTag, s.ToTag, s.FromUser, s.FromHost, s.ToUser, s.ToHost, s.RequestUser, s.RequestHost, s.AssertedUser, s.UserAgent, s.Joint} {
				if !utf8.Valid(text) || strings.ContainsAny(string(text), "\r\n\x00\x1b") || len(text) > maxID {
					t.Errorf("text is not tidy: %q", text)
				}
			}
			if len(s.CallID) == 0 || len(s.Media) > maxMedia || s.Status != 0 && (s.Status < 100 || s.Status > 699) {
				t.Errorf("%+v", s)
			}
		}
	})
}

func FuzzFrame(f *testing.F) {
	f.Add([]byte(offer + crlf(response)))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, n, err := Frame(data)
		if n < 0 || n > len(data) || len(m) > n || err != nil && m != nil {
			t.Errorf("message of %d, used %d of %d, %v", len(m), n, len(data), err)
		}
	})
}

func FuzzSDP(f *testing.F) {
	_, body, _ := strings.Cut(offer, "\r\n\r\n")
	f.Add([]byte(body))
	f.Fuzz(func(t *testing.T, data []byte) {
		d := borrow()
		defer pool.Put(d)
		for _, m := range d.sdp.read(&d.text, data) {
			if len(m.Codecs) > maxCodecs || len(m.SSRCs) > maxSSRCs || m.RTCP.Addr().Zone() != "" {
				t.Errorf("%+v", m)
			}
		}
	})
}

func BenchmarkSIP(b *testing.B) {
	for name, message := range map[string]string{"invite": offer, "response": crlf(response)} {
		b.Run(name, func(b *testing.B) {
			data := []byte(message)
			b.ReportAllocs()
			for b.Loop() {
				if err := SIP(testMeta, data, nobody{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkSIPGo is the same messages through sipgo's parser, which does not look at the session description.
func BenchmarkSIPGo(b *testing.B) {
	for name, message := range map[string]string{"invite": offer, "response": strings.Replace(crlf(response), "CSEQ :", "CSeq:", 1)} {
		b.Run(name, func(b *testing.B) {
			data, parser := []byte(message), sip.NewParser()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := parser.ParseSIP(data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
