package email

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"
	"golang.org/x/net/html"

	"vigia/alerting"
	"vigia/alerting/alertingtest"
	"vigia/collectors"
	"vigia/collectors/inventory"
)

func TestNotifier(t *testing.T) {
	alertingtest.RunNotifier(t, alertingtest.NotifierSuite{
		Kind: Kind(),
		Start: func(t *testing.T) alertingtest.Peer {
			p := startPeer(t, options{auth: true, startTLS: true})
			c := p.config("smtp")
			c.SMTP = inventory.NewSecret(fmt.Sprintf("smtp://%s:%s@%s", user, password, p.listener.Addr()))
			return alertingtest.Peer{Config: c, Answer: p.set, Copies: p.copies, Close: p.close}
		},
		Secrets:  []string{password, "smtp://" + user},
		Breakout: breakout,
	})
}

// breakout looks for a header that we did not write, and for markup that is not our page's.
func breakout(c alertingtest.Copy) error {
	l, err := parse([]byte(c.Raw))
	if err != nil {
		return err
	}
	for name := range l.header {
		known := []string{
			"Date", "Mime-Version", "Message-Id", "References", "In-Reply-To", "Subject", "From", "To", "Cc", "Content-Type", "Auto-Submitted",
			"X-Auto-Response-Suppress", "X-Vigia-Key", "X-Vigia-Incident", "Importance", "Priority", "X-Priority", "X-Msmail-Priority",
		}
		if !slices.Contains(known, name) {
			return fmt.Errorf("a header %s", name)
		}
	}
	if subject := l.header.Get("Subject"); strings.Count(subject, "=?") > 0 && !strings.HasPrefix(subject, "=?UTF-8?q?") {
		return fmt.Errorf("an encoded word that is not ours in %q", subject)
	}
	if strings.ContainsAny(l.decoded("Subject")+l.decoded("From"), "\r\n\x00") {
		return errors.New("a line break in the subject or the sender")
	}
	return breakoutHTML(l.html)
}

func breakoutHTML(page string) error {
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		return err
	}
	allowed := []string{"html", "head", "meta", "title", "style", "body", "div", "table", "tbody", "tr", "td", "span", "h1", "p", "a", "b"}
	for node := range root.Descendants() {
		if node.Type != html.ElementNode {
			continue
		}
		if !slices.Contains(allowed, node.Data) {
			return fmt.Errorf("an element %s", node.Data)
		}
		for _, a := range node.Attr {
			if strings.HasPrefix(a.Key, "on") || a.Key == "href" && !strings.HasPrefix(a.Val, "https://noc.example.com/incidents/") {
				return fmt.Errorf("an attribute %s=%q", a.Key, a.Val)
			}
			if a.Key == "src" || strings.Contains(a.Val, "url(") {
				return fmt.Errorf("something to fetch: %s=%q", a.Key, a.Val)
			}
		}
	}
	return nil
}

