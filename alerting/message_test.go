package alerting_test

import (
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
)

var opened = time.Date(2026, 11, 24, 16, 41, 53, 0, time.UTC)

func message() alerting.Message {
	link := inventory.Ref{Kind: inventory.KindLink, Name: "sjo-gua"}
	return alerting.Message{
		Key: "i2418.l1.noc.opened.1", Cause: alerting.CauseOpened, Incident: 2418, Level: 1, LevelName: "NOC L1",
		Severity: alerting.Critical, State: alerting.Open, Ref: link, Site: "san-jose", Zone: "America/Costa_Rica",
		Series: collectors.Series{Metric: collectors.LossPct, Ref: link, Instance: "ping"},
		Title:  collectors.Because("t.loses", "sjo-gua", 11.2), Reason: collectors.Because("t.lost", 5, 1),
		Value: 11.2, Tier: alerting.Tier{Severity: alerting.Critical, Raise: 10, Clear: 5, For: 30 * time.Second},
		OpenedAt: opened, At: opened.Add(time.Second), Members: 1, NextLevel: "NOC L2", NextAt: opened.Add(15 * time.Minute),
	}
}

func wording(lang collectors.Lang) alerting.Wording {
	return alerting.ReceiverSetup{
		Receiver: alerting.Receiver{Name: "l2-mail", Language: lang}, PublicURL: "https://noc.example.com/", Brand: "Istmo Voz",
		Words: collectors.Words{
			"t.loses": {EN: "link {0} loses {1:1} % of packets", ES: "el enlace {0} pierde {1:1} % de los paquetes"},
			"t.lost":  {EN: "{1} of {0} packets lost", ES: "{1} de {0} paquetes perdidos"},
		},
	}.Wording()
}

func TestSayInBothLanguages(t *testing.T) {
	tests := []struct {
		lang collectors.Lang
		want string
	}{
		{collectors.English, `[Critical] Link sjo-gua loses 11.2 % of packets
New incident · Incident 2418

Packet loss  11.2 %, over 10 % for 30 s
Why          1 of 5 packets lost
Where        Link sjo-gua, site san-jose
Since        24 Nov 10:41:53 (UTC−6)
Owner        Nobody has it
Next         NOC L2 is told at 10:56:53, in 14 m 59 s

https://noc.example.com/incidents/2418

-- 
Istmo Voz · sent by Vigía to l2-mail
`},
		{collectors.Spanish, `[Crítica] El enlace sjo-gua pierde 11,2 % de los paquetes
Incidente nuevo · Incidente 2418

Pérdida de paquetes  11,2 %, sobre 10 % durante 30 s
Motivo               1 de 5 paquetes perdidos
Dónde                Enlace sjo-gua, sitio san-jose
Desde                24 nov 10:41:53 (UTC−6)
A cargo              Nadie lo tiene
Sigue                Se avisa a NOC L2 a las 10:56:53, en 14 m 59 s

https://noc.example.com/incidents/2418

-- 
Istmo Voz · enviado por Vigía a l2-mail
`},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, wording(tt.lang).Say(message()).Plain()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.lang, diff)
		}
	}
}

