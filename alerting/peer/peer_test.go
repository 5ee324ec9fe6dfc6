package peer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"vigia/alerting"
	"vigia/collectors/inventory"
)

// post posts nothing much and judges the answer.
func post(ctx context.Context, url string, now time.Time) (alerting.Receipt, error) {
	p := New("other.example", func() time.Time { return now })
	answer, err := p.Send(ctx, Post{URL: url, Key: "k", Type: "text/plain"})
	if err != nil {
		return alerting.Receipt{}, err
	}
	return p.Judge(answer, answer.FirstLine())
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
			_, err := post(t.Context(), server.URL, now)
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
	receipt, err := post(t.Context(), server.URL, time.Now())
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
		_, err := post(ctx, url, time.Now())
		cancel()
		if err == nil {
			t.Errorf("%s was posted to", url)
		} else if strings.Contains(url, "169.254") && !errors.Is(err, alerting.ErrPermanent) {
			t.Errorf("%s: %v, want a permanent refusal", url, err)
		}
	}
}

func TestRequest(t *testing.T) {
	var got http.Header
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header }))
	defer server.Close()
	p := New("other.example", time.Now)
	if _, err := p.Send(t.Context(), Post{URL: server.URL, Key: "i1 é%\n", Type: "text/plain", Header: http.Header{"x-team": {"noc"}}}); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"Idempotency-Key": "i1%20%C3%A9%25%0A", "Content-Type": "text/plain", "User-Agent": "Vigia", "X-Team": "noc"} {
		if got.Get(name) != want {
			t.Errorf("%s: %q, want %q", name, got.Get(name), want)
		}
	}
}

// TestSecretsStayInside: neither an answer nor an error on the way shows the address or what was handed in.
func TestSecretsStayInside(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, r.RequestURI+" canary-handed-in", http.StatusBadGateway)
	}))
	address := inventory.NewSecret(strings.Replace(server.URL, "://", "://user:canary-password@", 1) + "/canary-path?x=canary-query")
	p := New("other.example", time.Now, append(SecretsIn(address), inventory.NewSecret("canary-handed-in"))...)
	answer, err := p.Send(t.Context(), Post{URL: address.Reveal(), Type: "text/plain"})
	if err != nil {
		t.Fatal(err)
	}
	_, refused := p.Judge(answer, answer.FirstLine())
	server.Close()
	_, unreachable := p.Send(t.Context(), Post{URL: address.Reveal(), Type: "text/plain"})
	_, impossible := p.Send(t.Context(), Post{URL: address.Reveal() + "\x00", Type: "text/plain"})
	for _, err := range []error{refused, unreachable, impossible} {
		if err == nil || strings.Contains(err.Error(), "canary") || !strings.Contains(err.Error(), "other.example") {
			t.Errorf("says %v", err)
		}
	}
}

func TestServed(t *testing.T) {
	var s Served
	for i := range maxServed + 1 {
		s.Note(fmt.Sprint(i), "a")
	}
	s.Note("7", "b")
	if s.Has("0", "a") || !s.Has("7", "a") || !s.Has("7", "b") || s.Has("8", "b") || len(s.by) != maxServed {
		t.Errorf("%d messages are remembered", len(s.by))
	}
	s.Forget("7")
	if s.Has("7", "a") || len(s.order) != maxServed-1 {
		t.Errorf("7 is not forgotten: %d messages", len(s.order))
	}
}

func TestCheckURL(t *testing.T) {
	for text, want := range map[string]string{
		"https://h.example/x?y": "", "http://127.0.0.1:9": "", "ftp://x/y": `"ftp" is not http or https`, "h.example/x": "this is not an address that can be posted to",
		"mailto:a@b": "this is not an address that can be posted to", "https://h/#f": "a fragment (#) is never sent",
	} {
		got := ""
		if err := CheckURL(text); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}
