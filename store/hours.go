package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"vigia/store/chunk"
)

// groupSize is how many series share a row of sample_hours: those of the numbers from one of its multiples on. It is what the rows' keys
// mean, so that it never changes. A row at one minute is 4 KB by it, of which a page holds two.
const groupSize = 32

// groupOf is the key of the group that a series is of.
func groupOf(series int64) int64 { return series - series%groupSize }

// groupEnd is the highest series of the group that a series is of.
func groupEnd(series int64) int64 { return groupOf(series) + groupSize - 1 }

// chunksOf appends the chunks of a row of sample_hours to dst. All of them are of the group that the key says.
func chunksOf(dst []chunk.Part, key int64, payload []byte) ([]chunk.Part, error) {
	all, err := chunk.Parts(dst, key, payload)
	for _, p := range all[len(dst):] {
		if groupOf(p.Series) != groupOf(key) {
			return dst, errMoved
		}
	}
	return all, err
}

var errMoved = fmt.Errorf("they are of other series: %w", chunk.ErrDamaged)

// hourRow is a row of sample_hours.
type hourRow struct {
	key    int64
	parts  []chunk.Part
	broken bool // it cannot be told where its parts are
}

// hourRows reads the rows that one hour has of a span of groups.
func (c *compactor) hourRows(ctx context.Context, hour time.Time, from, to int64) (list []hourRow, err error) {
	err = each(ctx, c.db.read, hoursOfSQL, []any{stamp(hour), from, to}, func(rows *sql.Rows) error {
		var r hourRow
		var payload []byte
		if err := rows.Scan(&r.key, &payload); err != nil {
			return err
		}
		var err error
		if r.parts, err = chunksOf(make([]chunk.Part, 0, groupSize), r.key, payload); err != nil {
			c.spoil(place{hoursTable, hour, r.key}, err)
			r.parts, r.broken = nil, true
		}
		if r.key >= from && r.key <= to { // a damaged file may give a row that was not asked for
			list = append(list, r)
		}
		return nil
	})
	return list, err
}

// group makes the row of a group.
func group(parts []chunk.Part) row {
	size := 16
	for _, p := range parts {
		size += len(p.Packed) + 8
	}
	return row{groupOf(parts[0].Series), chunk.AppendGroup(make([]byte, 0, size), parts)}
}

// groups makes the rows of parts, which are in the order of their series.
func groups(parts []chunk.Part) (rows []row) {
	for len(parts) > 0 {
		n, _ := slices.BinarySearchFunc(parts, groupEnd(parts[0].Series)+1, func(p chunk.Part, series int64) int { return cmp.Compare(p.Series, series) })
		rows = append(rows, group(parts[:n]))
		parts = parts[n:]
	}
	return rows
}

const anyHourSQL = `SELECT COUNT(*) FROM (SELECT 1 FROM sample_hours WHERE t0 = $1 AND series >= $2 AND series <= $3 LIMIT 1) AS one`

// writeWholeHour writes or completes the chunks of one hour, slice by slice. That nothing is there yet, as nearly always, is asked once.
func (c *compactor) writeWholeHour(ctx context.Context, hour time.Time, list []part) error {
	var there int
	span := []any{stamp(hour), groupOf(list[0].series), groupEnd(list[len(list)-1].series)}
	if err := c.db.read.QueryRowContext(ctx, anyHourSQL, span...).Scan(&there); err != nil {
		return err
	}
	if err := c.markOldest(ctx, list); err != nil {
		return err
	}
	for len(list) > 0 {
		n := severalGroups(list, c.hours.size())
		if err := c.writeHour(ctx, hour, list[:n], there > 0); err != nil {
			return err
		}
		list = list[n:]
	}
	return nil
}

// markOldest notes from when the oldest sample is, before it is a chunk's.
func (c *compactor) markOldest(ctx context.Context, list []part) error {
	oldest := list[0].points[0].At
	for _, p := range list {
		oldest = min(oldest, p.points[0].At)
	}
	if oldest >= c.marked {
		return nil
	}
	err := c.db.within(ctx, c.db.relaxed, func(t *transaction) error {
		if err := c.fence(ctx, t); err != nil {
			return err
		}
		_, err := t.tx.ExecContext(ctx, markOldestSQL, stamp(time.UnixMicro(oldest)))
		return err
	})
	if err == nil {
		c.marked = oldest
	}
	return err
}

// writeHour writes one slice of an hour, which are whole groups: chunks that are there already take up what has come late, and those that
// nothing has come for stay as they are.
func (c *compactor) writeHour(ctx context.Context, hour time.Time, list []part, there bool) error {
	var old []hourRow
	var replaced statements
	if from, to := groupOf(list[0].series), groupEnd(list[len(list)-1].series); there {
		var err error
		if old, err = c.hourRows(ctx, hour, from, to); err != nil {
			return err
		}
		replaced.add(removeHoursSQL, hour, from, to)
	}
	parts, err := c.merged(hour, old, list)
	if err != nil {
		return err
	}
	rows := groups(parts)
	err = c.slice(ctx, &c.hours, func(t *transaction) (int, error) {
		if err := t.run(ctx, replaced); err != nil {
			return 0, err
		}
		return len(rows), t.addChunks(ctx, hoursTable, hour, rows)
	})
	if err != nil {
		return err
	}
	c.unstick(hour, rows)
	return c.wrote(ctx, rows)
}

// merged packs what has come, with what is there of the same series, and carries over what is there of others.
func (c *compactor) merged(hour time.Time, old []hourRow, list []part) ([]chunk.Part, error) {
	there := map[int64][]byte{}
	for _, r := range old {
		for _, p := range r.parts {
			there[p.Series] = p.Packed
		}
	}
	parts := make([]chunk.Part, 0, len(list)+len(there))
	for _, p := range list {
		points := p.points
		if before, ok := there[p.series]; ok {
			delete(there, p.series)
			had, err := chunk.Unpack(nil, p.series, before)
			if err != nil && !errors.Is(err, chunk.ErrDamaged) {
				return nil, fmt.Errorf("%s: %w", place{hoursTable, hour, p.series}, err)
			}
			if err != nil {
				c.spoil(place{hoursTable, hour, p.series}, err)
			}
			points = tidy(append(had, p.points...))
		}
		payload, err := packPoints(p.series, points)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", place{hoursTable, hour, p.series}, err)
		}
		parts = append(parts, chunk.Part{Series: p.series, Packed: payload})
	}
	if len(there) > 0 {
		for series, packed := range there {
			parts = append(parts, chunk.Part{Series: series, Packed: packed})
		}
		slices.SortFunc(parts, bySeries)
	}
	return parts, nil
}

func bySeries(a, b chunk.Part) int { return cmp.Compare(a.Series, b.Series) }

// unstick lets the next fold look at rows again.
func (c *compactor) unstick(hour time.Time, rows []row) {
	for _, r := range rows {
		delete(c.stuck, place{hoursTable, hour.UTC(), r.series})
	}
}
