package sip

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"vigia/collectors"
	"vigia/collectors/collectorstest"
	"vigia/collectors/reach"
	"vigia/collectors/reach/reachtest"
)

// config makes a configuration for an address with the kind's defaults.
func config(address string, change ...func(*Config)) *Config {
	c := Kind().New().(*Config)
	host, port, _ := net.SplitHostPort(address)
	c.Host = host
	c.Port, _ = strconv.Atoi(port)
	for _, f := range change {
		f(c)
	}
	return c
}

func over(transport string) func(*Config) { return func(c *Config) { c.Transport = transport } }

func probe(t testing.TB, c *Config, timeout time.Duration) collectors.Result {
	t.Helper()
	collector := open(t, c, timeout)
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	return collector.Probe(ctx)
}

func open(t testing.TB, c *Config, timeout time.Duration) collectors.Collector {
	t.Helper()
	for _, p := range c.Validate() {
		t.Fatalf("%s: %s (%s)", p.Key, p.Message, p.Hint)
	}
	collector, err := c.Open(collectors.Setup{Every: time.Minute, Timeout: timeout})
	if err != nil {
		t.Fatal(err)
	}
	return collector
}

func why(r collectors.Result) string { return Kind().Words.Say(collectors.English, r.Why) }

func steps(r collectors.Result) string {
	var all []string
	for _, s := range r.Steps {
		all = append(all, Kind().Words.Say(collectors.English, s))
	}
	return strings.Join(all, "\n")
}

func value(r collectors.Result, m collectors.Metric) (float64, bool) {
	for _, v := range r.Values {
		if v.Metric == m {
			return v.Value, true
		}
	}
	return 0, false
}

// reply writes a response to a request as a peer does (RFC 3261 §8.2.6); change replaces pairs of strings in it.
func reply(request []byte, status string, change ...string) []byte {
	lines := []string{"SIP/2.0 " + status}
	for line := range strings.SplitSeq(string(request), "\r\n") {
		switch name, _, _ := strings.Cut(line, ":"); name {
		case "Via", "From", "Call-ID", "CSeq":
			lines = append(lines, line)
		case "To":
			lines = append(lines, line+";tag=peer")
		}
	}
	text := strings.Join(append(lines, "Allow: INVITE, OPTIONS", "Content-Length: 0"), "\r\n") + "\r\n\r\n"
	return []byte(strings.NewReplacer(change...).Replace(text))
}

// peer answers each datagram with what handle returns, in order; n counts the requests from 1.
func peer(t testing.TB, address string, handle func(request []byte, n int) [][]byte) string {
	t.Helper()
	conn, err := net.ListenPacket("udp", address)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { conn.Close(); <-done })
	go func() {
		defer close(done)
		buf := make([]byte, 65536)
		for n := 1; ; n++ {
			size, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			for _, packet := range handle(buf[:size], n) {
				conn.WriteTo(packet, from)
			}
		}
	}()
	return conn.LocalAddr().String()
}

// always answers every request with one status.
func always(status string, change ...string) func([]byte, int) [][]byte {
	return func(request []byte, _ int) [][]byte { return [][]byte{reply(request, status, change...)} }
}

// streamPeer answers requests on a stream: handle gets each and writes what it wants. secure may be nil.
func streamPeer(t testing.TB, secure *tls.Config, handle func(request []byte, c net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if secure != nil {
				c = tls.Server(c, secure)
			}
			go serveStream(c, handle)
		}
	}()
	return l.Addr().String()
}

func serveStream(c net.Conn, handle func([]byte, net.Conn)) {
	defer c.Close()
	buf := make([]byte, 65536)
	n, err := c.Read(buf)
	if err != nil {
		return
	}
	handle(buf[:n], c)
	io.Copy(io.Discard, c)
}

func TestSuiteUDP(t *testing.T) {
	collectorstest.Run(t, collectorstest.Suite{
		Kind:    Kind(),
		Healthy: func(t *testing.T) collectors.CheckConfig { return config(peer(t, "127.0.0.1:0", always("200 OK"))) },
		Silent: func(t *testing.T) collectors.CheckConfig {
			return config(peer(t, "127.0.0.1:0", func([]byte, int) [][]byte { return nil }))
		},
		Garbage: func(t *testing.T, answer []byte) collectors.CheckConfig {
			return config(peer(t, "127.0.0.1:0", func([]byte, int) [][]byte { return [][]byte{answer} }))
		},
		Answers:  torture(),
		Deadline: 120 * time.Millisecond,
	})
}

