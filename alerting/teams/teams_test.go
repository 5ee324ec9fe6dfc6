package teams

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
	"vigia/collectors/inventory"
)

const (
	workflow  = "0123456789abcdef0123456789abcdef"
	signature = "sig-nature-secret"
)

// address is one as Power Automate makes it.
func address(base, sig string) inventory.Secret {
	return inventory.NewSecret(base + "/powerautomate/automations/direct/workflows/" + workflow + "/triggers/manual/paths/invoke?api-version=1&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=" + sig)
}

// reply answers as a workflow's trigger does.
func reply(w http.ResponseWriter, r alertingtest.Request, a alertingtest.Answer) {
	say := func(code int, format string, args ...any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		fmt.Fprintf(w, format, args...)
	}
	var m message
	err := json.Unmarshal([]byte(r.Body), &m)
	switch {
	case a == alertingtest.RefuseNow:
		say(503, `{"error":{"code":"ServiceUnavailable","message":"The service is not available."}}`)
	case a == alertingtest.SlowDown:
		w.Header().Set("Retry-After", strconv.Itoa(int(alertingtest.PeerWait/time.Second)))
		say(429, `{"error":{"code":"WorkflowRunActionLimit","message":"Rate limit is exceeded."}}`)
	case a == alertingtest.Echo:
		say(502, `{"error":{"code":"Echo","message":%q}}`, r.Path+r.Body)
	case a == alertingtest.RefuseForGood || !strings.HasSuffix(r.Path, "&sig="+signature):
		say(401, `{"error":{"code":"DirectApiAuthorizationRequired","message":"The request must be authenticated."}}`)
	case err != nil || m.Type != "message" || len(m.Attachments) != 1 || len(r.Body) > 28<<10:
		say(400, `{"error":{"code":"TriggerInputSchemaMismatch","message":"The input does not fit."}}`)
	default:
		w.WriteHeader(202)
	}
}

// copies shows cards as they are read; the messages of a digest count as one copy.
func copies(p *alertingtest.HTTPPeer) []alertingtest.Copy {
	var list []alertingtest.Copy
	digest := false
	for _, r := range p.Came() {
		var content any
		if err := json.Unmarshal([]byte(r.Body), &content); err != nil {
			content = "not JSON: " + err.Error()
		}
		c := alertingtest.Copy{Key: r.Header.Get("Idempotency-Key"), Text: strings.Join(alertingtest.Texts(content), "\n"), Raw: r.Body}
		if digest && strings.HasPrefix(c.Key, list[len(list)-1].Key+".") {
			list[len(list)-1].Text += "\n" + c.Text
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
			p := alertingtest.StartHTTP(t, reply)
			return alertingtest.Peer{
				Config: &Config{URL: address(p.URL, signature)}, Answer: p.Set, Copies: func() []alertingtest.Copy { return copies(p) }, Close: p.Close,
			}
		},
		Secrets: []string{signature, workflow},
		Slows:   true,
		Breakout: func(c alertingtest.Copy) error {
			if strings.ContainsAny(c.Raw, "<>\x00\n") {
				return errors.New("a raw angle bracket or control character")
			}
			var m message
			if err := json.Unmarshal([]byte(c.Raw), &m); err != nil {
				return err
			}
			return onlyPlain(m.Attachments[0].Content.Body)
		},
	})
}

// onlyPlain looks for an element in which Teams would read Markdown.
func onlyPlain(blocks []block) error {
	for _, b := range blocks {
		switch b.Type {
		case container:
			if err := onlyPlain(b.Items); err != nil {
				return err
			}
		case richText:
			for _, r := range b.Inlines {
				if r.Type != textRun {
					return fmt.Errorf("a %s in a text", r.Type)
				}
			}
		default:
			return fmt.Errorf("a %s, in which Markdown is read", b.Type)
		}
	}
	return nil
}

func openTeams(t *testing.T, url inventory.Secret) *notifier {
	t.Helper()
	n, err := (&Config{URL: url}).Open(alerting.ReceiverSetup{
		Receiver: alerting.Receiver{Name: "noc-teams"}, Words: alertingtest.SampleWords, PublicURL: "https://noc.example.com",
	})
	if err != nil {
		t.Fatal(err)
	}
	return n.(*notifier)
}

