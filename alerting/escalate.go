package alerting

import (
	"slices"
	"time"

	"vigia/collectors"
)

var noTime time.Time // the zero time: nothing is due

// nextLevel is the first level that has not been told yet and whose min_severity the incident has reached.
func (i *Incident) nextLevel() (int, bool) {
	for n := i.Escalation.Next; n < len(i.Policy.Levels); n++ {
		if i.Severity >= i.Policy.Levels[n].MinSeverity {
			return n, true
		}
	}
	return 0, false
}

// levelAt is when a level is due.
func (i *Incident) levelAt(n int) time.Time { return i.Escalation.Base.Add(i.Policy.Levels[n].After) }

// Upcoming is what an incident's escalation does next: which level (an index), when, and whether it is told again; false when nothing is due.
func (i *Incident) Upcoming() (level int, at time.Time, repeat, ok bool) {
	if i.State != Open || i.Escalation.NextAt.IsZero() || i.Muted != nil {
		return 0, noTime, false, false
	}
	if n, found := i.nextLevel(); found {
		level, at, ok = n, i.levelAt(n), true
	}
	for _, r := range i.Escalation.Repeat {
		if i.repeats(r) && (!ok || r.At.Before(at) || repeat && r.At.Equal(at)) {
			level, at, repeat, ok = r.Level, r.At, true, true
		}
	}
	return level, at, repeat, ok
}

// repeats reports whether a running repeat counts at the incident's severity.
func (i *Incident) repeats(r Repeat) bool {
	return r.Level < len(i.Policy.Levels) && i.Severity >= i.Policy.Levels[r.Level].MinSeverity
}

// schedule notes when the next step is due.
func (w *workIncident) schedule() {
	next := noTime
	if n, ok := w.nextLevel(); ok {
		next = w.levelAt(n)
	}
	for _, r := range w.Escalation.Repeat {
		if w.repeats(r) && (next.IsZero() || r.At.Before(next)) {
			next = r.At
		}
	}
	if !w.Escalation.NextAt.Equal(next) {
		w.Escalation.NextAt, w.dirty = next, true
	}
}

// escalate fires at most one step of an incident's escalation.
func (p *planner) escalate(w *workIncident, owned, flapping bool, muted *Muted) {
	if muted == nil && w.Muted != nil && (w.State == Acknowledged || flapping) {
		w.Muted, w.dirty = nil, true // somebody has it, or it is quiet for another reason
	}
	if w.State == Acknowledged {
		p.expire(w, muted)
		if w.State == Acknowledged || muted == nil {
			return
		}
	}
	switch {
	case muted != nil:
		p.keepQuiet(w, muted)
		return
	case w.Muted != nil:
		p.speak(w)
	case flapping:
		p.hush(w)
		return
	case w.Escalation.Hushed:
		w.Escalation.Hushed, w.Escalation.Next, w.Escalation.Base = false, 0, p.now
		w.schedule()
	case w.fresh:
		w.schedule()
	}
	if w.stepped || w.Escalation.NextAt.IsZero() || w.Escalation.NextAt.After(p.now) {
		return
	}
	if !owned { // the parent is back, and what hung on it has its grace
		w.Escalation.NextAt, w.dirty = p.now.Add(ParentGrace), true
		return
	}
	p.step(w)
}

// step tells the level that is due, or tells one again. What follows a late step keeps its distance, so that people have their time to react.
func (p *planner) step(w *workIncident) {
	level, due, repeat, ok := w.Upcoming()
	if !ok {
		return
	}
	if n, found := w.nextLevel(); found && !w.levelAt(n).After(p.now) { // one who was never told comes before one who was
		level, due, repeat = n, w.levelAt(n), false
	}
	late := p.now.Sub(due)
	if late < LateAfter {
		late = 0
	} else {
		p.event(Event{IncidentID: w.ID, Kind: EventLate, Severity: w.Severity, Text: collectors.Because(codeLate, brief(late))})
	}
	if repeat {
		p.tell(w, level, CauseRepeat, late, "")
		return
	}
	cause := CauseEscalated
	switch {
	case w.Escalation.Round == 0:
		cause = CauseOpened
	case w.Escalation.Again:
		cause = CauseReopened
	}
	p.tell(w, level, cause, late, "")
}

