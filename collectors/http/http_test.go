package http

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	nethttp "net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"vigia/collectors"
	"vigia/collectors/collectorstest"
	"vigia/collectors/inventory"
	"vigia/collectors/reach"
	"vigia/collectors/reach/reachtest"
)

// config makes a configuration with the kind's defaults.
func config(url string, change ...func(*Config)) *Config {
	c := Kind().New().(*Config)
	c.URL = url
	for _, f := range change {
		f(c)
	}
	return c
}

// probe runs a configuration once.
func probe(t *testing.T, c *Config, timeout time.Duration) collectors.Result {
	t.Helper()
	for _, p := range c.Validate() {
		t.Fatalf("%s: %s (%s)", p.Key, p.Message, p.Hint)
	}
	collector, err := c.Open(collectors.Setup{Every: time.Minute, Timeout: timeout})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	return collector.Probe(ctx)
}

func why(r collectors.Result) string { return Kind().Words.Say(collectors.English, r.Why) }

func value(r collectors.Result, m collectors.Metric) (float64, bool) {
	for _, v := range r.Values {
		if v.Metric == m {
			return v.Value, true
		}
	}
	return 0, false
}

// serve starts a web server on an address.
func serve(t *testing.T, address string, secure *tls.Config, handler nethttp.HandlerFunc) string {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(handler)
	s.Config.ErrorLog = quiet()
	s.Listener.Close()
	s.Listener = l
	if secure != nil {
		s.TLS = secure
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return s.URL
}

// raw starts a server that reads a request's header and answers bytes.
func raw(t *testing.T, answer []byte) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			nethttp.ReadRequest(bufio.NewReader(c))
			c.Write(answer)
			c.Close()
		}
	}()
	return "http://" + l.Addr().String()
}

// silent accepts and says nothing.
func silent(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return "http://" + l.Addr().String()
}

func TestSuite(t *testing.T) {
	secrets := func(c *Config) {
		c.Headers = map[string]inventory.Secret{"X-Api-Key": inventory.NewSecret("hunter2")}
		c.User, c.Password = "noc", inventory.NewSecret("correct horse")
	}
	collectorstest.Run(t, collectorstest.Suite{
		Kind: Kind(),
		Healthy: func(t *testing.T) collectors.CheckConfig {
			return config(serve(t, "127.0.0.1:0", nil, func(w nethttp.ResponseWriter, _ *nethttp.Request) { fmt.Fprint(w, "ok") })+"/health?key=hunter2", secrets)
		},
		Silent:  func(t *testing.T) collectors.CheckConfig { return config(silent(t), secrets) },
		Garbage: func(t *testing.T, answer []byte) collectors.CheckConfig { return config(raw(t, answer), secrets) },
		Answers: [][]byte{
			nil,
			{0},
			[]byte("\r\n\r\n"), []byte("HTTP/1.1 99999999999999999999 x\r\n\r\n"), []byte("HTTP/1.1 -1 x\r\n\r\n"),
			[]byte("SSH-2.0-OpenSSH_9.2\r\n"), []byte("X-Api-Key: hunter2 Authorization: correct horse\r\n\r\n"),
			[]byte("HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551616\r\n\r\n"),
			[]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n"),
			[]byte("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nnot gzip at all"),
			[]byte("HTTP/1.1 302 x\r\nLocation: http://hunter2.example/\r\n\r\n"),
			[]byte("HTTP/1.1 302 x\r\nLocation: ://\x7f\r\n\r\n"),
			[]byte(strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 5000)),
			[]byte("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 200<<10)),
			[]byte(strings.Repeat("A", 1<<20)),
		},
		Secrets: []string{"hunter2", "correct horse"},
	})
}

