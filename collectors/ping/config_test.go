package ping

import (
	"fmt"
	"math"
	"net/netip"
	"strings"
	"testing"
	"time"

	"vigia/collectors"
	"vigia/collectors/inventory"
)

// quick is a configuration whose bursts are short.
func quick(host string) *Config {
	c := Kind().New().(*Config)
	c.Host, c.Count, c.Interval = host, 3, inventory.Duration(minInterval)
	return c
}

func TestValidate(t *testing.T) {
	cases := []struct {
		change func(*Config)
		want   string // key: message
	}{
		{func(c *Config) {}, ""},
		{func(c *Config) { c.Host = "pbx-1.example.com" }, ""},
		{func(c *Config) { c.Host, c.Family = "fe80::1%eth0", "6" }, ""},
		{func(c *Config) { c.Host = "" }, "host: the host to ping is missing"},
		{func(c *Config) { c.Host = "192.0.2.300" }, `host: "192.0.2.300" is neither an address nor a name`},
		{func(c *Config) { c.Host = "http://x/" }, `host: "http://x/" is neither an address nor a name`},
		{func(c *Config) { c.Host = "a b" }, `host: "a b" is neither an address nor a name`},
		{func(c *Config) { c.Host = "224.0.0.1" }, "host: 224.0.0.1 is not the address of a machine"},
		{func(c *Config) { c.Host = "::" }, "host: :: is not the address of a machine"},
		{func(c *Config) { c.Family = "6" }, "family: 192.0.2.1 is not an IPv6 address"},
		{func(c *Config) { c.Family = "ipv4" }, `family: "ipv4" is not an address family`},
		{func(c *Config) { c.Count = 0 }, "count: 0 requests in a burst"},
		{func(c *Config) { c.Count = 101 }, "count: 101 requests in a burst"},
		{func(c *Config) { c.Interval = inventory.Duration(time.Millisecond) }, "interval: 1ms between two requests"},
		{func(c *Config) { c.Interval = inventory.Duration(time.Minute) }, "interval: 1m between two requests"},
		{func(c *Config) { c.Wait = 0 }, "wait: 0s is too short to wait for an answer"},
		{func(c *Config) { c.Size = 8 }, "size: a payload of 8 octets"},
		{func(c *Config) { c.Size = 70000 }, "size: a payload of 70000 octets"},
		{func(c *Config) { c.Source = "x" }, `source: "x" is not an address to send from`},
		{func(c *Config) { c.Source = "::1" }, "source: 192.0.2.1 cannot be reached from ::1"},
		{func(c *Config) { c.Host, c.Family, c.Source = "pbx", "4", "::1" }, "source: ::1 is not an IPv4 address"},
	}
	for _, c := range cases {
		config := Kind().New().(*Config)
		config.Host = "192.0.2.1"
		c.change(config)
		got := ""
		for _, p := range config.Validate() {
			got += fmt.Sprintf("%s: %s", p.Key, p.Message)
		}
		if got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func TestABurstMustFit(t *testing.T) {
	c := quick("127.0.0.1")
	c.Count, c.Interval = 20, inventory.Duration(200*time.Millisecond)
	if _, err := c.Open(collectors.Setup{Timeout: 3 * time.Second}); err == nil || !strings.Contains(err.Error(), "need a timeout of at least 4.17s, not 3s") {
		t.Errorf("a burst of 3.8 s in 3 s: %v", err)
	}
}

func TestFigures(t *testing.T) {
	ms := func(list ...float64) []time.Duration {
		var rtts []time.Duration
		for _, v := range list {
			if v < 0 {
				rtts = append(rtts, unanswered)
			} else {
				rtts = append(rtts, time.Duration(v*float64(time.Millisecond)))
			}
		}
		return rtts
	}
	cases := []struct {
		rtts []time.Duration
		want figures
	}{
		{ms(10), figures{10, 10, 10, 0}},
		{ms(10, 14, 12), figures{10, 12, 14, 3}},         // |4| and |−2|
		{ms(-1, 10, -1, 16, -1), figures{10, 13, 16, 6}}, // over what was answered
		{ms(0.0335, 0.0335), figures{0.034, 0.034, 0.034, 0}},
	}
	for _, c := range cases {
		if got := figuresOf(c.rtts); got != c.want {
			t.Errorf("%v: %+v, want %+v", c.rtts, got, c.want)
		}
	}
}

func TestHonest(t *testing.T) {
	const ms = time.Millisecond
	cases := []struct{ wall, monotonic, want time.Duration }{
		{64 * ms, 63900 * time.Microsecond, 64 * ms},
		{-time.Hour, 64 * ms, 64 * ms},          // the clock was set back
		{time.Hour, 64 * ms, 64 * ms},           // and forward
		{10 * time.Microsecond, 0, 10 * 1000},   // too short to tell
		{90 * ms, 30 * ms, 30 * ms},             // stood still before the request left
		{time.Duration(math.MinInt64), 0, 0},    // whatever comes
		{-time.Microsecond, time.Nanosecond, 0}, // never negative
	}
	for _, c := range cases {
		if got := honest(c.wall, c.monotonic); got != c.want {
			t.Errorf("honest(%v, %v) = %v, want %v", c.wall, c.monotonic, got, c.want)
		}
	}
}

func TestStarved(t *testing.T) {
	at := func(ms ...int) []time.Time {
		var list []time.Time
		for _, m := range ms {
			list = append(list, time.Unix(0, 0).Add(time.Duration(m)*time.Millisecond))
		}
		return list
	}
	cases := []struct {
		name     string
		sent     []time.Time
		received int
		failed   int
		want     bool
	}{
		{"on time, lost", at(0, 201, 399), 2, 0, false},
		{"late, lost", at(0, 200, 700), 2, 0, true},
		{"late, all there", at(0, 200, 700), 3, 0, false},
		{"one only", at(0), 0, 0, false},
		{"late because one could not be sent", at(0, 200, 700), 2, 1, false},
	}
	for _, c := range cases {
		b := newBurst(Kind().New().(*Config), netip.Addr{}, netip.Addr{}, false)
		b.sent, b.received, b.failed = c.sent, c.received, c.failed
		if _, got := b.starved(); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