// tell makes the notifications of one step: one for each receiver of the level, with keys of their own.
func (p *planner) tell(w *workIncident, level int, cause Cause, late time.Duration, actor string) {
	w.Escalation.Round++
	w.Escalation.Again = false
	w.Escalation.Next = max(w.Escalation.Next, level+1)
	w.stepped, w.dirty = true, true
	telling := p.tells(w, level)
	p.again(w, level, telling.Receivers)
	if n, more := w.nextLevel(); more && late > 0 && !w.levelAt(n).After(p.now) {
		w.Escalation.Base = p.now.Add(-w.Policy.Levels[level].After)
	}
	w.schedule()
	p.sayUnreached(w, &telling)
	at := p.event(Event{
		IncidentID: w.ID, Kind: EventTold, Actor: actor, Severity: w.Severity, Text: p.toldText(w, level, cause, &telling),
	})
	var keys []string
	for _, r := range telling.Receivers {
		if cause == CauseRepeat && p.owed(w.ID, r) {
			continue // the former page is still on its way: the duty stands, a second one would only queue up behind it
		}
		if cause == CauseSeverity {
			p.withdraw(w, r)
		}
		keys = append(keys, p.notify(w, level+1, r, cause, late, ""))
	}
	p.out.Change.Events[at].Keys = keys
}

// again sets when the level is told again. A lower level's repeat that falls on the same moment and reaches nobody else is left out.
func (p *planner) again(w *workIncident, level int, told []string) {
	set := false
	for i := range w.Escalation.Repeat {
		r := &w.Escalation.Repeat[i]
		every := w.Policy.RepeatEvery(r.Level)
		switch {
		case r.Level == level:
			set = true
			r.At = afterNow(r.At, every, p.now)
		case !r.At.After(p.now) && covers(told, p.receivers(w, r.Level)):
			r.At = afterNow(r.At, every, p.now)
		}
	}
	if every := w.Policy.RepeatEvery(level); every > 0 && !set {
		w.Escalation.Repeat = append(w.Escalation.Repeat, Repeat{Level: level, At: p.now.Add(every)})
	}
}

// afterNow is the next moment of a repeat: it keeps its rhythm, and starts anew when it is late by half of it.
func afterNow(at time.Time, every time.Duration, now time.Time) time.Time {
	if next := at.Add(every); next.Sub(now) >= every/2 && !at.After(now) {
		return next
	}
	return now.Add(every)
}

func covers(all, some []string) bool {
	return !slices.ContainsFunc(some, func(r string) bool { return !slices.Contains(all, r) })
}

// receivers are those of a level, each once, with the places of the account manager and of who is on call taken by those that stand for them.
func (p *planner) receivers(w *workIncident, level int) []string { return p.tells(w, level).Receivers }

// expire ends an acknowledgement whose time is over and tells the level where the escalation was.
func (p *planner) expire(w *workIncident, muted *Muted) {
	if w.Ack == nil || w.Ack.Until.IsZero() || w.Ack.Until.After(p.now) {
		return
	}
	late := p.now.Sub(w.Ack.Until)
	if late < LateAfter {
		late = 0
	}
	code, cause := codeAckExpired, CauseAckExpired
	if w.Ack.Snoozed {
		code, cause = codeSnoozeOver, CauseSnoozeOver
	}
	p.event(Event{IncidentID: w.ID, Kind: EventAckExpired, Severity: w.Severity, Text: collectors.Because(code, w.Ack.By)})
	if muted != nil { // what keeps it quiet now says when somebody is told
		w.State, w.Ack, w.dirty = Open, nil, true
		return
	}
	if late > 0 {
		p.event(Event{IncidentID: w.ID, Kind: EventLate, Severity: w.Severity, Text: collectors.Because(codeLate, brief(late))})
	}
	p.resume(w, late, "", cause)
}

// resume takes up the escalation where it was: the level that was told last is told again, and the next ones keep their distance from it.
func (p *planner) resume(w *workIncident, late time.Duration, actor string, cause Cause) {
	w.State, w.Ack, w.dirty = Open, nil, true
	w.Escalation.Repeat = nil
	last := min(w.Escalation.Next, len(w.Policy.Levels)) - 1
	if last < 0 {
		w.Escalation.Base = p.now
		w.schedule()
		return
	}
	w.Escalation.Base = p.now.Add(-w.Policy.Levels[last].After)
	p.tell(w, last, cause, late, actor)
}

// hush gives the one notice of a flapping alarm and then keeps quiet until it is stable.
func (p *planner) hush(w *workIncident) {
	if w.Escalation.Hushed {
		if !w.Escalation.NextAt.IsZero() {
			w.stop()
		}
		return
	}
	p.event(Event{IncidentID: w.ID, Kind: EventFlapping, Severity: w.Severity, Text: collectors.Because(codeFlapping)})
	if n, ok := w.nextLevel(); ok && w.fresh {
		p.tell(w, n, CauseFlapping, 0, "")
	}
	w.Escalation.Hushed = true
	w.stop()
}
