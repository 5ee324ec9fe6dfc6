package teams

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"vigia/alerting"
	"vigia/alerting/peer"
	"vigia/collectors"
	"vigia/collectors/inventory"
)

// Kind is the receiver kind teams.
func Kind() alerting.ReceiverKind {
	return alerting.ReceiverKind{Name: "teams", New: func() alerting.ReceiverConfig { return &Config{} }}
}

// Config is a Teams receiver's part of the configuration.
type Config struct {
	URL inventory.Secret `yaml:"url"`
}

const urlHint = "the address that the workflow shows in Teams, such as ${env:TEAMS_URL}"

// Validate lists what is wrong.
func (c *Config) Validate() []collectors.Problem {
	if c.URL.IsZero() {
		return []collectors.Problem{{Key: "url", Message: "a Teams receiver needs the address of its workflow", Hint: urlHint}}
	}
	if err := peer.CheckURL(c.URL.Reveal()); err != nil {
		return []collectors.Problem{{Key: "url", Message: err.Error(), Hint: urlHint}}
	}
	return nil
}

// Open makes the notifier; it connects to nothing.
func (c *Config) Open(setup alerting.ReceiverSetup) (alerting.Notifier, error) {
	if err := peer.CheckURL(c.URL.Reveal()); err != nil {
		return nil, fmt.Errorf("url: %w", err)
	}
	return &notifier{url: c.URL, wording: setup.Wording(), peer: peer.New(peer.Host(c.URL.Reveal()), time.Now, peer.SecretsIn(c.URL)...)}, nil
}

type notifier struct {
	url     inventory.Secret
	wording alerting.Wording
	peer    *peer.Peer
	served  peer.Served // messages of long digests
}

// Pace stays under what a workflow may post: Teams' connector takes a few messages a second, and people read fewer.
func (n *notifier) Pace() alerting.Pace { return alerting.Pace{Burst: 5, Every: 2 * time.Second} }

// Notify posts the message. A digest that is too long for one takes several.
func (n *notifier) Notify(ctx context.Context, m alerting.Message) (alerting.Receipt, error) {
	receipt := alerting.Receipt{Outcome: "accepted before"}
	for i, message := range compose(n.wording.Say(m)) {
		part, key := strconv.Itoa(i), m.Key
		if n.served.Has(m.Key, part) {
			continue
		}
		if i > 0 {
			key += "." + part
		}
		var err error
		if receipt, err = n.send(ctx, key, message); err != nil {
			return alerting.Receipt{}, err
		}
		n.served.Note(m.Key, part)
	}
	n.served.Forget(m.Key)
	return receipt, nil
}

func (n *notifier) send(ctx context.Context, key string, m message) (alerting.Receipt, error) {
	content, err := json.Marshal(m)
	if err != nil {
		return alerting.Receipt{}, fmt.Errorf("encode: %w: %w", err, alerting.ErrPermanent)
	}
	answer, err := n.peer.Send(ctx, peer.Post{URL: n.url.Reveal(), Key: key, Type: "application/json", Body: content})
	if err != nil {
		return alerting.Receipt{}, err
	}
	return n.peer.Judge(answer, words(answer))
}

// words are what Power Automate says, and what to do about an address that it does not know any more.
func words(a peer.Answer) string {
	text := said(a)
	switch a.Code {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusGone:
		text = strings.TrimPrefix(text+"; copy the workflow's address into url again", "; ")
	}
	return text
}

// said is the message in Power Automate's JSON, or else the first line of whatever came.
func said(a peer.Answer) string {
	var answer struct {
		Error struct{ Code, Message string }
	}
	if json.Unmarshal([]byte(a.Text), &answer) != nil || answer.Error.Code == "" {
		return a.FirstLine()
	}
	return answer.Error.Code + ": " + answer.Error.Message
}
