package alerting

import (
	"slices"
	"time"

	"vigia/collectors"
	"vigia/collectors/inventory"
)

// reach is how far an object can be reached, as its alarms say.
type reach uint8

const (
	reachable reach = iota
	suspect         // every reachability check breaches, at least one of them is still pending
	down            // every reachability check has a standing alarm
)

// total reports whether v means that nothing comes through at all.
func total(metric collectors.Metric, v float64) bool { return metric == collectors.LossPct && v >= 100 }

// unreachable reports whether an alarm says that its object cannot be reached: up, no data of any kind, total loss.
func (a *Alarm) unreachable() bool {
	return collectors.Catalogue[a.Series.Metric].Reachability || a.State == Stale || total(a.Series.Metric, a.Value)
}

// status is how far ref can be reached. One without checks of its own is cut off when all its parents are.
func (p *planner) status(ref inventory.Ref) reach {
	judged, worst := false, down
	p.tracksOf(ref, func(t *track) {
		if t.series.Metric == collectors.Up {
			judged = true
			worst = min(worst, p.checkStatus(ref, t))
		}
	})
	if judged {
		return worst
	}
	p.tracksOf(ref, func(t *track) {
		if t.series.Metric == collectors.LossPct {
			judged = true
			worst = min(worst, p.alarmStatus(t))
		}
	})
	if judged {
		return worst
	}
	return p.above(ref)
}

// checkStatus is what one check says: its up, or the total loss that it measured.
func (p *planner) checkStatus(ref inventory.Ref, t *track) reach {
	s := p.alarmStatus(t)
	if s == down {
		return s
	}
	p.tracksOf(ref, func(o *track) {
		if o.series.Metric == collectors.LossPct && o.series.Instance == t.series.Instance {
			s = max(s, p.alarmStatus(o))
		}
	})
	return s
}

// alarmStatus is what one series says by its alarm.
func (p *planner) alarmStatus(t *track) reach {
	a := p.alarm(t)
	switch {
	case a == nil || !a.unreachable():
		return reachable
	case a.State.Active():
		return down
	}
	return suspect
}

// above is how far what ref depends on can be reached: parents are alternatives, all must be down.
func (p *planner) above(ref inventory.Ref) reach {
	if p.cfg.Inventory == nil {
		return reachable
	}
	parents := p.cfg.Inventory.Parents(ref)
	if len(parents) == 0 {
		return reachable
	}
	best := down
	for _, parent := range parents {
		best = min(best, p.status(parent))
	}
	return best
}

// shadowOf is the incident in whose shadow ref stands; 0 for none.
func (p *planner) shadowOf(ref inventory.Ref) int64 {
	if p.above(ref) != down {
		return 0
	}
	return p.incidentAbove(ref)
}

// incidentAbove is the oldest incident of ref's parents' reachability.
func (p *planner) incidentAbove(ref inventory.Ref) int64 {
	var best int64
	for _, parent := range p.cfg.Inventory.Parents(ref) {
		id := p.incidentOf(parent, nil)
		if id == 0 {
			id = p.incidentAbove(parent)
		}
		if id != 0 && (best == 0 || id < best) {
			best = id
		}
	}
	return best
}

// incidentOf is the live incident of an object's standing reachability alarms, other than that of except.
func (p *planner) incidentOf(ref inventory.Ref, except *track) int64 {
	var best int64
	p.tracksOf(ref, func(t *track) {
		a := p.alarm(t)
		if t == except || a == nil || !a.State.Active() || !a.unreachable() || a.IncidentID == 0 || p.incident(a.IncidentID) == nil {
			return
		}
		if !p.incidents[a.IncidentID].State.Live() || except != nil && a.Shadow {
			return
		}
		if best == 0 || a.IncidentID < best {
			best = a.IncidentID
		}
	})
	return best
}

// formerIncident is the live incident about ref itself that only its shadow keeps alive: ref came back and failed again within their grace.
func (p *planner) formerIncident(ref inventory.Ref) int64 {
	if p.cfg.Inventory == nil {
		return 0
	}
	var found int64
	for _, child := range p.cfg.Inventory.Children(ref) {
		p.tracksOf(child, func(t *track) {
			a := p.alarm(t)
			if a == nil || !a.Shadow || a.IncidentID == 0 {
				return
			}
			if in := p.incident(a.IncidentID); in != nil && in.State.Live() && in.Ref == ref && (found == 0 || in.ID < found) {
				found = in.ID
			}
		})
	}
	return found
}

// waits reports whether an alarm that is due is held back for the verdict on its parents, which are breaching themselves; never for long.
func (p *planner) waits(w *work, due int) bool {
	if w.alarm.State.Active() || due != dueStale && !w.alarm.unreachable() || p.above(w.t.series.Ref) != suspect {
		return false
	}
	if w.alarm.WaitAt.IsZero() {
		p.start(w, Pending)
		w.alarm.WaitAt = p.now
	}
	return p.now.Sub(w.alarm.WaitAt) < ParentWait
}

