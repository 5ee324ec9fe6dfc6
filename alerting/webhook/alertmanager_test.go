package webhook

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vigia/alerting"
	"vigia/alerting/alertingtest"
	"vigia/collectors/inventory"
)

// tellAlertmanager sends messages in Alertmanager's form and returns what came, as JSON and read.
func tellAlertmanager(t *testing.T, messages ...alerting.Message) (raw []string, groups []group) {
	t.Helper()
	p := alertingtest.StartHTTP(t, reply)
	c := &Config{URL: inventory.NewSecret(p.URL), Format: FormatAlertmanager}
	n, err := c.Open(alerting.ReceiverSetup{Receiver: alerting.Receiver{Name: "duty-hook"}, Words: alertingtest.SampleWords, PublicURL: "https://noc.example.com"})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range messages {
		if _, err := n.Notify(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range p.Came() {
		var g group
		if err := json.Unmarshal([]byte(r.Body), &g); err != nil {
			t.Fatal(err)
		}
		raw, groups = append(raw, r.Body), append(groups, g)
	}
	return raw, groups
}

// TestAlertmanagerBody holds the payload of version 4. The fingerprint was made by another program, over the labels without severity.
func TestAlertmanagerBody(t *testing.T) {
	raw, _ := tellAlertmanager(t, alertingtest.SampleMessage())
	labels := `{"alertname":"loss_pct","incident":"2418","instance":"ping","kind":"link","object":"link/sjo-gua","severity":"critical","site":"san-jose","unit":"%"}`
	annotations := `{"cause":"opened","description":"[Critical] Link sjo-gua loses 11.2 % of packets. New incident. Packet loss: 11.2 %, over 10 % for 30 s. ` +
		`Why: 5 sent, 1 lost: seq 3. Where: Link sjo-gua, site san-jose. Since: 24 Nov 10:41:53 (UTC−6). Owner: Nobody has it. ` +
		`Next: NOC L2 is told at 10:56:53, in 14 m 59 s. Alarms: 3 belong to this incident. In its shadow: Trunk guatel-1, Server sbc-gua-1",` +
		`"state":"open","summary":"Link sjo-gua loses 11.2 % of packets","vigia_key":"i2418.l1.suite.opened.1"}`
	want := `{"version":"4","groupKey":"vigia:{incident=\"2418\"}","truncatedAlerts":0,"status":"firing","receiver":"duty-hook","groupLabels":{"incident":"2418"},` +
		`"commonLabels":` + labels + `,"commonAnnotations":` + annotations + `,"externalURL":"https://noc.example.com","alerts":[{"status":"firing","labels":` + labels +
		`,"annotations":` + annotations + `,"startsAt":"2026-11-24T16:41:53Z","endsAt":"0001-01-01T00:00:00Z","generatorURL":"https://noc.example.com/incidents/2418",` +
		`"fingerprint":"80fc82724077a1ed"}]}`
	if diff := cmp.Diff(want, raw[0]); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
}

// TestAlertmanagerLife: an incident is one alert from its opening to its end, whatever happens to it.
func TestAlertmanagerLife(t *testing.T) {
	_, groups := tellAlertmanager(t, alertingtest.SampleMessages()...)
	known := ""
	for i, m := range alertingtest.SampleMessages() {
		g := groups[i]
		if m.Incident == 0 {
			continue
		}
		a := g.Alerts[0]
		if known == "" {
			known = a.Fingerprint
		}
		want := firing
		if m.Cause == alerting.CauseResolved || m.Cause == alerting.CauseMerged {
			want = resolved
		}
		if a.Status != want || g.Status != want || a.EndsAt.IsZero() != (want == firing) || a.Fingerprint != known || a.Labels["severity"] != m.Severity.String() {
			t.Errorf("%s: alert is %s, group is %s, ends %s, fingerprint %s, severity %s", m.Cause, a.Status, g.Status, a.EndsAt, a.Fingerprint, a.Labels["severity"])
		}
	}
}

func TestAlertmanagerDigest(t *testing.T) {
	m := alertingtest.SampleDigest(3)
	m.Digest[1].State, m.Digest[1].Cause, m.Digest[1].ResolvedAt = alerting.Resolved, alerting.CauseResolved, m.At.Add(time.Second)
	_, groups := tellAlertmanager(t, m)
	g := groups[0]
	if g.Status != firing || len(g.Alerts) != 3 || g.Alerts[1].Status != resolved || !g.Alerts[1].EndsAt.Equal(m.At.Add(time.Second)) {
		t.Errorf("%+v", g)
	}
	want := pairs{"alertname": "loss_pct", "instance": "ping", "kind": "link", "site": "san-jose", "unit": "%"}
	if diff := cmp.Diff(want, g.CommonLabels); diff != "" {
		t.Errorf("common labels (-want +got):\n%s", diff)
	}
}
