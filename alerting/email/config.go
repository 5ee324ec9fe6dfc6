package email

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"strings"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
)

// Kind is the receiver kind email.
func Kind() alerting.ReceiverKind {
	return alerting.ReceiverKind{Name: "email", New: func() alerting.ReceiverConfig { return &Config{} }}
}

// Config is a mail receiver's part of the configuration.
type Config struct {
	SMTP     inventory.Secret `yaml:"smtp"`
	User     inventory.Secret `yaml:"user"`
	Password inventory.Secret `yaml:"password"`
	StartTLS StartTLS         `yaml:"starttls"`
	CA       inventory.Secret `yaml:"ca"`
	From     string           `yaml:"from"`
	To       []string         `yaml:"to"`
	CC       []string         `yaml:"cc"`
}

// StartTLS says when a connection is turned into an encrypted one (RFC 3207).
type StartTLS string

// When STARTTLS is used. The empty value is offered, or required once a password has to be protected.
const (
	StartTLSOffered  StartTLS = "offered"
	StartTLSRequired StartTLS = "required"
	StartTLSNever    StartTLS = "never"
)

const smtpHint = "such as smtp://mail.example.com:587, or set it for all under mail"

// Validate lists what is wrong.
func (c *Config) Validate() []collectors.Problem {
	var problems []collectors.Problem
	add := func(key, message, hint string) {
		problems = append(problems, collectors.Problem{Key: key, Message: message, Hint: hint})
	}
	if c.SMTP.IsZero() {
		add("smtp", "a mail receiver needs its server", smtpHint)
	} else if _, err := c.server(); err != nil {
		add(keyOf(err), err.Error(), hintOf(err))
	}
	if c.From == "" {
		add("from", "a mail receiver needs its sender", "such as noc@example.com, or set it for all under mail")
	} else if _, err := parseAddress(c.From); err != nil {
		add("from", err.Error(), "such as NOC <noc@example.com>")
	}
	if len(c.To) == 0 {
		add("to", "a mail receiver needs somebody to write to", "a list such as [noc@example.com]")
	}
	for key, list := range map[string][]string{"to": c.To, "cc": c.CC} {
		for _, one := range list {
			if _, err := parseAddress(one); err != nil {
				add(key, err.Error(), "such as ana@example.com")
			}
		}
	}
	return problems
}

// keyError is a mistake with the key that it is about.
type keyError struct{ key, message, hint string }

// Error is the mistake.
func (e *keyError) Error() string { return e.message }

func keyOf(err error) string {
	if k := (*keyError)(nil); errors.As(err, &k) {
		return k.key
	}
	return ""
}

func hintOf(err error) string {
	if k := (*keyError)(nil); errors.As(err, &k) {
		return k.hint
	}
	return ""
}

func parseAddress(text string) (*mail.Address, error) {
	a, err := mail.ParseAddress(text)
	if err != nil || strings.ContainsAny(a.Address, " \t\r\n") || !strings.Contains(a.Address, "@") {
		return nil, fmt.Errorf("%q is not a mail address", text)
	}
	return a, nil
}

// server is where and how to speak SMTP.
type server struct {
	host, port string
	implicit   bool // TLS from the first octet
	startTLS   StartTLS
	tls        *tls.Config
	user       string
	password   inventory.Secret
}

// server reads the address and what protects it. Its errors never show what stands there.
func (c *Config) server() (server, error) {
	u, err := url.Parse(c.SMTP.Reveal())
	if err != nil || u.Hostname() == "" || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" {
		return server{}, &keyError{"smtp", "this is not the address of a mail server", smtpHint}
	}
	s := server{host: u.Hostname(), port: u.Port(), user: u.User.Username(), startTLS: c.StartTLS}
	if password, ok := u.User.Password(); ok {
		s.password = inventory.NewSecret(password)
	}
	if !c.User.IsZero() {
		s.user = c.User.Reveal()
	}
	if !c.Password.IsZero() {
		s.password = c.Password
	}
	switch u.Scheme {
	case "smtp":
		s.port = orPort(s.port, "25")
	case "smtps":
		s.port, s.implicit = orPort(s.port, "465"), true
	default:
		return server{}, &keyError{"smtp", fmt.Sprintf("%q is neither smtp nor smtps", u.Scheme), smtpHint}
	}
	if (s.user == "") != s.password.IsZero() {
		return server{}, &keyError{"user", "a user and a password belong together", ""}
	}
	if err := s.protect(c.CA); err != nil {
		return server{}, err
	}
	return s, nil
}

func orPort(port, usual string) string {
	if port == "" {
		return usual
	}
	return port
}

// protect decides how the connection is encrypted.
func (s *server) protect(ca inventory.Secret) error {
	exposed := !s.password.IsZero() && !s.implicit && !isLoopback(s.host)
	switch s.startTLS {
	case "":
		s.startTLS = StartTLSOffered
		if exposed {
			s.startTLS = StartTLSRequired
		}
	case StartTLSOffered, StartTLSNever:
		if exposed {
			return &keyError{"starttls", fmt.Sprintf("%s would show the password to the network", s.startTLS), "required, or smtps://"}
		}
	case StartTLSRequired:
	default:
		return &keyError{"starttls", fmt.Sprintf("%q is not offered, required or never", string(s.startTLS)), ""}
	}
	s.tls = &tls.Config{ServerName: s.host, MinVersion: tls.VersionTLS12}
	if !ca.IsZero() {
		s.tls.RootCAs = x509.NewCertPool()
		if !s.tls.RootCAs.AppendCertsFromPEM([]byte(ca.Reveal())) {
			return &keyError{"ca", "there is no certificate in PEM form in it", "${file:/etc/ssl/noc.pem}"}
		}
	}
	return nil
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

// address is what to dial.
func (s server) address() string { return net.JoinHostPort(s.host, s.port) }

// Open makes the notifier; it connects to nothing.
func (c *Config) Open(setup alerting.ReceiverSetup) (alerting.Notifier, error) {
	s, err := c.server()
	if err != nil {
		return nil, fmt.Errorf("smtp: %w", err)
	}
	n := &notifier{server: s, wording: setup.Wording(), secrets: secretsOf(c.SMTP, s), served: newServed(), history: setup.History, logger: setup.Logger}
	if n.logger == nil {
		n.logger = slog.New(slog.DiscardHandler)
	}
	if n.from, err = parseAddress(c.From); err != nil {
		return nil, fmt.Errorf("from: %w", err)
	}
	if n.to, err = parseAddresses(c.To); err != nil {
		return nil, fmt.Errorf("to: %w", err)
	}
	if n.cc, err = parseAddresses(c.CC); err != nil {
		return nil, fmt.Errorf("cc: %w", err)
	}
	return n, nil
}

func parseAddresses(list []string) ([]*mail.Address, error) {
	var out []*mail.Address
	for _, text := range list {
		a, err := parseAddress(text)
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}
