package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"vigia/web/api"
)

func TestEveryRouteDeclaresItsPolicy(t *testing.T) {
	w := newTestWorld(t, func(c *Config) {
		c.API, c.Metrics, c.Slack = http.NotFoundHandler(), http.NotFoundHandler(), http.NotFoundHandler()
		c.Demo = func() []DemoMessage { return nil }
	})
	seen := map[string]bool{}
	for _, r := range w.server.routes() {
		if !r.policy.Declared() {
			t.Errorf("%s declares no policy", r.pattern)
		}
		if (r.page == nil) == (r.raw == nil) {
			t.Errorf("%s has not exactly one who answers", r.pattern)
		}
		if seen[r.pattern] {
			t.Errorf("%s is there twice", r.pattern)
		}
		if strings.HasPrefix(r.pattern, "POST /") && !strings.HasSuffix(r.pattern, "/settings") && r.policy.Role < api.Operator {
			t.Errorf("%s changes something, and a viewer may", r.pattern)
		}
		seen[r.pattern] = true
	}
	if len(seen) < 30 {
		t.Errorf("only %d routes", len(seen))
	}
	if _, err := w.server.routed([]route{{pattern: "GET /x", raw: http.NotFoundHandler()}}); err == nil {
		t.Error("a route without a policy was taken")
	}
}

// TestSignedRequests: what is signed comes from anywhere, and nothing else of the table does.
func TestSignedRequests(t *testing.T) {
	w := newTestWorld(t, func(c *Config) {
		c.Slack = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	})
	slack := func(r *http.Request) { r.RemoteAddr, r.Host = "192.0.2.1:5", "noc.example.com" }
	if a := w.ask(http.MethodPost, "/slack/interactions", url.Values{"payload": {"{}"}}, slack); a.StatusCode != http.StatusTeapot {
		t.Errorf("the handler that checks the signature is not asked: %d", a.StatusCode)
	}
	if a := w.ask(http.MethodGet, "/slack/interactions", nil, slack); a.StatusCode == http.StatusTeapot {
		t.Error("a GET reaches it")
	}
	for _, r := range w.server.routes() {
		if (r.policy == bySignature) != (r.pattern == "POST /slack/interactions") {
			t.Errorf("%s is let in by a signature that nobody checks", r.pattern)
		}
	}
	plain := newTestWorld(t)
	if a := plain.ask(http.MethodPost, "/slack/interactions", nil, slack); a.StatusCode == http.StatusOK {
		t.Error("there is a route where nobody answers")
	}
}

func TestWhoIsLetIn(t *testing.T) {
	w := newTestWorld(t)
	remote := func(addr string) func(*http.Request) { return func(r *http.Request) { r.RemoteAddr = addr } }
	host := func(name string) func(*http.Request) { return func(r *http.Request) { r.Host = name } }
	cases := []struct {
		name   string
		change func(*http.Request)
		status int
		says   string
	}{
		{"loopback", remote("127.0.0.1:5"), 200, "Overview"},
		{"loopback, another address of it", remote("127.9.8.7:5"), 200, "Overview"},
		{"loopback of IPv6", remote("[::1]:5"), 200, "Overview"},
		{"loopback of IPv4 in IPv6", remote("[::ffff:127.0.0.1]:5"), 200, "Overview"},
		{"another machine", remote("192.0.2.1:5"), 403, "answers only the machine it runs on"},
		{"no address", remote(""), 403, "answers only the machine"},
		{"localhost", host("localhost:8080"), 200, "Overview"},
		{"IPv6 host", host("[::1]:8080"), 200, "Overview"},
		{"the public URL", host("noc.example.com"), 200, "Overview"},
		{"the public URL in capitals", host("NOC.Example.com:443"), 200, "Overview"},
		{"a name that somebody points here", host("evil.example"), 403, "is not one of Vigía’s"},
		{"a name that begins like ours", host("localhost.evil.example"), 403, "is not one of"},
		{"a public address as host", host("192.0.2.7"), 403, "is not one of"},
		{"no host", host(""), 403, "is not one of"},
	}
	for _, c := range cases {
		a := w.get("/", c.change)
		if a.StatusCode != c.status || !strings.Contains(a.body, c.says) {
			t.Errorf("%s: status %d, %q missing", c.name, a.StatusCode, c.says)
		}
	}
	for _, p := range []string{"/static/x", "/events", "/healthz", "/data/chart", "/alarms", "/settings"} {
		if a := w.get(p, remote("192.0.2.1:5")); a.StatusCode != http.StatusForbidden {
			t.Errorf("%s lets another machine in: %d", p, a.StatusCode)
		}
	}
}

func TestHeaders(t *testing.T) {
	w := newTestWorld(t)
	for _, p := range []string{"/", "/nothing", "/healthz", w.server.assets.base() + "/css/app.css"} {
		h := w.get(p).Header
		csp := h.Get("Content-Security-Policy")
		if !strings.HasPrefix(csp, "default-src 'none'; script-src 'self'; style-src 'self'; ") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: policy %q", p, csp)
		}
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") == "" {
			t.Errorf("%s: headers %v", p, h)
		}
	}
}

// TestCrossOrigin: a form on another site cannot decide anything here.
func TestCrossOrigin(t *testing.T) {
	w := newTestWorld(t)
	in := w.trouble()
	form := url.Values{"id": {"x"}, "note": {"mine"}, "until": {"1h0m0s"}}
	for _, change := range []func(*http.Request){header("Sec-Fetch-Site", "cross-site"), header("Origin", "https://evil.example")} {
		if a := w.ask("POST", at("/incidents/%d/acknowledge", in.ID), form, change); a.StatusCode != http.StatusForbidden {
			t.Errorf("status %d", a.StatusCode)
		}
	}
	if got := w.live()[0]; got.Ack != nil {
		t.Error("it was taken")
	}
}

func TestProbes(t *testing.T) {
	w := newTestWorld(t, func(c *Config) { c.Ready = func() error { return errors.New("the store is away") } })
	if a := w.get("/healthz"); a.StatusCode != http.StatusOK || a.body != "ok\n" {
		t.Errorf("healthz: %d %q", a.StatusCode, a.body)
	}
	if a := w.get("/readyz"); a.StatusCode != http.StatusServiceUnavailable || !strings.Contains(a.body, "the store is away") {
		t.Errorf("readyz: %d %q", a.StatusCode, a.body)
	}
}

// TestBrokenStore: when the database does not answer, the page says so, and what still works.
func TestBrokenStore(t *testing.T) {
	w := newTestWorld(t)
	late, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	for _, lang := range []string{"en", "es"} {
		a := w.get("/", header("Accept-Language", lang), func(r *http.Request) { *r = *r.WithContext(late) })
		if a.StatusCode != http.StatusInternalServerError || a.find("href", "/") == nil || strings.Contains(a.body, "deadline") {
			t.Errorf("status %d: %s", a.StatusCode, text(a.doc))
		}
	}
}
