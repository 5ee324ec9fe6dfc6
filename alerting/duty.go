package alerting

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"vigia/collectors"
	"vigia/collectors/inventory"
)

// maxAffected is how many names of shadowed objects a message carries.
const maxAffected = 8

// page reports whether a notification of this cause asks somebody to act; the others only say what became of it.
func (c Cause) page() bool {
	switch c {
	case CauseAcknowledged, CauseResolved, CauseMerged, CauseTest:
		return false
	}
	return true
}

// notify adds a notification and returns its key.
func (p *planner) notify(w *workIncident, level int, receiver string, cause Cause, late time.Duration, undelivered string) string {
	n := Notification{
		Key:        NotificationKey(w.ID, level, receiver, cause, w.Escalation.Round),
		IncidentID: w.ID, Level: level, Receiver: receiver, Cause: cause, Round: w.Escalation.Round,
		Severity: w.Severity, CreatedAt: p.now, State: NotificationPending, NextAt: p.now,
	}
	n.Message = p.message(w, &n, late, undelivered)
	w.notes = append(w.notes, n)
	w.hear(receiver)
	return n.Key
}

// notice tells everyone who was told of an incident what became of it, once; pages that are still waiting are not sent any more.
func (p *planner) notice(w *workIncident, cause Cause) {
	p.withdraw(w, "")
	if len(w.Told) == 0 {
		return
	}
	w.Escalation.Round++
	w.dirty = true
	for _, r := range slices.Clone(w.Told) {
		p.notify(w, 0, r, cause, 0, "")
	}
}

// withdraw supersedes what is still owed about an incident, to one receiver or (with "") to all: something newer is said instead.
func (p *planner) withdraw(w *workIncident, receiver string) {
	duties := p.st.duties[w.ID]
	for _, key := range slices.Sorted(maps.Keys(duties)) {
		if (receiver == "" || duties[key].receiver == receiver) && !p.settled[key] {
			p.discharge(key)
			p.out.Change.Supersede = append(p.out.Change.Supersede, key)
		}
	}
	w.notes = slices.DeleteFunc(w.notes, func(n Notification) bool { return receiver == "" || n.Receiver == receiver })
}

func (p *planner) discharge(key string) {
	if p.settled == nil {
		p.settled = map[string]bool{}
	}
	p.settled[key] = true
}

// owed reports whether a page of an incident to a receiver is still waiting to be sent.
func (p *planner) owed(incident int64, receiver string) bool {
	for key, d := range p.st.duties[incident] {
		if d.receiver == receiver && d.cause.page() && !p.settled[key] {
			return true
		}
	}
	return false
}

// message gathers the facts of a notification.
func (p *planner) message(w *workIncident, n *Notification, late time.Duration, undelivered string) Message {
	m := Message{
		Key: n.Key, Cause: n.Cause, Incident: w.ID, Level: n.Level, Severity: w.Severity, State: w.State, Ref: w.Ref, Series: w.Series,
		Title: w.Title, OpenedAt: w.OpenedAt, At: p.now, ResolvedAt: w.ResolvedAt, Late: late, Members: len(w.members), Undelivered: undelivered,
		MergedInto: w.MergedInto,
	}
	if n.Level > 0 && n.Level <= len(w.Policy.Levels) {
		m.LevelName = w.Policy.Levels[n.Level-1].Name
	}
	if p.cfg.Inventory != nil {
		m.Site = p.cfg.Inventory.SiteOf(w.Ref)
		if site := p.cfg.Inventory.Site(m.Site); site != nil && site.Timezone != nil && site.Timezone != time.UTC {
			m.Zone = site.Timezone.String()
		}
	}
	if a := p.root(w); a != nil {
		m.Reason, m.Value, m.Tier = a.Reason, a.Value, a.Tier
	}
	m.Affected = p.affected(w)
	if w.Ack != nil {
		m.AckBy, m.AckNote, m.AckUntil = w.Ack.By, w.Ack.Note, w.Ack.Until
	}
	if level, at, _, ok := w.Upcoming(); ok {
		m.NextLevel, m.NextAt = w.Policy.Levels[level].Name, later(at, p.now) // what is overdue comes next
	}
	return m
}

