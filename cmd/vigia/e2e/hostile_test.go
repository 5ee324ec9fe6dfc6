package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// What no page, no answer and no line of the log may show.
var hostileSecrets = []string{"s3cret-header-77", "s3cret-hook-token", "s3cret-signing-key", "s3cret-password"}

const hostileConfig = `listen: %[1]s
store: %[2]s
sites: [{name: here}]
links:
  - name: down
    site: here
    peer: P
    checks: [{kind: tcp, address: "127.0.0.1:9", every: 1s, timeout: 500ms}]
servers:
  - name: noise
    site: here
    checks:
      - {kind: http, url: "http://%[3]s/", headers: {Authorization: "Bearer s3cret-header-77"}, match: ok, every: 1s, timeout: 900ms}
      - {kind: tcp, address: "%[3]s", send: "hello\r\n", expect: "^220 ", every: 1s, timeout: 900ms}
      - {kind: http, name: basic, url: "http://%[3]s/", user: noc, password: s3cret-password, every: 1s, timeout: 900ms}
trunks:
  - {name: udp, site: here, checks: [{kind: sip, host: 127.0.0.1, port: %[4]s, every: 1s, timeout: 900ms}]}
  - {name: stream, site: here, checks: [{kind: sip, host: 127.0.0.1, port: %[5]s, transport: tcp, every: 1s, timeout: 900ms}]}
policies:
  - {name: default, fallback: mail, levels: [{name: L1, after: 0s, notify: [hook, mail]}]}
receivers:
  - {name: hook, kind: webhook, url: "http://%[3]s/s3cret-hook-token", secret: s3cret-signing-key}
  - {name: mail, kind: email, smtp: "smtp://noc:s3cret-password@%[3]s", from: a@example.com, to: [b@example.com]}
`

// TestHostile lets everything that Vigía talks to answer garbage, with our own secrets in it, while people send what no browser would. It
// lives on, never answers that it broke, runs nobody's script, and shows no secret.
func TestHostile(t *testing.T) {
	stores(t, func(t *testing.T, dsn string) {
		noise, sip, udp := noisy(t), noisy(t), noisyUDP(t)
		_, sipPort, _ := net.SplitHostPort(sip)
		_, udpPort, _ := net.SplitHostPort(udp)
		at := freeAddress(t)
		file := filepath.Join(t.TempDir(), "vigia.yaml")
		if err := os.WriteFile(file, fmt.Appendf(nil, hostileConfig, at, dsn, noise, udpPort, sipPort), 0o600); err != nil {
			t.Fatal(err)
		}
		p := start(t, at, "run", "-c", file)
		h := &hostile{t: t, p: p, base: p.base}
		first := firstIncident(t, p, 15*time.Second)
		h.ask(first)
		h.decide(first)
		h.rawBytes(at)
		before := runs(t, p)
		if !eventually(10*time.Second, func() bool { return runs(t, p) > before+10 }) {
			t.Error("the checks no longer run")
		}
		h.ask(first) // now that there are runs, alarms and deliveries that hold what the noise said
		if code := p.stop(); code != 0 {
			t.Errorf("exit code %d", code)
		}
		h.look("the log", p.output.String())
		for _, bad := range []string{"panic", "goroutine ", "superfluous response"} {
			if strings.Contains(p.output.String(), bad) {
				t.Errorf("the log says %q:\n%s", bad, p.output)
			}
		}
	})
}

type hostile struct {
	t    *testing.T
	p    *process
	base string
}

// look searches a text for our secrets and for a script that a stranger wrote.
func (h *hostile) look(where, text string) {
	h.t.Helper()
	for _, secret := range hostileSecrets {
		if i := strings.Index(text, secret); i >= 0 {
			h.t.Errorf("%s shows %q: …%s…", where, secret, text[max(i-80, 0):min(i+60, len(text))])
		}
	}
}

