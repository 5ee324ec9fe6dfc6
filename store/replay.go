package store

import (
	"context"
	"database/sql"
	"math"
	"slices"
	"time"

	"vigia/collectors"
	"vigia/store/chunk"
)

const headSpan = 2 * time.Hour // how much of the log fills the head on start

const (
	logEndSQL  = `SELECT id FROM sample_log ORDER BY id DESC LIMIT 1`
	logLastSQL = `SELECT t1 FROM sample_log ORDER BY t1 DESC LIMIT 1`
	replaySQL  = `SELECT id, payload FROM sample_log WHERE t1 >= $1 AND id > $2 AND id <= $3 ORDER BY id LIMIT 200`
	rangeSQL   = `SELECT payload FROM sample_log WHERE t1 >= $1 AND t0 <= $2`
)

// open learns which series there are and how far the log goes.
func (l *sampleLog) open(ctx context.Context) error {
	var end time.Time
	if err := optional(l.db.read.QueryRowContext(ctx, logEndSQL).Scan(&l.lastRow)); err != nil {
		return err
	}
	if err := optional(l.db.read.QueryRowContext(ctx, logLastSQL).Scan(instant{&end})); err != nil {
		return err
	}
	l.replayTo = l.lastRow
	complete := int64(math.MinInt64)
	if !end.IsZero() {
		complete = end.UnixMicro() + 1 // what is older is in the log, and in the head only when replay has read it
	}
	return l.readSeries(ctx, 0, complete)
}

// replay fills the head with the end of the log, as it was at open. Nobody waits for it: until it is done, reads go to the log.
func (l *sampleLog) replay(ctx context.Context, now time.Time) error {
	since := now.Add(-headSpan)
	found := map[int64][]chunk.Point{}
	room := l.room()
	err := l.rows(ctx, since, 0, l.replayTo, func(series int64, points []chunk.Point) {
		list := append(found[series], points...)
		if len(list) > 2*room {
			list = slices.Clone(list[len(list)-room:])
		}
		found[series] = list
	})
	if err != nil {
		return err
	}
	l.flushing.Lock()
	defer l.flushing.Unlock()
	l.head.mu.Lock()
	defer l.head.mu.Unlock()
	for id, points := range found {
		if r := l.byID[id]; r != nil {
			r.refill(points, since.UnixMicro(), room)
		}
	}
	return nil
}

func (l *sampleLog) room() int {
	l.head.mu.RLock()
	defer l.head.mu.RUnlock()
	return l.head.room()
}

// refill puts what the log had before what has come since. The caller holds the head's lock.
func (r *recent) refill(old []chunk.Point, since int64, room int) {
	points := tidy(append(slices.Clone(old), r.points...))
	if len(old) > room { // the oldest were cut on the way
		since = max(since, points[0].At+1)
	}
	if since < r.complete {
		r.complete = since
	}
	r.points = points
	r.trim(room)
	r.know(points[len(points)-1])
}

// know takes a point from the log as the newest sample, if it is newer than the one that is known.
func (r *recent) know(p chunk.Point) {
	if at := time.UnixMicro(p.At).UTC(); at.After(r.last.At.Truncate(time.Microsecond)) {
		r.last = collectors.Sample{Series: r.series, At: at, Value: p.Value, Every: r.every}
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
		var payload []byte
		if err := rows.Scan(after, &payload); err != nil {
			return err
		}
		n++
		l.decode(payload, func(series int64, points []chunk.Point) bool {
			visit(series, points)
			return true
		})
		return nil
	})
	return n, err
}

func (l *sampleLog) decode(payload []byte, visit func(int64, []chunk.Point) bool) {
	if err := chunk.Decode(payload, visit); err != nil {
		l.mu.Lock()
		l.damaged++
		l.mu.Unlock()
	}
}

// follow reads into the head what another process has written to the log since the last look.
func (l *sampleLog) follow(ctx context.Context, now time.Time) error {
	l.flushing.Lock()
	defer l.flushing.Unlock()
	var end int64
	if err := optional(l.db.read.QueryRowContext(ctx, logEndSQL).Scan(&end)); err != nil || end <= l.lastRow {
		return err
	}
	if err := l.readSeries(ctx, l.lastSeries, math.MinInt64); err != nil {
		return err
	}
	err := l.rows(ctx, now.Add(-headSpan), l.lastRow, end, func(series int64, points []chunk.Point) {
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

// history reads from the log the points in [from, to] of the series whose ids are wanted, in no order.
func (l *sampleLog) history(ctx context.Context, from, to int64, wanted map[int64][]chunk.Point) error {
	span := []any{stamp(time.UnixMicro(from)), stamp(time.UnixMicro(to))}
	return each(ctx, l.db.read, rangeSQL, span, func(rows *sql.Rows) error {
		var payload []byte
		if err := rows.Scan(&payload); err != nil {
			return err
		}
		l.decode(payload, func(series int64, points []chunk.Point) bool {
			list, ok := wanted[series]
			if !ok {
				return true
			}
			for _, p := range points {
				if p.At >= from && p.At <= to {
					list = append(list, p)
				}
			}
			wanted[series] = list
			return true
		})
		return nil
	})
}
