package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"vigia/store/chunk"
)

const (
	lateness   = 5 * time.Minute // an hour is left alone for so long after its end: what comes later is merged into its chunks
	lookPage   = 5_000           // rows of the log that are looked at in one go
	mostInUnit = 16_000_000      // samples of the rows that are compacted and deleted together
	mostAtOnce = 2_000_000       // samples that are in memory at once: 32 MB and what the growing of slices wastes
)

const (
	// What is due begins before, too, by which the index finds it without a look at the rows.
	dueSQL     = `SELECT id FROM sample_log WHERE t0 < $1 AND t1 < $1 ORDER BY t0 LIMIT $2`
	oldRowsSQL = `SELECT id, t1, count FROM sample_log WHERE id > $1 AND id <= $2 AND t1 < $3 ORDER BY id LIMIT $4`
	// The log's rows before the first one of an hour that is not over. A row of a clock that ran ahead does not hold the others up.
	coverSQL = `SELECT COALESCE((SELECT MIN(id) - 1 FROM sample_log WHERE t1 >= $1 AND t1 <= $2), (SELECT MAX(id) FROM sample_log), 0)`
	markSQL  = `UPDATE sample_compaction SET covered = CASE WHEN covered > $1 THEN covered ELSE $1 END,
		chunked_to = CASE WHEN chunked_to > $2 THEN chunked_to ELSE $2 END`
	markOldestSQL  = `UPDATE sample_compaction SET oldest = $1 WHERE oldest IS NULL OR oldest > $1`
	rowsSQL        = `SELECT id, payload FROM sample_log WHERE id >= $1 AND id <= $2 AND t1 < $3 ORDER BY id`
	removeRowsSQL  = `DELETE FROM sample_log WHERE id >= $1 AND id <= $2 AND t1 < $3`
	hoursOfSQL     = `SELECT series, payload FROM sample_hours WHERE t0 = $1 AND series >= $2 AND series <= $3`
	removeHourSQL  = `DELETE FROM sample_hours WHERE t0 = $1 AND series = $2`
	removeHoursSQL = `DELETE FROM sample_hours WHERE t0 = $1 AND series >= $2 AND series <= $3`

	logTable, hoursTable, daysTable = "sample_log", "sample_hours", "sample_days"
)

// logRow is a row of the log without its samples.
type logRow struct {
	id    int64
	hour  time.Time
	count int64
}

// unit is rows of the log that become chunks together and are deleted when the last of these is written.
type unit struct {
	rows   []logRow
	before time.Time // all their samples are older
}

// count is how many samples its rows have.
func (u unit) count() (sum int64) {
	for _, r := range u.rows {
		sum += r.count
	}
	return sum
}

// parts is in how many parts its samples are in memory, by their series.
func (u unit) parts() int64 { return u.count()/mostAtOnce + 1 }

// compactor turns the log into hour chunks and these into day chunks, in one goroutine of the active process.
type compactor struct {
	*sampleLog
	fence func(context.Context, *transaction) error

	hours, days, rows, expire pace // how much goes into one transaction; of hours and days groups of series

	stuck map[place]bool // rows of hours that have only what cannot be folded

	unkept  int           // octets that were written since SQLite's upkeep
	longest time.Duration // that one of its transactions has taken
	marked  int64         // microseconds: that the oldest sample is not newer is written down
	forgot  time.Time     // before which daily figures have been deleted

	expired   time.Time // when what is too old was deleted the last time
	expiredBy [2]int64  // by which retentions
}

func newCompactor(l *sampleLog, fence func(context.Context, *transaction) error) *compactor {
	return &compactor{sampleLog: l, fence: fence, stuck: map[place]bool{}, marked: math.MaxInt64, hours: newPace(), days: newPace(), rows: newPace(), expire: newPace()}
}

// compact makes hour chunks of what the log has of hours that are over. Whatever the instant at which it is stopped, a sample is in the
// log, in a chunk or in both, and both say the same: going over the same rows again changes nothing.
func (c *compactor) compact(ctx context.Context, now time.Time) error {
	before := now.Add(-lateness).Truncate(time.Hour)
	due, err := c.due(ctx, before)
	if err != nil || !due {
		return err
	}
	covered, err := c.cover(ctx, before, now.Add(ahead))
	if err != nil {
		return fmt.Errorf("begin to compact the log: %w", err)
	}
	for after := int64(0); ; {
		rows, err := c.oldRows(ctx, after, covered, before, lookPage)
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, u := range units(rows, before) {
			if err := c.compactUnit(ctx, u); err != nil {
				return fmt.Errorf("compact the log's rows %d to %d: %w", u.rows[0].id, u.rows[len(u.rows)-1].id, err)
			}
		}
		after = rows[len(rows)-1].id
	}
}

