package vqrtcpxr

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"vigia/collectors/intake"
	"vigia/collectors/voice"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// keeper keeps what it is handed.
type keeper struct {
	mu    sync.Mutex
	calls []string
	seen  []voice.Seen
	panic bool
}

func (k *keeper) Report(*voice.Report) {}
func (k *keeper) Signal(*voice.Signal) {}
func (k *keeper) Quality(q *voice.Quality) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.panic {
		panic("the sink fails")
	}
	k.calls = append(k.calls, fmt.Sprintf("%s %.1f %s", q.CallID, q.Local.MOSLQ, q.UserAgent))
	k.seen = append(k.seen, q.Seen)
}

func (k *keeper) got() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return append([]string(nil), k.calls...)
}

// start runs a listener that allows some networks.
func start(t *testing.T, k *keeper, allow ...string) *Listener {
	t.Helper()
	cfg := Config{Listen: "127.0.0.1:0"}
	for _, a := range allow {
		cfg.Allow = append(cfg.Allow, netip.MustParsePrefix(a))
	}
	l, err := New(cfg, k, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return l
}

const report = "VQSessionReport: CallTerm\r\nCallID: the-call@pbx\r\nLocalMetrics:\r\nPacketLoss:NLR=1 JDR=0\r\nQualityEst:MOSLQ=4.1\r\n"

// request composes one; replace changes its text afterwards, the length stays right.
func requestText(transport string, port uint16, body string, replace ...string) string {
	text := fmt.Sprintf("PUBLISH sip:collector@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/%s 127.0.0.1:%d;branch=z9hG4bK1;rport\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK0\r\n"+
		"From: <sip:201@pbx>;tag=1\r\nTo: <sip:collector@127.0.0.1>\r\nCall-ID: publish-1\r\nCSeq: 7 PUBLISH\r\nEvent: vq-rtcpxr\r\nExpires: 7200\r\nUser-Agent: Phone\r\n"+
		"Content-Type: application/vq-rtcpxr\r\nContent-Length: %d\r\n\r\n%s", transport, port, len(body), body)
	return strings.NewReplacer(replace...).Replace(text)
}

// phone is a UDP socket.
func phone(t *testing.T, l *Listener) (*net.UDPConn, uint16) {
	t.Helper()
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(l.Addr()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c, c.LocalAddr().(*net.UDPAddr).AddrPort().Port()
}

func exchange(t *testing.T, c *net.UDPConn, text string) string {
	t.Helper()
	if _, err := c.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	buffer := make([]byte, 65536)
	n, err := c.Read(buffer)
	if err != nil {
		t.Fatalf("no answer: %v", err)
	}
	return string(buffer[:n])
}

// await waits until a counter has a value.
func await(t *testing.T, l *Listener, r Reason, want uint64) {
	t.Helper()
	for until := time.Now().Add(10 * time.Second); l.Stats().By[r] != want; {
		if time.Now().After(until) {
			t.Fatalf("%s is %d, want %d; all: %v", r, l.Stats().By[r], want, l.Stats().By)
		}
		time.Sleep(time.Millisecond)
	}
}

func TestPublishUDP(t *testing.T) {
	k := &keeper{}
	l := start(t, k, "127.0.0.0/8")
	c, port := phone(t, l)
	text := requestText("UDP", port, report)
	first := exchange(t, c, text)
	for _, want := range []string{
		"SIP/2.0 200 OK\r\n", fmt.Sprintf("\r\nVia: SIP/2.0/UDP 127.0.0.1:%d;branch=z9hG4bK1;rport=%d;received=127.0.0.1\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK0\r\n", port, port),
		"\r\nFrom: <sip:201@pbx>;tag=1\r\n", "\r\nTo: <sip:collector@127.0.0.1>;tag=", "\r\nCall-ID: publish-1\r\n", "\r\nCSeq: 7 PUBLISH\r\n", "\r\nSIP-ETag: ", "\r\nExpires: 3600\r\n",
		"\r\nContent-Length: 0\r\n\r\n",
	} {
		if !strings.Contains(first, want) {
			t.Errorf("the answer lacks %q:\n%s", want, first)
		}
	}
	if second := exchange(t, c, text); second != first {
		t.Errorf("another answer to the same request:\n%s\nnot\n%s", second, first)
	}
	if got := fmt.Sprint(k.got()); got != "[the-call@pbx 4.1 Phone]" {
		t.Errorf("got %s, want the report once", got)
	}
	if by := l.Stats().By; by[Taken] != 1 || by[Repeated] != 1 || len(by) != 2 {
		t.Errorf("counted %v", by)
	}
	if s := k.seen[0]; s.Observer.Via != voice.ViaPublish || s.Observer.Addr.String() != "127.0.0.1" || s.Src.Port() != port || s.Dst != l.Addr() || s.At.IsZero() {
		t.Errorf("seen %+v", s)
	}
}

func TestAnswers(t *testing.T) {
	k := &keeper{}
	l := start(t, k, "127.0.0.0/8")
	c, port := phone(t, l)
	for i, test := range []struct {
		name    string
		replace []string
		want    []string
		reason  Reason
	}{
		{"wrong event", []string{"Event: vq-rtcpxr", "Event: presence"}, []string{"SIP/2.0 489 ", "\r\nAllow-Events: vq-rtcpxr\r\n"}, WrongEvent},
		{"no event", []string{"Event:", "X:"}, []string{"SIP/2.0 489 "}, WrongEvent},
		{"event with parameters", []string{"Event: vq-rtcpxr", "o: VQ-RTCPXR ; id=1"}, []string{"SIP/2.0 200 "}, Taken},
		{"wrong type", []string{"application/vq-rtcpxr", "text/plain"}, []string{"SIP/2.0 415 ", "\r\nAccept: application/vq-rtcpxr\r\n"}, WrongType},
		{"wrong method", []string{"PUBLISH", "REGISTER"}, []string{"SIP/2.0 405 ", "\r\nAllow: PUBLISH, NOTIFY, MESSAGE\r\n"}, WrongMethod},
		{"notify", []string{"PUBLISH", "NOTIFY"}, []string{"SIP/2.0 200 "}, Taken},
		{"message without event", []string{"PUBLISH", "MESSAGE", "Event:", "X:"}, []string{"SIP/2.0 200 "}, Taken},
		{"unreadable", []string{"VQSession", "VQWhatever"}, []string{"SIP/2.0 400 "}, Unreadable},
		{"cut off", []string{"MOSLQ=4.1\r\n", ""}, []string{"SIP/2.0 400 "}, Unreadable},
		{"a To with a tag", []string{"To: <sip:collector@127.0.0.1>", "To: <sip:collector@127.0.0.1>;tag=mine"}, []string{"\r\nTo: <sip:collector@127.0.0.1>;tag=mine\r\n"}, Taken},
		{"short Expires", []string{"Expires: 7200", "Expires: 60"}, []string{"\r\nExpires: 60\r\n"}, Taken},
		{"compact names", []string{"Via:", "v:", "From:", "f:", "To:", "t:", "Call-ID:", "i:", "Content-Type:", "c:", "Content-Length:", "l:"}, []string{"SIP/2.0 200 "}, Taken},
	} {
		before := l.Stats().By[test.reason]
		text := requestText("UDP", port, report, append([]string{"publish-1", fmt.Sprint("publish-", i)}, test.replace...)...)
		got := exchange(t, c, text)
		for _, want := range test.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s: the answer lacks %q:\n%s", test.name, want, got)
			}
		}
		if n := l.Stats().By[test.reason] - before; n != 1 {
			t.Errorf("%s: counted %d times as %s: %v", test.name, n, test.reason, l.Stats().By)
		}
	}
	if got := exchange(t, c, requestText("UDP", port, "", "publish-1", "refresh")); !strings.HasPrefix(got, "SIP/2.0 200 ") || l.Stats().By[Refreshed] != 1 {
		t.Errorf("refresh: %s", got)
	}
}

