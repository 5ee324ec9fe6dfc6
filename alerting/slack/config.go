package slack

import (
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	slackapi "github.com/slack-go/slack"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
)

// Kind is the receiver kind slack.
func Kind() alerting.ReceiverKind {
	return alerting.ReceiverKind{Name: "slack", New: func() alerting.ReceiverConfig { return &Config{} }}
}

// Config is a Slack receiver's part of the configuration.
type Config struct {
	Token         inventory.Secret `yaml:"token"`
	AppToken      inventory.Secret `yaml:"app_token"`
	SigningSecret inventory.Secret `yaml:"signing_secret"`
	Channel       string           `yaml:"channel"`
	APIURL        string           `yaml:"api_url"`
}

// Validate lists what is wrong.
func (c *Config) Validate() []collectors.Problem {
	var problems []collectors.Problem
	add := func(key, message, hint string) {
		problems = append(problems, collectors.Problem{Key: key, Message: message, Hint: hint})
	}
	if c.Token.IsZero() {
		add("token", "a Slack receiver needs the bot's token", "such as ${env:SLACK_BOT}")
	}
	for key, secret := range map[string]inventory.Secret{"token": c.Token, "app_token": c.AppToken, "signing_secret": c.SigningSecret} {
		if strings.ContainsFunc(secret.Reveal(), func(r rune) bool { return r <= ' ' || r > '~' }) {
			add(key, "the "+strings.ReplaceAll(key, "_", " ")+" holds a character that none has", "is there a line break at its end?")
		}
	}
	if c.Channel == "" || strings.ContainsAny(c.Channel, " \t\r\n") {
		add("channel", "a Slack receiver needs its channel", "the id, such as C0123456789, from the channel's details in Slack")
	}
	if c.APIURL != "" {
		if u, err := url.Parse(c.APIURL); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
			add("api_url", fmt.Sprintf("%q is not an http or https address", c.APIURL), "leave it out to use Slack's own")
		}
	}
	return problems
}

// Open makes the notifier; it connects to nothing.
func (c *Config) Open(setup alerting.ReceiverSetup) (alerting.Notifier, error) {
	options := []slackapi.Option{slackapi.OptionHTTPClient(newClient()), slackapi.OptionAppLevelToken(c.AppToken.Reveal())}
	if c.APIURL != "" {
		options = append(options, slackapi.OptionAPIURL(strings.TrimRight(c.APIURL, "/")+"/"))
	}
	logger := setup.Logger
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	n := &notifier{
		api: slackapi.New(c.Token.Reveal(), options...), channel: c.Channel, wording: setup.Wording(),
		secrets: []inventory.Secret{c.Token, c.AppToken, c.SigningSecret}, signing: c.SigningSecret, sockets: !c.AppToken.IsZero() && setup.Decide != nil,
		decide: setup.Decide, history: setup.History, logger: logger.With("receiver", setup.Receiver.Name),
		roots: newRoots(time.Now()), turn: make(chan struct{}, 1), names: map[string]string{},
	}
	n.buttons = setup.Decide != nil && !(c.AppToken.IsZero() && c.SigningSecret.IsZero())
	if u, err := url.Parse(setup.PublicURL); err == nil {
		n.home = u.Hostname()
	}
	return n, nil
}
