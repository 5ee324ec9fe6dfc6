package alerting

import (
	"time"

	"vigia/collectors"
	"vigia/collectors/inventory"
)

// Fixed times of the engine's rules.
const (
	// ParentGrace is how long a child waits for its own recovery after its parent came back, before it opens an incident of its own;
	// never less than two of the child's periods.
	ParentGrace = 30 * time.Second
	// ParentWait is how long, at most, a child that is due to be raised waits for the verdict on a parent that is itself breaching.
	ParentWait = 30 * time.Second
	// LateAfter is how late a step may fire before it says so.
	LateAfter = 2 * time.Second
	// FutureLimit is how far ahead of the clock a sample's stamp may be; further ahead it is refused.
	FutureLimit = 5 * time.Minute
	// PastLimit is how old a sample may be, or three of its periods, to be judged; older ones correct history and page for nothing.
	PastLimit = 5 * time.Minute
	// UntoldAfter is how long a step may be overdue before the auditor counts its incident.
	UntoldAfter = time.Minute
	// ConfirmSlack is how long the immediate probes may take beyond their own spacing before a level that has no "for" is raised without them.
	ConfirmSlack = 10 * time.Second
)

// AccountManager is the receiver name that stands for the account managers of the customer that an incident is about.
const AccountManager = "account_manager"

// Input is what came since the last plan. A plan on an empty Input is a tick: it does what is due.
type Input struct {
	Samples  []collectors.Sample // in order of arrival; of one series in order of time
	Commands []Command           // in order of Seq
	Settled  []Settled
	// Reloaded says that the Config is another than at the last plan. The first plan is one too.
	Reloaded bool
	// Jump is how far the wall clock ran ahead of (or fell behind) the monotonic one since the last plan; zero when it did not.
	Jump time.Duration
}

// Empty reports whether it is a mere tick.
func (in *Input) Empty() bool {
	return len(in.Samples) == 0 && len(in.Commands) == 0 && len(in.Settled) == 0 && !in.Reloaded && in.Jump == 0
}

// ConfirmRequest asks the scheduler to probe again at once.
type ConfirmRequest struct {
	Check  collectors.CheckID
	Series collectors.Series
	Probes int
	Every  time.Duration
}

// Planned is what Plan decided: the Change, and what is not stored. It belongs to the State that it was planned on and holds until the
// next Plan on that State.
type Planned struct {
	Change   Change
	Confirms []ConfirmRequest    // for the scheduler, once the Change is applied
	Samples  []collectors.Sample // about Vigía itself; for the store and for the next Input
	Late     int                 // samples ignored because a newer one of their series, or far newer ones, had been judged
	Refused  int                 // samples refused: not finite, or stamped too far ahead

	input   Input
	cfg     *Config
	now     time.Time
	seen    []*track          // series that have a sample in this input
	fresh   []*track          // series that were never seen
	gone    []*track          // series of checks that were removed
	dropped map[checkKey]bool // after a reload: the checks that were removed
}

// checkKey names a check by what it looks after and its name.
type checkKey struct {
	ref      inventory.Ref
	instance string
}

// checkOf is the check that feeds a series.
func checkOf(s collectors.Series) checkKey {
	id := s.Check()
	return checkKey{id.Ref, id.Instance}
}
