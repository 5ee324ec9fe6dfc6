package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"vigia/collectors/voice"
)

const (
	callsGoal  = 15 * time.Millisecond // how long one transaction of calls should take on SQLite, where the alert path waits for it
	leastCalls = 50                    // calls in one transaction, if so many wait: what a transaction costs by itself is shared by them
	callsBatch = 2000                  // calls in one transaction on PostgreSQL, and so many that wait are written at once
	callsTime  = 5 * time.Second       // after which a flush lets the rest wait for the next one
)

// callLog takes calls, lets them wait in memory, and writes them with their hourly figures.
type callLog struct {
	db     *database
	logger *slog.Logger
	now    func() time.Time
	fence  func(context.Context, *transaction) error
	spoil  func(place, error)
	most   int           // calls that may wait
	large  chan struct{} // so many wait that they are written without waiting for the next flush

	numbers         atomic.Pointer[Numbers]
	keep            atomic.Int64 // how long calls are kept, a time.Duration
	keepIntervals   atomic.Int64
	expire, masking pace // used by one sweep at a time
	folding         pace // as these

	waiting tallyCache

	mu      sync.Mutex
	pending []*callRow
	counts  callCounts

	flushing sync.Mutex // one flush at a time; it guards what follows
	pace     pace
}

// callCounts is what Stats tells of calls.
type callCounts struct {
	taken, written, amended, dropped, refused, uncounted uint64
}

func newCallLog(db *database, cfg *Config, fence func(context.Context, *transaction) error, spoil func(place, error)) *callLog {
	l := &callLog{
		db: db, logger: cfg.Logger, now: cfg.Now, fence: fence, spoil: spoil, most: cfg.MaxPendingCalls, large: make(chan struct{}, 1),
		expire: newPace(), masking: newPace(), folding: newPace(), pace: pace{n: 2 * leastCalls, goal: callsGoal, least: leastCalls},
	}
	if db.gate == nil {
		l.pace = pace{n: callsBatch, goal: time.Hour, least: callsBatch}
		l.folding = pace{n: marginalsAtOnce, goal: time.Hour, least: marginalsAtOnce}
	}
	l.setNumbers(cfg.Numbers)
	return l
}

func (l *callLog) setNumbers(n Numbers) { l.numbers.Store(&n) }

// SetNumbers changes how much of the parties' numbers is kept: of calls that come in, and from the next sweep on of those that are stored.
func (s *Store) SetNumbers(n Numbers) { s.calls.setNumbers(n) }

// SetCallRetention changes how long calls and their intervals are kept, from the next sweep on.
func (s *Store) SetCallRetention(calls, intervals time.Duration) {
	s.calls.keep.Store(int64(calls))
	s.calls.keepIntervals.Store(int64(intervals))
}

// PutCall takes a finished call, or an amendment of one: the same ID and Start with a higher Revision replaces the call whole, and its part of
// the hourly figures; the same or a lower Revision changes nothing. It never waits for the database and keeps nothing of the call's memory.
// What cannot be a call is refused and counted. While the database is away the calls that have waited longest are dropped and counted.
func (s *Store) PutCall(c *voice.Call) {
	row, err := newCallRow(c, s.calls.masks(c.Start))
	if err != nil {
		s.cfg.Logger.Error("a call is refused", "error", err)
	}
	s.calls.take(row)
}

// CallWriter writes calls into a store: it is the tracker's Output.
type CallWriter struct{ Store *Store }

// Call takes a call.
func (w CallWriter) Call(c voice.Call) { w.Store.PutCall(&c) }

// masks reports whether the numbers of a call that began at an instant are not kept.
func (l *callLog) masks(start time.Time) bool {
	n := l.numbers.Load()
	return n.Masked && !start.After(l.now().Add(-n.MaskAfter)) || n.Masked && n.MaskAfter <= 0
}

// take lets a call wait for the next flush; nil is one that was refused.
func (l *callLog) take(row *callRow) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if row == nil {
		l.counts.refused++
		return
	}
	l.counts.taken++
	l.pending = append(l.pending, row)
	l.bound()
	if len(l.pending) >= callsBatch {
		l.hurry()
	}
}

func (l *callLog) hurry() {
	select {
	case l.large <- struct{}{}:
	default:
	}
}

// bound drops the oldest calls above the bound, an eighth of it at a time. The caller holds mu.
func (l *callLog) bound() {
	if over := len(l.pending) - l.most; over > l.most/8 {
		l.counts.dropped += uint64(over)
		l.pending = slices.Delete(l.pending, 0, over)
	}
}

func (l *callLog) waits() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.pending) > 0
}

// writeCallsOn writes calls at every flush, and sooner when many wait, until ctx ends.
func (s *Store) writeCallsOn(ctx context.Context) {
	every(ctx, s.cfg.FlushEvery, s.calls.large, func() {
		if s.calls.waits() && s.active() {
			s.try(ctx, s.FlushCalls, s.health.wrote)
		}
	})
}

// FlushCalls writes the calls that wait, now. Run does it by itself. ErrLost: another process has become the active one.
func (s *Store) FlushCalls(ctx context.Context) error { return s.calls.flush(ctx) }

