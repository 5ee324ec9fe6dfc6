package slack

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"vigia/alerting"
	"vigia/alerting/alertingtest"
	"vigia/collectors"
)

// board keeps the commands that were posted, each once, as the store does.
type board struct {
	mu   sync.Mutex
	list []alerting.Command
	says func(alerting.Command) (alerting.CommandResult, error)
}

func (b *board) decide(_ context.Context, c alerting.Command) (alerting.CommandResult, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, old := range b.list {
		if old.ID == c.ID {
			return alerting.CommandResult{ID: c.ID, OK: true}, nil
		}
	}
	b.list = append(b.list, c)
	if b.says != nil {
		return b.says(c)
	}
	return alerting.CommandResult{ID: c.ID, OK: true}, nil
}

func (b *board) commands() []alerting.Command {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]alerting.Command(nil), b.list...)
}

// pressable is a Slack with a live incident's message.
func pressable(t *testing.T, lang collectors.Lang, b *board) (*alertingtest.Slack, *notifier, alertingtest.SlackPosted) {
	t.Helper()
	p := alertingtest.StartSlack(t)
	p.Person("U0ANA", "Ana Solís")
	n := openWith(t, p, alerting.ReceiverSetup{Receiver: alerting.Receiver{Language: lang}, Decide: b.decide})
	tell(t, n, (&story{opened: time.Now().Add(-time.Hour)}).next(alerting.CauseOpened, nil))
	return p, n, p.Posted()[0]
}

func form(payload string) []byte { return []byte(url.Values{"payload": {payload}}.Encode()) }

func TestPressed(t *testing.T) {
	now := time.Date(2026, 11, 28, 5, 0, 0, 0, time.UTC)
	refused := func(alerting.Command) (alerting.CommandResult, error) {
		return alerting.CommandResult{Reason: collectors.Because("sample.said", "over")}, nil
	}
	tests := []struct {
		name   string
		lang   collectors.Lang
		action string
		user   string
		says   func(alerting.Command) (alerting.CommandResult, error)
		want   alerting.Command
		told   string
	}{
		{"acknowledge", collectors.English, actionAcknowledge, "U0ANA", nil, alerting.Command{Kind: alerting.CommandAcknowledge, Actor: "Ana Solís (Slack)"}, "Incident 2418 is yours."},
		{"escalate", collectors.Spanish, actionEscalate, "U0ANA", nil, alerting.Command{Kind: alerting.CommandEscalate, Actor: "Ana Solís (Slack)"}, "Se avisa ahora al siguiente nivel del incidente 2418."},
		{"snooze", collectors.English, actionSnooze, "U0ANA", nil, alerting.Command{Kind: alerting.CommandSnooze, Actor: "Ana Solís (Slack)", Until: now.Add(time.Hour)}, "Incident 2418 is put off for an hour."},
		{"nobody known", collectors.English, actionAcknowledge, "U0WHO", nil, alerting.Command{Kind: alerting.CommandAcknowledge, Actor: "U0WHO (Slack)"}, "Incident 2418 is yours."},
		{"refused", collectors.Spanish, actionAcknowledge, "U0ANA", refused, alerting.Command{Kind: alerting.CommandAcknowledge, Actor: "Ana Solís (Slack)"}, "No se hizo nada: 5 enviados, 1 perdido: over."},
		{
			"later", collectors.English, actionAcknowledge, "U0ANA",
			func(alerting.Command) (alerting.CommandResult, error) {
				return alerting.CommandResult{}, fmt.Errorf("wait: %w", context.DeadlineExceeded)
			},
			alerting.Command{Kind: alerting.CommandAcknowledge, Actor: "Ana Solís (Slack)"},
			"It is noted, and will be done for incident 2418 as soon as Vigía gets to it.",
		},
		{
			"not stored", collectors.English, actionAcknowledge, "U0ANA",
			func(alerting.Command) (alerting.CommandResult, error) {
				return alerting.CommandResult{}, errors.New("away")
			},
			alerting.Command{Kind: alerting.CommandAcknowledge, Actor: "Ana Solís (Slack)"},
			"It could not be stored, so nothing was done. Try again, or decide on Vigía's page.",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := &board{says: tt.says}
			p, n, root := pressable(t, tt.lang, b)
			body := form(alertingtest.SlackPress(t, root, tt.action, tt.user, "1795365800.000001"))
			if err := n.Pressed(t.Context(), body, now); err != nil {
				t.Fatal(err)
			}
			list := b.commands()
			if len(list) != 1 {
				t.Fatalf("%d commands, want 1", len(list))
			}
			got := list[0]
			if got.Kind != tt.want.Kind || got.Actor != tt.want.Actor || !got.Until.Equal(tt.want.Until) || got.IncidentID != 2418 || !strings.HasPrefix(got.ID, "slack.") {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
			told := p.Told()
			if len(told) != 1 || told[0].Get("text") != tt.told || told[0].Get("user") != tt.user || told[0].Get("channel") != "C0123456789" {
				t.Errorf("told %v, want %q", told, tt.told)
			}
		})
	}
}

