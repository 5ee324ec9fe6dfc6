package store

import (
	"cmp"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/stdlib"
)

// ErrNotCounted says that a call was to be taken back which was never counted, or was taken back before. Nothing has changed.
var ErrNotCounted = errors.New("what was never counted cannot be taken back")

// marginalKey is the key of a row of call_hours.
type marginalKey struct {
	customer, dimension string
	hour                int64 // seconds
	value, scale        string
}

func compareKeys(a, b marginalKey) int {
	return cmp.Or(cmp.Compare(a.customer, b.customer), cmp.Compare(a.dimension, b.dimension), cmp.Compare(a.hour, b.hour),
		cmp.Compare(a.value, b.value), cmp.Compare(a.scale, b.scale))
}

// marginalChange is what is added to one row.
type marginalChange struct {
	key marginalKey
	sums
}

// changesOf is the rows that change, in the order of their keys.
func changesOf(rows map[marginalKey]*sums) []marginalChange {
	list := make([]marginalChange, 0, len(rows))
	for k, delta := range rows {
		if *delta != (sums{}) {
			list = append(list, marginalChange{k, *delta})
		}
	}
	slices.SortFunc(list, func(a, b marginalChange) int { return compareKeys(a.key, b.key) })
	return list
}

// addMarginals changes rows of the hourly figures, which come in the order of their keys. Rows in which there are only more calls are added to or
// made; the others must be there, and go when they have no call left.
func (t *transaction) addMarginals(ctx context.Context, list []marginalChange) error {
	var put, change, remove []marginalChange
	for i := range list {
		if row := list[i]; row.onlyGrows() {
			put = append(put, row)
		} else {
			change = append(change, row)
			if row.calls() < 0 {
				remove = append(remove, row)
			}
		}
	}
	if _, err := t.eachMarginal(ctx, put, putMarginal); err != nil {
		return err
	}
	n, err := t.eachMarginal(ctx, change, changeMarginal)
	if err != nil && refusesData(err) {
		return fmt.Errorf("%w: %w", ErrNotCounted, t.d.explain(err))
	}
	if err == nil && n < int64(len(change)) {
		return fmt.Errorf("%w: %d of %d rows are not there (customer %q, %s)", ErrNotCounted, int64(len(change))-n, len(change),
			change[0].key.customer, time.Unix(change[0].key.hour, 0).UTC().Format(time.RFC3339))
	}
	if err == nil {
		_, err = t.eachMarginal(ctx, remove, removeMarginal)
	}
	return err
}

// marginalsAtOnce is how many rows one statement writes on PostgreSQL.
const marginalsAtOnce = 2000

// eachMarginal executes a statement for each row, and tells how many rows it has changed: on PostgreSQL for many at once.
func (t *transaction) eachMarginal(ctx context.Context, list []marginalChange, write marginalSQL) (changed int64, err error) {
	if t.d.gate != nil {
		return t.oneByOne(ctx, list, write)
	}
	err = t.conn.Raw(func(driverConn any) error {
		c, ok := driverConn.(*stdlib.Conn)
		if !ok {
			return driver.ErrBadConn
		}
		text := write.many()
		for some := range slices.Chunk(list, marginalsAtOnce) {
			tag, err := c.Conn().Exec(ctx, text, arraysOf(some, write)...)
			if err != nil {
				return err
			}
			changed += tag.RowsAffected()
		}
		return nil
	})
	return changed, err
}

func (t *transaction) oneByOne(ctx context.Context, list []marginalChange, write marginalSQL) (changed int64, err error) {
	if len(list) == 0 {
		return 0, nil
	}
	stmt, err := t.tx.PrepareContext(ctx, write.one())
	if err != nil {
		return 0, err
	}
	defer func() { _ = stmt.Close() }()
	unwatched := context.WithoutCancel(ctx) // the transaction ends with ctx: a goroutine for each row to watch it is not needed
	var args []any
	for i := range list {
		k := &list[i].key
		args = append(args[:0], k.customer, k.dimension, stamp(time.Unix(k.hour, 0)), k.value, k.scale)
		if write != removeMarginal {
			args = append(args, list[i].calls())
			for _, v := range list[i].sums {
				args = append(args, v)
			}
		}
		result, err := stmt.ExecContext(unwatched, args...)
		if err != nil {
			return changed, err
		}
		n, err := result.RowsAffected()
		if err != nil {
			return changed, err
		}
		changed += n
	}
	return changed, nil
}

// arraysOf is the rows column by column.
func arraysOf(list []marginalChange, write marginalSQL) []any {
	customers, dimensions, values, scales := make([]string, len(list)), make([]string, len(list)), make([]string, len(list)), make([]string, len(list))
	hours, calls := make([]time.Time, len(list)), make([]int64, len(list))
	var columns [marginalWidth][]int64
	for i := range columns {
		columns[i] = make([]int64, len(list))
	}
	for n := range list {
		k := &list[n].key
		customers[n], dimensions[n], values[n], scales[n] = k.customer, k.dimension, k.value, k.scale
		hours[n], calls[n] = time.Unix(k.hour, 0).UTC(), list[n].calls()
		for i, v := range list[n].sums {
			columns[i][n] = v
		}
	}
	args := []any{customers, dimensions, hours, values, scales}
	if write == removeMarginal {
		return args
	}
	args = append(args, calls)
	for i := range columns {
		args = append(args, columns[i])
	}
	return args
}
