package alerting

import (
	"context"
	"errors"
	"time"

	"vigia/collectors"
	"vigia/collectors/inventory"
)

// Command is what a person decided. It is an idempotent row that any process may write; the active engine plans it in order.
type Command struct {
	ID         string // chosen by the caller: the same id twice is one command
	Seq        int64  // the order, given by the store
	Kind       CommandKind
	IncidentID int64
	Actor      string
	Note       string
	Until      time.Time // acknowledge, assign, snooze: when it expires; zero: the policy's ack_timeout
	CreatedAt  time.Time
	Assignee   string       `json:",omitempty"` // assign: who has it from now on
	Mute       *Mute        `json:",omitempty"` // silence, maintenance: what the engine makes one of
	MuteID     int64        `json:",omitempty"` // cancel_mute: which
	OnCall     *OnCallOrder `json:",omitempty"` // of the commands about who is on call
}

// CommandKind is what a command asks for.
type CommandKind string

// The commands of this version.
const (
	CommandAcknowledge   CommandKind = "acknowledge"
	CommandUnacknowledge CommandKind = "unacknowledge"
	CommandComment       CommandKind = "comment"
	CommandEscalate      CommandKind = "escalate" // the next level now
	CommandResolve       CommandKind = "resolve"  // close an incident whose alarms can never clear (a deleted check)
	CommandAssign        CommandKind = "assign"   // acknowledge for somebody else
	CommandSnooze        CommandKind = "snooze"   // put it off until then: nobody has it, and nobody is paged before
	CommandSilence       CommandKind = "silence"
	CommandMaintenance   CommandKind = "maintenance"
	CommandCancelMute    CommandKind = "cancel_mute"
	CommandAdopt         CommandKind = "adopt" // take an incident of a process that was replaced (Orphan); no person gives it
)

// CommandResult is what became of a command.
type CommandResult struct {
	ID     string
	Seq    int64
	At     time.Time
	OK     bool
	Reason collectors.Reason // why not
	Made   int64             `json:",omitempty"` // the id of what it made: a mute
}

// Settled tells the engine what became of a notification, so that the timeline, the fallback and the alarms can follow.
type Settled struct {
	Key      string
	State    NotificationState
	Delivery Delivery
}

// Change is everything that one plan decided. It is applied whole or not at all.
type Change struct {
	At            time.Time
	Alarms        []Alarm        // whole rows, inserted or replaced; a clear one is kept as history
	Incidents     []Incident     // whole rows, inserted or replaced
	Events        []Event        // inserted
	Notifications []Notification // inserted; a key that is there already stays as it is
	Supersede     []string       // keys of notifications that are no longer true; those not yet sent are not sent
	Commands      []CommandResult
	Mutes         []Mute         `json:",omitempty"` // whole rows, inserted or replaced
	Overrides     []Override     `json:",omitempty"` // whole rows, inserted or replaced
	Handovers     []HandoverNote `json:",omitempty"` // inserted; an id that is there already stays as it is
}

// Empty reports whether there is nothing to apply.
func (c *Change) Empty() bool {
	return len(c.Alarms) == 0 && len(c.Incidents) == 0 && len(c.Events) == 0 && len(c.Notifications) == 0 &&
		len(c.Supersede) == 0 && len(c.Commands) == 0 && len(c.Mutes) == 0 && len(c.Overrides) == 0 && len(c.Handovers) == 0
}

// ErrDeposed says that another process has become the active one. A Journal that returns it will take no Change of this engine again.
var ErrDeposed = errors.New("another process has become the active one")

// Journal makes a Change durable, in one transaction, or fails and leaves nothing behind. It is where a lost lease shows: ErrDeposed.
type Journal interface {
	Apply(ctx context.Context, c Change) error
}

// Snapshot is what the engine starts from: everything that is not over.
type Snapshot struct {
	Alarms        []Alarm        // not clear
	Incidents     []Incident     // live ones
	Closed        []Incident     // resolved, and their policy may open them again
	Notifications []Notification // of live incidents, not yet settled
	Settled       []Settled      // given up, and the process ended before the engine had heard of it
	Mutes         []Mute         // that may still turn on
	NextMute      int64
	NextAlarm     int64 // first free ids
	NextIncident  int64
	NextEvent     int64
	LastCommand   int64      // Seq of the last command that was planned
	Overrides     []Override // that have not ended
}

// Config is what the engine decides by. It is immutable and replaced whole on reload; open incidents keep their frozen policy.
type Config struct {
	Inventory *inventory.Inventory
	Rules     *Rules
	Policies  map[string]Policy
	// PolicyOf names the policy of an object that has its own (a customer); empty: the threshold's, else DefaultPolicy.
	PolicyOf      func(inventory.Ref) string
	DefaultPolicy string
	// Expected lists the series that checks feed, so that one that never came is "no data" too.
	Expected []Expected
	// Resolve names the receivers that stand for AccountManager when the incident is about ref; nil: the name is a receiver itself.
	Resolve func(ref inventory.Ref, receiver string) []string
	// Schedule says who is on call and when it is business hours; nil: there are no rotations.
	Schedule *Schedule
}

// knows reports whether the inventory has ref. Without an inventory, and of kinds that it does not index, everything is known.
func (c *Config) knows(ref inventory.Ref) bool {
	inv := c.Inventory
	if inv == nil {
		return true
	}
	switch ref.Kind {
	case inventory.KindSite:
		return inv.Site(ref.Name) != nil
	case inventory.KindLink:
		return inv.Link(ref.Name) != nil
	case inventory.KindServer:
		return inv.Server(ref.Name) != nil
	case inventory.KindService:
		return inv.Service(ref.Name) != nil
	case inventory.KindTrunk:
		return inv.Trunk(ref.Name) != nil
	}
	return true
}

// Expected is a series that a check should feed.
type Expected struct {
	Series collectors.Series
	Every  time.Duration
}
