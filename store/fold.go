package store

import (
	"context"
	"database/sql"
	"math"
	"time"

	"vigia/store/chunk"
)

const (
	dayLong    = 24 * time.Hour
	foldBehind = headSpan + time.Hour // a day is left alone until no start fills its memory from the day's hours
	foldLook   = 1000                 // rows that are looked at to find out whether few or many are to be folded
)

const (
	nextHourSQL  = `SELECT MIN(t0) FROM sample_hours WHERE t0 >= $1 AND t0 < $2`
	lookHoursSQL = `SELECT t0, series FROM sample_hours WHERE t0 >= $1 AND t0 < $2 ORDER BY t0, series LIMIT $3`
	seriesIDsSQL = `SELECT id FROM series WHERE id >= $1 AND id <= $2 ORDER BY id LIMIT $3`
	daysOfSQL    = `SELECT series, payload FROM sample_days WHERE t0 = $1 AND series >= $2 AND series <= $3`
	removeDaySQL = `DELETE FROM sample_days WHERE t0 = $1 AND series = $2`
	putRollupSQL = `INSERT INTO sample_rollup_1d (series, day, count, min, max, sum) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (series, day) DO UPDATE SET count = excluded.count, min = excluded.min, max = excluded.max, sum = excluded.sum`
)

// fold makes day chunks and daily figures of the hour chunks of every UTC day that is over. What came late for a day that is folded
// already is folded into it.
func (c *compactor) fold(ctx context.Context, now time.Time) error {
	before := now.Add(-foldBehind).Truncate(dayLong)
	for day := (time.Time{}); ; day = day.Add(dayLong) {
		var first time.Time
		if err := c.db.read.QueryRowContext(ctx, nextHourSQL, day.UTC(), stamp(before)).Scan(instant{&first}); err != nil || first.IsZero() {
			return err
		}
		day = first.Truncate(dayLong)
		if err := c.foldDay(ctx, day); err != nil {
			return err
		}
	}
}

// foldAtOnce is how many groups of a day are in memory at once: of 256 series 6 MB at one minute, 35 MB at ten seconds.
const foldAtOnce = 8

// foldDay folds a day, some groups after the other.
func (c *compactor) foldDay(ctx context.Context, day time.Time) error {
	from, to, err := c.foldable(ctx, day)
	if err != nil {
		return err
	}
	for from <= to {
		last := int64(-1)
		err := each(ctx, c.db.read, seriesIDsSQL, []any{from, to, int64(foldAtOnce * groupSize)}, func(rows *sql.Rows) error { return rows.Scan(&last) })
		if err != nil || last < 0 {
			return err
		}
		last = min(groupEnd(last), groupEnd(from)+(foldAtOnce-1)*groupSize)
		if err := c.foldGroups(ctx, day, groupOf(from), last); err != nil {
			return err
		}
		from = last + 1
	}
	return nil
}

// foldable is between which ids the series are of which a day has hours; from is above to when there is nothing that can be folded.
func (c *compactor) foldable(ctx context.Context, day time.Time) (from, to int64, err error) {
	from, to = math.MaxInt64, 0
	n := 0
	err = each(ctx, c.db.read, lookHoursSQL, []any{stamp(day), stamp(day.Add(dayLong)), int64(foldLook)}, func(rows *sql.Rows) error {
		p := place{table: hoursTable}
		if err := rows.Scan(instant{&p.t0}, &p.id); err != nil {
			return err
		}
		if n++; !c.stuck[p] {
			from, to = min(from, p.id), max(to, groupEnd(p.id))
		}
		return nil
	})
	if n == foldLook {
		return 0, math.MaxInt64, err
	}
	return from, to, err
}

// foldGroups folds the series of a day with an id in [from, to], which are whole groups, slice by slice.
func (c *compactor) foldGroups(ctx context.Context, day time.Time, from, to int64) error {
	f := &folding{compactor: c, day: day, from: from, to: to, points: make([][]chunk.Point, to-from+1), kept: map[int64]bool{}}
	if err := f.read(ctx); err != nil || len(f.hours) == 0 {
		return err
	}
	old, err := f.oldDays(ctx)
	if err != nil {
		return err
	}
	for first := from; first <= to; {
		last := min(to, first+int64(c.days.size())*groupSize-1)
		if err := f.slice(ctx, old, first, last); err != nil {
			return err
		}
		first = last + 1
	}
	return nil
}

// rollup is the arguments of a series' daily figures.
func rollup(day time.Time, p part) []any {
	low, high, sum := p.points[0].Value, p.points[0].Value, 0.0
	for _, q := range p.points {
		low, high, sum = min(low, q.Value), max(high, q.Value), sum+q.Value
	}
	return []any{p.series, day, int64(len(p.points)), low, high, sum}
}