// send makes one request and looks at the answer, which must not say that we broke.
func (h *hostile) send(method, target, kind string, body io.Reader, change func(*http.Request)) int {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), 10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, h.base+"/", body)
	if err != nil {
		h.t.Fatal(err)
	}
	r.URL.Path, r.URL.RawQuery, _ = strings.Cut(target, "?")
	r.URL.Opaque = "//" + r.URL.Host + target // as it stands, whatever it is
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	if change != nil {
		change(r)
	}
	where := method + " " + target[:min(len(target), 80)]
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(r)
	if err != nil {
		if body == nil { // who is told in the middle of a large body that it is too large may find the connection closed
			h.t.Errorf("%s: %v", where, err)
		}
		return 0
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, 16<<20))
	if err != nil && body == nil {
		h.t.Errorf("%s: %v", where, err)
	}
	if res.StatusCode >= 500 && target != "/healthz" && target != "/readyz" {
		h.t.Errorf("%s: %s %.60q: %.100q", where, res.Status, fmt.Sprint(body), raw)
	}
	h.look(where, string(raw))
	if strings.HasPrefix(res.Header.Get("Content-Type"), "text/html") && bytes.Contains(raw, []byte("<script>alert")) {
		h.t.Errorf("%s: the page holds a stranger's script", where)
	}
	return res.StatusCode
}

// ask reads every page, and what is none.
func (h *hostile) ask(incident int64) {
	h.t.Helper()
	long := strings.Repeat("a", 30000)
	ids := []string{fmt.Sprint(incident), "0", "-1", "1e3", "9223372036854775807", "99999999999999999999", "%00", "..%2f..%2fetc%2fpasswd", "%ff%fe", "%3Cscript%3Ealert(1)%3C/script%3E", long, "%E2%80%AE", "'%20OR%201=1--"}
	var targets []string
	for _, id := range ids {
		for _, page := range []string{
			"/incidents/%s", "/incidents/%s/acknowledge", "/incidents/%s/comment", "/api/v1/incidents/%s", "/links/%s", "/servers/%s", "/trunks/%s", "/sites/%s",
			"/api/v1/inventory/%[1]s/%[1]s", "/api/v1/inventory/link/%s", "/static/%s", "/find?q=%s", "/alarms?severity=%[1]s&kind=%[1]s&sort=%[1]s&page=%[1]s", "/api/v1/incidents?before=%[1]s&limit=%[1]s",
			"/api/v1/incidents?ref=%s", "/api/v1/alarms?active=%s", "/api/v1/samples?ref=%[1]s&metric=%[1]s&from=%[1]s&to=%[1]s", "/api/v1/runs?ref=link/%s", "/api/v1/latest?ref=%s", "/data/chart?series=%[1]s&from=%[1]s&to=%[1]s",
			"/data/table?series=%[1]s&range=%[1]s", "/incidents/1?show=%[1]s&part=%[1]s", "/links?sort=%[1]s&q=%[1]s&format=%[1]s&part=%[1]s", "/wallboard?%[1]s=%[1]s",
		} {
			targets = append(targets, fmt.Sprintf(page, id))
		}
	}
	targets = append(targets, "/", "/alarms", "/links", "/links/down", "/servers", "/servers/noise", "/servers/noise?runs=failed", "/trunks/udp", "/trunks/stream", "/health", "/settings", "/keys", "/wallboard", "/metrics",
		"/healthz", "/readyz", "/api/v1/inventory", "/api/v1/inventory/server/noise", "/api/v1/runs?ref=server/noise", "/api/v1/runs?ref=trunk/stream", "/api/v1/alarms", "/api/v1/incidents", "/api/v1/health", "/api/v1/thresholds",
		"/api/v1/openapi.json", "/api/v1/", "/api/", "/alarms?format=csv", "/links?format=csv", "/sites?format=csv", "//", "/./..//", "/%2e%2e/%2e%2e", "/%", "/?%zz")
	for _, target := range targets {
		h.send(http.MethodGet, target, "", nil, nil)
	}
	for _, method := range []string{"PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE", "BREW"} {
		for _, target := range []string{"/", "/alarms", "/api/v1/incidents", fmt.Sprintf("/api/v1/incidents/%d", incident), fmt.Sprintf("/incidents/%d/acknowledge", incident), "/metrics"} {
			h.send(method, target, "", nil, nil)
		}
	}
	h.headers()
}