func TestSuiteTCP(t *testing.T) {
	collectorstest.Run(t, collectorstest.Suite{
		Kind: Kind(),
		Healthy: func(t *testing.T) collectors.CheckConfig {
			return config(streamPeer(t, nil, func(request []byte, c net.Conn) { c.Write(reply(request, "200 OK")) }), over("tcp"))
		},
		Silent: func(t *testing.T) collectors.CheckConfig {
			return config(streamPeer(t, nil, func([]byte, net.Conn) {}), over("tcp"))
		},
		Garbage: func(t *testing.T, answer []byte) collectors.CheckConfig {
			return config(streamPeer(t, nil, func(_ []byte, c net.Conn) { c.Write(answer) }), over("tcp"))
		},
		Answers:  torture(),
		Deadline: 120 * time.Millisecond,
	})
}

func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		name   string
		handle func([]byte, int) [][]byte
		expect reach.Codes
		want   string
		up     bool
	}{
		{"200", always("200 OK"), nil, "200 OK in ", true},
		{"204 no phrase", always("204 "), nil, "204 in ", true},
		{"404 is alive", always("404 Not Found"), nil, "404 Not Found in ", true},
		{"503 is alive", always("503 Service Unavailable"), nil, "answers, so it is alive", true},
		{"503 is any", always("503 Service Unavailable"), reach.Codes{"any"}, "answers, so it is alive", true},
		{"503 unwanted", always("503 Service Unavailable"), reach.Codes{"2xx"}, "503 Service Unavailable in ", false},
		{"404 wanted", always("404 Not Found"), reach.Codes{"2xx", "404"}, "404 Not Found in ", true},
		{"100 then 200", func(r []byte, _ int) [][]byte { return [][]byte{reply(r, "100 Trying"), reply(r, "200 OK")} }, nil, "200 OK in ", true},
		{"100 only", always("100 Trying"), nil, "100 Trying, but no final answer within 0.70 s", false},
		{"silence", func([]byte, int) [][]byte { return nil }, nil, "within 0.70 s (sent 2 times)", false},
		{"garbage only", func([]byte, int) [][]byte { return [][]byte{[]byte("HTTP/1.1 400 Bad Request\r\n\r\n")} }, nil, "answer is not SIP: ", false},
		{"garbage first", func(r []byte, _ int) [][]byte { return [][]byte{{0, 1, 2}, reply(r, "200 OK")} }, nil, "200 OK in ", true},
		{"wrong branch", always("200 OK", "branch=z9hG4bK", "branch=z9hG4bKother"), nil, "sends SIP, but no answer to our OPTIONS", false},
		{"wrong Call-ID", always("200 OK", "Call-ID: ", "Call-ID: x"), nil, "sends SIP, but no answer", false},
		{"wrong CSeq", always("200 OK", " OPTIONS", " INVITE", "INVITE, INVITE", "x"), nil, "sends SIP, but no answer", false},
		{"wrong number", always("200 OK", "CSeq: ", "CSeq: 9"), nil, "sends SIP, but no answer", false},
		{"two Vias", always("200 OK", "From:", "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx\r\nFrom:"), nil, "sends SIP, but no answer", false},
		{"a request", func([]byte, int) [][]byte { return [][]byte{aRequest()} }, nil, "sends SIP, but no answer", false},
		{"other first", func(r []byte, _ int) [][]byte {
			return [][]byte{aRequest(), reply(r, "200 OK", "Call-ID: ", "Call-ID: x"), reply(r, "486 Busy Here")}
		}, nil, "486 Busy Here in ", true},
		{"compact", always("200 OK", "Via:", "v:", "Call-ID:", "i:", "Content-Length:", "l:", "From:", "f:", "To:", "t:"), nil, "200 OK in ", true},
		{"broken Contact", always("200 OK", "Allow:", "Contact: <<<>;;=,\r\nAllow:"), nil, "200 OK in ", true},
		{"folded", always("200 OK", "Call-ID: ", "Call-ID:\r\n  "), nil, "200 OK in ", true},
		{"no length", always("200 OK", "Content-Length: 0\r\n", ""), nil, "200 OK in ", true},
		{"short body", always("200 OK", "Content-Length: 0", "Content-Length: 5"), nil, "answer is not SIP: the body is shorter", false},
		{"SIP/3.0", always("200 OK", "SIP/2.0 200", "SIP/3.0 200"), nil, "answer is not SIP: the version", false},
		{"status 999", always("999 Much", "x", "x"), nil, "answer is not SIP: the status", false},
		{"hostile phrase", always("200 \x1b[31m<script>\x00"), nil, "200 [31m<script> in ", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := probe(t, config(peer(t, "127.0.0.1:0", c.handle), func(k *Config) { k.Expect = c.expect }), 700*time.Millisecond)
			if got := why(r); !strings.Contains(got, c.want) {
				t.Errorf("why: %q, want %q", got, c.want)
			}
			if up, ok := value(r, collectors.Up); !ok || (up == 1) != c.up || r.OK != c.up {
				t.Errorf("up %v, OK %v, want %v; steps:\n%s", up, r.OK, c.up, steps(r))
			}
			_, latency := value(r, collectors.LatencyMS)
			_, code := value(r, collectors.StatusCode)
			if final := c.up || c.name == "503 unwanted"; latency != final || code != final {
				t.Errorf("latency is there: %v, code: %v", latency, code)
			}
		})
	}
}

