package alerting

import "time"

// Policy is an escalation policy: ordered levels, who is told and after which delay. An incident keeps the copy that was valid when it opened.
type Policy struct {
	Name       string
	Levels     []Level
	AckTimeout time.Duration // how long an acknowledgement holds when the person gave no end; zero: until resolved
	Fallback   string        // the receiver that hears of what could not be delivered
	Group      Group         // alarms that share one incident
	Reopen     time.Duration // an alarm that rises again so soon after its incident was resolved opens that one again; zero: never
}

// Group says which alarms are taken as one trouble: those that have By in common and rise within Within after the incident opened.
type Group struct {
	By     GroupBy
	Within time.Duration
}

// GroupBy is what alarms of one incident have in common.
type GroupBy string

// What alarms can be grouped by. A link stands for itself and for what depends on it at once, a site for everything in it.
const (
	GroupByNone   GroupBy = ""
	GroupByObject GroupBy = "object"
	GroupBySite   GroupBy = "site"
	GroupByLink   GroupBy = "link"
	GroupByTrunk  GroupBy = "trunk"
)

// MaxReopen is the longest Reopen: what is older is not kept for it.
const MaxReopen = 24 * time.Hour

// GroupWithin is for how long an incident takes in alarms when its policy does not say.
const GroupWithin = 5 * time.Minute

// Level is one step of a policy.
type Level struct {
	Name        string
	After       time.Duration // since the incident opened
	MinSeverity Severity
	Notify      []string      // receivers, AccountManager, OnCallPrefix and a rotation, PersonPrefix and a person
	AfterHours  []string      `json:",omitempty"` // those that are told instead outside business hours; empty: Notify at all times
	Repeat      time.Duration // zero: told once, but the last level repeats every DefaultRepeat
}

// DefaultRepeat is how often the last level is told again when it says nothing else.
const DefaultRepeat = 30 * time.Minute

// RepeatEvery is how often level i is told again until someone has it; zero for never.
func (p Policy) RepeatEvery(i int) time.Duration {
	if i < 0 || i >= len(p.Levels) {
		return 0
	}
	if r := p.Levels[i].Repeat; r > 0 {
		return r
	}
	if i == len(p.Levels)-1 {
		return DefaultRepeat
	}
	return 0
}
