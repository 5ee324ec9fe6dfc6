package alerting

import (
	"slices"
	"time"

	"vigia/collectors"
)

// judge follows one sample of a series that is not calm.
func (p *planner) judge(t *track, rule *Threshold, m *collectors.Sample) {
	w := p.edit(t)
	if w.due != dueNothing {
		p.raiseDue() // a level was crossed by an earlier sample of this input; it counts, whatever follows
	}
	if total(w.alarm.Series.Metric, w.alarm.Value) != total(w.alarm.Series.Metric, m.Value) && w.alarm.State != Clear {
		w.dirty = true
		p.move(w)
	}
	w.alarm.Value, w.alarm.ValueAt = m.Value, m.At
	if w.alarm.State == Stale {
		p.unstale(w, rule)
	}
	p.hold(w, rule, m)
	p.assess(w)
	if w.alarm.State.Active() {
		p.place(w)
	}
}

// hold starts and stops the timers of every tier.
func (p *planner) hold(w *work, rule *Threshold, m *collectors.Sample) {
	k := w.tier()
	at := m.At
	if at.After(p.now) {
		at = p.now
	}
	for i := range rule.Tiers {
		tier := &rule.Tiers[i]
		h := w.holdOf(tier.Severity)
		if tier.Crossed(m.Value) {
			switch {
			case h.Over.IsZero():
				*h = Hold{Severity: tier.Severity, Over: at}
				w.dirty = true
				p.crossed(w, rule, i > k)
			case i > k && (rule.Confirm != nil || h.Confirms+1 < tier.Samples):
				h.Confirms++
				w.dirty = true
			}
			continue
		}
		if !h.Over.IsZero() {
			h.Over, h.Confirms = time.Time{}, 0
			w.dirty = true
		}
		if cleared := tier.Cleared(m.Value); cleared == h.Under.IsZero() {
			h.Under = time.Time{}
			if cleared {
				h.Under = at
			}
			w.dirty = true
		}
	}
}

// crossed is called when a value first reaches a level that is not raised yet.
func (p *planner) crossed(w *work, rule *Threshold, higher bool) {
	if !higher {
		return
	}
	if w.alarm.State == Clear {
		p.start(w, Pending)
		w.alarm.PendingAt = w.alarm.ValueAt
		w.alarm.Policy, w.alarm.Source = p.policyName(rule, w.t.series.Ref), rule.Source
		p.move(w)
	}
	p.confirm(w, rule)
}

// confirm asks for immediate probes, once for each series and plan.
func (p *planner) confirm(w *work, rule *Threshold) {
	if rule.Confirm == nil || rule.Confirm.Probes <= 0 || w.asked {
		return
	}
	w.asked = true
	series := w.t.series
	p.out.Confirms = append(p.out.Confirms, ConfirmRequest{
		Check:  series.Check(),
		Series: series, Probes: rule.Confirm.Probes, Every: rule.Confirm.Every,
	})
}

// asBefore reports whether v says about a standing or pending alarm nothing that is not known, and nothing that is known waits to be done.
func (t *Threshold) asBefore(a *Alarm, v float64, now time.Time) bool {
	if a.State == Stale || a.State == Pending && t.Confirm != nil || total(a.Series.Metric, a.Value) != total(a.Series.Metric, v) {
		return false
	}
	for i := range t.Tiers {
		h := a.hold(t.Tiers[i].Severity)
		if h == nil || t.Tiers[i].Crossed(v) == h.Over.IsZero() || !t.Tiers[i].Crossed(v) && t.Tiers[i].Cleared(v) == h.Under.IsZero() ||
			(t.Confirm != nil || h.Confirms+1 < t.Tiers[i].Samples) && !h.Over.IsZero() && t.Tiers[i].Severity > a.Severity || t.overdue(a, i, h, now) {
			return false
		}
	}
	return true
}

