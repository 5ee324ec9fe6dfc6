package pagerduty

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"vigia/alerting"
)

// together is how many events of a digest are on their way at once.
const together = 8

// sendAll sends the events of a digest: those of one incident in their order, the worst incidents first. What was taken before is left out.
// After an error that another attempt may mend nothing new is begun.
func (n *notifier) sendAll(ctx context.Context, items []alerting.Message) (alerting.Receipt, error) {
	group, going := errgroup.WithContext(ctx)
	group.SetLimit(together)
	b := batch{n: n}
	for _, events := range byIncident(items) {
		group.Go(func() error { return b.tell(ctx, going, events) })
	}
	err := group.Wait()
	if refusal := b.refusal.Load(); err == nil && refusal != nil {
		err = *refusal
	}
	if err != nil {
		return alerting.Receipt{}, fmt.Errorf("%d of %d events were taken: %w", b.accepted.Load(), len(items), err)
	}
	for _, m := range items {
		n.served.Forget(m.Key)
	}
	return alerting.Receipt{Outcome: fmt.Sprintf("accepted: %d events", len(items))}, nil
}

// batch is a digest's events on their way.
type batch struct {
	n                 *notifier
	accepted, refused atomic.Int64
	refusal           atomic.Pointer[error] // the last one for good
}

// tell sends the events of one incident as long as going is. An event that is refused for good keeps no other back, and is no error yet.
func (b *batch) tell(ctx, going context.Context, events []alerting.Message) error {
	for _, m := range events {
		if b.n.served.Has(m.Key, "") {
			b.accepted.Add(1)
			continue
		}
		if going.Err() != nil || b.hopeless() {
			return going.Err()
		}
		_, err := b.n.send(ctx, m)
		switch {
		case err == nil:
			b.n.served.Note(m.Key, "")
			b.accepted.Add(1)
		case errors.Is(err, alerting.ErrPermanent):
			b.refusal.Store(&err)
			b.refused.Add(1)
		default:
			return err
		}
	}
	return nil
}

// hopeless reports whether everything is refused for good: a wrong key need not be tried for each event.
func (b *batch) hopeless() bool { return b.accepted.Load() == 0 && b.refused.Load() >= together }

// byIncident sorts the messages of a digest: by severity, then by incident, then by time. What is about no incident stands alone.
func byIncident(items []alerting.Message) [][]alerting.Message {
	var groups [][]alerting.Message
	at := map[int64]int{}
	for _, m := range items {
		m.Digest = nil
		i, known := at[m.Incident]
		if !known || m.Incident == 0 {
			at[m.Incident] = len(groups)
			groups = append(groups, []alerting.Message{m})
			continue
		}
		groups[i] = append(groups[i], m)
	}
	worst := func(group []alerting.Message) alerting.Severity {
		return slices.MaxFunc(group, func(a, b alerting.Message) int { return cmp.Compare(a.Severity, b.Severity) }).Severity
	}
	slices.SortStableFunc(groups, func(a, b []alerting.Message) int { return cmp.Compare(worst(b), worst(a)) })
	for _, group := range groups {
		slices.SortStableFunc(group, func(a, b alerting.Message) int { return a.At.Compare(b.At) })
	}
	return groups
}
