package outbox

import (
	"context"
	"time"

	"vigia/alerting"
)

// Queue is where notifications wait: the store's outbox table, or a test's memory that fails in the middle.
type Queue interface {
	// Claim leases up to limit notifications that are due at now, worst severity and oldest first, until now+lease, and raises their
	// Attempts by one. A notification whose lease ran out is due again. Receivers in busy are left alone.
	Claim(ctx context.Context, now time.Time, lease time.Duration, limit int, busy []string) ([]alerting.Notification, error)
	// Settle records attempts and what follows from them, in one transaction: sent, given up, or pending again at NextAt. Sent counts whenever
	// it comes, also for a notification that was given up: what a receiver had missed may reach it later. Any other outcome counts only for
	// the attempt that holds the lease.
	Settle(ctx context.Context, results []Result) error
	// NextDue is when the earliest waiting notification becomes due; zero when none waits.
	NextDue(ctx context.Context) (time.Time, error)
}

// Result is one attempt and what follows from it.
type Result struct {
	Delivery alerting.Delivery
	State    alerting.NotificationState // sent, given_up, or pending for another attempt
	NextAt   time.Time                  // when pending: the next attempt
}
