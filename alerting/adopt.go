package alerting

import (
	"encoding/json"
	"slices"
	"time"

	"vigia/collectors"
)

// Orphan is an incident of a process that decided without the database and was replaced meanwhile: what the active process lacks of it. Whom
// that process told must hear how it ends, and only the one that measures now knows when that is.
type Orphan struct {
	Incident Incident
	Known    bool           // the database has it too; then only Told is news
	Alarms   []Alarm        // of its members, when it is not known; those that stand
	Owed     []Notification // of it, when it is not known; those that were not sent
	Told     []string       // receivers that heard of it
}

// Command is what makes the active engine take the orphan, once for an id.
func (o *Orphan) Command(id string, at time.Time) (Command, error) {
	note, err := json.Marshal(o)
	return Command{ID: id, Kind: CommandAdopt, IncidentID: o.Incident.ID, Note: string(note), CreatedAt: at}, err
}

// adopt takes an incident of a process that was replaced.
func (p *planner) adopt(c *Command) collectors.Reason {
	var o Orphan
	if err := json.Unmarshal([]byte(c.Note), &o); err != nil || o.Incident.ID <= 0 || o.Incident.ID != c.IncidentID {
		return collectors.Because(codeRefusedKind, string(c.Kind))
	}
	w := p.incident(o.Incident.ID)
	switch {
	case w != nil && !w.OpenedAt.Equal(o.Incident.OpenedAt), w != nil && !o.Known:
		return collectors.Because(codeRefusedOver, float64(o.Incident.ID)) // its number is that of another, or it was taken before
	case w != nil && w.State.Live():
		for _, r := range o.Told {
			w.hear(r)
		}
	case w != nil:
		p.tellEnd(w, o.Told)
	case o.Known:
		p.tellEndOf(&o)
	default:
		p.continueOrphan(&o)
	}
	return collectors.Reason{}
}

// tellEndOf tells of the end of an incident that is over and no longer in memory. Its row stays as it is.
func (p *planner) tellEndOf(o *Orphan) {
	w := &workIncident{Incident: o.Incident, members: map[*track]bool{}, was: o.Incident.Severity}
	if w.State.Live() { // it ended after it was handed over
		w.State, w.ResolvedAt = Resolved, p.now
	}
	p.keep(w)
	p.tellEnd(w, o.Told)
	w.dirty = false
}

// tellEnd tells those who do not know that an incident is over.
func (p *planner) tellEnd(w *workIncident, told []string) {
	cause := CauseResolved
	if w.State == Merged {
		cause = CauseMerged
	}
	w.Escalation.Round++
	for _, r := range told {
		if !slices.Contains(w.Told, r) {
			p.notify(w, 0, r, cause, 0, "")
		}
	}
}

// continueOrphan makes an orphan an incident of this process. Where what it is about stands here already, it becomes part of that incident; else
// its alarms stand until their series are well, by the same rules as every alarm; with none left it is over at once. All who were told hear of it.
func (p *planner) continueOrphan(o *Orphan) {
	w := &workIncident{Incident: o.Incident, members: map[*track]bool{}, was: o.Incident.Severity, dirty: true, notes: o.Owed}
	for _, r := range o.Told {
		w.hear(r)
	}
	p.keep(w)
	p.event(Event{IncidentID: w.ID, Kind: EventComment, Actor: "Vigía", Severity: w.Severity, Text: collectors.Because(codeAdopted)})
	if to := p.openedHere(o); to != nil {
		p.mergeInto(w, to, codeSameInto, codeSameFrom)
		return
	}
	for i := range o.Alarms {
		p.stand(w, &o.Alarms[i])
	}
	// What it was about may be well here: who was told already waits for that to show.
	if soon := p.now.Add(ParentGrace); len(o.Told) > 0 && !w.Escalation.NextAt.IsZero() && w.Escalation.NextAt.Before(soon) {
		w.Escalation.NextAt = soon
	}
}

// openedHere is the live incident in which a series of the orphan stands, its root's before others; nil when none does.
func (p *planner) openedHere(o *Orphan) *workIncident {
	list := []collectors.Series{o.Incident.Series}
	for i := range o.Alarms {
		list = append(list, o.Alarms[i].Series)
	}
	for _, series := range list {
		t := p.track(series)
		if t == nil {
			continue
		}
		if a := p.alarm(t); a != nil && a.State.Active() {
			if in := p.incident(a.IncidentID); in != nil && in.ID != o.Incident.ID && in.State.Live() {
				return in
			}
		}
	}
	return nil
}

// stand lets an alarm of an orphan stand, under a number of this process. One that nothing is expected of any more is left out.
func (p *planner) stand(in *workIncident, a *Alarm) {
	if !a.State.Active() || !p.cfg.knows(a.Series.Ref) || p.st.removed(a.Series) || p.cfg.Rules.Match(a.Series) == nil {
		return
	}
	t := p.track(a.Series)
	if t == nil {
		t = p.addTrack(a.Series, 0)
		t.at, t.value, t.reason, t.detail = a.ValueAt, a.Value, a.Reason, a.Detail
	}
	if p.gone[t] {
		return
	}
	w := p.edit(t)
	if w.alarm.State.Active() {
		return
	}
	id := w.alarm.ID
	if id == 0 {
		id = p.ids.alarm
		p.ids.alarm++
	}
	if a.ID == in.Root {
		in.Root = id
	}
	w.alarm, w.dirty = *a, true
	w.alarm.ID, w.alarm.IncidentID = id, in.ID
	in.members[t] = true
	p.move(w)
}
