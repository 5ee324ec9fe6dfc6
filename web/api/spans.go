package api

import (
	"slices"
	"time"

	"vigia/alerting"
	"vigia/store"
)

// edge is where an alarm begins to stand at a severity, or ceases to.
type edge struct {
	at    time.Time
	rank  alerting.Severity
	stale bool
	by    int // +1 or -1
}

// worstSpans lays the spans of an object's alarms over one another: at each time the worst one is seen. What has no data weighs less than
// an alarm of the same severity that has.
func worstSpans(spans []store.Span) []chartSpan {
	var edges []edge
	for _, s := range spans {
		edges = append(edges, edge{s.From, s.Severity, s.Stale, +1})
		if !s.To.IsZero() {
			edges = append(edges, edge{s.To, s.Severity, s.Stale, -1})
		}
	}
	slices.SortStableFunc(edges, func(a, b edge) int { return a.at.Compare(b.at) })
	out := []chartSpan{}
	var standing [int(alerting.Critical) + 1][2]int // by severity; with data, without
	for i, e := range edges {
		kind := 0
		if e.stale {
			kind = 1
		}
		standing[e.rank][kind] += e.by
		if i+1 < len(edges) && edges[i+1].at.Equal(e.at) {
			continue
		}
		out = follow(out, e.at, standing)
	}
	return out
}

// follow ends the last span and begins a new one when another severity is the worst from an instant on.
func follow(out []chartSpan, at time.Time, standing [int(alerting.Critical) + 1][2]int) []chartSpan {
	worst, stale := worstOf(standing)
	now := unix(at)
	if n := len(out); n > 0 && out[n-1].To == nil {
		if worst != alerting.None && out[n-1].Severity == severity(worst) && out[n-1].Stale == stale {
			return out
		}
		out[n-1].To = &now
	}
	if worst == alerting.None {
		return out
	}
	return append(out, chartSpan{From: now, Severity: severity(worst), Stale: stale})
}

func worstOf(standing [int(alerting.Critical) + 1][2]int) (worst alerting.Severity, stale bool) {
	for _, s := range alerting.Severities {
		if standing[s][0] > 0 {
			return s, false
		}
		if standing[s][1] > 0 {
			return s, true
		}
	}
	return alerting.None, false
}
