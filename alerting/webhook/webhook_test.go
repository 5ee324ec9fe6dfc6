package webhook

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"vigia/alerting"
	"vigia/alerting/alertingtest"
	"vigia/collectors"
	"vigia/collectors/inventory"
)

const (
	pathSecret   = "T0SECRETPATH"
	querySecret  = "querysecret99"
	signSecret   = "sign-secret-123"
	headerSecret = "Bearer header-secret-456"
)

// reply is a webhook's other side.
func reply(w http.ResponseWriter, r alertingtest.Request, a alertingtest.Answer) {
	switch a {
	case alertingtest.RefuseNow:
		http.Error(w, "come back later", http.StatusServiceUnavailable)
	case alertingtest.RefuseForGood:
		http.Error(w, "no such hook", http.StatusNotFound)
	case alertingtest.SlowDown:
		w.Header().Set("Retry-After", strconv.Itoa(int(alertingtest.PeerWait/time.Second)))
		http.Error(w, "slowly", http.StatusTooManyRequests)
	case alertingtest.Echo:
		w.WriteHeader(http.StatusInternalServerError)
		fmt.Fprintf(w, "%s %s %s\x1b[31m\r\nmore", r.Path, r.Header.Get("Authorization"), signSecret)
	default:
		w.WriteHeader(http.StatusAccepted)
		fmt.Fprint(w, "thanks")
	}
}

func copies(p *alertingtest.HTTPPeer) []alertingtest.Copy {
	var list []alertingtest.Copy
	for _, r := range p.Came() {
		var content any
		if err := json.Unmarshal([]byte(r.Body), &content); err != nil {
			content = "not JSON: " + err.Error()
		}
		list = append(list, alertingtest.Copy{Key: r.Header.Get("Idempotency-Key"), Text: strings.Join(alertingtest.Texts(content), "\n"), Raw: r.Body})
	}
	return list
}

// TestNotifier runs the suite in both formats.
func TestNotifier(t *testing.T) {
	for _, format := range []Format{"", FormatAlertmanager} {
		t.Run(string(format), func(t *testing.T) { testNotifier(t, format) })
	}
}

func testNotifier(t *testing.T, format Format) {
	alertingtest.RunNotifier(t, alertingtest.NotifierSuite{
		Kind: Kind(),
		Start: func(t *testing.T) alertingtest.Peer {
			p := alertingtest.StartHTTP(t, reply)
			return alertingtest.Peer{
				Config: &Config{
					Format:  format,
					URL:     inventory.NewSecret(p.URL + "/services/" + pathSecret + "?token=" + querySecret),
					Secret:  inventory.NewSecret(signSecret),
					Headers: map[string]inventory.Secret{"Authorization": inventory.NewSecret(headerSecret)},
				},
				Answer: p.Set, Copies: func() []alertingtest.Copy { return copies(p) }, Close: p.Close,
			}
		},
		Secrets: []string{pathSecret, querySecret, signSecret, headerSecret},
		Slows:   true,
		Breakout: func(c alertingtest.Copy) error {
			var fields map[string]any
			if err := json.Unmarshal([]byte(c.Raw), &fields); err != nil {
				return err
			}
			if _, ok := fields["injected"]; ok {
				return errors.New("a key was injected")
			}
			if strings.ContainsAny(c.Raw, "<>\x00\n") {
				return errors.New("a raw angle bracket or control character")
			}
			return nil
		},
	})
}

func open(t *testing.T, url string, now time.Time) *notifier {
	t.Helper()
	c := &Config{URL: inventory.NewSecret(url), Secret: inventory.NewSecret(signSecret)}
	n, err := c.Open(alerting.ReceiverSetup{Receiver: alerting.Receiver{Name: "duty-hook"}, Words: alertingtest.SampleWords, PublicURL: "https://noc.example.com"})
	if err != nil {
		t.Fatal(err)
	}
	made := n.(*notifier)
	made.now = func() time.Time { return now }
	return made
}

