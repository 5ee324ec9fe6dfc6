package alerting

import (
	"cmp"
	"slices"
	"time"

	"vigia/collectors"
	"vigia/collectors/inventory"
)

// wish notes that tier i of an alarm (or dueStale) is due to be raised. It happens when all samples have been judged, parents first, so that a
// child finds its parent's verdict.
func (p *planner) wish(w *work, i int) {
	if w.due == dueNothing {
		p.raising = append(p.raising, w)
	}
	w.due = i
}

// raiseDue raises what is due, parents first, and lets what hangs on it follow.
func (p *planner) raiseDue() {
	for len(p.raising) > 0 || len(p.moved) > 0 {
		list := p.raising
		p.raising = nil
		slices.SortStableFunc(list, func(a, b *work) int {
			if c := cmp.Compare(p.depth(a.t.series.Ref), p.depth(b.t.series.Ref)); c != 0 {
				return c
			}
			return bySeries(a.t, b.t)
		})
		for _, w := range list {
			due := w.due
			w.due = dueNothing
			switch {
			case due == dueNothing || p.waits(w, due):
			case due == dueStale:
				p.goStale(w)
			default:
				p.raise(w, due)
			}
		}
		p.spread()
	}
}

// depth is how many objects stand above ref.
func (p *planner) depth(ref inventory.Ref) int {
	if d, ok := p.depths[ref]; ok || p.cfg.Inventory == nil {
		return d
	}
	if p.depths == nil {
		p.depths = map[inventory.Ref]int{}
	}
	d := 0
	for _, parent := range p.cfg.Inventory.Parents(ref) {
		d = max(d, p.depth(parent)+1)
	}
	p.depths[ref] = d
	return d
}

// raise makes tier i stand.
func (p *planner) raise(w *work, i int) {
	first := !w.alarm.State.Active()
	m := p.latest(w.t)
	p.start(w, Raised)
	w.alarm.Tier, w.alarm.Severity = w.rule.Tiers[i], w.rule.Tiers[i].Severity
	w.alarm.Value, w.alarm.ValueAt, w.alarm.Reason, w.alarm.Detail = m.Value, m.At, m.Reason, m.Detail
	if first {
		p.rise(w, w.alarm.PendingAt)
	}
	p.place(w)
	p.incident(w.alarm.IncidentID)
}

// rise is what every alarm does once, when it begins to stand.
func (p *planner) rise(w *work, since time.Time) {
	w.alarm.RaisedAt, w.alarm.WaitAt = p.now, time.Time{}
	if w.alarm.PendingAt.IsZero() {
		w.alarm.PendingAt = since
	}
	w.alarm.Policy, w.alarm.Source = p.policyName(w.rule, w.t.series.Ref), w.rule.Source
	p.count(w)
	if f := w.rule.Flapping; f != nil && len(w.alarm.Changes) > w.rule.flapChanges() {
		w.alarm.Flaps = true
	}
	p.move(w)
}

// silent reports whether a series has no data for long enough to say so.
func (p *planner) silent(t *track) bool {
	rule := t.rule
	if t.rules != p.cfg.Rules {
		rule = p.cfg.Rules.Match(t.series)
	}
	if a := p.alarm(t); a != nil && a.State == Stale {
		return false
	}
	m := p.latest(t)
	after := silence(rule, t.series.Metric, max(t.every, m.Every))
	if after == 0 || m.At.IsZero() && !t.expected || p.st.base.IsZero() {
		return false
	}
	return p.now.Sub(t.quietSince(m.At, p.st.base)) >= after
}

// stale is called when a series has fallen silent.
func (p *planner) stale(t *track) {
	w := p.edit(t)
	if w.due == dueNothing {
		p.wish(w, dueStale)
	}
}