// due reports whether any row could be compacted, without troubling anybody: it is asked every minute.
func (c *compactor) due(ctx context.Context, before time.Time) (due bool, err error) {
	damaged, n := c.damagedRows(), 0
	err = each(ctx, c.db.read, dueSQL, []any{stamp(before), int64(min(len(damaged)+1, lookPage))}, func(rows *sql.Rows) error {
		var id int64
		err := rows.Scan(&id)
		_, is := slices.BinarySearch(damaged, id)
		n++
		due = due || !is
		return err
	})
	return due || n == lookPage, err
}

// cover decides up to which row the log is compacted, and notes it before the first row goes. A row that another process is just writing
// is waited for: it could have a lower number than one that is there already.
func (c *compactor) cover(ctx context.Context, before, latest time.Time) (covered int64, err error) {
	err = c.db.within(ctx, c.db.relaxed, func(t *transaction) error {
		if err := c.fence(ctx, t); err != nil {
			return err
		}
		if lock := c.db.dialect.lockLog; lock != "" {
			if _, err := t.tx.ExecContext(ctx, lock); err != nil {
				return err
			}
		}
		if err := t.tx.QueryRowContext(ctx, coverSQL, stamp(before), stamp(latest)).Scan(&covered); err != nil {
			return err
		}
		_, err := t.tx.ExecContext(ctx, markSQL, covered, stamp(before))
		return err
	})
	return covered, err
}

// oldRows lists rows after one id and up to another whose samples are all older than an instant; the last hour of a full page is left for
// the next one, in which it is whole. Rows that are known to be damaged stay where they are.
func (c *compactor) oldRows(ctx context.Context, after, upTo int64, before time.Time, page int) ([]logRow, error) {
	damaged := c.damagedRows()
	for {
		var list []logRow
		n := 0
		err := each(ctx, c.db.read, oldRowsSQL, []any{after, upTo, stamp(before), int64(page)}, func(rows *sql.Rows) error {
			var r logRow
			var t1 time.Time
			err := rows.Scan(&r.id, instant{&t1}, &r.count)
			r.hour = t1.Truncate(time.Hour)
			n, after = n+1, r.id
			if _, is := slices.BinarySearch(damaged, r.id); !is {
				list = append(list, r)
			}
			return err
		})
		if err != nil || n < page {
			return list, err
		}
		if len(list) > 0 {
			return withoutLastHour(list), nil
		}
	}
}

func withoutLastHour(list []logRow) []logRow {
	last := list[len(list)-1].hour
	i := slices.IndexFunc(list, func(r logRow) bool { return r.hour.Equal(last) })
	if i == 0 {
		return list
	}
	return list[:i]
}

// units parts rows into runs of one hour each that are not too large.
func units(rows []logRow, before time.Time) []unit {
	var list []unit
	var count int64
	for i, r := range rows {
		if count += r.count; i == 0 || !r.hour.Equal(rows[i-1].hour) || count > mostInUnit {
			list = append(list, unit{before: before})
			count = r.count
		}
		last := &list[len(list)-1]
		last.rows = append(last.rows, r)
	}
	return list
}

// compactUnit writes the chunks of a unit's rows and deletes the rows after the last of them.
func (c *compactor) compactUnit(ctx context.Context, u unit) error {
	last, err := c.lastID(ctx)
	if err != nil {
		return err
	}
	width := groupEnd(last/u.parts()) + 1 // whole groups
	for from := int64(0); from <= last; from += width {
		points, err := c.gather(ctx, u, from, from+width)
		if err != nil {
			return err
		}
		if err := c.writeHours(ctx, from, points); err != nil {
			return err
		}
	}
	return c.removeRows(ctx, u)
}

const lastSeriesSQL = `SELECT COALESCE(MAX(id), 0) FROM series`

func (c *compactor) lastID(ctx context.Context) (id int64, err error) {
	err = c.db.read.QueryRowContext(ctx, lastSeriesSQL).Scan(&id)
	return id, err
}

