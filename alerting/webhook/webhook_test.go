package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"vigia/alerting"
	"vigia/alerting/alertingtest"
	"vigia/collectors"
	"vigia/collectors/inventory"
)

const (
	pathSecret   = "T0SECRETPATH"
	querySecret  = "querysecret99"
	signSecret   = "sign-secret-123"
	headerSecret = "Bearer header-secret-456"
)

// receiver is a webhook's other side.
type receiver struct {
	mu       sync.Mutex
	answer   alertingtest.Answer
	requests []*http.Request
	bodies   []string
	gone     chan struct{}
}

// ServeHTTP takes a post and answers as it is told.
func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	content, _ := io.ReadAll(req.Body)
	r.mu.Lock()
	answer := r.answer
	r.requests, r.bodies = append(r.requests, req), append(r.bodies, string(content))
	r.mu.Unlock()
	switch answer {
	case alertingtest.Hang:
		select {
		case <-req.Context().Done():
		case <-r.gone:
		}
	case alertingtest.RefuseNow:
		http.Error(w, "come back later", http.StatusServiceUnavailable)
	case alertingtest.RefuseForGood:
		http.Error(w, "no such hook", http.StatusNotFound)
	case alertingtest.SlowDown:
		w.Header().Set("Retry-After", strconv.Itoa(int(alertingtest.PeerWait/time.Second)))
		http.Error(w, "slowly", http.StatusTooManyRequests)
	case alertingtest.Echo:
		w.WriteHeader(http.StatusInternalServerError)
		fmt.Fprintf(w, "%s %s %s %s\x1b[31m\r\nmore", req.URL, req.Header.Get("Authorization"), req.URL.RawQuery, signSecret)
	default:
		w.WriteHeader(http.StatusAccepted)
		fmt.Fprint(w, "thanks")
	}
}

func (r *receiver) copies() []alertingtest.Copy {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []alertingtest.Copy
	for i, req := range r.requests {
		var content any
		if err := json.Unmarshal([]byte(r.bodies[i]), &content); err != nil {
			content = "not JSON: " + err.Error()
		}
		list = append(list, alertingtest.Copy{Key: req.Header.Get("Idempotency-Key"), Text: strings.Join(texts(content), "\n"), Raw: r.bodies[i]})
	}
	return list
}

// texts lists every string in decoded JSON.
func texts(v any) []string {
	var list []string
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		for _, one := range v {
			list = append(list, texts(one)...)
		}
	case map[string]any:
		for _, one := range v {
			list = append(list, texts(one)...)
		}
	}
	return list
}

func start(t *testing.T) (*receiver, *httptest.Server) {
	r := &receiver{gone: make(chan struct{})}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(r.gone) })
	return r, server
}

func TestNotifier(t *testing.T) {
	alertingtest.RunNotifier(t, alertingtest.NotifierSuite{
		Kind: Kind(),
		Start: func(t *testing.T) alertingtest.Peer {
			r, server := start(t)
			return alertingtest.Peer{
				Config: &Config{
					URL:     inventory.NewSecret(server.URL + "/services/" + pathSecret + "?token=" + querySecret),
					Secret:  inventory.NewSecret(signSecret),
					Headers: map[string]inventory.Secret{"Authorization": inventory.NewSecret(headerSecret)},
				},
				Answer: func(a alertingtest.Answer) {
					r.mu.Lock()
					defer r.mu.Unlock()
					r.answer = a
				},
				Copies: r.copies,
				Close:  server.Close,
			}
		},
		Secrets: []string{pathSecret, querySecret, signSecret, headerSecret},
		Slows:   true,
		Breakout: func(c alertingtest.Copy) error {
			var fields map[string]any
			if err := json.Unmarshal([]byte(c.Raw), &fields); err != nil {
				return err
			}
			if _, ok := fields["injected"]; ok {
				return errors.New("a key was injected")
			}
			if strings.ContainsAny(c.Raw, "<>\x00\n") {
				return errors.New("a raw angle bracket or control character")
			}
			return nil
		},
	})
}

func open(t *testing.T, url string, now time.Time) *notifier {
	t.Helper()
	c := &Config{URL: inventory.NewSecret(url), Secret: inventory.NewSecret(signSecret)}
	n, err := c.Open(alerting.ReceiverSetup{Receiver: alerting.Receiver{Name: "duty-hook"}, Words: alertingtest.SampleWords, PublicURL: "https://noc.example.com"})
	if err != nil {
		t.Fatal(err)
	}
	made := n.(*notifier)
	made.now = func() time.Time { return now }
	return made
}

