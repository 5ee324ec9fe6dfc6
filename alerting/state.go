package alerting

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"vigia/collectors"
	"vigia/collectors/inventory"
)

// State is what the engine knows: for each series its last sample and its alarm, the live incidents, the notifications that are still owed.
// One goroutine owns it. Only Adopt changes what it says; Plan uses it and leaves marks of its own that mean nothing once the plan is over.
type State struct {
	tracks    map[collectors.Series]*track
	byRef     map[inventory.Ref][]*track
	incidents map[int64]*liveIncident
	duties    map[int64]map[string]duty      // by incident and key: notifications that are not settled
	mutes     map[int64]*Mute                // that may still turn on
	closed    map[collectors.Series]Incident // resolved a short while ago, by policies that open them again
	failing   map[string]bool                // receivers that gave up their last notification
	dropped   map[checkKey]bool              // checks that were taken out of the configuration: what still comes from them is ignored
	results   map[string]CommandResult
	overrides []Override // of who is on call, by when they were decided; replaced, never changed
	recent    []string   // ids of results, oldest first
	ids       ids
	command   int64     // Seq of the last command that was planned
	base      time.Time // "no data" counts from here at the earliest: start, or the last jump of the clock
	timers    timers
	plan      uint64 // number of the plan in work
	seen      []*track
	due       []timer
}

// ids are the first free ones.
type ids struct{ alarm, incident, event, mute int64 }

// liveIncident is an incident and the series whose alarms belong to it.
type liveIncident struct {
	Incident
	members map[*track]bool
	queued  time.Time
}

// duty is a notification that is not settled yet.
type duty struct {
	level    int
	receiver string
	cause    Cause
}

// track is one series.
type track struct {
	series   collectors.Series
	rules    *Rules     // where rule was looked up
	rule     *Threshold // nil: nothing is expected of it
	alarm    *Alarm     // nil while clear; replaced, never changed
	at       time.Time  // the last sample
	value    float64
	reason   collectors.Reason
	detail   string
	every    time.Duration
	live     bool        // at is of a sample, not of a stored alarm
	expected bool        // a check feeds it
	since    time.Time   // since when it is expected
	changes  []time.Time // raises and clears of alarms that are over, for flapping
	queued   time.Time   // its earliest entry in the timers

	// Marks of a plan; valid while plan is the State's.
	plan   uint64
	sample int // index of its newest sample, or -1
	work   *work
}

// maxResults bounds the memory of commands that were carried out.
const maxResults = 4096

// NewState makes the State that a Snapshot describes.
func NewState(s Snapshot) *State {
	st := &State{
		tracks: map[collectors.Series]*track{}, byRef: map[inventory.Ref][]*track{}, incidents: map[int64]*liveIncident{},
		duties: map[int64]map[string]duty{}, mutes: map[int64]*Mute{}, closed: map[collectors.Series]Incident{}, failing: map[string]bool{}, results: map[string]CommandResult{},
		ids:     ids{max(s.NextAlarm, 1), max(s.NextIncident, 1), max(s.NextEvent, 1), max(s.NextMute, 1)},
		command: s.LastCommand,
	}
	st.overrides = withOverrides(nil, s.Overrides)
	for i := range s.Incidents {
		st.setIncident(s.Incidents[i])
	}
	for i := range s.Closed {
		st.setIncident(s.Closed[i])
	}
	for i := range s.Alarms {
		st.setAlarm(s.Alarms[i])
	}
	for i := range s.Notifications {
		st.setDuty(&s.Notifications[i])
	}
	for i := range s.Mutes {
		st.setMute(s.Mutes[i])
	}
	return st
}

