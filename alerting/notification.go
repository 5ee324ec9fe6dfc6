package alerting

import (
	"context"
	"errors"
	"fmt"
	"time"

	"vigia/collectors"
	"vigia/collectors/inventory"
)

// Cause is why somebody is told.
type Cause string

// The causes of a notification.
const (
	CauseOpened       Cause = "opened"       // the first level, when the incident opens
	CauseEscalated    Cause = "escalated"    // a later level's delay is over
	CauseRepeat       Cause = "repeat"       // nobody has it yet
	CauseSeverity     Cause = "severity"     // the severity rose: level 1 is told again
	CauseAckExpired   Cause = "ack_expired"  // the acknowledgement ran out
	CauseReopened     Cause = "reopened"     // what was resolved a short while ago is bad again
	CauseUnmuted      Cause = "unmuted"      // the silence or maintenance is over and it is still bad
	CauseSnoozeOver   Cause = "snooze_over"  // it was put off until now
	CauseAcknowledged Cause = "acknowledged" // for everyone who was told
	CauseResolved     Cause = "resolved"     // for everyone who was told
	CauseMerged       Cause = "merged"       // it joined another incident
	CauseFlapping     Cause = "flapping"     // one notice, then quiet
	CauseFallback     Cause = "fallback"     // another receiver could not be reached
	CauseTest         Cause = "test"         // vigia notify test
	CauseDigest       Cause = "digest"       // several in one: Message.Digest holds them; the outbox makes it
	CauseMissed       Cause = "missed"       // a digest of what a receiver could not be told while it was failing
)

// Notification is the duty to tell one receiver one thing once: a row of the outbox.
type Notification struct {
	Key        string // unique and stable; it travels out (Message-ID, Idempotency-Key)
	IncidentID int64
	Level      int // 1 for the first; 0 when it is none of the policy's levels
	Receiver   string
	Cause      Cause
	Round      int
	Severity   Severity
	CreatedAt  time.Time
	Message    Message

	// What has become of it; the outbox and the store fill these.
	State       NotificationState
	Attempts    int
	NextAt      time.Time // when it may be tried (again)
	LeasedUntil time.Time
	SettledAt   time.Time
}

// NotificationKey is the key of a notification: incident, level, receiver, cause and round.
func NotificationKey(incident int64, level int, receiver string, cause Cause, round int) string {
	return fmt.Sprintf("i%d.l%d.%s.%s.%d", incident, level, receiver, cause, round)
}

// NotificationState is what has become of a notification.
type NotificationState string

// The states of a notification. Sent means that the receiver's side accepted it: not that it was delivered, not that it was read.
const (
	NotificationPending    NotificationState = "pending"
	NotificationLeased     NotificationState = "leased"
	NotificationSent       NotificationState = "sent"
	NotificationGivenUp    NotificationState = "given_up"
	NotificationSuperseded NotificationState = "superseded" // it was no longer true before it could be sent
)

// Delivery is one attempt at a notification.
type Delivery struct {
	Key     string
	Attempt int
	At      time.Time
	Took    time.Duration
	OK      bool
	Outcome string // what is known, in the receiver's own words: "accepted by mail.example: 250 2.0.0 queued"
}

// Message is what a receiver is told, as facts: each kind of receiver writes it in its own form and language.
type Message struct {
	Key         string
	Cause       Cause
	Incident    int64
	Level       int
	LevelName   string
	Severity    Severity
	State       IncidentState
	Ref         inventory.Ref
	Site        string
	Zone        string `json:",omitempty"` // the site's time zone, an IANA name; empty: UTC
	Series      collectors.Series
	Title       collectors.Reason // what
	Reason      collectors.Reason // why, as the collector saw it
	Value       float64
	Tier        Tier
	OpenedAt    time.Time
	At          time.Time     // when this was decided
	ResolvedAt  time.Time     `json:",omitzero"`
	Late        time.Duration // how late the step fires, after a restart or a clock jump
	Members     int           // alarms in the incident
	Affected    []string      // what stands in its shadow, a few names
	AckBy       string
	AckNote     string
	AckUntil    time.Time `json:",omitzero"`
	NextLevel   string    // what comes next, and when; empty: nothing
	NextAt      time.Time `json:",omitzero"`
	MergedInto  int64     `json:",omitempty"` // cause merged: the incident that it is part of now
	Undelivered string    // cause fallback: the receiver that could not be reached, and why
	Digest      []Message `json:",omitempty"` // several in one; each is named and linked
}

// Receiver is a configured destination.
type Receiver struct {
	Name     string
	Kind     string
	Language collectors.Lang
}

// Receipt is what a receiver's side said when it accepted a message.
type Receipt struct {
	Outcome string // "accepted by mail.example: 250 2.0.0 queued as 4F2"
}

// Notifier tells one receiver. Notify is called by one worker at a time with a context that has a deadline. The message's Key is stable over
// attempts: a notifier passes it on, so that the other side can drop a second copy.
type Notifier interface {
	Notify(ctx context.Context, m Message) (Receipt, error)
}

// Pace is how often a receiver's side wants to be spoken to: Burst messages at once, and one more every Every. What comes faster is put
// into digests. The zero Pace has no limit.
type Pace struct {
	Burst int
	Every time.Duration
}

// Paced is implemented by a Notifier whose other side has a limit, or is a person.
type Paced interface {
	Pace() Pace
}

// ErrPermanent marks an error that another attempt cannot mend (a refused address, a wrong token).
var ErrPermanent = errors.New("permanent")

// RetryAfterError is an error that says when to try again.
type RetryAfterError struct {
	After time.Duration
	Err   error
}

// Error returns the reason.
func (e *RetryAfterError) Error() string { return fmt.Sprintf("%v (try again in %s)", e.Err, e.After) }

// Unwrap returns the reason.
func (e *RetryAfterError) Unwrap() error { return e.Err }
