package telegram

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"vigia/alerting"
	"vigia/alerting/alertingtest"
	"vigia/collectors/inventory"
)

const (
	tokenSecret = "AAsecret-telegram_token"
	token       = "123456:" + tokenSecret
	chat        = "-1001234567890"
)

// bot answers as the Bot API does.
type bot struct {
	*alertingtest.HTTPPeer
	mu    sync.Mutex
	posts int64
	gone  map[string]int64 // chats that became supergroups
}

func start(t *testing.T) *bot {
	b := &bot{gone: map[string]int64{}}
	b.HTTPPeer = alertingtest.StartHTTP(t, b.reply)
	return b
}

func (b *bot) reply(w http.ResponseWriter, r alertingtest.Request, a alertingtest.Answer) {
	say := func(code int, format string, args ...any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		fmt.Fprintf(w, format, args...)
	}
	refuse := func(code int, description string) {
		say(code, `{"ok":false,"error_code":%d,"description":%q}`, code, description)
	}
	var m request
	err := json.Unmarshal([]byte(r.Body), &m)
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case a == alertingtest.RefuseNow:
		refuse(502, "Bad Gateway")
	case a == alertingtest.RefuseForGood:
		refuse(403, "Forbidden: bot was kicked from the group chat")
	case a == alertingtest.SlowDown:
		wait := int(alertingtest.PeerWait / time.Second)
		say(429, `{"ok":false,"error_code":429,"description":"Too Many Requests: retry after %d","parameters":{"retry_after":%d}}`, wait, wait)
	case a == alertingtest.Echo:
		refuse(500, r.Path+" "+r.Body)
	case r.Path != "/bot"+token+"/sendMessage":
		refuse(401, "Unauthorized")
	case err != nil || m.Mode != "HTML" || m.Text == "" || units(visible(m.Text)) > 4096:
		refuse(400, "Bad Request: can't parse entities")
	case b.gone[m.ChatID] != 0:
		say(400, `{"ok":false,"error_code":400,"description":"Bad Request: group chat was upgraded to a supergroup chat","parameters":{"migrate_to_chat_id":%d}}`, b.gone[m.ChatID])
	case m.ChatID == "-404":
		refuse(400, "Bad Request: chat not found")
	default:
		b.posts++
		say(200, `{"ok":true,"result":{"message_id":%d,"chat":{"id":%s},"text":"…"}}`, 100+b.posts, m.ChatID)
	}
}

var tags = regexp.MustCompile(`</?b>|<a href="https://noc\.example\.com/incidents/[0-9]+">|</a>`)

// visible is the text that a reader sees.
func visible(markup string) string { return html.UnescapeString(tags.ReplaceAllString(markup, "")) }

func (b *bot) requests(t *testing.T) []request {
	t.Helper()
	var list []request
	for _, r := range b.Came() {
		var m request
		if err := json.Unmarshal([]byte(r.Body), &m); err != nil {
			t.Fatal(err)
		}
		list = append(list, m)
	}
	return list
}

// copies shows messages with their links; those of a digest count as one copy.
func (b *bot) copies() []alertingtest.Copy {
	var list []alertingtest.Copy
	digest := false
	for _, r := range b.Came() {
		var m request
		if err := json.Unmarshal([]byte(r.Body), &m); err != nil {
			m.Text = "not JSON: " + err.Error()
		}
		c := alertingtest.Copy{Key: r.Header.Get("Idempotency-Key"), Text: html.UnescapeString(m.Text), Raw: m.Text}
		if digest && strings.HasPrefix(c.Key, list[len(list)-1].Key+".") {
			list[len(list)-1].Text += c.Text
			continue
		}
		digest = strings.HasPrefix(c.Key, "digest.")
		list = append(list, c)
	}
	return list
}

func TestNotifier(t *testing.T) {
	alertingtest.RunNotifier(t, alertingtest.NotifierSuite{
		Kind: Kind(),
		Start: func(t *testing.T) alertingtest.Peer {
			b := start(t)
			return alertingtest.Peer{
				Config: &Config{Token: inventory.NewSecret(token), ChatID: chat, APIURL: b.URL}, Answer: b.Set, Copies: b.copies, Close: b.Close,
			}
		},
		Secrets: []string{token, tokenSecret},
		Slows:   true,
		Breakout: func(c alertingtest.Copy) error {
			rest := tags.ReplaceAllString(c.Raw, "")
			if strings.ContainsAny(rest, "<>\x00") {
				return errors.New("markup that is not ours")
			}
			if plain := html.UnescapeString(rest); strings.Contains(plain, "://") || regexp.MustCompile(`@\w`).MatchString(plain) {
				return errors.New("Telegram would make a link or a mention of it")
			}
			return nil
		},
	})
}

