package alertingtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
)

// Answer is how a receiver's other side is to behave.
type Answer int

// The answers.
const (
	Accept        Answer = iota
	Hang                 // take what comes and never answer
	RefuseNow            // refuse for the moment
	RefuseForGood        // refuse what no other attempt can mend
	SlowDown             // refuse, and ask for PeerWait
	Echo                 // refuse for the moment, with everything that came (credentials too) in the words of the refusal
)

// PeerWait is what a peer that answers SlowDown asks for.
const PeerWait = 7 * time.Second

// Copy is one message as it arrived.
type Copy struct {
	Key  string // what tells a copy from another message
	Text string // what a person reads, decoded
	Raw  string // as it came over the wire
}

// Peer is the other side of a receiver: a real server on loopback.
type Peer struct {
	Config alerting.ReceiverConfig // speaks to it, with all the secrets that a configuration can hold
	Answer func(Answer)            // from now on
	Copies func() []Copy           // what came, accepted or not, oldest first
	Close  func()                  // from now on connections are refused
}

// NotifierSuite is one kind of receiver with its peer.
type NotifierSuite struct {
	Kind    alerting.ReceiverKind
	Start   func(t *testing.T) Peer
	Secrets []string // every secret in Peer.Config
	// Breakout looks for something that a hostile text achieved: a tag, a header, a mention. Each kind knows its own.
	Breakout func(c Copy) error
	// Slows says that the other side can ask for a wait (SlowDown).
	Slows bool
	// Short says that a message has no room for a list: a digest says how many there are, names the worst and links the overview.
	Short bool
}

// RunNotifier tries a kind of receiver: what every notifier must do.
func RunNotifier(t *testing.T, s NotifierSuite) {
	t.Helper()
	t.Run("configuration", s.configuration)
	t.Run("both languages", s.languages)
	t.Run("every cause", s.causes)
	t.Run("same key", s.sameKey)
	t.Run("errors", s.errors)
	t.Run("hang", s.hang)
	t.Run("connection refused", s.refused)
	t.Run("hostile", s.hostile)
	t.Run("digest", s.digest)
	t.Run("at once", s.atOnce)
}

// bench is one notifier with its peer and its log.
type bench struct {
	Peer
	alerting.Notifier
	t   *testing.T
	s   NotifierSuite
	log *bytes.Buffer
}

func (s NotifierSuite) open(t *testing.T, lang collectors.Lang) bench {
	t.Helper()
	peer := s.Start(t)
	log := &bytes.Buffer{}
	for _, p := range peer.Config.Validate() {
		t.Fatalf("the suite's own configuration is refused: %s: %s", p.Key, p.Message)
	}
	n, err := peer.Config.Open(alerting.ReceiverSetup{
		Receiver: alerting.Receiver{Name: "suite", Kind: s.Kind.Name, Language: lang}, PublicURL: "https://noc.example.com",
		Words: SampleWords, Brand: "Example Telecom", Logger: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	b := bench{peer, n, t, s, log}
	t.Cleanup(func() { b.noSecret("the log", b.log.String()) })
	return b
}

const patience = 10 * time.Second

// tell notifies and looks for secrets in what comes back.
func (b bench) tell(m alerting.Message) error {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), patience)
	defer cancel()
	receipt, err := b.Notify(ctx, m)
	b.noSecret("the outcome", receipt.Outcome)
	switch {
	case err == nil && receipt.Outcome == "":
		b.t.Error("accepted without an outcome: nobody could say what is known")
	case err != nil && receipt.Outcome != "":
		b.t.Errorf("an error with an outcome: %q", receipt.Outcome)
	case err != nil:
		b.noSecret("the error", fmt.Sprintf("%v %+v %#v", err, err, err))
		if len(err.Error()) > 400 || strings.ContainsAny(err.Error(), "\r\n") {
			b.t.Errorf("the error is not one short line: %q", err)
		}
	}
	return err
}

func (b bench) noSecret(where, text string) {
	b.t.Helper()
	for _, secret := range b.s.Secrets {
		if strings.Contains(text, secret) {
			b.t.Errorf("%s shows a secret: %s", where, strings.ReplaceAll(text, secret, "<the secret>"))
		}
	}
}