func TestSayCauses(t *testing.T) {
	tests := []struct {
		cause           alerting.Cause
		change          func(*alerting.Message)
		headline, about string
		fact            alerting.Fact
	}{
		{
			alerting.CauseEscalated, func(m *alerting.Message) { m.LevelName, m.NextLevel, m.NextAt = "SOC L3", "", opened.Add(time.Hour) },
			"[Critical] Link sjo-gua loses 11.2 % of packets", "Escalated to SOC L3",
			alerting.Fact{Label: "Next", Value: "Told again at 11:41:53, in 59 m 59 s"},
		},
		{
			alerting.CauseRepeat, func(m *alerting.Message) { m.NextAt = time.Time{} },
			"[Critical] Link sjo-gua loses 11.2 % of packets", "Still open, told again",
			alerting.Fact{Label: "Next", Value: "Nobody else is told"},
		},
		{
			alerting.CauseSeverity, func(m *alerting.Message) { m.Severity = alerting.Major },
			"[Major] Link sjo-gua loses 11.2 % of packets", "The severity rose to Major",
			alerting.Fact{Label: "Owner", Value: "Nobody has it"},
		},
		{
			alerting.CauseAckExpired, func(*alerting.Message) {},
			"[Critical] Link sjo-gua loses 11.2 % of packets", "The acknowledgement ran out",
			alerting.Fact{Label: "Owner", Value: "Nobody has it"},
		},
		{alerting.CauseAcknowledged, func(m *alerting.Message) {
			m.State, m.AckBy, m.AckNote, m.AckUntil = alerting.Acknowledged, "María Quesada", "ticket\r\nFN-88213", opened.Add(48*time.Minute+7*time.Second)
		}, "[Critical] Link sjo-gua loses 11.2 % of packets", "María Quesada has it", alerting.Fact{Label: "Owner", Value: "María Quesada has it until 11:30:00"}},
		{
			alerting.CauseAcknowledged, func(m *alerting.Message) {
				m.State, m.AckBy, m.AckNote = alerting.Acknowledged, "María", "ticket\r\nFN-88213"
			},
			"[Critical] Link sjo-gua loses 11.2 % of packets", "María has it",
			alerting.Fact{Label: "Note", Value: "ticket  FN-88213"},
		},
		{alerting.CauseResolved, func(m *alerting.Message) {
			m.State, m.Value, m.ResolvedAt = alerting.Resolved, 0.4, opened.Add(16*time.Minute+9*time.Second)
		}, "[Resolved] Link sjo-gua loses 11.2 % of packets", "Resolved after 16 m 9 s", alerting.Fact{Label: "Until", Value: "10:58:02, after 16 m 9 s"}},
		{
			alerting.CauseResolved, func(m *alerting.Message) { m.State, m.Value = alerting.Resolved, 0.4 },
			"[Resolved] Link sjo-gua loses 11.2 % of packets", "Resolved after 1 s",
			alerting.Fact{Label: "Packet loss", Value: "0.4 %"},
		},
		{
			alerting.CauseFallback, func(m *alerting.Message) { m.Undelivered = "noc-slack: connection refused" },
			"[Critical] Link sjo-gua loses 11.2 % of packets", "noc-slack could not be reached",
			alerting.Fact{Label: "Not reached", Value: "noc-slack: connection refused"},
		},
		{
			alerting.CauseOpened, func(m *alerting.Message) { m.Late = 12*time.Minute + 400*time.Millisecond },
			"[Critical] Link sjo-gua loses 11.2 % of packets", "New incident",
			alerting.Fact{Label: "Late", Value: "This was due 12 m earlier: Vigía was not running, its database was away, or the clock jumped"},
		},
		{
			alerting.CauseOpened, func(m *alerting.Message) { m.Affected = []string{"a", "b", "c", "d", "e", "f", "g", "h"} },
			"[Critical] Link sjo-gua loses 11.2 % of packets", "New incident",
			alerting.Fact{Label: "In its shadow", Value: "a, b, c, d, e, f and 2 more"},
		},
		{alerting.CauseOpened, func(m *alerting.Message) {
			m.Series.Metric, m.Value, m.Tier = collectors.Up, 0, alerting.Tier{Severity: alerting.Critical, Clear: 1, For: 10 * time.Second}
		}, "[Critical] Link sjo-gua loses 11.2 % of packets", "New incident", alerting.Fact{Label: "Reachability", Value: "down for 10 s"}},
		{
			alerting.CauseOpened, func(m *alerting.Message) {
				m.Series.Metric, m.Value, m.Tier = collectors.TLSExpiryD, 6, alerting.Tier{Severity: alerting.Major, Raise: 7, Clear: 8}
			}, "[Critical] Link sjo-gua loses 11.2 % of packets", "New incident",
			alerting.Fact{Label: "Days until the certificate expires", Value: "6 d, under 7 d"},
		},
		{
			alerting.CauseOpened, func(m *alerting.Message) {
				m.Series.Metric, m.Value, m.Tier = collectors.HealthyServers, 1, alerting.Tier{Severity: alerting.Major, Raise: 1, Clear: 2}
			}, "[Critical] Link sjo-gua loses 11.2 % of packets", "New incident",
			alerting.Fact{Label: "Healthy servers", Value: "1, limit 1"}, // reaching the level is not being under it
		},
		{
			alerting.CauseOpened, func(m *alerting.Message) { m.Value = 10 },
			"[Critical] Link sjo-gua loses 11.2 % of packets", "New incident",
			alerting.Fact{Label: "Packet loss", Value: "10 %, limit 10 %, for 30 s"},
		},
		{
			alerting.CauseOpened, func(m *alerting.Message) { m.Affected = []string{"trunk/guatel-1", "server/sbc-1"} },
			"[Critical] Link sjo-gua loses 11.2 % of packets", "New incident",
			alerting.Fact{Label: "In its shadow", Value: "Trunk guatel-1, Server sbc-1"},
		},
		{
			alerting.CauseMerged, func(m *alerting.Message) { m.State, m.MergedInto = alerting.Merged, 12 },
			"[Critical] Link sjo-gua loses 11.2 % of packets", "Part of incident 12 now",
			alerting.Fact{Label: "Where", Value: "Link sjo-gua, site san-jose"},
		},
		{
			alerting.CauseOpened, func(m *alerting.Message) { m.Title = collectors.Reason{} },
			"[Critical] Link sjo-gua is not as expected", "New incident",
			alerting.Fact{Label: "Where", Value: "Link sjo-gua, site san-jose"},
		},
		{
			alerting.CauseFlapping, func(*alerting.Message) {}, "[Critical] Link sjo-gua loses 11.2 % of packets",
			"Goes up and down: quiet until it is stable",
			alerting.Fact{Label: "Owner", Value: "Nobody has it"},
		},
	}
	first := wording(collectors.English).Say(message()).Subject
	for _, tt := range tests {
		m := message()
		m.Cause = tt.cause
		tt.change(&m)
		got := wording(collectors.English).Say(m)
		if got.Headline() != tt.headline || got.Cause != tt.about {
			t.Errorf("%s: %q, %q; want %q, %q", tt.cause, got.Headline(), got.Cause, tt.headline, tt.about)
		}
		if !slices.Contains(got.Facts, tt.fact) {
			t.Errorf("%s lacks the fact %q in %q", tt.cause, tt.fact, got.Facts)
		}
		if m.Series.Metric == collectors.LossPct && got.Subject != first {
			t.Errorf("%s: the subject is %q, the thread's is %q", tt.cause, got.Subject, first)
		}
	}
}

