package store

import (
	"context"
	"database/sql"
	"errors"
	"math/bits"
	"slices"
	"time"

	"vigia/collectors"
	"vigia/store/chunk"
)

const (
	rangeSQL  = `SELECT id, payload FROM sample_log WHERE t0 <= $1 AND t1 >= $2 ORDER BY id`
	boundsSQL = `SELECT (SELECT MIN(t0) FROM sample_days), (SELECT MAX(t0) FROM sample_days)`
	// From one hour to the next, without looking at the rows between.
	hourSlotsSQL = `WITH RECURSIVE slots (t) AS (
			SELECT MIN(t0) FROM sample_hours WHERE t0 >= $1
			UNION ALL SELECT (SELECT MIN(t0) FROM sample_hours WHERE t0 > slots.t) FROM slots WHERE slots.t IS NOT NULL)
		SELECT t FROM slots WHERE t <= $2`

	mostAsked  = 48  // hours that are asked for by name; of more it is first looked up which ones there are
	mostSlots  = 512 // of one query
	mostSeries = 1024
	mostRoom   = 20_000 // samples of one series for which room is made before they are there
	fewSeries  = 8      // so few are asked for over many hours or days at once
)

// sink takes the samples of one series, in order of time and of each instant one.
type sink interface{ take(points []chunk.Point) }

// lane brings together what one series has in several places, of which the later ones win.
type lane struct {
	to     sink
	before int64         // memory has all from here on
	newer  []chunk.Point // what hours, log and memory have, in order
	hours  []chunk.Point
	log    []chunk.Point
}

// feed hands to each sink the samples of its series in [first, last] that the scope may see: in one pass, and from the database only
// those that memory lacks.
func (s *Store) feed(ctx context.Context, scope Scope, sinks map[collectors.Series]sink, first, last int64) error {
	lanes := map[int64]*lane{} // by the id of the series
	until := first - 1
	for series, to := range sinks {
		if !scope.Sees(series.Ref) {
			continue
		}
		points, complete, id := s.head.recentPoints(series, first, last)
		if complete <= first || id == 0 {
			to.take(points)
			continue
		}
		lanes[id] = &lane{to: to, before: complete, newer: points}
		until = max(until, min(last, complete-1))
	}
	if len(lanes) == 0 {
		return nil
	}
	return s.log.history(ctx, first, until, lanes)
}

// history reads what is in the database of [first, until]. Samples move from the log to hours to days and never back, so reading in this
// order meets each of them; one that is met twice is the same.
func (l *sampleLog) history(ctx context.Context, first, until int64, lanes map[int64]*lane) error {
	if err := l.fromLog(ctx, first, until, lanes); err != nil {
		return err
	}
	hours, err := l.hourSlots(ctx, first, until)
	if err != nil {
		return err
	}
	err = l.chunks(ctx, hoursTable, hours, lanes, func(a *lane, points []chunk.Point) {
		points = a.cut(points, first, until)
		if a.hours == nil {
			a.hours = make([]chunk.Point, 0, min(len(hours)*len(points), mostRoom)) // the others tend to be like the first
		}
		a.hours = append(a.hours, points...)
	})
	if err != nil {
		return err
	}
	for _, a := range lanes {
		if len(a.log) == 0 && len(a.newer) == 0 {
			a.newer = tidy(a.hours)
		} else {
			a.newer = tidy(slices.Concat(a.hours, a.log, a.newer))
		}
		a.hours, a.log = nil, nil
	}
	days, err := l.daySlots(ctx, first, until)
	if err != nil {
		return err
	}
	err = l.chunks(ctx, daysTable, days, lanes, func(a *lane, points []chunk.Point) { a.merge(a.cut(points, first, until)) })
	for _, a := range lanes {
		a.take(a.newer)
	}
	return err
}

// cut is the part of sorted points that is asked for and not in memory.
func (a *lane) cut(points []chunk.Point, first, until int64) []chunk.Point {
	i, _ := slices.BinarySearchFunc(points, first, compareAt)
	j, _ := slices.BinarySearchFunc(points, min(until+1, a.before), compareAt)
	return points[i:max(i, j)]
}

func (a *lane) take(points []chunk.Point) {
	if len(points) > 0 {
		a.to.take(points)
	}
}

// merge hands on the points of one day and what is newer between them.
func (a *lane) merge(points []chunk.Point) {
	for len(points) > 0 && len(a.newer) > 0 {
		n, _ := slices.BinarySearchFunc(points, a.newer[0].At, compareAt)
		a.take(points[:n])
		if points = points[n:]; len(points) == 0 {
			return
		}
		m, same := slices.BinarySearchFunc(a.newer, points[0].At, compareAt)
		if same {
			m++
			points = points[1:]
		}
		a.take(a.newer[:m])
		a.newer = a.newer[m:]
	}
	a.take(points)
}

// fromLog reads the samples of the log, in the order in which they were written.
func (l *sampleLog) fromLog(ctx context.Context, first, until int64, lanes map[int64]*lane) error {
	span := []any{stamp(time.UnixMicro(until)), stamp(time.UnixMicro(first))}
	err := each(ctx, l.db.read, rangeSQL, span, func(rows *sql.Rows) error {
		var id int64
		var payload sql.RawBytes
		if err := rows.Scan(&id, &payload); err != nil {
			return err
		}
		l.decode(id, payload, func(series int64, points []chunk.Point) bool {
			if a := lanes[series]; a != nil {
				for _, p := range points {
					if p.At >= first && p.At <= until && p.At < a.before {
						a.log = append(a.log, p)
					}
				}
			}
			return true
		})
		return nil
	})
	for _, a := range lanes {
		a.log = tidy(a.log)
	}
	return err
}

