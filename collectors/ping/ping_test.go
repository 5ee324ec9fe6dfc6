//go:build linux

package ping

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"

	"vigia/collectors"
	"vigia/collectors/collectorstest"
	"vigia/collectors/inventory"
)

// probe runs one burst.
func probe(t *testing.T, c *Config) collectors.Result {
	t.Helper()
	if problems := c.Validate(); len(problems) > 0 {
		t.Fatalf("refused: %v", problems)
	}
	collector, err := c.Open(collectors.Setup{Timeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	return collector.Probe(ctx)
}

func english(r collectors.Reason) string { return words.Say(collectors.English, r) }

// figure returns one value of a result; -1 when it is not there.
func figure(r collectors.Result, m collectors.Metric) float64 {
	for _, v := range r.Values {
		if v.Metric == m {
			return v.Value
		}
	}
	return -1
}

// expect checks a run whose reason is known.
func expect(t *testing.T, r collectors.Result, why string, up, loss float64) {
	t.Helper()
	if got := english(r.Why); !strings.HasPrefix(got, why) {
		t.Errorf("why: %q, want %q", got, why)
	}
	if got := figure(r, collectors.Up); got != up {
		t.Errorf("up %v, want %v", got, up)
	}
	if got := figure(r, collectors.LossPct); got != loss {
		t.Errorf("loss %v, want %v", got, loss)
	}
	if r.OK != (up == 1) {
		t.Errorf("OK is %v", r.OK)
	}
}

func TestLoopback(t *testing.T) {
	for _, host := range []string{"127.0.0.1", "127.200.3.4", "::1"} {
		t.Run(host, func(t *testing.T) {
			r := probe(t, quick(host))
			if r.Why.Code == "ping.forbidden" {
				collectorstest.Missing(t, "the right to ping", english(r.Why))
			}
			if host == "::1" && r.Why.Code == "ping.no_route" {
				collectorstest.Missing(t, "IPv6", "bring up ::1 on lo")
			}
			expect(t, r, "3 of 3 answered; ", 1, 0)
			if l, j := figure(r, collectors.LatencyMS), figure(r, collectors.JitterMS); l < 0 || l > 1000 || j < 0 {
				t.Errorf("latency %v ms, jitter %v ms", l, j)
			}
		})
	}
}

func TestSuite(t *testing.T) {
	if !inNamespace(t, openPing, 0) {
		return
	}
	rule(t, "in ip daddr 127.0.0.9 icmp type echo-request drop")
	collectorstest.Run(t, collectorstest.Suite{
		Kind:    Kind(),
		Healthy: func(*testing.T) collectors.CheckConfig { return quick("127.0.0.1") },
		Silent:  func(*testing.T) collectors.CheckConfig { return quick("127.0.0.9") },
		Garbage: func(t *testing.T, answer []byte) collectors.CheckConfig {
			respond(t, "127.0.0.5", func([]byte) [][]byte { return [][]byte{answer} })
			return quick("127.0.0.5")
		},
		Answers: [][]byte{nil, {0}, make([]byte, 7), make([]byte, 23), make([]byte, 24), []byte(strings.Repeat("A", 24)), make([]byte, 1400), []byte(strings.Repeat("\xff", 56))},
	})
}

// The same with raw sockets.
func TestSuiteRaw(t *testing.T) {
	if !inNamespace(t, closedPing, 0) {
		return
	}
	rule(t, "in ip daddr 127.0.0.9 icmp type echo-request drop")
	collectorstest.Run(t, collectorstest.Suite{
		Kind:    Kind(),
		Healthy: func(*testing.T) collectors.CheckConfig { return quick("127.0.0.1") },
		Silent:  func(*testing.T) collectors.CheckConfig { return quick("127.0.0.9") },
		Garbage: func(t *testing.T, answer []byte) collectors.CheckConfig {
			respond(t, "127.0.0.5", func([]byte) [][]byte { return [][]byte{answer} })
			return quick("127.0.0.5")
		},
		Answers: [][]byte{nil, {0}, make([]byte, 23), make([]byte, 24), []byte(strings.Repeat("A", 24)), make([]byte, 1400)},
	})
}

// respond answers echo requests to an address in the kernel's stead: answers makes the payloads of the replies from that of the request.
func respond(t *testing.T, address string, answers func(payload []byte) [][]byte) {
	t.Helper()
	sysctl(t, "net.ipv4.icmp_echo_ignore_all", "1")
	conn, err := icmp.ListenPacket("ip4:icmp", address)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { conn.Close(); <-done })
	go func() {
		defer close(done)
		buf := make([]byte, 4096)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			m, err := icmp.ParseMessage(1, buf[:n])
			if err != nil || m.Type != ipv4.ICMPTypeEcho {
				continue
			}
			echo := m.Body.(*icmp.Echo)
			for _, data := range answers(slices.Clone(echo.Data)) {
				reply := icmp.Message{Type: ipv4.ICMPTypeEchoReply, Body: &icmp.Echo{ID: echo.ID, Seq: echo.Seq, Data: data}}
				packet, _ := reply.Marshal(nil)
				conn.WriteTo(packet, from)
			}
		}
	}()
}

