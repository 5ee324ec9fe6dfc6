package sms

import (
	"strings"
	"testing"
	"unicode/utf8"

	"vigia/alerting"
	"vigia/alerting/alertingtest"
	"vigia/collectors"
)

// TestTexts holds what a telephone shows.
func TestTexts(t *testing.T) {
	long := strings.Repeat("ab ", 60)
	tests := []struct {
		name   string
		lang   collectors.Lang
		change func(*alerting.Message)
		want   string
	}{
		{"new", collectors.English, nil, "Critical: Link sjo-gua loses 11.2 % of packets. san-jose. https://noc.example.com/incidents/2418"},
		{"Spanish, accents as far as GSM has them", collectors.Spanish, func(m *alerting.Message) {
			m.Site, m.Title = "Liberación Ñandú", collectors.Because("sample.loses", "Peñón é", 11.2)
		}, "Critica: El enlace Peñon é pierde 11,2 % de los paquetes. Liberacion Ñandu. https://noc.example.com/incidents/2418"},
		{"taken", collectors.Spanish, func(m *alerting.Message) {
			m.Cause, m.State, m.AckBy = alerting.CauseAcknowledged, alerting.Acknowledged, "María"
		}, "Critica: El enlace sjo-gua pierde 11,2 % de los paquetes. san-jose. Maria lo tomo. https://noc.example.com/incidents/2418"},
		{
			"without the site, to stay one segment", collectors.English, func(m *alerting.Message) { m.Site = strings.Repeat("s", 90) },
			"Critical: Link sjo-gua loses 11.2 % of packets. sssssssssssssssssssssssssssssssssssssss.... https://noc.example.com/incidents/2418",
		},
		{
			"two segments, nothing left out", collectors.English, func(m *alerting.Message) { m.Title = collectors.Because("sample.loses", long[:100], 11.2) },
			"Critical: Link " + long[:100] + " loses 11.2 % of packets. san-jose. https://noc.example.com/incidents/2418",
		},
		{
			"UCS-2", collectors.English, func(m *alerting.Message) { m.Title = collectors.Because("sample.loses", "Москва", 11.2) },
			"Critical: Link Москва loses 11.2 % of packets. san-jose. https://noc.example.com/incidents/2418",
		},
		{
			"test", collectors.English, func(m *alerting.Message) { *m = alerting.Message{Cause: alerting.CauseTest} },
			"Test: This message reached you. Nothing is wrong. https://noc.example.com",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := alertingtest.StartHTTP(t, reply)
			m := alertingtest.SampleMessage()
			if tt.change != nil {
				tt.change(&m)
			}
			if _, err := open(t, p, tt.lang, nil).Notify(t.Context(), m); err != nil {
				t.Fatal(err)
			}
			if got := forms(t, p)[0].Get("Body"); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// TestNeverTooLong: whatever the names are, a message is two segments at most and keeps its link and its severity.
func TestNeverTooLong(t *testing.T) {
	w := alerting.ReceiverSetup{Receiver: alerting.Receiver{Name: "p"}, Words: alertingtest.SampleWords, PublicURL: "https://noc.example.com"}.Wording()
	for _, name := range []string{strings.Repeat("x", 900), strings.Repeat("[€]", 300), strings.Repeat("á", 900), strings.Repeat("ж", 900), strings.Repeat("𝄞", 900)} {
		for _, m := range alertingtest.SampleMessages() {
			m.Site, m.AckBy, m.Undelivered, m.LevelName = name, name, name, name
			m.Title = collectors.Because("sample.loses", name, 1.0)
			text := compose(w, m)
			gsm, whole := inGSM(text)
			room := roomUCS2
			if whole && gsm == text {
				room = roomGSM
			}
			if cost := room.cost(text); cost > room.two || !strings.Contains(text, "https://noc.example.com") || !utf8.ValidString(text) {
				t.Errorf("%s: %d of %d: %s", m.Cause, cost, room.two, text)
			}
		}
	}
}

// TestAlphabet holds the alphabet against 3GPP TS 23.038: 128 codes, of which one is the escape and ten more characters follow it.
func TestAlphabet(t *testing.T) {
	if n := utf8.RuneCountInString(gsmSingle); n != 127 {
		t.Errorf("%d characters, want 127", n)
	}
	if n := utf8.RuneCountInString(gsmDouble); n != 9 { // without the form feed
		t.Errorf("%d characters of two places, want 9", n)
	}
	tests := []struct {
		text, want string
		whole      bool
	}{
		{"¿Qué pasó? ÁÍÓÚÑñü", "¿Qué paso? AIOUÑñü", true},
		{"“a” – ‘b’ … 5 ≥ 3 −1", "\"a\" - 'b' ... 5 >= 3 -1", true},
		{"☎ x\u0301", "? x", true},
		{"naïve Łódka", "naive Lodka", true},
		{"Łódź", "Lod?", false},
		{"Ωmega ωmega", "Ωmega ?mega", false},
	}
	for _, tt := range tests {
		if got, whole := inGSM(tt.text); got != tt.want || whole != tt.whole {
			t.Errorf("%q is %q, whole %v; want %q, %v", tt.text, got, whole, tt.want, tt.whole)
		}
	}
	if cost := roomGSM.cost("[a]€"); cost != 7 {
		t.Errorf("[a]€ costs %d, want 7", cost)
	}
	if cost := roomUCS2.cost("ж𝄞"); cost != 3 {
		t.Errorf("ж𝄞 costs %d, want 3", cost)
	}
}