// chunks visits the chunks of some times that the lanes have, in order of time. The points are valid until visit returns.
func (l *sampleLog) chunks(ctx context.Context, table string, slots []time.Time, lanes map[int64]*lane, visit func(*lane, []chunk.Point)) error {
	keys := l.keys(table, slots, lanes)
	slotsAtOnce := mostSlots
	if l.db.dialect.slotBySlot && len(keys) > fewSeries {
		slotsAtOnce = 1
	}
	for some := range slices.Chunk(slots, slotsAtOnce) {
		for series := range slices.Chunk(keys, mostSeries) {
			if err := l.someChunks(ctx, table, chunksQuery(table, some, series), lanes, visit); err != nil {
				return err
			}
		}
	}
	return nil
}

// keys are those of the rows that the series of the lanes may have: of hours the groups', and the series' own where an older Vigía may have
// written one row for each.
func (l *sampleLog) keys(table string, slots []time.Time, lanes map[int64]*lane) []any {
	own := table == daysTable || len(slots) > 0 && slots[0].Before(l.groupsSince)
	list := make([]int64, 0, 2*len(lanes))
	for id := range lanes {
		if own {
			list = append(list, id)
		}
		if table == hoursTable {
			list = append(list, groupOf(id))
		}
	}
	slices.Sort(list)
	list = slices.Compact(list)
	keys := make([]any, len(list))
	for i, key := range list {
		keys[i] = key
	}
	return keys
}

func (l *sampleLog) someChunks(ctx context.Context, table string, q *query, lanes map[int64]*lane, visit func(*lane, []chunk.Point)) error {
	return l.eachPart(ctx, table, q.text.String(), q.args, func(series int64) func([]chunk.Point) {
		a := lanes[series]
		if a == nil {
			return nil
		}
		return func(points []chunk.Point) { visit(a, points) }
	})
}

// eachPart reads rows of chunks and unpacks those that are wanted: of which series says what is to be done with its points, which are valid
// until that returns.
func (l *sampleLog) eachPart(ctx context.Context, table, text string, args []any, wanted func(series int64) func([]chunk.Point)) error {
	var points []chunk.Point
	var parts []chunk.Part
	return each(ctx, l.db.read, text, args, func(rows *sql.Rows) (err error) {
		p := place{table: table}
		var payload sql.RawBytes
		if err := rows.Scan(instant{&p.t0}, &p.id, &payload); err != nil {
			return err
		}
		if parts = append(parts[:0], chunk.Part{Series: p.id, Packed: payload}); table == hoursTable {
			if parts, err = chunksOf(parts[:0], p.id, payload); err != nil {
				l.spoil(p, err)
				return nil
			}
		}
		for _, part := range parts {
			take := wanted(part.Series)
			if take == nil {
				continue
			}
			if points, err = chunk.Unpack(points[:0], part.Series, part.Packed); err != nil {
				l.spoil(place{table, p.t0, part.Series}, err)
				continue
			}
			take(points)
		}
		return nil
	})
}

func chunksQuery(table string, slots []time.Time, series []any) *query {
	times := make([]any, len(slots))
	for i, t := range slots {
		times[i] = stamp(t)
	}
	q := newQuery(`SELECT t0, series, payload FROM ` + table)
	q.in("t0", padded(times)...)
	q.in("series", padded(slices.Clone(series))...)
	q.add(" ORDER BY t0")
	return q
}

// padded repeats the last value until there are as many as a power of two, so that few texts of queries are to be prepared.
func padded(values []any) []any {
	if len(values) == 0 {
		return values
	}
	last := values[len(values)-1]
	for more := 1<<bits.Len(uint(len(values)-1)) - len(values); more > 0; more-- {
		values = append(values, last)
	}
	return values
}

// hourSlots lists the hours in which [first, until] may have chunks.
func (l *sampleLog) hourSlots(ctx context.Context, first, until int64) ([]time.Time, error) {
	from, to := time.UnixMicro(first).UTC().Truncate(time.Hour), time.UnixMicro(until).UTC()
	if to.Sub(from) <= mostAsked*time.Hour {
		return slots(from, to, time.Hour), nil
	}
	var list []time.Time
	err := each(ctx, l.db.read, hourSlotsSQL, []any{stamp(from), stamp(to)}, func(rows *sql.Rows) error {
		var t time.Time
		err := rows.Scan(instant{&t})
		list = append(list, t)
		return err
	})
	return list, err
}

// daySlots is the same of days.
func (l *sampleLog) daySlots(ctx context.Context, first, until int64) ([]time.Time, error) {
	from, to := time.UnixMicro(first).UTC().Truncate(dayLong), time.UnixMicro(until).UTC()
	if to.Sub(from) > 8*dayLong {
		var oldest, newest time.Time
		if err := l.db.read.QueryRowContext(ctx, boundsSQL).Scan(instant{&oldest}, instant{&newest}); err != nil || oldest.IsZero() {
			return nil, err
		}
		if oldest.After(from) {
			from = oldest
		}
		if newest.Before(to) {
			to = newest
		}
	}
	return slots(from, to, dayLong), nil
}

func slots(from, to time.Time, step time.Duration) []time.Time {
	var list []time.Time
	for t := from; !t.After(to); t = t.Add(step) {
		list = append(list, t)
	}
	return list
}

// decode visits the blocks of a row of the log, and notes when it cannot be read.
func (l *sampleLog) decode(id int64, payload []byte, visit func(int64, []chunk.Point) bool) {
	if err := chunk.Decode(payload, visit); errors.Is(err, chunk.ErrDamaged) || errors.Is(err, chunk.ErrVersion) {
		l.spoil(place{table: logTable, id: id}, err)
	}
}
