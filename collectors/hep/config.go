package hep

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"

	"vigia/collectors"
	"vigia/collectors/inventory"
	"vigia/collectors/wire"
)

// Config is where HEP is received, and from whom.
type Config struct {
	UDP         string           `yaml:"udp"`      // host:port
	TCP         string           `yaml:"tcp"`      // host:port
	TLS         string           `yaml:"tls"`      // host:port
	Cert        string           `yaml:"cert"`     // file with our certificate chain, PEM; for tls
	CertKey     string           `yaml:"cert_key"` // file with its private key, PEM
	Allow       []netip.Prefix   `yaml:"allow"`    // whose packets are taken; empty: everybody's
	Key         inventory.Secret `yaml:"key"`      // authentication key that every message must carry; empty: none is looked at
	Buffer      int              `yaml:"buffer"`   // UDP receive buffer that is asked of the kernel, octets; default 16 MiB
	Rate        int              `yaml:"rate"`     // messages per second and source; default 50,000
	Sources     int              `yaml:"max_sources"`
	Connections int              `yaml:"max_connections"` // TCP and TLS together; default 256, of one source at most a quarter

	Dialects map[uint32]wire.Dialect `yaml:"-"` // dialect of RTCP JSON by agent id, where it must not be found from the messages
}

// The defaults. An agent that sees 100,000 calls sends 40,000 RTCP messages a second.
const (
	defaultBuffer      = 16 << 20
	defaultRate        = 50_000
	defaultSources     = 4_096
	defaultConnections = 256
)

// Validate lists everything that is wrong.
func (c *Config) Validate() (problems []collectors.Problem) {
	add := func(key, hint, format string, args ...any) {
		problems = append(problems, collectors.Problem{Key: key, Message: fmt.Sprintf(format, args...), Hint: hint})
	}
	if c.UDP == "" && c.TCP == "" && c.TLS == "" {
		add("", "give udp:, tcp: or tls:, or several", "hep listens nowhere")
	}
	for _, a := range [...]struct{ key, address string }{{"udp", c.UDP}, {"tcp", c.TCP}, {"tls", c.TLS}} {
		if a.address == "" {
			continue
		}
		_, port, err := net.SplitHostPort(a.address)
		if err == nil {
			_, err = strconv.ParseUint(port, 10, 16)
		}
		if err != nil {
			add(a.key, "such as 0.0.0.0:9060", "%q is not host:port", a.address)
		}
	}
	if c.TLS != "" && (c.Cert == "" || c.CertKey == "") {
		add("tls", "give cert: and cert_key:, both PEM files", "tls without a certificate")
	}
	for i, p := range c.Allow {
		if !p.IsValid() {
			add("allow", "such as 10.0.0.0/8", "network %d is none", i+1)
		}
	}
	for _, n := range [...]struct {
		key string
		v   int
	}{{"buffer", c.Buffer}, {"rate", c.Rate}, {"max_sources", c.Sources}, {"max_connections", c.Connections}} {
		if n.v < 0 {
			add(n.key, "leave the key out for the default", "%s is negative", n.key)
		}
	}
	return problems
}

func (c *Config) setDefaults() {
	for _, d := range []struct {
		to    *int
		value int
	}{{&c.Buffer, defaultBuffer}, {&c.Rate, defaultRate}, {&c.Sources, defaultSources}, {&c.Connections, defaultConnections}} {
		if *d.to == 0 {
			*d.to = d.value
		}
	}
}
