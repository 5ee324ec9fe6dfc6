package alerting

import (
	"time"

	"vigia/collectors"
)

// AlarmState is where an alarm stands.
type AlarmState uint8

// The states; doc.go has the diagram.
const (
	Clear AlarmState = iota
	Pending
	Raised
	Clearing
	Stale // raised because there is no data
)

var alarmStateNames = [...]string{"clear", "pending", "raised", "clearing", "stale"}

// String returns the word.
func (s AlarmState) String() string { return word(alarmStateNames[:], int(s)) }

// MarshalText writes the word.
func (s AlarmState) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the word.
func (s *AlarmState) UnmarshalText(text []byte) error {
	i, err := parseWord(alarmStateNames[:], "alarm state", string(text))
	*s = AlarmState(i)
	return err
}

// Active reports whether the alarm stands: raised, clearing or stale.
func (s AlarmState) Active() bool { return s == Raised || s == Clearing || s == Stale }

// Alarm is the state of one threshold on one series. There is at most one alarm per series; it is kept, and stored, while it is not clear,
// and once more when it clears.
type Alarm struct {
	ID         int64
	Series     collectors.Series
	State      AlarmState
	Severity   Severity // what stands now; None while pending; what stood last once it is clear
	Value      float64  // the last value that was judged
	ValueAt    time.Time
	Reason     collectors.Reason // why, from the sample that raised it
	Detail     string
	Tier       Tier      // the tier that raised it, as it was then
	PendingAt  time.Time // when the level was first crossed
	RaisedAt   time.Time // zero until raised
	ClearedAt  time.Time // zero until cleared
	IncidentID int64     // the incident that it belongs to; 0 for none
	Shadow     bool      // it stands in the shadow of a parent: measured, shown, not paging
	FreeAt     time.Time // when that parent came back; after a grace the alarm pages on its own; zero while the parent is down
	WaitAt     time.Time // since when it is due and waits for the verdict on a parent; zero when it does not
	Policy     string
	Source     string // where its threshold is written
	// Holds keeps the engine's running timers: since when each severity's level has held, and since when each has been beyond clear.
	Holds   []Hold
	Changes []time.Time // raises and clears within the flapping window
	Flaps   bool        // it is flapping: one notice has been given
}

// Hold is one running timer of an alarm: since when a tier's raise level, or its clear level, has held.
type Hold struct {
	Severity Severity
	Over     time.Time `json:",omitzero"`
	Under    time.Time `json:",omitzero"`
	Confirms int       `json:",omitempty"` // samples that agreed since
}