func TestWhy(t *testing.T) {
	page := func(status int, body string) nethttp.HandlerFunc {
		return func(w nethttp.ResponseWriter, _ *nethttp.Request) {
			w.WriteHeader(status)
			io.WriteString(w, body)
		}
	}
	refused := func() string {
		l, _ := net.Listen("tcp", "127.0.0.1:0")
		defer l.Close()
		return "http://" + l.Addr().String()
	}()
	serve4 := func(h nethttp.HandlerFunc) string { return serve(t, "127.0.0.1:0", nil, h) }
	for _, c := range []struct {
		name   string
		config *Config
		want   string
	}{
		{"status", config(serve4(page(503, "no worker left"))), "status 503, wanted 2xx"},
		{"wanted status", config(serve4(page(503, "")), func(c *Config) { c.Status = reach.Codes{"200", "5xx"} }), "503 in "},
		{"not wanted status", config(serve4(page(200, "")), func(c *Config) { c.Status = reach.Codes{"401", "403"} }), "status 200, wanted 401, 403"},
		{"match", config(serve4(page(200, "all is ok here")), func(c *Config) { c.Match = "is ok" }), "200 in "},
		{"no match", config(serve4(page(200, "degraded")), func(c *Config) { c.Match = "ok" }), `body lacks "ok"`},
		{"must not match", config(serve4(page(200, "degraded")), func(c *Config) { c.NotMatch = "degr.ded" }), `body holds "degr.ded", which it must not`},
		{"head", config(serve4(page(200, "x")), func(c *Config) { c.Method = "HEAD" }), "200 in "},
		{"IPv6", config(serve(t, "[::1]:0", nil, page(200, "ok"))), "200 in "},
		{"refused", config(refused), "connection refused by 127.0.0.1:"},
		{"closed", config(raw(t, nil)), "127.0.0.1:"},
		{"not HTTP", config(raw(t, []byte("SSH-2.0-OpenSSH_9.2\r\n"))), "answer of 127.0.0.1:"},
		{"cut off", config(raw(t, []byte("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort"))), "body breaks off after 5 octets"},
		{"long header", config(raw(t, []byte("HTTP/1.1 200 OK\r\nX: "+strings.Repeat("x", 100<<10)+"\r\n\r\n"))), "127.0.0.1:"},
		{"early hints", config(raw(t, []byte("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"))), "204 in "},
		{"HTTP/1.0", config(raw(t, []byte("HTTP/1.0 200 OK\r\n\r\nuntil the end"))), "200 in "},
		{"TLS spoken plainly", config(strings.Replace(serve4(page(200, "")), "http:", "https:", 1)), "127.0.0.1:"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := probe(t, c.config, 5*time.Second)
			if got := why(r); !strings.HasPrefix(got, c.want) {
				t.Errorf("why: %q, want %q", got, c.want)
			}
			if up, ok := value(r, collectors.Up); !ok || (up == 1) != r.OK || r.OK != strings.Contains(c.want, " in ") {
				t.Errorf("up %v, OK %v", up, r.OK)
			}
		})
	}
}

func TestLateSaysWhere(t *testing.T) {
	stuck := serve(t, "127.0.0.1:0", nil, func(w nethttp.ResponseWriter, r *nethttp.Request) {
		w.WriteHeader(200)
		w.Write([]byte("begun"))
		w.(nethttp.Flusher).Flush()
		<-r.Context().Done()
	})
	for want, c := range map[string]*Config{
		"waiting for the first byte":     config(silent(t)),
		"does not end within 0.30 s":     config(stuck),
		"within 0.30 s (TLS handshake)":  config(strings.Replace(silent(t), "http:", "https:", 1)),
		"not resolved within 0.30 s (dn": config("http://silent.example/", func(c *Config) { c.resolver = reachtest.SilentResolver(t) }),
	} {
		if r := probe(t, c, 300*time.Millisecond); !strings.Contains(why(r), want) || r.OK {
			t.Errorf("why: %q, want %q", why(r), want)
		}
	}
}