// Snapshot is what the State would be rebuilt from, in order.
func (s *State) Snapshot() Snapshot {
	out := Snapshot{
		NextAlarm: s.ids.alarm, NextIncident: s.ids.incident, NextEvent: s.ids.event, NextMute: s.ids.mute, LastCommand: s.command,
		Overrides: append([]Override(nil), s.overrides...),
	}
	for _, t := range s.tracks {
		if t.alarm != nil {
			out.Alarms = append(out.Alarms, *t.alarm)
		}
	}
	for _, in := range s.closed {
		out.Closed = append(out.Closed, in)
	}
	slices.SortFunc(out.Closed, func(a, b Incident) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(out.Alarms, func(a, b Alarm) int { return cmp.Compare(a.ID, b.ID) })
	for _, id := range slices.Sorted(maps.Keys(s.incidents)) {
		out.Incidents = append(out.Incidents, s.incidents[id].Incident)
	}
	for _, id := range slices.Sorted(maps.Keys(s.mutes)) {
		out.Mutes = append(out.Mutes, *s.mutes[id])
	}
	for _, id := range slices.Sorted(maps.Keys(s.duties)) {
		for _, key := range slices.Sorted(maps.Keys(s.duties[id])) {
			d := s.duties[id][key]
			out.Notifications = append(out.Notifications, Notification{
				Key: key, IncidentID: id, Level: d.level, Receiver: d.receiver, Cause: d.cause, State: NotificationPending,
			})
		}
	}
	return out
}

// Next is when something is due; zero when nothing is.
func (s *State) Next() time.Time { return s.timers.next() }

// LastCommand is the Seq of the last command that was planned.
func (s *State) LastCommand() int64 { return s.command }

// Counts says how much the State holds.
func (s *State) Counts() (series, alarms, incidents int) {
	for _, t := range s.tracks {
		if t.alarm != nil && t.alarm.State.Active() {
			alarms++
		}
	}
	return len(s.tracks), alarms, len(s.incidents)
}

// Adopt makes what was planned the State. Call it once the Change is stored. A Planned that holds nothing but a Change replays history.
func (s *State) Adopt(p Planned) {
	s.adoptSamples(&p)
	for i := range p.Change.Incidents {
		s.setIncident(p.Change.Incidents[i])
	}
	for i := range p.Change.Alarms {
		s.setAlarm(p.Change.Alarms[i])
	}
	for i := range p.Change.Notifications {
		s.setDuty(&p.Change.Notifications[i])
	}
	for _, key := range p.Change.Supersede {
		s.discharge(key)
	}
	for i := range p.Change.Events {
		s.ids.event = max(s.ids.event, p.Change.Events[i].ID+1)
	}
	for _, r := range p.Change.Commands {
		s.setResult(r)
	}
	for i := range p.Change.Mutes {
		s.setMute(p.Change.Mutes[i])
	}
	s.adoptOverrides(&p.Change)
	s.adoptSettled(p.input.Settled)
	s.adoptTimers(&p)
	s.plan++
}

func (s *State) adoptSamples(p *Planned) {
	for _, t := range p.fresh {
		s.insert(t)
	}
	for _, t := range p.seen {
		m := &p.input.Samples[t.sample]
		t.at, t.value, t.reason, t.detail, t.live = m.At, m.Value, m.Reason, m.Detail, true
		if m.Every > 0 {
			t.every = m.Every
		}
		if t.rules != p.cfg.Rules {
			t.bind(p.cfg.Rules)
		}
	}
	s.seen = p.seen[:0]
	if p.input.Reloaded {
		s.adoptConfig(p)
	}
	if p.input.Jump != 0 {
		s.base = p.now
	}
}

// adoptConfig binds every series to the new rules and notes what is expected now.
func (s *State) adoptConfig(p *Planned) {
	if s.base.IsZero() {
		s.base = p.now
	}
	for _, t := range s.tracks {
		t.expected = false
		t.bind(p.cfg.Rules)
	}
	for _, e := range p.cfg.Expected {
		t := s.tracks[e.Series]
		if t == nil {
			continue // its object is not in the inventory
		}
		if t.since.IsZero() {
			t.since = p.now
		}
		t.expected, t.every = true, e.Every
	}
	for _, t := range p.gone {
		s.remove(t)
	}
	s.dropped = p.dropped
}

func (t *track) bind(rules *Rules) { t.rules, t.rule = rules, rules.Match(t.series) }

func (s *State) insert(t *track) {
	s.tracks[t.series] = t
	s.byRef[t.series.Ref] = append(s.byRef[t.series.Ref], t)
}

func (s *State) remove(t *track) {
	if s.tracks[t.series] != t {
		return
	}
	delete(s.tracks, t.series)
	list := slices.DeleteFunc(s.byRef[t.series.Ref], func(o *track) bool { return o == t })
	if len(list) == 0 {
		delete(s.byRef, t.series.Ref)
		return
	}
	s.byRef[t.series.Ref] = list
}

func (s *State) setAlarm(a Alarm) {
	s.ids.alarm = max(s.ids.alarm, a.ID+1)
	t := s.tracks[a.Series]
	if t == nil && a.State == Clear {
		return
	}
	if t == nil {
		t = &track{series: a.Series, at: a.ValueAt, value: a.Value, reason: a.Reason, detail: a.Detail}
		s.insert(t)
	}
	if t.alarm != nil {
		if old := s.incidents[t.alarm.IncidentID]; old != nil {
			delete(old.members, t)
		}
	}
	t.changes = a.Changes
	if a.State == Clear {
		t.alarm = nil
		return
	}
	t.alarm = &a
	if inc := s.incidents[a.IncidentID]; inc != nil && a.State.Active() {
		inc.members[t] = true
	}
}

func (s *State) setIncident(in Incident) {
	s.ids.incident = max(s.ids.incident, in.ID+1)
	old := s.incidents[in.ID]
	switch {
	case !in.State.Live():
		delete(s.incidents, in.ID)
		s.close(in)
	case old != nil:
		old.Incident = in
	default:
		if s.closed[in.Series].ID == in.ID {
			delete(s.closed, in.Series)
		}
		s.incidents[in.ID] = &liveIncident{Incident: in, members: map[*track]bool{}}
	}
}

// maxClosed is how many resolved incidents are kept before those are let go whose time to be opened again is over.
const maxClosed = 1000

// close remembers an incident that may be opened again.
func (s *State) close(in Incident) {
	if in.State != Resolved || in.Policy.Reopen <= 0 {
		return
	}
	if len(s.closed) >= maxClosed {
		maps.DeleteFunc(s.closed, func(_ collectors.Series, old Incident) bool {
			return in.ResolvedAt.Sub(old.ResolvedAt) > old.Policy.Reopen
		})
	}
	if old, ok := s.closed[in.Series]; !ok || old.ID <= in.ID {
		s.closed[in.Series] = in
	}
}

func (s *State) setDuty(n *Notification) {
	if n.IncidentID == 0 { // a canary: nobody is owed it
		return
	}
	if n.State != "" && n.State != NotificationPending && n.State != NotificationLeased {
		return
	}
	if s.duties[n.IncidentID] == nil {
		s.duties[n.IncidentID] = map[string]duty{}
	}
	s.duties[n.IncidentID][n.Key] = duty{n.Level, n.Receiver, n.Cause}
}

// discharge forgets a duty and returns its key taken apart.
func (s *State) discharge(key string) (notificationKey, bool) {
	k, ok := parseKey(key)
	if ok {
		delete(s.duties[k.incident], key)
		if len(s.duties[k.incident]) == 0 {
			delete(s.duties, k.incident)
		}
	}
	return k, ok
}

func (s *State) setResult(r CommandResult) {
	s.command = max(s.command, r.Seq)
	if _, ok := s.results[r.ID]; !ok {
		s.recent = append(s.recent, r.ID)
	}
	s.results[r.ID] = r
	if len(s.recent) > maxResults {
		delete(s.results, s.recent[0])
		s.recent = slices.Delete(s.recent, 0, 1)
	}
}

func (s *State) adoptSettled(settled []Settled) {
	for _, one := range settled {
		key, ok := s.discharge(one.Key)
		if !ok {
			continue
		}
		switch one.State {
		case NotificationGivenUp:
			s.failing[key.receiver] = true
		case NotificationSent:
			delete(s.failing, key.receiver)
		}
	}
}

// adoptTimers takes the entries that were visited out of the queue and puts in what is due next.
func (s *State) adoptTimers(p *Planned) {
	s.due = s.due[:0]
	for len(s.timers) > 0 && !s.timers[0].at.After(p.now) {
		e := s.timers.pop()
		if e.track != nil {
			e.track.queued = time.Time{}
		} else if e.mute != 0 {
			s.queueMute(e.mute, p.now)
			continue
		} else if in := s.incidents[e.incident]; in != nil {
			in.queued = time.Time{}
		}
		s.due = append(s.due, e)
	}
	for _, e := range s.due {
		if e.track != nil {
			s.queueTrack(e.track, p.now)
		} else {
			s.queueIncident(e.incident, p.now)
		}
	}
	for _, t := range p.seen {
		if t.queued.IsZero() || t.alarm != nil {
			s.queueTrack(t, p.now)
		}
	}
	for i := range p.Change.Alarms {
		if t := s.tracks[p.Change.Alarms[i].Series]; t != nil {
			s.queueTrack(t, p.now)
		}
	}
	for i := range p.Change.Incidents {
		s.queueIncident(p.Change.Incidents[i].ID, p.now)
	}
	for i := range p.Change.Mutes {
		s.queueMute(p.Change.Mutes[i].ID, p.now)
	}
	if p.input.Reloaded || p.input.Jump != 0 {
		s.queueAll(p.now)
	}
}

// queueAll makes the queue anew.
func (s *State) queueAll(now time.Time) {
	s.timers = s.timers[:0]
	for _, t := range s.tracks {
		t.queued = time.Time{}
		s.queueTrack(t, now)
	}
	for id, in := range s.incidents {
		in.queued = time.Time{}
		s.queueIncident(id, now)
	}
	for id := range s.mutes {
		s.queueMute(id, now)
	}
}

func (s *State) queueTrack(t *track, now time.Time) {
	if s.tracks[t.series] != t {
		return
	}
	at := t.deadline(s.base, now)
	if at.IsZero() || !t.queued.IsZero() && !at.Before(t.queued) {
		return
	}
	t.queued = at
	s.timers.push(timer{at: at, track: t})
}

// again is how soon what was due and could not be done is looked at again.
const again = 100 * time.Millisecond

func (s *State) queueIncident(id int64, now time.Time) {
	in := s.incidents[id]
	if in == nil {
		return
	}
	at := in.deadline()
	if at.IsZero() {
		return
	}
	if !at.After(now) {
		at = now.Add(again)
	}
	if !in.queued.IsZero() && !at.Before(in.queued) {
		return
	}
	in.queued = at
	s.timers.push(timer{at: at, incident: id})
}

// deadline is when the incident does something by itself.
func (i *Incident) deadline() time.Time {
	switch {
	case i.State == Acknowledged && i.Ack != nil:
		return i.Ack.Until
	case i.State == Open:
		return i.Escalation.NextAt
	}
	return time.Time{}
}
