package rtcp

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"

	"vigia/collectors"
)

// Config is where RTCP is received, and from whom.
type Config struct {
	Listen  string         `yaml:"listen"`      // host:port
	Allow   []netip.Prefix `yaml:"allow"`       // whose packets are taken; empty: everybody's
	Buffer  int            `yaml:"buffer"`      // receive buffer that is asked of the kernel, octets; default 8 MiB
	Rate    int            `yaml:"rate"`        // packets per second and source; default 5,000
	Sources int            `yaml:"max_sources"` // sources known at one time; default 65,536
}

// The defaults. A media server with 5,000 calls sends 2,000 packets a second; the buffer holds about two seconds of 10,000.
const (
	defaultBuffer  = 8 << 20
	defaultRate    = 5_000
	defaultSources = 65_536
)

// Validate lists everything that is wrong.
func (c *Config) Validate() (problems []collectors.Problem) {
	add := func(key, hint, format string, args ...any) {
		problems = append(problems, collectors.Problem{Key: key, Message: fmt.Sprintf(format, args...), Hint: hint})
	}
	if _, port, err := net.SplitHostPort(c.Listen); err != nil {
		add("listen", "such as 0.0.0.0:5005", "%q is not host:port", c.Listen)
	} else if n, err := strconv.ParseUint(port, 10, 16); err != nil {
		add("listen", "0 takes any free port", "the port %q is not from 0 to 65535 (%d)", port, n)
	}
	for i, p := range c.Allow {
		if !p.IsValid() {
			add("allow", "such as 10.0.0.0/8", "network %d is none", i+1)
		}
	}
	for key, v := range map[string]int{"buffer": c.Buffer, "rate": c.Rate, "max_sources": c.Sources} {
		if v < 0 {
			add(key, "leave the key out for the default", "%s is negative", key)
		}
	}
	return problems
}

func (c *Config) setDefaults() {
	for _, d := range []struct {
		to    *int
		value int
	}{{&c.Buffer, defaultBuffer}, {&c.Rate, defaultRate}, {&c.Sources, defaultSources}} {
		if *d.to == 0 {
			*d.to = d.value
		}
	}
}
