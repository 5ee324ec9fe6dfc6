package store

import (
	"context"
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