// TestBody holds the schema of doc.go: a change here breaks somebody's program.
func TestBody(t *testing.T) {
	p := alertingtest.StartHTTP(t, reply)
	at := time.Unix(1795365713, 0)
	if _, err := open(t, p.URL, at).Notify(t.Context(), alertingtest.SampleMessage()); err != nil {
		t.Fatal(err)
	}
	want := `{"version":1,"key":"i2418.l1.suite.opened.1","cause":"opened","incident":2418,"severity":"critical","state":"open",` +
		`"ref":"link/sjo-gua","site":"san-jose","metric":"loss_pct","instance":"ping","value":11.2,"unit":"%",` +
		`"threshold":{"severity":"critical","raise":10,"clear":5,"for_s":30},"title":"Link sjo-gua loses 11.2 % of packets",` +
		`"title_en":"Link sjo-gua loses 11.2 % of packets","reason":"5 sent, 1 lost: seq 3","text":"[Critical] Link sjo-gua loses 11.2 % of packets. ` +
		`New incident. Packet loss: 11.2 %, over 10 % for 30 s. Why: 5 sent, 1 lost: seq 3. Where: Link sjo-gua, site san-jose. ` +
		`Since: 24 Nov 10:41:53 (UTC−6). Owner: Nobody has it. Next: NOC L2 is told at 10:56:53, in 14 m 59 s. Alarms: 3 belong to this incident. ` +
		`In its shadow: Trunk guatel-1, Server sbc-gua-1","language":"en","opened_at":"2026-11-24T16:41:53Z","at":"2026-11-24T16:41:54Z",` +
		`"level":{"number":1,"name":"NOC L1"},"next":{"level":"NOC L2","at":"2026-11-24T16:56:53Z"},"ack":null,"members":3,` +
		`"affected":["trunk/guatel-1","server/sbc-gua-1"],"url":"https://noc.example.com/incidents/2418"}`
	if diff := cmp.Diff(want, p.Came()[0].Body); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
	header := p.Came()[0].Header
	if got := header.Get("X-Vigia-Signature"); got != Sign(inventory.NewSecret(signSecret), at, []byte(p.Came()[0].Body)) || !strings.HasPrefix(got, "t=1795365713,v1=") {
		t.Errorf("signature %q", got)
	}
	if header.Get("Content-Type") != "application/json" || header.Get("User-Agent") != "Vigia" {
		t.Errorf("headers %v", header)
	}
}

// TestSign is checked against a value that another program made: printf '1700000000.{}' | openssl dgst -sha256 -hmac key.
func TestSign(t *testing.T) {
	const want = "t=1700000000,v1=9d713ed406bb7076d4123f0dc2c39d2df5c654ed4b0cd56b52c8b4c940bd63ae"
	if got := Sign(inventory.NewSecret("key"), time.Unix(1700000000, 0), []byte("{}")); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestNotFinite(t *testing.T) {
	p := alertingtest.StartHTTP(t, reply)
	m := alertingtest.SampleMessage()
	m.Value = 0
	m.Value /= m.Value
	if _, err := open(t, p.URL, time.Now()).Notify(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(p.Came()[0].Body, `"value":null`) {
		t.Error(p.Came()[0].Body)
	}
}

func TestValidate(t *testing.T) {
	tests := []struct{ yaml, want string }{
		{`{}`, "url: a webhook needs its url"},
		{`{url: "https://hooks.example/x"}`, ""},
		{`{url: "http://127.0.0.1:9/x", secret: s, headers: {X-Team: noc}}`, ""},
		{`{url: "ftp://x/y"}`, `url: "ftp" is not http or https`},
		{`{url: "hooks.example/x"}`, "url: this is not an address that can be posted to"},
		{`{url: "http:// bad"}`, "url: this is not an address that can be posted to"},
		{`{url: "https://h.example/x#y"}`, "url: a fragment (#) is never sent"},
		{`{url: "https://h.example/", format: alertmanager}`, ""},
		{`{url: "https://h.example/", format: pager}`, `format: there is no format "pager"`},
		{`{url: "https://h.example/", headers: {"Bad Name": x}}`, `headers: "Bad Name" is not the name of a header`},
		{`{url: "https://h.example/", headers: {X-A: "a\nb"}}`, "headers: the value of header X-A holds a character that no header can carry"},
		{`{url: "https://h.example/", headers: {content-type: x}}`, "headers: header Content-Type is Vigía's own"},
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

func TestSpanishTitle(t *testing.T) {
	p := alertingtest.StartHTTP(t, reply)
	n := open(t, p.URL, time.Now())
	n.wording.Lang = collectors.Spanish
	if _, err := n.Notify(t.Context(), alertingtest.SampleMessage()); err != nil {
		t.Fatal(err)
	}
	var got body
	if err := json.Unmarshal([]byte(p.Came()[0].Body), &got); err != nil {
		t.Fatal(err)
	}
	if got.Title != "El enlace sjo-gua pierde 11,2 % de los paquetes" || got.TitleEN != "Link sjo-gua loses 11.2 % of packets" || got.Language != "es" {
		t.Errorf("title %q, title_en %q, language %q", got.Title, got.TitleEN, got.Language)
	}
}
