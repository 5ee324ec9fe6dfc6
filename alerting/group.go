package alerting

import (
	"slices"
	"time"

	"vigia/collectors/inventory"
)

// groupKey names what the alarms of an incident have in common.
type groupKey struct {
	policy string
	ref    inventory.Ref
}

// groupKeys are what an object's alarms may share an incident by; none when the policy does not group.
func (p *planner) groupKeys(policy *Policy, ref inventory.Ref) []groupKey {
	if policy.Group.By == GroupByNone || ref.Kind == inventory.KindVigia {
		return nil
	}
	var refs []inventory.Ref
	inv := p.cfg.Inventory
	switch {
	case policy.Group.By == GroupByObject || inv == nil:
		refs = []inventory.Ref{ref}
	case policy.Group.By == GroupBySite:
		if site := inv.SiteOf(ref); site != "" {
			refs = []inventory.Ref{{Kind: inventory.KindSite, Name: site}}
		}
	default:
		refs = slices.DeleteFunc(append([]inventory.Ref{ref}, inv.Parents(ref)...), func(r inventory.Ref) bool {
			return string(r.Kind) != string(policy.Group.By)
		})
	}
	keys := make([]groupKey, len(refs))
	for i, r := range refs {
		keys[i] = groupKey{policy.Name, r}
	}
	return keys
}

// companion is the oldest live incident that takes in an alarm of ref; nil when none does. An incident takes in what rises soon after it opened.
func (p *planner) companion(policy *Policy, ref inventory.Ref) *workIncident {
	keys := p.groupKeys(policy, ref)
	if len(keys) == 0 {
		return nil
	}
	if p.groups == nil {
		p.groups = map[groupKey][]int64{}
		for id, in := range p.st.incidents {
			if p.now.Sub(in.OpenedAt) <= policyWithin(&in.Policy) {
				p.gather(&in.Incident, id)
			}
		}
		for _, list := range p.groups {
			slices.Sort(list)
		}
	}
	var best *workIncident
	for _, key := range keys {
		for _, id := range p.groups[key] {
			w := p.incident(id)
			if w == nil || !w.State.Live() || p.now.Sub(w.OpenedAt) > policyWithin(&w.Policy) || best != nil && best.ID < w.ID {
				continue
			}
			best = w
			break
		}
	}
	return best
}

func policyWithin(policy *Policy) time.Duration {
	if policy.Group.Within > 0 {
		return policy.Group.Within
	}
	return GroupWithin
}

// gather notes an incident under what its alarms have in common.
func (p *planner) gather(in *Incident, id int64) {
	for _, key := range p.groupKeys(&in.Policy, in.Ref) {
		p.groups[key] = append(p.groups[key], id)
	}
}

// lead lets another alarm speak for an incident whose root is over while others stand: the worst, and of those the oldest.
func (p *planner) lead(w *workIncident) {
	if a := p.root(w); a != nil && a.State.Active() {
		return
	}
	var best *Alarm
	for _, t := range w.order() {
		a := p.alarm(t)
		if a == nil || !a.State.Active() || a.Shadow {
			continue
		}
		if best == nil || a.Severity > best.Severity || a.Severity == best.Severity && a.ID < best.ID {
			best = a
		}
	}
	if best != nil {
		w.Root, w.Ref, w.Series, w.Title, w.dirty = best.ID, best.Series.Ref, best.Series, title(best), true
	}
}

// reopen takes up an incident that was resolved a short while ago because the same series is bad again; false when there is none.
func (p *planner) reopen(w *work) bool {
	old, ok := p.st.closed[w.t.series]
	if !ok || p.now.Sub(old.ResolvedAt) > old.Policy.Reopen || p.incidents[old.ID] != nil {
		return false
	}
	a := &w.alarm
	in := &workIncident{Incident: old, dirty: true, was: None, members: map[*track]bool{w.t: true}}
	in.State, in.ResolvedAt, in.Ack, in.Muted = Open, noTime, nil, nil
	in.Root, in.Severity, in.Worst, in.Title = a.ID, a.Severity, max(old.Worst, a.Severity), title(a)
	in.Told = slices.Clone(old.Told)
	in.Escalation = Escalation{Base: p.now, Round: old.Escalation.Round, Again: true}
	in.schedule()
	p.keep(in)
	a.IncidentID, a.Shadow, w.dirty = in.ID, false, true
	p.event(Event{IncidentID: in.ID, Kind: EventReopened, AlarmID: a.ID, Severity: a.Severity, Text: p.opened(w, &in.Policy)})
	p.move(w)
	return true
}