// only is the one copy that must have come.
func (b bench) only() Copy {
	b.t.Helper()
	copies := b.Copies()
	if len(copies) != 1 {
		b.t.Fatalf("%d copies came, want 1", len(copies))
	}
	return copies[0]
}

func (s NotifierSuite) configuration(t *testing.T) {
	if s.Kind.Name == "" || s.Kind.New() == s.Kind.New() {
		t.Error("a kind has a name, and New returns a fresh configuration each time")
	}
	if problems := s.Kind.New().Validate(); len(problems) == 0 {
		t.Error("an empty configuration is said to be fine")
	}
	b := s.open(t, collectors.English)
	encoded, err := json.Marshal(b.Config)
	if err != nil {
		t.Error(err)
	}
	b.noSecret("the configuration", fmt.Sprintf("%v %+v %#v %s", b.Config, b.Config, b.Config, encoded))
	b.noSecret("the notifier", fmt.Sprintf("%v %+v %#v", b.Notifier, b.Notifier, b.Notifier))
}

func (s NotifierSuite) languages(t *testing.T) {
	wants := map[collectors.Lang]string{
		collectors.English: "Link sjo-gua loses 11.2 % of packets", collectors.Spanish: "El enlace sjo-gua pierde 11,2 % de los paquetes",
	}
	for lang, want := range wants {
		b := s.open(t, lang)
		if err := b.tell(SampleMessage()); err != nil {
			t.Fatal(err)
		}
		if c := b.only(); !strings.Contains(c.Text, want) || !strings.Contains(c.Text, "https://noc.example.com/incidents/2418") {
			t.Errorf("%s: want %q and the link in\n%s", lang, want, c.Text)
		}
	}
}

func (s NotifierSuite) causes(t *testing.T) {
	b := s.open(t, collectors.English)
	for i, m := range SampleMessages() {
		if err := b.tell(m); err != nil {
			t.Errorf("%s: %v", m.Cause, err)
		}
		copies := b.Copies()
		if len(copies) != i+1 {
			t.Fatalf("%d copies after %d messages", len(copies), i+1)
		}
		if text := copies[i].Text; strings.Contains(text, "message.") || strings.Contains(text, "{0}") || strings.Contains(text, "<nil>") {
			t.Errorf("%s lacks words:\n%s", m.Cause, text)
		}
	}
}

func (s NotifierSuite) sameKey(t *testing.T) {
	b := s.open(t, collectors.English)
	b.Answer(RefuseNow)
	if err := b.tell(SampleMessage()); err == nil {
		t.Error("a refusal is taken for an acceptance")
	}
	b.Answer(Accept)
	for range 2 {
		if err := b.tell(SampleMessage()); err != nil {
			t.Error(err)
		}
	}
	other := SampleMessage()
	other.Key = "i2418.l2.suite.escalated.2"
	if err := b.tell(other); err != nil {
		t.Error(err)
	}
	copies := b.Copies()
	for _, c := range copies[1 : len(copies)-1] {
		if c.Key == "" || c.Key != copies[0].Key {
			t.Errorf("the keys of two attempts are %q and %q", copies[0].Key, c.Key)
		}
	}
	if copies[len(copies)-1].Key == copies[0].Key {
		t.Errorf("two messages have the key %q", copies[0].Key)
	}
}

func (s NotifierSuite) errors(t *testing.T) {
	tests := []struct {
		name      string
		answer    Answer
		permanent bool
		after     time.Duration
	}{
		{"refused for now", RefuseNow, false, 0}, {"refused for good", RefuseForGood, true, 0}, {"slow down", SlowDown, false, PeerWait}, {"echo", Echo, false, 0},
	}
	for _, tt := range tests {
		if tt.answer == SlowDown && !s.Slows {
			continue
		}
		t.Run(tt.name, func(t *testing.T) {
			b := s.open(t, collectors.English)
			b.Answer(tt.answer)
			err := b.tell(SampleMessage())
			if err == nil {
				t.Fatal("a refusal is taken for an acceptance")
			}
			if got := errors.Is(err, alerting.ErrPermanent); got != tt.permanent {
				t.Errorf("permanent is %v, want %v: %v", got, tt.permanent, err)
			}
			var later *alerting.RetryAfterError
			if errors.As(err, &later) != (tt.after > 0) || later != nil && later.After != tt.after {
				t.Errorf("try again in %v, got %v", tt.after, err)
			}
		})
	}
}

