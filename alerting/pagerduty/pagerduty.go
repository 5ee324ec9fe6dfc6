package pagerduty

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"vigia/alerting"
	"vigia/alerting/peer"
	"vigia/collectors"
	"vigia/collectors/inventory"
)

// Kind is the receiver kind pagerduty.
func Kind() alerting.ReceiverKind {
	return alerting.ReceiverKind{Name: "pagerduty", New: func() alerting.ReceiverConfig { return &Config{} }}
}

// Config is a PagerDuty receiver's part of the configuration.
type Config struct {
	RoutingKey inventory.Secret `yaml:"routing_key"`
	APIURL     string           `yaml:"api_url"`
}

const (
	service   = "https://events.pagerduty.com"
	path      = "/v2/enqueue"
	keyLength = 32
)

// Validate lists what is wrong.
func (c *Config) Validate() []collectors.Problem {
	var problems []collectors.Problem
	add := func(key, message, hint string) {
		problems = append(problems, collectors.Problem{Key: key, Message: message, Hint: hint})
	}
	const where = "the integration key of an Events API v2 integration, such as ${env:PAGERDUTY_KEY}"
	switch key := c.RoutingKey.Reveal(); {
	case key == "":
		add("routing_key", "a PagerDuty receiver needs its routing key", where)
	case strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }):
		add("routing_key", "the routing key holds a character that no key has", "is there a line break at its end?")
	case c.APIURL == "" && len(key) != keyLength:
		add("routing_key", fmt.Sprintf("PagerDuty's routing keys have %d characters, this one has %d", keyLength, len(key)), where)
	}
	if c.APIURL != "" {
		if err := peer.CheckURL(c.APIURL); err != nil {
			add("api_url", err.Error(), "leave it out to use PagerDuty's own")
		}
	}
	return problems
}

// Open makes the notifier; it connects to nothing.
func (c *Config) Open(setup alerting.ReceiverSetup) (alerting.Notifier, error) {
	address := strings.TrimRight(cmp.Or(c.APIURL, service), "/")
	if err := peer.CheckURL(address); err != nil {
		return nil, fmt.Errorf("api_url: %w", err)
	}
	return &notifier{url: address + path, key: c.RoutingKey, wording: setup.Wording(), peer: peer.New(peer.Host(address), time.Now, c.RoutingKey)}, nil
}

type notifier struct {
	url     string
	key     inventory.Secret
	wording alerting.Wording
	peer    *peer.Peer
	served  peer.Served // events of digests
}

// Pace stays far below what PagerDuty takes of one integration. It states no fixed limit.
func (n *notifier) Pace() alerting.Pace { return alerting.Pace{Burst: 30, Every: time.Second} }

// Notify sends the message as an event, a digest as one for each of its messages.
func (n *notifier) Notify(ctx context.Context, m alerting.Message) (alerting.Receipt, error) {
	if len(m.Digest) > 0 {
		return n.sendAll(ctx, m.Digest)
	}
	return n.send(ctx, m)
}

func (n *notifier) send(ctx context.Context, m alerting.Message) (alerting.Receipt, error) {
	e := compose(n.wording, m)
	e.RoutingKey = n.key.Reveal()
	content, err := json.Marshal(e)
	if err != nil {
		return alerting.Receipt{}, fmt.Errorf("encode: %w: %w", err, alerting.ErrPermanent)
	}
	answer, err := n.peer.Send(ctx, peer.Post{URL: n.url, Key: m.Key, Type: "application/json", Body: content})
	if err != nil {
		return alerting.Receipt{}, err
	}
	return n.peer.Judge(answer, words(answer))
}

// words are what PagerDuty says in its JSON, or else the first line of whatever it said.
func words(a peer.Answer) string {
	var said struct {
		Status  string   `json:"status"`
		Message string   `json:"message"`
		Errors  []string `json:"errors"`
	}
	if json.Unmarshal([]byte(a.Text), &said) != nil || said.Status == "" {
		return a.FirstLine()
	}
	text := strings.Join(append([]string{cmp.Or(said.Message, said.Status)}, said.Errors...), "; ")
	if strings.Contains(text, "routing_key") {
		text += "; compare routing_key with the integration's page"
	}
	return text
}
