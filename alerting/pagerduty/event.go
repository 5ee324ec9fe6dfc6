package pagerduty

import (
	"cmp"
	"fmt"
	"net/url"
	"time"

	"vigia/alerting"
)

// event is the body of POST /v2/enqueue.
type event struct {
	RoutingKey string  `json:"routing_key"`
	Action     string  `json:"event_action"`
	DedupKey   string  `json:"dedup_key"`
	Payload    payload `json:"payload"`
	Links      []link  `json:"links,omitempty"`
	Client     string  `json:"client"`
	ClientURL  string  `json:"client_url,omitempty"`
}

type payload struct {
	Summary   string            `json:"summary"`
	Severity  string            `json:"severity"`
	Source    string            `json:"source"`
	Timestamp time.Time         `json:"timestamp,omitzero"`
	Component string            `json:"component,omitempty"`
	Group     string            `json:"group,omitempty"`
	Class     string            `json:"class,omitempty"`
	Details   map[string]string `json:"custom_details"`
}

type link struct {
	Href string `json:"href"`
	Text string `json:"text"`
}

// The actions.
const (
	trigger     = "trigger"
	acknowledge = "acknowledge"
	resolve     = "resolve"
)

func action(m alerting.Message) string {
	switch {
	case m.Cause == alerting.CauseResolved, m.Cause == alerting.CauseMerged, m.State == alerting.Resolved, m.State == alerting.Merged:
		return resolve
	case m.Cause == alerting.CauseAcknowledged, m.Cause == alerting.CauseFallback && m.State == alerting.Acknowledged:
		return acknowledge
	}
	return trigger
}

func severity(s alerting.Severity) string {
	switch s {
	case alerting.Critical:
		return "critical"
	case alerting.Major:
		return "error"
	case alerting.Minor, alerting.Warning:
		return "warning"
	}
	return "info"
}

// maxKey and maxSummary are PagerDuty's limits in characters.
const (
	maxKey     = 255
	maxSummary = 1024
)

// dedupKey is one per incident, and one per message that is about none.
func dedupKey(publicURL string, m alerting.Message) string {
	key := "vigia-"
	if u, err := url.Parse(publicURL); err == nil && u.Host != "" {
		key += u.Host + "-"
	}
	if m.Incident == 0 {
		return alerting.Clean(key+m.Key, maxKey)
	}
	return alerting.Clean(fmt.Sprintf("%si%d", key, m.Incident), maxKey)
}

// compose writes one message that is no digest.
func compose(w alerting.Wording, m alerting.Message) event {
	said := w.Say(m)
	e := event{
		Action: action(m), DedupKey: dedupKey(w.PublicURL, m), Client: cmp.Or(w.Brand, "Vigía"), ClientURL: w.PublicURL,
		Payload: payload{
			Summary: alerting.Clean(said.Title, maxSummary), Severity: severity(m.Severity), Source: source(m), Timestamp: m.At.UTC(),
			Component: clean(m.Series.Instance), Group: clean(m.Site), Class: clean(string(m.Series.Metric)), Details: details(said, m),
		},
	}
	if said.URL != "" {
		e.Links = []link{{Href: said.URL, Text: said.Action}}
	}
	return e
}

func source(m alerting.Message) string {
	if m.Ref.IsZero() {
		return "vigia"
	}
	return clean(m.Ref.String())
}

func details(said alerting.Said, m alerting.Message) map[string]string {
	out := map[string]string{"notification": clean(m.Key), "cause": said.Cause}
	for _, f := range said.Facts {
		out[f.Label] = f.Value
	}
	return out
}

const maxText = 400

func clean(text string) string { return alerting.Clean(text, maxText) }
