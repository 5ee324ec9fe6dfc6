package snmp

import (
	"cmp"
	"fmt"
	"net/netip"
	"path"
	"slices"
	"strings"
	"time"

	"vigia/collectors"
	"vigia/collectors/inventory"
)

const (
	name        = "snmp"
	defaultPort = 161
)

// Kind makes the kind. Its collectors share what they know of devices, so call it once in a process.
func Kind() collectors.Kind { return kindWith(newRegistry(time.Now)) }

func kindWith(shared *registry) collectors.Kind {
	return collectors.Kind{
		Name:    name,
		New:     func() collectors.CheckConfig { return &Config{Port: defaultPort, Version: "2c", registry: shared} },
		Metrics: metrics,
		Words:   words,
		Every:   time.Minute,
		Timeout: 10 * time.Second,
	}
}

var metrics = []collectors.Metric{
	collectors.Up, collectors.ResponseMS, collectors.UptimeS,
	collectors.InterfaceUp, collectors.InBps, collectors.OutBps, collectors.InUtilPct, collectors.OutUtilPct, collectors.ErrorsPps, collectors.DiscardsPps,
	collectors.CPUPct, collectors.CorePct, collectors.RAMPct, collectors.PoolPct, collectors.SwapPct, collectors.DiskPct,
	collectors.Load1, collectors.Load5, collectors.Load15,
	collectors.TemperatureC, collectors.FanRPM, collectors.VoltageV, collectors.CurrentA, collectors.PowerW, collectors.OpticalDBM, collectors.HumidityPct,
	collectors.BatteryPct, collectors.RuntimeS, collectors.LoadPct, collectors.PartOK,
	collectors.Sessions, collectors.Calls, collectors.CallsFailed, collectors.ProbeMOS, collectors.ProbeRTTMS,
}

// Config is the snmp check's own part of the configuration.
type Config struct {
	Host      string           `yaml:"host" need:"yes"` // a name or an address
	Port      int              `yaml:"port" min:"1" max:"65535"`
	Version   string           `yaml:"version" enum:"1 2c 3"`
	Community inventory.Secret `yaml:"community"` // versions 1 and 2c
	User      string           `yaml:"user"`      // version 3
	Auth      inventory.Secret `yaml:"auth"`      // version 3: algorithm:password
	Priv      inventory.Secret `yaml:"priv"`      // version 3: algorithm:password
	Context   string           `yaml:"context"`   // version 3: contextName (RFC 3411 §3.3.1)
	Interface string           `yaml:"interface" is:"label"`
	// Interfaces are patterns of names, descriptions or aliases of a server's interfaces; nil watches all that are not shut down, an empty
	// list none.
	Interfaces []string `yaml:"interfaces" is:"label"`
	Profile    string   `yaml:"profile" is:"word"` // default: chosen by sysObjectID

	registry *registry
}

// Validate compares the keys with the version and with each other.
func (c *Config) Validate() []collectors.Problem {
	var out []collectors.Problem
	add := func(key, hint, format string, args ...any) {
		out = append(out, collectors.Problem{Key: key, Message: fmt.Sprintf(format, args...), Hint: hint})
	}
	if c.Host == "" {
		add("host", "an address such as 192.0.2.1, or a name", "host is missing")
	} else if a, err := netip.ParseAddr(c.Host); err == nil && (a.IsMulticast() || a.IsUnspecified()) {
		add("host", "the address of one machine", "%s is not the address of a machine", a)
	}
	switch c.Version {
	case "1", "2c":
		if c.Community.IsZero() {
			add("community", "such as ${env:SNMP_RO}", "community is missing")
		}
		if n := len(c.Community.Reveal()); n > mostCommunity {
			add("community", "", "the community is longer than %d octets", mostCommunity)
		}
		if c.User != "" || !c.Auth.IsZero() || !c.Priv.IsZero() || c.Context != "" {
			add("version", "write version: 3", "user, auth, priv and context belong to version 3")
		}
	case "3":
		c.validate3(add)
	}
	if c.Interface != "" && c.Interfaces != nil {
		add("interfaces", "interface is for a link, interfaces for a server", "interface and interfaces exclude each other")
	}
	for _, p := range c.Interfaces {
		if _, err := path.Match(noSlash.Replace(p), ""); err != nil {
			add("interfaces", "such as \"eth*\" or \"ge-0/0/[0-3]\"", "%q is not a pattern", p)
		}
	}
	return out
}

