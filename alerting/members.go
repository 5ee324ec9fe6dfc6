package alerting

import (
	"slices"

	"vigia/collectors"
	"vigia/collectors/inventory"
)

// policyName is the name of the policy for an alarm of ref: the object's own, else the threshold's, else the default one, else the only one.
func (p *planner) policyName(rule *Threshold, ref inventory.Ref) string {
	if p.cfg.PolicyOf != nil {
		if name := p.cfg.PolicyOf(ref); name != "" {
			return name
		}
	}
	if rule != nil && rule.Policy != "" {
		return rule.Policy
	}
	if p.cfg.DefaultPolicy != "" {
		return p.cfg.DefaultPolicy
	}
	if _, ok := p.cfg.Policies["default"]; ok || len(p.cfg.Policies) != 1 {
		return "default"
	}
	for name := range p.cfg.Policies {
		return name
	}
	return ""
}

// open makes an incident of which the alarm is the root. Its policy is frozen; a name that is no policy gives an incident that tells nobody.
func (p *planner) open(w *work) {
	a := &w.alarm
	policy := p.cfg.Policies[a.Policy]
	if p.reopen(w) {
		return
	}
	if in := p.companion(&policy, a.Series.Ref); in != nil {
		p.join(w, in.ID, false)
		return
	}
	in := &workIncident{fresh: true, dirty: true, members: map[*track]bool{w.t: true}}
	in.Incident = Incident{
		ID: p.ids.incident, State: Open, Severity: a.Severity, Worst: a.Severity, Ref: a.Series.Ref, Root: a.ID, Series: a.Series,
		Title: title(a), OpenedAt: p.now, Policy: policy,
		Escalation: Escalation{Base: p.now},
	}
	p.ids.incident++
	p.keep(in)
	if p.groups != nil {
		p.gather(&in.Incident, in.ID)
	}
	a.IncidentID, a.Shadow, w.dirty = in.ID, false, true
	p.event(Event{IncidentID: in.ID, Kind: EventOpened, AlarmID: a.ID, Severity: a.Severity, Text: p.opened(w, &in.Policy)})
	p.move(w)
}

// join makes the alarm a member of a live incident.
func (p *planner) join(w *work, id int64, shadow bool) {
	in := p.incident(id)
	a := &w.alarm
	in.members[w.t] = true
	a.IncidentID, a.Shadow, w.dirty = id, shadow, true
	word := wordJoined
	if shadow {
		word = wordShadowed
	}
	p.event(Event{IncidentID: id, Kind: EventJoined, AlarmID: a.ID, Severity: a.Severity, Text: about(word, a)})
}

// leave takes the alarm out of its incident. The alarm's row keeps the incident's id as history until it gets another.
func (p *planner) leave(w *work, why collectors.Reason) {
	in := p.incident(w.alarm.IncidentID)
	if in == nil {
		return
	}
	delete(in.members, w.t)
	p.event(Event{IncidentID: in.ID, Kind: EventLeft, AlarmID: w.alarm.ID, Severity: w.alarm.Severity, Text: why})
}

// merge puts a whole incident into that of its parent: it rose before the parent's outage was noticed. Who was told of it hears so once, and
// pages that are still waiting are not sent any more.
func (p *planner) merge(from, to *workIncident) {
	for _, t := range from.order() {
		w := p.edit(t)
		w.alarm.IncidentID, w.alarm.Shadow, w.dirty = to.ID, true, true
		to.members[t] = true
		p.event(Event{IncidentID: to.ID, Kind: EventJoined, AlarmID: w.alarm.ID, Severity: w.alarm.Severity, Text: about(wordShadowed, &w.alarm)})
	}
	p.mergeInto(from, to, codeMergedInto, codeMergedFrom)
}