// goStale raises "no data". It never lowers what stood: no data is not recovery.
func (p *planner) goStale(w *work) {
	a := &w.alarm
	first := !a.State.Active()
	last := p.latest(w.t).At
	since := w.t.quietSince(last, p.st.base)
	severity := w.rule.NoData.Severity
	if severity == None {
		severity = Major
	}
	if !first {
		severity = max(severity, a.Severity)
	}
	p.start(w, Stale)
	a.Severity, a.Holds = severity, nil
	a.Reason = collectors.Because(codeNoData, brief(p.now.Sub(since)))
	if last.IsZero() {
		a.Reason = collectors.Because(codeNeverData, brief(p.now.Sub(since)))
	}
	if first {
		a.Tier = Tier{}
		p.rise(w, since)
	}
	p.move(w)
	p.place(w)
	p.incident(a.IncidentID)
}

// unstale is called when data comes again: the alarm stands or ends as the data says, and a level that is crossed needs no further hold.
func (p *planner) unstale(w *work, rule *Threshold) {
	p.move(w)
	w.alarm.State = Raised
	w.dirty = true
	if k := w.tier(); k >= 0 {
		w.alarm.Severity = w.alarm.Tier.Severity
		p.incident(w.alarm.IncidentID)
		return
	}
	for i := len(rule.Tiers) - 1; i >= 0; i-- {
		if rule.Tiers[i].Crossed(w.alarm.Value) {
			m := p.latest(w.t)
			w.alarm.Tier, w.alarm.Severity = rule.Tiers[i], rule.Tiers[i].Severity
			w.alarm.Reason, w.alarm.Detail = m.Reason, m.Detail
			p.incident(w.alarm.IncidentID)
			return
		}
	}
	p.clear(w)
}

// clear ends an alarm whose series is well again.
func (p *planner) clear(w *work) { p.end(w, about(wordCleared, &w.alarm)) }

// end ends an alarm and says why. One that was never raised and never stored leaves no trace.
func (p *planner) end(w *work, why collectors.Reason) {
	a := &w.alarm
	stood := a.State.Active()
	if stood {
		p.count(w)
		p.leave(w, why)
	}
	p.move(w)
	a.State, a.ClearedAt, a.FreeAt, a.WaitAt, a.Flaps = Clear, p.now, time.Time{}, time.Time{}, false
	if stood || w.t.alarm != nil && w.t.alarm.ID == a.ID {
		if p.ended == nil {
			p.ended = map[int64]int{}
		}
		p.ended[a.ID] = len(p.out.Change.Alarms)
		p.out.Change.Alarms = append(p.out.Change.Alarms, *a)
	}
	w.alarm = Alarm{Series: w.t.series, Changes: slices.Clone(a.Changes)}
	w.dirty, w.due = false, dueNothing
}

// count notes a raise or a clear, for flapping.
func (p *planner) count(w *work) {
	if w.rule == nil || w.rule.Flapping == nil {
		w.alarm.Changes = nil
		return
	}
	from := p.now.Add(-w.rule.flapWindow())
	w.alarm.Changes = slices.DeleteFunc(append(w.alarm.Changes, p.now), func(at time.Time) bool { return at.Before(from) })
}

// steady ends flapping when a standing alarm has stayed over its level for the whole window: it is bad, and people are told in earnest.
func (p *planner) steady(w *work) {
	h := w.alarm.hold(w.alarm.Tier.Severity)
	if !w.alarm.Flaps || h == nil || h.Over.IsZero() || p.now.Sub(h.Over) < w.rule.flapWindow() {
		return
	}
	w.alarm.Flaps, w.alarm.Changes, w.dirty = false, nil, true
	if in := p.incident(w.alarm.IncidentID); in != nil {
		p.event(Event{
			IncidentID: in.ID, Kind: EventFlapping, AlarmID: w.alarm.ID, Severity: w.alarm.Severity,
			Text: about(wordSteady, &w.alarm),
		})
	}
}

// Flapping that says no figures means six changes in ten minutes.
const (
	defaultFlapChanges = 6
	defaultFlapWindow  = 10 * time.Minute
)

func (t *Threshold) flapWindow() time.Duration {
	if t.Flapping == nil || t.Flapping.Window <= 0 {
		return defaultFlapWindow
	}
	return t.Flapping.Window
}

func (t *Threshold) flapChanges() int {
	if t.Flapping == nil || t.Flapping.Changes <= 0 {
		return defaultFlapChanges
	}
	return t.Flapping.Changes
}