// gather reads the samples of a unit's rows of the series with an id in [from, to), in order of time: element i is series from+i.
func (c *compactor) gather(ctx context.Context, u unit, from, to int64) ([][]chunk.Point, error) {
	points := places(u.count()/u.parts(), to-from)
	wanted := map[int64]bool{}
	for _, r := range u.rows {
		wanted[r.id] = true
	}
	span := []any{u.rows[0].id, u.rows[len(u.rows)-1].id, stamp(u.before)}
	var decoder chunk.Decoder
	err := each(ctx, c.db.read, rowsSQL, span, func(rows *sql.Rows) error {
		var id int64
		var payload sql.RawBytes
		if err := rows.Scan(&id, &payload); err != nil || !wanted[id] {
			return err
		}
		err := decoder.Decode(payload, func(series int64, part []chunk.Point) bool {
			switch i := series - from; {
			case series < from || series >= to:
			case len(part) == 1:
				points[i] = append(points[i], part[0])
			default:
				points[i] = append(points[i], part...)
			}
			return true
		})
		if errors.Is(err, chunk.ErrDamaged) {
			c.spoil(place{logTable, time.Time{}, id}, err)
			return nil
		}
		return err
	})
	for i := range points {
		points[i] = tidy(points[i])
	}
	return points, err
}

// places are n empty lists with room for a like part of count points and a little more, in one piece.
func places(count, n int64) [][]chunk.Point {
	each := count/n + count/n/8 + 1
	room := make([]chunk.Point, min(each*n, mostAtOnce))
	lists := make([][]chunk.Point, n)
	for i := range lists {
		if int64(len(room)) < each {
			break
		}
		lists[i], room = room[:0:each], room[each:]
	}
	return lists
}

// removeRows deletes a unit's rows, the oldest first: of two values of one instant the one that stays longer is the newer one. What else has
// a number among theirs has samples that are not old, or is damaged and stays.
func (c *compactor) removeRows(ctx context.Context, u unit) error {
	for rows := u.rows; len(rows) > 0; {
		n := min(c.rows.size(), len(rows))
		var list statements
		for _, run := range c.runs(rows[:n]) {
			list.add(removeRowsSQL, run[0], run[1], u.before)
		}
		if err := c.slice(ctx, &c.rows, func(t *transaction) (int, error) { return n, t.run(ctx, list) }); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// runs are the first and last numbers of spans of rows between which there is no damaged one.
func (c *compactor) runs(rows []logRow) (list [][2]int64) {
	damaged := c.damagedRows()
	last := int64(math.MinInt64)
	for _, r := range rows {
		i, is := slices.BinarySearch(damaged, r.id)
		if is {
			continue
		}
		if len(list) == 0 || i > 0 && damaged[i-1] > last {
			list = append(list, [2]int64{r.id, r.id})
		}
		last = r.id
		list[len(list)-1][1] = last
	}
	return list
}

// part is the samples of one series within one chunk.
type part struct {
	series int64
	points []chunk.Point
}

// writeHours writes or completes the hour chunks of series from on, hour by hour.
func (c *compactor) writeHours(ctx context.Context, from int64, points [][]chunk.Point) error {
	byHour := map[int64][]part{}
	for i, list := range points {
		for len(list) > 0 {
			hour := list[0].At - list[0].At%hourLong
			n, _ := slices.BinarySearchFunc(list, hour+hourLong, compareAt)
			byHour[hour] = append(byHour[hour], part{from + int64(i), list[:n]})
			list = list[n:]
		}
	}
	hours := make([]int64, 0, len(byHour))
	for hour := range byHour {
		hours = append(hours, hour)
	}
	slices.Sort(hours)
	for _, hour := range hours {
		if err := c.writeWholeHour(ctx, time.UnixMicro(hour).UTC(), byHour[hour]); err != nil {
			return err
		}
	}
	return nil
}

// severalGroups is how many of some parts, in the order of their series, the first groups of them have.
func severalGroups(list []part, groups int) (n int) {
	for range groups {
		if n == len(list) {
			break
		}
		end := groupEnd(list[n].series)
		for n < len(list) && list[n].series <= end {
			n++
		}
	}
	return n
}

var hourLong = time.Hour.Microseconds()

func compareAt(p chunk.Point, at int64) int { return cmp.Compare(p.At, at) }