func TestSayDigestNamesAndLinksEveryOne(t *testing.T) {
	var list []alerting.Message
	for i, severity := range []alerting.Severity{alerting.Warning, alerting.Critical, alerting.Major} {
		m := message()
		m.Incident, m.Severity = int64(100+i), severity
		list = append(list, m)
	}
	list[1].Cause, list[1].State = alerting.CauseResolved, alerting.Resolved
	said := wording(collectors.English).Say(alerting.Message{Cause: alerting.CauseDigest, Severity: alerting.Critical, Digest: list})
	if want := "3 messages: “Link sjo-gua loses 11.2 % of packets” and more"; said.Subject != want {
		t.Errorf("subject %q, want %q", said.Subject, want)
	}
	var order []string
	for _, item := range said.Items {
		order = append(order, item.URL)
	}
	want := []string{"https://noc.example.com/incidents/102", "https://noc.example.com/incidents/100", "https://noc.example.com/incidents/101"}
	if diff := cmp.Diff(want, order); diff != "" {
		t.Errorf("worst first, resolved last (-want +got):\n%s", diff)
	}
	plain := said.Plain()
	for _, url := range want {
		if !strings.Contains(plain, url+"\n") {
			t.Errorf("the digest does not link %s:\n%s", url, plain)
		}
	}
}

// TestMessageWords looks for a cause, a severity or a kind without words, and for texts that lack a language.
func TestMessageWords(t *testing.T) {
	for code, text := range alerting.MessageWords {
		if text.EN == "" || text.ES == "" {
			t.Errorf("%s lacks a language", code)
		}
		for n := range 4 {
			mark := "{" + string(rune('0'+n)) + "}"
			if strings.Contains(text.EN, mark) != strings.Contains(text.ES, mark) {
				t.Errorf("%s has %s in one language only", code, mark)
			}
		}
	}
	causes := []alerting.Cause{
		alerting.CauseOpened, alerting.CauseEscalated, alerting.CauseRepeat, alerting.CauseSeverity, alerting.CauseAckExpired,
		alerting.CauseAcknowledged, alerting.CauseResolved, alerting.CauseMerged, alerting.CauseFlapping, alerting.CauseFallback,
		alerting.CauseTest, alerting.CauseDigest, alerting.CauseMissed,
	}
	for _, cause := range causes {
		if _, ok := alerting.MessageWords["message.cause."+string(cause)]; !ok {
			t.Errorf("cause %s has no words", cause)
		}
	}
	for _, severity := range append(alerting.Severities[:], alerting.None) {
		if _, ok := alerting.MessageWords["message.severity."+severity.String()]; !ok {
			t.Errorf("severity %s has no words", severity)
		}
	}
	for _, kind := range inventory.Kinds {
		if got := wording(collectors.Spanish).Object(inventory.Ref{Kind: kind, Name: "x"}); got == " x" || got == "" {
			t.Errorf("kind %s has no words", kind)
		}
	}
}

func TestClean(t *testing.T) {
	tests := map[string]string{
		"plain":                    "plain",
		"a\r\nBcc: x@evil.example": "a  Bcc: x@evil.example",
		"a\x00b\x1b[31mred\u0085":  "a b [31mred",
		"abc\u202egpj.exe":         "abc gpj.exe",
		"line\u2028break":          "line break",
		"bad \xff\xfe utf8":        "bad ?? utf8",
		"  spaces ":                "spaces",
		"ñandú y 🦤":                "ñandú y 🦤",
	}
	for in, want := range tests {
		got := alerting.Clean(in, 40)
		if got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
		if strings.ContainsFunc(got, unicode.IsControl) {
			t.Errorf("%q still has a control character", got)
		}
	}
	if got := alerting.Clean(strings.Repeat("é", 50), 10); got != strings.Repeat("é", 9)+"…" {
		t.Errorf("cut to %q", got)
	}
	if got := alerting.Outcome("535 no: hunter2\nnext", inventory.NewSecret("hunter2"), inventory.Secret{}); got != "535 no: secret next" {
		t.Errorf("outcome %q", got)
	}
}