func TestDuplicatesAreNotNegativeLoss(t *testing.T) {
	if !inNamespace(t, openPing, 0) {
		return
	}
	respond(t, "127.0.0.5", func(p []byte) [][]byte { return [][]byte{p, p, p} })
	r := probe(t, quick("127.0.0.5"))
	expect(t, r, "3 of 3 answered", 1, 0)
	if !slices.ContainsFunc(r.Steps, func(s collectors.Reason) bool { return s.Code == "ping.duplicates" }) {
		t.Errorf("no word of duplicates: %v", r.Steps)
	}
}

func TestLoss(t *testing.T) {
	if !inNamespace(t, openPing, 0) {
		return
	}
	rule(t, "in ip daddr 127.0.0.9 icmp type echo-request numgen random mod 100 < 30 drop",
		"in ip daddr 127.0.0.8 icmp type echo-request limit rate over 1/hour burst 2 packets drop")
	c := quick("127.0.0.8") // the first three come through, for "over … burst 2" passes 2 and one of the rate
	c.Count = 5
	r := probe(t, c)
	if figure(r, collectors.Up) != 1 || r.OK || !strings.HasPrefix(english(r.Why), "lost ") || figure(r, collectors.LossPct) < 40 {
		t.Errorf("%s, %v", english(r.Why), r.Values)
	}
	c = quick("127.0.0.9")
	c.Count = 100
	lost, bursts := 0.0, 3
	for range bursts {
		lost += figure(probe(t, c), collectors.LossPct)
	}
	mean := lost / float64(bursts)
	t.Logf("loss of 300 pings through a filter that drops 30 %%: %.1f %%", mean)
	if mean < 15 || mean > 45 { // standard deviation 2.6
		t.Errorf("loss %.1f %%, want about 30", mean)
	}
}