// headers sends what headers may hold.
func (h *hostile) headers() {
	for name, values := range map[string][]string{
		"Cookie":          {"zone=../../etc/passwd", "zone=" + strings.Repeat("A/", 4000), "lang=<script>alert(1)</script>; theme=\x80", "=;=;=", "zone=Local"},
		"Accept-Language": {strings.Repeat("es;q=1,", 4000), "\xff\xfe", "*;q=x"},
		"Accept":          {"application/cbor", "*/*;q=zz", "text/<script>"},
		"Last-Event-ID":   {"-1", "99999999999999999999", "x"},
		"HX-Request":      {"true"},
		"Range":           {"bytes=0-,0-,0-,0-", "bytes=-1"},
		"If-None-Match":   {strings.Repeat("\"x\",", 2000)},
	} {
		for _, value := range values {
			for _, target := range []string{"/", "/health", "/api/v1/incidents", "/static/css/pages.css"} {
				h.send(http.MethodGet, target, "", nil, func(r *http.Request) { r.Header.Set(name, value) })
			}
		}
	}
	for _, host := range []string{"evil.example", "127.0.0.1.evil.example", "[::1", "localhost:x", ""} {
		status := h.send(http.MethodGet, "/settings", "", nil, func(r *http.Request) { r.URL.Opaque, r.Host = "", host })
		if strings.Contains(host, "evil") && status != http.StatusForbidden {
			h.t.Errorf("Host %s: status %d, want 403", host, status)
		}
	}
}

// decide sends decisions that nobody could mean.
func (h *hostile) decide(incident int64) {
	h.t.Helper()
	const asJSON, asForm = "application/json", "application/x-www-form-urlencoded"
	bodies := []string{
		``, `{`, `[]`, `null`, `"x"`, `{"note":1}`, `{"note":"` + strings.Repeat("x", 5000) + `"}`, `{"for":-1}`, `{"for":1e308}`, `{"for":31536000}`, `{"until":"yesterday"}`, `{"until":"9999-12-31T23:59:59Z"}`,
		`{"until":"2500-01-01T00:00:00Z","note":"a\u0000b"}`, `{"note":"\ud800"}`, "{\"note\":\"\xff\xfe\"}", `{"note":"<script>alert(1)</script>"}`, `{"unknown":true}`, strings.Repeat(`{"note":`, 20000), strings.Repeat("[", 100000),
	}
	for _, action := range []string{"acknowledge", "unacknowledge", "comment", "escalate"} {
		for _, id := range []int64{incident, -1, 1 << 62} {
			target := fmt.Sprintf("/api/v1/incidents/%d/%s", id, action)
			for _, body := range bodies {
				h.send(http.MethodPost, target, asJSON, strings.NewReader(body), nil)
			}
			h.send(http.MethodPost, target, "text/<script>", strings.NewReader(`{"note":"x"}`), nil)
			h.send(http.MethodPost, target, asJSON, strings.NewReader(`{"note":"`+strings.Repeat("x", 8<<20)+`"}`), nil)
			for _, key := range []string{strings.Repeat("k", 5000), "\x80\xff", "' OR 1=1", "k"} {
				h.send(http.MethodPost, target, asJSON, strings.NewReader(`{"note":"x"}`), func(r *http.Request) { r.Header.Set("Idempotency-Key", key) })
			}
			page := fmt.Sprintf("/incidents/%d/%s", id, action)
			for _, body := range []string{"", "note=%00&until=%00&id=%00", "until=9999999h", "note=" + strings.Repeat("x", 60000), "note=" + strings.Repeat("x", 70000), "%zz=%zz", "id=" + strings.Repeat("y", 5000), "seen=%ff&note=%3Cscript%3Ealert(1)%3C/script%3E&until=-1"} {
				h.send(http.MethodPost, page, asForm, strings.NewReader(body), nil)
			}
			h.send(http.MethodPost, page, "multipart/form-data; boundary=x", strings.NewReader("--x\r\nContent-Disposition: form-data; name=note\r\n\r\n"), nil)
		}
	}
	many := strings.Repeat("incident=1&", 5000)
	for _, target := range []string{"/alarms/acknowledge", "/settings", "/links/down/check", "/links/%00/check", "/servers/nobody/check"} {
		for _, body := range []string{"", many, "lang=%00&zone=../../etc/passwd&theme=%ff", "back=//evil.example/&back=javascript:alert(1)"} {
			h.send(http.MethodPost, target, asForm, strings.NewReader(body), nil)
		}
	}
}

