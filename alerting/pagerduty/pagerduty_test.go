package pagerduty

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"vigia/alerting"
	"vigia/alerting/alertingtest"
	"vigia/collectors"
	"vigia/collectors/inventory"
)

const key = "0123456789abcdef0123456789abcdef"

// fake answers as PagerDuty's OpenAPI description says, and keeps its alerts: dedup_key to state.
type fake struct {
	*alertingtest.HTTPPeer
	mu     sync.Mutex
	alerts map[string]string
}

func start(t *testing.T) *fake {
	f := &fake{alerts: map[string]string{}}
	f.HTTPPeer = alertingtest.StartHTTP(t, f.reply)
	return f
}

func (f *fake) reply(w http.ResponseWriter, r alertingtest.Request, a alertingtest.Answer) {
	say := func(code int, format string, args ...any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		fmt.Fprintf(w, format, args...)
	}
	var e event
	err := json.Unmarshal([]byte(r.Body), &e)
	switch {
	case a == alertingtest.RefuseNow:
		say(500, `{"status":"internal error","message":"try again"}`)
	case a == alertingtest.SlowDown:
		w.Header().Set("Retry-After", strconv.Itoa(int(alertingtest.PeerWait/time.Second)))
		say(429, "")
	case a == alertingtest.Echo:
		say(502, "%s", r.Body)
	case r.Method != http.MethodPost || r.Path != path:
		say(404, "")
	case err != nil:
		say(400, `{"status":"Unrecognized object","message":"Event object format is unrecognized","errors":["JSON parse error"]}`)
	case a == alertingtest.RefuseForGood || e.RoutingKey != key:
		say(400, `{"status":"invalid event","message":"Event object is invalid","errors":["'routing_key' is invalid"]}`)
	case e.Payload.Summary == "" || e.Payload.Source == "" || len(e.DedupKey) > maxKey:
		say(400, `{"status":"invalid event","message":"Event object is invalid","errors":["'payload' is missing something"]}`)
	default:
		f.mu.Lock()
		f.alerts[e.DedupKey] = map[string]string{trigger: "triggered", acknowledge: "acknowledged", resolve: "resolved"}[e.Action]
		f.mu.Unlock()
		say(202, `{"status":"success","message":"Event processed","dedup_key":%q}`, e.DedupKey)
	}
}

func (f *fake) events(t *testing.T) []event {
	t.Helper()
	var list []event
	for _, r := range f.Came() {
		var e event
		if err := json.Unmarshal([]byte(r.Body), &e); err != nil {
			t.Fatal(err)
		}
		list = append(list, e)
	}
	return list
}

// copies shows events; those of a digest, which have one sample's keys, count as one copy.
func (f *fake) copies() []alertingtest.Copy {
	var list []alertingtest.Copy
	digest := false
	for _, r := range f.Came() {
		var content any
		if err := json.Unmarshal([]byte(r.Body), &content); err != nil {
			content = "not JSON: " + err.Error()
		}
		c := alertingtest.Copy{Key: r.Header.Get("Idempotency-Key"), Text: strings.Join(alertingtest.Texts(content), "\n"), Raw: r.Body}
		ofDigest := strings.HasPrefix(c.Key, "i3")
		if ofDigest && digest {
			list[len(list)-1].Text += "\n" + c.Text
			continue
		}
		digest = ofDigest
		list = append(list, c)
	}
	return list
}

func TestNotifier(t *testing.T) {
	alertingtest.RunNotifier(t, alertingtest.NotifierSuite{
		Kind: Kind(),
		Start: func(t *testing.T) alertingtest.Peer {
			f := start(t)
			return alertingtest.Peer{Config: &Config{RoutingKey: inventory.NewSecret(key), APIURL: f.URL}, Answer: f.Set, Copies: f.copies, Close: f.Close}
		},
		Secrets: []string{key},
		Slows:   true,
		Breakout: func(c alertingtest.Copy) error {
			var fields map[string]any
			if err := json.Unmarshal([]byte(c.Raw), &fields); err != nil {
				return err
			}
			details := fields["payload"].(map[string]any)["custom_details"].(map[string]any)
			if _, ok := fields["injected"]; ok || details["injected"] != nil || strings.ContainsAny(c.Raw, "<>\x00\n") {
				return errors.New("a key was injected, or a raw angle bracket or control character")
			}
			return nil
		},
	})
}

