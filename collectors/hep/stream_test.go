package hep

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"vigia/collectors/voice"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t *testing.T, cfg Config, sink voice.Sink) (*Listener, *lockedLog) {
	t.Helper()
	var log lockedLog
	l, err := New(cfg, sink, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return l, &log
}

func dial(t *testing.T, to net.Addr) net.Conn {
	t.Helper()
	c, err := net.Dial(to.Network(), to.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func write(t *testing.T, c net.Conn, data ...[]byte) {
	t.Helper()
	for _, d := range data {
		if _, err := c.Write(d); err != nil {
			t.Fatal(err)
		}
	}
}

// ended waits until the other end has closed the connection, having sent nothing.
func ended(t *testing.T, c net.Conn) {
	t.Helper()
	c.SetReadDeadline(time.Now().Add(10 * time.Second))
	if n, err := c.Read(make([]byte, 1)); n > 0 || err == nil || os.IsTimeout(err) {
		t.Errorf("read %d octets, %v; want the connection closed", n, err)
	}
}

func TestUDP(t *testing.T) {
	var sink recorder
	l, _ := start(t, Config{UDP: "127.0.0.1:0"}, &sink)
	c := dial(t, l.Addresses()[0])
	write(t, c, message(typeRTCP, rtcpJSON), []byte("noise"), message(typeRTCP, rtcpJSON))
	until(t, "two reports", func() bool { return sink.count() == 2 && l.Stats().Dropped["not_hep"] == 1 })
	if r := sink.reports[0]; r.Seen.Observer.Addr != netip.MustParseAddr("127.0.0.1") || r.Seen.Arrived.IsZero() {
		t.Errorf("%+v", r.Seen)
	}
	if s := l.Stats(); s.Socket.Datagrams != 3 || s.Sources.Known != 1 || s.Dialects["rtpengine"] != 2 {
		t.Errorf("%+v", s)
	}
	c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if n, err := c.Read(make([]byte, 100)); err == nil {
		t.Errorf("answered with %d octets", n)
	}
}

func TestTCP(t *testing.T) {
	var sink recorder
	l, _ := start(t, Config{TCP: "127.0.0.1:0"}, &sink)
	c := dial(t, l.Addresses()[0])
	large := message(typeRTCP, rtcpJSON+strings.Repeat(" ", 60000))
	all := slices.Concat(message(typeRTCP, rtcpJSON), large, message(typeLog, "x"), message(typeRTCP, rtcpJSON))
	for i, b := range all { // the first hundred octets one by one
		if i == 100 {
			write(t, c, all[i:])
			break
		}
		write(t, c, []byte{b})
	}
	until(t, "three reports", func() bool { return sink.count() == 3 })
	malformed := hep3([]byte{0, 0, 0, 15, 0, 2})
	write(t, c, malformed, message(typeRTCP, rtcpJSON)) // its length is right, so the stream stays in step
	until(t, "the fourth", func() bool { return sink.count() == 4 })
	if s := l.Stats(); s.Connections != 1 || s.Dropped["malformed"] != 1 || s.Dropped["log"] != 1 {
		t.Errorf("%+v", s)
	}
	write(t, c, []byte("GET / HTTP/1.1\r\n\r\n"), message(typeRTCP, rtcpJSON))
	ended(t, c)
	until(t, "the end", func() bool { return l.Stats().Connections == 0 })
	if s := l.Stats(); s.Dropped["not_hep"] != 1 || sink.count() != 4 {
		t.Errorf("%d facts, %+v", sink.count(), s)
	}
	short := dial(t, l.Addresses()[0])
	write(t, short, []byte("HEP3\x00\x05"))
	ended(t, short)
	half := dial(t, l.Addresses()[0])
	write(t, half, all[:50])
	half.Close()
	until(t, "the half message", func() bool { return l.Stats().Dropped["stalled"] == 1 && l.Stats().Dropped["malformed"] == 2 })
}

func TestConnections(t *testing.T) {
	var sink recorder
	l, _ := start(t, Config{TCP: "127.0.0.1:0", Connections: 4}, &sink) // one of a source
	first := dial(t, l.Addresses()[0])
	write(t, first, message(typeRTCP, rtcpJSON))
	until(t, "a report", func() bool { return sink.count() == 1 })
	ended(t, dial(t, l.Addresses()[0]))
	if got := l.Stats().Dropped["connections"]; got != 1 {
		t.Errorf("%d refused", got)
	}
	first.Close()
	until(t, "the place", func() bool { return l.Stats().Connections == 0 })
	write(t, dial(t, l.Addresses()[0]), message(typeRTCP, rtcpJSON))
	until(t, "another report", func() bool { return sink.count() == 2 })

	foreign, _ := start(t, Config{TCP: "127.0.0.1:0", UDP: "127.0.0.1:0", Allow: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}, &sink)
	ended(t, dial(t, foreign.Addresses()[1]))
	write(t, dial(t, foreign.Addresses()[0]), message(typeRTCP, rtcpJSON))
	until(t, "both refusals", func() bool { return foreign.Stats().Dropped["not_allowed"] == 2 })

	slow, _ := start(t, Config{TCP: "127.0.0.1:0", Rate: 1}, &sink)
	m := message(typeRTCP, rtcpJSON)
	write(t, dial(t, slow.Addresses()[0]), m, m, m, m)
	until(t, "the rate", func() bool { return slow.Stats().Reports == 2 && slow.Stats().Dropped["too_fast"] == 2 })
}

// certificate makes a certificate for 127.0.0.1 and returns its files and the pool that trusts it.
func certificate(t *testing.T) (cert, key string, pool *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	for file, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: pkcs8}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool = x509.NewCertPool()
	pool.AppendCertsFromPEM(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	return cert, key, pool
}

func TestTLS(t *testing.T) {
	cert, key, pool := certificate(t)
	var sink recorder
	l, _ := start(t, Config{TLS: "127.0.0.1:0", Cert: cert, CertKey: key}, &sink)
	c, err := tls.Dial("tcp", l.Addresses()[0].String(), &tls.Config{RootCAs: pool})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	write(t, c, message(typeRTCP, rtcpJSON))
	until(t, "a report", func() bool { return sink.count() == 1 })
	plain := dial(t, l.Addresses()[0])
	write(t, plain, message(typeRTCP, rtcpJSON))
	until(t, "the refusal", func() bool { return l.Stats().Dropped["handshake"] == 1 })
	if sink.count() != 1 {
		t.Error("a message without TLS was taken")
	}
}

func TestConfig(t *testing.T) {
	for want, cfg := range map[string]Config{
		"":                          {UDP: ":9060"},
		"hep listens nowhere":       {},
		`"x" is not host:port`:      {TCP: "x"},
		"tls without a certificate": {TLS: ":1", Cert: "a"},
		"network 1 is none":         {UDP: ":1", Allow: make([]netip.Prefix, 1)},
		"max_sources is negative":   {UDP: ":1", Sources: -1},
	} {
		got := ""
		for _, p := range cfg.Validate() {
			got += p.Message
		}
		if (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
	for want, cfg := range map[string]Config{
		"give udp:, tcp: or tls:":            {},
		"load the certificate /nowhere/cert": {TLS: "127.0.0.1:0", Cert: "/nowhere/cert", CertKey: "/nowhere/key"},
		"listen for TCP on 192.0.2.1:1":      {UDP: "127.0.0.1:0", TCP: "192.0.2.1:1"},
		"listen for UDP on 192.0.2.1:1":      {UDP: "192.0.2.1:1"},
	} {
		if _, err := New(cfg, &recorder{}, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// TestStop: Run ends with connections open, and when its context had ended before.
func TestStop(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	l, err := New(Config{UDP: "127.0.0.1:0", TCP: "127.0.0.1:0"}, &recorder{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	c := dial(t, l.Addresses()[1])
	until(t, "the connection", func() bool { return l.Stats().Connections == 1 })
	cancel()
	if err := <-done; err != nil || l.Stats().Connections != 0 {
		t.Errorf("%v, %d connections", err, l.Stats().Connections)
	}
	ended(t, c)
	l.Close()
	early, err := New(Config{UDP: "127.0.0.1:0", TCP: "127.0.0.1:0"}, &recorder{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := early.Run(ctx); err != nil {
		t.Error(err)
	}
}
