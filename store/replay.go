package store

import (
	"context"
	"database/sql"
	"math"
	"slices"
	"time"

	"vigia/store/chunk"
)

const headSpan = 2 * time.Hour // how much of the log fills the head on start

const (
	logEndSQL     = `SELECT id FROM sample_log ORDER BY id DESC LIMIT 1`
	logLastSQL    = `SELECT MAX(t1) FROM sample_log`
	compactedSQL  = `SELECT covered, chunked_to FROM sample_compaction`
	replaySQL     = `SELECT id, payload FROM sample_log WHERE t1 >= $1 AND id > $2 AND id <= $3 ORDER BY id LIMIT 200`
	recentHourSQL = `SELECT t0, series, payload FROM sample_hours WHERE t0 = $1`
	// When rows of hours became those of groups.
	groupsSinceSQL = `SELECT applied_at FROM schema_migrations WHERE version = 5`
)

// open learns which series there are and how far the log goes.
func (l *sampleLog) open(ctx context.Context) error {
	var end time.Time
	if err := optional(l.db.read.QueryRowContext(ctx, logEndSQL).Scan(&l.lastRow)); err != nil {
		return err
	}
	if err := l.db.read.QueryRowContext(ctx, logLastSQL).Scan(instant{&end}); err != nil {
		return err
	}
	if err := one(ctx, l.db.read, instant{&l.groupsSince}, groupsSinceSQL); err != nil {
		return err
	}
	_, chunkedTo, err := l.compacted(ctx)
	if err != nil {
		return err
	}
	l.replayTo, l.ownRow = l.lastRow, l.lastRow
	complete := int64(math.MinInt64) // what is older is in the database, and in the head only when replay has read it
	if !end.IsZero() {
		complete = end.UnixMicro() + 1
	}
	if !chunkedTo.IsZero() {
		complete = max(complete, chunkedTo.UnixMicro())
	}
	return l.readSeries(ctx, 0, complete)
}

// compacted reads up to which row the log may have become chunks, and up to when its samples.
func (l *sampleLog) compacted(ctx context.Context) (covered int64, chunkedTo time.Time, err error) {
	err = l.db.read.QueryRowContext(ctx, compactedSQL).Scan(&covered, instant{&chunkedTo})
	return covered, chunkedTo, err
}

// filling is what replay has found of one series.
type filling struct {
	points []chunk.Point // nearly in order of time; of one instant the last wins
	since  int64         // from here on it lacks nothing
}

// cut keeps no more than the last points, when there are twice as many.
func (f *filling) cut(room int) {
	if len(f.points) <= 2*room {
		return
	}
	f.points = tidy(f.points)
	if drop := len(f.points) - room; drop > 0 {
		f.since = max(f.since, f.points[drop-1].At+1)
		f.points = slices.Clone(f.points[drop:])
	}
}

// before puts the chunk of an hour before what came later, unless there is enough.
func (f *filling) before(points []chunk.Point, hour time.Time, room int) {
	if len(f.points) >= room {
		f.since = max(f.since, hour.Add(time.Hour).UnixMicro())
		return
	}
	i, _ := slices.BinarySearchFunc(points, f.since, compareAt)
	f.points = slices.Concat(points[i:], f.points)
	f.cut(room)
}

// replay fills the head with the last two hours, of the log as it was at open and of what has become chunks. Nobody waits for it: until
// it is done, reads go to the database. As samples move from the log to the hours, it reads in this order, and the log's win.
func (l *sampleLog) replay(ctx context.Context, now time.Time) error {
	since := now.Add(-headSpan)
	found := map[int64]*filling{}
	room := l.room()
	of := func(series int64) *filling {
		if found[series] == nil {
			found[series] = &filling{since: since.UnixMicro()}
		}
		return found[series]
	}
	err := l.rows(ctx, since, 0, l.replayTo, func(series int64, points []chunk.Point) {
		f := of(series)
		f.points = append(f.points, points...)
		f.cut(room)
	})
	if err != nil {
		return err
	}
	for hour := now.Truncate(time.Hour); !hour.Before(since.Truncate(time.Hour)); hour = hour.Add(-time.Hour) {
		err := l.recentHour(ctx, hour, func(series int64, points []chunk.Point) { of(series).before(points, hour, room) })
		if err != nil {
			return err
		}
	}
	l.flushing.Lock()
	defer l.flushing.Unlock()
	l.head.mu.Lock()
	defer l.head.mu.Unlock()
	for id, f := range found {
		if r := l.byID[id]; r != nil && len(f.points) > 0 {
			r.refill(f, room)
		}
	}
	return nil
}

// recentHour visits all chunks of an hour.
func (l *sampleLog) recentHour(ctx context.Context, hour time.Time, visit func(int64, []chunk.Point)) error {
	return l.eachPart(ctx, hoursTable, recentHourSQL, []any{stamp(hour)}, func(series int64) func([]chunk.Point) {
		return func(points []chunk.Point) { visit(series, points) }
	})
}

func (l *sampleLog) room() int {
	l.head.mu.RLock()
	defer l.head.mu.RUnlock()
	return l.head.room()
}

// refill puts what the database had before what has come since. The caller holds the head's lock.
func (r *recent) refill(f *filling, room int) {
	r.settle()
	r.points = tidy(slices.Concat(f.points, r.points))
	r.newest = r.points[len(r.points)-1].At
	r.complete = min(r.complete, f.since)
	r.trim(room)
	r.know(r.points[len(r.points)-1])
}

// know takes a point from the log as the newest sample, if it is newer than the one that is known.
func (r *recent) know(p chunk.Point) {
	if at := time.UnixMicro(p.At).UTC(); at.After(r.last.at.Truncate(time.Microsecond)) {
		r.last = latestSample{at: at, value: p.Value, every: r.every, plain: true}
	}
}

// rows calls visit for each block of the log's rows after one id up to another that reach since; rows that are damaged are counted and
// left out.
func (l *sampleLog) rows(ctx context.Context, since time.Time, after, upTo int64, visit func(int64, []chunk.Point)) error {
	for {
		n, err := l.page(ctx, since, &after, upTo, visit)
		if err != nil || n == 0 {
			return err
		}
	}
}

func (l *sampleLog) page(ctx context.Context, since time.Time, after *int64, upTo int64, visit func(int64, []chunk.Point)) (n int, err error) {
	err = each(ctx, l.db.read, replaySQL, []any{stamp(since), *after, upTo}, func(rows *sql.Rows) error {
		var payload sql.RawBytes
		if err := rows.Scan(after, &payload); err != nil {
			return err
		}
		n++
		l.decode(*after, payload, func(series int64, points []chunk.Point) bool {
			visit(series, points)
			return true
		})
		return nil
	})
	return n, err
}

// distrust lets the head no longer claim to be complete for a time of which rows may have become chunks before this process saw them.
func (l *sampleLog) distrust(ctx context.Context, seen int64) error {
	covered, chunkedTo, err := l.compacted(ctx)
	if err != nil || covered <= seen || chunkedTo.IsZero() {
		return err
	}
	l.head.mu.Lock()
	defer l.head.mu.Unlock()
	for _, r := range l.head.series {
		r.complete = max(r.complete, chunkedTo.UnixMicro())
	}
	l.lastRow = max(l.lastRow, covered)
	return nil
}