func aRequest() []byte {
	return []byte("NOTIFY sip:vigia@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKy\r\nCall-ID: y\r\nCSeq: 1 NOTIFY\r\nContent-Length: 0\r\n\r\n")
}

// TestRetransmission drops the first request: the second is answered, and the time is counted from the first.
func TestRetransmission(t *testing.T) {
	requests := make(chan string, 16)
	address := peer(t, "127.0.0.1:0", func(request []byte, n int) [][]byte {
		requests <- string(request)
		if n == 1 {
			return nil
		}
		return [][]byte{reply(request, "200 OK")}
	})
	r := probe(t, config(address), 5*time.Second)
	latency, _ := value(r, collectors.LatencyMS)
	if !r.OK || latency < 500 || latency > 2000 || !strings.Contains(steps(r), "answered after 2 transmissions") {
		t.Errorf("why: %s, latency %v ms, steps:\n%s", why(r), latency, steps(r))
	}
	if first, second := <-requests, <-requests; first != second {
		t.Errorf("a retransmission differs:\n%s\n%s", first, second)
	}
}

// TestTimerE counts the transmissions: at 0, 0.5, 1.5 s; after a provisional answer the next one waits T2.
func TestTimerE(t *testing.T) {
	for _, c := range []struct {
		handle func([]byte, int) [][]byte
		want   int64
	}{
		{func([]byte, int) [][]byte { return nil }, 3},
		{always("100 Trying"), 2},
	} {
		var sent atomic.Int64
		address := peer(t, "127.0.0.1:0", func(request []byte, n int) [][]byte {
			sent.Store(int64(n))
			return c.handle(request, n)
		})
		probe(t, config(address), 2200*time.Millisecond)
		if sent.Load() != c.want {
			t.Errorf("sent %d times in 2.2 s, want %d", sent.Load(), c.want)
		}
	}
}

func TestRefused(t *testing.T) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	for _, transport := range []string{"udp", "tcp"} {
		start := time.Now()
		r := probe(t, config(conn.LocalAddr().String(), over(transport)), 5*time.Second)
		if r.OK || !strings.HasPrefix(why(r), "connection refused by 127.0.0.1:") {
			t.Errorf("%s: %s", transport, why(r))
		}
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("%s: took %v to be refused", transport, took)
		}
	}
}

// TestNextAddress: the first address refuses by ICMP, the second answers.
func TestNextAddress(t *testing.T) {
	address := peer(t, "127.0.0.2:0", always("200 OK"))
	_, port, _ := net.SplitHostPort(address)
	r := probe(t, config("sbc.example:"+port, func(c *Config) {
		c.Family = reach.IPv4
		c.resolver = reachtest.Resolver(t, map[string][]string{"sbc.example.": {"127.0.0.1", "127.0.0.2"}})
	}), 5*time.Second)
	if !r.OK || !strings.Contains(steps(r), "connection refused by 127.0.0.1:"+port) || !strings.Contains(steps(r), "sent to 127.0.0.2:"+port) {
		t.Errorf("why: %s; steps:\n%s", why(r), steps(r))
	}
}

func TestIPv6(t *testing.T) {
	seen := make(chan string, 1)
	r := probe(t, config(peer(t, "[::1]:0", func(request []byte, _ int) [][]byte {
		seen <- string(request)
		return [][]byte{reply(request, "200 OK")}
	})), 5*time.Second)
	request := <-seen
	if !r.OK || !strings.Contains(request, "OPTIONS sip:[::1]:") || !strings.Contains(request, "From: <sip:vigia@[::1]>;tag=") || !strings.Contains(request, "Via: SIP/2.0/UDP [::1]:") {
		t.Errorf("why: %s; request:\n%s", why(r), request)
	}
}