// TestCard holds the card as Teams gets it.
func TestCard(t *testing.T) {
	p := alertingtest.StartHTTP(t, reply)
	m := alertingtest.SampleMessage()
	m.Tier.Severity, m.NextAt, m.Affected, m.Members, m.Reason.Code = alerting.None, time.Time{}, nil, 1, ""
	receipt, err := openTeams(t, address(p.URL, signature)).Notify(t.Context(), m)
	if err != nil || receipt.Outcome != "accepted: HTTP 202 from 127.0.0.1" {
		t.Fatalf("%q, %v", receipt.Outcome, err)
	}
	fact := func(label, value string) string {
		return `{"type":"RichTextBlock","spacing":"Small","inlines":[{"type":"TextRun","text":"` + label + `: ","weight":"Bolder"},{"type":"TextRun","text":"` + value + `"}]},`
	}
	want := `{"type":"message","attachments":[{"contentType":"application/vnd.microsoft.card.adaptive","contentUrl":null,"content":{` +
		`"$schema":"http://adaptivecards.io/schemas/adaptive-card.json","type":"AdaptiveCard","version":"1.4","body":[` +
		`{"type":"Container","style":"attention","bleed":true,"items":[{"type":"RichTextBlock","inlines":[` +
		`{"type":"TextRun","text":"⬣ Critical","weight":"Bolder","color":"attention"},{"type":"TextRun","text":"  "},` +
		`{"type":"TextRun","text":"Link sjo-gua loses 11.2 % of packets","weight":"Bolder","size":"Medium"}]},` +
		`{"type":"RichTextBlock","inlines":[{"type":"TextRun","text":"New incident · Incident 2418","isSubtle":true}]}]},` +
		fact("Where", "Link sjo-gua, site san-jose") + fact("Since", "24 Nov 10:41:53 (UTC−6)") + fact("Owner", "Nobody has it") + fact("Next", "Nobody else is told") +
		`{"type":"RichTextBlock","separator":true,"inlines":[{"type":"TextRun","text":"Vigía · sent by Vigía to noc-teams","size":"Small","isSubtle":true}]}],` +
		`"actions":[{"type":"Action.OpenUrl","title":"Open incident 2418","url":"https://noc.example.com/incidents/2418"}],"msteams":{"width":"Full"}}}]}`
	if diff := cmp.Diff(want, p.Came()[0].Body); diff != "" {
		t.Errorf("card (-want +got):\n%s", diff)
	}
}

func TestColours(t *testing.T) {
	tests := []struct {
		calm     bool
		severity alerting.Severity
		want     string
	}{
		{false, alerting.Critical, "attention"},
		{false, alerting.Major, "attention"},
		{false, alerting.Minor, "warning"},
		{false, alerting.Warning, "warning"},
		{false, alerting.Indeterminate, "accent"},
		{true, alerting.Critical, "good"},
	}
	for _, tt := range tests {
		if got := colour(alerting.Said{Calm: tt.calm, Severity: tt.severity}); got != tt.want {
			t.Errorf("calm %v, %s: %s, want %s", tt.calm, tt.severity, got, tt.want)
		}
	}
}

// TestLongDigest: no message is larger than Teams takes, and after an error only what is missing is posted again.
func TestLongDigest(t *testing.T) {
	p := alertingtest.StartHTTP(t, reply)
	n := openTeams(t, address(p.URL, signature))
	m := alertingtest.SampleDigest(500)
	n.served.Note(m.Key, "1")
	if _, err := n.Notify(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	keys, all := map[string]bool{}, 0
	for _, r := range p.Came() {
		keys[r.Header.Get("Idempotency-Key")] = true
		all += strings.Count(r.Body, `"selectAction"`)
		if len(r.Body) > 28<<10 {
			t.Errorf("a message of %d octets", len(r.Body))
		}
	}
	skipped := strings.Count(encoded(t, compose(n.wording.Say(m))[1]), `"selectAction"`)
	if len(keys) != len(p.Came()) || len(keys) < 5 || keys[m.Key+".1"] || skipped == 0 || all+skipped != 500 {
		t.Errorf("%d messages with %d keys link %d incidents, and %d were posted before", len(p.Came()), len(keys), all, skipped)
	}
}

func encoded(t *testing.T, m message) string {
	t.Helper()
	content, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestWrongSignature(t *testing.T) {
	p := alertingtest.StartHTTP(t, reply)
	_, err := openTeams(t, address(p.URL, "another-signature")).Notify(t.Context(), alertingtest.SampleMessage())
	const want = "HTTP 401 from 127.0.0.1: DirectApiAuthorizationRequired: The request must be authenticated.; copy the workflow's address into url again: permanent"
	if !errors.Is(err, alerting.ErrPermanent) || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

func TestValidate(t *testing.T) {
	tests := []struct{ yaml, want string }{
		{`{}`, "url: a Teams receiver needs the address of its workflow"},
		{`{url: "https://prod-1.westeurope.logic.azure.com:443/workflows/x/triggers/manual/paths/invoke?sig=y"}`, ""},
		{`{url: "prod-1.westeurope.logic.azure.com"}`, "url: this is not an address that can be posted to"},
	}
	for _, tt := range tests {
		var c Config
		if err := yaml.Unmarshal([]byte(tt.yaml), &c); err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, p := range c.Validate() {
			got += p.Key + ": " + p.Message
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.yaml, got, tt.want)
		}
	}
}
