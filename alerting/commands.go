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
	result := CommandResult{ID: c.ID, Seq: c.Seq, At: p.now}
	switch c.Kind {
	case CommandSilence:
		result.Made, result.Reason = p.addMute(c, Silence)
	case CommandMaintenance:
		result.Made, result.Reason = p.addMute(c, Maintenance)
	case CommandCancelMute:
		result.Reason = p.cancelMute(c)
	default:
		result.Reason = p.carryOut(c)
	}
	result.OK = result.Reason.IsZero()
	p.out.Change.Commands = append(p.out.Change.Commands, result)
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
	if c.Kind == CommandAdopt {
		return p.adopt(c)
	}
	if c.Kind.onCall() {
		return p.decideOnCall(c)
	}
	w := p.incident(c.IncidentID)
	if c.Kind == CommandComment && (w == nil || !w.State.Live()) && c.IncidentID > 0 && c.IncidentID < p.ids.incident {
		return p.comment(&workIncident{Incident: Incident{ID: c.IncidentID}}, c) // what was learnt from it is written when it is over
	}
	switch {
	case w == nil && c.IncidentID > 0 && c.IncidentID < p.ids.incident:
		return collectors.Because(codeRefusedOver, float64(c.IncidentID))
	case w == nil:
		return collectors.Because(codeRefusedUnknown, float64(c.IncidentID))
	case !w.State.Live():
		return collectors.Because(codeRefusedOver, float64(c.IncidentID))
	}
	switch c.Kind {
	case CommandAcknowledge, CommandAssign, CommandSnooze:
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
	ack := Acknowledgement{By: c.Actor, Note: c.Note, At: p.now, Until: until, Severity: w.Severity}
	kind, code := EventAcknowledged, codeAcked
	switch c.Kind {
	case CommandAssign:
		if strings.TrimSpace(c.Assignee) == "" {
			return collectors.Because(codeRefusedNobody)
		}
		kind, code = EventAssigned, codeAssigned
		ack.By, ack.From = c.Assignee, c.Actor
	case CommandSnooze:
		if c.Until.IsZero() {
			return collectors.Because(codeRefusedPast)
		}
		kind, code = EventSnoozed, codeSnoozed
		ack.Snoozed = true
	}
	w.State, w.dirty = Acknowledged, true
	w.Ack = &ack
	w.stop()
	text := collectors.Because(code, ack.By, "", ack.From)
	if !until.IsZero() {
		text = collectors.Because(code+untilWord, ack.By, brief(until.Sub(p.now)), ack.From)
	}
	p.event(Event{IncidentID: w.ID, Kind: kind, Actor: c.Actor, Severity: w.Severity, Text: text, Note: c.Note})
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
	p.resume(w, 0, c.Actor, CauseAckExpired)
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
