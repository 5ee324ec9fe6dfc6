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
	Changes       []alerting.Change
	Superseded    int
	Failing       bool
	Failures      int
}

// ErrFailing is what a failing Memory says.
var ErrFailing = errors.New("the disk is full")

// NewMemory makes an empty one.
func NewMemory() *Memory {
	return &Memory{
		Alarms: map[int64]alerting.Alarm{}, Incidents: map[int64]alerting.Incident{}, Notifications: map[string]alerting.Notification{},
	}
}

// Apply stores a Change whole, or fails and stores nothing.
func (m *Memory) Apply(_ context.Context, c alerting.Change) error {
	if m.Failing {
		m.Failures++
		return ErrFailing
	}
	for _, a := range c.Alarms {
		m.Alarms[a.ID] = a
	}
	for _, in := range c.Incidents {
		m.Incidents[in.ID] = in
	}
	m.Events = append(m.Events, c.Events...)
	for _, key := range c.Supersede {
		if n := m.Notifications[key]; n.State == alerting.NotificationPending {
			n.State = alerting.NotificationSuperseded
			m.Notifications[key] = n
			m.Superseded++
		}
	}
	for _, n := range c.Notifications {
		if _, ok := m.Notifications[n.Key]; !ok {
			m.Notifications[n.Key] = n
			m.Order = append(m.Order, n.Key)
		}
	}
	m.Results = append(m.Results, c.Commands...)
	m.Changes = append(m.Changes, c)
	return nil
}

// Settle marks a notification and returns what the engine is to hear.
func (m *Memory) Settle(key string, state alerting.NotificationState, outcome string) alerting.Settled {
	n := m.Notifications[key]
	n.State = state
	m.Notifications[key] = n
	return alerting.Settled{Key: key, State: state, Delivery: alerting.Delivery{Key: key, OK: state == alerting.NotificationSent, Outcome: outcome}}
}

// Pending lists the keys that wait to be sent, oldest first.
func (m *Memory) Pending() []string {
	var keys []string
	for _, key := range m.Order {
		if m.Notifications[key].State == alerting.NotificationPending {
			keys = append(keys, key)
		}
	}
	return keys
}

// Snapshot is what an engine starts from, after a way through JSON as through a database.
func (m *Memory) Snapshot() (alerting.Snapshot, error) {
	s := alerting.Snapshot{NextAlarm: 1, NextIncident: 1, NextEvent: 1}
	for _, id := range slices.Sorted(maps.Keys(m.Alarms)) {
		s.NextAlarm = max(s.NextAlarm, id+1)
		if a := m.Alarms[id]; a.State != alerting.Clear {
			s.Alarms = append(s.Alarms, a)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(m.Incidents)) {
		s.NextIncident = max(s.NextIncident, id+1)
		if in := m.Incidents[id]; in.State.Live() {
			s.Incidents = append(s.Incidents, in)
		}
	}
	for _, e := range m.Events {
		s.NextEvent = max(s.NextEvent, e.ID+1)
	}
	for _, key := range m.Pending() {
		if n := m.Notifications[key]; m.Incidents[n.IncidentID].State.Live() {
			s.Notifications = append(s.Notifications, n)
		}
	}
	for _, r := range m.Results {
		s.LastCommand = max(s.LastCommand, r.Seq)
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
