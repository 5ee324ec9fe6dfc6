package tcp

import (
	"fmt"
	"net"
	"regexp"
	"time"

	"vigia/collectors"
	"vigia/collectors/reach"
)

const name = "tcp"

// Kind is the check of a TCP port.
func Kind() collectors.Kind { return kind(nil) }

// kind takes the resolver; nil is the system's.
func kind(resolver *net.Resolver) collectors.Kind {
	return collectors.Kind{
		Name:    name,
		New:     func() collectors.CheckConfig { return &Config{Verify: true, resolver: resolver} },
		Metrics: []collectors.Metric{collectors.Up, collectors.ConnectMS, collectors.ResponseMS, collectors.TLSExpiryD},
		Words:   reach.Words(name, words),
		Every:   30 * time.Second,
		Timeout: 5 * time.Second,
	}
}

// words are what the check says besides the words of package reach.
var words = collectors.Words{
	"ok":         {EN: "connected to {0} in {1} ms", ES: "conectado a {0} en {1} ms"},
	"ok_tls":     {EN: "connected to {0} in {1} ms, TLS {2} ms", ES: "conectado a {0} en {1} ms; TLS {2} ms"},
	"ok_answer":  {EN: "{0} answers \"{1}\" in {2} ms", ES: "{0} responde \"{1}\" en {2} ms"},
	"other":      {EN: "{0} answers \"{1}\", which lacks \"{2}\"", ES: "{0} responde \"{1}\", y le falta \"{2}\""},
	"mute":       {EN: "{0} closes the connection without a word, wanted \"{1}\"", ES: "{0} cierra la conexión sin decir nada; se esperaba \"{1}\""},
	"late":       {EN: "no answer from {0} within {1} s (connected, waiting for a word)", ES: "sin respuesta de {0} en {1} s (conectado, esperando una palabra)"},
	"late_other": {EN: "{0} answers only \"{1}\" within {3} s, which lacks \"{2}\"", ES: "{0} solo responde \"{1}\" en {3} s, y le falta \"{2}\""},

	"step_sent": {EN: "sent {0} octets", ES: "se enviaron {0} octetos"},
	"step_got":  {EN: "received {0} octets: \"{1}\"", ES: "se recibieron {0} octetos: \"{1}\""},
}

// Config is the tcp check's own part of the configuration.
type Config struct {
	Address string       `yaml:"address"` // host:port
	Family  reach.Family `yaml:"family"`  // 4, 6 or auto (default)
	TLS     bool         `yaml:"tls"`     // whether to open TLS at once
	Verify  bool         `yaml:"verify"`  // whether the certificate must hold; default true
	SNI     string       `yaml:"sni"`     // the name to ask for and to verify; default the host
	CA      string       `yaml:"ca"`      // a file of CA certificates in PEM; default the system's
	Send    string       `yaml:"send"`    // what to send once the connection stands
	Expect  string       `yaml:"expect"`  // regular expression (RE2) that the answer must hold; "^220 " is a prefix

	resolver *net.Resolver
}

const mostSent = 4 << 10 // octets that a check may send

// Target is the address.
func (c *Config) Target() string { return c.Address }

func (c *Config) tls() reach.TLS { return reach.TLS{Verify: c.Verify, SNI: c.SNI, CA: c.CA} }

// Validate lists everything that is wrong.
func (c *Config) Validate() []collectors.Problem {
	var problems []collectors.Problem
	add := func(key, hint, format string, args ...any) {
		problems = append(problems, collectors.Problem{Key: key, Message: fmt.Sprintf(format, args...), Hint: hint})
	}
	if c.Address == "" {
		add("address", "such as 192.0.2.10:5061", "address is missing")
	} else {
		_, _, wrong := reach.SplitAddress("address", c.Address)
		problems = append(problems, wrong...)
	}
	if c.TLS {
		problems = append(problems, c.tls().Problems("")...)
	}
	for _, needs := range []struct {
		key string
		set bool
	}{{"sni", c.SNI != ""}, {"ca", c.CA != ""}, {"verify", !c.Verify}} {
		if needs.set && !c.TLS {
			add(needs.key, "write tls: true", "%s means nothing without tls", needs.key)
		}
	}
	if _, err := regexp.Compile(c.Expect); err != nil {
		add("expect", "write a regular expression in RE2 syntax", "%s", err.Error())
	}
	if len(c.Send) > mostSent {
		add("send", "", "send is longer than %d octets", mostSent)
	}
	return problems
}

// Open makes the collector.
func (c *Config) Open(setup collectors.Setup) (collectors.Collector, error) {
	host, port, problems := reach.SplitAddress("address", c.Address)
	if len(problems) > 0 {
		return nil, fmt.Errorf("address: %s", problems[0].Message)
	}
	p := &prober{host: host, port: port, send: c.Send, within: setup.Timeout}
	p.dialer = reach.Dialer{Resolver: c.resolver, Family: c.Family, Within: setup.Timeout}
	var err error
	if c.TLS {
		if p.tls, err = c.tls().Client(host); err != nil {
			return nil, err
		}
	}
	if c.Expect != "" {
		if p.expect, err = regexp.Compile(c.Expect); err != nil {
			return nil, fmt.Errorf("expect: %w", err)
		}
	}
	return p, nil
}