// TestSilence: what gets no answer. A request that does is sent afterwards on the same socket, so the silence is proven without waiting.
func TestSilence(t *testing.T) {
	k := &keeper{}
	l := start(t, k, "127.0.0.0/8")
	c, port := phone(t, l)
	base := requestText("UDP", port, report)
	cut := func(line string) string { return strings.Replace(base, line, "X-", 1) }
	for text, want := range map[string]Reason{
		"hello":    NotSIP,
		"\r\n\r\n": KeepAlive,
		"SIP/2.0 200 OK\r\nCall-ID: x\r\nCSeq: 1 PUBLISH\r\n\r\n": Response,
		strings.ReplaceAll(base, "PUBLISH", "ACK"):                Response,
		cut("From"):                           Malformed,
		cut("To"):                             Malformed,
		cut("Call-ID"):                        Malformed,
		cut("CSeq"):                           Malformed,
		strings.ReplaceAll(base, "Via", "Vi"): Malformed,
		strings.Replace(base, "CSeq:", "CSeq: 1 PUBLISH\r\nCSeq:", 1):             Malformed,
		strings.Replace(base, "<sip:201@pbx>", "<sip:201@pbx>\rX-Evil: 1", 1):     Malformed,
		strings.Replace(base, "z9hG4bK1", "z9hG4bK1\r\n folded", 1):               Malformed,
		strings.Replace(base, "Call-ID: publish-1", "Call-ID: \x00publish", 1):    Malformed,
		strings.Replace(base, "Via:", strings.Repeat("Via: x\r\n", 40)+"Via:", 1): Malformed,
	} {
		before := l.Stats().By[want]
		if _, err := c.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		await(t, l, want, before+1)
	}
	if got := exchange(t, c, strings.Replace(base, "publish-1", "the-first-answer", 1)); !strings.Contains(got, "Call-ID: the-first-answer\r\n") {
		t.Errorf("something else was answered:\n%s", got)
	}
}