func open(t *testing.T, b *bot, chatID, botToken string, logger *slog.Logger) alerting.Notifier {
	t.Helper()
	n, err := (&Config{Token: inventory.NewSecret(botToken), ChatID: chatID, APIURL: b.URL + "/"}).Open(alerting.ReceiverSetup{
		Receiver: alerting.Receiver{Name: "noc-telegram"}, Words: alertingtest.SampleWords, PublicURL: "https://noc.example.com", Logger: logger,
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestMessage holds what Telegram is sent.
func TestMessage(t *testing.T) {
	b := start(t)
	receipt, err := open(t, b, chat, token, nil).Notify(t.Context(), alertingtest.SampleMessage())
	if err != nil || receipt.Outcome != "posted to "+chat+" as message 101" {
		t.Fatalf("%q, %v", receipt.Outcome, err)
	}
	want := request{
		ChatID: chat, Mode: "HTML", Preview: preview{Disabled: true},
		Text: `<b>⬣ Critical</b>  <a href="https://noc.example.com/incidents/2418">Link sjo-gua loses 11.2 % of packets</a>` + "\n" +
			"New incident · Incident 2418\n" +
			"\n<b>Packet loss:</b> 11.2 %, over 10 % for 30 s\n<b>Why:</b> 5 sent, 1 lost: seq 3\n<b>Where:</b> Link sjo-gua, site san-jose" +
			"\n<b>Since:</b> 24 Nov 10:41:53 (UTC−6)\n<b>Owner:</b> Nobody has it\n<b>Next:</b> NOC L2 is told at 10:56:53, in 14 m 59 s" +
			"\n<b>Alarms:</b> 3 belong to this incident\n<b>In its shadow:</b> Trunk guatel-1, Server sbc-gua-1",
	}
	if diff := cmp.Diff(want, b.requests(t)[0]); diff != "" {
		t.Errorf("message (-want +got):\n%s", diff)
	}
}

// TestReplies: what follows answers the incident's first message, and what asks nobody makes no sound.
func TestReplies(t *testing.T) {
	b := start(t)
	n := open(t, b, chat, token, nil)
	messages := alertingtest.SampleMessages()
	for _, m := range messages {
		if _, err := n.Notify(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	silent := map[alerting.Cause]bool{alerting.CauseAcknowledged: true, alerting.CauseResolved: true, alerting.CauseMerged: true}
	for i, r := range b.requests(t) {
		m := messages[i]
		if reply := r.Reply != nil && r.Reply.Message == 101 && r.Reply.Anyway; reply != (i > 0 && m.Incident != 0) {
			t.Errorf("%s answers %+v", m.Cause, r.Reply)
		}
		if r.Silent != silent[m.Cause] {
			t.Errorf("%s is silent: %v", m.Cause, r.Silent)
		}
	}
}

// TestSupergroup follows a group to its new number, says so once, and answers no message of the old one.
func TestSupergroup(t *testing.T) {
	b := start(t)
	log := &bytes.Buffer{}
	n := open(t, b, "-77", token, slog.New(slog.NewTextHandler(log, nil)))
	if _, err := n.Notify(t.Context(), alertingtest.SampleMessage()); err != nil {
		t.Fatal(err)
	}
	b.gone["-77"] = -10099
	for range 2 {
		receipt, err := n.Notify(t.Context(), alertingtest.SampleMessage())
		if err != nil || !strings.HasPrefix(receipt.Outcome, "posted to -10099 as message ") {
			t.Fatalf("%q, %v", receipt.Outcome, err)
		}
	}
	came := b.requests(t)
	if len(came) != 4 || came[2].ChatID != "-10099" || came[2].Reply != nil || came[3].Reply == nil || came[3].Reply.Message != 102 {
		t.Errorf("%+v", came)
	}
	if strings.Count(log.String(), "chat_id=-10099") != 1 {
		t.Errorf("the log: %s", log)
	}
}

func TestRefusals(t *testing.T) {
	tests := []struct {
		name, chat, token, want string
	}{
		{"wrong token", chat, "1:x", "HTTP 401 from 127.0.0.1: Unauthorized; compare token with what BotFather shows: permanent"},
		{"no such chat", "-404", token, "HTTP 400 from 127.0.0.1: Bad Request: chat not found; compare chat_id, and add the bot to the chat: permanent"},
	}
	for _, tt := range tests {
		_, err := open(t, start(t), tt.chat, tt.token, nil).Notify(t.Context(), alertingtest.SampleMessage())
		if !errors.Is(err, alerting.ErrPermanent) || err.Error() != tt.want {
			t.Errorf("%s: %v, want %s", tt.name, err, tt.want)
		}
	}
}

// TestNotTelegram: a login page that answers 200 is no acceptance.
func TestNotTelegram(t *testing.T) {
	p := alertingtest.StartHTTP(t, func(w http.ResponseWriter, _ alertingtest.Request, _ alertingtest.Answer) {
		fmt.Fprint(w, "<html>log in")
	})
	_, err := open(t, &bot{HTTPPeer: p}, chat, token, nil).Notify(t.Context(), alertingtest.SampleMessage())
	if err == nil || errors.Is(err, alerting.ErrPermanent) {
		t.Errorf("a login page gives %v", err)
	}
}

// TestLongDigest: no message is longer than Telegram takes, each is whole HTML, and after an error only what is missing is posted again.
func TestLongDigest(t *testing.T) {
	b := start(t)
	n := open(t, b, chat, token, nil).(*notifier)
	m := alertingtest.SampleDigest(300)
	parts := layout(n.wording.Say(m))
	n.served.Note(m.Key, "1")
	if _, err := n.Notify(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	links := strings.Count(parts[1], "<a ")
	for _, r := range b.requests(t) {
		links += strings.Count(r.Text, "<a ")
		if strings.Count(r.Text, "<a ") != strings.Count(r.Text, "</a>") || r.Reply != nil {
			t.Errorf("half a link, or a reply: %+v", r)
		}
	}
	if len(parts) < 4 || len(b.Came()) != len(parts)-1 || links != 300 {
		t.Errorf("%d of %d messages link %d incidents", len(b.Came()), len(parts), links)
	}
}

// TestLongFacts: what does not fit is left out whole.
func TestLongFacts(t *testing.T) {
	said := alerting.Said{Shape: "⬣", Badge: "Critical", Title: strings.Repeat("t", 400), Cause: "New"}
	for range 20 {
		said.Facts = append(said.Facts, alerting.Fact{Label: "Why", Value: strings.Repeat("𝄞<", 200)})
	}
	parts := layout(said)
	if got := units(visible(parts[0])); len(parts) != 1 || got > 4096 || strings.Count(parts[0], "<b>") != strings.Count(parts[0], "</b>") {
		t.Errorf("%d parts, the first of %d units", len(parts), got)
	}
}

func TestThreadsForget(t *testing.T) {
	var th threads
	for i := range int64(maxThreads + 2) {
		th.begin(i, 100+i) // incident 0 is none
	}
	th.begin(5, 1)
	if th.of(0) != 0 || th.of(1) != 0 || th.of(5) != 105 || len(th.first) != maxThreads {
		t.Errorf("%d are remembered; 5 began with %d", len(th.first), th.of(5))
	}
}

func TestValidate(t *testing.T) {
	tests := []struct{ yaml, want string }{
		{`{}`, "token: a Telegram receiver needs its bot's token\nchat_id: a Telegram receiver needs its chat"},
		{`{token: "123:abc", chat_id: "-100123"}`, ""},
		{`{token: "123:abc", chat_id: "@istmovoz_noc", api_url: "http://127.0.0.1:8081"}`, ""},
		{`{token: "123:abc\n", chat_id: "1"}`, "token: this is not the token of a bot"},
		{`{token: "123:abc", chat_id: "our group"}`, `chat_id: "our group" is neither the number of a chat nor the @name of a channel`},
		{`{token: "123:abc", chat_id: "1", api_url: "x"}`, "api_url: this is not an address that can be posted to"},
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
		if strings.Join(got, "\n") != tt.want {
			t.Errorf("%s: %q, want %q", tt.yaml, got, tt.want)
		}
	}
}
