package sms

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"vigia/alerting"
	"vigia/alerting/peer"
	"vigia/collectors"
	"vigia/collectors/inventory"
)

// Kind is the receiver kind sms.
func Kind() alerting.ReceiverKind {
	return alerting.ReceiverKind{Name: "sms", New: func() alerting.ReceiverConfig { return &Config{} }}
}

// Config is an SMS receiver's part of the configuration.
type Config struct {
	AccountSID inventory.Secret `yaml:"account_sid"`
	Token      inventory.Secret `yaml:"token"`
	From       string           `yaml:"from"`
	To         []string         `yaml:"to"`
	Voice      bool             `yaml:"voice"`
	APIURL     string           `yaml:"api_url"`
}

const service = "https://api.twilio.com"

var (
	accountForm = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)
	twilioForm  = regexp.MustCompile(`^AC[0-9a-f]{32}$`)
	numberForm  = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
	senderForm  = regexp.MustCompile(`^([0-9]{3,8}|[A-Za-z0-9 ]{1,11})$`)
	serviceForm = regexp.MustCompile(`^MG[0-9a-f]{32}$`)
)

const numberHint = "with + and country code, such as \"+50688881234\""

// Validate lists what is wrong.
func (c *Config) Validate() []collectors.Problem {
	problems := c.account()
	add := func(key, message, hint string) {
		problems = append(problems, collectors.Problem{Key: key, Message: message, Hint: hint})
	}
	switch isNumber := numberForm.MatchString(c.From); {
	case c.From == "":
		add("from", "an SMS receiver needs its sender", "a number of the account, "+numberHint)
	case c.Voice && !isNumber:
		add("from", fmt.Sprintf("%q is no number, and a call comes from a number", c.From), numberHint)
	case !isNumber && !senderForm.MatchString(c.From) && !serviceForm.MatchString(c.From):
		add("from", fmt.Sprintf("%q is no sender of text messages", c.From), "a number "+numberHint+", a short code, a name of up to 11 letters, or a messaging service (MG…)")
	}
	if len(c.To) == 0 {
		add("to", "an SMS receiver needs a number to tell", numberHint)
	}
	seen := map[string]bool{}
	for _, to := range c.To {
		switch {
		case !numberForm.MatchString(to):
			add("to", fmt.Sprintf("%q is not a telephone number", to), numberHint)
		case seen[to]:
			add("to", fmt.Sprintf("%s is there twice", to), "")
		}
		seen[to] = true
	}
	return problems
}