func TestWhyItDoesNotAnswer(t *testing.T) {
	if !inNamespace(t, openPing, 0) {
		return
	}
	rule(t,
		"in ip daddr 127.0.0.9 icmp type echo-request drop",
		"in ip daddr 127.0.0.10 icmp type echo-request reject with icmp type host-unreachable",
		"in ip daddr 127.0.0.11 icmp type echo-request reject with icmp type admin-prohibited",
		"in ip daddr 127.0.0.12 icmp type echo-request reject with icmp type net-unreachable",
		"out ip daddr 127.0.0.13 icmp type echo-request drop",
		"in ip6 daddr ::1 icmpv6 type echo-request reject with icmpv6 type admin-prohibited")
	must(t, "ip route add prohibit 198.51.100.0/24")
	must(t, "ip route add blackhole 203.0.113.0/24")
	cases := []struct {
		host, why string
		up, loss  float64
	}{
		{"127.0.0.9", "127.0.0.9 does not answer: 3 of 3 pings lost", 0, 100},
		{"127.0.0.10", "host unreachable, says 127.0.0.10", 0, 100},
		{"127.0.0.11", "pings are refused by 127.0.0.11 (administratively prohibited)", 0, 100},
		{"127.0.0.12", "network unreachable, says 127.0.0.12", 0, 100},
		{"127.0.0.13", "this machine does not let pings to 127.0.0.13 out", 0, -1},
		{"::1", "pings are refused by ::1 (administratively prohibited)", 0, 100},
		{"192.0.2.1", "this machine has no route to 192.0.2.1", 0, -1},
		{"2001:db8::1", "this machine has no route to 2001:db8::1", 0, -1},
		{"198.51.100.1", "this machine does not let pings to 198.51.100.1 out", 0, -1},
		{"203.0.113.1", "pings to 203.0.113.1 could not be sent: invalid argument", -1, -1},
		{"127.255.255.255", "this machine does not let pings to 127.255.255.255 out", 0, -1},
	}
	for _, c := range cases {
		t.Run(c.host, func(t *testing.T) {
			start := time.Now()
			expect(t, probe(t, quick(c.host)), c.why, c.up, c.loss)
			if took := time.Since(start); took > 2*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

// The same by raw sockets, which have another way of hearing of ICMP errors.
func TestWhyItDoesNotAnswerRaw(t *testing.T) {
	if !inNamespace(t, closedPing, 0) {
		return
	}
	rule(t, "in ip daddr 127.0.0.10 icmp type echo-request reject with icmp type host-unreachable",
		"in ip6 daddr ::1 icmpv6 type echo-request reject with icmpv6 type addr-unreachable")
	expect(t, probe(t, quick("127.0.0.10")), "host unreachable, says 127.0.0.10", 0, 100)
	expect(t, probe(t, quick("::1")), "host unreachable, says ::1", 0, 100)
	expect(t, probe(t, quick("192.0.2.1")), "this machine has no route to 192.0.2.1", 0, -1)
}

// A route that begins to prohibit in the middle of a burst: pro-bing would try for ever.
func TestARouteIsClosedInTheMiddle(t *testing.T) {
	if !inNamespace(t, openPing, 0) {
		return
	}
	c := quick("127.0.0.1")
	c.Count, c.Interval = 5, inventory.Duration(100*time.Millisecond)
	timer := time.AfterFunc(250*time.Millisecond, func() {
		must(t, "ip rule add pref 0 to 127.0.0.1 prohibit")
		must(t, "ip rule del pref 0 lookup local")
	})
	defer timer.Stop()
	start := time.Now()
	r := probe(t, c)
	if !slices.ContainsFunc(r.Steps, func(s collectors.Reason) bool { return s.Code == "ping.not_sent" }) || figure(r, collectors.LossPct) < 20 {
		t.Errorf("%s; %v; %v", english(r.Why), r.Values, r.Steps)
	}
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("took %v", took)
	}
}

// A run that our own lack of time cut off says nothing of the target: neither up nor loss.
func TestCutOffIsNotLoss(t *testing.T) {
	if !inNamespace(t, openPing, 0) {
		return
	}
	rule(t, "in ip daddr 127.0.0.9 icmp type echo-request drop")
	cases := []struct {
		name string
		end  func(parent context.Context) (context.Context, context.CancelFunc)
		sent int
	}{
		{"no time to wait", func(c context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(c, 350*time.Millisecond)
		}, 0},
		{"cancelled while waiting", func(c context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(c)
			time.AfterFunc(200*time.Millisecond, cancel)
			return ctx, cancel
		}, 3},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			collector, err := quick("127.0.0.9").Open(collectors.Setup{Timeout: time.Second})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := c.end(t.Context())
			defer cancel()
			r := collector.Probe(ctx)
			if want := fmt.Sprintf("the run was cut off before all answers could come: %d of 3 pings sent", c.sent); english(r.Why) != want || len(r.Values) > 0 {
				t.Errorf("%s: %v; want %s and no values", english(r.Why), r.Values, want)
			}
		})
	}
}

func TestNotAllowed(t *testing.T) {
	if !inNamespace(t, closedPing, 65534) {
		return
	}
	r := probe(t, quick("127.0.0.1"))
	why := english(r.Why)
	if r.OK || len(r.Values) > 0 || !strings.Contains(why, "CAP_NET_RAW") || !strings.Contains(why, "net.ipv4.ping_group_range") {
		t.Errorf("%s: %v", why, r.Values)
	}
}

// An ordinary user may ping where the sysctl lets it.
func TestAnOrdinaryUser(t *testing.T) {
	if !inNamespace(t, openPing, 65534) {
		return
	}
	r := probe(t, quick("127.0.0.1"))
	expect(t, r, "3 of 3 answered", 1, 0)
	expect(t, probe(t, quick("::1")), "3 of 3 answered", 1, 0)
	if slices.ContainsFunc(r.Steps, func(s collectors.Reason) bool { return s.Code == "ping.raw" }) {
		t.Error("used a raw socket")
	}
}

func TestSource(t *testing.T) {
	if !inNamespace(t, openPing, 0) {
		return
	}
	var mu sync.Mutex
	froms := map[string]bool{}
	sysctl(t, "net.ipv4.icmp_echo_ignore_all", "1")
	conn, err := icmp.ListenPacket("ip4:icmp", "127.0.0.5")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			_, from, err := conn.ReadFrom(make([]byte, 1500))
			if err != nil {
				return
			}
			mu.Lock()
			froms[from.String()] = true
			mu.Unlock()
		}
	}()
	c := quick("127.0.0.5")
	c.Source, c.Wait = "127.0.0.77", inventory.Duration(100*time.Millisecond)
	probe(t, c)
	conn.Close()
	<-done
	if len(froms) != 1 || !froms["127.0.0.77"] {
		t.Errorf("pings came from %v", froms)
	}
	c.Source = "192.0.2.77"
	r := probe(t, c)
	if r.Why.Code != "ping.no_source" || len(r.Values) != 0 {
		t.Errorf("%s: %v", english(r.Why), r.Values)
	}
}

