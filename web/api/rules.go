package api

import (
	"context"
	"slices"
	"strings"

	"vigia/alerting"
)

// Tier is one level of a threshold.
type Tier struct {
	Severity  string  `json:"severity" enum:"none,indeterminate,warning,minor,major,critical"`
	Raise     float64 `json:"raise" doc:"A value that reaches it raises."`
	Clear     float64 `json:"clear" doc:"A value that reaches it clears. Raise above clear: high is bad; below: low is bad."`
	ForS      float64 `json:"for_s" doc:"How long the level must hold before it raises, seconds."`
	ClearForS float64 `json:"clear_for_s"`
}

func tierOf(t alerting.Tier) Tier {
	return Tier{Severity: severity(t.Severity), Raise: t.Raise, Clear: t.Clear, ForS: seconds(t.For), ClearForS: seconds(t.ClearFor)}
}

// Threshold is what is expected of a metric.
type Threshold struct {
	Metric   string    `json:"metric" example:"loss_pct"`
	On       string    `json:"on" doc:"Which objects: kind/glob." example:"link/*"`
	Instance string    `json:"instance" doc:"Only this instance; empty: every one."`
	Tiers    []Tier    `json:"tiers" nullable:"false" doc:"From the least severe to the worst."`
	NoData   *NoData   `json:"nodata,omitempty" doc:"When silence is an alarm; absent: never."`
	Confirm  *Confirm  `json:"confirm,omitempty" doc:"Immediate probes when a level is crossed."`
	Flapping *Flapping `json:"flapping,omitempty"`
	Policy   string    `json:"policy" doc:"Escalation policy; empty: the object's own, or the default."`
	Source   string    `json:"source" doc:"Where it is written, file:line, or default."`
}

// NoData says when silence is an alarm.
type NoData struct {
	AfterS   float64 `json:"after_s" doc:"0: three periods of the series."`
	Severity string  `json:"severity"`
}

// Confirm asks for immediate probes.
type Confirm struct {
	Probes int     `json:"probes"`
	EveryS float64 `json:"every_s"`
}

// Flapping says when an alarm is unstable.
type Flapping struct {
	Changes int     `json:"changes"`
	WindowS float64 `json:"window_s"`
}

// EscalationPolicy says who is told when.
type EscalationPolicy struct {
	Name        string  `json:"name" example:"noc"`
	Levels      []Level `json:"levels" nullable:"false"`
	AckTimeoutS float64 `json:"ack_timeout_s" doc:"How long an acknowledgement holds when no end was given; 0: until resolved."`
	Fallback    string  `json:"fallback" doc:"The receiver that hears of what could not be delivered."`
	GroupBy     string  `json:"group_by" doc:"What alarms of one incident have in common; empty: every alarm opens its own."`
	GroupS      float64 `json:"group_within_s" doc:"For how long after it opened an incident takes in alarms."`
	ReopenS     float64 `json:"reopen_within_s" doc:"An alarm that rises again so soon after its incident was resolved opens that one again; 0: never."`
}

// Level is one step of a policy.
type Level struct {
	Name        string   `json:"name"`
	AfterS      float64  `json:"after_s" doc:"Since the incident opened."`
	MinSeverity string   `json:"min_severity"`
	Notify      []string `json:"notify" nullable:"false" doc:"Receivers; account_manager, oncall:ROTATION and person:NAME stand for others."`
	AfterHours  []string `json:"notify_after_hours" nullable:"false" doc:"Who is told instead outside business hours; empty: notify at all times."`
	RepeatS     float64  `json:"repeat_s" doc:"How often it is told again until someone has it; 0: once."`
}

// ThresholdList lists the rules.
type ThresholdList struct {
	Thresholds []Threshold        `json:"thresholds" nullable:"false"`
	Policies   []EscalationPolicy `json:"policies" nullable:"false"`
}

type nothingInput struct{ asked }

func listThresholds(s *server, _ context.Context, _ Caller, _ *nothingInput) (ThresholdList, error) {
	out := ThresholdList{Thresholds: []Threshold{}, Policies: []EscalationPolicy{}}
	for _, t := range s.Rules().All() {
		out.Thresholds = append(out.Thresholds, thresholdOf(t))
	}
	for _, p := range s.Policies() {
		out.Policies = append(out.Policies, policyOf(p))
	}
	slices.SortFunc(out.Policies, func(a, b EscalationPolicy) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

func thresholdOf(t *alerting.Threshold) Threshold {
	out := Threshold{Metric: string(t.Metric), On: string(t.On), Instance: t.Instance, Tiers: []Tier{}, Policy: t.Policy, Source: t.Source}
	for _, tier := range t.Tiers {
		out.Tiers = append(out.Tiers, tierOf(tier))
	}
	if t.NoData != nil {
		out.NoData = &NoData{AfterS: seconds(t.NoData.After), Severity: severity(t.NoData.Severity)}
	}
	if t.Confirm != nil {
		out.Confirm = &Confirm{Probes: t.Confirm.Probes, EveryS: seconds(t.Confirm.Every)}
	}
	if t.Flapping != nil {
		out.Flapping = &Flapping{Changes: t.Flapping.Changes, WindowS: seconds(t.Flapping.Window)}
	}
	return out
}

func policyOf(p alerting.Policy) EscalationPolicy {
	out := EscalationPolicy{
		Name: p.Name, Levels: []Level{}, AckTimeoutS: seconds(p.AckTimeout), Fallback: p.Fallback,
		GroupBy: string(p.Group.By), GroupS: seconds(p.Group.Within), ReopenS: seconds(p.Reopen),
	}
	for i, l := range p.Levels {
		out.Levels = append(out.Levels, Level{
			Name: l.Name, AfterS: seconds(l.After), MinSeverity: severity(l.MinSeverity), Notify: list(l.Notify), AfterHours: list(l.AfterHours), RepeatS: seconds(p.RepeatEvery(i)),
		})
	}
	return out
}