func open(t *testing.T, c *Config, lang collectors.Lang) alerting.Notifier {
	t.Helper()
	for _, p := range c.Validate() {
		t.Fatalf("%s: %s", p.Key, p.Message)
	}
	n, err := c.Open(alerting.ReceiverSetup{
		Receiver: alerting.Receiver{Name: "l2-mail", Language: lang}, Words: alertingtest.SampleWords, PublicURL: "https://noc.example.com", Brand: "Istmo Voz",
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestHeaders(t *testing.T) {
	p := startPeer(t, options{})
	c := p.config("smtp")
	c.CC = []string{"Ana Rojas <ana@istmovoz.example>", "l2@istmovoz.example"}
	n := open(t, c, collectors.English)
	receipt, err := n.Notify(t.Context(), alertingtest.SampleMessage())
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(receipt.Outcome, "accepted by 127.0.0.1: 250 ") {
		t.Errorf("outcome %q", receipt.Outcome)
	}
	l, to := p.last(t)
	want := map[string]string{
		"From": "Critical · NOC <noc@istmovoz.example>", "To": "<l2@istmovoz.example>", "Cc": `"Ana Rojas" <ana@istmovoz.example>, <l2@istmovoz.example>`,
		"Subject": "Link sjo-gua: packet loss (incident 2418)", "Message-Id": "<i2418.l1.suite.opened.1@istmovoz.example>",
		"References": "<incident-2418.l2-mail@istmovoz.example>", "In-Reply-To": "", "Auto-Submitted": "auto-generated",
		"X-Vigia-Incident": "2418", "Importance": "high",
	}
	got := map[string]string{}
	for name := range want {
		got[name] = l.decoded(name)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
	if at, err := l.header.Date(); err != nil || time.Since(at) > time.Minute {
		t.Errorf("date %v, %v", at, err)
	}
	if diff := cmp.Diff([]string{"l2@istmovoz.example", "ana@istmovoz.example"}, to); diff != "" {
		t.Errorf("recipients (-want +got):\n%s", diff)
	}
	if p.helo != "[127.0.0.1]" {
		t.Errorf("we called ourselves %q", p.helo)
	}
}

// TestThread: all messages of one incident refer to one thread under one subject; other incidents and receivers have their own.
func TestThread(t *testing.T) {
	p := startPeer(t, options{})
	n := open(t, p.config("smtp"), collectors.Spanish)
	threads, subjects, ids := map[string]bool{}, map[string]bool{}, map[string]bool{}
	messages := alertingtest.SampleMessages()
	for _, m := range messages {
		if m.Incident == 0 {
			continue
		}
		if _, err := n.Notify(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		l, _ := p.last(t)
		threads[l.header.Get("References")], subjects[l.decoded("Subject")], ids[l.header.Get("Message-Id")] = true, true, true
		if reply := l.header.Get("In-Reply-To"); m.Cause != alerting.CauseOpened && reply != l.header.Get("References") {
			t.Errorf("%s replies to %q", m.Cause, reply)
		}
	}
	if len(threads) != 1 || len(subjects) != 1 {
		t.Errorf("threads %v, subjects %v", slices.Collect(maps.Keys(threads)), slices.Collect(maps.Keys(subjects)))
	}
	if len(ids) != 12 {
		t.Errorf("%d message ids for twelve messages", len(ids))
	}
	other := messages[0]
	other.Incident, other.Key = 2419, "i2419.l1.suite.opened.1"
	if _, err := n.Notify(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	if l, _ := p.last(t); threads[l.header.Get("References")] || subjects[l.decoded("Subject")] {
		t.Error("another incident is in the same thread")
	}
}

func TestIDPart(t *testing.T) {
	tests := map[string]string{
		"i1.l1.noc.opened.0":     "i1.l1.noc.opened.0",
		"i1..x.":                 "i1._2Ex_2E",
		"a b@c>":                 "a_20b_40c_3E",
		"ñ_":                     "_C3_B1_5F",
		"x\r\nBcc: evil@e":       "x_0D_0ABcc_3A_20evil_40e",
		"":                       "k-e3b0c44298fc1c149afbf4c8996fb924",
		strings.Repeat("a", 200): "k-c2a908d98f5df987ade41b5fce213067",
	}
	for key, want := range tests {
		if got := idPart(key); got != want {
			t.Errorf("%q: %q, want %q", key, got, want)
		}
	}
}

func TestEncryption(t *testing.T) {
	tests := []struct {
		name    string
		peer    options
		change  func(p *peer, c *Config)
		scheme  string
		tls     bool
		problem string // in the error; empty: it arrives
	}{
		{"plain", options{}, func(*peer, *Config) {}, "smtp", false, ""},
		{"offered", options{startTLS: true}, func(*peer, *Config) {}, "smtp", true, ""},
		{"offered, never", options{startTLS: true}, func(_ *peer, c *Config) { c.StartTLS = StartTLSNever }, "smtp", false, ""},
		{"required", options{startTLS: true}, func(_ *peer, c *Config) { c.StartTLS = StartTLSRequired }, "smtp", true, ""},
		{"required, not offered", options{}, func(_ *peer, c *Config) { c.StartTLS = StartTLSRequired }, "smtp", false, "does not offer STARTTLS"},
		{"implicit", options{implicit: true}, func(*peer, *Config) {}, "smtps", true, ""},
		{"unknown certificate", options{startTLS: true}, func(_ *peer, c *Config) { c.CA = inventory.Secret{} }, "smtp", true, "certificate"},
		{"unknown certificate, implicit", options{implicit: true}, func(_ *peer, c *Config) { c.CA = inventory.Secret{} }, "smtps", true, "certificate"},
		{"password", options{startTLS: true, auth: true}, func(_ *peer, c *Config) {
			c.User, c.Password = inventory.NewSecret(user), inventory.NewSecret(password)
		}, "smtp", true, ""},
		{"password, implicit", options{implicit: true, auth: true}, func(_ *peer, c *Config) {
			c.User, c.Password = inventory.NewSecret(user), inventory.NewSecret(password)
		}, "smtps", true, ""},
		{"wrong password", options{startTLS: true, auth: true}, func(_ *peer, c *Config) {
			c.User, c.Password = inventory.NewSecret(user), inventory.NewSecret("wrong-password")
		}, "smtp", true, "535"},
		{"no way to log in", options{startTLS: true}, func(_ *peer, c *Config) {
			c.User, c.Password = inventory.NewSecret(user), inventory.NewSecret(password)
		}, "smtp", true, "none of SCRAM"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := startPeer(t, tt.peer)
			c := p.config(tt.scheme)
			tt.change(p, c)
			_, err := open(t, c, collectors.English).Notify(t.Context(), alertingtest.SampleMessage())
			switch {
			case tt.problem == "" && err != nil:
				t.Error(err)
			case tt.problem == "" && p.tls != tt.tls:
				t.Errorf("encrypted is %v, want %v", p.tls, tt.tls)
			case tt.problem != "" && (err == nil || !strings.Contains(err.Error(), tt.problem)):
				t.Errorf("%v, want an error about %q", err, tt.problem)
			case err != nil && strings.Contains(err.Error(), "wrong-password"):
				t.Errorf("the error shows the password: %v", err)
			}
		})
	}
}

// TestSomeRecipients: one refused address does not keep the others from being told, and another attempt reaches only those that wait.
func TestSomeRecipients(t *testing.T) {
	gone := &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user"}
	grey := &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 7, 1}, Message: "greylisted"}
	p := startPeer(t, options{})
	c := p.config("smtp")
	c.To = []string{"a@x.example", "b@x.example", "c@x.example"}
	n := open(t, c, collectors.English)
	decide := func(answers map[string]error) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.rcpt = func(address string) error { return answers[address] }
	}

	decide(map[string]error{"b@x.example": gone})
	receipt, err := n.Notify(t.Context(), alertingtest.SampleMessage())
	if _, to := p.last(t); err != nil || !slices.Equal(to, []string{"a@x.example", "c@x.example"}) || !strings.Contains(receipt.Outcome, "b@x.example refused: 550") {
		t.Errorf("one gone: %v, %v, %q", err, to, receipt.Outcome)
	}
	decide(map[string]error{"a@x.example": gone, "b@x.example": gone, "c@x.example": gone})
	if _, err = n.Notify(t.Context(), alertingtest.SampleMessage()); !errors.Is(err, alerting.ErrPermanent) {
		t.Errorf("all gone: %v", err)
	}
	decide(map[string]error{"a@x.example": grey, "b@x.example": gone})
	if _, err = n.Notify(t.Context(), alertingtest.SampleMessage()); err == nil || errors.Is(err, alerting.ErrPermanent) {
		t.Errorf("one for the moment: %v", err)
	}
	decide(nil)
	_, err = n.Notify(t.Context(), alertingtest.SampleMessage())
	if _, to := p.last(t); err != nil || !slices.Equal(to, []string{"a@x.example", "b@x.example"}) {
		t.Errorf("the second attempt reached %v, want those who had not got it: %v", to, err)
	}
}

func TestServedIsBounded(t *testing.T) {
	s := newServed()
	for i := range 1000 {
		s.note(fmt.Sprint(i), []string{"a"})
	}
	if len(s.by) != maxServed || len(s.order) != maxServed {
		t.Errorf("%d keys, %d in order", len(s.by), len(s.order))
	}
	if got := s.missing("999", []string{"a", "b"}); !slices.Equal(got, []string{"b"}) {
		t.Errorf("missing %v", got)
	}
	s.forget("999")
	if got := s.missing("999", []string{"a", "b"}); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("missing %v after it was forgotten", got)
	}
}

func TestValidate(t *testing.T) {
	tests := []struct{ yaml, want string }{
		{`{smtp: "smtp://m.example:587", from: v@e.example, to: [a@e.example]}`, ""},
		{`{smtp: "smtps://u:p@m.example", from: "NOC <v@e.example>", to: [a@e.example], cc: [b@e.example]}`, ""},
		{`{smtp: "smtp://u:p@127.0.0.1:25", starttls: never, from: v@e.example, to: [a@e.example]}`, ""},
		{`{}`, "smtp: a mail receiver needs its server\nfrom: a mail receiver needs its sender\nto: a mail receiver needs somebody to write to"},
		{`{smtp: "m.example:587", from: v@e.example, to: [a@e.example]}`, "smtp: this is not the address of a mail server"},
		{`{smtp: "http://m.example", from: v@e.example, to: [a@e.example]}`, `smtp: "http" is neither smtp nor smtps`},
		{`{smtp: "smtp://m.example/x", from: v@e.example, to: [a@e.example]}`, "smtp: this is not the address of a mail server"},
		{`{smtp: "smtp://u@m.example", from: v@e.example, to: [a@e.example]}`, "user: a user and a password belong together"},
		{`{smtp: "smtp://m.example", password: p, from: v@e.example, to: [a@e.example]}`, "user: a user and a password belong together"},
		{`{smtp: "smtp://u:p@m.example", starttls: never, from: v@e.example, to: [a@e.example]}`, "starttls: never would show the password to the network"},
		{`{smtp: "smtp://u:p@m.example", starttls: offered, from: v@e.example, to: [a@e.example]}`, "starttls: offered would show the password to the network"},
		{`{smtp: "smtp://m.example", starttls: maybe, from: v@e.example, to: [a@e.example]}`, `starttls: "maybe" is not offered, required or never`},
		{`{smtp: "smtp://m.example", ca: x, from: v@e.example, to: [a@e.example]}`, "ca: there is no certificate in PEM form in it"},
		{`{smtp: "smtp://m.example", from: "v", to: ["a@b c"]}`, "from: \"v\" is not a mail address\nto: \"a@b c\" is not a mail address"},
		{`{smtp: "smtp://m.example", from: v@e.example, to: [a@e.example], cc: ["x\r\nBcc: y@z"]}`, `cc: "x\r\nBcc: y@z" is not a mail address`},
	}
	for _, tt := range tests {
		var c Config
		if err := yaml.Unmarshal([]byte(tt.yaml), &c); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range c.Validate() {
			got = append(got, p.Key+": "+p.Message)
		}
		if diff := cmp.Diff(tt.want, strings.Join(got, "\n")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.yaml, diff)
		}
	}
}

// TestHangsAnywhere: whichever step a server hangs at, the deadline holds.
func TestHangsAnywhere(t *testing.T) {
	p := startPeer(t, options{})
	n := open(t, p.config("smtp"), collectors.English)
	p.mu.Lock()
	p.rcpt = func(string) error {
		<-p.gone
		return nil
	}
	p.mu.Unlock()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	start := time.Now()
	if _, err := n.Notify(ctx, alertingtest.SampleMessage()); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > time.Second {
		t.Errorf("%v after %v", err, time.Since(start))
	}
}
