package outbox

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"time"

	"vigia/alerting"
)

// What is here decides with values: no clock, no queue.

const (
	firstRetry  = time.Second
	longestRest = 5 * time.Minute
	minFailures = 2 // a receiver is not failing before its second failure
)

// backoff is how long a receiver rests after that many failures in a row: from three quarters to five quarters of 1 s, 2 s, 4 s …, and
// never more than longestRest. Jitter is from [0, 1).
func backoff(failures int, jitter float64) time.Duration {
	d := firstRetry
	for i := 1; i < failures && d < longestRest; i++ {
		d *= 2
	}
	return min(time.Duration(float64(d)*(0.75+jitter/2)), longestRest)
}

// failing is a receiver's run of failures; the zero value is a receiver that is well, as far as is known.
type failing struct {
	since time.Time // when the first of them began
	count int
	last  string
}

// verdict is what follows from one attempt.
type verdict struct {
	state alerting.NotificationState
	rest  time.Time // nothing is sent to the receiver before
	down  bool      // it failed in a way that would meet every other message too
	keep  bool      // given up, but another attempt may still mend it
}

// judge decides what follows from an attempt that began at start and ended at end with err. The receiver's failures include this one.
func judge(err error, end time.Time, f failing, giveUpAfter time.Duration, jitter float64) verdict {
	switch {
	case err == nil:
		return verdict{state: alerting.NotificationSent}
	case errors.Is(err, alerting.ErrPermanent):
		return verdict{state: alerting.NotificationGivenUp}
	}
	asked := time.Duration(0)
	if later := (*alerting.RetryAfterError)(nil); errors.As(err, &later) {
		asked = min(later.After, longestRest)
	}
	failingFor := end.Sub(f.since)
	if f.count >= minFailures && failingFor >= giveUpAfter || asked > giveUpAfter {
		return verdict{state: alerting.NotificationGivenUp, rest: end.Add(asked), down: true, keep: true}
	}
	rest := backoff(f.count, jitter)
	if left := giveUpAfter - failingFor; left > 0 {
		rest = min(rest, left) // the last attempt falls on the moment when it would be given up
	}
	return verdict{state: alerting.NotificationPending, rest: end.Add(max(rest, asked)), down: true}
}

// parcel is what one send carries: one notification, or several as a digest.
type parcel struct {
	message alerting.Message
	members []alerting.Notification
}

// pack makes parcels of what is due to one receiver: one each, or one digest when they are more than most.
func pack(due []alerting.Notification, most int, now time.Time) []parcel {
	if len(due) > 1 && len(due) > most {
		return []parcel{{digest(alerting.CauseDigest, due, now), due}}
	}
	parcels := make([]parcel, len(due))
	for i, n := range due {
		parcels[i] = parcel{messageOf(n), due[i : i+1]}
	}
	return parcels
}

func messageOf(n alerting.Notification) alerting.Message {
	n.Message.Key = n.Key
	return n.Message
}

// digest is one message that holds several. Its key follows from theirs, whatever their order.
func digest(cause alerting.Cause, members []alerting.Notification, now time.Time) alerting.Message {
	m := alerting.Message{Cause: cause, At: now}
	keys := make([]string, len(members))
	for i, n := range members {
		keys[i] = n.Key
		m.Severity = max(m.Severity, n.Severity)
		m.Digest = append(m.Digest, messageOf(n))
	}
	slices.Sort(keys)
	sum := sha256.Sum256([]byte(strings.Join(keys, "\n")))
	m.Key = string(cause) + "." + hex.EncodeToString(sum[:12])
	return m
}

// bucket is how much may be said at once: Burst tokens, one more every Every. The zero Pace is without limit.
type bucket struct {
	tokens float64
	at     time.Time
}

// fill brings the bucket up to now and returns how many tokens there are; many when there is no limit.
func (b *bucket) fill(p alerting.Pace, now time.Time) int {
	if p.Burst <= 0 || p.Every <= 0 {
		return many
	}
	if b.at.IsZero() {
		b.tokens = float64(p.Burst)
	} else {
		b.tokens = min(b.tokens+float64(now.Sub(b.at))/float64(p.Every), float64(p.Burst))
	}
	b.at = now
	return int(b.tokens + 1e-6)
}

// next is when there is a token again.
func (b *bucket) next(p alerting.Pace) time.Time {
	return b.at.Add(time.Duration((1 - b.tokens) * float64(p.Every)))
}

const many = 1 << 30

// missed is what a receiver could not be told while it was failing: the newest message of each incident.
type missed struct {
	list  map[int64]alerting.Notification
	tries int
	at    time.Time // when it is offered again
}

const (
	maxMissed = 200
	missedFor = 24 * time.Hour
)

func (m *missed) keep(n alerting.Notification) {
	if n.Cause == alerting.CauseTest {
		return
	}
	if m.list == nil {
		m.list = map[int64]alerting.Notification{}
	}
	if old, ok := m.list[n.IncidentID]; ok && old.CreatedAt.After(n.CreatedAt) {
		return
	}
	m.list[n.IncidentID] = n
	if len(m.list) > maxMissed {
		delete(m.list, m.oldest().IncidentID)
	}
}

func (m *missed) oldest() alerting.Notification {
	sorted := m.sorted()
	return sorted[0]
}

// told forgets what is older than a message of the same incident that has just arrived.
func (m *missed) told(n alerting.Notification) {
	if old, ok := m.list[n.IncidentID]; ok && !old.CreatedAt.After(n.CreatedAt) {
		delete(m.list, n.IncidentID)
	}
}

// due lists what is offered now, oldest first, and forgets what nobody wants to hear any more.
func (m *missed) due(now time.Time) []alerting.Notification {
	for id, n := range m.list {
		if now.Sub(n.CreatedAt) > missedFor {
			delete(m.list, id)
		}
	}
	return m.sorted()
}

func (m *missed) sorted() []alerting.Notification {
	list := make([]alerting.Notification, 0, len(m.list))
	for _, n := range m.list {
		list = append(list, n)
	}
	slices.SortFunc(list, func(a, b alerting.Notification) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.Key, b.Key))
	})
	return list
}