func open(t *testing.T, api, routingKey string) alerting.Notifier {
	t.Helper()
	c := &Config{RoutingKey: inventory.NewSecret(routingKey), APIURL: api}
	n, err := c.Open(alerting.ReceiverSetup{
		Receiver: alerting.Receiver{Name: "duty"}, Words: alertingtest.SampleWords, PublicURL: "https://noc.example.com", Brand: "Example Telecom",
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestEvent holds what PagerDuty is told.
func TestEvent(t *testing.T) {
	f := start(t)
	receipt, err := open(t, f.URL+"/", key).Notify(t.Context(), alertingtest.SampleMessage())
	if err != nil || receipt.Outcome != "accepted: HTTP 202 from 127.0.0.1: Event processed" {
		t.Fatalf("%q, %v", receipt.Outcome, err)
	}
	want := event{
		RoutingKey: key, Action: trigger, DedupKey: "vigia-noc.example.com-i2418", Client: "Example Telecom", ClientURL: "https://noc.example.com",
		Links: []link{{Href: "https://noc.example.com/incidents/2418", Text: "Open incident 2418"}},
		Payload: payload{
			Summary: "Link sjo-gua loses 11.2 % of packets", Severity: "critical", Source: "link/sjo-gua", Component: "ping", Group: "san-jose", Class: "loss_pct",
			Timestamp: time.Date(2026, 11, 24, 16, 41, 54, 0, time.UTC),
			Details: map[string]string{
				"notification": "i2418.l1.suite.opened.1", "cause": "New incident", "Packet loss": "11.2 %, over 10 % for 30 s", "Why": "5 sent, 1 lost: seq 3",
				"Where": "Link sjo-gua, site san-jose", "Since": "24 Nov 10:41:53 (UTC−6)", "Owner": "Nobody has it",
				"Next": "NOC L2 is told at 10:56:53, in 14 m 59 s", "Alarms": "3 belong to this incident", "In its shadow": "Trunk guatel-1, Server sbc-gua-1",
			},
		},
	}
	if diff := cmp.Diff(want, f.events(t)[0]); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
}

// TestOneAlertPerIncident tells each cause by a notifier of its own, as after a restart: PagerDuty has one alert all along.
func TestOneAlertPerIncident(t *testing.T) {
	f := start(t)
	wants := map[alerting.Cause]string{alerting.CauseAcknowledged: "acknowledged", alerting.CauseResolved: "resolved", alerting.CauseMerged: "resolved"}
	for _, m := range alertingtest.SampleMessages() {
		if m.Incident == 0 {
			continue
		}
		if _, err := open(t, f.URL, key).Notify(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		want := wants[m.Cause]
		if want == "" {
			want = "triggered"
		}
		if got := f.alerts["vigia-noc.example.com-i2418"]; got != want || len(f.alerts) != 1 {
			t.Errorf("after %s the alert is %q, want %q, and there are %d", m.Cause, got, want, len(f.alerts))
		}
	}
}

func TestSeverities(t *testing.T) {
	wants := map[alerting.Severity]string{
		alerting.Critical: "critical", alerting.Major: "error", alerting.Minor: "warning", alerting.Warning: "warning", alerting.Indeterminate: "info", alerting.None: "info",
	}
	for s, want := range wants {
		if got := severity(s); got != want {
			t.Errorf("%s is %s, want %s", s, got, want)
		}
	}
}

func TestDedupKey(t *testing.T) {
	m := alertingtest.SampleMessage()
	for public, want := range map[string]string{
		"https://noc.example.com": "vigia-noc.example.com-i2418", "http://192.0.2.1:8080/vigia": "vigia-192.0.2.1:8080-i2418", "": "vigia-i2418",
	} {
		if got := dedupKey(public, m); got != want {
			t.Errorf("%q: %s, want %s", public, got, want)
		}
	}
	m.Incident, m.Key = 0, strings.Repeat("k", 300)
	if got := dedupKey("", m); len([]rune(got)) != maxKey {
		t.Errorf("%d characters", len([]rune(got)))
	}
}

// TestDigest is taken apart: each incident keeps its own alert and action.
func TestDigest(t *testing.T) {
	f := start(t)
	n := open(t, f.URL, key)
	m := alertingtest.SampleDigest(3)
	m.Digest[1].State, m.Digest[1].Cause = alerting.Resolved, alerting.CauseResolved
	f.Set(alertingtest.RefuseNow)
	if _, err := n.Notify(t.Context(), m); err == nil || !strings.HasPrefix(err.Error(), "event 1 of 3: ") {
		t.Errorf("refused: %v", err)
	}
	f.Set(alertingtest.Accept)
	receipt, err := n.Notify(t.Context(), m)
	if err != nil || !strings.HasPrefix(receipt.Outcome, "3 events, the last one accepted") {
		t.Errorf("%q, %v", receipt.Outcome, err)
	}
	want := map[string]string{
		"vigia-noc.example.com-i3000": "triggered", "vigia-noc.example.com-i3001": "resolved", "vigia-noc.example.com-i3002": "triggered",
	}
	if diff := cmp.Diff(want, f.alerts); diff != "" {
		t.Errorf("alerts (-want +got):\n%s", diff)
	}
}

// TestDigestGoesOn: what was taken before an error is not sent again.
func TestDigestGoesOn(t *testing.T) {
	f := start(t)
	n := open(t, f.URL, key)
	m := alertingtest.SampleDigest(4)
	n.(*notifier).served.Note(m.Key, m.Digest[0].Key)
	n.(*notifier).served.Note(m.Key, m.Digest[2].Key)
	if _, err := n.Notify(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, e := range f.events(t) {
		told = append(told, e.DedupKey)
	}
	if got, want := strings.Join(told, " "), "vigia-noc.example.com-i3001 vigia-noc.example.com-i3003"; got != want {
		t.Errorf("told %s, want %s", got, want)
	}
}

func TestWrongKey(t *testing.T) {
	f := start(t)
	_, err := open(t, f.URL, strings.Repeat("x", keyLength)).Notify(t.Context(), alertingtest.SampleMessage())
	const want = "HTTP 400 from 127.0.0.1: Event object is invalid; 'routing_key' is invalid: permanent"
	if !errors.Is(err, alerting.ErrPermanent) || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

func TestValidate(t *testing.T) {
	tests := []struct{ yaml, want string }{
		{`{}`, "routing_key: a PagerDuty receiver needs its routing key"},
		{`{routing_key: ` + key + `}`, ""},
		{`{routing_key: "` + key + `", api_url: "https://events.eu.pagerduty.com"}`, ""},
		{`{routing_key: short}`, "routing_key: PagerDuty's routing keys have 32 characters, this one has 5"},
		{`{routing_key: short, api_url: "http://127.0.0.1:9/"}`, ""},
		{`{routing_key: "` + key + `\n"}`, "routing_key: the routing key holds a character that no key has"},
		{`{routing_key: ` + key + `, api_url: events.pagerduty.com}`, "api_url: this is not an address that can be posted to"},
	}
	for _, tt := range tests {
		var c Config
		if err := yaml.Unmarshal([]byte(tt.yaml), &c); err != nil {
			t.Fatal(err)
		}
		if got := say(c.Validate()); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.yaml, got, tt.want)
		}
	}
}

func say(problems []collectors.Problem) string {
	var list []string
	for _, p := range problems {
		list = append(list, p.Key+": "+p.Message)
	}
	return strings.Join(list, "\n")
}