// TestStranger: not one octet goes to an address that is not allowed, over UDP or TCP.
func TestStranger(t *testing.T) {
	k := &keeper{}
	l := start(t, k, "192.0.2.0/24", "2001:db8::/32")
	c, port := phone(t, l)
	if _, err := c.Write([]byte(requestText("UDP", port, report))); err != nil {
		t.Fatal(err)
	}
	await(t, l, NotAllowed, 1)
	tcp, err := net.Dial("tcp", l.Addr().String())
	await(t, l, NotAllowed, 2)
	if err == nil { // else it was reset before Dial was back
		defer tcp.Close()
		_ = tcp.SetReadDeadline(time.Now().Add(10 * time.Second))
		if n, err := tcp.Read(make([]byte, 1)); n != 0 || err == nil {
			t.Errorf("TCP gave %d octets, %v", n, err)
		}
	}
	// The socket's queue is looked at after the packet was counted as dropped, so an answer would be there by now.
	_ = c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if n, err := c.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Errorf("UDP gave %d octets, %v", n, err)
	}
	if got := k.got(); len(got) != 0 {
		t.Errorf("a stranger's report was taken: %v", got)
	}
}

func TestPublishTCP(t *testing.T) {
	k := &keeper{}
	l := start(t, k, "127.0.0.0/8")
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	text := "\r\n\r\n" + requestText("TCP", 5060, report) + requestText("TCP", 5060, report, "publish-1", "publish-2", "the-call", "not-this")
	for i := 0; i < len(text); i += 100 { // in pieces
		if _, err := c.Write([]byte(text[i:min(i+100, len(text))])); err != nil {
			t.Fatal(err)
		}
	}
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	r := bufio.NewReader(c)
	var got []string
	for len(got) < 2 {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(line, "Call-ID: ") {
			got = append(got, strings.TrimSpace(line))
		}
	}
	if fmt.Sprint(got, k.got()) != "[Call-ID: publish-1 Call-ID: publish-2] [the-call@pbx 4.1 Phone not-this@pbx 4.1 Phone]" {
		t.Errorf("answers %v, reports %v", got, k.got())
	}
	if n := l.Stats().Connections; n != 1 {
		t.Errorf("%d connections", n)
	}
	if _, err := c.Write([]byte("\x16\x03\x01 what?\n")); err != nil {
		t.Fatal(err)
	}
	if _, err := r.ReadString(0); !strings.Contains(fmt.Sprint(err), "EOF") && !strings.Contains(fmt.Sprint(err), "reset") {
		t.Errorf("a stream that is not SIP stays open: %v", err)
	}
}

func TestPanicIsCounted(t *testing.T) {
	k := &keeper{panic: true}
	l := start(t, k, "127.0.0.0/8")
	c, port := phone(t, l)
	if _, err := c.Write([]byte(requestText("UDP", port, report))); err != nil {
		t.Fatal(err)
	}
	await(t, l, Panicked, 1)
	if got := exchange(t, c, requestText("UDP", port, report, "PUBLISH", "OPTIONS")); !strings.HasPrefix(got, "SIP/2.0 405 ") {
		t.Errorf("it does not go on: %s", got)
	}
}

