package alertingtest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"

	"vigia/alerting"
)

// Memory is a Journal that keeps rows as the store does, can fail, and can be loaded from.
type Memory struct {
	Alarms        map[int64]alerting.Alarm
	Incidents     map[int64]alerting.Incident
	Notifications map[string]alerting.Notification
	Order         []string // keys in the order in which they came
	Events        []alerting.Event
	Results       []alerting.CommandResult
	Mutes         map[int64]alerting.Mute
	Changes       []alerting.Change
	Handovers     []alerting.HandoverNote
	Superseded    int
	Failing       bool
	Failures      int

	standing map[int64]bool // alarms that are not clear
	live     map[int64]bool // incidents that people work on
	pending  []string       // keys that wait to be sent, oldest first
	next     alerting.Snapshot
}

// ErrFailing is what a failing Memory says.
var ErrFailing = errors.New("the disk is full")

// NewMemory makes an empty one.
func NewMemory() *Memory {
	return &Memory{
		Alarms: map[int64]alerting.Alarm{}, Incidents: map[int64]alerting.Incident{}, Notifications: map[string]alerting.Notification{},
		Mutes: map[int64]alerting.Mute{}, standing: map[int64]bool{}, live: map[int64]bool{}, next: alerting.Snapshot{NextAlarm: 1, NextIncident: 1, NextEvent: 1, NextMute: 1},
	}
}

// Apply stores a Change whole, or fails and stores nothing.
func (m *Memory) Apply(_ context.Context, c alerting.Change) error {
	if m.Failing {
		m.Failures++
		return ErrFailing
	}
	m.applyRows(c)
	m.applyOnCall(c)
	m.Events = append(m.Events, c.Events...)
	for _, e := range c.Events {
		m.next.NextEvent = max(m.next.NextEvent, e.ID+1)
	}
	for _, key := range c.Supersede {
		if n := m.Notifications[key]; n.State == alerting.NotificationPending {
			m.mark(key, alerting.NotificationSuperseded)
			m.Superseded++
		}
	}
	for _, n := range c.Notifications {
		if _, ok := m.Notifications[n.Key]; !ok {
			m.Notifications[n.Key] = n
			m.Order = append(m.Order, n.Key)
			m.pending = append(m.pending, n.Key)
		}
	}
	m.Results = append(m.Results, c.Commands...)
	for _, r := range c.Commands {
		m.next.LastCommand = max(m.next.LastCommand, r.Seq)
	}
	m.Changes = append(m.Changes, c)
	return nil
}

func (m *Memory) applyRows(c alerting.Change) {
	for _, a := range c.Alarms {
		m.Alarms[a.ID] = a
		m.standing[a.ID] = true
		if a.State == alerting.Clear {
			delete(m.standing, a.ID)
		}
		m.next.NextAlarm = max(m.next.NextAlarm, a.ID+1)
	}
	for _, in := range c.Incidents {
		m.Incidents[in.ID] = in
		m.live[in.ID] = true
		if !in.State.Live() {
			delete(m.live, in.ID)
		}
		m.next.NextIncident = max(m.next.NextIncident, in.ID+1)
	}
	for _, mute := range c.Mutes {
		m.Mutes[mute.ID] = mute
		m.next.NextMute = max(m.next.NextMute, mute.ID+1)
	}
}

func (m *Memory) mark(key string, state alerting.NotificationState) {
	n := m.Notifications[key]
	n.State = state
	m.Notifications[key] = n
	m.pending = slices.DeleteFunc(m.pending, func(k string) bool { return k == key })
}

// Settle marks a notification and returns what the engine is to hear.
func (m *Memory) Settle(key string, state alerting.NotificationState, outcome string) alerting.Settled {
	m.mark(key, state)
	return alerting.Settled{Key: key, State: state, Delivery: alerting.Delivery{Key: key, OK: state == alerting.NotificationSent, Outcome: outcome}}
}

// Pending lists the keys that wait to be sent, oldest first.
func (m *Memory) Pending() []string { return slices.Clone(m.pending) }

// Standing lists the alarms that are not clear.
func (m *Memory) Standing() []alerting.Alarm {
	var list []alerting.Alarm
	for _, id := range slices.Sorted(maps.Keys(m.standing)) {
		list = append(list, m.Alarms[id])
	}
	return list
}

// Live lists the incidents that people work on.
func (m *Memory) Live() []alerting.Incident {
	var list []alerting.Incident
	for _, id := range slices.Sorted(maps.Keys(m.live)) {
		list = append(list, m.Incidents[id])
	}
	return list
}

// Snapshot is what an engine starts from, after a way through JSON as through a database.
func (m *Memory) Snapshot() (alerting.Snapshot, error) {
	s := m.next
	s.Alarms, s.Incidents = m.Standing(), m.Live()
	for _, id := range slices.Sorted(maps.Keys(m.Incidents)) {
		if in := m.Incidents[id]; in.State == alerting.Resolved && in.Policy.Reopen > 0 {
			s.Closed = append(s.Closed, in)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(m.Mutes)) {
		if mute := m.Mutes[id]; mute.CancelledAt.IsZero() {
			s.Mutes = append(s.Mutes, mute) // those that are over too: the engine finds out
		}
	}
	for _, key := range m.pending {
		if n := m.Notifications[key]; m.live[n.IncidentID] {
			s.Notifications = append(s.Notifications, n)
		}
	}
	return throughJSON(s)
}

func throughJSON(s alerting.Snapshot) (alerting.Snapshot, error) {
	raw, err := json.Marshal(s)
	if err != nil {
		return alerting.Snapshot{}, err
	}
	var out alerting.Snapshot
	err = json.Unmarshal(raw, &out)
	return out, err
}

// Timeline lists an incident's events in order.
func (m *Memory) Timeline(incident int64) []alerting.Event {
	var list []alerting.Event
	for _, e := range m.Events {
		if e.IncidentID == incident {
			list = append(list, e)
		}
	}
	slices.SortFunc(list, func(a, b alerting.Event) int { return cmp.Compare(a.ID, b.ID) })
	return list
}
