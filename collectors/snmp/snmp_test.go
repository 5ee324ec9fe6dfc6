package snmp

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"vigia/collectors"
	"vigia/collectors/collectorstest"
	"vigia/collectors/collectorstest/snmpagent"
	"vigia/collectors/inventory"
)

const secretCommunity = "hush-hush-community"

// router is a device with three ports, one of them shut and one down, and a profile that nobody has.
func router() *snmpagent.Recording {
	r := new(snmpagent.Recording)
	r.SetString("1.3.6.1.2.1.1.1.0", "A router")
	r.SetOID("1.3.6.1.2.1.1.2.0", "1.3.6.1.4.1.99999.7")
	r.SetTicks("1.3.6.1.2.1.1.3.0", 50*time.Hour)
	r.SetString("1.3.6.1.2.1.1.5.0", "gua-r2")
	r.SetTicks("1.3.6.1.2.1.31.1.5.0", time.Minute)
	port := func(index int, name, alias string, admin, oper int32) {
		in := func(c int) string { return fmt.Sprintf("1.3.6.1.2.1.2.2.1.%d.%d", c, index) }
		inX := func(c int) string { return fmt.Sprintf("1.3.6.1.2.1.31.1.1.1.%d.%d", c, index) }
		r.SetString(in(2), "Port "+name)
		r.SetInt(in(3), 6)
		r.SetGauge(in(5), 1_000_000_000)
		r.SetInt(in(7), admin)
		r.SetInt(in(8), oper)
		for _, c := range []int{13, 14, 19, 20} {
			r.SetCounter32(in(c), 0)
		}
		r.SetString(inX(1), name)
		r.SetString(inX(18), alias)
		r.SetGauge(inX(15), 1000)
		r.SetFunc(inX(6), snmpagent.Counter64, func(e time.Duration) uint64 { return uint64(e.Seconds() * 5e6) })
		r.SetFunc(inX(10), snmpagent.Counter64, func(e time.Duration) uint64 { return uint64(e.Seconds() * 2e6) })
		r.SetTicks(inX(19), 0)
	}
	port(1, "Gi0/1", "to Miami", 1, 1)
	port(2, "Gi0/2", "to Guatemala", 1, 2)
	port(30, "Gi0/3", "spare", 2, 2)
	return r
}