// account looks at where to post and who posts.
func (c *Config) account() []collectors.Problem {
	var problems []collectors.Problem
	add := func(key, message, hint string) {
		problems = append(problems, collectors.Problem{Key: key, Message: message, Hint: hint})
	}
	const sidHint = "AC and 32 characters, from the provider's console"
	switch sid := c.AccountSID.Reveal(); {
	case sid == "":
		add("account_sid", "an SMS receiver needs its account's SID", sidHint)
	case !accountForm.MatchString(sid), c.APIURL == "" && !twilioForm.MatchString(sid):
		add("account_sid", "this is not the SID of an account", sidHint)
	}
	if c.Token.IsZero() {
		add("token", "an SMS receiver needs its account's token", "such as ${env:SMS_TOKEN}")
	} else if strings.ContainsFunc(c.Token.Reveal(), func(r rune) bool { return r <= ' ' || r > '~' }) {
		add("token", "the token holds a character that no token has", "is there a line break at its end?")
	}
	if c.APIURL != "" {
		if err := peer.CheckURL(c.APIURL); err != nil {
			add("api_url", err.Error(), "leave it out to use Twilio's own")
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
	basic := inventory.NewSecret(base64.StdEncoding.EncodeToString([]byte(c.AccountSID.Reveal() + ":" + c.Token.Reveal())))
	return &notifier{
		account: inventory.NewSecret(address + "/2010-04-01/Accounts/" + c.AccountSID.Reveal()), basic: basic, from: c.From, to: c.To, voice: c.Voice,
		wording: setup.Wording(), brand: cmp.Or(setup.Brand, "Vigía"), peer: peer.New(peer.Host(address), time.Now, c.Token, basic),
	}, nil
}

type notifier struct {
	account inventory.Secret // the address of what belongs to the account
	basic   inventory.Secret // the account's SID and token, as they are sent
	from    string
	to      []string
	voice   bool
	wording alerting.Wording
	brand   string
	peer    *peer.Peer
	served  peer.Served // numbers
}

// Pace keeps a storm readable, and payable.
func (n *notifier) Pace() alerting.Pace { return alerting.Pace{Burst: 5, Every: 10 * time.Second} }

// Notify tells every number that does not know yet.
func (n *notifier) Notify(ctx context.Context, m alerting.Message) (alerting.Receipt, error) {
	address, form, err := n.form(m)
	if err != nil {
		return alerting.Receipt{}, fmt.Errorf("%w: %w", err, alerting.ErrPermanent)
	}
	var t tally
	for i, to := range n.to {
		if n.served.Has(m.Key, to) {
			t.took(to, "accepted before")
			continue
		}
		form.Set("To", to)
		key := m.Key
		if i > 0 {
			key += fmt.Sprintf(".%d", i) // another number is no copy
		}
		said, err := n.send(ctx, address, key, form)
		if t.note(to, said, err); err == nil {
			n.served.Note(m.Key, to)
		}
	}
	receipt, err := t.sum()
	if err == nil {
		n.served.Forget(m.Key)
	}
	return receipt, err
}

// form is what is posted but for whom, and where to.
func (n *notifier) form(m alerting.Message) (string, url.Values, error) {
	form := url.Values{"From": {n.from}}
	if n.voice && rings(m) {
		twiml, err := call(n.wording, m, n.brand)
		form.Set("Twiml", twiml)
		return n.account.Reveal() + "/Calls.json", form, err
	}
	if serviceForm.MatchString(n.from) {
		form = url.Values{"MessagingServiceSid": {n.from}}
	}
	form.Set("Body", compose(n.wording, m))
	return n.account.Reveal() + "/Messages.json", form, nil
}

// rings reports whether a message asks for somebody, or is a test of whether the phone rings.
func rings(m alerting.Message) bool {
	switch m.Cause {
	case alerting.CauseResolved, alerting.CauseAcknowledged, alerting.CauseMerged:
		return false
	}
	return m.State != alerting.Resolved && m.State != alerting.Merged && (m.Cause != alerting.CauseFallback || m.State != alerting.Acknowledged)
}

// send tells one number and returns what the provider made of it.
func (n *notifier) send(ctx context.Context, address, key string, form url.Values) (string, error) {
	answer, err := n.peer.Send(ctx, peer.Post{
		URL: address, Key: key, Type: "application/x-www-form-urlencoded", Body: []byte(form.Encode()),
		Header: http.Header{"Authorization": {"Basic " + n.basic.Reveal()}},
	})
	if err != nil {
		return "", err
	}
	var said struct {
		SID     string `json:"sid"`
		Status  any    `json:"status"` // a word when it is accepted, the HTTP status when not
		Code    int    `json:"code"`
		Message string `json:"message"`
	}
	if json.Unmarshal([]byte(answer.Text), &said) != nil {
		said.Message = answer.FirstLine()
	}
	if said.Code != 0 {
		said.Message += fmt.Sprintf(" (error %d)", said.Code)
	}
	if answer.Code == http.StatusUnauthorized {
		said.Message += "; compare account_sid and token"
	}
	if _, err := n.peer.Judge(answer, said.Message); err != nil {
		return "", err
	}
	if said.SID == "" {
		return "", errors.New(alerting.Outcome(fmt.Sprintf("HTTP %d without the SID of a message", answer.Code)))
	}
	return fmt.Sprintf("%v as %s", said.Status, said.SID), nil
}