// Sixty-four raw sockets at once, and no more: a target of the 65th waits, and when there is no time left it says so instead of a loss.
func TestRawIsBounded(t *testing.T) {
	if !inNamespace(t, closedPing, 0) {
		return
	}
	k := Kind()
	config := k.New().(*Config)
	config.Host, config.Count, config.Interval = "127.0.0.1", 3, inventory.Duration(minInterval)
	for range rawAtOnce {
		config.raw <- struct{}{}
	}
	collector, err := config.Open(collectors.Setup{Timeout: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	r := collector.Probe(ctx)
	if r.Why.Code != "ping.busy" || len(r.Values) != 0 || r.OK {
		t.Errorf("%s: %v", english(r.Why), r.Values)
	}
	<-config.raw
	ctx, cancel = context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if r = collector.Probe(ctx); !r.OK || len(config.raw) != rawAtOnce-1 {
		t.Errorf("with one place free: %s; %d places taken", english(r.Why), len(config.raw))
	}
}

// names is a resolver that answers what it is told.
type names struct {
	addrs []netip.Addr
	err   error
}

func (n *names) LookupNetIP(ctx context.Context, _, _ string) ([]netip.Addr, error) {
	if errors.Is(n.err, context.DeadlineExceeded) {
		<-ctx.Done()
	}
	return n.addrs, n.err
}

func TestNames(t *testing.T) {
	four, six := netip.MustParseAddr("127.0.0.3"), netip.MustParseAddr("::1")
	cases := []struct {
		name   string
		family string
		names  names
		why    string
		up     float64
	}{
		{"unknown", "auto", names{err: &net.DNSError{Err: "no such host", IsNotFound: true}}, "pbx.example does not resolve: there is no such name", 0},
		{"server broken", "auto", names{err: &net.DNSError{Err: "server misbehaving", IsTemporary: true}}, "pbx.example does not resolve: the name server says server misbehaving", 0},
		{"server silent", "auto", names{err: &net.DNSError{Err: "i/o timeout", IsTimeout: true}}, "pbx.example does not resolve: the name server did not answer in time", 0},
		{"no IPv6", "6", names{addrs: []netip.Addr{four}}, "pbx.example has no IPv6 address", 0},
		{"no IPv4", "4", names{addrs: []netip.Addr{six}}, "pbx.example has no IPv4 address", 0},
		{"first", "auto", names{addrs: []netip.Addr{four, six}}, "3 of 3 answered", 1},
		{"second", "4", names{addrs: []netip.Addr{six, four}}, "3 of 3 answered", 1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			config := kind(&c.names).New().(*Config)
			config.Host, config.Count, config.Interval, config.Family = "pbx.example", 3, inventory.Duration(minInterval), c.family
			r := probe(t, config)
			if r.Why.Code == "ping.forbidden" {
				collectorstest.Missing(t, "the right to ping", english(r.Why))
			}
			if got := english(r.Why); !strings.HasPrefix(got, c.why) || figure(r, collectors.Up) != c.up {
				t.Errorf("%s, up %v; want %s, up %v", got, figure(r, collectors.Up), c.why, c.up)
			}
		})
	}
}

func TestNamesKeepTheDeadline(t *testing.T) {
	config := kind(&names{err: context.DeadlineExceeded}).New().(*Config)
	config.Host = "pbx.example"
	collector, err := config.Open(collectors.Setup{Timeout: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	if r := collector.Probe(ctx); r.Why.Code != "ping.dns_timeout" || time.Since(start) > time.Second {
		t.Errorf("%s after %v", english(r.Why), time.Since(start))
	}
}

func TestTheLastAddressWhenTheNameServerFails(t *testing.T) {
	n := &names{addrs: []netip.Addr{netip.MustParseAddr("127.0.0.3")}}
	config := kind(n).New().(*Config)
	config.Host, config.Count = "pbx.example", 1
	collector, err := config.Open(collectors.Setup{Timeout: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	first := collector.Probe(t.Context())
	if first.Why.Code == "ping.forbidden" {
		collectorstest.Missing(t, "the right to ping", english(first.Why))
	}
	n.addrs, n.err = nil, &net.DNSError{Err: "i/o timeout", IsTimeout: true}
	second := collector.Probe(t.Context())
	if !first.OK || !second.OK || len(second.Steps) < 2 || second.Steps[1].Code != "ping.old_address" {
		t.Errorf("%s; then %s %v", english(first.Why), english(second.Why), second.Steps)
	}
	n.err = &net.DNSError{Err: "no such host", IsNotFound: true} // the name itself is gone
	if third := collector.Probe(t.Context()); third.OK {
		t.Errorf("a name that is gone is pinged on: %s", english(third.Why))
	}
}
