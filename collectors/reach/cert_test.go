package reach_test

import (
	"context"
	"crypto/tls"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vigia/collectors"
	"vigia/collectors/reach"
	"vigia/collectors/reach/reachtest"
)

const day = 24 * time.Hour

// serve accepts TLS connections with a configuration.
func serve(t *testing.T, config *tls.Config) int {
	t.Helper()
	l, port := listen(t, "127.0.0.1:0")
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { defer c.Close(); tls.Server(c, config).Handshake(); io.Copy(io.Discard, c) }()
		}
	}()
	return port
}

func shake(t *testing.T, want reach.TLS, port int) (reach.Secured, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	d := reach.Dialer{Within: 5 * time.Second}
	path, err := d.Connect(ctx, "127.0.0.1", port)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { path.Conn.Close() })
	client, err := want.Client("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	return reach.Handshake(ctx, path.Conn, client, path.Peer, d.Within)
}

func TestCertificates(t *testing.T) {
	ca := reachtest.NewCA(t)
	trusted := reach.TLS{Verify: true, CA: ca.File}
	for _, c := range []struct {
		name   string
		leaf   reachtest.Leaf
		want   reach.TLS
		says   string // "" when the handshake holds
		expiry float64
	}{
		{"good", reachtest.Leaf{Lasts: 60 * day}, trusted, "", 60},
		{"by name", reachtest.Leaf{Names: []string{"sbc.example"}}, reach.TLS{Verify: true, CA: ca.File, SNI: "sbc.example"}, "", 90},
		{"expired", reachtest.Leaf{Lasts: -3 * day}, trusted, "certificate expired 3 days ago", -3},
		{"just expired", reachtest.Leaf{Lasts: -6 * time.Hour}, trusted, "certificate expired 6", -0.25},
		{"not yet", reachtest.Leaf{Begins: 10 * day}, trusted, "certificate becomes valid only in 10", 90},
		{"other name", reachtest.Leaf{Names: []string{"a.example", "b.example", "c.example", "d.example"}}, trusted, "certificate is for a.example, b.example, c.example, …, not for 127.0.0.1", 90},
		{"other CA", reachtest.Leaf{OtherKey: true}, trusted, "certificate's issuer Test CA is unknown", 90},
		{"the system's CAs", reachtest.Leaf{}, reach.TLS{Verify: true}, "certificate's issuer Test CA is unknown", 90},
		{"unverified", reachtest.Leaf{Lasts: -3 * day, OtherKey: true}, reach.TLS{}, "", -3},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := shake(t, c.want, serve(t, ca.Issue(t, c.leaf)))
			switch {
			case c.says == "" && err != nil:
				t.Errorf("refused: %v", err)
			case c.says != "" && !strings.HasPrefix(asFailure(t, err).Error(), c.says):
				t.Errorf("says %q, want %q", err, c.says)
			}
			if !s.HasChain || math.Abs(s.ExpiryD-c.expiry) > 0.01 {
				t.Errorf("expires in %v days (known: %v), want %v", s.ExpiryD, s.HasChain, c.expiry)
			}
		})
	}
}

// TestChains: what ends a chain may be an intermediate; an expired one that the peer sends without need does not.
func TestChains(t *testing.T) {
	root := reachtest.NewCA(t)
	trusted := reach.TLS{Verify: true, CA: root.File}
	short := root.Below(t, "Short", 10*day)
	s, err := shake(t, trusted, serve(t, short.Issue(t, reachtest.Leaf{})))
	if err != nil || s.ExpiryD > 10 || s.ExpiryD < 9.9 || s.Subject != "Short" {
		t.Errorf("an intermediate that ends first: %v, %v days, %s", err, s.ExpiryD, s.Subject)
	}
	gone := root.Below(t, "Gone", -5*day)
	s, err = shake(t, trusted, serve(t, gone.Issue(t, reachtest.Leaf{})))
	if f := asFailure(t, err); !strings.HasPrefix(f.Error(), "certificate Gone in the chain expired 5") || s.ExpiryD > -4.9 {
		t.Errorf("an expired intermediate: %v, %v days", f, s.ExpiryD)
	}
	extra := root.Issue(t, reachtest.Leaf{})
	extra.Certificates[0].Certificate = append(extra.Certificates[0].Certificate, gone.Issue(t, reachtest.Leaf{}).Certificates[0].Certificate[1])
	s, err = shake(t, trusted, serve(t, extra))
	if err != nil || s.ExpiryD < 89 {
		t.Errorf("an expired one without need: %v, %v days", err, s.ExpiryD)
	}
}

func TestHandshakeFailures(t *testing.T) {
	greeter := func(say string) int {
		l, port := listen(t, "127.0.0.1:0")
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				c.Read(make([]byte, 16<<10))
				c.Write([]byte(say))
				c.Close()
			}
		}()
		return port
	}
	for says, want := range map[string]string{
		"SSH-2.0-OpenSSH_9.2\r\n":      "does not speak TLS",
		"":                             "closes the connection without an answer",
		"\x15\x03\x03\x00\x02\x02\x28": "handshake failure", // an alert
	} {
		_, err := shake(t, reach.TLS{Verify: true}, greeter(says))
		if f := asFailure(t, err); !strings.Contains(f.Error(), want) {
			t.Errorf("a peer that says %q: %q, want %q", says, f.Error(), want)
		}
	}
}

func TestTLSProblems(t *testing.T) {
	junk := filepath.Join(t.TempDir(), "junk.pem")
	if err := os.WriteFile(junk, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		tls  reach.TLS
		want string
	}{
		{reach.TLS{Verify: true, CA: junk}, "holds no certificate"},
		{reach.TLS{Verify: true, CA: junk + ".gone"}, "no such file"},
		{reach.TLS{Verify: true, CA: "ca.pem"}, "is not a full path"},
		{reach.TLS{CA: reachtest.NewCA(t).File}, "of no use"},
		{reach.TLS{Verify: true, SNI: "a b"}, "neither a host name"},
	} {
		problems := c.tls.Problems("tls.")
		if len(problems) != 1 || !strings.Contains(problems[0].Message, c.want) || !strings.HasPrefix(problems[0].Key, "tls.") {
			t.Errorf("%+v: %v, want %q", c.tls, problems, c.want)
		}
	}
}

func TestStepsNameTheCertificate(t *testing.T) {
	ca := reachtest.NewCA(t)
	s, err := shake(t, reach.TLS{Verify: true, CA: ca.File}, serve(t, ca.Issue(t, reachtest.Leaf{})))
	if err != nil {
		t.Fatal(err)
	}
	words := reach.Words("tcp", nil)
	var all []string
	for _, step := range s.Steps("tcp", true) {
		all = append(all, words.Say(collectors.English, step))
	}
	if got := strings.Join(all, "\n"); !strings.Contains(got, "TLS 1.3") || !strings.Contains(got, "certificate Test leaf, issued by Test CA, expires on 20") {
		t.Errorf("steps:\n%s", got)
	}
}
