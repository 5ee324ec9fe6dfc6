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

const (
	key      = "0123456789abcdef0123456789abcdef"
	refuseMe = "refuse-me" // the component of an event that is refused for good
)

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
	case e.Payload.Component == refuseMe || e.Payload.Summary == "" || e.Payload.Source == "" || len(e.DedupKey) > maxKey:
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

// TestDigest is taken apart: each incident keeps its own alert, and its events come in order.
func TestDigest(t *testing.T) {
	f := start(t)
	n := open(t, f.URL, key)
	m := alertingtest.SampleDigest(40)
	end := m.Digest[1]
	end.State, end.Cause, end.Key, end.At = alerting.Resolved, alerting.CauseResolved, "i3001.l1.suite.resolved.2", end.At.Add(time.Minute)
	m.Digest = append([]alerting.Message{end}, m.Digest...)
	f.Set(alertingtest.RefuseNow)
	if _, err := n.Notify(t.Context(), m); err == nil || !strings.HasPrefix(err.Error(), "0 of 41 events were taken: HTTP 500 ") {
		t.Errorf("refused: %v", err)
	}
	if came := len(f.Came()); came > 2*together {
		t.Errorf("%d events were begun after a refusal", came)
	}
	f.Set(alertingtest.Accept)
	receipt, err := n.Notify(t.Context(), m)
	if err != nil || receipt.Outcome != "accepted: 41 events" {
		t.Errorf("%q, %v", receipt.Outcome, err)
	}
	for i := range 40 {
		want := "triggered"
		if i == 1 {
			want = "resolved"
		}
		if got := f.alerts[fmt.Sprintf("vigia-noc.example.com-i%d", 3000+i)]; got != want {
			t.Errorf("alert %d is %q, want %q", 3000+i, got, want)
		}
	}
}

// TestDigestRefused: an event that is refused for good keeps no other back, and a wrong key is not tried with all of them.
func TestDigestRefused(t *testing.T) {
	f := start(t)
	m := alertingtest.SampleDigest(40)
	m.Digest[0].Series.Instance = refuseMe
	_, err := open(t, f.URL, key).Notify(t.Context(), m)
	if !errors.Is(err, alerting.ErrPermanent) || !strings.HasPrefix(err.Error(), "39 of 40 events were taken: HTTP 400 ") || len(f.alerts) != 39 {
		t.Errorf("%v; %d alerts", err, len(f.alerts))
	}
	before := len(f.Came())
	_, err = open(t, f.URL, strings.Repeat("x", keyLength)).Notify(t.Context(), m)
	if came := len(f.Came()) - before; !errors.Is(err, alerting.ErrPermanent) || came > 2*together {
		t.Errorf("%v; a wrong key was tried %d times", err, came)
	}
}

// TestDigestGoesOn: what was taken before an error is not sent again, also when the rest comes in another digest.
func TestDigestGoesOn(t *testing.T) {
	f := start(t)
	n := open(t, f.URL, key)
	m := alertingtest.SampleDigest(4)
	n.(*notifier).served.Note(m.Digest[0].Key, "")
	n.(*notifier).served.Note(m.Digest[2].Key, "")
	m.Key = "digest.another"
	for range 2 {
		if _, err := n.Notify(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	told := map[string]int{}
	for _, e := range f.events(t) {
		told[strings.TrimPrefix(e.DedupKey, "vigia-noc.example.com-")]++
	}
	want := map[string]int{"i3000": 1, "i3001": 2, "i3002": 1, "i3003": 2} // the second time nothing is remembered any more
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}

func TestByIncident(t *testing.T) {
	at := alertingtest.SampleMessage().At
	message := func(key string, incident int64, s alerting.Severity, after time.Duration) alerting.Message {
		return alerting.Message{Key: key, Incident: incident, Severity: s, At: at.Add(after)}
	}
	var got []string
	for _, group := range byIncident([]alerting.Message{
		message("a", 1, alerting.Minor, 2), message("b", 0, alerting.None, 0), message("c", 2, alerting.Critical, 0), message("d", 1, alerting.Major, 1), message("e", 0, alerting.None, 0),
	}) {
		var keys string
		for _, m := range group {
			keys += m.Key
		}
		got = append(got, keys)
	}
	if want := "c da b e"; strings.Join(got, " ") != want {
		t.Errorf("%s, want %s", strings.Join(got, " "), want)
	}
}

// TestActions: what PagerDuty is to do follows from the cause, and from the state when it is another receiver's message.
func TestActions(t *testing.T) {
	tests := []struct {
		cause alerting.Cause
		state alerting.IncidentState
		want  string
	}{
		{alerting.CauseOpened, alerting.Open, trigger},
		{alerting.CauseEscalated, alerting.Acknowledged, trigger},
		{alerting.CauseAckExpired, alerting.Open, trigger},
		{alerting.CauseAcknowledged, alerting.Acknowledged, acknowledge},
		{alerting.CauseFallback, alerting.Open, trigger},
		{alerting.CauseFallback, alerting.Acknowledged, acknowledge},
		{alerting.CauseFallback, alerting.Resolved, resolve},
		{alerting.CauseFallback, alerting.Merged, resolve},
		{alerting.CauseMerged, alerting.Merged, resolve},
		{alerting.CauseResolved, alerting.Resolved, resolve},
		{alerting.CauseTest, alerting.Open, trigger},
	}
	for _, tt := range tests {
		if got := action(alerting.Message{Cause: tt.cause, State: tt.state}); got != tt.want {
			t.Errorf("%s, %s: %s, want %s", tt.cause, tt.state, got, tt.want)
		}
	}
}

func TestWrongKey(t *testing.T) {
	f := start(t)
	_, err := open(t, f.URL, strings.Repeat("x", keyLength)).Notify(t.Context(), alertingtest.SampleMessage())
	const want = "HTTP 400 from 127.0.0.1: Event object is invalid; 'routing_key' is invalid; compare routing_key with the integration's page: permanent"
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
