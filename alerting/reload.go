package alerting

import (
	"slices"

	"vigia/collectors"
	"vigia/collectors/inventory"
)

// ordered lists the series that have an alarm, in an order that does not depend on chance.
func (s *State) ordered() []*track {
	var list []*track
	for _, t := range s.tracks {
		if t.alarm != nil {
			list = append(list, t)
		}
	}
	slices.SortFunc(list, bySeries)
	return list
}

// removed reports whether the check that feeds a series was taken out of the configuration.
func (s *State) removed(series collectors.Series) bool {
	return s.dropped[checkOf(series)]
}

// reload follows a new configuration: series of checks that are gone are forgotten and their alarms closed, everything else is judged by the
// new rules from its last sample.
func (p *planner) reload() {
	expected := map[checkKey]bool{}
	for _, e := range p.cfg.Expected {
		expected[checkOf(e.Series)] = true
	}
	p.out.dropped = p.droppedBy(expected)
	p.gone = map[*track]bool{}
	for _, e := range p.cfg.Expected {
		if p.cfg.knows(e.Series.Ref) && p.track(e.Series) == nil {
			p.addTrack(e.Series, e.Every)
		}
	}
	for _, t := range p.st.ordered() {
		switch {
		case p.isGone(t, expected):
			p.retire(t, codeCheckRemoved)
		case p.cfg.Rules.Match(t.series) == nil:
			p.retire(t, codeRuleRemoved)
		}
	}
	for _, t := range p.st.tracks {
		if p.isGone(t, expected) {
			p.gone[t] = true
			p.out.dropped[checkOf(t.series)] = true
			p.out.gone = append(p.out.gone, t)
		}
	}
	p.rejudge()
}

// droppedBy lists the checks that were expected and are not any more.
func (p *planner) droppedBy(expected map[checkKey]bool) map[checkKey]bool {
	dropped := map[checkKey]bool{}
	for key := range p.st.dropped {
		dropped[key] = true
	}
	for _, t := range p.st.tracks {
		if t.expected {
			dropped[checkOf(t.series)] = true
		}
	}
	for key := range expected {
		delete(dropped, key)
	}
	return dropped
}

// isGone reports whether nothing feeds a series any more: its object or its check was removed. After a restart, when it is not known what was
// expected before, a check is known by its "up".
func (p *planner) isGone(t *track, expected map[checkKey]bool) bool {
	key := checkOf(t.series)
	return !p.cfg.knows(t.series.Ref) || p.out.dropped[key] || t.series.Metric == collectors.Up && !expected[key] && len(expected) > 0
}

// retire closes the alarm of a series that is not judged any more; the incident's timeline says why.
func (p *planner) retire(t *track, code string) {
	w := p.edit(t)
	why := collectors.Because(code, t.series.String())
	if w.alarm.State.Active() {
		p.event(Event{IncidentID: w.alarm.IncidentID, Kind: EventConfig, AlarmID: w.alarm.ID, Severity: w.alarm.Severity, Text: why})
	}
	p.end(w, why)
}

// rejudge holds every series' last sample against the new rules.
func (p *planner) rejudge() {
	var list []*track
	for _, t := range p.st.tracks {
		rule := p.cfg.Rules.Match(t.series)
		if !p.gone[t] && rule != nil && (t.alarm != nil || !t.at.IsZero() && !rule.calm(t.value) && t.rules != nil) {
			list = append(list, t)
		}
	}
	slices.SortFunc(list, bySeries)
	for _, t := range list {
		p.rejudgeOne(t)
	}
}

func (p *planner) rejudgeOne(t *track) {
	w := p.edit(t)
	if w.alarm.State == Pending && w.rule.Confirm != nil {
		p.confirm(w, w.rule)
	}
	if t.rules == nil { // after a restart the stored holds go on; there is no sample to judge by yet
		if w.alarm.State.Active() {
			p.place(w)
		}
		return
	}
	if w.alarm.State.Active() && w.alarm.State != Stale {
		p.retier(w)
	}
	if w.alarm.State == Stale {
		if w.rule.NoData == nil {
			p.retire(t, codeRuleRemoved)
		}
		return
	}
	m := p.latest(t)
	if w.alarm.State == Clear && !t.freshAt(w.rule, m, p.now) {
		return
	}
	w.alarm.Value, w.alarm.ValueAt = m.Value, m.At
	p.hold(w, w.rule, &m)
	p.assess(w)
	if w.alarm.State.Active() {
		p.place(w)
	}
}

// retier finds the tier of the new rules for an alarm that stands by the old ones: that of its severity, else the worst that its value has
// not cleared.
func (p *planner) retier(w *work) {
	tiers := w.rule.Tiers
	i := slices.IndexFunc(tiers, func(t Tier) bool { return t.Severity == w.alarm.Severity })
	for n := len(tiers) - 1; i < 0 && n >= 0; n-- {
		if !tiers[n].Cleared(p.latest(w.t).Value) {
			i = n
		}
	}
	if i < 0 {
		p.retire(w.t, codeRuleRemoved)
		return
	}
	if w.alarm.Tier != tiers[i] {
		w.alarm.Tier, w.alarm.Severity, w.dirty = tiers[i], tiers[i].Severity, true
		p.incident(w.alarm.IncidentID)
	}
	w.alarm.Holds = slices.DeleteFunc(w.alarm.Holds, func(h Hold) bool {
		return !slices.ContainsFunc(tiers, func(t Tier) bool { return t.Severity == h.Severity })
	})
}

// self is a series about Vigía itself.
func self(metric collectors.Metric) collectors.Series {
	return collectors.Series{Metric: metric, Ref: inventory.Self}
}