// mostCommunity is what the library writes into one octet of length.
const mostCommunity = 127

func (c *Config) validate3(add func(key, hint, format string, args ...any)) {
	if c.User == "" {
		add("user", "", "user is missing")
	}
	if !c.Community.IsZero() {
		add("community", "take it out or write version: 2c", "community belongs to version 2c")
	}
	if c.Auth.IsZero() && !c.Priv.IsZero() {
		add("priv", "give auth too", "priv needs auth (RFC 3414 §1.4)")
	}
	if problem := algorithm(c.Auth, "md5", "sha", "sha224", "sha256", "sha384", "sha512"); problem != "" {
		add("auth", "such as sha256:${file:/run/secrets/auth}", "auth %s", problem)
	}
	if problem := algorithm(c.Priv, "des", "aes", "aes192", "aes256", "aes192c", "aes256c"); problem != "" {
		add("priv", "such as aes:${file:/run/secrets/priv}", "priv %s", problem)
	}
}

// algorithm says what is wrong with a secret of the form algorithm:password, or nothing. RFC 3414 §11.2 asks for eight characters.
func algorithm(s inventory.Secret, known ...string) string {
	if s.IsZero() {
		return ""
	}
	method, password, cut := strings.Cut(s.Reveal(), ":")
	switch {
	case !cut || !slices.Contains(known, method):
		return "does not begin with one of " + strings.Join(known, ", ") + " and a colon"
	case len(password) < 8:
		return "has a password shorter than 8 characters"
	}
	return ""
}

// Target is the host, and which interface of it.
func (c *Config) Target() string {
	d := device{host: c.Host, port: c.Port}
	if c.Interface != "" {
		return d.label() + " " + c.Interface
	}
	return d.label()
}

// Open makes the collector. Under a link it watches one interface, under a server the machine and its interfaces.
func (c *Config) Open(setup collectors.Setup) (collectors.Collector, error) {
	set, err := c.registry.set(setup.Files)
	if err != nil {
		return nil, err
	}
	if c.Profile != "" && set.Named(c.Profile) == nil {
		return nil, fmt.Errorf("there is no profile %q (%s)", c.Profile, cmp.Or(set.Meant(c.Profile), "docs/devices.md lists them"))
	}
	p := &prober{registry: c.registry, link: c.Interface, all: c.Interfaces == nil, patterns: c.Interfaces, health: true, capacity: float64(setup.Capacity)}
	switch kind := setup.ID.Ref.Kind; {
	case kind == inventory.KindLink && c.Interface == "":
		return nil, fmt.Errorf("interface: which interface of %s carries this link is missing", c.Host)
	case kind == inventory.KindLink:
		p.health = false
	case kind == inventory.KindServer && c.Interface != "":
		return nil, fmt.Errorf("interface: a server has many; write interfaces: [%q], or put the check under a link", c.Interface)
	case kind != inventory.KindServer:
		return nil, fmt.Errorf("snmp watches links and servers, this is a %s", kind)
	}
	p.device = c.registry.acquire(c.Host, c.Port, c.credentials(), set, c.Profile)
	return p, nil
}

func (c *Config) credentials() *credentials {
	version := map[string]int{"1": 1, "2c": 2, "3": 3}[c.Version]
	return &credentials{version: version, community: c.Community, user: c.User, auth: c.Auth, priv: c.Priv, context: c.Context}
}