func TestPort(t *testing.T) {
	from := netip.MustParseAddrPort("192.0.2.1:40000")
	for via, want := range map[string]uint16{
		"SIP/2.0/UDP 10.0.0.1:5062;branch=x;rport": 40000, "SIP/2.0/UDP 10.0.0.1:5062;branch=x": 5062, "SIP/2.0/UDP 10.0.0.1;branch=x": 5060,
		"SIP/2.0/UDP [2001:db8::1]:5064;branch=x": 5064, "SIP/2.0/UDP [2001:db8::1];branch=x": 5060, "SIP/2.0/UDP h:99999": 5060, "x": 5060, "SIP/2.0/UDP h:0, SIP/2.0/UDP g;rport": 5060,
	} {
		r := request{vias: [][]byte{[]byte(via)}}
		if got := r.port(from); got != want {
			t.Errorf("%s: %d, want %d", via, got, want)
		}
	}
}

func TestMemory(t *testing.T) {
	m, now := newMemory(), time.Unix(1000, 0)
	for _, step := range []struct {
		after time.Duration
		hash  uint64
		want  bool
	}{{0, 1, false}, {time.Second, 1, true}, {31 * time.Second, 1, true}, {20 * time.Second, 2, false}, {15 * time.Second, 2, true}, {time.Hour, 2, false}} {
		now = now.Add(step.after)
		if got := m.repeated(step.hash, now); got != step.want {
			t.Errorf("at %s, %d: %t", now.UTC().Format(time.TimeOnly), step.hash, got)
		}
	}
	for i := range uint64(5 * maxRemembered) {
		m.repeated(i+10, now)
	}
	if n := len(m.new) + len(m.old); n > 2*maxRemembered {
		t.Errorf("%d remembered", n)
	}
	from := netip.MustParseAddr("192.0.2.1")
	for i := range perSource + 1 {
		if got := m.tooMany(from, now); got != (i == perSource) {
			t.Fatalf("request %d: %t", i, got)
		}
	}
	if m.tooMany(netip.MustParseAddr("192.0.2.2"), now) || m.tooMany(from, now.Add(time.Second)) {
		t.Error("another source, or the next second, is refused")
	}
}

func TestNewRefuses(t *testing.T) {
	k := &keeper{}
	l := start(t, k, "127.0.0.0/8")
	for text, cfg := range map[string]Config{
		"allow":                   {Listen: "127.0.0.1:0"},
		"voice.vqrtcpxr.listen":   {Listen: l.Addr().String(), Allow: l.cfg.Allow},
		"address not-an-address:": {Listen: "not-an-address:", Allow: l.cfg.Allow},
	} {
		if _, err := New(cfg, k, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%v, want %q in it", err, text)
		}
	}
}

// FuzzPacket: no octets make the listener panic, and an answer repeats nothing that could be taken for a header of its own.
func FuzzPacket(f *testing.F) {
	f.Add([]byte(requestText("UDP", 5060, report)))
	f.Add([]byte("NOTIFY sip:x SIP/2.0\r\nv: a\r\nf: b\r\nt: c\r\ni: d\r\nCSeq: 1 NOTIFY\r\n\r\n"))
	f.Add([]byte(strings.Replace(requestText("UDP", 5060, report), "Via: ", "Via:\xa0\xa0", 1))) // no UTF-8 before the mark
	from := netip.MustParseAddrPort("192.0.2.1:5060")
	udp, err := intake.OpenUDP(f.Context(), "127.0.0.1:0", 0)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(udp.Close)
	f.Fuzz(func(t *testing.T, data []byte) {
		l := Listener{cfg: Config{Allow: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}, sink: &keeper{}, logger: slog.New(slog.DiscardHandler), memory: newMemory()}
		l.udp = udp
		reply, _ := l.packet(data, from, nil, time.Unix(1, 0))
		if l.count[Panicked].Load() > 0 {
			t.Fatal("panic")
		}
		for line := range bytes.SplitSeq(reply, []byte("\r\n")) {
			if bytes.ContainsAny(line, "\r\n\x00") {
				t.Errorf("line %q", line)
			}
		}
	})
}