func serve(t *testing.T, config snmpagent.Config) *snmpagent.Agent {
	t.Helper()
	a, err := snmpagent.Listen("127.0.0.1:0", config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return a
}

// towards is a configuration for an agent.
func towards(kind collectors.Kind, port int, change ...func(*Config)) *Config {
	c := kind.New().(*Config)
	c.Host, c.Port, c.Community = "127.0.0.1", port, inventory.NewSecret(secretCommunity)
	for _, f := range change {
		f(c)
	}
	return c
}

func named(name string) func(*Config) { return func(c *Config) { c.Interface = name } }

// check opens a configuration under a link or a server.
func check(t *testing.T, c *Config, capacity float64) collectors.Collector {
	t.Helper()
	for _, p := range c.Validate() {
		t.Fatalf("%s: %s (%s)", p.Key, p.Message, p.Hint)
	}
	ref := inventory.Ref{Kind: inventory.KindServer, Name: "x"}
	if c.Interface != "" {
		ref.Kind = inventory.KindLink
	}
	opened, err := c.Open(collectors.Setup{
		ID: collectors.CheckID{Ref: ref, Instance: "snmp"}, Every: time.Minute, Timeout: 10 * time.Second, Capacity: inventory.Bandwidth(capacity),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { opened.(*prober).Close() })
	return opened
}

func probe(t *testing.T, c collectors.Collector, within time.Duration) collectors.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	return c.Probe(ctx)
}

func figureOf(r collectors.Result, m collectors.Metric, part string) (float64, bool) {
	for _, v := range r.Values {
		if v.Metric == m && v.Part == part {
			return v.Value, true
		}
	}
	return 0, false
}

func why(r collectors.Result) string { return words.Say(collectors.English, r.Why) }

func TestSuite(t *testing.T) {
	kind := Kind()
	collectorstest.Run(t, collectorstest.Suite{
		Kind: kind,
		Healthy: func(t *testing.T) collectors.CheckConfig {
			a := serve(t, snmpagent.Config{Recording: router(), Grow: true, Communities: []string{secretCommunity}})
			return towards(kind, int(a.Addr().Port()))
		},
		Silent: func(t *testing.T) collectors.CheckConfig {
			return towards(kind, silent(t))
		},
		Garbage: func(t *testing.T, answer []byte) collectors.CheckConfig {
			a := serve(t, snmpagent.Config{Recording: router(), Answer: func(snmpagent.Request, []byte) []snmpagent.Reply {
				return []snmpagent.Reply{{Octets: answer}}
			}})
			return towards(kind, int(a.Addr().Port()))
		},
		Answers: [][]byte{
			{},
			{0},
			{0x30},
			{0x30, 0x82, 0xff, 0xff},
			[]byte(strings.Repeat("A", 9000)),
			{0x30, 0x03, 0x02, 0x01, 0x01},
			append([]byte{0x30, 0x84, 0xff, 0xff, 0xff, 0xff}, make([]byte, 40)...),
		},
		Secrets: []string{secretCommunity},
	})
}

// silent is a port that takes what it is sent and says nothing.
func silent(t *testing.T) int {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn.LocalAddr().(*net.UDPAddr).Port
}

// turned is a kind with a clock that a test turns, and an agent that goes by it.
func turned(t *testing.T, r *snmpagent.Recording) (*dayClock, *snmpagent.Agent, collectors.Kind) {
	t.Helper()
	clock := newDayClock(time.Now())
	return clock, serve(t, snmpagent.Config{Recording: r, Grow: true, Now: clock.now}), kindWith(newRegistry(clock.now))
}

func TestLink(t *testing.T) {
	clock, agent, kind := turned(t, router())
	for _, name := range []string{"Gi0/1", "to Miami", "Port Gi0/1", "1", "#1", "gi0/1"} {
		t.Run(name, func(t *testing.T) {
			c := check(t, towards(kind, int(agent.Addr().Port()), named(name)), 200e6)
			r := probe(t, c, 5*time.Second)
			if got := why(r); !r.OK || got != "Gi0/1 is up; its counters were read for the first time, rates come with the next run" {
				t.Errorf("first run: %v %q", r.OK, got)
			}
			clock.turn(30 * time.Second)
			before := agent.Requests()
			r = probe(t, c, 5*time.Second)
			if got := why(r); !r.OK || got != "in 40 Mb/s, out 16 Mb/s, 0 errors a second" {
				t.Errorf("second run: %v %q", r.OK, got)
			}
			if n := agent.Requests() - before; n != 1 {
				t.Errorf("%d requests for one link, want 1", n)
			}
			for m, want := range map[collectors.Metric]float64{
				collectors.Up: 1, collectors.InterfaceUp: 1, collectors.InBps: 40e6, collectors.OutBps: 16e6, collectors.InUtilPct: 20, collectors.OutUtilPct: 8,
				collectors.ErrorsPps: 0, collectors.DiscardsPps: 0,
			} {
				if got, ok := figureOf(r, m, ""); !ok || got < want*0.999 || got > want*1.001 {
					t.Errorf("%s is %v (%v), want %v", m, got, ok, want)
				}
			}
		})
	}
}

func TestLinkThatIsNotWell(t *testing.T) {
	_, agent, kind := turned(t, router())
	port := int(agent.Addr().Port())
	for _, c := range []struct {
		name string
		port int
		want string
		up   string
	}{
		{"Gi0/2", port, "interface Gi0/2 is down", "0"},
		{"spare", port, "interface Gi0/3 is shut down by configuration", "0"},
		{"Gi0/9", port, "no interface is called Gi0/9; there are 3: Gi0/1, Gi0/2, Gi0/3", "0"},
		{"Gi0/1", silent(t), "it is away, it does not let us ask, or the community is wrong", "none"},
	} {
		t.Run(c.want, func(t *testing.T) {
			r := probe(t, check(t, towards(kind, c.port, named(c.name)), 0), 300*time.Millisecond)
			up := "none"
			if v, ok := figureOf(r, collectors.Up, ""); ok {
				up = fmt.Sprint(v)
			}
			if got := why(r); r.OK || !strings.Contains(got, c.want) || up != c.up {
				t.Errorf("OK %v, up %s: %q, want up %s: %q", r.OK, up, got, c.up, c.want)
			}
		})
	}
}

// TestServer: which interfaces are watched, and what a server says of itself.
func TestServer(t *testing.T) {
	clock, agent, kind := turned(t, router())
	for _, c := range []struct {
		patterns []string
		want     string
	}{
		{nil, "Gi0/1 Gi0/2"}, {[]string{}, ""}, {[]string{"Gi0/[23]"}, "Gi0/2 Gi0/3"}, {[]string{"to *"}, "Gi0/1 Gi0/2"}, {[]string{"*"}, "Gi0/1 Gi0/2 Gi0/3"},
	} {
		t.Run(fmt.Sprint(c.patterns), func(t *testing.T) {
			opened := check(t, towards(kind, int(agent.Addr().Port()), func(config *Config) { config.Interfaces = c.patterns }), 0)
			probe(t, opened, 5*time.Second)
			clock.turn(time.Minute)
			r := probe(t, opened, 5*time.Second)
			var watched []string
			for _, v := range r.Values {
				if v.Metric == collectors.InterfaceUp {
					watched = append(watched, v.Part)
				}
			}
			if got := strings.Join(watched, " "); got != c.want {
				t.Errorf("watches %q, want %q", got, c.want)
			}
			if up, _ := figureOf(r, collectors.Up, ""); !r.OK || up != 1 {
				t.Errorf("up %v: %s", up, why(r))
			}
			if v, _ := figureOf(r, collectors.UptimeS, ""); v < 50*3600 {
				t.Errorf("up since %v s", v)
			}
		})
	}
}

// TestMixedCounters: an interface with 32-bit counters only beside one with 64 bits.
func TestMixedCounters(t *testing.T) {
	r := router()
	for _, c := range []int{6, 10} {
		r.Delete(fmt.Sprintf("1.3.6.1.2.1.31.1.1.1.%d.2", c))
	}
	for _, index := range []int{1, 2} {
		for _, c := range []int{10, 16} {
			r.SetFunc(fmt.Sprintf("1.3.6.1.2.1.2.2.1.%d.%d", c, index), snmpagent.Counter32, func(e time.Duration) uint64 { return uint64(e.Seconds() * 3e6) })
		}
	}
	clock, agent, kind := turned(t, r)
	c := check(t, towards(kind, int(agent.Addr().Port())), 0)
	probe(t, c, 5*time.Second)
	clock.turn(20 * time.Second)
	got := probe(t, c, 5*time.Second)
	for part, want := range map[string]float64{"Gi0/1": 40e6, "Gi0/2": 24e6} {
		if in, ok := figureOf(got, collectors.InBps, part); !ok || in < want*0.999 || in > want*1.001 {
			t.Errorf("%s: %v (%v), want %v", part, in, ok, want)
		}
	}
}

// TestDeviceIsShared: ten links of one router find their interfaces with one discovery.
func TestDeviceIsShared(t *testing.T) {
	_, agent, kind := turned(t, router())
	first := check(t, towards(kind, int(agent.Addr().Port()), named("Gi0/1")), 0)
	probe(t, first, 5*time.Second)
	before := agent.Requests()
	probe(t, check(t, towards(kind, int(agent.Addr().Port()), named("Gi0/2")), 0), 5*time.Second)
	if n := agent.Requests() - before; n != 1 {
		t.Errorf("the second link of a known device took %d requests, want 1", n)
	}
	other := check(t, towards(kind, int(agent.Addr().Port()), named("Gi0/2"), func(c *Config) { c.Community = inventory.NewSecret("other") }), 0)
	if first.(*prober).device == other.(*prober).device {
		t.Error("two communities share a device")
	}
}

// TestRestart: what a device counted before and after is not compared, the page is told, and interfaces are found again.
func TestRestart(t *testing.T) {
	clock, agent, kind := turned(t, router())
	c := check(t, towards(kind, int(agent.Addr().Port()), named("Gi0/1")), 0)
	probe(t, c, 5*time.Second)
	clock.turn(time.Minute)
	probe(t, c, 5*time.Second)
	moved := router()
	for column := range 25 { // port 1 is another one now, and Gi0/1 is 77
		for _, table := range []string{"1.3.6.1.2.1.2.2.1", "1.3.6.1.2.1.31.1.1.1"} {
			moved.Delete(fmt.Sprintf("%s.%d.1", table, column))
		}
	}
	moved.SetString("1.3.6.1.2.1.2.2.1.2.77", "Port Gi0/1")
	moved.SetInt("1.3.6.1.2.1.2.2.1.3.77", 6)
	moved.SetInt("1.3.6.1.2.1.2.2.1.7.77", 1)
	moved.SetInt("1.3.6.1.2.1.2.2.1.8.77", 1)
	moved.SetString("1.3.6.1.2.1.31.1.1.1.1.77", "Gi0/1")
	moved.SetGauge("1.3.6.1.2.1.31.1.1.1.15.77", 1000)
	moved.SetFunc("1.3.6.1.2.1.31.1.1.1.6.77", snmpagent.Counter64, func(e time.Duration) uint64 { return uint64(e.Seconds() * 1e6) })
	moved.SetFunc("1.3.6.1.2.1.31.1.1.1.10.77", snmpagent.Counter64, func(e time.Duration) uint64 { return uint64(e.Seconds() * 1e6) })
	if err := agent.SetRecording(moved); err != nil {
		t.Fatal(err)
	}
	clock.turn(40 * time.Second)
	agent.Restart(snmpagent.FromZero)
	clock.turn(20 * time.Second)
	r := probe(t, c, 5*time.Second)
	if _, ok := figureOf(r, collectors.InBps, ""); ok || !r.OK || r.Discarded != 1 || why(r) != "Gi0/1: thrown away, the device gave it another index since the last run" {
		t.Errorf("after a restart: %v %d %s", r.OK, r.Discarded, why(r))
	}
	clock.turn(time.Minute)
	r = probe(t, c, 5*time.Second)
	if got, _ := figureOf(r, collectors.InBps, ""); got < 7.99e6 || got > 8.01e6 {
		t.Errorf("found again: %v, %s", got, why(r))
	}
}

func TestConfigProblems(t *testing.T) {
	secret := inventory.NewSecret
	for _, c := range []struct {
		name   string
		change func(*Config)
		want   string
	}{
		{"no host", func(c *Config) { c.Host = "" }, "host is missing"},
		{"multicast", func(c *Config) { c.Host = "224.0.0.1" }, "224.0.0.1 is not the address of a machine"},
		{"no community", func(c *Config) { c.Community = secret("") }, "community is missing"},
		{"long community", func(c *Config) { c.Community = secret(strings.Repeat("x", 200)) }, "the community is longer than 127 octets"},
		{"v3 keys in v2c", func(c *Config) { c.Context = "x" }, "user, auth, priv and context belong to version 3"},
		{"v3 without user", func(c *Config) { c.Version, c.Community = "3", secret("") }, "user is missing"},
		{"community in v3", func(c *Config) { c.Version, c.User = "3", "u" }, "community belongs to version 2c"},
		{"priv alone", func(c *Config) {
			c.Version, c.User, c.Community, c.Priv = "3", "u", secret(""), secret("aes:longenough")
		}, "priv needs auth (RFC 3414 §1.4)"},
		{"short", func(c *Config) {
			c.Version, c.User, c.Community, c.Auth = "3", "u", secret(""), secret("sha256:short")
		}, "auth has a password shorter than 8 characters"},
		{"algorithm", func(c *Config) {
			c.Version, c.User, c.Community, c.Auth = "3", "u", secret(""), secret("sha3:longenough")
		}, "auth does not begin with one of md5, sha, sha224, sha256, sha384, sha512 and a colon"},
		{"pattern", func(c *Config) { c.Interfaces = []string{"eth["} }, `"eth[" is not a pattern`},
		{"both", func(c *Config) { c.Interface, c.Interfaces = "a", []string{"b"} }, "interface and interfaces exclude each other"},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := towards(Kind(), 161, c.change)
			problems := config.Validate()
			if len(problems) != 1 || problems[0].Message != c.want {
				t.Errorf("%+v, want %q", problems, c.want)
			}
		})
	}
}
