package store

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"time"
)

const (
	// The newest row keeps its place, so that no number is used twice.
	oldSamplesSQL = `DELETE FROM sample_log WHERE id < (SELECT MAX(id) FROM sample_log)
		AND id IN (SELECT id FROM sample_log WHERE t0 < $1 AND t1 < $1 ORDER BY t0 LIMIT 500)`
	// An alarm that was pending and never raised is of no interest the day after. The newest keeps its place, so that no id is used twice.
	neverRaisedSQL = `DELETE FROM alarms WHERE state = 'clear' AND raised_at IS NULL AND changed_at < $1 AND id < (SELECT MAX(id) FROM alarms)`
	logSizeSQL     = `SELECT COUNT(*), MIN(t0) FROM sample_log`
	// The oldest chunk begins with its hour or day, the oldest sample there ever was may be a little later.
	chunksBeginSQL = `SELECT (SELECT oldest FROM sample_compaction), (SELECT MIN(t0) FROM sample_hours), (SELECT MIN(t0) FROM sample_days)`

	oldestHourSQL = `SELECT MIN(t0) FROM sample_hours WHERE t0 <= $1`
	oldestDaySQL  = `SELECT MIN(t0) FROM sample_days WHERE t0 <= $1`
	expireHourSQL = `DELETE FROM sample_hours WHERE t0 = $1
		AND series < COALESCE((SELECT series FROM sample_hours WHERE t0 = $1 ORDER BY series LIMIT 1 OFFSET $2), 9223372036854775807)`
	expireDaySQL = `DELETE FROM sample_days WHERE t0 = $1
		AND series < COALESCE((SELECT series FROM sample_days WHERE t0 = $1 ORDER BY series LIMIT 1 OFFSET $2), 9223372036854775807)`
	expireRollupSQL = `DELETE FROM sample_rollup_1d WHERE series = $1 AND day < $2`
)

// expireEvery is how often what is too old is looked for: what is kept for days can stay for so long more.
const expireEvery = 10 * time.Minute

// sweep makes chunks of what is over and deletes what is older than its retention, in slices that keep nobody waiting. One runs at a time.
func (s *Store) sweep(ctx context.Context) error {
	now := s.cfg.Now()
	if err := s.chunks.compact(ctx, now); err != nil {
		return fmt.Errorf("make hour chunks: %w", err)
	}
	if err := s.chunks.fold(ctx, now); err != nil {
		return fmt.Errorf("make day chunks: %w", err)
	}
	if err := s.sweepCalls(ctx, now); err != nil { // a number is masked when it is to be
		return err
	}
	limits := [2]int64{s.retention.Load(), s.rollupRetention.Load()}
	if passed := now.Sub(s.chunks.expired); passed >= 0 && passed < expireEvery && limits == s.chunks.expiredBy {
		return nil
	}
	if err := s.expire(ctx, now); err != nil {
		return err
	}
	s.chunks.expired, s.chunks.expiredBy = now, limits
	return nil
}

// expire deletes what is older than its retention at an instant.
func (s *Store) expire(ctx context.Context, now time.Time) error {
	if err := s.expireSamples(ctx, now.Add(-time.Duration(s.retention.Load()))); err != nil {
		return fmt.Errorf("delete old samples: %w", err)
	}
	if err := s.chunks.expireRollups(ctx, now.Add(-time.Duration(s.rollupRetention.Load()))); err != nil {
		return fmt.Errorf("delete old daily figures: %w", err)
	}
	_, err := s.remove(ctx, neverRaisedSQL, now.Add(-24*time.Hour))
	return err
}

// expireSamples deletes rows and chunks that have nothing left that is not older than an instant.
func (s *Store) expireSamples(ctx context.Context, before time.Time) error {
	for {
		n, err := s.remove(ctx, oldSamplesSQL, before)
		if err != nil {
			return err
		}
		if n == 0 {
			break
		}
	}
	if err := s.chunks.expireChunks(ctx, oldestHourSQL, expireHourSQL, before.Add(-time.Hour)); err != nil {
		return err
	}
	return s.chunks.expireChunks(ctx, oldestDaySQL, expireDaySQL, before.Add(-dayLong))
}

