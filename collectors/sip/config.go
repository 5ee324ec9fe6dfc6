package sip

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"vigia/collectors"
	"vigia/collectors/reach"
)

const name = "sip"

// The transports.
const (
	overUDP = "udp"
	overTCP = "tcp"
	overTLS = "tls"
)

// Kind is the check of a SIP peer.
func Kind() collectors.Kind { return kind(nil) }

// kind takes the resolver; nil is the system's.
func kind(resolver *net.Resolver) collectors.Kind {
	return collectors.Kind{
		Name: name,
		New: func() collectors.CheckConfig {
			return &Config{Transport: overUDP, From: "vigia", MaxForwards: 70, TLS: reach.TLS{Verify: true}, resolver: resolver}
		},
		Metrics: []collectors.Metric{collectors.Up, collectors.LatencyMS, collectors.StatusCode, collectors.TLSExpiryD},
		Words:   reach.Words(name, words),
		Every:   30 * time.Second,
		Timeout: 5 * time.Second,
	}
}

// words are what the check says besides the words of package reach.
var words = collectors.Words{
	"ok":          {EN: "{0} in {1} ms", ES: "{0} en {1} ms"},
	"alive":       {EN: "{0} in {1} ms: answers, so it is alive", ES: "{0} en {1} ms: responde, así que está vivo"},
	"unwanted":    {EN: "{0} in {1} ms, wanted {2}", ES: "{0} en {1} ms, se esperaba {2}"},
	"late":        {EN: "no answer to OPTIONS from {0} within {2} s (sent {1} times)", ES: "sin respuesta de {0} a OPTIONS en {2} s (enviado {1} veces)"},
	"late_once":   {EN: "no answer to OPTIONS from {0} within {1} s (sent once)", ES: "sin respuesta de {0} a OPTIONS en {1} s (enviado una vez)"},
	"provisional": {EN: "{0}, but no final answer within {1} s", ES: "{0}, pero sin respuesta final en {1} s"},
	"not_sip":     {EN: "answer is not SIP: {0}", ES: "la respuesta no es SIP: {0}"},
	"foreign":     {EN: "{0} sends SIP, but no answer to our OPTIONS within {1} s", ES: "{0} envía SIP, pero ninguna respuesta a nuestro OPTIONS en {1} s"},

	"step_sent":        {EN: "OPTIONS {0} sent to {1} over {2}", ES: "OPTIONS {0} enviado a {1} por {2}"},
	"step_again":       {EN: "answered after {0} transmissions; the time is counted from the first", ES: "respondido tras {0} envíos; el tiempo se cuenta desde el primero"},
	"step_provisional": {EN: "{0} after {1} ms, still waiting", ES: "{0} tras {1} ms, se sigue esperando"},
	"step_ignored":     {EN: "{0} other SIP packets ignored: not an answer to this request", ES: "{0} paquetes SIP ignorados: no responden a esta solicitud"},
	"step_garbled":     {EN: "{0} packets ignored that are not SIP, the last: {1}", ES: "{0} paquetes ignorados que no son SIP; el último: {1}"},
}

// Config is the sip check's own part of the configuration.
type Config struct {
	Host        string       `yaml:"host"`
	Port        int          `yaml:"port"`      // default 5060, over TLS 5061
	Transport   string       `yaml:"transport"` // udp (default), tcp or tls
	Family      reach.Family `yaml:"family"`    // 4, 6 or auto (default)
	User        string       `yaml:"user"`      // of the Request-URI; default none
	URI         string       `yaml:"uri"`       // the whole Request-URI; default sip:[user@]host[:port]
	From        string       `yaml:"from_user"` // the user in From and Contact; default vigia (from is a key that every check has)
	Domain      string       `yaml:"domain"`    // the domain in From and, without uri, in the Request-URI; default our address, their host
	Expect      reach.Codes  `yaml:"expect"`    // wanted codes and classes; default any: every final answer
	Local       string       `yaml:"local"`     // source address
	MaxForwards int          `yaml:"max_forwards"`
	TLS         reach.TLS    `yaml:"tls"`

	resolver *net.Resolver
}

func (c *Config) port() int {
	switch {
	case c.Port != 0:
		return c.Port
	case c.Transport == overTLS:
		return 5061
	}
	return 5060
}

