package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"vigia/collectors/collectorstest/callsim"
	"vigia/mos"
)

const waysConfig = `listen: %[1]s
store: %[2]s
sites: [{name: miami}]
trunks: [{name: carrier-a, site: miami, networks: [203.0.113.0/28]}]
customers: [{name: acme, match: {networks: [198.51.100.0/25]}}]
voice:
  rtcp: {listen: "%[3]s", allow: [127.0.0.0/8]}
  hep: {tls: "%[4]s", cert: hep.pem, cert_key: hep.key, allow: [127.0.0.0/8], key: "open sesame"}
  jitter_buffer: {mode: fixed, max: 60ms}
`

// TestVoiceWays: a call that is told of over HEP in TLS, and one of which nothing but the RTCP of both ends is mirrored to a port, come out as they were.
func TestVoiceWays(t *testing.T) {
	dir, listen, raw, hep := t.TempDir(), freeAddress(t), freeAddress(t), freeAddress(t)
	file := filepath.Join(dir, "vigia.yaml")
	roots := certificate(t, dir)
	if err := os.WriteFile(file, fmt.Appendf(nil, waysConfig, listen, "sqlite:"+filepath.Join(dir, "vigia.db"), raw, hep), 0o600); err != nil {
		t.Fatal(err)
	}
	w := &voiceWorld{t: t, file: file}
	w.p = start(t, listen, "run", "-c", file)
	told := simulated("over-tls@pbx")
	conn, err := tls.Dial("tcp", hep, &tls.Config{RootCAs: roots, ServerName: "127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	agent := callsim.Agent{ID: 7, Key: "open sesame"}
	mirrored := simulated("mirrored")
	mirrored.Caller.SSRC, mirrored.Callee.SSRC = 0xeeee0001, 0xffff0001
	done := make(chan struct{})
	go func() {
		defer close(done)
		mirror(t, mirrored, raw, 9)
	}()
	told.Play(t.Context(), 9*time.Second, func(s *callsim.Seen) {
		if _, err := conn.Write(agent.AppendHEP(nil, s)); err != nil {
			t.Errorf("send over TLS: %v", err)
		}
	})
	<-done
	w.holds(told, "acme")
	if code := w.p.stop(); code != 0 {
		t.Errorf("exit code %d:\n%s", code, w.p.output)
	}
	stored := storedCalls(t, file)
	for who, ssrc := range map[callsim.Who]uint32{callsim.Caller: mirrored.Callee.SSRC, callsim.Callee: mirrored.Caller.SSRC} {
		s := streamOf(stored, ssrc)
		_, want, err := mirrored.Truth(who, &mos.Buffer{Ms: 60})
		if err != nil {
			t.Fatal(err)
		}
		if s == nil || s.MOS == nil || math.Abs(*s.MOS-want) > 0.1 {
			t.Errorf("the mirrored stream %08x is %+v, want MOS %.2f, among %+v", ssrc, s, want, stored)
		}
	}
}

// mirror sends the RTCP of a call to a port, from an address for each party, a pair of reports a second.
func mirror(t *testing.T, c *callsim.Call, to string, seconds int) {
	var ends [2]net.Conn
	for i, from := range []string{"127.0.0.11", "127.0.0.12"} {
		conn, err := (&net.Dialer{LocalAddr: &net.UDPAddr{IP: net.ParseIP(from)}}).Dial("udp", to)
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		ends[i] = conn
	}
	c.Answered = time.Now()
	for n := 1; n <= seconds; n++ {
		for _, who := range []callsim.Who{callsim.Caller, callsim.Callee} {
			at := c.ReportAt(who, n)
			select {
			case <-t.Context().Done():
				return
			case <-time.After(time.Until(at)):
			}
			if _, err := ends[who].Write(c.AppendRTCP(nil, who, at)); err != nil {
				t.Errorf("mirror: %v", err)
			}
		}
	}
}

// certificate writes hep.pem and hep.key for 127.0.0.1 and returns who vouches for them.
func certificate(t *testing.T, dir string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	cert, err := x509.CreateCertificate(rand.Reader, form, form, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})
	for name, text := range map[string][]byte{"hep.pem": public, "hep.key": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(public)
	return pool
}
