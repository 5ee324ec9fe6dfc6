package slack

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/slack-go/slack/slacktest"
	"go.yaml.in/yaml/v4"

	"vigia/alerting"
	"vigia/alerting/alertingtest"
	"vigia/collectors"
	"vigia/collectors/inventory"
)

const (
	botToken = "xoxb-secret-bot-token"
	appToken = "xapp-secret-app-token"

	signingSecret = "8f742231b10e8888abcd99yyyzzz85a5"
)

var ours = regexp.MustCompile(`<https://noc\.example\.com/incidents/\d+\|[^<>]*>`)

func TestNotifier(t *testing.T) {
	alertingtest.RunNotifier(t, alertingtest.NotifierSuite{
		Kind: Kind(),
		Start: func(t *testing.T) alertingtest.Peer {
			p := alertingtest.StartSlack(t)
			return alertingtest.Peer{
				Config: &Config{
					Token: inventory.NewSecret(botToken), AppToken: inventory.NewSecret(appToken), SigningSecret: inventory.NewSecret(signingSecret),
					Channel: "C0123456789", APIURL: p.API(),
				},
				Answer: p.Set, Copies: p.Copies, Close: p.Server.Close,
			}
		},
		Secrets: []string{botToken, appToken, signingSecret},
		Slows:   true,
		Breakout: func(c alertingtest.Copy) error {
			if rest := ours.ReplaceAllString(c.Raw, ""); strings.ContainsAny(rest, "<>") {
				return errors.New("markup that is not ours")
			}
			return nil
		},
	})
}

func open(t *testing.T, api string) alerting.Notifier {
	t.Helper()
	c := &Config{Token: inventory.NewSecret(botToken), Channel: "C1", APIURL: api}
	n, err := c.Open(alerting.ReceiverSetup{
		Receiver: alerting.Receiver{Name: "noc-slack", Language: collectors.English}, Words: alertingtest.SampleWords, PublicURL: "https://noc.example.com",
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestLongDigest(t *testing.T) {
	p := alertingtest.StartSlack(t)
	n := open(t, p.API())
	m := alertingtest.SampleDigest(500)
	if _, err := n.Notify(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	all := ""
	posts := p.Posted()
	for i, c := range p.Copies() {
		all += c.Raw
		var blocks []struct {
			Text struct{ Text string }
		}
		if err := json.Unmarshal([]byte(posts[i].Blocks), &blocks); err != nil {
			t.Fatal(err)
		}
		if len(blocks) > 50 {
			t.Errorf("message %d has %d blocks", i, len(blocks))
		}
		for _, b := range blocks {
			if len(b.Text.Text) > 3000 {
				t.Errorf("message %d has a section of %d octets", i, len(b.Text.Text))
			}
		}
		if thread := posts[i].Thread; (thread == "") != (i == 0) {
			t.Errorf("message %d is in thread %q", i, thread)
		}
	}
	for _, item := range m.Digest {
		if !strings.Contains(all, fmt.Sprintf("/incidents/%d|", item.Incident)) {
			t.Fatalf("incident %d is missing", item.Incident)
		}
	}
}

func TestRefusals(t *testing.T) {
	tests := map[string]bool{
		"invalid_auth": true, "channel_not_found": true, "not_in_channel": true, "missing_scope": true, "token_revoked": true, "is_archived": true,
		"ratelimited": false, "fatal_error": false, "service_unavailable": false, "request_timeout": false, "something_new": false,
	}
	p := alertingtest.StartSlack(t)
	n := open(t, p.API())
	for word, permanent := range tests {
		p.Refuse("chat.postMessage", word)
		_, err := n.Notify(t.Context(), alertingtest.SampleMessage())
		if err == nil || errors.Is(err, alerting.ErrPermanent) != permanent || !strings.Contains(err.Error(), word) {
			t.Errorf("%s: %v, want permanent %v", word, err, permanent)
		}
	}
	for code, permanent := range map[int]bool{500: false, 503: false, 408: false, 429: false, 302: true, 400: true, 404: true} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(code)
		}))
		_, err := open(t, server.URL).Notify(t.Context(), alertingtest.SampleMessage())
		if err == nil || errors.Is(err, alerting.ErrPermanent) != permanent {
			t.Errorf("HTTP %d: %v, want permanent %v", code, err, permanent)
		}
		server.Close()
	}
}

// TestSlackTest posts to the library's own imitation of Slack.
func TestSlackTest(t *testing.T) {
	server := slacktest.NewTestServer()
	server.Start()
	defer server.Stop()
	for _, m := range append(alertingtest.SampleMessages(), alertingtest.SampleDigest(6)) {
		receipt, err := open(t, server.GetAPIURL()).Notify(t.Context(), m)
		if err != nil || !strings.HasPrefix(receipt.Outcome, "posted to C1 as ") {
			t.Errorf("%s: %q, %v", m.Cause, receipt.Outcome, err)
		}
	}
}

func TestValidate(t *testing.T) {
	tests := []struct{ yaml, want string }{
		{`{token: xoxb-1, app_token: xapp-1, channel: C0123456789}`, ""},
		{`{token: xoxb-1, channel: "#noc", api_url: "http://127.0.0.1:9/api/"}`, ""},
		{`{}`, "token: a Slack receiver needs the bot's token\nchannel: a Slack receiver needs its channel"},
		{`{token: "xoxb-1\n", channel: C1}`, "token: the token holds a character that none has"},
		{`{token: x, signing_secret: "ab c", channel: C1}`, "signing_secret: the signing secret holds a character that none has"},
		{`{token: x, channel: "a b"}`, "channel: a Slack receiver needs its channel"},
		{`{token: x, channel: C1, api_url: "slack.example"}`, `api_url: "slack.example" is not an http or https address`},
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
