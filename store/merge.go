package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"vigia/store/chunk"
)

const (
	mostMerged  = 200_000 // samples in one merged row: some 20 ms of work
	mergePage   = 5_000   // rows that are looked at in one go
	mergeBehind = headSpan
)

const (
	mergeLookSQL   = `SELECT id, t1, count FROM sample_log WHERE id > $1 AND t1 < $2 ORDER BY id LIMIT $3`
	mergeReadSQL   = `SELECT payload FROM sample_log WHERE id >= $1 AND id <= $2 AND t1 < $3 ORDER BY id`
	mergeRemoveSQL = `DELETE FROM sample_log WHERE id >= $1 AND id <= $2 AND t1 < $3`
)

// logRow is a row of the log without its samples.
type logRow struct {
	id    int64
	hour  time.Time
	count int64
}

// merge makes few rows of the many that the flushes of each hour left: a month is then read as some hundred rows instead of a million.
// It takes hours that are over and older than what fills the head, and remembers how far it has come.
func (l *sampleLog) merge(ctx context.Context, now time.Time) error {
	before := now.Add(-mergeBehind).Truncate(time.Hour)
	for {
		rows, err := l.mergeable(ctx, before)
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, group := range mergeGroups(rows) {
			if err := l.mergeGroup(ctx, group, before); err != nil {
				return err
			}
			l.merged = group[len(group)-1].id
		}
	}
}

// mergeable lists the next rows to look at; the last hour of a full page is left for the next one, in which it is whole.
func (l *sampleLog) mergeable(ctx context.Context, before time.Time) ([]logRow, error) {
	var list []logRow
	err := each(ctx, l.db.read, mergeLookSQL, []any{l.merged, stamp(before), int64(mergePage)}, func(rows *sql.Rows) error {
		var r logRow
		var t1 time.Time
		err := rows.Scan(&r.id, instant{&t1}, &r.count)
		r.hour = t1.Truncate(time.Hour)
		list = append(list, r)
		return err
	})
	if n := len(list); n == mergePage && !list[0].hour.Equal(list[n-1].hour) {
		last := list[n-1].hour
		for len(list) > 0 && list[len(list)-1].hour.Equal(last) {
			list = list[:len(list)-1]
		}
	}
	return list, err
}

// mergeGroups parts rows into runs of one hour each that are not too large for one row.
func mergeGroups(rows []logRow) [][]logRow {
	var groups [][]logRow
	var count int64
	for i, r := range rows {
		if count += r.count; i == 0 || !r.hour.Equal(rows[i-1].hour) || count > mostMerged {
			groups = append(groups, nil)
			count = r.count
		}
		last := len(groups) - 1
		groups[last] = append(groups[last], r)
	}
	return groups
}

// errChanged: another process has merged or deleted the same rows.
var errChanged = errors.New("the rows have changed")

// mergeGroup replaces the rows of a group by one. A group in which a row is damaged stays as it is.
func (l *sampleLog) mergeGroup(ctx context.Context, group []logRow, before time.Time) error {
	if len(group) < 2 {
		return nil
	}
	span := []any{group[0].id, group[len(group)-1].id, stamp(before)}
	blocks, err := l.gather(ctx, span)
	if errors.Is(err, chunk.ErrDamaged) || errors.Is(err, chunk.ErrVersion) || err == nil && len(blocks) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	row := encodeRow(blocks)
	err = l.db.within(ctx, l.db.relaxed, func(t *transaction) error {
		result, err := t.tx.ExecContext(ctx, mergeRemoveSQL, span...)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n != int64(len(group)) {
			return errors.Join(errChanged, err)
		}
		_, err = row.add(ctx, t)
		return err
	})
	if errors.Is(err, errChanged) {
		return nil
	}
	return err
}

// gather reads the samples of a span of rows, by series and in order of time.
func (l *sampleLog) gather(ctx context.Context, span []any) ([]chunk.Block, error) {
	points := map[int64][]chunk.Point{}
	err := each(ctx, l.db.read, mergeReadSQL, span, func(rows *sql.Rows) error {
		var payload []byte
		if err := rows.Scan(&payload); err != nil {
			return err
		}
		return chunk.Decode(payload, func(series int64, part []chunk.Point) bool {
			points[series] = append(points[series], part...)
			return true
		})
	})
	blocks := make([]chunk.Block, 0, len(points))
	for series, list := range points {
		blocks = append(blocks, chunk.Block{Series: series, Points: tidy(list)})
	}
	slices.SortFunc(blocks, func(a, b chunk.Block) int { return cmp.Compare(a.Series, b.Series) })
	return blocks, err
}
