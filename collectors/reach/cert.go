package reach

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"vigia/collectors"
)

// TLS is how a check wants TLS, as configurations write it.
type TLS struct {
	Verify bool   `yaml:"verify"` // whether a certificate that does not hold makes the run fail
	SNI    string `yaml:"sni"`    // the name to ask for and to verify; empty: the host
	CA     string `yaml:"ca"`     // a file of CA certificates in PEM; empty: the system's
}

// Problems checks the keys; prefix stands before their names.
func (t TLS) Problems(prefix string) []collectors.Problem {
	var problems []collectors.Problem
	if t.SNI != "" {
		problems = append(problems, HostProblems(prefix+"sni", t.SNI)...)
	}
	if _, err := t.roots(); err != nil {
		problems = append(problems, collectors.Problem{Key: prefix + "ca", Message: err.Error(), Hint: "name a PEM file of CA certificates by its full path"})
	}
	if t.CA != "" && !t.Verify {
		problems = append(problems, collectors.Problem{Key: prefix + "ca", Message: "a CA file is of no use while verify is false"})
	}
	return problems
}

func (t TLS) roots() (*x509.CertPool, error) {
	if t.CA == "" {
		return nil, nil //nolint:nilnil // no pool means the system's
	}
	if !filepath.IsAbs(t.CA) {
		return nil, fmt.Errorf("%q is not a full path", t.CA)
	}
	pem, err := os.ReadFile(t.CA)
	if err != nil {
		var path *os.PathError
		if errors.As(err, &path) {
			err = path.Err
		}
		return nil, fmt.Errorf("reading %s: %w", t.CA, err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate in PEM", t.CA)
	}
	return pool, nil
}

// Client makes the configuration of a client that talks to host. Its error is that of a CA file that cannot be read.
func (t TLS) Client(host string, protocols ...string) (*tls.Config, error) {
	roots, err := t.roots()
	if err != nil {
		return nil, err
	}
	name := t.SNI
	if name == "" {
		name = strings.Trim(host, "[]")
	}
	return &tls.Config{
		ServerName:         strings.TrimSuffix(name, "."),
		RootCAs:            roots,
		NextProtos:         protocols,
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: !t.Verify, //nolint:gosec // only when the operator wrote verify: false; the expiry is measured all the same
	}, nil
}

// Secured is a TLS connection and what is known of its peer's certificate, which is there also when the handshake failed over it.
type Secured struct {
	Conn     *tls.Conn
	Took     time.Duration
	HasChain bool
	ExpiryD  float64 // days until the chain expires; negative when it has
	Subject  string  // of the certificate that expires first
	Issuer   string
	NotAfter time.Time
}

// Handshake makes conn a TLS connection. within is the time that the run has. The error is a *Failure; conn is then left to the caller.
func Handshake(ctx context.Context, conn net.Conn, config *tls.Config, peer netip.AddrPort, within time.Duration) (Secured, error) {
	start := time.Now()
	client := tls.Client(conn, config)
	err := client.HandshakeContext(ctx)
	s := Secured{Conn: client, Took: time.Since(start)}
	if err == nil {
		state := client.ConnectionState()
		s.judge(firstExpiry(state.VerifiedChains, state.PeerCertificates))
		return s, nil
	}
	var unverified *tls.CertificateVerificationError
	if errors.As(err, &unverified) {
		s.judge(earliest(unverified.UnverifiedCertificates))
		return s, unheld(unverified, config.ServerName, time.Now())
	}
	return s, broken(ctx, err, peer, within)
}

func (s *Secured) judge(c *x509.Certificate) {
	if c == nil {
		return
	}
	s.HasChain = true
	s.NotAfter = c.NotAfter.UTC()
	s.ExpiryD = time.Until(c.NotAfter).Hours() / 24
	s.Subject, s.Issuer = subject(c), issuer(c)
}

// firstExpiry is the certificate that ends the chain: of the verified chains, the one that lasts longest counts.
func firstExpiry(chains [][]*x509.Certificate, sent []*x509.Certificate) *x509.Certificate {
	var best *x509.Certificate
	for _, chain := range chains {
		if c := earliest(chain); best == nil || c != nil && c.NotAfter.After(best.NotAfter) {
			best = c
		}
	}
	if best == nil {
		best = earliest(sent)
	}
	return best
}

func earliest(chain []*x509.Certificate) *x509.Certificate {
	var first *x509.Certificate
	for _, c := range chain {
		if first == nil || c.NotAfter.Before(first.NotAfter) {
			first = c
		}
	}
	return first
}

// unheld says what is wrong with a certificate.
func unheld(err *tls.CertificateVerificationError, name string, now time.Time) *Failure {
	sent := err.UnverifiedCertificates
	var invalid x509.CertificateInvalidError
	var hostname x509.HostnameError
	var unknown x509.UnknownAuthorityError
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired && now.Before(invalid.Cert.NotBefore):
		return failure("cert_early", days(invalid.Cert.NotBefore.Sub(now)))
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return expired(invalid.Cert, len(sent) > 0 && invalid.Cert.Equal(sent[0]), now)
	case errors.As(err, &hostname):
		if names := namesOf(hostname.Certificate); names != "" {
			return failure("cert_name", names, name)
		}
		return failure("cert_noname", name)
	case errors.As(err, &unknown):
		if c := earliest(sent); c != nil && now.After(c.NotAfter) { // an expired intermediate is why no chain was found
			return expired(c, c == sent[0], now)
		}
		return failure("cert_issuer", issuer(unknown.Cert))
	}
	return failure("cert_bad", Clean(err.Err.Error(), 120))
}