// root is the alarm that speaks for the incident: that of the root's series while one stands, else the row that ended in this plan.
func (p *planner) root(w *workIncident) *Alarm {
	if t := p.track(w.Series); t != nil {
		if a := p.alarm(t); a != nil && a.IncidentID == w.ID {
			return a
		}
	}
	if i, ok := p.ended[w.Root]; ok {
		return &p.out.Change.Alarms[i]
	}
	return nil
}

func (p *planner) track(s collectors.Series) *track {
	if t := p.st.tracks[s]; t != nil {
		return t
	}
	return p.fresh[s]
}

// affected names a few of the objects that stand in the incident's shadow.
func (p *planner) affected(w *workIncident) []string {
	names := map[inventory.Ref]bool{}
	for t := range w.members {
		if a := p.alarm(t); a != nil && a.Shadow {
			names[t.series.Ref] = true
		}
	}
	var list []string
	for ref := range names {
		list = append(list, ref.String())
	}
	slices.Sort(list)
	return list[:min(len(list), maxAffected)]
}

// settle follows what became of a notification: one that was given up goes to the policy's fallback, and the receiver is an alarm of its own.
func (p *planner) settle(s *Settled) {
	key, ok := parseKey(s.Key)
	if !ok {
		return
	}
	p.discharge(s.Key)
	switch s.State {
	case NotificationSent:
		series := receiverSeries(key.receiver)
		if t := p.st.tracks[series]; p.st.failing[key.receiver] || t != nil && t.alarm != nil {
			p.out.Samples = append(p.out.Samples, collectors.Sample{Series: series, At: p.now})
		}
	case NotificationGivenUp:
		p.givenUp(s, key)
	}
}

func (p *planner) givenUp(s *Settled, key notificationKey) {
	p.out.Samples = append(p.out.Samples, collectors.Sample{
		Series: receiverSeries(key.receiver), At: p.now, Value: 1,
		Reason: collectors.Because(codeReceiverFailing, key.receiver, s.Delivery.Outcome),
	})
	e := Event{IncidentID: key.incident, Kind: EventGivenUp, About: s.Key, Text: collectors.Because(codeGivenUp, key.receiver, s.Delivery.Outcome)}
	w := p.incident(key.incident)
	if w == nil || !w.State.Live() || w.Muted != nil || !key.cause.page() || key.cause == CauseFallback ||
		w.Policy.Fallback == "" || w.Policy.Fallback == key.receiver {
		p.event(e)
		return
	}
	fallback := w.Policy.Fallback
	e.Severity = w.Severity
	e.Text = collectors.Because(codeGivenUpFallback, key.receiver, s.Delivery.Outcome, fallback)
	at := p.event(e)
	w.Escalation.Round++
	w.dirty = true
	why := key.receiver
	if s.Delivery.Outcome != "" {
		why += ": " + s.Delivery.Outcome
	}
	p.out.Change.Events[at].Keys = []string{p.notify(w, key.level, fallback, CauseFallback, 0, why)}
}

func receiverSeries(receiver string) collectors.Series {
	return collectors.Series{Metric: collectors.VigiaReceiverDown, Ref: inventory.Self, Instance: receiver}
}

// notificationKey is a key taken apart.
type notificationKey struct {
	incident int64
	level    int
	receiver string
	cause    Cause
	round    int
}

// parseKey takes a NotificationKey apart. A receiver's name may hold dots.
func parseKey(s string) (notificationKey, bool) {
	parts := strings.Split(s, ".")
	n := len(parts)
	if n < 5 || !strings.HasPrefix(parts[0], "i") || !strings.HasPrefix(parts[1], "l") {
		return notificationKey{}, false
	}
	incident, err1 := strconv.ParseInt(parts[0][1:], 10, 64)
	level, err2 := strconv.Atoi(parts[1][1:])
	round, err3 := strconv.Atoi(parts[n-1])
	if err1 != nil || err2 != nil || err3 != nil {
		return notificationKey{}, false
	}
	return notificationKey{incident, level, strings.Join(parts[2:n-2], "."), Cause(parts[n-2]), round}, true
}

// Untold counts the incidents that should have told somebody more than UntoldAfter ago and did not: a step is overdue, or one was due and
// nobody was told. It is the auditor's figure; it should always be zero.
func (s *State) Untold(now time.Time) int {
	n := 0
	for _, in := range s.incidents {
		if at := in.deadline(); !at.IsZero() && now.Sub(at) > UntoldAfter {
			n++
		}
	}
	return n
}
