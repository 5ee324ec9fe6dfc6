package store

import (
	"context"
	"errors"
	"time"
)

// Sweep does at once what Run does every minute.
func (s *Store) Sweep(ctx context.Context) error { return s.sweep(ctx) }

// LongestSlice is how long the longest transaction of the compaction has taken.
func (s *Store) LongestSlice() time.Duration { return s.chunks.longest }

// Measure does at once what Run does every minute.
func (s *Store) Measure(ctx context.Context) error { return s.measure(ctx) }

// Replay fills the head, as Run does at its beginning.
func (s *Store) Replay(ctx context.Context) error { return s.log.replay(ctx, s.cfg.Now()) }

// Follow reads what other processes have written, as Run does every second.
func (s *Store) Follow(ctx context.Context) error { return s.log.follow(ctx) }

// Deposed makes this process one whose right was given to another.
func (s *Store) Deposed() {
	s.ask()
	s.drop(s.fenceEpoch())
}

// ComeBack does at once what Run does every second while the database is away.
func (s *Store) ComeBack(ctx context.Context) error { return s.comeBack(ctx) }

// Forget closes the local journal without giving the database what it holds.
func (s *Store) Forget() {
	s.away.close()
}

// AddMarginals changes the hourly figures at once, without calls: all of it or nothing.
func (s *Store) AddMarginals(ctx context.Context, list []Contribution) error {
	rows := map[marginalKey]*sums{}
	for i := range list {
		t, err := newTally(&list[i])
		if err != nil {
			return err
		}
		t.addTo(rows)
	}
	return s.calls.slice(ctx, &pace{}, 0, func(t *transaction) error { return t.addMarginals(ctx, changesOf(rows)) })
}

// Fold adds what waits to the hourly figures, as Run does after some minutes, so many rows in one transaction, and fails before the transaction
// of a number: 0 is the first one, a negative number none.
func (s *Store) Fold(ctx context.Context, rows, fails int) error {
	l, fence := s.calls, s.calls.fence
	defer func() { l.fence = fence }()
	l.fence = func(ctx context.Context, t *transaction) error {
		if fails--; fails == -1 {
			return errors.New("the test ends it here")
		}
		return fence(ctx, t)
	}
	if rows > 0 {
		l.folding = pace{rows, time.Hour, rows}
	}
	return l.fold(ctx, s.cfg.Now().Add(foldEvery))
}

// LastCalls does what Run does about calls when it ends.
func (s *Store) LastCalls(ctx context.Context) error { return s.lastCalls(ctx) }
