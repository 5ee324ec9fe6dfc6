package sip

import (
	"bytes"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"vigia/collectors"
	"vigia/collectors/collectorstest"
)

// program finds a peer's program.
func program(t *testing.T, name, pkg string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		collectorstest.Missing(t, name, "install it, on Debian with: apt-get install "+pkg)
	}
	return path
}

// freePort finds one that is free for UDP and TCP, and the next one too, where baresip puts its TLS. It looks below the ports that the
// system gives to others.
func freePort(t *testing.T, ip string) int {
	t.Helper()
	for range 100 {
		port := 20000 + 2*rand.IntN(6000)
		if free(ip, port) && free(ip, port+1) {
			return port
		}
	}
	t.Fatal("no port that is free for both UDP and TCP")
	return 0
}

func free(ip string, port int) bool {
	at := net.JoinHostPort(ip, strconv.Itoa(port))
	tcp, err := net.Listen("tcp", at)
	if err != nil {
		return false
	}
	defer tcp.Close()
	udp, err := net.ListenPacket("udp", at)
	if err != nil {
		return false
	}
	udp.Close()
	return true
}

// said collects what a peer prints.
type said struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *said) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// start runs a peer until the test ends and shows what it said when the test failed.
func start(t *testing.T, dir, path string, args ...string) {
	t.Helper()
	out := &said{}
	cmd := exec.Command(path, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, out, out
	cmd.Env = append(os.Environ(), "HOME="+dir, "TERM=dumb")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			t.Logf("%s said:\n%s", filepath.Base(path), out)
		}
	})
}

// untilUp probes again and again until the peer has started; the last result is returned.
func untilUp(t *testing.T, c *Config, ready func(collectors.Result) bool) collectors.Result {
	t.Helper()
	deadline := time.Now().Add(15 * time.Second)
	for {
		r := probe(t, c, time.Second)
		if ready(r) || time.Now().After(deadline) {
			return r
		}
	}
}

func TestPeerSIPp(t *testing.T) {
	sipp := program(t, "sipp", "sip-tester")
	for _, c := range []struct {
		name, scenario, ip, transport, sippTransport string
		change                                       func(*Config)
		want                                         string
		up                                           bool
	}{
		{"UDP", "uas-200.xml", "127.0.0.1", "udp", "u1", nil, "200 OK in ", true},
		{"UDP over IPv6", "uas-200.xml", "::1", "udp", "u1", nil, "200 OK in ", true},
		{"TCP", "uas-200.xml", "127.0.0.1", "tcp", "t1", nil, "200 OK in ", true},
		{"503 is alive", "uas-503.xml", "127.0.0.1", "udp", "u1", nil, "503 Service Unavailable in ", true},
		{"503 unwanted", "uas-503.xml", "127.0.0.1", "udp", "u1", func(c *Config) { c.Expect = append(c.Expect, "2xx") }, "wanted 2xx", false},
		{"100 then 200", "uas-100-200.xml", "127.0.0.1", "udp", "u1", nil, "200 OK in ", true},
		{"mute", "uas-mute.xml", "127.0.0.1", "tcp", "t1", nil, "(sent once)", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			scenario, err := filepath.Abs(filepath.Join("testdata", c.scenario))
			if err != nil {
				t.Fatal(err)
			}
			port := freePort(t, c.ip)
			start(t, t.TempDir(), sipp, "-sf", scenario, "-i", c.ip, "-p", strconv.Itoa(port), "-t", c.sippTransport, "-nostdin")
			check := config(net.JoinHostPort(c.ip, strconv.Itoa(port)), over(c.transport))
			if c.change != nil {
				c.change(check)
			}
			r := untilUp(t, check, func(r collectors.Result) bool { return strings.Contains(why(r), c.want) })
			if !strings.Contains(why(r), c.want) || r.OK != c.up {
				t.Errorf("why: %q (OK %v), want %q; steps:\n%s", why(r), r.OK, c.want, steps(r))
			}
			if latency, _ := value(r, collectors.LatencyMS); strings.Contains(c.scenario, "100-200") && (latency < 300 || !strings.Contains(steps(r), "100 Trying")) {
				t.Errorf("latency %v ms, steps:\n%s", latency, steps(r))
			}
		})
	}
}

func TestPeerBaresip(t *testing.T) {
	baresip := program(t, "baresip", "baresip-core")
	dir := t.TempDir()
	port := freePort(t, "127.0.0.1")
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	files := map[string]string{
		"config": "sip_listen " + address + "\nmodule_path /usr/lib/baresip/modules\nmodule account.so\nmodule g711.so\n" +
			"audio_player aufile,/dev/null\naudio_source aufile,/dev/null\n",
		"accounts": "<sip:peer@127.0.0.1>;regint=0\n",
		"contacts": "",
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	start(t, dir, baresip, "-f", dir)
	for _, c := range []struct{ transport, user, want string }{
		{"udp", "peer", "200 OK in "}, {"tcp", "peer", "200 OK in "}, {"udp", "nobody", "404 Not Found in "},
	} {
		check := config(address, over(c.transport), func(k *Config) { k.User = c.user })
		r := untilUp(t, check, func(r collectors.Result) bool { return r.OK })
		if !r.OK || !strings.HasPrefix(why(r), c.want) {
			t.Errorf("%s, user %s: %q, want %q; steps:\n%s", c.transport, c.user, why(r), c.want, steps(r))
		}
	}
}