// expireChunks deletes chunks that begin at an instant or before, slice by slice.
func (c *compactor) expireChunks(ctx context.Context, oldestSQL, expireSQL string, last time.Time) error {
	for {
		var t0 time.Time
		if err := c.db.read.QueryRowContext(ctx, oldestSQL, stamp(last)).Scan(instant{&t0}); err != nil || t0.IsZero() {
			return err
		}
		most := c.expire.size()
		err := c.slice(ctx, &c.expire, func(t *transaction) (int, error) {
			result, err := t.tx.ExecContext(ctx, expireSQL, stamp(t0), int64(most))
			if err != nil {
				return 0, err
			}
			n, err := result.RowsAffected()
			return int(n), err
		})
		if err != nil {
			return err
		}
	}
}

// expireRollups deletes daily figures of days before an instant, and hourly figures of calls, once for each day that passes.
func (c *compactor) expireRollups(ctx context.Context, before time.Time) error {
	before = before.Truncate(dayLong)
	if before.Equal(c.forgot) {
		return nil
	}
	for from := int64(0); ; {
		var list statements
		err := each(ctx, c.db.read, seriesIDsSQL, []any{from, int64(math.MaxInt64), int64(c.expire.size())}, func(rows *sql.Rows) error {
			err := rows.Scan(&from)
			list.add(expireRollupSQL, from, before)
			return err
		})
		if err != nil {
			return err
		}
		if len(list) == 0 {
			if err := c.expireMarginals(ctx, before); err != nil {
				return err
			}
			c.forgot = before
			return nil
		}
		if err := c.slice(ctx, &c.expire, func(t *transaction) (int, error) { return len(list), t.run(ctx, list) }); err != nil {
			return err
		}
		from++
	}
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

	Journaled     int    // Changes, outcomes and commands that wait in the local journal for the database
	JournalBroken string // why there is no local journal although one is configured
	SetAsideFile  string // where those are that SetAside counts; empty: only in the log
	SetAside      int    // things that the database refuses for good and that nobody has looked at

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

	CallsTaken     uint64 // since start; also amendments
	CallsWritten   uint64
	CallsAmended   uint64 // of them
	CallsRefused   uint64 // were no calls, or the database refuses them for good
	CallsDropped   uint64 // were lost because the database was away
	CallsUncounted uint64 // are stored, and not in the hourly figures as they should be
	CallsPending   int    // wait to be written

	LogRows     int64     // rows that have not become chunks yet
	LogBegin    time.Time // the oldest sample; zero for none
	DamagedRows int       // rows and chunks that could not be read back
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
	if err := s.db.read.QueryRowContext(ctx, logSizeSQL).Scan(&m.rows, instant{&m.begin}); err != nil {
		return err
	}
	var oldest, hour, day time.Time
	if err := s.db.read.QueryRowContext(ctx, chunksBeginSQL).Scan(instant{&oldest}, instant{&hour}, instant{&day}); err != nil {
		return err
	}
	if first := earliest(hour, day); !first.IsZero() {
		m.begin = earliest(m.begin, latest(oldest, first))
	}
	if err := s.db.read.QueryRowContext(ctx, s.db.dialect.sizes).Scan(&m.bytes); err != nil {
		return err
	}
	s.mu.Lock()
	s.measured = m
	s.mu.Unlock()
	return s.db.keepUp(ctx)
}

// earliest is the earlier of two times, the other one when one is zero.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// Stats tells how the store does, from memory; the size of the database is at most a minute old.
func (s *Store) Stats() Stats {
	stats := Stats{Database: s.db.target, Active: s.active()}
	stats.Up, stats.DownSince, stats.LastError = s.health.state()
	if since, waiting := s.away.state(); !since.IsZero() {
		stats.Up, stats.DownSince, stats.Journaled = false, since, waiting
	}
	stats.JournalBroken, stats.SetAside, stats.SetAsideFile = s.away.why(), s.asides.waiting(), s.asides.path

	s.mu.Lock()
	stats.LogRows, stats.LogBegin, stats.Bytes = s.measured.rows, s.measured.begin, s.measured.bytes
	s.mu.Unlock()

	s.head.mu.RLock()
	stats.Series = len(s.head.series)
	for _, r := range s.head.series {
		stats.HeadSamples += len(r.points) + r.waiting
	}
	s.head.mu.RUnlock()

	s.calls.stats(&stats)

	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	c := s.log.counts
	stats.SamplesPerSecond, stats.LastFlush, stats.FlushTook = c.rate, c.lastFlush, c.flushTook
	stats.Taken, stats.Written, stats.Refused, stats.Dropped = c.taken, c.written, c.refused, c.dropped
	stats.Pending, stats.DamagedRows = s.log.waiting(), s.log.damaged
	return stats
}
