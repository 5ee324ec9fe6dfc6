package ping

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"vigia/collectors"
	"vigia/collectors/inventory"
)

const (
	minInterval = 10 * time.Millisecond
	maxInterval = 10 * time.Second
	maxCount    = 100
	minSize     = 24 // pro-bing keeps a time and a mark in each request
	maxSize     = 65000
	minWait     = 50 * time.Millisecond
	// lag is how long a burst may take beyond its wait: pro-bing looks into its socket at distances of up to 102 ms, twice after the
	// wait and once to notice that it should stop.
	lag = 320 * time.Millisecond
	// rawAtOnce bounds raw sockets in a process.
	rawAtOnce = 64
)

// Kind makes the kind. Its collectors share the bound on raw sockets, so call it once in a process.
func Kind() collectors.Kind { return kind(&net.Resolver{}) }

// resolver finds the addresses of a name: net.Resolver, and in tests one that fails.
type resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

func kind(names resolver) collectors.Kind {
	sockets := make(chan struct{}, rawAtOnce)
	return collectors.Kind{
		Name: "ping",
		New: func() collectors.CheckConfig {
			return &Config{
				Count: 5, Interval: inventory.Duration(200 * time.Millisecond), Wait: inventory.Duration(time.Second), Size: 56, Family: "auto",
				names: names, raw: sockets,
			}
		},
		Metrics: []collectors.Metric{collectors.Up, collectors.LossPct, collectors.LatencyMS, collectors.JitterMS},
		Words:   words,
		Every:   10 * time.Second,
		Timeout: 5 * time.Second,
	}
}

// Config is a ping's own part of a check.
type Config struct {
	Host     string             `yaml:"host"`     // a name or an address
	Count    int                `yaml:"count"`    // requests in a burst, 1 to 100
	Interval inventory.Duration `yaml:"interval"` // between two requests, at least 10 ms
	Wait     inventory.Duration `yaml:"wait"`     // for the last answer; shortened to what the timeout leaves
	Size     int                `yaml:"size"`     // octets of payload in a request, 24 to 65000
	Family   string             `yaml:"family"`   // 4, 6 or auto: the first address of the name
	Source   string             `yaml:"source"`   // the address to send from; empty: the system's choice

	names resolver
	raw   chan struct{}
}

// Target is the host.
func (c *Config) Target() string { return c.Host }

// Validate lists what is wrong.
func (c *Config) Validate() []collectors.Problem {
	var problems []collectors.Problem
	wrong := func(key, hint, format string, args ...any) {
		problems = append(problems, collectors.Problem{Key: key, Message: fmt.Sprintf(format, args...), Hint: hint})
	}
	c.validateHost(wrong)
	if c.Count < 1 || c.Count > maxCount {
		wrong("count", "1 to 100; the default is 5", "%d requests in a burst", c.Count)
	}
	if d := c.Interval.Std(); d < minInterval || d > maxInterval {
		wrong("interval", "10ms to 10s; the default is 200ms", "%s between two requests", c.Interval)
	}
	if c.Wait.Std() < minWait {
		wrong("wait", "at least 50ms; the default is 1s", "%s is too short to wait for an answer", c.Wait)
	}
	if c.Size < minSize || c.Size > maxSize {
		wrong("size", "24 to 65000 octets; the default is 56", "a payload of %d octets", c.Size)
	}
	if c.Family != "auto" && c.Family != "4" && c.Family != "6" {
		wrong("family", "4, 6 or auto", "%q is not an address family", c.Family)
	}
	return problems
}

func (c *Config) validateHost(wrong func(key, hint, format string, args ...any)) {
	const example = "an address such as 192.0.2.1 or 2001:db8::1, or a name"
	host, err := netip.ParseAddr(c.Host)
	switch {
	case c.Host == "":
		wrong("host", example, "the host to ping is missing")
	case err != nil && !plainName(c.Host):
		wrong("host", example, "%q is neither an address nor a name", c.Host)
	case err == nil && (host.IsMulticast() || host.IsUnspecified()):
		wrong("host", "the address of one machine", "%s is not the address of a machine", host)
	case err == nil && !c.allows(host):
		wrong("family", "leave family out", "%s is not an IPv%s address", host, c.Family)
	}
	if c.Source == "" {
		return
	}
	source, sourceErr := netip.ParseAddr(c.Source)
	switch {
	case sourceErr != nil || source.IsMulticast() || source.IsUnspecified():
		wrong("source", "one of this machine's own addresses", "%q is not an address to send from", c.Source)
	case err == nil && source.Unmap().Is4() != host.Unmap().Is4():
		wrong("source", "use addresses of one family", "%s cannot be reached from %s", host, source)
	case !c.allows(source):
		wrong("source", "use addresses of one family", "%s is not an IPv%s address", source, c.Family)
	}
}

// plainName reports whether s could be a host's name: letters, digits, dots, hyphens and underscores.
func plainName(s string) bool {
	strange := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '.' && r != '-' && r != '_'
	}
	digits := strings.Trim(s, "0123456789.") == "" // an address gone wrong
	return len(s) <= 253 && !strings.ContainsFunc(s, strange) && !digits && s[0] != '-' && s[0] != '.' && !strings.Contains(s, "..")
}

// allows reports whether an address is of the family asked for.
func (c *Config) allows(a netip.Addr) bool {
	switch c.Family {
	case "4":
		return a.Unmap().Is4()
	case "6":
		return !a.Unmap().Is4()
	}
	return true
}

// burst is how long it takes to send all requests.
func (c *Config) burst() time.Duration { return time.Duration(c.Count-1) * c.Interval.Std() }

// Open makes the collector. It fails when the burst does not fit into the timeout.
func (c *Config) Open(setup collectors.Setup) (collectors.Collector, error) {
	if need := c.burst() + minWait + lag; setup.Timeout < need {
		return nil, fmt.Errorf("%d requests every %s need a timeout of at least %s, not %s", c.Count, c.Interval, need, setup.Timeout)
	}
	p := &pinger{Config: *c}
	if addr, err := netip.ParseAddr(c.Host); err == nil {
		p.fixed = addr.Unmap()
	}
	if c.Source != "" {
		p.source = netip.MustParseAddr(c.Source).Unmap()
	}
	return p, nil
}
