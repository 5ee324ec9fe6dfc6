package e2e

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"vigia/alerting/alertingtest"
)

const slackConfig = `listen: %[1]s
store: %[2]s
public_url: https://noc.example.com
sites: [{name: here}]
links: [{name: sjo-mia, site: here, peer: P, checks: [{kind: tcp, address: "%[3]s", every: 1s, timeout: 500ms}]}]
thresholds: [{metric: up, on: link/*, tiers: [{severity: critical, raise: 0, clear: 1}], policy: noc}]
policies:
  - name: noc
    levels:
      - {name: L1, after: 0s, notify: [noc-slack], repeat: 60m}
      - {name: L2, after: 60m, notify: [noc-slack]}
receivers:
  - {name: noc-slack, kind: slack, language: es, token: "${env:SLACK_BOT}", app_token: "${env:SLACK_APP}", signing_secret: "${env:SLACK_SIGNING}", channel: C0123456789, api_url: "%[4]s"}
`

const slackSigning = "8f742231b10e8888abcd99yyyzzz85a5"

// slackWorld is a running vigia that tells a Slack about one link.
type slackWorld struct {
	t      *testing.T
	p      *process
	slack  *alertingtest.Slack
	gate   *gate
	listen string
	file   string
}

func newSlackWorld(t *testing.T) *slackWorld {
	t.Setenv("SLACK_BOT", "xoxb-bot-secret")
	t.Setenv("SLACK_APP", "xapp-app-secret")
	t.Setenv("SLACK_SIGNING", slackSigning)
	w := &slackWorld{t: t, slack: alertingtest.StartSlack(t), gate: newGate(t), listen: freeAddress(t)}
	w.slack.Person("U0ANA", "Ana Solís")
	w.slack.Person("U0BEN", "Ben")
	dir := t.TempDir()
	w.file = filepath.Join(dir, "vigia.yaml")
	text := fmt.Appendf(nil, slackConfig, w.listen, "sqlite:"+filepath.Join(dir, "vigia.db"), w.gate.addr, w.slack.API())
	if err := os.WriteFile(w.file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	w.p = start(t, w.listen, "run", "-c", w.file)
	return w
}

func (w *slackWorld) until(what string, so func() bool) {
	w.t.Helper()
	if !eventually(20*time.Second, so) {
		w.t.Fatalf("it did not happen: %s\n%+v\n%s", what, w.slack.Posted(), w.p.output)
	}
}

// post sends a press as Slack does over HTTP, signed with a secret, and returns the status and how long the answer took.
func (w *slackWorld) post(payload, secret string) (int, time.Duration) {
	w.t.Helper()
	body := url.Values{"payload": {payload}}.Encode()
	at := strconv.FormatInt(time.Now().Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "v0:%s:%s", at, body)
	r, err := http.NewRequest(http.MethodPost, w.p.base+"/slack/interactions", strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Host = "noc.example.com"
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("X-Slack-Request-Timestamp", at)
	r.Header.Set("X-Slack-Signature", "v0="+hex.EncodeToString(mac.Sum(nil)))
	begin := time.Now()
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	res.Body.Close()
	return res.StatusCode, time.Since(begin)
}

func (w *slackWorld) incident() (state, by string) {
	var list struct {
		Incidents []struct {
			State string `json:"state"`
			Ack   *struct {
				By string `json:"by"`
			} `json:"acknowledgement"`
		} `json:"incidents"`
	}
	if err := w.p.getJSON("/api/v1/incidents", &list); err != nil || len(list.Incidents) == 0 {
		return fmt.Sprint(err), ""
	}
	first := list.Incidents[0]
	if first.Ack != nil {
		by = first.Ack.By
	}
	return first.State, by
}

// TestSlack lets a link fail: one message with buttons comes, a signed press takes the incident, a press by Socket Mode after a crash escalates
// it, and the same message shows the end.
func TestSlack(t *testing.T) {
	w := newSlackWorld(t)
	w.until("Socket Mode is connected", func() bool { return strings.Contains(w.p.get(t, "/metrics"), "vigia_slack_connected 1") })
	w.gate.close()
	w.until("a message came", func() bool { return len(w.slack.Posted()) == 1 })
	w.taken()
	w.crash()
	w.escalated()
	w.gate.open(t)
	w.until("the message shows the end", func() bool { return strings.Contains(w.slack.Posted()[0].Raw(), "Resuelto") })
	for i, m := range w.slack.Posted() {
		if (m.Thread == "") != (i == 0) {
			t.Errorf("message %d is in thread %q", i, m.Thread)
		}
	}
	if last := w.slack.Posted()[0]; strings.Contains(last.Attachments, "vigia_acknowledge") {
		t.Errorf("what is over has buttons: %s", last.Attachments)
	}
	for _, secret := range []string{"xoxb-bot-secret", "xapp-app-secret", slackSigning} {
		if strings.Contains(w.p.output.String(), secret) {
			t.Error("the log shows a secret")
		}
	}
}

// taken: nobody without the secret can press; who presses has it, by name, and is told so.
func (w *slackWorld) taken() {
	w.t.Helper()
	payload := alertingtest.SlackPress(w.t, w.slack.Posted()[0], "vigia_acknowledge", "U0ANA", "1.1")
	if status, _ := w.post(payload, "a guess"); status != http.StatusUnauthorized {
		w.t.Errorf("a forged press is answered with %d", status)
	}
	if state, _ := w.incident(); state != "open" {
		w.t.Fatalf("the incident is %s before anybody took it", state)
	}
	status, took := w.post(payload, slackSigning)
	if status != http.StatusOK || took > 3*time.Second {
		w.t.Errorf("a press is answered with %d after %s", status, took)
	}
	w.until("the incident is Ana's", func() bool { state, by := w.incident(); return state == "acknowledged" && by == "Ana Solís (Slack)" })
	w.until("she was told, in Spanish", func() bool {
		told := w.slack.Told()
		return len(told) == 1 && told[0].Get("user") == "U0ANA" && strings.HasPrefix(told[0].Get("text"), "El incidente 1 es suyo")
	})
	w.until("the message says so, and the thread too", func() bool {
		all := w.slack.Posted()
		return strings.Contains(all[0].Raw(), "Ana Solís") && len(all) == 2 && all[1].Thread == all[0].TS
	})
}

// crash kills the process and starts it again.
func (w *slackWorld) crash() {
	w.t.Helper()
	ever, _ := w.slack.Sockets()
	w.p.kill()
	w.p = start(w.t, w.listen, "run", "-c", w.file)
	w.until("Socket Mode is connected again", func() bool { again, now := w.slack.Sockets(); return again > ever && now == 1 })
}

// escalated: a press by Socket Mode reaches the next level, in the thread of the message of before.
func (w *slackWorld) escalated() {
	w.t.Helper()
	root := w.slack.Posted()[0]
	w.slack.SendPress(w.t, "e-1", alertingtest.SlackPress(w.t, root, "vigia_escalate", "U0BEN", "2.1"))
	w.until("the escalation is in the thread", func() bool {
		all := w.slack.Posted()
		return len(all) == 3 && all[2].Thread == root.TS && all[2].Broadcast
	})
	w.until("he was told", func() bool { told := w.slack.Told(); return len(told) == 2 && told[1].Get("user") == "U0BEN" })
}
