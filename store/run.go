package store

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"time"
)

const (
	lookEvery    = time.Second     // at what other processes have changed
	measureEvery = time.Minute     // the size of the log
	sweepEvery   = time.Minute     // through what is to become chunks and what is too old
	shutdownTime = 5 * time.Second // for the last flush
)

// Run fills the head, writes samples, follows other processes, makes chunks of the log and deletes what is too old, until ctx ends; then it
// writes what still waits and returns. While the database is away it keeps trying. It returns nil unless the last flush fails.
func (s *Store) Run(ctx context.Context) error {
	var others sync.WaitGroup
	others.Go(func() { s.fillHead(ctx) })
	others.Go(func() { s.sweepOn(ctx) })
	others.Go(func() { s.comeBackOn(ctx) })
	others.Go(func() { s.writeCallsOn(ctx) })
	s.loop(ctx)
	others.Wait()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
	defer cancel()
	err := s.Flush(last)
	if errors.Is(err, ErrLost) {
		err = s.Flush(last) // as the one that it is now
	}
	return errors.Join(err, s.lastCalls(last))
}

func (s *Store) fillHead(ctx context.Context) {
	for wait := time.Second; ; wait = min(2*wait, time.Minute) {
		err := s.log.replay(ctx, s.cfg.Now())
		if err == nil || ctx.Err() != nil {
			return
		}
		s.health.looked(err) //nolint:errcheck // noting it is all that is to be done before the next attempt
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

func (s *Store) loop(ctx context.Context) {
	flush, look := time.NewTicker(s.cfg.FlushEvery), time.NewTicker(lookEvery)
	measure := time.NewTicker(measureEvery)
	for _, t := range []*time.Ticker{flush, look, measure} {
		defer t.Stop()
	}
	s.attempt(ctx, s.measure)
	s.keepSpare()
	for {
		select {
		case <-ctx.Done():
			return
		case <-flush.C:
			s.flush(ctx)
		case <-look.C:
			s.attempt(ctx, s.look)
			s.mirror.catchUp(ctx, s.cfg.Now())
			if !s.active() || s.log.isBehind() {
				s.attempt(ctx, s.log.follow)
			}
		case <-measure.C:
			s.attempt(ctx, s.measure)
			s.keepSpare()
		}
	}
}

// keepSpare takes the room for a start again, once the active process can write.
func (s *Store) keepSpare() {
	if up, _, _ := s.health.state(); up && s.active() {
		s.spare.keep()
	}
}

// sweepOn makes chunks and deletes, as long as it takes: nobody waits for it, and it gives way to every other writer.
func (s *Store) sweepOn(ctx context.Context) {
	every(ctx, sweepEvery, nil, func() {
		if s.active() { // one process is enough
			if err := s.sweep(ctx); ctx.Err() == nil && !errors.Is(err, ErrLost) {
				s.health.looked(err) //nolint:errcheck // the next tick goes on; Stats and the log say what is wrong
			}
		}
	})
}

// every does a piece of work again and again, and at once when it is woken, until ctx ends.
func every(ctx context.Context, period time.Duration, wake <-chan struct{}, work func()) {
	tick := time.NewTicker(period)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-wake:
		}
		work()
	}
}

// flush writes what waits, and knows by that whether the database takes writes.
func (s *Store) flush(ctx context.Context) {
	note := s.health.looked
	if s.log.waits() {
		note = s.health.wrote
	}
	s.try(ctx, s.Flush, note)
}

// attempt does one piece of work that may write nothing.
func (s *Store) attempt(ctx context.Context, work func(context.Context) error) {
	s.try(ctx, work, s.health.looked)
}

// try does one piece of work, not for too long, and notes how it went.
func (s *Store) try(ctx context.Context, work func(context.Context) error, note func(error) error) {
	limited, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := work(limited); ctx.Err() == nil && !errors.Is(err, ErrLost) { // a right that is lost says nothing about the database
		note(err) //nolint:errcheck // the loop goes on; Stats and the log say what is wrong
	}
}

// optional turns "no row" into no error.
func optional(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	return err
}