func (s NotifierSuite) hang(t *testing.T) {
	b := s.open(t, collectors.English)
	b.Answer(Hang)
	const deadline, grace = 250 * time.Millisecond, 750 * time.Millisecond
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	start := time.Now()
	_, err := b.Notify(ctx, SampleMessage())
	if took := time.Since(start); took > deadline+grace {
		t.Errorf("took %v, its deadline was %v", took, deadline)
	}
	if err == nil || errors.Is(err, alerting.ErrPermanent) {
		t.Errorf("a receiver that hangs gives %v", err)
	}
	b.Answer(Accept)
	if err := b.tell(SampleMessage()); err != nil {
		t.Errorf("after a hang: %v", err)
	}
}

func (s NotifierSuite) refused(t *testing.T) {
	b := s.open(t, collectors.English)
	b.Close()
	if err := b.tell(SampleMessage()); err == nil || errors.Is(err, alerting.ErrPermanent) {
		t.Errorf("a refused connection gives %v, want an error that another attempt may mend", err)
	}
}

func (s NotifierSuite) hostile(t *testing.T) {
	for _, text := range HostileTexts {
		b := s.open(t, collectors.English)
		m := SampleMessage()
		m.Ref = inventory.Ref{Kind: inventory.KindLink, Name: text}
		m.Series.Ref, m.Site, m.Title = m.Ref, text, collectors.Because("sample.loses", text, 11.2)
		m.Reason, m.LevelName, m.NextLevel = collectors.Because("sample.said", text), text, text
		m.State, m.Cause, m.AckBy, m.AckNote, m.Undelivered, m.Affected = alerting.Acknowledged, alerting.CauseAcknowledged, text, text, text, []string{text}
		m.Key = alerting.NotificationKey(m.Incident, 1, text, m.Cause, 1)
		if err := b.tell(m); err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		c := b.only()
		if err := s.Breakout(c); err != nil {
			t.Errorf("%q: %v in\n%s", text, err, c.Raw)
		}
		if mark := HostileMark; !strings.Contains(c.Text, mark) {
			t.Errorf("%q did not arrive as text:\n%s", text, c.Text)
		}
	}
}

func (s NotifierSuite) digest(t *testing.T) {
	for _, lang := range []collectors.Lang{collectors.English, collectors.Spanish} {
		b := s.open(t, lang)
		m := SampleDigest(60)
		if err := b.tell(m); err != nil {
			t.Fatal(err)
		}
		text := b.only().Text
		if s.Short {
			if !strings.Contains(text, "60 ") || !strings.Contains(text, "path-000") || !strings.Contains(text, "https://noc.example.com") {
				t.Errorf("the digest lacks its count, its worst or a link:\n%s", text)
			}
			continue
		}
		for _, item := range m.Digest {
			name, link := item.Ref.Name, fmt.Sprintf("https://noc.example.com/incidents/%d", item.Incident)
			if !strings.Contains(text, name) || !strings.Contains(text, link) {
				t.Fatalf("the digest does not name %s and link %s:\n%s", name, link, text)
			}
		}
	}
}

func (s NotifierSuite) atOnce(t *testing.T) {
	b := s.open(t, collectors.English)
	var group sync.WaitGroup
	const together = 6
	for i := range together {
		group.Go(func() {
			m := SampleMessage()
			m.Key, m.Incident = fmt.Sprintf("i%d.l1.suite.opened.1", i), int64(i+1)
			if err := b.tell(m); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	keys := map[string]bool{}
	for _, c := range b.Copies() {
		keys[c.Key] = true
	}
	if len(keys) != together {
		t.Errorf("%d different messages came, want %d", len(keys), together)
	}
}
