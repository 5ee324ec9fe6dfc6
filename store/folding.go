package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"vigia/store/chunk"
)

// folding is one slice of a day on its way from hours to a day: some groups of series.
type folding struct {
	*compactor
	day      time.Time
	from, to int64 // series; the first one begins a group
	hours    []foldedHour
	points   [][]chunk.Point // of each series, from on, in order of time
	kept     map[int64]bool  // series whose hours stay where they are

	before, after statements // what goes before and after the day chunks
}

// foldedHour is what one hour of the day has.
type foldedHour struct {
	hour time.Time
	rows []hourRow
	left []chunk.Part // what cannot be folded
}

// read reads the hours of the day, one after the other: asked for all at once, a planner may rather read the whole table.
func (f *folding) read(ctx context.Context) error {
	f.kept = map[int64]bool{}
	for _, hour := range slots(f.day, f.day.Add(dayLong-time.Hour), time.Hour) {
		rows, err := f.hourRows(ctx, hour, f.from, f.to)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			continue
		}
		h := foldedHour{hour: hour, rows: rows}
		for _, r := range rows {
			for _, p := range r.parts {
				if err := f.unpack(&h, p); err != nil {
					return err
				}
			}
		}
		f.hours = append(f.hours, h)
	}
	return nil
}

func (f *folding) unpack(h *foldedHour, p chunk.Part) error {
	before := f.points[p.Series-f.from]
	points, err := chunk.Unpack(before, p.Series, p.Packed)
	if errors.Is(err, chunk.ErrDamaged) {
		h.left = append(h.left, p)
		f.spoil(place{hoursTable, h.hour, p.Series}, err)
		return nil
	}
	if len(before) == 0 {
		points = slices.Grow(points, 23*len(points)) // the other hours tend to be like the first
	}
	f.points[p.Series-f.from] = points
	return err
}

// pack makes the day chunks, of what is there already as well.
func (f *folding) pack(ctx context.Context) (rows []row, err error) {
	old, err := f.oldDays(ctx)
	if err != nil {
		return nil, err
	}
	for i, points := range f.points {
		if len(points) == 0 {
			continue
		}
		series := f.from + int64(i)
		before, there := old[series]
		points = tidy(append(before, points...))
		payload, err := packPoints(series, points)
		if err != nil { // one in 21 ms all day long: nothing that is measured; it is read by the hour as before
			f.kept[series] = true
			f.spoil(place{daysTable, f.day, series}, err)
			continue
		}
		if there {
			f.before.add(removeDaySQL, f.day, series)
		}
		rows = append(rows, row{series, payload})
		if !f.spoilt(place{daysTable, f.day, series}) {
			f.after.add(putRollupSQL, rollup(f.day, part{series, points})...)
		}
	}
	return rows, nil
}

// oldDays reads the day chunks that are there. One that is damaged is there, and empty.
func (f *folding) oldDays(ctx context.Context) (map[int64][]chunk.Point, error) {
	found := map[int64][]chunk.Point{}
	err := each(ctx, f.db.read, daysOfSQL, []any{stamp(f.day), f.from, f.to}, func(rows *sql.Rows) error {
		var series int64
		var payload sql.RawBytes
		if err := rows.Scan(&series, &payload); err != nil {
			return err
		}
		points, err := chunk.Unpack(nil, series, payload)
		if errors.Is(err, chunk.ErrDamaged) {
			f.spoil(place{daysTable, f.day, series}, err)
			err = nil
		}
		found[series] = points
		return err
	})
	return found, err
}

// remove adds what deletes the hours: one statement for each hour, or for each row when one of them is to stay whole.
func (f *folding) remove() {
	for i := range f.hours {
		h := &f.hours[i]
		if !h.broken() {
			f.after.add(removeHoursSQL, h.hour, f.from, f.to)
		}
		for _, r := range h.rows {
			if h.broken() && !r.broken {
				f.after.add(removeHourSQL, h.hour, r.key)
			}
			for _, p := range r.parts {
				if f.kept[p.Series] {
					h.left = append(h.left, p)
				}
			}
		}
		slices.SortFunc(h.left, bySeries)
	}
}

// broken reports whether a row stays as it is.
func (h *foldedHour) broken() bool {
	return slices.ContainsFunc(h.rows, func(r hourRow) bool { return r.broken })
}

// remains is what stays as hours: beside a row that is broken, whose key may be the group's, each series in a row of its own.
func (h *foldedHour) remains() (rows []row) {
	if !h.broken() {
		return groups(h.left)
	}
	for _, p := range h.left {
		rows = append(rows, row{p.Series, p.Packed})
	}
	return rows
}

// leave puts back what cannot be folded.
func (f *folding) leave(ctx context.Context, t *transaction) error {
	for i := range f.hours {
		if err := t.addChunks(ctx, hoursTable, f.hours[i].hour, f.hours[i].remains()); err != nil {
			return err
		}
	}
	return nil
}

// stick lets the next fold pass over the rows that are left.
func (f *folding) stick() {
	for i := range f.hours {
		h := &f.hours[i]
		if len(h.left) == 0 && !h.broken() || len(f.stuck) >= mostSpoilt {
			continue
		}
		for _, r := range h.rows {
			f.stuck[place{hoursTable, h.hour.UTC(), r.key}] = true
			f.stuck[place{hoursTable, h.hour.UTC(), groupOf(r.key)}] = true
		}
	}
}