// place puts a standing alarm where it belongs: into its parent's incident while that is down, into the incident of its object's other
// reachability alarms, else into one of its own.
func (p *planner) place(w *work) {
	a := &w.alarm
	if a.IncidentID != 0 && (p.incident(a.IncidentID) == nil || !p.incidents[a.IncidentID].State.Live()) {
		a.IncidentID, a.Shadow, w.dirty = 0, false, true
	}
	if a.unreachable() {
		if target := p.shadowOf(a.Series.Ref); target != 0 {
			p.placeUnder(w, target)
			return
		}
	}
	if a.Shadow && !p.free(w) || a.IncidentID != 0 {
		return
	}
	if a.unreachable() {
		id := p.incidentOf(a.Series.Ref, w.t)
		if id == 0 {
			id = p.formerIncident(a.Series.Ref)
		}
		if id != 0 {
			p.join(w, id, false)
			return
		}
	}
	p.open(w)
}

// placeUnder puts an alarm into the shadow of the incident target.
func (p *planner) placeUnder(w *work, target int64) {
	a := &w.alarm
	switch {
	case a.IncidentID == target:
		if !a.FreeAt.IsZero() {
			a.FreeAt, w.dirty = time.Time{}, true
		}
	case a.IncidentID == 0:
		p.join(w, target, true)
	case a.Shadow:
		p.leave(w, collectors.Because(codeMoved, float64(target)))
		p.join(w, target, true)
	case !p.sameOutage(w, p.incident(target)):
	case p.mixed(p.incident(a.IncidentID), target):
		p.leave(w, collectors.Because(codeMoved, float64(target)))
		p.join(w, target, true)
	default:
		p.merge(p.incident(a.IncidentID), p.incident(target))
	}
}

// mixed reports whether an incident that groups alarms has members that are no consequence of the incident target.
func (p *planner) mixed(w *workIncident, target int64) bool {
	if w.Policy.Group.By == GroupByNone {
		return false
	}
	for t := range w.members {
		a := p.alarm(t)
		if a != nil && a.State.Active() && !a.Shadow && (!a.unreachable() || p.shadowOf(t.series.Ref) != target) {
			return true
		}
	}
	return false
}

// free lets an alarm out of the shadow, after a grace when it is the parent that came back. It reports whether the alarm is out.
func (p *planner) free(w *work) bool {
	a := &w.alarm
	if a.unreachable() {
		if a.FreeAt.IsZero() {
			a.FreeAt, w.dirty = p.now, true
		}
		if p.now.Sub(a.FreeAt) < w.t.grace() {
			return false
		}
	}
	p.leave(w, about(wordFreed, a))
	p.move(w)
	a.Shadow, a.FreeAt, a.IncidentID, w.dirty = false, time.Time{}, 0, true
	return true
}

func (t *track) grace() time.Duration { return max(ParentGrace, 2*t.every) }

// sameOutage reports whether an alarm rose within the time that its parent's outage took to be noticed. An older one is a fault of its own.
func (p *planner) sameOutage(w *work, target *workIncident) bool {
	for t := range target.members {
		a := p.alarm(t)
		if a == nil || a.Shadow {
			continue
		}
		detection := ParentWait + 2*max(t.every, w.t.every)
		if rule := p.cfg.Rules.Match(t.series); rule != nil {
			for _, tier := range rule.Tiers {
				detection = max(detection, ParentWait+2*max(t.every, w.t.every)+tier.For)
			}
			detection = max(detection, ParentWait+silence(rule, t.series.Metric, t.every))
		}
		if !w.alarm.PendingAt.Before(a.PendingAt.Add(-detection)) {
			return true
		}
	}
	return false
}

// move notes that the reachability of an alarm's object may have changed.
func (p *planner) move(w *work) {
	if m := w.t.series.Metric; m == collectors.LossPct || collectors.Catalogue[m].Reachability {
		p.moved = append(p.moved, w.t.series.Ref)
	}
}

// spread lets everything that hangs on the objects that moved find its place again.
func (p *planner) spread() {
	if p.cfg.Inventory == nil {
		p.moved = nil
		return
	}
	queue, known := p.moved, map[inventory.Ref]bool{}
	p.moved = nil
	var below []*track
	for len(queue) > 0 {
		ref := queue[0]
		queue = queue[1:]
		for _, child := range p.cfg.Inventory.Children(ref) {
			if known[child] {
				continue
			}
			known[child] = true
			queue = append(queue, child)
			p.tracksOf(child, func(t *track) {
				if p.alarm(t) != nil {
					below = append(below, t)
				}
			})
		}
	}
	slices.SortStableFunc(below, func(a, b *track) int { return p.depth(a.series.Ref) - p.depth(b.series.Ref) })
	for _, t := range below {
		if p.alarm(t) != nil {
			p.tick(t)
		}
	}
}