// mergeInto ends an incident as part of another, and says so in both by a code each.
func (p *planner) mergeInto(from, to *workIncident, into, of string) {
	clear(from.members)
	from.State, from.MergedInto, from.ResolvedAt, from.Severity, from.dirty = Merged, to.ID, p.now, from.Worst, true
	from.stop()
	p.event(Event{IncidentID: from.ID, Kind: EventMerged, Text: collectors.Because(into, float64(to.ID))})
	p.event(Event{IncidentID: to.ID, Kind: EventMerged, Text: collectors.Because(of, float64(from.ID))})
	p.notice(from, CauseMerged)
	for _, r := range from.Told {
		to.hear(r)
	}
	to.dirty = true
}

// order lists the members' series, for results that do not depend on chance.
func (w *workIncident) order() []*track {
	list := make([]*track, 0, len(w.members))
	for t := range w.members {
		list = append(list, t)
	}
	slices.SortFunc(list, bySeries)
	return list
}

// hear notes that a receiver was told.
func (w *workIncident) hear(receiver string) {
	if !slices.Contains(w.Told, receiver) {
		w.Told = append(w.Told, receiver)
		w.dirty = true
	}
}

// stop ends the escalation.
func (w *workIncident) stop() {
	w.Escalation.NextAt, w.Escalation.Repeat = noTime, nil
	w.dirty = true
}

// finish draws the conclusions for every incident that was touched: severity, resolution, the next step.
func (p *planner) finish() {
	for _, w := range p.touched() {
		if !w.State.Live() {
			continue
		}
		worst, owned, flapping := p.standing(w)
		if worst == None {
			p.resolve(w)
			continue
		}
		p.lead(w)
		muted := p.muted(w)
		p.follow(w, worst, muted)
		p.escalate(w, owned, flapping, muted)
	}
}

// standing looks at an incident's members: the worst severity that stands, whether one stands outside of any shadow, and whether all those flap.
func (p *planner) standing(w *workIncident) (worst Severity, owned, flapping bool) {
	flapping = true
	for t := range w.members {
		a := p.alarm(t)
		if a == nil || !a.State.Active() {
			continue
		}
		worst = max(worst, a.Severity)
		if !a.Shadow {
			owned = true
			flapping = flapping && a.Flaps
		}
	}
	return worst, owned, flapping && owned
}

// resolve ends an incident of which nothing stands any more. Everyone who was told hears of it.
func (p *planner) resolve(w *workIncident) {
	w.State, w.ResolvedAt, w.Severity, w.Muted = Resolved, p.now, w.Worst, nil
	w.stop()
	p.event(Event{
		IncidentID: w.ID, Kind: EventResolved, Severity: w.Severity,
		Text: collectors.Because(codeResolved, brief(p.now.Sub(w.OpenedAt))),
	})
	p.notice(w, CauseResolved)
}

// follow makes the incident's severity that of its worst member. A rise pages again from level 1 and ends an acknowledgement that was given
// for less; a fall is an event.
func (p *planner) follow(w *workIncident, worst Severity, muted *Muted) {
	if w.fresh {
		w.Severity, w.Worst = worst, worst
		return
	}
	if worst == w.Severity {
		return
	}
	from := w.Severity
	w.Severity, w.Worst, w.dirty = worst, max(w.Worst, worst), true
	code := codeRose
	if worst < from {
		code = codeFell
	}
	p.event(Event{IncidentID: w.ID, Kind: EventSeverity, Severity: worst, Text: collectors.Because(code + "." + from.String() + "." + worst.String())})
	if worst < from {
		w.schedule()
		return
	}
	if w.State == Acknowledged {
		if w.Ack != nil && worst <= w.Ack.Severity {
			return
		}
		p.event(Event{IncidentID: w.ID, Kind: EventAckExpired, Severity: worst, Text: collectors.Because(codeAckRose)})
		w.State, w.Ack = Open, nil
	}
	if a := p.root(w); a != nil && a.Severity == worst {
		w.Title = title(a) // what it is now, not what it was when it opened
	}
	w.Escalation.Next, w.Escalation.Base, w.Escalation.Repeat = 0, p.now, nil
	w.schedule()
	if level, ok := w.nextLevel(); ok && muted == nil && w.Muted == nil && !w.levelAt(level).After(p.now) {
		p.tell(w, level, CauseSeverity, 0, "")
	}
}
