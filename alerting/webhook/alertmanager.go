package webhook

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strconv"
	"time"

	"vigia/alerting"
	"vigia/collectors"
)

// group is a payload of version 4 as Alertmanager posts it.
type group struct {
	Version           string  `json:"version"`
	GroupKey          string  `json:"groupKey"`
	TruncatedAlerts   int     `json:"truncatedAlerts"`
	Status            string  `json:"status"`
	Receiver          string  `json:"receiver"`
	GroupLabels       pairs   `json:"groupLabels"`
	CommonLabels      pairs   `json:"commonLabels"`
	CommonAnnotations pairs   `json:"commonAnnotations"`
	ExternalURL       string  `json:"externalURL"`
	Alerts            []alert `json:"alerts"`
}

type pairs map[string]string

// alert is one incident.
type alert struct {
	Status       string    `json:"status"`
	Labels       pairs     `json:"labels"`
	Annotations  pairs     `json:"annotations"`
	StartsAt     time.Time `json:"startsAt"`
	EndsAt       time.Time `json:"endsAt"` // the zero time while it fires, as Alertmanager writes it
	GeneratorURL string    `json:"generatorURL"`
	Fingerprint  string    `json:"fingerprint"`
}

const (
	firing   = "firing"
	resolved = "resolved"
)

// encodeAlertmanager writes a message in Alertmanager's form: an incident is an alert, a digest a group of several.
func encodeAlertmanager(w alerting.Wording, m alerting.Message) ([]byte, error) {
	list := m.Digest
	g := group{
		Version: "4", Status: resolved, Receiver: w.Receiver, ExternalURL: w.PublicURL, GroupLabels: pairs{}, CommonLabels: pairs{}, CommonAnnotations: pairs{},
		GroupKey: fmt.Sprintf("vigia:{digest=%q}", m.Key), Alerts: []alert{},
	}
	if len(list) == 0 {
		list = []alerting.Message{m}
		if m.Incident != 0 {
			g.GroupLabels["incident"] = strconv.FormatInt(m.Incident, 10)
		}
		g.GroupKey = fmt.Sprintf("vigia:{incident=\"%d\"}", m.Incident)
	}
	for _, item := range list {
		one := toAlert(w, item)
		if one.Status == firing {
			g.Status = firing
		}
		g.Alerts = append(g.Alerts, one)
	}
	g.CommonLabels = common(g.Alerts, func(a alert) pairs { return a.Labels })
	g.CommonAnnotations = common(g.Alerts, func(a alert) pairs { return a.Annotations })
	return json.Marshal(g)
}

// common are the pairs that all alerts have.
func common(alerts []alert, of func(alert) pairs) pairs {
	out := maps.Clone(of(alerts[0]))
	for _, a := range alerts[1:] {
		theirs := of(a)
		maps.DeleteFunc(out, func(name, value string) bool { return theirs[name] != value })
	}
	return out
}

func toAlert(w alerting.Wording, m alerting.Message) alert {
	m.Digest = nil
	said := w.Say(m)
	a := alert{
		Status: firing, StartsAt: m.OpenedAt.UTC(), GeneratorURL: said.URL, Labels: labels(m),
		Annotations: pairs{"summary": said.Title, "description": oneLine(said), "cause": string(m.Cause), "state": m.State.String(), "vigia_key": alerting.Clean(m.Key, maxText)},
	}
	a.Fingerprint = fingerprint(a.Labels)
	a.Labels["severity"] = m.Severity.String()
	if m.OpenedAt.IsZero() {
		a.StartsAt = m.At.UTC()
	}
	if over(m) {
		a.Status, a.EndsAt = resolved, m.At.UTC()
		if !m.ResolvedAt.IsZero() {
			a.EndsAt = m.ResolvedAt.UTC()
		}
	}
	if m.AckBy != "" {
		a.Annotations["acknowledged_by"] = alerting.Clean(m.AckBy, maxText)
	}
	return a
}

// over reports whether the alert ends with this message. What was merged into another incident goes on under that one's number.
func over(m alerting.Message) bool {
	return m.State == alerting.Resolved || m.State == alerting.Merged || m.Cause == alerting.CauseResolved || m.Cause == alerting.CauseMerged
}

// labels are what an incident is known by, in English words and without what may change while it lives.
func labels(m alerting.Message) pairs {
	if m.Cause == alerting.CauseTest {
		return pairs{"alertname": "VigiaTest"}
	}
	out := pairs{"alertname": string(m.Series.Metric), "incident": strconv.FormatInt(m.Incident, 10)}
	for name, value := range map[string]string{
		"object": refOf(m), "kind": string(m.Ref.Kind), "instance": m.Series.Instance, "site": m.Site, "unit": string(collectors.Catalogue[m.Series.Metric].Unit),
	} {
		if value != "" {
			out[name] = alerting.Clean(value, maxText)
		}
	}
	return out
}

// fingerprint is FNV-1a over the sorted labels, each name and value closed by an octet that UTF-8 never holds.
func fingerprint(l pairs) string {
	h := fnv.New64a()
	for _, name := range slices.Sorted(maps.Keys(l)) {
		for _, part := range []string{name, l[name]} {
			_, _ = h.Write([]byte(part)) // hash.Hash promises to return no error
			_, _ = h.Write([]byte{0xff})
		}
	}
	return fmt.Sprintf("%016x", h.Sum64())
}
