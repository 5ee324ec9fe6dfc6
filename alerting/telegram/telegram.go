package telegram

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"vigia/alerting"
	"vigia/alerting/peer"
	"vigia/collectors"
	"vigia/collectors/inventory"
)

// Kind is the receiver kind telegram.
func Kind() alerting.ReceiverKind {
	return alerting.ReceiverKind{Name: "telegram", New: func() alerting.ReceiverConfig { return &Config{} }}
}

// Config is a Telegram receiver's part of the configuration.
type Config struct {
	Token  inventory.Secret `yaml:"token"`
	ChatID string           `yaml:"chat_id"`
	APIURL string           `yaml:"api_url"`
}

const service = "https://api.telegram.org"

var (
	tokenForm = regexp.MustCompile(`^[0-9]+:[A-Za-z0-9_-]+$`)
	chatForm  = regexp.MustCompile(`^(-?[0-9]+|@[A-Za-z][A-Za-z0-9_]+)$`)
)

// Validate lists what is wrong.
func (c *Config) Validate() []collectors.Problem {
	var problems []collectors.Problem
	add := func(key, message, hint string) {
		problems = append(problems, collectors.Problem{Key: key, Message: message, Hint: hint})
	}
	switch {
	case c.Token.IsZero():
		add("token", "a Telegram receiver needs its bot's token", "BotFather makes it; such as ${env:TELEGRAM_BOT}")
	case !tokenForm.MatchString(c.Token.Reveal()):
		add("token", "this is not the token of a bot", "digits, a colon, and letters: is there a line break at its end?")
	}
	switch {
	case c.ChatID == "":
		add("chat_id", "a Telegram receiver needs its chat", "a number such as \"-1001234567890\", or the @name of a public channel")
	case !chatForm.MatchString(c.ChatID):
		add("chat_id", fmt.Sprintf("%q is neither the number of a chat nor the @name of a channel", c.ChatID), "a number such as \"-1001234567890\"")
	}
	if c.APIURL != "" {
		if err := peer.CheckURL(c.APIURL); err != nil {
			add("api_url", err.Error(), "leave it out to use Telegram's own")
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
	_, secret, _ := strings.Cut(c.Token.Reveal(), ":")
	n := &notifier{
		url: inventory.NewSecret(address + "/bot" + c.Token.Reveal() + "/sendMessage"), wording: setup.Wording(), logger: setup.Logger,
		peer: peer.New(peer.Host(address), time.Now, c.Token, inventory.NewSecret(secret)),
	}
	n.chat.Store(&c.ChatID)
	return n, nil
}

type notifier struct {
	url     inventory.Secret
	chat    atomic.Pointer[string] // another one once the group has become a supergroup
	wording alerting.Wording
	logger  *slog.Logger
	peer    *peer.Peer
	threads threads
	served  peer.Served // messages of long digests
}

// Pace stays under Telegram's 20 messages a minute in a group.
func (n *notifier) Pace() alerting.Pace { return alerting.Pace{Burst: 5, Every: 4 * time.Second} }

// request is the body of sendMessage.
type request struct {
	ChatID  string   `json:"chat_id"`
	Text    string   `json:"text"`
	Mode    string   `json:"parse_mode"`
	Preview preview  `json:"link_preview_options"`
	Silent  bool     `json:"disable_notification,omitempty"`
	Reply   *replyTo `json:"reply_parameters,omitempty"`
}

type preview struct {
	Disabled bool `json:"is_disabled"`
}

type replyTo struct {
	Message int64 `json:"message_id"`
	Anyway  bool  `json:"allow_sending_without_reply"`
}

// response is Telegram's answer.
type response struct {
	OK     bool `json:"ok"`
	Result struct {
		MessageID int64 `json:"message_id"`
	} `json:"result"`
	Description string `json:"description"`
	Parameters  struct {
		RetryAfter int64 `json:"retry_after"`
		MigrateTo  int64 `json:"migrate_to_chat_id"`
	} `json:"parameters"`
}

// Notify posts the message. A digest that is too long for one takes several.
func (n *notifier) Notify(ctx context.Context, m alerting.Message) (alerting.Receipt, error) {
	said := n.wording.Say(m)
	receipt := alerting.Receipt{Outcome: "posted before"}
	for i, html := range layout(said) {
		part, key := strconv.Itoa(i), m.Key
		if n.served.Has(m.Key, part) {
			continue
		}
		if i > 0 {
			key += "." + part
		}
		r := request{Text: html, Mode: "HTML", Preview: preview{Disabled: true}, Silent: said.Calm && m.Cause != alerting.CauseTest}
		posted, err := n.post(ctx, key, m.Incident, r)
		if err != nil {
			return alerting.Receipt{}, err
		}
		n.threads.begin(m.Incident, posted)
		n.served.Note(m.Key, part)
		receipt.Outcome = fmt.Sprintf("posted to %s as message %d", *n.chat.Load(), posted)
	}
	n.served.Forget(m.Key)
	return receipt, nil
}

// post posts one message and returns its number. It follows a group that has become a supergroup.
func (n *notifier) post(ctx context.Context, key string, incident int64, r request) (int64, error) {
	posted, moved, err := n.try(ctx, key, incident, r)
	if moved == "" {
		return posted, err
	}
	n.chat.Store(&moved)
	n.threads.forgetAll()
	if n.logger != nil {
		n.logger.Warn("the Telegram group has become a supergroup; set its new chat_id in the configuration", "receiver", n.wording.Receiver, "chat_id", moved)
	}
	posted, _, err = n.try(ctx, key, incident, r)
	return posted, err
}

// advice is what to do about a refusal.
func advice(code int, description string) string {
	switch {
	case code == http.StatusUnauthorized, code == http.StatusNotFound:
		return "; compare token with what BotFather shows"
	case code == http.StatusForbidden:
		return "; add the bot to the chat again"
	case strings.Contains(description, "chat not found"):
		return "; compare chat_id, and add the bot to the chat"
	}
	return ""
}

// try makes one attempt. Moved is the new chat when the old one is no more.
func (n *notifier) try(ctx context.Context, key string, incident int64, r request) (posted int64, moved string, err error) {
	r.ChatID = *n.chat.Load()
	if first := n.threads.of(incident); first != 0 {
		r.Reply = &replyTo{Message: first, Anyway: true}
	}
	content, err := json.Marshal(r)
	if err != nil {
		return 0, "", fmt.Errorf("encode: %w: %w", err, alerting.ErrPermanent)
	}
	answer, err := n.peer.Send(ctx, peer.Post{URL: n.url.Reveal(), Key: key, Type: "application/json", Body: content})
	if err != nil {
		return 0, "", err
	}
	var said response
	if json.Unmarshal([]byte(answer.Text), &said) != nil {
		said = response{Description: answer.FirstLine()}
	}
	if said.Parameters.MigrateTo != 0 {
		moved = strconv.FormatInt(said.Parameters.MigrateTo, 10)
	}
	if wait := said.Parameters.RetryAfter; wait > 0 {
		answer.After = time.Duration(min(wait, int64(peer.LongestWait/time.Second))) * time.Second
	}
	if _, err := n.peer.Judge(answer, said.Description+advice(answer.Code, said.Description)); err != nil {
		return 0, moved, err
	}
	if !said.OK || said.Result.MessageID == 0 {
		return 0, "", errors.New(alerting.Outcome(fmt.Sprintf("HTTP %d, and not the answer of Telegram", answer.Code)))
	}
	return said.Result.MessageID, "", nil
}
