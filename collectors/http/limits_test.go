package http

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"log"
	nethttp "net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"vigia/collectors"
	"vigia/collectors/inventory"
	"vigia/collectors/reach/reachtest"
)

// quiet swallows what test servers say of the handshakes that tests make fail.
func quiet() *log.Logger { return log.New(io.Discard, "", 0) }

func TestRequestCarriesWhatIsConfigured(t *testing.T) {
	seen := make(chan *nethttp.Request, 1)
	url := serve(t, "127.0.0.1:0", nil, func(_ nethttp.ResponseWriter, r *nethttp.Request) { seen <- r })
	probe(t, config(url+"/a?b=c", func(c *Config) {
		c.Host = "virtual.example"
		c.User, c.Password = "noc", inventory.NewSecret("pw")
		c.Headers = map[string]inventory.Secret{"X-Key": inventory.NewSecret("k")}
	}), 5*time.Second)
	r := <-seen
	user, password, _ := r.BasicAuth()
	if r.Host != "virtual.example" || user != "noc" || password != "pw" || r.Header.Get("X-Key") != "k" || r.RequestURI != "/a?b=c" || !r.Close {
		t.Errorf("request: %s %s %v, user %s", r.Host, r.RequestURI, r.Header, user)
	}
}

// TestFreshConnection shows that neither a kept connection nor a proxy of the environment is used.
func TestFreshConnection(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://192.0.2.1:9")
	from := make(chan string, 2)
	url := serve(t, "127.0.0.1:0", nil, func(_ nethttp.ResponseWriter, r *nethttp.Request) { from <- r.RemoteAddr })
	for range 2 {
		if r := probe(t, config(url), 5*time.Second); !r.OK {
			t.Fatal(why(r))
		}
	}
	if a, b := <-from, <-from; a == b {
		t.Errorf("both runs came from %s", a)
	}
}

func TestBodiesAreBounded(t *testing.T) {
	var bomb bytes.Buffer
	packer := gzip.NewWriter(&bomb)
	zeros := make([]byte, 1<<20)
	for range 32 {
		packer.Write(zeros)
	}
	packer.Close()
	var served atomic.Int64
	for name, handler := range map[string]nethttp.HandlerFunc{
		"packed": func(w nethttp.ResponseWriter, _ *nethttp.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			w.Write(bomb.Bytes())
		},
		"endless": func(w nethttp.ResponseWriter, _ *nethttp.Request) {
			for {
				n, err := w.Write(zeros)
				served.Add(int64(n))
				if err != nil {
					return
				}
			}
		},
	} {
		r := probe(t, config(serve(t, "127.0.0.1:0", nil, handler)), 10*time.Second)
		last := Kind().Words.Say(collectors.English, r.Steps[len(r.Steps)-1])
		if !r.OK || !strings.Contains(last, "only the first MiB") {
			t.Errorf("%s: %q, %q", name, why(r), last)
		}
	}
	if n := served.Load(); n > 64<<20 {
		t.Errorf("an endless body went on for %d octets", n)
	}
}

func TestPackedBodyIsMatchedUnpacked(t *testing.T) {
	url := serve(t, "127.0.0.1:0", nil, func(w nethttp.ResponseWriter, _ *nethttp.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		packer := gzip.NewWriter(w)
		io.WriteString(packer, "all systems go")
		packer.Close()
	})
	if r := probe(t, config(url, func(c *Config) { c.Match = "systems go" }), 5*time.Second); !r.OK {
		t.Error(why(r))
	}
}

func TestForbiddenAddressBehindAName(t *testing.T) {
	r := probe(t, config("http://metadata.example/latest", func(c *Config) {
		c.resolver = reachtest.Resolver(t, map[string][]string{"metadata.example.": {"169.254.169.254"}})
	}), 5*time.Second)
	if r.OK || !strings.Contains(why(r), "link-local, multicast or metadata") {
		t.Error(why(r))
	}
}

func TestValidate(t *testing.T) {
	const good = "https://192.0.2.10/health"
	for _, c := range []struct {
		config *Config
		key    string
	}{
		{config(""), "url"},
		{config("192.0.2.10/health"), "url"},
		{config("ftp://192.0.2.10/"), "url"},
		{config("https:///health"), "url"},
		{config("https://user:pw@192.0.2.10/"), "url"},
		{config("https://192.0.2.10:99999/"), "url"},
		{config("http://169.254.169.254/latest"), "url"},
		{config("http://[fe80::1]/"), "url"},
		{config("http://exa mple/"), "url"},
		{config(good, func(c *Config) { c.Method = "POST" }), "method"},
		{config(good, func(c *Config) { c.Match = "(" }), "match"},
		{config(good, func(c *Config) { c.NotMatch = "[" }), "not_match"},
		{config(good, func(c *Config) { c.Method, c.Match = "HEAD", "x" }), "match"},
		{config(good, func(c *Config) { c.Password = inventory.NewSecret("x") }), "password"},
		{config(good, func(c *Config) { c.User = "a:b" }), "user"},
		{config(good, func(c *Config) { c.Host = "a b\r\n" }), "host"},
		{config(good, func(c *Config) { c.TLS.CA = "relative.pem" }), "tls.ca"},
		{config(good, headers("Host", "x")), "headers"},
		{config(good, headers("a b", "x")), "headers"},
		{config(good, headers("X", "a\r\nY: b")), "headers"},
		{config(good, headers("Content-Length", "5")), "headers"},
		{config(good, headers("Authorization", "Bearer x"), func(c *Config) { c.User = "noc" }), "headers"},
	} {
		problems := c.config.Validate()
		if len(problems) != 1 || problems[0].Key != c.key {
			t.Errorf("%+v: %v, want one problem of %s", c.config, problems, c.key)
		}
	}
	if problems := config(good, headers("Authorization", "Bearer x")).Validate(); len(problems) > 0 {
		t.Errorf("a good one: %v", problems)
	}
}

func headers(name, value string) func(*Config) {
	return func(c *Config) { c.Headers = map[string]inventory.Secret{name: inventory.NewSecret(value)} }
}

func TestTargetHidesTheQuery(t *testing.T) {
	if got := config("https://192.0.2.10:8443/health?key=s3cret").Target(); got != "https://192.0.2.10:8443/health?…" {
		t.Error(got)
	}
}

func TestConfigNeverPrintsItsSecrets(t *testing.T) {
	c := config("https://192.0.2.10/", headers("X-Key", "hunter2"), func(c *Config) { c.User, c.Password = "noc", inventory.NewSecret("hunter2") })
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		if text := fmt.Sprintf(format, c); strings.Contains(text, "hunter2") {
			t.Errorf("%s prints it: %s", format, text)
		}
	}
}
