package outbox_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"vigia/alerting"
	"vigia/alerting/outbox"
)

// memory is a Queue that fails when it is told to, and that outlives the process that uses it.
type memory struct {
	mu          sync.Mutex
	rows        map[string]*alerting.Notification
	deliveries  []alerting.Delivery
	failClaims  int  // that many claims fail, after which nothing happened
	failSettles int  // that many settles fail; -1: all
	away        bool // everything fails: the process that asks is dead to us
}

var errAway = errors.New("database is away")

func newMemory() *memory { return &memory{rows: map[string]*alerting.Notification{}} }

// add puts a notification in, due at once.
func (q *memory) add(receiver string, incident int, severity alerting.Severity) string {
	return q.addCause(receiver, incident, severity, alerting.CauseOpened)
}

func (q *memory) addCause(receiver string, incident int, severity alerting.Severity, cause alerting.Cause) string {
	q.mu.Lock()
	defer q.mu.Unlock()
	key := alerting.NotificationKey(int64(incident), 1, receiver, cause, 0)
	q.rows[key] = &alerting.Notification{
		Key: key, IncidentID: int64(incident), Receiver: receiver, Cause: cause, Severity: severity, CreatedAt: time.Now(),
		State: alerting.NotificationPending, Message: alerting.Message{Cause: cause, Incident: int64(incident), Severity: severity},
	}
	return key
}

// Claim does what Queue says.
func (q *memory) Claim(_ context.Context, now time.Time, lease time.Duration, limit int, busy []string) ([]alerting.Notification, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.away || q.failClaims > 0 {
		q.failClaims--
		return nil, errAway
	}
	var due []*alerting.Notification
	for _, n := range q.rows {
		if !q.due(n).IsZero() && !q.due(n).After(now) && !slices.Contains(busy, n.Receiver) {
			due = append(due, n)
		}
	}
	slices.SortFunc(due, func(a, b *alerting.Notification) int {
		return cmp.Or(-cmp.Compare(a.Severity, b.Severity), a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.Key, b.Key))
	})
	var claimed []alerting.Notification
	for _, n := range due[:min(limit, len(due))] {
		n.State, n.LeasedUntil = alerting.NotificationLeased, now.Add(lease)
		n.Attempts++
		claimed = append(claimed, *n)
	}
	return claimed, nil
}

// due is when a notification may be claimed; zero for one that is settled.
func (q *memory) due(n *alerting.Notification) time.Time {
	switch n.State {
	case alerting.NotificationPending:
		return cmp.Or(n.NextAt, n.CreatedAt)
	case alerting.NotificationLeased:
		return n.LeasedUntil
	}
	return time.Time{}
}

// Settle does what Queue says.
func (q *memory) Settle(_ context.Context, results []outbox.Result) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.away || q.failSettles != 0 {
		q.failSettles--
		return errAway
	}
	for _, r := range results {
		q.deliveries = append(q.deliveries, r.Delivery)
		n := q.rows[r.Delivery.Key]
		if r.State == alerting.NotificationSent || n.State == alerting.NotificationLeased {
			n.State, n.NextAt = r.State, r.NextAt
		}
	}
	return nil
}

// NextDue does what Queue says.
func (q *memory) NextDue(context.Context) (time.Time, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.away {
		return time.Time{}, errAway
	}
	var next time.Time
	for _, n := range q.rows {
		if at := q.due(n); !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	return next, nil
}

// states counts the rows by state.
func (q *memory) states() map[alerting.NotificationState]int {
	q.mu.Lock()
	defer q.mu.Unlock()
	counts := map[alerting.NotificationState]int{}
	for _, n := range q.rows {
		counts[n.State]++
	}
	return counts
}

func (q *memory) outcomes(key string) []string {
	q.mu.Lock()
	defer q.mu.Unlock()
	var list []string
	for _, d := range q.deliveries {
		if d.Key == key {
			list = append(list, fmt.Sprintf("%d %v %s", d.Attempt, d.OK, d.Outcome))
		}
	}
	return list
}

// ear is a receiver that remembers what it heard, and answers as it is told.
type ear struct {
	mu     sync.Mutex
	heard  []alerting.Message
	at     []time.Time
	answer func(ctx context.Context, m alerting.Message) error // nil: accepts
	pace   alerting.Pace
	now    int
	most   int // how many calls were under way at one time
}

// Pace is the ear's pace.
func (e *ear) Pace() alerting.Pace { return e.pace }

// Notify hears.
func (e *ear) Notify(ctx context.Context, m alerting.Message) (alerting.Receipt, error) {
	e.mu.Lock()
	answer := e.answer
	e.heard, e.at = append(e.heard, m), append(e.at, time.Now())
	e.now++
	e.most = max(e.most, e.now)
	e.mu.Unlock()
	defer func() {
		e.mu.Lock()
		e.now--
		e.mu.Unlock()
	}()
	if answer != nil {
		if err := answer(ctx, m); err != nil {
			return alerting.Receipt{}, err
		}
	}
	return alerting.Receipt{Outcome: "heard"}, nil
}

func (e *ear) set(answer func(context.Context, alerting.Message) error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.answer = answer
}

func (e *ear) keys() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var keys []string
	for _, m := range e.heard {
		keys = append(keys, m.Key)
	}
	return keys
}

// run starts an outbox and returns a way to stop it and wait.
func run(t *testing.T, cfg outbox.Config) (*outbox.Outbox, func()) {
	t.Helper()
	if cfg.Jitter == nil {
		cfg.Jitter = func() float64 { return 0.5 }
	}
	o := outbox.New(cfg)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- o.Run(ctx) }()
	return o, func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	}
}