// TestBody holds the schema of doc.go: a change here breaks somebody's program.
func TestBody(t *testing.T) {
	r, server := start(t)
	at := time.Unix(1795365713, 0)
	if _, err := open(t, server.URL, at).Notify(t.Context(), alertingtest.SampleMessage()); err != nil {
		t.Fatal(err)
	}
	want := `{"version":1,"key":"i2418.l1.suite.opened.1","cause":"opened","incident":2418,"severity":"critical","state":"open",` +
		`"ref":"link/sjo-gua","site":"san-jose","metric":"loss_pct","instance":"ping","value":11.2,"unit":"%",` +
		`"threshold":{"severity":"critical","raise":10,"clear":5,"for_s":30},"title":"Link sjo-gua loses 11.2 % of packets",` +
		`"title_en":"Link sjo-gua loses 11.2 % of packets","reason":"5 sent, 1 lost: seq 3","text":"[Critical] Link sjo-gua loses 11.2 % of packets. ` +
		`New incident. Packet loss: 11.2 %, over 10 % for 30 s. Why: 5 sent, 1 lost: seq 3. Where: Link sjo-gua, site san-jose. ` +
		`Since: 24 Nov 10:41:53 (UTC−6). Owner: Nobody has it. Next: NOC L2 is told at 10:56:53, in 14 m 59 s. Alarms: 3 belong to this incident. ` +
		`In its shadow: Trunk guatel-1, Server sbc-gua-1","language":"en","opened_at":"2026-11-24T16:41:53Z","at":"2026-11-24T16:41:54Z",` +
		`"level":{"number":1,"name":"NOC L1"},"next":{"level":"NOC L2","at":"2026-11-24T16:56:53Z"},"ack":null,"members":3,` +
		`"affected":["trunk/guatel-1","server/sbc-gua-1"],"url":"https://noc.example.com/incidents/2418"}`
	if diff := cmp.Diff(want, r.bodies[0]); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
	header := r.requests[0].Header
	if got := header.Get("X-Vigia-Signature"); got != Sign(inventory.NewSecret(signSecret), at, []byte(r.bodies[0])) || !strings.HasPrefix(got, "t=1795365713,v1=") {
		t.Errorf("signature %q", got)
	}
	if header.Get("Content-Type") != "application/json" || header.Get("User-Agent") != "Vigia" {
		t.Errorf("headers %v", header)
	}
}

// TestSign is checked against a value that another program made: printf '1700000000.{}' | openssl dgst -sha256 -hmac key.
func TestSign(t *testing.T) {
	const want = "t=1700000000,v1=9d713ed406bb7076d4123f0dc2c39d2df5c654ed4b0cd56b52c8b4c940bd63ae"
	if got := Sign(inventory.NewSecret("key"), time.Unix(1700000000, 0), []byte("{}")); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestNotFinite(t *testing.T) {
	r, server := start(t)
	m := alertingtest.SampleMessage()
	m.Value = 0
	m.Value /= m.Value
	if _, err := open(t, server.URL, time.Now()).Notify(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(r.bodies[0], `"value":null`) {
		t.Error(r.bodies[0])
	}
}

func TestAnswers(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	tests := []struct {
		code       int
		retryAfter string
		permanent  bool
		after      time.Duration
		ok         bool
	}{
		{code: 200, ok: true},
		{code: 204, ok: true},
		{code: 301, permanent: true},
		{code: 302, permanent: true},
		{code: 307, permanent: true},
		{code: 400, permanent: true},
		{code: 401, permanent: true},
		{code: 404, permanent: true},
		{code: 408},
		{code: 410, permanent: true},
		{code: 413, permanent: true},
		{code: 425},
		{code: 429},
		{code: 429, retryAfter: "120", after: 2 * time.Minute},
		{code: 429, retryAfter: "-1"},
		{code: 429, retryAfter: "soon"},
		{code: 429, retryAfter: "999999999999", after: 24 * time.Hour},
		{code: 503, retryAfter: "Tue, 24 Nov 2026 12:00:30 GMT", after: 30 * time.Second},
		{code: 503, retryAfter: "Tue, 24 Nov 2026 11:00:30 GMT"},
		{code: 500},
		{code: 502},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%d %s", tt.code, tt.retryAfter), func(t *testing.T) {
			followed := false
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/" {
					followed = true
				}
				if tt.retryAfter != "" {
					w.Header().Set("Retry-After", tt.retryAfter)
				}
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(tt.code)
			}))
			defer server.Close()
			_, err := open(t, server.URL, now).Notify(t.Context(), alertingtest.SampleMessage())
			var later *alerting.RetryAfterError
			after := time.Duration(0)
			if errors.As(err, &later) {
				after = later.After
			}
			if (err == nil) != tt.ok || errors.Is(err, alerting.ErrPermanent) != tt.permanent || after != tt.after || followed {
				t.Errorf("%v; after %v; followed %v", err, after, followed)
			}
		})
	}
}

