package slack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
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
	Token    inventory.Secret `yaml:"token"`
	AppToken inventory.Secret `yaml:"app_token"`
	Channel  string           `yaml:"channel"`
	APIURL   string           `yaml:"api_url"`
}

// Validate lists what is wrong.
func (c *Config) Validate() []collectors.Problem {
	var problems []collectors.Problem
	add := func(key, message, hint string) {
		problems = append(problems, collectors.Problem{Key: key, Message: message, Hint: hint})
	}
	if c.Token.IsZero() {
		add("token", "a Slack receiver needs the bot's token", "such as ${env:SLACK_BOT}")
	} else if strings.ContainsFunc(c.Token.Reveal(), func(r rune) bool { return r <= ' ' || r > '~' }) {
		add("token", "the token holds a character that no token has", "is there a line break at its end?")
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
	options := []slackapi.Option{slackapi.OptionHTTPClient(newClient())}
	if c.APIURL != "" {
		options = append(options, slackapi.OptionAPIURL(strings.TrimRight(c.APIURL, "/")+"/"))
	}
	return &notifier{
		api: slackapi.New(c.Token.Reveal(), options...), channel: c.Channel, wording: setup.Wording(),
		secrets: []inventory.Secret{c.Token, c.AppToken}, threads: threads{first: map[int64]string{}},
	}, nil
}

const maxAnswer = 1 << 20

// newClient makes a client that follows no redirect, uses no proxy and reads no endless answer.
func newClient() *http.Client {
	return &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     bounded{&http.Transport{TLSHandshakeTimeout: 5 * time.Second, ForceAttemptHTTP2: true, IdleConnTimeout: 30 * time.Second}},
	}
}

type bounded struct{ http.RoundTripper }

// RoundTrip bounds the answer's body.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := b.RoundTripper.RoundTrip(r)
	if err == nil {
		response.Body = limited{io.LimitReader(response.Body, maxAnswer), response.Body}
	}
	return response, err
}

type limited struct {
	io.Reader
	io.Closer
}

type notifier struct {
	api     *slackapi.Client
	channel string
	wording alerting.Wording
	secrets []inventory.Secret // what no outcome may show
	threads threads
}

// Pace stays under Slack's limit of one message a second and channel.
func (n *notifier) Pace() alerting.Pace { return alerting.Pace{Burst: 5, Every: 2 * time.Second} }

// Notify posts the message. A digest that is too long for one continues in its thread.
func (n *notifier) Notify(ctx context.Context, m alerting.Message) (alerting.Receipt, error) {
	said := n.wording.Say(m)
	thread := n.threads.of(m.Incident)
	var last string
	for i, blocks := range layout(said) {
		options := []slackapi.MsgOption{
			slackapi.MsgOptionText(said.Headline()+" · "+said.Cause, true), slackapi.MsgOptionBlocks(blocks...),
			slackapi.MsgOptionDisableLinkUnfurl(), slackapi.MsgOptionDisableMediaUnfurl(), slackapi.MsgOptionMetadata(metadata(m.Key)),
		}
		if thread != "" {
			options = append(options, slackapi.MsgOptionTS(thread))
			if !said.Calm && i == 0 {
				options = append(options, slackapi.MsgOptionBroadcast())
			}
		}
		_, ts, err := n.api.PostMessageContext(ctx, n.channel, options...)
		if err != nil {
			return alerting.Receipt{}, n.failure(ctx, m.Incident, err)
		}
		if thread == "" {
			thread = ts
			n.threads.begin(m.Incident, ts)
		}
		last = ts
	}
	return alerting.Receipt{Outcome: alerting.Outcome("posted to "+n.channel+" as "+last, n.secrets...)}, nil
}

func metadata(key string) slackapi.SlackMetadata {
	return slackapi.SlackMetadata{EventType: "vigia_notification", EventPayload: map[string]any{"key": key}}
}

// forGood are Slack's refusals that another attempt cannot mend.
var forGood = []string{
	"account_inactive", "as_user_not_supported", "channel_not_found", "ekm_access_denied", "enterprise_is_restricted", "invalid_arg_name",
	"invalid_arguments", "invalid_array_arg", "invalid_auth", "invalid_blocks", "invalid_blocks_format", "invalid_charset", "invalid_form_data",
	"invalid_metadata_format", "invalid_metadata_schema", "invalid_post_type", "is_archived", "metadata_too_large", "method_deprecated",
	"missing_post_type", "missing_scope", "msg_blocks_too_long", "msg_too_long", "no_permission", "no_text", "not_allowed_token_type",
	"not_authed", "not_in_channel", "org_login_required", "restricted_action", "restricted_action_non_threadable_channel",
	"restricted_action_read_only_channel", "restricted_action_thread_locked", "restricted_action_thread_only_channel", "team_access_not_granted",
	"team_not_found", "token_expired", "token_revoked", "two_factor_setup_required",
}

// lostThread are refusals that mean that the thread's first message is gone.
var lostThread = []string{"thread_not_found", "message_not_found", "cannot_reply_to_message"}

// failure classifies what Slack, or the way to it, said.
func (n *notifier) failure(ctx context.Context, incident int64, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("slack did not answer in time: %w", ctx.Err())
	}
	var limit *slackapi.RateLimitedError
	if errors.As(err, &limit) {
		return &alerting.RetryAfterError{After: max(limit.RetryAfter, time.Second), Err: errors.New("slack asks to go slower")}
	}
	var refusal slackapi.SlackErrorResponse
	if errors.As(err, &refusal) {
		if slices.Contains(lostThread, refusal.Err) {
			n.threads.forget(incident)
		}
		text := alerting.Outcome("slack: "+refusal.Err, n.secrets...)
		if slices.Contains(forGood, refusal.Err) {
			return fmt.Errorf("%s: %w", text, alerting.ErrPermanent)
		}
		return errors.New(text)
	}
	var status slackapi.StatusCodeError
	if errors.As(err, &status) {
		text := alerting.Outcome(fmt.Sprintf("slack: HTTP %d", status.Code), n.secrets...)
		if status.Code < 500 && status.Code != http.StatusRequestTimeout && status.Code != http.StatusTooManyRequests {
			return fmt.Errorf("%s: %w", text, alerting.ErrPermanent)
		}
		return errors.New(text)
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	return errors.New(alerting.Outcome("slack: "+err.Error(), n.secrets...))
}

// threads remembers which message began an incident's thread.
type threads struct {
	mu    sync.Mutex
	first map[int64]string
	order []int64 // oldest first
}

const maxThreads = 2048

func (t *threads) of(incident int64) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.first[incident]
}

func (t *threads) begin(incident int64, ts string) {
	if incident == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, known := t.first[incident]; known {
		return
	}
	t.first[incident] = ts
	t.order = append(t.order, incident)
	if len(t.order) > maxThreads {
		delete(t.first, t.order[0])
		t.order = slices.Delete(t.order, 0, 1)
	}
}

func (t *threads) forget(incident int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.first, incident)
	t.order = slices.DeleteFunc(t.order, func(i int64) bool { return i == incident })
}
