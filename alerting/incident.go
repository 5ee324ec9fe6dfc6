package alerting

import (
	"fmt"
	"time"

	"vigia/collectors"
	"vigia/collectors/inventory"
)

// IncidentState is where an incident stands.
type IncidentState uint8

// The states of an incident. A merged one has joined another, whose id it names.
const (
	Open IncidentState = iota
	Acknowledged
	Resolved
	Merged
)

var incidentStateNames = [...]string{"open", "acknowledged", "resolved", "merged"}

// String returns the word.
func (s IncidentState) String() string { return word(incidentStateNames[:], int(s)) }

// MarshalText writes the word.
func (s IncidentState) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the word.
func (s *IncidentState) UnmarshalText(text []byte) error {
	i, err := parseWord(incidentStateNames[:], "incident state", string(text))
	*s = IncidentState(i)
	return err
}

// Live reports whether people still work on it.
func (s IncidentState) Live() bool { return s == Open || s == Acknowledged }

// Incident is what people work on: a root alarm and its consequences. Alarms point at it by IncidentID.
type Incident struct {
	ID         int64
	State      IncidentState
	Severity   Severity // the worst of its members now; the worst there was once it is resolved
	Worst      Severity // the worst there was
	Ref        inventory.Ref
	Root       int64             // the root alarm's id
	Series     collectors.Series // the root alarm's series
	Title      collectors.Reason // what happened, as the root alarm says it
	OpenedAt   time.Time
	ResolvedAt time.Time
	MergedInto int64
	Policy     Policy // frozen when the incident opened
	Escalation Escalation
	Ack        *Acknowledgement // who has it
	Muted      *Muted           `json:",omitempty"` // why nobody is paged now; nil: nothing keeps it quiet
	Told       []string         // receivers that were told; they hear of acknowledgement and resolution
}

// Escalation is where an incident stands on its policy.
type Escalation struct {
	Next   int       // index of the first level that was not told yet; those above the incident's severity are passed over (Incident.Upcoming)
	NextAt time.Time // when; zero: nothing more is due
	Base   time.Time // what the levels' delays count from: opening, rise of severity, or the end of an acknowledgement
	Round  int       // how often a level has been told since the incident opened; part of each notification's key
	Repeat []Repeat  // running repeats of levels that have been told
	Again  bool      `json:",omitempty"` // it was opened again and nobody has been told of that yet
	Hushed bool      // its alarms flap: one notice was given, nothing follows until they are stable
}

// Repeat is a level that is told again until someone has it.
type Repeat struct {
	Level int
	At    time.Time
}

// Acknowledgement: a person has it. Escalation stops until it expires or the severity rises.
type Acknowledgement struct {
	By       string
	Note     string
	At       time.Time
	Until    time.Time // zero: until it is resolved
	Severity Severity  // the incident's severity when it was acknowledged
	From     string    `json:",omitempty"` // who assigned it; empty: By took it
	Snoozed  bool      `json:",omitempty"` // By only put it off until then
}

// Event is one line of an incident's timeline. Its id grows over all incidents, so that pages can ask for what came after.
type Event struct {
	ID         int64
	IncidentID int64 // 0: it belongs to none (a self-event)
	At         time.Time
	Kind       EventKind
	Actor      string // the person, or "" for the engine
	AlarmID    int64
	Severity   Severity
	Text       collectors.Reason
	Note       string   // a person's own words
	Keys       []string // the notifications that this event caused
	About      string   `json:",omitempty"` // given_up: the key of the notification that was
}

// EventKind says what an event is about.
type EventKind string

// The kinds of events.
const (
	EventOpened       EventKind = "opened"
	EventReopened     EventKind = "reopened" // what was resolved is bad again
	EventJoined       EventKind = "joined"   // an alarm joined the incident
	EventLeft         EventKind = "left"     // an alarm left it: cleared, or it opened its own when the parent came back
	EventSeverity     EventKind = "severity" // the incident's severity changed
	EventTold         EventKind = "told"     // a level was told
	EventAcknowledged EventKind = "acknowledged"
	EventAckExpired   EventKind = "ack_expired"
	EventUnacked      EventKind = "unacknowledged"
	EventComment      EventKind = "comment"
	EventResolved     EventKind = "resolved"
	EventMerged       EventKind = "merged"
	EventFlapping     EventKind = "flapping"
	EventGivenUp      EventKind = "given_up" // a notification was given up; the fallback was told
	EventLate         EventKind = "late"     // a step was overdue (restart, clock jump) and says by how much
	EventClockJump    EventKind = "clock_jump"
	EventConfig       EventKind = "config"
	EventAssigned     EventKind = "assigned"
	EventSnoozed      EventKind = "snoozed"
	EventMuted        EventKind = "muted"   // a silence or a maintenance keeps it from paging
	EventUnmuted      EventKind = "unmuted" // and is over
)

func word(names []string, i int) string {
	if i >= 0 && i < len(names) {
		return names[i]
	}
	return fmt.Sprintf("unknown(%d)", i)
}

func parseWord(names []string, what, s string) (int, error) {
	for i, name := range names {
		if name == s {
			return i, nil
		}
	}
	return 0, fmt.Errorf("%q is not a %s", s, what)
}