func TestLongAnswerIsCut(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("x", 10<<20))
	}))
	defer server.Close()
	receipt, err := open(t, server.URL, time.Now()).Notify(t.Context(), alertingtest.SampleMessage())
	if err != nil || len(receipt.Outcome) > 400 {
		t.Errorf("%v, %d octets", err, len(receipt.Outcome))
	}
}

// TestForbiddenAddresses: no name and no spelling leads to where a cloud keeps its keys.
func TestForbiddenAddresses(t *testing.T) {
	refused := []string{
		"169.254.169.254", "169.254.0.1", "::ffff:169.254.169.254", "fe80::1", "fe80::1%lo", "fd00:ec2::254", "224.0.0.1", "ff02::1",
		"0.0.0.0", "::", "255.255.255.255", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1", "::169.254.169.254",
	}
	for _, text := range refused {
		if !forbidden(netip.MustParseAddr(text)) {
			t.Errorf("%s is allowed", text)
		}
	}
	for _, text := range []string{"127.0.0.1", "::1", "10.1.2.3", "192.0.2.1", "2001:db8::1", "fd12:3456::1", "64:ff9b::c000:201"} {
		if forbidden(netip.MustParseAddr(text)) {
			t.Errorf("%s is refused", text)
		}
	}
	for _, url := range []string{"http://169.254.169.254/latest", "http://0xa9fea9fe/", "http://[::ffff:a9fe:a9fe]/", "http://0.0.0.0/"} {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		_, err := open(t, url, time.Now()).Notify(ctx, alertingtest.SampleMessage())
		cancel()
		if err == nil {
			t.Errorf("%s was posted to", url)
		} else if strings.Contains(url, "169.254") && !errors.Is(err, alerting.ErrPermanent) {
			t.Errorf("%s: %v, want a permanent refusal", url, err)
		}
	}
}

func TestValidate(t *testing.T) {
	tests := []struct{ yaml, want string }{
		{`{}`, "url: a webhook needs its url"},
		{`{url: "https://hooks.example/x"}`, ""},
		{`{url: "http://127.0.0.1:9/x", secret: s, headers: {X-Team: noc}}`, ""},
		{`{url: "ftp://x/y"}`, `url: "ftp" is not http or https`},
		{`{url: "hooks.example/x"}`, "url: this is not an address that can be posted to"},
		{`{url: "http:// bad"}`, "url: this is not an address that can be posted to"},
		{`{url: "https://h.example/x#y"}`, "url: a fragment (#) is never sent"},
		{`{url: "https://h.example/", headers: {"Bad Name": x}}`, `headers: "Bad Name" is not the name of a header`},
		{`{url: "https://h.example/", headers: {X-A: "a\nb"}}`, "headers: the value of header X-A holds a character that no header can carry"},
		{`{url: "https://h.example/", headers: {content-type: x}}`, "headers: header Content-Type is Vigía's own"},
	}
	for _, tt := range tests {
		var c Config
		if err := yaml.Unmarshal([]byte(tt.yaml), &c); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range c.Validate() {
			got = append(got, p.Key+": "+p.Message)
		}
		if strings.Join(got, "\n") != tt.want {
			t.Errorf("%s: %q, want %q", tt.yaml, got, tt.want)
		}
	}
}

func TestSpanishTitle(t *testing.T) {
	r, server := start(t)
	n := open(t, server.URL, time.Now())
	n.wording.Lang = collectors.Spanish
	if _, err := n.Notify(t.Context(), alertingtest.SampleMessage()); err != nil {
		t.Fatal(err)
	}
	var got body
	if err := json.Unmarshal([]byte(r.bodies[0]), &got); err != nil {
		t.Fatal(err)
	}
	if got.Title != "El enlace sjo-gua pierde 11,2 % de los paquetes" || got.TitleEN != "Link sjo-gua loses 11.2 % of packets" || got.Language != "es" {
		t.Errorf("title %q, title_en %q, language %q", got.Title, got.TitleEN, got.Language)
	}
}
