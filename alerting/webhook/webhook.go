package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
)

// Kind is the receiver kind webhook.
func Kind() alerting.ReceiverKind {
	return alerting.ReceiverKind{Name: "webhook", New: func() alerting.ReceiverConfig { return &Config{} }}
}

// Config is a webhook's part of the configuration.
type Config struct {
	URL     inventory.Secret            `yaml:"url"`
	Secret  inventory.Secret            `yaml:"secret"`
	Headers map[string]inventory.Secret `yaml:"headers"`
}

// reserved are headers that we set ourselves.
var reserved = [...]string{"Content-Type", "Content-Length", "Host", "Idempotency-Key", "X-Vigia-Signature", "User-Agent", "Transfer-Encoding", "Connection"}

// Validate lists what is wrong.
func (c *Config) Validate() []collectors.Problem {
	var problems []collectors.Problem
	if c.URL.IsZero() {
		problems = append(problems, collectors.Problem{Key: "url", Message: "a webhook needs its url", Hint: "such as https://pager.example.com/vigia"})
	} else if err := checkURL(c.URL.Reveal()); err != nil {
		problems = append(problems, collectors.Problem{Key: "url", Message: err.Error(), Hint: "such as https://pager.example.com/vigia"})
	}
	for name, value := range c.Headers {
		if message := checkHeader(name, value.Reveal()); message != "" {
			problems = append(problems, collectors.Problem{Key: "headers", Message: message})
		}
	}
	return problems
}

// checkURL says what is wrong without saying what stands there.
func checkURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil, u.Opaque != "", u.Hostname() == "":
		return errors.New("this is not an address that can be posted to")
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("%q is not http or https", u.Scheme)
	case u.Fragment != "":
		return errors.New("a fragment (#) is never sent")
	}
	return nil
}

func checkHeader(name, value string) string {
	switch {
	case !httpguts.ValidHeaderFieldName(name):
		return fmt.Sprintf("%q is not the name of a header", name)
	case !httpguts.ValidHeaderFieldValue(value):
		return fmt.Sprintf("the value of header %s holds a character that no header can carry", name)
	}
	for _, r := range reserved {
		if strings.EqualFold(r, name) {
			return fmt.Sprintf("header %s is Vigía's own", r)
		}
	}
	return ""
}

// Open makes the notifier; it connects to nothing.
func (c *Config) Open(setup alerting.ReceiverSetup) (alerting.Notifier, error) {
	u, err := url.Parse(c.URL.Reveal())
	if err != nil {
		return nil, errors.New("url: this is not an address that can be posted to")
	}
	n := &notifier{
		host: u.Hostname(), url: c.URL, secret: c.Secret, headers: c.Headers, wording: setup.Wording(), now: time.Now, client: newClient(),
	}
	n.secrets = append(n.secrets, c.URL, c.Secret)
	for _, value := range c.Headers {
		n.secrets = append(n.secrets, value)
	}
	n.secrets = append(n.secrets, inAddress(u)...)
	return n, nil
}

// inAddress lists the parts of an address that may be secrets, the longest first.
func inAddress(u *url.URL) []inventory.Secret {
	parts := append([]string{u.RequestURI(), u.RawQuery, u.Path}, strings.Split(u.Path, "/")...)
	for _, values := range u.Query() {
		parts = append(parts, values...)
	}
	var secrets []inventory.Secret
	if password, ok := u.User.Password(); ok {
		secrets = append(secrets, inventory.NewSecret(password))
	}
	for _, part := range parts {
		if len(part) >= minSecret {
			secrets = append(secrets, inventory.NewSecret(part))
		}
	}
	return secrets
}

// minSecret keeps words such as "noc" in an address from being taken for secrets wherever they stand.
const minSecret = 8

type notifier struct {
	host    string
	url     inventory.Secret
	secret  inventory.Secret
	headers map[string]inventory.Secret
	secrets []inventory.Secret // what no outcome may show
	wording alerting.Wording
	now     func() time.Time
	client  *http.Client
}

