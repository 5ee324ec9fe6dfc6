// Package reachtest makes what tests of the http, tcp and sip checks need: certificates that hold and that do not, and a name server.
package reachtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// CA is a certificate authority of a test.
type CA struct {
	File string // its certificate in PEM
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// Leaf is what a certificate shall be like.
type Leaf struct {
	Names    []string      // DNS names; nil: localhost
	IPs      []net.IP      // nil: 127.0.0.1 and ::1, unless Names are given
	Lasts    time.Duration // from now; negative: expired so long ago
	Begins   time.Duration // from now; 0: an hour before its end or now
	OtherKey bool          // signed by a CA that nobody knows
}

const year = 365 * 24 * time.Hour

// NewCA makes an authority that lasts ten years.
func NewCA(t testing.TB) *CA {
	t.Helper()
	return newCA(t, "Test CA", 10*year, nil)
}

// Below makes an intermediate authority that lasts so long; negative: it expired so long ago.
func (ca *CA) Below(t testing.TB, name string, lasts time.Duration) *CA {
	t.Helper()
	return newCA(t, name, lasts, ca)
}

// newCA makes an authority that is signed by another, or by itself when that is nil.
func newCA(t testing.TB, name string, lasts time.Duration, by *CA) *CA {
	t.Helper()
	key := newKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-2 * year), NotAfter: time.Now().Add(lasts),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	signer, with := template, key
	if by != nil {
		signer, with = by.cert, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, signer, &key.PublicKey, with)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return &CA{File: file, cert: cert, key: key}
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// Issue makes a certificate and returns the configuration of a server that shows it.
func (ca *CA) Issue(t testing.TB, leaf Leaf) *tls.Config {
	t.Helper()
	if leaf.OtherKey {
		return NewCA(t).Issue(t, Leaf{Names: leaf.Names, IPs: leaf.IPs, Lasts: leaf.Lasts})
	}
	if leaf.Names == nil {
		leaf.Names = []string{"localhost"}
		if leaf.IPs == nil {
			leaf.IPs = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
		}
	}
	if leaf.Lasts == 0 {
		leaf.Lasts = 90 * 24 * time.Hour
	}
	begins := time.Now().Add(min(leaf.Lasts, 0) - time.Hour)
	if leaf.Begins != 0 {
		begins = time.Now().Add(leaf.Begins)
	}
	key := newKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "Test leaf"},
		NotBefore: begins, NotAfter: time.Now().Add(leaf.Lasts),
		DNSNames: leaf.Names, IPAddresses: leaf.IPs,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca.cert, &key.PublicKey, ca.key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{{Certificate: [][]byte{der, ca.cert.Raw}, PrivateKey: key}}}
}
