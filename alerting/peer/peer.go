package peer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"vigia/alerting"
	"vigia/collectors/inventory"
)

// Peer is one other side. It may be used by several goroutines at once.
type Peer struct {
	host    string             // as outcomes name it
	secrets []inventory.Secret // what no outcome may show
	now     func() time.Time
	client  *http.Client
}

// New makes the peer that outcomes call host. It connects to nothing.
func New(host string, now func() time.Time, secrets ...inventory.Secret) *Peer {
	return &Peer{host: host, secrets: secrets, now: now, client: newClient()}
}

// Post is what is posted.
type Post struct {
	URL    string // it may hold secrets: they are among those that New was given
	Key    string // the notification's, for Idempotency-Key
	Type   string // of the body: application/json
	Body   []byte
	Header http.Header // more of them, such as Authorization
}

// Answer is what the other side said.
type Answer struct {
	Code  int
	Text  string        // as it came, at most a few thousand octets; may hold secrets and anything else
	After time.Duration // what it asks to wait; 0: it says nothing
}

const maxAnswer = 4 << 10

// Send posts. An error is about the way there or back and can be shown and judged as it is.
func (p *Peer) Send(ctx context.Context, post Post) (Answer, error) {
	request, err := post.request(ctx)
	if err != nil {
		return Answer{}, fmt.Errorf("the request to %s cannot be made: %w", p.host, alerting.ErrPermanent)
	}
	response, err := p.client.Do(request)
	if err != nil {
		return Answer{}, p.onTheWay(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil && len(text) == 0 {
		text = nil // the status counts; its words are an extra
	}
	return Answer{Code: response.StatusCode, Text: string(text), After: retryAfter(response.Header.Get("Retry-After"), p.now())}, nil
}

func (post Post) request(ctx context.Context) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, post.URL, bytes.NewReader(post.Body))
	if err != nil {
		return nil, err
	}
	for name, values := range post.Header {
		r.Header[http.CanonicalHeaderKey(name)] = values
	}
	r.Header.Set("Content-Type", post.Type)
	r.Header.Set("User-Agent", "Vigia")
	r.Header.Set("Idempotency-Key", headerSafe(post.Key))
	return r, nil
}

// headerSafe writes a key in characters that every header can carry; other octets become %XX.
func headerSafe(key string) string {
	var b strings.Builder
	for i := range len(key) {
		if c := key[i]; c > ' ' && c < 0x7f && c != '%' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// onTheWay is an error before there was an answer. The URL, which http's own error holds, is left out.
func (p *Peer) onTheWay(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s did not answer in time: %w", p.host, context.DeadlineExceeded)
	}
	text := alerting.Outcome(fmt.Sprintf("%s: %v", p.host, err), p.secrets...)
	if errors.Is(err, errForbidden) {
		return fmt.Errorf("%s: %w", text, alerting.ErrPermanent)
	}
	return errors.New(text)
}

// FirstLine is the answer's text as it can stand in an outcome when the service has no form of its own.
func (a Answer) FirstLine() string {
	line, _, _ := strings.Cut(strings.TrimSpace(a.Text), "\n")
	return line
}

// Accepted reports whether the other side took what it was told.
func (a Answer) Accepted() bool { return a.Code >= 200 && a.Code < 300 }

// Judge turns an answer into a receipt or an error. Words are what the other side said, as far as a reader needs it; secrets are taken out.
func (p *Peer) Judge(a Answer, words string) (alerting.Receipt, error) {
	said := fmt.Sprintf("HTTP %d from %s", a.Code, p.host)
	if words != "" {
		said += ": " + words
	}
	said = alerting.Outcome(said, p.secrets...)
	switch code := a.Code; {
	case a.Accepted():
		return alerting.Receipt{Outcome: "accepted: " + said}, nil
	case code == http.StatusRequestTimeout, code == http.StatusTooEarly, code == http.StatusTooManyRequests, code >= 500:
		if a.After > 0 {
			return alerting.Receipt{}, &alerting.RetryAfterError{After: a.After, Err: errors.New(said)}
		}
		return alerting.Receipt{}, errors.New(said)
	case code >= 300 && code < 400:
		return alerting.Receipt{}, fmt.Errorf("%s, and redirects are not followed: %w", said, alerting.ErrPermanent)
	}
	return alerting.Receipt{}, fmt.Errorf("%s: %w", said, alerting.ErrPermanent)
}

// LongestWait bounds what an answer may ask for.
const LongestWait = 24 * time.Hour

// retryAfter reads RFC 9110 §10.2.3: seconds, or a date. Zero when there is nothing usable.
func retryAfter(value string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseInt(value, 10, 64); err == nil && seconds >= 0 {
		return time.Duration(min(seconds, int64(LongestWait/time.Second))) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil && at.After(now) {
		return min(at.Sub(now), LongestWait)
	}
	return 0
}