func TestRequest(t *testing.T) {
	c := config("192.0.2.5:5080", func(c *Config) { c.User, c.Domain, c.From, c.MaxForwards = "ping", "carrier.example", "noc", 0 })
	local := &net.UDPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 40000}
	a, b := c.newRequest(local), c.newRequest(local)
	text := string(a.bytes)
	for _, want := range []string{
		"OPTIONS sip:ping@carrier.example SIP/2.0\r\n", "Via: SIP/2.0/UDP 192.0.2.1:40000;branch=z9hG4bK", ";rport\r\n", "Max-Forwards: 0\r\n",
		"From: <sip:noc@carrier.example>;tag=", "To: <sip:ping@carrier.example>\r\n", "Contact: <sip:noc@192.0.2.1:40000>\r\n",
		fmt.Sprintf("CSeq: %d OPTIONS\r\n", a.cseq), "Accept: application/sdp\r\n", "Content-Length: 0\r\n\r\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("lacks %q:\n%s", want, text)
		}
	}
	if a.branch == b.branch || a.callID == b.callID || len(a.bytes) > 1300 {
		t.Errorf("two requests are alike, or too long (%d octets)", len(a.bytes))
	}
	for uri, c := range map[string]*Config{
		"sip:192.0.2.5":                    config("192.0.2.5:", func(c *Config) { c.Port = 0 }),
		"sip:192.0.2.5:5080":               config("192.0.2.5:5080"),
		"sip:[2001:db8::5]:5080":           config("[2001:db8::5]:5080"),
		"sip:192.0.2.5:5080;transport=tcp": config("192.0.2.5:5080", over("tcp")),
		"sips:x@y.example":                 config("192.0.2.5:5080", func(c *Config) { c.URI = "sips:x@y.example" }),
	} {
		if got := c.newRequest(local).uri; got != uri {
			t.Errorf("uri %s, want %s", got, uri)
		}
	}
}

func TestValidate(t *testing.T) {
	const good = "192.0.2.5:5060"
	for key, changes := range map[string][]func(*Config){
		"host":         {func(c *Config) { c.Host = "" }, func(c *Config) { c.Host = "x:5060" }, func(c *Config) { c.Host = "224.0.1.75" }},
		"port":         {func(c *Config) { c.Port = 70000 }, func(c *Config) { c.Port = -1 }},
		"transport":    {over("sctp"), over("")},
		"tls":          {func(c *Config) { c.TLS.SNI = "x" }, func(c *Config) { c.TLS.Verify = false }},
		"tls.sni":      {func(c *Config) { c.Transport, c.TLS.SNI = "tls", "a b" }},
		"uri":          {func(c *Config) { c.URI = "tel:+50622223333" }, func(c *Config) { c.URI = "sip:a b" }, func(c *Config) { c.URI = "sip:x>\r\nX: y" }, func(c *Config) { c.URI = "sip:" }},
		"user":         {func(c *Config) { c.User = "a@b" }, func(c *Config) { c.User = "a\r\nb" }, func(c *Config) { c.URI, c.User = "sip:x@y", "z" }},
		"from_user":    {func(c *Config) { c.From = "" }, func(c *Config) { c.From = "<x>" }},
		"domain":       {func(c *Config) { c.Domain = "a b" }},
		"max_forwards": {func(c *Config) { c.MaxForwards = -1 }, func(c *Config) { c.MaxForwards = 256 }},
		"local":        {func(c *Config) { c.Local = "eth0" }, func(c *Config) { c.Family, c.Local = reach.IPv6, "192.0.2.1" }},
	} {
		for i, change := range changes {
			if problems := config(good, change).Validate(); len(problems) != 1 || problems[0].Key != key {
				t.Errorf("%s %d: %v", key, i, problems)
			}
		}
	}
	if problems := config(good).Validate(); len(problems) > 0 {
		t.Error(problems)
	}
	if got := config("[2001:db8::5]:", over("tls"), func(c *Config) { c.Port = 0 }).Target(); got != "[2001:db8::5]:5061/tls" {
		t.Errorf("target %s", got)
	}
}

func TestLocalAddress(t *testing.T) {
	seen := make(chan string, 1)
	address := peer(t, "127.0.0.1:0", func(request []byte, _ int) [][]byte {
		seen <- string(request)
		return [][]byte{reply(request, "200 OK")}
	})
	r := probe(t, config(address, func(c *Config) { c.Local = "127.0.0.7" }), 5*time.Second)
	if request := <-seen; !r.OK || !strings.Contains(request, "Via: SIP/2.0/UDP 127.0.0.7:") {
		t.Errorf("why: %s; request:\n%s", why(r), request)
	}
}
