package alertingtest

import (
	"fmt"
	"time"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
)

// SampleWords is a catalogue for the sample messages.
var SampleWords = collectors.Words{
	"sample.loses": {EN: "link {0} loses {1:1} % of packets", ES: "el enlace {0} pierde {1:1} % de los paquetes"},
	"sample.said":  {EN: "5 sent, 1 lost: {0}", ES: "5 enviados, 1 perdido: {0}"},
}

// HostileMark is in every hostile text: it must arrive as text.
const HostileMark = "mark-7f3"

// HostileTexts are names and notes that try to be more than text, in a mail, a page, a header, JSON or Slack.
var HostileTexts = []string{
	"mark-7f3<script>alert(1)</script>",
	`mark-7f3"><img src=x onerror=alert(1)>`,
	"mark-7f3\r\nBcc: evil@example.com\r\n\r\n<html>",
	"mark-7f3\nX-Injected: yes",
	`mark-7f3","injected":"yes`,
	"mark-7f3 <!channel> <@U012345> <https://evil.example|click>",
	"mark-7f3 &lt;b&gt; &amp; ]]> {{.Secret}} ${env:HOME} %s %n",
	"mark-7f3 =?utf-8?q?=0D=0ABcc:_evil@example.com?=",
	"mark-7f3 \u202egnp.exe \u0000\u001b[31m",
	"mark-7f3 \xff\xfe broken",
	"mark-7f3 javascript:alert(1) `code` *bold* _it_ ~no~ <mailto:a@b|x>",
}

// SampleMessage is a new critical incident.
func SampleMessage() alerting.Message {
	opened := time.Date(2026, 11, 24, 16, 41, 53, 0, time.UTC)
	link := inventory.Ref{Kind: inventory.KindLink, Name: "sjo-gua"}
	return alerting.Message{
		Key: "i2418.l1.suite.opened.1", Cause: alerting.CauseOpened, Incident: 2418, Level: 1, LevelName: "NOC L1",
		Severity: alerting.Critical, State: alerting.Open, Ref: link, Site: "san-jose", Zone: "America/Costa_Rica",
		Series: collectors.Series{Metric: collectors.LossPct, Ref: link, Instance: "ping"},
		Title:  collectors.Because("sample.loses", "sjo-gua", 11.2), Reason: collectors.Because("sample.said", "seq 3"),
		Value: 11.2, Tier: alerting.Tier{Severity: alerting.Critical, Raise: 10, Clear: 5, For: 30 * time.Second},
		OpenedAt: opened, At: opened.Add(time.Second), Members: 3, Affected: []string{"trunk/guatel-1", "server/sbc-gua-1"},
		NextLevel: "NOC L2", NextAt: opened.Add(15 * time.Minute),
	}
}

// SampleMessages are one of each cause, in the order in which an incident would bring them.
func SampleMessages() []alerting.Message {
	var list []alerting.Message
	add := func(cause alerting.Cause, change func(*alerting.Message)) {
		m := SampleMessage()
		m.Cause, m.Key = cause, alerting.NotificationKey(m.Incident, m.Level, "suite", cause, len(list))
		m.At = m.At.Add(time.Duration(len(list)) * 5 * time.Minute)
		if change != nil {
			change(&m)
		}
		list = append(list, m)
	}
	add(alerting.CauseOpened, nil)
	add(alerting.CauseRepeat, func(m *alerting.Message) { m.NextLevel, m.NextAt = "", m.At.Add(15*time.Minute) })
	add(alerting.CauseSeverity, func(m *alerting.Message) { m.Severity = alerting.Major })
	add(alerting.CauseEscalated, func(m *alerting.Message) {
		m.Level, m.LevelName, m.NextLevel, m.NextAt, m.Late = 2, "NOC L2", "SOC L3", m.At.Add(30*time.Minute), 12*time.Minute
	})
	add(alerting.CauseAcknowledged, func(m *alerting.Message) {
		m.State, m.AckBy, m.AckNote, m.AckUntil = alerting.Acknowledged, "María Quesada", "FibraNorte confirms errors, ticket FN-88213", m.At.Add(time.Hour)
	})
	add(alerting.CauseAckExpired, nil)
	add(alerting.CauseUnmuted, nil)
	add(alerting.CauseSnoozeOver, nil)
	add(alerting.CauseMerged, nil)
	add(alerting.CauseFlapping, func(m *alerting.Message) { m.Severity = alerting.Minor })
	add(alerting.CauseFallback, func(m *alerting.Message) { m.Undelivered = "noc-slack: connection refused" })
	add(alerting.CauseResolved, func(m *alerting.Message) {
		m.State, m.Value, m.ResolvedAt = alerting.Resolved, 0.2, m.At
	})
	add(alerting.CauseTest, func(m *alerting.Message) {
		*m = alerting.Message{Key: "test.suite.1", Cause: alerting.CauseTest, At: m.At}
	})
	add(alerting.CauseMissed, func(m *alerting.Message) {
		at := m.At
		*m = SampleDigest(2)
		m.Cause, m.Key, m.At = alerting.CauseMissed, "missed.0123", at
	})
	return list
}

// SampleDigest is a digest of n messages about n links.
func SampleDigest(n int) alerting.Message {
	m := alerting.Message{Key: "digest.0123456789ab", Cause: alerting.CauseDigest, Severity: alerting.Critical, At: SampleMessage().At}
	for i := range n {
		one := SampleMessage()
		one.Incident, one.Ref.Name = int64(3000+i), fmt.Sprintf("path-%03d", i)
		one.Series.Ref = one.Ref
		one.Key = alerting.NotificationKey(one.Incident, 1, "suite", one.Cause, 1)
		one.Severity = alerting.Severities[i%4]
		one.Title = collectors.Because("sample.loses", one.Ref.Name, 11.2+float64(i))
		m.Digest = append(m.Digest, one)
	}
	return m
}