// Target is host:port/transport.
func (c *Config) Target() string {
	return net.JoinHostPort(strings.Trim(c.Host, "[]"), strconv.Itoa(c.port())) + "/" + c.Transport
}

// Validate lists everything that is wrong.
func (c *Config) Validate() []collectors.Problem {
	problems := reach.HostProblems("host", c.Host)
	add := func(key, hint, format string, args ...any) {
		problems = append(problems, collectors.Problem{Key: key, Message: fmt.Sprintf(format, args...), Hint: hint})
	}
	problems = append(problems, reach.PortProblems("port", c.port())...)
	switch c.Transport {
	case overUDP, overTCP:
		if c.TLS != (reach.TLS{Verify: true}) {
			add("tls", "write transport: tls", "tls means nothing over %s", c.Transport)
		}
	case overTLS:
		problems = append(problems, c.TLS.Problems("tls.")...)
	default:
		add("transport", "write udp, tcp or tls", "%q is no transport", c.Transport)
	}
	if c.URI != "" && !isURI(c.URI) {
		add("uri", "such as sip:ping@carrier.example", "%q is no SIP URI", c.URI)
	}
	if c.URI != "" && c.User != "" {
		add("user", "write the user into the uri", "both a uri and a user")
	}
	for key, user := range map[string]string{"user": c.User, "from_user": c.From} {
		if !isUser(user) {
			add(key, "letters, digits and -_.!~*'()&=+$,;?/%% only", "%q cannot be the user of a SIP URI", user)
		}
	}
	if c.From == "" {
		add("from_user", "leave the key out for vigia", "from_user is empty")
	}
	if c.Domain != "" {
		problems = append(problems, reach.HostProblems("domain", c.Domain)...)
	}
	if c.MaxForwards < 0 || c.MaxForwards > 255 {
		add("max_forwards", "the usual is 70; 0 asks the first proxy itself", "max_forwards is not from 0 to 255")
	}
	problems = append(problems, c.localProblems()...)
	return problems
}

func (c *Config) localProblems() []collectors.Problem {
	if c.Local == "" {
		return nil
	}
	local, err := netip.ParseAddr(c.Local)
	switch {
	case err != nil:
		return []collectors.Problem{{Key: "local", Message: fmt.Sprintf("%q is not an IP address", c.Local), Hint: "an address of this machine, without a port"}}
	case c.Family == reach.IPv4 && !local.Is4(), c.Family == reach.IPv6 && !local.Is6():
		return []collectors.Problem{{Key: "local", Message: fmt.Sprintf("%s is not an IPv%s address", c.Local, c.Family)}}
	}
	return nil
}

// isUser accepts what RFC 3261 §25.1 allows in a user without escaping, and escapes.
func isUser(s string) bool {
	for _, c := range []byte(s) {
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-_.!~*'()&=+$,;?/%", c) >= 0) {
			return false
		}
	}
	return true
}

// isURI accepts a sip: or sips: URI that can stand in a request line and between angle brackets: printable, no space, no headers.
func isURI(s string) bool {
	rest, ok := strings.CutPrefix(s, "sip:")
	if !ok {
		rest, ok = strings.CutPrefix(s, "sips:")
	}
	if !ok || rest == "" || strings.ContainsAny(rest, `<>"?`) {
		return false
	}
	for _, c := range []byte(rest) {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return true
}

// Open makes the collector.
func (c *Config) Open(setup collectors.Setup) (collectors.Collector, error) {
	within := timerF
	if setup.Timeout > 0 {
		within = min(within, setup.Timeout)
	}
	p := &prober{config: *c, port: c.port(), within: within, reader: newReader()}
	p.dialer = reach.Dialer{Resolver: c.resolver, Family: c.Family, Within: within}
	var err error
	if c.Local != "" {
		if p.dialer.Local, err = netip.ParseAddr(c.Local); err != nil {
			return nil, fmt.Errorf("local: %w", err)
		}
		if p.dialer.Family == "" || p.dialer.Family == reach.Auto {
			p.dialer.Family = familyOf(p.dialer.Local)
		}
	}
	if c.Transport == overTLS {
		if p.tls, err = c.TLS.Client(c.Host, "sip"); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// familyOf narrows auto: from an IPv4 address only IPv4 addresses can be reached.
func familyOf(local netip.Addr) reach.Family {
	if local.Is4() {
		return reach.IPv4
	}
	return reach.IPv6
}
