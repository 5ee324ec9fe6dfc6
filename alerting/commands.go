package alerting

import (
	"slices"
	"strings"
	"time"

	"vigia/collectors"
)

// command carries out what a person decided, once: the same id, or a Seq that has been planned, does nothing again.
func (p *planner) command(c *Command) {
	if p.done(c) {
		return
	}
	reason := p.carryOut(c)
	p.out.Change.Commands = append(p.out.Change.Commands, CommandResult{ID: c.ID, Seq: c.Seq, At: p.now, OK: reason.IsZero(), Reason: reason})
}

// done answers a command that has been carried out before with the same result.
func (p *planner) done(c *Command) bool {
	if c.Seq != 0 && c.Seq <= p.st.command {
		return true
	}
	if i := slices.IndexFunc(p.out.Change.Commands, func(r CommandResult) bool { return r.ID == c.ID }); i >= 0 {
		if old := p.out.Change.Commands[i]; old.Seq != c.Seq {
			old.Seq = c.Seq
			p.out.Change.Commands = append(p.out.Change.Commands, old)
		}
		return true
	}
	old, ok := p.st.results[c.ID]
	if ok {
		old.Seq = c.Seq
		p.out.Change.Commands = append(p.out.Change.Commands, old)
	}
	return ok
}

// carryOut returns why not, or nothing.
func (p *planner) carryOut(c *Command) collectors.Reason {
	if c.Kind.onCall() {
		return p.decideOnCall(c)
	}
	w := p.incident(c.IncidentID)
	switch {
	case w == nil && c.IncidentID > 0 && c.IncidentID < p.ids.incident:
		return collectors.Because(codeRefusedOver, float64(c.IncidentID))
	case w == nil:
		return collectors.Because(codeRefusedUnknown, float64(c.IncidentID))
	case !w.State.Live():
		return collectors.Because(codeRefusedOver, float64(c.IncidentID))
	}
	switch c.Kind {
	case CommandAcknowledge:
		return p.acknowledge(w, c)
	case CommandUnacknowledge:
		return p.unacknowledge(w, c)
	case CommandComment:
		return p.comment(w, c)
	case CommandEscalate:
		return p.escalateNow(w, c)
	case CommandResolve:
		return p.close(w, c)
	}
	return collectors.Because(codeRefusedKind, string(c.Kind))
}

// acknowledge stops the escalation until the acknowledgement expires or the severity rises.
func (p *planner) acknowledge(w *workIncident, c *Command) collectors.Reason {
	until := c.Until
	if until.IsZero() && w.Policy.AckTimeout > 0 {
		until = p.now.Add(w.Policy.AckTimeout)
	}
	if !until.IsZero() && !until.After(p.now) {
		return collectors.Because(codeRefusedPast)
	}
	w.State, w.dirty = Acknowledged, true
	w.Ack = &Acknowledgement{By: c.Actor, Note: c.Note, At: p.now, Until: until, Severity: w.Severity}
	w.stop()
	text := collectors.Because(codeAcked, c.Actor)
	if !until.IsZero() {
		text = collectors.Because(codeAckedUntil, c.Actor, brief(until.Sub(p.now)))
	}
	p.event(Event{IncidentID: w.ID, Kind: EventAcknowledged, Actor: c.Actor, Severity: w.Severity, Text: text, Note: c.Note})
	p.notice(w, CauseAcknowledged)
	return collectors.Reason{}
}

// unacknowledge gives an incident back: nobody has it, and the level where the escalation was is told again.
func (p *planner) unacknowledge(w *workIncident, c *Command) collectors.Reason {
	if w.State != Acknowledged {
		return collectors.Because(codeRefusedNotAcked, float64(w.ID))
	}
	p.event(Event{IncidentID: w.ID, Kind: EventUnacked, Actor: c.Actor, Severity: w.Severity, Text: collectors.Because(codeUnacked, c.Actor), Note: c.Note})
	p.withdraw(w, "")
	p.resume(w, 0, c.Actor)
	return collectors.Reason{}
}

func (p *planner) comment(w *workIncident, c *Command) collectors.Reason {
	if strings.TrimSpace(c.Note) == "" {
		return collectors.Because(codeRefusedEmpty)
	}
	p.event(Event{IncidentID: w.ID, Kind: EventComment, Actor: c.Actor, Severity: w.Severity, Text: collectors.Because(codeComment, c.Actor), Note: c.Note})
	return collectors.Reason{}
}

// escalateNow tells the next level at once, whatever its delay and min_severity; the later ones keep their distance from it. An
// acknowledgement goes on.
func (p *planner) escalateNow(w *workIncident, c *Command) collectors.Reason {
	next := w.Escalation.Next
	if next >= len(w.Policy.Levels) {
		return collectors.Because(codeRefusedNoLevel, w.Policy.Name)
	}
	w.Escalation.Base = p.now.Add(-w.Policy.Levels[next].After)
	p.tell(w, next, CauseEscalated, 0, c.Actor)
	if c.Note != "" {
		p.event(Event{IncidentID: w.ID, Kind: EventComment, Actor: c.Actor, Severity: w.Severity, Text: collectors.Because(codeComment, c.Actor), Note: c.Note})
	}
	if w.State == Acknowledged {
		w.stop()
	}
	return collectors.Reason{}
}

// close ends an incident by hand: its alarms are cleared with it, and rise anew if their series still breach.
func (p *planner) close(w *workIncident, c *Command) collectors.Reason {
	for _, t := range w.order() {
		p.clear(p.edit(t))
	}
	p.event(Event{IncidentID: w.ID, Kind: EventComment, Actor: c.Actor, Severity: w.Severity, Text: collectors.Because(codeClosed, c.Actor), Note: c.Note})
	return collectors.Reason{}
}

// jump follows a jump of the clock: what has been held so far stays held, neither more nor less, and "no data" counts anew.
func (p *planner) jump() {
	p.out.Samples = append(p.out.Samples, collectors.Sample{
		Series: self(collectors.VigiaClockJumpS), At: p.now, Value: p.in.Jump.Seconds(),
	})
	code := codeJumpedAhead
	if p.in.Jump < 0 {
		code = codeJumpedBack
	}
	p.event(Event{Kind: EventClockJump, Text: collectors.Because(code, brief(p.in.Jump.Abs()))})
	for _, t := range p.st.ordered() {
		if t.alarm == nil || len(t.alarm.Holds) == 0 && t.alarm.FreeAt.IsZero() && t.alarm.WaitAt.IsZero() {
			continue
		}
		w := p.edit(t)
		w.dirty = true
		for i := range w.alarm.Holds {
			shift(&w.alarm.Holds[i].Over, p.in.Jump)
			shift(&w.alarm.Holds[i].Under, p.in.Jump)
		}
		shift(&w.alarm.FreeAt, p.in.Jump)
		shift(&w.alarm.WaitAt, p.in.Jump)
	}
}

func shift(at *time.Time, by time.Duration) {
	if !at.IsZero() {
		*at = at.Add(by)
	}
}
