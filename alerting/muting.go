package alerting

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"vigia/collectors"
)

// mute returns a mute as this plan sees it.
func (p *planner) mute(id int64) *Mute {
	if i := slices.IndexFunc(p.out.Change.Mutes, func(m Mute) bool { return m.ID == id }); i >= 0 {
		return &p.out.Change.Mutes[i]
	}
	return p.st.mutes[id]
}

// mutesNow lists those that are on, the ones that end last first.
func (p *planner) mutesNow() []*Mute {
	if p.muting != nil {
		return *p.muting
	}
	list := []*Mute{}
	for _, id := range slices.Sorted(maps.Keys(p.st.mutes)) {
		list = append(list, p.mute(id))
	}
	for i := range p.out.Change.Mutes {
		if m := &p.out.Change.Mutes[i]; p.st.mutes[m.ID] == nil {
			list = append(list, m)
		}
	}
	list = slices.DeleteFunc(list, func(m *Mute) bool { _, _, on := m.Window(p.now); return !on })
	slices.SortStableFunc(list, func(a, b *Mute) int {
		_, ends, _ := a.Window(p.now)
		_, other, _ := b.Window(p.now)
		return cmp.Or(other.Compare(ends), cmp.Compare(a.ID, b.ID))
	})
	p.muting = &list
	return list
}

// muted is the mute that keeps an incident from paging: every alarm that would page is covered by one. Of several, the one that ends first
// is named, because then somebody is told.
func (p *planner) muted(w *workIncident) *Muted {
	on := p.mutesNow()
	if len(on) == 0 {
		return nil
	}
	var first *Muted
	for _, t := range w.order() {
		a := p.alarm(t)
		if a == nil || !a.State.Active() || a.Shadow {
			continue
		}
		i := slices.IndexFunc(on, func(m *Mute) bool { return m.Covers(p.cfg.Inventory, t.series) })
		if i < 0 {
			return nil
		}
		if _, until, _ := on[i].Window(p.now); first == nil || until.Before(first.Until) {
			first = &Muted{Mute: on[i].ID, Kind: on[i].Kind, By: on[i].Author, Reason: on[i].Reason, Until: until}
		}
	}
	return first
}

// keepQuiet notes that an incident pages nobody until a mute ends. Pages that were not sent are withdrawn; who was told before hears of the
// resolution as ever.
func (p *planner) keepQuiet(w *workIncident, m *Muted) {
	if w.Muted == nil {
		p.event(Event{
			IncidentID: w.ID, Kind: EventMuted, Actor: m.By, Severity: w.Severity, Note: m.Reason,
			Text: collectors.Because(codeMuted+"."+string(m.Kind), m.By, brief(m.Until.Sub(p.now))),
		})
		p.withdrawPages(w)
	}
	if w.Muted == nil || *w.Muted != *m {
		w.Muted, w.dirty = m, true
	}
	if !w.Escalation.NextAt.Equal(m.Until) || w.Escalation.Repeat != nil {
		w.Escalation.NextAt, w.Escalation.Repeat, w.dirty = m.Until, nil, true
	}
}

// speak ends the quiet of a mute over something that is still bad: who was told last is told again, and if nobody was, the first level.
func (p *planner) speak(w *workIncident) {
	p.event(Event{IncidentID: w.ID, Kind: EventUnmuted, Severity: w.Severity, Text: collectors.Because(codeUnmuted)})
	w.Muted, w.dirty = nil, true
	p.resume(w, 0, "", CauseUnmuted)
}

// withdrawPages supersedes the pages that are still owed about an incident. What only says how it ended is sent.
func (p *planner) withdrawPages(w *workIncident) {
	for _, key := range slices.Sorted(maps.Keys(p.st.duties[w.ID])) {
		if p.st.duties[w.ID][key].cause.page() && !p.settled[key] {
			p.discharge(key)
			p.out.Change.Supersede = append(p.out.Change.Supersede, key)
		}
	}
	w.notes = slices.DeleteFunc(w.notes, func(n Notification) bool { return n.Cause.page() })
}

// turn looks at every incident that a mute keeps quiet or may keep quiet from now on.
func (p *planner) turn(m *Mute) {
	for _, id := range slices.Sorted(maps.Keys(p.st.incidents)) {
		in := p.st.incidents[id]
		touched := in.Muted != nil
		for t := range in.members {
			touched = touched || m.Covers(p.cfg.Inventory, t.series)
		}
		if touched {
			p.incident(id)
		}
	}
}

// turnAll looks at the incidents of every mute, after a start, a reload and a jump of the clock.
func (p *planner) turnAll() {
	for _, id := range slices.Sorted(maps.Keys(p.st.mutes)) {
		p.turn(p.st.mutes[id])
	}
}

// addMute carries out the command that makes a mute.
func (p *planner) addMute(c *Command, kind MuteKind) (id int64, why collectors.Reason) {
	if c.Mute == nil {
		return 0, collectors.Because(codeMuteOn, float64(maxPatterns))
	}
	m := *c.Mute
	m.Kind, m.Author, m.CreatedAt, m.CancelledAt, m.CancelledBy = kind, c.Actor, p.now, noTime, ""
	if m.From.IsZero() {
		m.From = p.now
	}
	if why := m.problem(p.now); !why.IsZero() {
		return 0, why
	}
	m.ID = p.ids.mute
	p.ids.mute++
	p.putMute(m)
	p.event(Event{Kind: EventMuted, Actor: c.Actor, Note: m.Reason, Text: collectors.Because(codeMuteMade+"."+string(kind), c.Actor, patterns(&m))})
	return m.ID, collectors.Reason{}
}

// cancelMute carries out the command that ends a mute before its time.
func (p *planner) cancelMute(c *Command) collectors.Reason {
	m := p.mute(c.MuteID)
	if m == nil || m.Over(p.now) {
		return collectors.Because(codeMuteUnknown, float64(c.MuteID))
	}
	ended := *m
	ended.CancelledAt, ended.CancelledBy = p.now, c.Actor
	p.putMute(ended)
	p.event(Event{Kind: EventUnmuted, Actor: c.Actor, Note: c.Note, Text: collectors.Because(codeMuteEnded+"."+string(m.Kind), c.Actor, patterns(m))})
	return collectors.Reason{}
}

// putMute puts a mute into the Change and looks at whom it concerns.
func (p *planner) putMute(m Mute) {
	mutes := &p.out.Change.Mutes
	if i := slices.IndexFunc(*mutes, func(o Mute) bool { return o.ID == m.ID }); i >= 0 {
		(*mutes)[i] = m
	} else {
		*mutes = append(*mutes, m)
	}
	p.muting = nil
	p.turn(&m)
}

func patterns(m *Mute) string {
	text := ""
	for i, on := range m.On {
		if i > 0 {
			text += ", "
		}
		text += string(on)
	}
	return text
}

// setMute makes a mute part of the State while it may still turn on.
func (s *State) setMute(m Mute) {
	s.ids.mute = max(s.ids.mute, m.ID+1)
	if !m.CancelledAt.IsZero() {
		delete(s.mutes, m.ID)
		return
	}
	s.mutes[m.ID] = &m
}

// queueMute puts a mute's next turn into the timers, and forgets a mute that turns no more.
func (s *State) queueMute(id int64, now time.Time) {
	m := s.mutes[id]
	if m == nil {
		return
	}
	if at := m.Next(now); !at.IsZero() {
		s.timers.push(timer{at: at, mute: id})
	} else {
		delete(s.mutes, id)
	}
}