func TestSplitOfTheTime(t *testing.T) {
	ca := reachtest.NewCA(t)
	slow := 60 * time.Millisecond
	url := serve(t, "127.0.0.1:0", ca.Issue(t, reachtest.Leaf{Names: []string{"web.example"}, Lasts: 40 * 24 * time.Hour}), func(w nethttp.ResponseWriter, r *nethttp.Request) {
		timer := time.NewTimer(slow)
		defer timer.Stop()
		<-timer.C
		io.WriteString(w, "ok")
	})
	_, port, _ := strings.Cut(strings.TrimPrefix(url, "https://"), ":")
	r := probe(t, config("https://web.example:"+port+"/", func(c *Config) {
		c.TLS.CA = ca.File
		c.resolver = reachtest.Resolver(t, map[string][]string{"web.example.": {"127.0.0.1"}})
	}), 5*time.Second)
	if !r.OK || !strings.Contains(why(r), "(dns ") || !strings.Contains(why(r), "tls ") {
		t.Fatalf("why: %s", why(r))
	}
	sum := 0.0
	for _, m := range []collectors.Metric{collectors.DNSMS, collectors.ConnectMS, collectors.TLSMS, collectors.FirstByteMS} {
		v, ok := value(r, m)
		if !ok || v <= 0 {
			t.Errorf("%s is %v (there: %v)", m, v, ok)
		}
		sum += v
	}
	total, _ := value(r, collectors.ResponseMS)
	first, _ := value(r, collectors.FirstByteMS)
	if sum > total || first < reach.MS(slow) {
		t.Errorf("the parts sum to %v ms of %v, first byte %v", sum, total, first)
	}
	if d, _ := value(r, collectors.TLSExpiryD); d < 39.9 || d > 40 {
		t.Errorf("expires in %v days", d)
	}
	if code, _ := value(r, collectors.StatusCode); code != 200 {
		t.Errorf("code %v", code)
	}
}

func TestExpiredCertificateIsMeasured(t *testing.T) {
	ca := reachtest.NewCA(t)
	url := serve(t, "127.0.0.1:0", ca.Issue(t, reachtest.Leaf{Lasts: -3 * 24 * time.Hour}), func(nethttp.ResponseWriter, *nethttp.Request) {})
	r := probe(t, config(url, func(c *Config) { c.TLS.CA = ca.File }), 5*time.Second)
	if r.OK || why(r) != "certificate expired 3 days ago" {
		t.Errorf("why: %q", why(r))
	}
	if d, ok := value(r, collectors.TLSExpiryD); !ok || d > -2.9 {
		t.Errorf("expires in %v days", d)
	}
	if r := probe(t, config(url, func(c *Config) { c.TLS.Verify = false }), 5*time.Second); !r.OK {
		t.Errorf("with verify: false: %s", why(r))
	}
}

func TestRedirects(t *testing.T) {
	ca := reachtest.NewCA(t)
	var secure string
	plain := serve(t, "127.0.0.1:0", nil, func(w nethttp.ResponseWriter, r *nethttp.Request) {
		to := map[string]string{
			"/same": "/fine", "/loop": "/loop", "/other": "http://127.0.0.2/", "/metadata": "http://169.254.169.254/latest",
			"/secure": secure, "/port": "http://127.0.0.1:1/", "/ftp": "ftp://127.0.0.1/",
		}[r.URL.Path]
		if to == "" {
			io.WriteString(w, "fine")
			return
		}
		nethttp.Redirect(w, r, to, nethttp.StatusFound)
	})
	secure = serve(t, "127.0.0.1:0", ca.Issue(t, reachtest.Leaf{}), func(w nethttp.ResponseWriter, r *nethttp.Request) {
		if r.URL.Path == "/down" {
			nethttp.Redirect(w, r, plain, nethttp.StatusMovedPermanently)
		}
	})
	for url, want := range map[string]string{
		plain + "/same":     "200 in ",
		plain + "/secure":   "200 in ",
		plain + "/loop":     "redirected more than 5 times",
		plain + "/other":    "status 302 redirects to another host, 127.0.0.2, which is not followed",
		plain + "/metadata": "status 302 redirects to another host, 169.254.169.254, which is not followed",
		plain + "/port":     "status 302 redirects to another port, 1, which is not followed",
		plain + "/ftp":      "status 302 redirects to an address that cannot be read",
		secure + "/down":    "status 301 redirects from https to http, which is not followed",
	} {
		r := probe(t, config(url, func(c *Config) { c.TLS.CA = ca.File }), 5*time.Second)
		if got := why(r); !strings.HasPrefix(got, want) || r.OK != strings.HasPrefix(want, "200") {
			t.Errorf("%s: %q, want %q", url, got, want)
		}
	}
	if r := probe(t, config(plain+"/other", func(c *Config) { c.Status = reach.Codes{"3xx"} }), 5*time.Second); !r.OK {
		t.Errorf("a redirect that is wanted: %s", why(r))
	}
}