func expired(c *x509.Certificate, leaf bool, now time.Time) *Failure {
	ago := now.Sub(c.NotAfter)
	switch {
	case !leaf:
		return failure("cert_chain_expired", subject(c), days(ago))
	case ago < 48*time.Hour:
		return failure("cert_expired_h", ago.Hours())
	}
	return failure("cert_expired", days(ago))
}

func days(d time.Duration) float64 { return d.Hours() / 24 }

func subject(c *x509.Certificate) string {
	if c == nil {
		return "?"
	}
	if c.Subject.CommonName != "" {
		return Clean(c.Subject.CommonName, 60)
	}
	if names := namesOf(c); names != "" {
		return names
	}
	return Clean(c.Subject.String(), 60)
}

func issuer(c *x509.Certificate) string {
	if c == nil {
		return "?"
	}
	if c.Issuer.CommonName != "" {
		return Clean(c.Issuer.CommonName, 60)
	}
	return Clean(c.Issuer.String(), 60)
}

const namesShown = 3 // of those that a certificate is for

func namesOf(c *x509.Certificate) string {
	if c == nil {
		return ""
	}
	names := c.DNSNames
	for _, ip := range c.IPAddresses {
		names = append(names[:len(names):len(names)], ip.String())
	}
	if len(names) > namesShown {
		names = append(names[:namesShown:namesShown], "…")
	}
	return Clean(strings.Join(names, ", "), 120)
}

// broken says why a handshake ended that no certificate was the matter of.
func broken(ctx context.Context, err error, peer netip.AddrPort, within time.Duration) *Failure {
	var record tls.RecordHeaderError
	var alert tls.AlertError
	switch {
	case ctx.Err() != nil, TimedOut(err):
		return Ended(ctx, within, "late_tls", peer.String())
	case errors.As(err, &record):
		return failure("not_tls", peer.String())
	case errors.As(err, &alert), strings.HasPrefix(err.Error(), "tls: "), strings.HasPrefix(err.Error(), "remote error: "):
		return failure("tls_broken", peer.String(), Clean(strings.TrimPrefix(err.Error(), "remote error: "), 120))
	}
	return Broken(err, peer.String())
}