// Notify posts the message.
func (n *notifier) Notify(ctx context.Context, m alerting.Message) (alerting.Receipt, error) {
	content, err := encode(n.wording, m)
	if err != nil {
		return alerting.Receipt{}, fmt.Errorf("encode: %w: %w", err, alerting.ErrPermanent)
	}
	request, err := n.request(ctx, m.Key, content)
	if err != nil {
		return alerting.Receipt{}, fmt.Errorf("the request cannot be made: %w", alerting.ErrPermanent)
	}
	response, err := n.client.Do(request)
	if err != nil {
		return alerting.Receipt{}, n.onTheWay(err)
	}
	defer response.Body.Close()
	return n.answer(response)
}

func (n *notifier) request(ctx context.Context, key string, content []byte) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, n.url.Reveal(), bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	for name, value := range n.headers {
		r.Header.Set(name, value.Reveal())
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "Vigia")
	r.Header.Set("Idempotency-Key", headerSafe(key))
	if !n.secret.IsZero() {
		r.Header.Set("X-Vigia-Signature", Sign(n.secret, n.now(), content))
	}
	return r, nil
}

// Sign is the value of X-Vigia-Signature: t=<unix seconds>,v1=<hex of HMAC-SHA256(secret, t "." body)>.
func Sign(secret inventory.Secret, at time.Time, body []byte) string {
	t := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret.Reveal()))
	mac.Write([]byte(t + "."))
	mac.Write(body)
	return "t=" + t + ",v1=" + hex.EncodeToString(mac.Sum(nil))
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
func (n *notifier) onTheWay(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s did not answer in time: %w", n.host, context.DeadlineExceeded)
	}
	text := alerting.Outcome(fmt.Sprintf("%s: %v", n.host, err), n.secrets...)
	if errors.Is(err, errForbidden) {
		return fmt.Errorf("%s: %w", text, alerting.ErrPermanent)
	}
	return errors.New(text)
}

const maxAnswer = 4 << 10

// answer reads what the other side said.
func (n *notifier) answer(r *http.Response) (alerting.Receipt, error) {
	text, readErr := io.ReadAll(io.LimitReader(r.Body, maxAnswer))
	if readErr != nil && len(text) == 0 {
		text = nil // the status counts; its words are an extra
	}
	line, _, _ := strings.Cut(strings.TrimSpace(string(text)), "\n")
	said := fmt.Sprintf("HTTP %d from %s", r.StatusCode, n.host)
	if line != "" {
		said += ": " + line
	}
	said = alerting.Outcome(said, n.secrets...)
	switch code := r.StatusCode; {
	case code >= 200 && code < 300:
		return alerting.Receipt{Outcome: "accepted: " + said}, nil
	case code == http.StatusRequestTimeout, code == http.StatusTooEarly, code == http.StatusTooManyRequests, code >= 500:
		if after := retryAfter(r.Header.Get("Retry-After"), n.now()); after > 0 {
			return alerting.Receipt{}, &alerting.RetryAfterError{After: after, Err: errors.New(said)}
		}
		return alerting.Receipt{}, errors.New(said)
	case code >= 300 && code < 400:
		return alerting.Receipt{}, fmt.Errorf("%s, and redirects are not followed: %w", said, alerting.ErrPermanent)
	}
	return alerting.Receipt{}, fmt.Errorf("%s: %w", said, alerting.ErrPermanent)
}

// longestRetryAfter bounds what an answer may ask for.
const longestRetryAfter = 24 * time.Hour

// retryAfter reads RFC 9110 §10.2.3: seconds, or a date. Zero when there is nothing usable.
func retryAfter(value string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseInt(value, 10, 64); err == nil && seconds >= 0 {
		return time.Duration(min(seconds, int64(longestRetryAfter/time.Second))) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil && at.After(now) {
		return min(at.Sub(now), longestRetryAfter)
	}
	return 0
}
