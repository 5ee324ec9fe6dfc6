package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"math"
	"slices"
	"time"

	"vigia/store/chunk"
)

const (
	dayLong    = 24 * time.Hour
	foldBehind = headSpan + time.Hour // a day is left alone until no start fills its memory from the day's hours
	foldLook   = 1000                 // rows that are looked at to find out whether few or many are to be folded
)

const (
	nextHourSQL    = `SELECT MIN(t0) FROM sample_hours WHERE t0 >= $1 AND t0 < $2`
	lookHoursSQL   = `SELECT t0, series FROM sample_hours WHERE t0 >= $1 AND t0 < $2 ORDER BY t0, series LIMIT $3`
	seriesIDsSQL   = `SELECT id FROM series WHERE id >= $1 AND id <= $2 ORDER BY id LIMIT $3`
	removeHoursSQL = `DELETE FROM sample_hours WHERE t0 = $1 AND series >= $2 AND series <= $3`
	daysOfSQL      = `SELECT series, payload FROM sample_days WHERE t0 = $1 AND series >= $2 AND series <= $3`
	removeDaySQL   = `DELETE FROM sample_days WHERE t0 = $1 AND series = $2`
	putRollupSQL   = `INSERT INTO sample_rollup_1d (series, day, count, min, max, sum) VALUES ($1, $2, $3, $4, $5, $6)
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

// foldDay folds a day slice by slice.
func (c *compactor) foldDay(ctx context.Context, day time.Time) error {
	from, to, err := c.foldable(ctx, day)
	if err != nil {
		return err
	}
	for from <= to {
		last := int64(-1)
		err := each(ctx, c.db.read, seriesIDsSQL, []any{from, to, int64(c.days.size())}, func(rows *sql.Rows) error { return rows.Scan(&last) })
		if err != nil || last < 0 {
			return err
		}
		if err := c.foldSlice(ctx, day, from, last); err != nil {
			return err
		}
		from = last + 1
	}
	return nil
}

// foldable is between which ids the series are of which a day has hours; from is above to when there are none but damaged ones.
func (c *compactor) foldable(ctx context.Context, day time.Time) (from, to int64, err error) {
	from, to = math.MaxInt64, 0
	n := 0
	err = each(ctx, c.db.read, lookHoursSQL, []any{stamp(day), stamp(day.Add(dayLong)), int64(foldLook)}, func(rows *sql.Rows) error {
		p := place{table: hoursTable}
		if err := rows.Scan(instant{&p.t0}, &p.id); err != nil {
			return err
		}
		if n++; !c.spoilt(p) {
			from, to = min(from, p.id), max(to, p.id)
		}
		return nil
	})
	if n == foldLook {
		return 0, math.MaxInt64, err
	}
	return from, to, err
}

// hourRows is what one slice of a day has as hours.
type hourRows struct {
	series []part
	places []place // of the hours that went into them
	left   bool    // a row is damaged and stays where it is
}

// foldSlice folds the series of a day with an id in [from, to].
func (c *compactor) foldSlice(ctx context.Context, day time.Time, from, to int64) error {
	found, err := c.hoursOf(ctx, day, from, to)
	if err != nil || len(found.series) == 0 {
		return err
	}
	old, err := c.chunks(ctx, daysTable, daysOfSQL, day, from, to)
	if err != nil {
		return err
	}
	var before, after statements
	rows := make([]row, 0, len(found.series))
	for _, p := range found.series {
		if points, there := old[p.series]; there {
			before.add(removeDaySQL, day, p.series)
			p.points = append(points, p.points...)
		}
		p.points = tidy(p.points)
		payload, err := packPoints(p.points)
		if err != nil { // one in 21 ms all day long: nothing that is measured; it is read by the hour as before
			found.keep(c, p.series, err)
			continue
		}
		rows = append(rows, row{p.series, payload})
		if !c.spoilt(place{daysTable, day, p.series}) {
			after.add(putRollupSQL, rollup(day, p)...)
		}
	}
	found.remove(&after, day, from, to)
	err = c.slice(ctx, &c.days, func(t *transaction) (int, error) {
		if err := t.run(ctx, before); err != nil {
			return 0, err
		}
		if err := t.addChunks(ctx, daysTable, day, rows); err != nil {
			return 0, err
		}
		return len(rows), t.run(ctx, after)
	})
	if err != nil {
		return err
	}
	return c.wrote(ctx, rows)
}

// hoursOf reads the hours of a day, one after the other: asked for all at once, a planner may rather read the whole table.
func (c *compactor) hoursOf(ctx context.Context, day time.Time, from, to int64) (*hourRows, error) {
	found := &hourRows{}
	bySeries := map[int64][]chunk.Point{}
	for _, hour := range slots(day, day.Add(dayLong-time.Hour), time.Hour) {
		err := each(ctx, c.db.read, hoursOfSQL, []any{stamp(hour), from, to}, func(rows *sql.Rows) error {
			p := place{table: hoursTable, t0: hour}
			var payload sql.RawBytes
			if err := rows.Scan(&p.id, &payload); err != nil {
				return err
			}
			before := bySeries[p.id]
			points, err := chunk.Unpack(before, payload)
			if errors.Is(err, chunk.ErrDamaged) {
				c.spoil(p, err)
				found.left = true
				return nil
			}
			if len(before) == 0 {
				points = slices.Grow(points, 23*len(points)) // the other hours tend to be like the first
			}
			bySeries[p.id] = points
			found.places = append(found.places, p)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	for series, points := range bySeries {
		if len(points) > 0 {
			found.series = append(found.series, part{series, points})
		}
	}
	slices.SortFunc(found.series, func(a, b part) int { return cmp.Compare(a.series, b.series) })
	return found, nil
}

// keep leaves the hours of a series where they are.
func (h *hourRows) keep(c *compactor, series int64, why error) {
	h.left = true
	kept := h.places[:0]
	for _, p := range h.places {
		if p.id == series {
			c.spoil(p, why)
			continue
		}
		kept = append(kept, p)
	}
	h.places = kept
}

// remove adds what deletes the hours: one statement for each hour, or for each row when some are to stay.
func (h *hourRows) remove(list *statements, day time.Time, from, to int64) {
	if h.left {
		for _, p := range h.places {
			list.add(removeHourSQL, p.t0, p.id)
		}
		return
	}
	for hour := range 24 {
		list.add(removeHoursSQL, day.Add(time.Duration(hour)*time.Hour), from, to)
	}
}

// rollup is the arguments of a series' daily figures.
func rollup(day time.Time, p part) []any {
	low, high, sum := p.points[0].Value, p.points[0].Value, 0.0
	for _, q := range p.points {
		low, high, sum = min(low, q.Value), max(high, q.Value), sum+q.Value
	}
	return []any{p.series, day, int64(len(p.points)), low, high, sum}
}
