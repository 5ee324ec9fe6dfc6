package api

import (
	"context"
	"time"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
	"vigia/store"
)

// Alarm is the state of one threshold on one series.
type Alarm struct {
	ID        int64      `json:"id"`
	Series    SeriesName `json:"series"`
	State     string     `json:"state" enum:"clear,pending,raised,clearing,stale"`
	Severity  string     `json:"severity" enum:"none,indeterminate,warning,minor,major,critical" doc:"What stands now; none once it is clear."`
	Value     *float64   `json:"value" doc:"The last value that was judged."`
	ValueAt   *time.Time `json:"value_at"`
	Why       *Phrase    `json:"why,omitempty" doc:"Why, as the collector saw it."`
	Tier      *Tier      `json:"tier,omitempty" doc:"The tier that raised it, as it was then; absent when it is stale."`
	RaisedAt  *time.Time `json:"raised_at"`
	ClearedAt *time.Time `json:"cleared_at" doc:"null while it stands."`
	Incident  *int64     `json:"incident" doc:"The incident that it belongs to; null for none."`
	Shadow    bool       `json:"shadow" doc:"It stands in the shadow of a parent: measured and shown, not paging."`
	Flapping  bool       `json:"flapping"`
	Policy    string     `json:"policy"`
	Source    string     `json:"source" doc:"Where its threshold is written."`
}

// AlarmList lists alarms.
type AlarmList struct {
	Alarms []Alarm `json:"alarms" nullable:"false" doc:"Standing ones: worst first; all: newest first."`
	More   bool    `json:"more" doc:"There are more than limit."`
}

type alarmsInput struct {
	asked
	Active   bool      `query:"active" doc:"Only those that stand now."`
	Severity string    `query:"severity" enum:"indeterminate,warning,minor,major,critical" doc:"Only this severity: that now of a standing alarm, the worst there was of a clear one."`
	Ref      string    `query:"ref" doc:"Only alarms of this object, kind/name."`
	Incident int64     `query:"incident" minimum:"1" doc:"Only alarms of this incident."`
	Since    time.Time `query:"since" doc:"RFC 3339: only those raised since, or standing."`
	Limit    int       `query:"limit" minimum:"1" maximum:"5000" default:"500"`
}

func listAlarms(s *server, ctx context.Context, who Caller, in *alarmsInput) (AlarmList, error) {
	f := store.AlarmFilter{Active: in.Active, Incident: in.Incident, Since: in.Since, Limit: in.Limit + 1}
	if in.Ref != "" {
		ref, err := parseRef("ref", in.Ref)
		if err != nil {
			return AlarmList{}, err
		}
		f.Refs = []inventory.Ref{ref}
	}
	if in.Severity != "" {
		level, err := alerting.ParseSeverity(in.Severity)
		if err != nil {
			return AlarmList{}, badParameter("severity", err.Error(), in.Severity)
		}
		f.Severities = []alerting.Severity{level}
	}
	found, err := s.Store.Alarms(ctx, who.Scope, f)
	if err != nil {
		return AlarmList{}, err
	}
	out := AlarmList{Alarms: []Alarm{}, More: len(found) > in.Limit}
	for _, a := range found[:min(len(found), in.Limit)] {
		out.Alarms = append(out.Alarms, s.alarm(who.Lang, a))
	}
	return out, nil
}

func (s *server) alarm(lang collectors.Lang, a alerting.Alarm) Alarm {
	out := Alarm{
		ID: a.ID, Series: seriesName(a.Series), State: a.State.String(), Severity: severity(a.Severity),
		ValueAt: instant(a.ValueAt), Why: s.phrase(lang, a.Reason), RaisedAt: instant(a.RaisedAt), ClearedAt: instant(a.ClearedAt),
		Shadow: a.Shadow, Flapping: a.Flaps, Policy: a.Policy, Source: a.Source,
	}
	if !a.ValueAt.IsZero() {
		out.Value = figure(a.Value)
	}
	if a.Tier != (alerting.Tier{}) {
		tier := tierOf(a.Tier)
		out.Tier = &tier
	}
	if a.IncidentID != 0 {
		out.Incident = &a.IncidentID
	}
	return out
}
