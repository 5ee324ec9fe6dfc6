package webhook

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"vigia/alerting"
	"vigia/alerting/peer"
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
	Format  Format                      `yaml:"format" enum:"vigia alertmanager"`
}

// Format is the form of the body.
type Format string

// The formats. The empty one is Vigía's own.
const (
	FormatVigia        Format = "vigia"
	FormatAlertmanager Format = "alertmanager"
)

// reserved are headers that we set ourselves.
var reserved = [...]string{"Content-Type", "Content-Length", "Host", "Idempotency-Key", "X-Vigia-Signature", "User-Agent", "Transfer-Encoding", "Connection"}

// Validate lists what is wrong.
func (c *Config) Validate() []collectors.Problem {
	var problems []collectors.Problem
	if c.URL.IsZero() {
		problems = append(problems, collectors.Problem{Key: "url", Message: "a webhook needs its url", Hint: "such as https://pager.example.com/vigia"})
	} else if err := peer.CheckURL(c.URL.Reveal()); err != nil {
		problems = append(problems, collectors.Problem{Key: "url", Message: err.Error(), Hint: "such as https://pager.example.com/vigia"})
	}
	if c.Format != "" && c.Format != FormatVigia && c.Format != FormatAlertmanager {
		problems = append(problems, collectors.Problem{Key: "format", Message: fmt.Sprintf("there is no format %q", c.Format), Hint: "vigia or alertmanager"})
	}
	for name, value := range c.Headers {
		if message := checkHeader(name, value.Reveal()); message != "" {
			problems = append(problems, collectors.Problem{Key: "headers", Message: message})
		}
	}
	return problems
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
	if err := peer.CheckURL(c.URL.Reveal()); err != nil {
		return nil, fmt.Errorf("url: %w", err)
	}
	secrets := append(peer.SecretsIn(c.URL), c.Secret)
	for _, value := range c.Headers {
		secrets = append(secrets, value)
	}
	n := &notifier{config: c, wording: setup.Wording(), now: time.Now, encode: encode}
	if c.Format == FormatAlertmanager {
		n.encode = encodeAlertmanager
	}
	n.peer = peer.New(peer.Host(c.URL.Reveal()), func() time.Time { return n.now() }, secrets...)
	return n, nil
}

type notifier struct {
	config  *Config
	wording alerting.Wording
	now     func() time.Time
	encode  func(alerting.Wording, alerting.Message) ([]byte, error)
	peer    *peer.Peer
}

// Notify posts the message.
func (n *notifier) Notify(ctx context.Context, m alerting.Message) (alerting.Receipt, error) {
	content, err := n.encode(n.wording, m)
	if err != nil {
		return alerting.Receipt{}, fmt.Errorf("encode: %w: %w", err, alerting.ErrPermanent)
	}
	header := http.Header{}
	for name, value := range n.config.Headers {
		header.Set(name, value.Reveal())
	}
	if secret := n.config.Secret; !secret.IsZero() {
		header.Set("X-Vigia-Signature", Sign(secret, n.now(), content))
	}
	answer, err := n.peer.Send(ctx, peer.Post{
		URL: n.config.URL.Reveal(), Key: m.Key, Type: "application/json", Body: content, Header: header,
	})
	if err != nil {
		return alerting.Receipt{}, err
	}
	return n.peer.Judge(answer, answer.FirstLine())
}

// Sign is the value of X-Vigia-Signature: t=<unix seconds>,v1=<hex of HMAC-SHA256(secret, t "." body)>.
func Sign(secret inventory.Secret, at time.Time, body []byte) string {
	t := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret.Reveal()))
	mac.Write([]byte(t + "."))
	mac.Write(body)
	return "t=" + t + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}
