package slack

import (
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

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
)

// peer speaks chat.postMessage as Slack does, and behaves as it is told.
type peer struct {
	server *httptest.Server
	gone   chan struct{}

	mu      sync.Mutex
	answer  alertingtest.Answer
	refusal string // Slack's word for why not
	posts   []url.Values
}

func startPeer(t *testing.T) *peer {
	p := &peer{gone: make(chan struct{})}
	p.server = httptest.NewServer(p)
	t.Cleanup(p.server.Close)
	t.Cleanup(func() { close(p.gone) })
	return p
}

// ServeHTTP takes a post.
func (p *peer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/api/chat.postMessage" || r.ParseForm() != nil {
		http.NotFound(w, r)
		return
	}
	p.mu.Lock()
	answer, refusal := p.answer, p.refusal
	p.posts = append(p.posts, r.PostForm)
	ts := fmt.Sprintf("1795365713.%06d", len(p.posts))
	p.mu.Unlock()
	say := func(format string, args ...any) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, format, args...)
	}
	switch answer {
	case alertingtest.Hang:
		select {
		case <-r.Context().Done():
		case <-p.gone:
		}
	case alertingtest.RefuseNow:
		say(`{"ok":false,"error":"internal_error"}`)
	case alertingtest.RefuseForGood:
		say(`{"ok":false,"error":"channel_not_found"}`)
	case alertingtest.SlowDown:
		w.Header().Set("Retry-After", strconv.Itoa(int(alertingtest.PeerWait/time.Second)))
		http.Error(w, "slowly", http.StatusTooManyRequests)
	case alertingtest.Echo:
		say(`{"ok":false,"error":%q}`, "odd_error "+r.PostForm.Get("token")+appToken)
	default:
		if refusal != "" {
			say(`{"ok":false,"error":%q}`, refusal)
			return
		}
		say(`{"ok":true,"channel":"C1","ts":%q}`, ts)
	}
}

func (p *peer) set(a alertingtest.Answer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = a
}

func (p *peer) last() url.Values {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.posts[len(p.posts)-1]
}

// copies are the posts as they would be read.
func (p *peer) copies() []alertingtest.Copy {
	p.mu.Lock()
	defer p.mu.Unlock()
	var list []alertingtest.Copy
	for _, form := range p.posts {
		var meta struct {
			EventPayload struct {
				Key string `json:"key"`
			} `json:"event_payload"`
		}
		if err := json.Unmarshal([]byte(form.Get("metadata")), &meta); err != nil {
			meta.EventPayload.Key = err.Error()
		}
		raw := form.Get("text") + "\n" + strings.Join(markup(form.Get("blocks")), "\n")
		list = append(list, alertingtest.Copy{Key: meta.EventPayload.Key, Text: html.UnescapeString(raw), Raw: raw})
	}
	return list
}

// markup lists the texts of blocks, and the addresses of buttons.
func markup(blocks string) []string {
	var v any
	if err := json.Unmarshal([]byte(blocks), &v); err != nil {
		return []string{"not JSON: " + err.Error()}
	}
	var list []string
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, one := range v {
				walk(one)
			}
		case map[string]any:
			for key, one := range v {
				if text, ok := one.(string); ok && (key == "text" || key == "url") {
					list = append(list, text)
				} else {
					walk(one)
				}
			}
		}
	}
	walk(v)
	return list
}

var ours = regexp.MustCompile(`<https://noc\.example\.com/incidents/\d+\|[^<>]*>`)

func TestNotifier(t *testing.T) {
	alertingtest.RunNotifier(t, alertingtest.NotifierSuite{
		Kind: Kind(),
		Start: func(t *testing.T) alertingtest.Peer {
			p := startPeer(t)
			return alertingtest.Peer{
				Config: &Config{
					Token: inventory.NewSecret(botToken), AppToken: inventory.NewSecret(appToken), Channel: "C0123456789", APIURL: p.server.URL + "/api",
				},
				Answer: p.set, Copies: p.copies, Close: p.server.Close,
			}
		},
		Secrets: []string{botToken, appToken},
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

func TestThread(t *testing.T) {
	p := startPeer(t)
	n := open(t, p.server.URL+"/api/")
	var threads, broadcasts []string
	for _, m := range alertingtest.SampleMessages()[:5] {
		if _, err := n.Notify(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		threads, broadcasts = append(threads, p.last().Get("thread_ts")), append(broadcasts, p.last().Get("reply_broadcast"))
	}
	if got, want := strings.Join(threads, " "), " 1795365713.000001 1795365713.000001 1795365713.000001 1795365713.000001"; got != want {
		t.Errorf("threads %q, want %q", got, want)
	}
	if got, want := strings.Join(broadcasts, " "), " true true true "; got != want {
		t.Errorf("broadcasts %q, want %q: an acknowledgement asks nobody", got, want)
	}
	p.mu.Lock()
	p.refusal = "thread_not_found"
	p.mu.Unlock()
	if _, err := n.Notify(t.Context(), alertingtest.SampleMessage()); err == nil || errors.Is(err, alerting.ErrPermanent) {
		t.Errorf("a lost thread gives %v", err)
	}
	p.mu.Lock()
	p.refusal = ""
	p.mu.Unlock()
	if _, err := n.Notify(t.Context(), alertingtest.SampleMessage()); err != nil || p.last().Get("thread_ts") != "" {
		t.Errorf("after a lost thread: %v, thread %q", err, p.last().Get("thread_ts"))
	}
}

func TestLongDigest(t *testing.T) {
	p := startPeer(t)
	n := open(t, p.server.URL+"/api/")
	m := alertingtest.SampleDigest(500)
	if _, err := n.Notify(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	all := ""
	for i, c := range p.copies() {
		all += c.Raw
		var blocks []struct {
			Text struct{ Text string }
		}
		if err := json.Unmarshal([]byte(p.posts[i].Get("blocks")), &blocks); err != nil {
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
		if thread := p.posts[i].Get("thread_ts"); (thread == "") != (i == 0) {
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
	p := startPeer(t)
	n := open(t, p.server.URL+"/api/")
	for word, permanent := range tests {
		p.mu.Lock()
		p.refusal = word
		p.mu.Unlock()
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

func TestThreadsAreBounded(t *testing.T) {
	memory := threads{first: map[int64]string{}}
	for i := range int64(5000) {
		memory.begin(i, "ts")
	}
	if len(memory.first) != maxThreads || len(memory.order) != maxThreads || memory.of(4999) == "" || memory.of(0) != "" {
		t.Errorf("%d threads, %d in order", len(memory.first), len(memory.order))
	}
}

func TestValidate(t *testing.T) {
	tests := []struct{ yaml, want string }{
		{`{token: xoxb-1, app_token: xapp-1, channel: C0123456789}`, ""},
		{`{token: xoxb-1, channel: "#noc", api_url: "http://127.0.0.1:9/api/"}`, ""},
		{`{}`, "token: a Slack receiver needs the bot's token\nchannel: a Slack receiver needs its channel"},
		{`{token: "xoxb-1\n", channel: C1}`, "token: the token holds a character that no token has"},
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
