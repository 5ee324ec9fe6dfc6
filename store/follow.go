package store

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"slices"
	"time"

	"vigia/store/chunk"
)

// catchUpTime is how long taking the right over waits for what the process before wrote last; what is not read by then is read soon after.
const catchUpTime = 2 * time.Second

const firstAfterSQL = `SELECT t0 FROM sample_log WHERE id > $1 ORDER BY id LIMIT 1`

// follow reads into the head what another process has written to the log since the last look.
func (l *sampleLog) follow(ctx context.Context) error {
	l.flushing.Lock()
	defer l.flushing.Unlock()
	return l.followLocked(ctx)
}

// catchUp is follow for a process that takes the right over: it is not kept waiting for longer than ctx lasts, not even by a flush.
func (l *sampleLog) catchUp(ctx context.Context) error {
	l.setBehind(true)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !l.flushing.TryLock() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	defer l.flushing.Unlock()
	if err := l.followLocked(ctx); err != nil {
		return err
	}
	l.ownRow = max(l.ownRow, l.lastRow)
	return nil
}

// followLocked is follow for a caller who holds flushing.
func (l *sampleLog) followLocked(ctx context.Context) error {
	var end int64
	if err := optional(l.db.read.QueryRowContext(ctx, logEndSQL).Scan(&end)); err != nil {
		return err
	}
	before := l.lastRow
	if end > before {
		if err := l.followTo(ctx, end); err != nil {
			return err
		}
	}
	l.setBehind(false)
	return l.distrust(ctx, before)
}

// followTo reads the rows after the last one that the head has, up to another.
func (l *sampleLog) followTo(ctx context.Context, end int64) error {
	if err := l.meet(ctx); err != nil {
		return err
	}
	err := l.rows(ctx, time.Unix(0, 0), l.lastRow, end, func(series int64, points []chunk.Point) {
		r := l.byID[series]
		if r == nil {
			return
		}
		l.head.mu.Lock()
		defer l.head.mu.Unlock()
		for _, p := range points {
			r.insert(p)
			r.know(p)
		}
		r.trim(l.head.room())
	})
	if err == nil {
		l.lastRow = end
	}
	return err
}

// meet reads which series are new. What became chunks before this process knew of them, it has not seen.
func (l *sampleLog) meet(ctx context.Context) error {
	_, chunkedTo, err := l.compacted(ctx)
	if err != nil {
		return err
	}
	complete := int64(math.MinInt64)
	if !chunkedTo.IsZero() {
		complete = chunkedTo.UnixMicro()
	}
	return l.readSeries(ctx, l.lastSeries, complete)
}

// isBehind reports whether another process has written rows that the head may lack.
func (l *sampleLog) isBehind() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.behind
}

func (l *sampleLog) setBehind(behind bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.behind = behind
}

// giveWay lets go, of the samples that wait in a process that has lost the right, of those that the process that has it measures itself:
// from its first sample on. It is not ready while the other one has written none.
func (l *sampleLog) giveWay(ctx context.Context) (ready bool, err error) {
	if !l.waits() {
		return true, nil
	}
	l.flushing.Lock()
	defer l.flushing.Unlock()
	var first time.Time
	err = l.db.read.QueryRowContext(ctx, firstAfterSQL, l.ownRow).Scan(instant{&first})
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	theirs := first.UnixMicro()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pending = slices.DeleteFunc(l.pending, func(w waiting) bool { return w.At >= theirs })
	l.giveWayPacked(theirs)
	return true, nil
}