// overdue reports whether tier i should have been raised or left by now: its hold ended while nobody was there to see it, before a restart,
// or while no sample was fresh enough to say so. Its deadline lies behind and will not come again.
func (t *Threshold) overdue(a *Alarm, i int, h *Hold, now time.Time) bool {
	stands := a.State.Active() && t.Tiers[i].Severity <= a.Severity
	if !h.Over.IsZero() {
		return !stands && !ripeAt(t, &t.Tiers[i], h).After(now)
	}
	return stands && !h.Under.IsZero() && now.Sub(h.Under) >= t.clearFor(a, i)
}

func (a *Alarm) hold(s Severity) *Hold {
	for i := range a.Holds {
		if a.Holds[i].Severity == s {
			return &a.Holds[i]
		}
	}
	return nil
}

func (w *work) holdOf(s Severity) *Hold {
	if h := w.alarm.hold(s); h != nil {
		return h
	}
	w.alarm.Holds = append(w.alarm.Holds, Hold{Severity: s})
	return &w.alarm.Holds[len(w.alarm.Holds)-1]
}

// tier is the index of the tier that stands, or -1. A stale alarm may stand without one.
func (w *work) tier() int {
	if w.rule == nil || !w.alarm.State.Active() || w.alarm.Tier == (Tier{}) {
		return -1
	}
	return slices.IndexFunc(w.rule.Tiers, func(t Tier) bool { return t.Severity == w.alarm.Tier.Severity })
}

// assess draws the conclusion from the holds at now: a tier is due, the alarm falls or clears, or it goes on as it is.
func (p *planner) assess(w *work) {
	if w.rule == nil || w.alarm.State == Clear || w.alarm.State == Stale {
		return
	}
	k := w.tier()
	for i := len(w.rule.Tiers) - 1; i > k; i-- {
		if p.ripe(w, i) {
			p.wish(w, i)
			return
		}
	}
	switch {
	case w.alarm.State == Pending:
		if !slices.ContainsFunc(w.alarm.Holds, func(h Hold) bool { return !h.Over.IsZero() }) {
			p.clear(w)
		}
	case k >= 0:
		p.relax(w, k)
	}
}

// ripe reports whether tier i has held for as long as it must: Confirm.Probes further samples that agree, or its For, and the last sample
// still breaches and is not too old to say so.
func (p *planner) ripe(w *work, i int) bool {
	tier := &w.rule.Tiers[i]
	h := w.alarm.hold(tier.Severity)
	if h == nil || h.Over.IsZero() {
		return false
	}
	if h.Confirms+1 < tier.Samples {
		return false
	}
	if c := w.rule.Confirm; c != nil && c.Probes > 0 && h.Confirms >= c.Probes {
		return true
	}
	at := ripeAt(w.rule, tier, h)
	return !at.After(p.now) && (tier.For == 0 && w.rule.Confirm == nil || w.t.freshAt(w.rule, p.latest(w.t), p.now))
}

// ripeAt is when a tier is due if nothing changes. A level with Confirm and no For waits for the probes, but not for ever.
func ripeAt(rule *Threshold, tier *Tier, h *Hold) time.Time {
	wait := tier.For
	if c := rule.Confirm; wait == 0 && c != nil && c.Probes > 0 {
		wait = time.Duration(c.Probes)*c.Every + ConfirmSlack
	}
	return h.Over.Add(wait)
}

// freshAt reports whether a sample is still the truth at now: not older than three periods, or than what counts as no data when the period
// is not known, as for what was stored before a restart.
func (t *track) freshAt(rule *Threshold, m collectors.Sample, now time.Time) bool {
	every := max(t.every, m.Every)
	limit := 3 * every
	switch {
	case every > 0:
	case t.live || !m.At.Equal(t.at):
		limit = silence(rule, t.series.Metric, every)
	default:
		limit = storedLimit
	}
	return limit == 0 || now.Sub(m.At) <= limit
}

// storedLimit is how old a stored value may be to be the truth after a restart.
const storedLimit = time.Minute