// rawBytes speaks to the port what is not HTTP.
func (h *hostile) rawBytes(at string) {
	rng := rand.New(rand.NewPCG(7, 7))
	for _, text := range []string{
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", "GET / HTTP/9.9\r\n\r\n", "GET /\r\n", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + strings.Repeat("x", 200000) + "\r\n\r\n", string(garbage(rng, 5000)),
	} {
		conn, err := net.Dial("tcp", at)
		if err != nil {
			h.t.Errorf("dial: %v", err)
			return
		}
		conn.SetDeadline(time.Now().Add(time.Second))
		io.WriteString(conn, text)
		conn.(*net.TCPConn).CloseWrite()
		answer, _ := io.ReadAll(conn)
		h.look("the answer to raw bytes", string(answer))
		if bytes.HasPrefix(answer, []byte("HTTP/1.1 5")) && !bytes.HasPrefix(answer, []byte("HTTP/1.1 505")) && !bytes.HasPrefix(answer, []byte("HTTP/1.1 501")) {
			h.t.Errorf("%.60q is answered %.100s", text, answer)
		}
		conn.Close()
	}
}

func garbage(rng *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

// noise is an answer that no server should give. It says back what it was sent, secrets included.
func noise(rng *rand.Rand, got []byte) []byte {
	echo := strings.Map(func(r rune) rune {
		if r == '\r' || r == '\n' {
			return ' '
		}
		return r
	}, string(got))
	ours := "<script>alert(1)</script> " + echo
	switch rng.IntN(10) {
	case 0:
		return garbage(rng, 3000)
	case 1:
		return []byte("HTTP/1.1 500 " + ours + "\r\nContent-Length: 10\r\n\r\n" + ours)
	case 2:
		return []byte("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 99999999999\r\n\r\n" + ours)
	case 3:
		return []byte("HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/" + ours + "\r\n\r\n")
	case 4:
		return []byte("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("y", 3<<20))
	case 5:
		return []byte("SIP/2.0 200 " + ours + "\r\nVia: x\r\nContent-Length: 5\r\n\r\n")
	case 6:
		return []byte("SIP/2.0 99999999999999999999 \x00\r\nContent-Length: -5\r\n\r\n\r\n\r\n")
	case 7:
		return []byte("220 " + ours + "\r\n250 " + ours + "\r\n535 " + ours + "\r\n")
	case 8:
		return []byte("HTTP/1.1 400 " + ours + "\r\nConnection: close\r\n\r\n" + ours)
	}
	return nil
}

// noisy answers every connection with noise.
func noisy(t *testing.T) string {
	l := listen(t)
	rng := rand.New(rand.NewPCG(1, 1))
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			seed := rng.Uint64()
			go func() {
				defer conn.Close()
				conn.SetDeadline(time.Now().Add(2 * time.Second))
				got := make([]byte, 4096)
				own := rand.New(rand.NewPCG(seed, 1))
				conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond)) // a mail client waits for us
				n, _ := conn.Read(got)
				conn.Write(noise(own, got[:n]))
				if own.IntN(2) == 0 {
					io.Copy(io.Discard, conn)
				}
			}()
		}
	}()
	return l.Addr().String()
}

// noisyUDP answers every datagram with several of noise, one of them the request itself.
func noisyUDP(t *testing.T) string {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		rng := rand.New(rand.NewPCG(2, 2))
		got := make([]byte, 65536)
		for {
			n, from, err := conn.ReadFrom(got)
			if err != nil {
				return
			}
			conn.WriteTo(got[:n], from)
			for range 20 {
				b := noise(rng, got[:n])
				conn.WriteTo(b[:min(len(b), 60000)], from)
			}
		}
	}()
	return conn.LocalAddr().String()
}
