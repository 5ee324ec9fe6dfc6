package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"vigia/store/chunk"
)

// folding is some groups of series on their way from the hours of a day to the day.
type folding struct {
	*compactor
	day      time.Time
	from, to int64 // series; the first one begins a group
	hours    []foldedHour
	points   [][]chunk.Point // of each series, from on, in order of time
	kept     map[int64]bool  // series whose hours stay where they are
}

// foldedHour is what one hour of the day has.
type foldedHour struct {
	hour time.Time
	rows []hourRow
	left []chunk.Part // what cannot be folded, in the order of the series
}

// read reads the hours of the day, one after the other: asked for all at once, a planner may rather read the whole table.
func (f *folding) read(ctx context.Context) error {
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

// slice writes the days of the series in [from, to], which are whole groups, and removes their hours.
func (f *folding) slice(ctx context.Context, old map[int64][]chunk.Point, from, to int64) error {
	var before, after statements
	rows := f.pack(&before, &after, old, from, to)
	hours := f.hoursIn(from, to)
	if len(rows) == 0 {
		f.stick(hours)
		return nil
	}
	for i := range hours {
		hours[i].remove(&after, from, to)
	}
	err := f.compactor.slice(ctx, &f.days, func(t *transaction) (int, error) {
		if err := t.run(ctx, before); err != nil {
			return 0, err
		}
		if err := t.addChunks(ctx, daysTable, f.day, rows); err != nil {
			return 0, err
		}
		if err := t.run(ctx, after); err != nil {
			return 0, err
		}
		return int(to-from+1) / groupSize, leave(ctx, t, hours)
	})
	if err != nil {
		return err
	}
	f.stick(hours)
	return f.wrote(ctx, rows)
}

// pack makes the day chunks, of what is there already as well, and adds what goes before and after them.
func (f *folding) pack(before, after *statements, old map[int64][]chunk.Point, from, to int64) (rows []row) {
	for series := from; series <= to; series++ {
		points := f.points[series-f.from]
		if len(points) == 0 {
			continue
		}
		had, there := old[series]
		points = tidy(append(had, points...))
		payload, err := packPoints(series, points)
		if err != nil { // one in 21 ms all day long: nothing that is measured; it is read by the hour as before
			f.kept[series] = true
			f.spoil(place{daysTable, f.day, series}, err)
			continue
		}
		if there {
			before.add(removeDaySQL, f.day, series)
		}
		rows = append(rows, row{series, payload})
		if !f.spoilt(place{daysTable, f.day, series}) {
			after.add(putRollupSQL, rollup(f.day, part{series, points})...)
		}
	}
	return rows
}

// hoursIn is what the hours have of the series in [from, to], with what stays of it.
func (f *folding) hoursIn(from, to int64) (list []foldedHour) {
	for _, h := range f.hours {
		some := foldedHour{hour: h.hour}
		for _, r := range h.rows {
			if r.key < from || r.key > to {
				continue
			}
			some.rows = append(some.rows, r)
			for _, p := range r.parts {
				if f.kept[p.Series] || slices.ContainsFunc(h.left, func(l chunk.Part) bool { return l.Series == p.Series }) {
					some.left = append(some.left, p)
				}
			}
		}
		if len(some.rows) > 0 {
			slices.SortFunc(some.left, bySeries)
			list = append(list, some)
		}
	}
	return list
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

// remove adds what deletes the hour of a span of series: one statement, or one for each row when one of them is to stay whole.
func (h *foldedHour) remove(list *statements, from, to int64) {
	if !h.broken() {
		list.add(removeHoursSQL, h.hour, from, to)
		return
	}
	for _, r := range h.rows {
		if !r.broken {
			list.add(removeHourSQL, h.hour, r.key)
		}
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
func leave(ctx context.Context, t *transaction, hours []foldedHour) error {
	for i := range hours {
		if err := t.addChunks(ctx, hoursTable, hours[i].hour, hours[i].remains()); err != nil {
			return err
		}
	}
	return nil
}

// stick lets the next fold pass over the rows that are left.
func (f *folding) stick(hours []foldedHour) {
	for i := range hours {
		h := &hours[i]
		if len(h.left) == 0 && !h.broken() || len(f.stuck) >= mostSpoilt {
			continue
		}
		for _, r := range h.rows {
			f.stuck[place{hoursTable, h.hour.UTC(), r.key}] = true
			f.stuck[place{hoursTable, h.hour.UTC(), groupOf(r.key)}] = true
		}
	}
}