// silence is after how long without a sample a series has no data; zero when that is not judged.
func silence(rule *Threshold, metric collectors.Metric, every time.Duration) time.Duration {
	switch {
	case rule == nil || rule.NoData == nil:
		return 0
	case rule.NoData.After > 0:
		return rule.NoData.After
	case collectors.Catalogue[metric].Reachability:
		return 3 * every
	}
	return 0
}

// relax lets an alarm whose tier k stands fall or clear, when the value has been beyond clear for long enough.
func (p *planner) relax(w *work, k int) {
	for i := k; i >= 0; i-- {
		if !p.over(w, i) {
			if i < k {
				p.fall(w, i)
			}
			p.settleState(w)
			return
		}
	}
	p.clear(w)
}

// over reports whether tier i has been beyond its clear level for as long as it must.
func (p *planner) over(w *work, i int) bool {
	h := w.alarm.hold(w.rule.Tiers[i].Severity)
	return h != nil && !h.Under.IsZero() && p.now.Sub(h.Under) >= w.clearFor(i)
}

func (w *work) clearFor(i int) time.Duration { return w.rule.clearFor(&w.alarm, i) }

// clearFor is how long the value must be beyond tier i's clear level; longer while the alarm flaps.
func (t *Threshold) clearFor(a *Alarm, i int) time.Duration {
	if a.Flaps {
		return max(t.Tiers[i].ClearFor, t.flapWindow())
	}
	return t.Tiers[i].ClearFor
}

// settleState sets raised or clearing: clearing is when the lowest tier is beyond its clear level.
func (p *planner) settleState(w *work) {
	state := Raised
	if h := w.alarm.hold(w.rule.Tiers[0].Severity); h != nil && !h.Under.IsZero() {
		state = Clearing
	}
	if w.alarm.State != state {
		w.alarm.State = state
		w.dirty = true
	}
	p.steady(w)
}

// fall lowers an alarm to tier i: an event of its incident, and nobody is paged.
func (p *planner) fall(w *work, i int) {
	w.alarm.Tier, w.alarm.Severity = w.rule.Tiers[i], w.rule.Tiers[i].Severity
	w.dirty = true
	p.incident(w.alarm.IncidentID)
}

// deadline is when the series does something by itself: no data, a level held, a clear level held, a grace over. Strictly after now.
func (t *track) deadline(base, now time.Time) time.Time {
	var next time.Time
	offer := func(at time.Time) {
		if at.After(now) && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	if t.rule == nil {
		if t.alarm != nil && !t.alarm.FreeAt.IsZero() {
			offer(t.alarm.FreeAt.Add(t.grace()))
		}
		return next
	}
	if t.rule.NoData != nil && (t.alarm == nil || t.alarm.State != Stale) {
		if after := silence(t.rule, t.series.Metric, t.every); after > 0 && (!t.at.IsZero() || t.expected) {
			offer(t.quietSince(t.at, base).Add(after))
		}
	}
	if t.alarm != nil {
		t.offerAlarm(offer)
	}
	return next
}

// offerAlarm names every deadline of the standing or pending alarm.
func (t *track) offerAlarm(offer func(time.Time)) {
	a := t.alarm
	if !a.FreeAt.IsZero() {
		offer(a.FreeAt.Add(t.grace()))
	}
	if !a.WaitAt.IsZero() {
		offer(a.WaitAt.Add(ParentWait))
	}
	w := work{t: t, rule: t.rule, alarm: *a}
	for i := range t.rule.Tiers {
		h := a.hold(t.rule.Tiers[i].Severity)
		if h == nil {
			continue
		}
		if !h.Over.IsZero() {
			offer(ripeAt(t.rule, &t.rule.Tiers[i], h))
			if a.Flaps {
				offer(h.Over.Add(t.rule.flapWindow()))
			}
		}
		if !h.Under.IsZero() {
			offer(h.Under.Add(w.clearFor(i)))
		}
	}
}

// quietSince is from when on "no data" counts, when the last sample came at last.
func (t *track) quietSince(last, base time.Time) time.Time {
	return later(later(last, base), t.since)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