func TestPressedTwice(t *testing.T) {
	b := &board{}
	_, n, root := pressable(t, collectors.English, b)
	press := func(user, at string) {
		t.Helper()
		if err := n.Pressed(t.Context(), form(alertingtest.SlackPress(t, root, actionAcknowledge, user, at)), time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	press("U0ANA", "1.1")
	press("U0ANA", "1.1") // Slack sent it again
	if got := len(b.commands()); got != 1 {
		t.Errorf("a copy is another command: %d", got)
	}
	press("U0ANA", "2.1") // she pressed again
	press("U0BEN", "2.1") // so did he
	if got := len(b.commands()); got != 3 {
		t.Errorf("%d commands, want 3", got)
	}
}

func TestNotOurs(t *testing.T) {
	b := &board{}
	p, n, root := pressable(t, collectors.English, b)
	payload := alertingtest.SlackPress(t, root, actionAcknowledge, "U0ANA", "1.1")
	other := strings.Replace(payload, "2418@noc.example.com", "2418@lab.example.com", 1)
	if err := n.Pressed(t.Context(), form(other), time.Now()); err != nil || len(b.commands()) != 0 || len(p.Told()) != 1 {
		t.Errorf("a press on another Vigía's message: %v, %d commands", err, len(b.commands()))
	}
	for _, body := range []string{
		strings.Replace(payload, actionAcknowledge, actionOpen, 1), strings.Replace(payload, `"vigia.en"`, `"else"`, 1),
		strings.Replace(payload, "2418@", "x@", 1), strings.Replace(payload, "block_actions", "shortcut", 1), `{}`,
	} {
		if err := n.Pressed(t.Context(), form(body), time.Now()); err != nil || len(b.commands()) != 0 {
			t.Errorf("%s: %v, %d commands", body, err, len(b.commands()))
		}
	}
	for _, body := range []string{"payload=%zz", "payload=nonsense", ""} {
		if err := n.Pressed(t.Context(), []byte(body), time.Now()); err == nil {
			t.Errorf("%q is taken for a press", body)
		}
	}
}

func sign(secret, at string, body []byte) http.Header {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("v0:" + at + ":"))
	mac.Write(body)
	h := http.Header{}
	h.Set("X-Slack-Request-Timestamp", at)
	h.Set("X-Slack-Signature", "v0="+hex.EncodeToString(mac.Sum(nil)))
	return h
}

func TestSigned(t *testing.T) {
	n := openWith(t, alertingtest.StartSlack(t), alerting.ReceiverSetup{})
	// The example of Slack's documentation of the v0 signature.
	body := []byte("token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&" +
		"user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F" +
		"96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c")
	at := time.Unix(1531420618, 0)
	h := http.Header{}
	h.Set("X-Slack-Request-Timestamp", "1531420618")
	h.Set("X-Slack-Signature", "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503")
	if !n.Signed(h, body, at) {
		t.Error("the example of the documentation is refused")
	}
	good := sign(signingSecret, "1531420618", body)
	tests := []struct {
		name   string
		header http.Header
		body   string
		now    time.Time
		want   bool
	}{
		{"good", good, string(body), at, true},
		{"almost old", good, string(body), at.Add(signedWithin), true},
		{"old: a copy that somebody kept", good, string(body), at.Add(signedWithin + time.Second), false},
		{"from the future", good, string(body), at.Add(-signedWithin - time.Second), false},
		{"another body", good, string(body) + "x", at, false},
		{"another secret", sign("other", "1531420618", body), string(body), at, false},
		{"no secret", sign("", "1531420618", body), string(body), at, false},
		{"another time", sign(signingSecret, "1531420619", body), string(body), at, true},
		{"no header", http.Header{}, string(body), at, false},
	}
	for _, tt := range tests {
		if got := n.Signed(tt.header, []byte(tt.body), tt.now); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
	moved := good.Clone()
	moved.Set("X-Slack-Request-Timestamp", "1531420700") // the time is signed too
	if n.Signed(moved, body, time.Unix(1531420700, 0)) {
		t.Error("an old signature with a new time is accepted")
	}
}

func TestSocketMode(t *testing.T) {
	b := &board{}
	p, n, root := pressable(t, collectors.English, b)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	alertingtest.Soon(t, "connected", func() bool { is, _ := n.Listening(); return is })
	p.SendPress(t, "envelope-1", alertingtest.SlackPress(t, root, actionAcknowledge, "U0ANA", "1.1"))
	alertingtest.Soon(t, "the press is carried out", func() bool { return len(b.commands()) == 1 && len(p.Told()) == 1 })
	alertingtest.Soon(t, "the envelope is acknowledged", func() bool { return slices.Equal(p.Acked(), []string{"envelope-1"}) })
	p.DropSockets()
	alertingtest.Soon(t, "connected again", func() bool { ever, now := p.Sockets(); is, _ := n.Listening(); return ever >= 2 && now == 1 && is })
	p.SendPress(t, "envelope-2", alertingtest.SlackPress(t, root, actionAcknowledge, "U0ANA", "1.1"))
	alertingtest.Soon(t, "the copy is acknowledged", func() bool { return len(p.Acked()) == 2 && len(p.Told()) == 2 })
	if got := len(b.commands()); got != 1 {
		t.Errorf("%d commands, want 1: Slack sent the same press twice", got)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	alertingtest.Soon(t, "the connection is gone", func() bool { _, now := p.Sockets(); return now == 0 })
	if is, wanted := n.Listening(); is || !wanted {
		t.Errorf("connected %v, wanted %v after the end", is, wanted)
	}
}

// TestSocketModeRefused: a wrong app token is tried again and again, and ends at once with ctx.
func TestSocketModeRefused(t *testing.T) {
	p := alertingtest.StartSlack(t)
	p.Refuse("apps.connections.open", "invalid_auth")
	n := openWith(t, p, alerting.ReceiverSetup{Decide: (&board{}).decide})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	alertingtest.Soon(t, "a second attempt", func() bool { return p.Calls("apps.connections.open") >= 2 })
	p.Refuse("apps.connections.open", "")
	alertingtest.Soon(t, "connected", func() bool { is, _ := n.Listening(); return is })
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
