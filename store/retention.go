package store

import (
	"context"
	"time"
)

const (
	oldSamplesSQL = `DELETE FROM sample_log WHERE id IN (SELECT id FROM sample_log WHERE t1 < $1 ORDER BY t1 LIMIT 500)`
	// An alarm that was pending and never raised is of no interest the day after. The newest keeps its place, so that no id is used twice.
	neverRaisedSQL = `DELETE FROM alarms WHERE state = 'clear' AND raised_at IS NULL AND changed_at < $1 AND id < (SELECT MAX(id) FROM alarms)`
	logSizeSQL     = `SELECT COALESCE(MAX(id) - MIN(id) + 1, 0) FROM sample_log`
	logBeginSQL    = `SELECT t0 FROM sample_log ORDER BY t1 LIMIT 1`
)

// sweep merges the rows of hours that are over and deletes what is older than its retention, in slices that keep nobody
// waiting.
func (s *Store) sweep(ctx context.Context) error {
	now := s.cfg.Now()
	if err := s.log.merge(ctx, now); err != nil {
		return err
	}
	for {
		n, err := s.remove(ctx, oldSamplesSQL, now.Add(-time.Duration(s.retention.Load())))
		if err != nil {
			return err
		}
		if n == 0 {
			break
		}
	}
	_, err := s.remove(ctx, neverRaisedSQL, now.Add(-24*time.Hour))
	return err
}

func (s *Store) remove(ctx context.Context, text string, before time.Time) (int64, error) {
	var n int64
	err := s.db.within(ctx, s.db.relaxed, func(t *transaction) error {
		result, err := t.tx.ExecContext(ctx, text, stamp(before))
		if err != nil {
			return err
		}
		n, err = result.RowsAffected()
		return err
	})
	return n, err
}

// Stats is how the store does.
type Stats struct {
	Database  string    // which one, for people; no password
	Active    bool      // this process has taken the right to be the active one
	Up        bool      // the last work on the database succeeded
	DownSince time.Time // zero while it is up
	LastError string    // the last error there was, even when it is up again

	Series           int
	HeadSamples      int     // in memory
	SamplesPerSecond float64 // over the last flush
	Taken            uint64  // samples since start
	Written          uint64
	Refused          uint64 // were no samples
	Dropped          uint64 // were lost because the database was away
	Pending          int    // wait to be written
	LastFlush        time.Time
	FlushTook        time.Duration

	LogRows     int64
	LogBegin    time.Time // the oldest sample; zero for none
	DamagedRows int       // rows of the log that could not be read back
	Bytes       int64     // the whole database
}

// measured is what is too slow to look up for each Stats.
type measured struct {
	rows, bytes int64
	begin       time.Time
}

// measure looks up what is slow to know, and does the database's upkeep.
func (s *Store) measure(ctx context.Context) error {
	var m measured
	if err := s.db.read.QueryRowContext(ctx, logSizeSQL).Scan(&m.rows); err != nil {
		return err
	}
	if err := optional(s.db.read.QueryRowContext(ctx, logBeginSQL).Scan(instant{&m.begin})); err != nil {
		return err
	}
	if err := s.db.read.QueryRowContext(ctx, s.db.dialect.sizes).Scan(&m.bytes); err != nil {
		return err
	}
	s.mu.Lock()
	s.measured = m
	s.mu.Unlock()
	if s.db.dialect.upkeep == "" {
		return nil
	}
	_, err := s.db.read.ExecContext(ctx, s.db.dialect.upkeep)
	return err
}

// Stats tells how the store does, from memory; the size of the database is at most a minute old.
func (s *Store) Stats() Stats {
	stats := Stats{Database: s.db.target, Active: s.active()}
	stats.Up, stats.DownSince, stats.LastError = s.health.state()

	s.mu.Lock()
	stats.LogRows, stats.LogBegin, stats.Bytes = s.measured.rows, s.measured.begin, s.measured.bytes
	s.mu.Unlock()

	s.head.mu.RLock()
	stats.Series = len(s.head.series)
	for _, r := range s.head.series {
		stats.HeadSamples += len(r.points)
	}
	s.head.mu.RUnlock()

	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	c := s.log.counts
	stats.SamplesPerSecond, stats.LastFlush, stats.FlushTook = c.rate, c.lastFlush, c.flushTook
	stats.Taken, stats.Written, stats.Refused, stats.Dropped = c.taken, c.written, c.refused, c.dropped
	stats.Pending, stats.DamagedRows = len(s.log.pending), s.log.damaged
	return stats
}