// lastCalls writes what still waits when this process ends, for some seconds at most. Its error says what was not written.
func (s *Store) lastCalls(ctx context.Context) error {
	if !s.active() {
		return nil
	}
	err := s.FlushCalls(ctx)
	if left := s.Stats().CallsPending; left > 0 {
		err = errors.Join(err, fmt.Errorf("%d calls, or amendments of calls, that had just ended are not written and lost (the database was away or too slow)", left))
	}
	return err
}

// flush writes what waits, for some seconds at most.
func (l *callLog) flush(ctx context.Context) error {
	l.flushing.Lock()
	defer l.flushing.Unlock()
	for start := time.Now(); ; {
		batch := l.next(l.pace.size())
		if len(batch) == 0 {
			return nil
		}
		if left, err := l.write(ctx, batch); err != nil {
			l.putBack(left)
			return fmt.Errorf("write calls: %w", err)
		}
		if time.Since(start) > callsTime {
			l.hurry()
			return nil
		}
	}
}

// next takes the calls that have waited longest off the queue.
func (l *callLog) next(n int) []*callRow {
	l.mu.Lock()
	defer l.mu.Unlock()
	n = min(len(l.pending), n)
	batch := l.pending[:n:n]
	l.pending = l.pending[n:]
	if len(l.pending) == 0 {
		l.pending = nil
	}
	return batch
}

func (l *callLog) putBack(batch []*callRow) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pending = append(batch, l.pending...)
	l.bound()
}

// write writes a batch in one transaction. Where the database refuses something of it for good, the batch is written half by half, down to the
// call that it is. With an error it returns what is not written.
func (l *callLog) write(ctx context.Context, batch []*callRow) (left []*callRow, err error) {
	var did callCounts
	start := time.Now()
	err = l.db.within(ctx, l.db.relaxed, func(t *transaction) (err error) {
		start = time.Now() // not the wait for others
		if err := l.fence(ctx, t); err != nil {
			return err
		}
		did, err = t.writeCalls(ctx, batch, l.now(), l.spoil)
		return err
	})
	switch {
	case err == nil:
		l.pace.took(len(batch), time.Since(start))
		l.add(did)
		return nil, nil
	case !refusesData(err):
		return batch, err
	case len(batch) > 1:
		half := len(batch) / 2
		if left, err := l.write(ctx, batch[:half]); err != nil {
			return append(left, batch[half:]...), err
		}
		return l.write(ctx, batch[half:])
	}
	l.logger.Error("the database refuses a call, which is lost", slog.Group("call", "id", batch[0].call.ID, "start", batch[0].key.Start), "error", err)
	l.add(callCounts{refused: 1})
	return nil, nil
}

func (l *callLog) add(did callCounts) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts.written += did.written
	l.counts.amended += did.amended
	l.counts.refused += did.refused
	l.counts.uncounted += did.uncounted
}

// writeCalls writes those of the calls that are news, and notes what that changes in the hourly figures.
func (t *transaction) writeCalls(ctx context.Context, list []*callRow, now time.Time, spoil func(place, error)) (did callCounts, err error) {
	list = newestOfEach(list)
	stored, err := t.storedCalls(ctx, list)
	if err != nil {
		return did, err
	}
	var fresh []*callRow
	var remove statements
	for _, r := range list {
		old, there := stored[r.key]
		if there && old.call.Revision >= r.call.Revision {
			continue
		}
		if there {
			did.amended++
			remove.add(removeCallSQL, r.key.Start, r.key.hash)
			remove.add(removeIntervalsSQL, r.key.Start, r.key.hash)
		}
		fresh = append(fresh, r.replacing(old, spoil))
	}
	if err := t.run(ctx, remove); err != nil || len(fresh) == 0 {
		return did, err
	}
	if fresh, err = t.addCalls(ctx, fresh); err != nil {
		return did, err
	}
	var changes []callTally
	for _, r := range fresh {
		changes = append(changes, r.changes...)
		did.uncounted += uint64(counts(!r.counted && countsInFigures(&r.call)))
	}
	did.written = uint64(len(fresh))
	return did, t.addTallies(ctx, changes, now)
}

// replacing is the call as it is written in the place of an old one or of none, with what that changes in the hourly figures. What an old one has
// added is worked out of its row; when that is damaged, nobody knows, and the figures stay as they are.
func (r *callRow) replacing(old *callRow, spoil func(place, error)) *callRow {
	w := *r
	if old != nil && old.counted {
		err := unpackStreams(old.key, old.streams, &old.call)
		var back callTally
		if err == nil {
			back, err = newTally(&Contribution{Call: figuresOf(&old.call), Back: true})
		}
		if err != nil {
			spoil(place{callsTable, old.key.Start, old.key.hash}, err)
			w.counted = false
			return &w
		}
		w.changes = append(w.changes, back)
	}
	if w.counted {
		w.changes = append(w.changes, w.figures)
	}
	return &w
}

// newestOfEach leaves only the highest revision of each call.
func newestOfEach(list []*callRow) []*callRow {
	newest := make(map[CallKey]*callRow, len(list))
	for _, r := range list {
		if before := newest[r.key]; before == nil || before.call.Revision < r.call.Revision {
			newest[r.key] = r
		}
	}
	if len(newest) == len(list) {
		return list
	}
	return slices.DeleteFunc(slices.Clone(list), func(r *callRow) bool { return newest[r.key] != r })
}
