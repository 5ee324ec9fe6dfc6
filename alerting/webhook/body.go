package webhook

import (
	"encoding/json"
	"math"
	"strings"
	"time"

	"vigia/alerting"
	"vigia/collectors"
)

// body is the JSON of one message; doc.go describes it.
type body struct {
	Version     int        `json:"version"`
	Key         string     `json:"key"`
	Cause       string     `json:"cause"`
	Incident    int64      `json:"incident"`
	Severity    string     `json:"severity"`
	State       string     `json:"state"`
	Ref         string     `json:"ref"`
	Site        string     `json:"site"`
	Metric      string     `json:"metric"`
	Instance    string     `json:"instance"`
	Value       *float64   `json:"value"`
	Unit        string     `json:"unit"`
	Threshold   *threshold `json:"threshold"`
	Title       string     `json:"title"`
	TitleEN     string     `json:"title_en"`
	Reason      string     `json:"reason"`
	Text        string     `json:"text"`
	Language    string     `json:"language"`
	OpenedAt    time.Time  `json:"opened_at,omitzero"`
	At          time.Time  `json:"at,omitzero"`
	ResolvedAt  time.Time  `json:"resolved_at,omitzero"`
	LateS       float64    `json:"late_s,omitempty"`
	Level       *level     `json:"level"`
	Next        *next      `json:"next"`
	Ack         *ack       `json:"ack"`
	Members     int        `json:"members"`
	Affected    []string   `json:"affected"`
	MergedInto  int64      `json:"merged_into,omitempty"`
	Undelivered string     `json:"undelivered,omitempty"`
	URL         string     `json:"url"`
	Items       []body     `json:"items,omitempty"`
}

type threshold struct {
	Severity string  `json:"severity"`
	Raise    float64 `json:"raise"`
	Clear    float64 `json:"clear"`
	ForS     float64 `json:"for_s"`
}

type level struct {
	Number int    `json:"number"`
	Name   string `json:"name"`
}

type next struct {
	Level string    `json:"level"`
	At    time.Time `json:"at"`
}

type ack struct {
	By    string    `json:"by"`
	Note  string    `json:"note"`
	Until time.Time `json:"until,omitzero"`
}

// encode writes a message as JSON.
func encode(w alerting.Wording, m alerting.Message) ([]byte, error) {
	return json.Marshal(toBody(w, m))
}

func toBody(w alerting.Wording, m alerting.Message) body {
	said := w.Say(m)
	english := w
	english.Lang = collectors.English
	b := body{
		Version: 1, Key: m.Key, Cause: string(m.Cause), Incident: m.Incident, Severity: m.Severity.String(), State: m.State.String(),
		Ref: refOf(m), Site: m.Site, Metric: string(m.Series.Metric), Instance: m.Series.Instance, Unit: string(collectors.Catalogue[m.Series.Metric].Unit),
		Title: said.Title, TitleEN: english.Title(m), Reason: alerting.Clean(w.Words.Say(w.Lang, m.Reason), maxText), Text: oneLine(said),
		Language: string(w.Lang), OpenedAt: m.OpenedAt.UTC(), At: m.At.UTC(), ResolvedAt: m.ResolvedAt.UTC(), LateS: m.Late.Seconds(),
		Members: m.Members, Affected: m.Affected, MergedInto: m.MergedInto, Undelivered: m.Undelivered, URL: said.URL,
	}
	if m.Series.Metric != "" && !math.IsNaN(m.Value) && !math.IsInf(m.Value, 0) {
		b.Value = &m.Value
	}
	if t := m.Tier; t.Severity != alerting.None {
		b.Threshold = &threshold{t.Severity.String(), t.Raise, t.Clear, t.For.Seconds()}
	}
	if m.Level > 0 {
		b.Level = &level{m.Level, m.LevelName}
	}
	if !m.NextAt.IsZero() {
		b.Next = &next{m.NextLevel, m.NextAt.UTC()}
	}
	if m.AckBy != "" {
		b.Ack = &ack{m.AckBy, m.AckNote, m.AckUntil.UTC()}
	}
	for _, item := range m.Digest {
		item.Digest = nil
		b.Items = append(b.Items, toBody(w, item))
	}
	return b
}

const maxText = 400

func refOf(m alerting.Message) string {
	if m.Ref.IsZero() {
		return ""
	}
	return m.Ref.String()
}

// oneLine is the message in one line: [Critical] Link sjo-gua loses 11.2 % of packets. New incident. Owner: nobody has it.
func oneLine(s alerting.Said) string {
	parts := []string{s.Headline(), s.Cause}
	for _, f := range s.Facts {
		parts = append(parts, f.Label+": "+f.Value)
	}
	return strings.Join(parts, ". ")
}
