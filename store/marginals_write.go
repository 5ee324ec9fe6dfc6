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

// AddMarginals adds calls to the hourly figures and takes others back, all of them or none. It makes sure that this process is still the
// active one (ErrLost). A call whose figures cannot be is ErrFigures, one that was never counted and is taken back ErrNotCounted.
//
// It does not know which calls it has seen: whoever cannot know whether it succeeded (the connection broke while it was committed) must not
// call it again on a guess. Who keeps calls as rows writes row and figures in one transaction, by transaction.addMarginals: the row says
// what has been counted of it.
func (s *Store) AddMarginals(ctx context.Context, list []Contribution) error {
	err := s.db.within(ctx, s.db.relaxed, func(t *transaction) error {
		if err := s.fence(ctx, t); err != nil {
			return err
		}
		return t.addMarginals(ctx, list)
	})
	if errors.Is(err, ErrLost) || errors.Is(err, ErrFigures) || errors.Is(err, ErrNotCounted) {
		return err
	}
	if err = s.health.wrote(err); err != nil {
		return fmt.Errorf("add the figures of %d calls: %w", len(list), err)
	}
	return nil
}

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

// gatherMarginals adds up what several contributions change in each row.
func gatherMarginals(list []Contribution) (map[marginalKey]*sums, error) {
	rows := map[marginalKey]*sums{}
	for i := range list {
		call := &list[i].Call
		if err := call.Check(); err != nil {
			return nil, err
		}
		times := int64(1)
		if list[i].Back {
			times = -1
		}
		one, keys := call.sums(), call.keys()
		for _, k := range keys {
			if rows[k] == nil {
				rows[k] = &sums{}
			}
			rows[k].add(&one, times)
		}
	}
	return rows, nil
}

// keys are the rows in which a call counts, each once.
func (c *CallFigures) keys() []marginalKey {
	k := marginalKey{customer: shortText(c.Customer), dimension: AllCalls, hour: c.At.Truncate(time.Hour).Unix(), scale: shortText(c.Scale)}
	list := make([]marginalKey, 1, 1+len(c.Dimensions))
	list[0] = k
	for _, d := range c.Dimensions {
		if k.dimension, k.value = shortText(d.Name), shortText(d.Value); !slices.Contains(list, k) {
			list = append(list, k)
		}
	}
	return list
}

// marginalChange is what is added to one row.
type marginalChange struct {
	key marginalKey
	sums
}

// addMarginals adds calls to the figures and takes others back. Rows in which there are only more calls are added to or made; the others
// must be there, and go when they have no call left.
func (t *transaction) addMarginals(ctx context.Context, list []Contribution) error {
	rows, err := gatherMarginals(list)
	if err != nil {
		return err
	}
	var put, change, remove []marginalChange
	for k, delta := range rows {
		row := marginalChange{k, *delta}
		switch {
		case row.onlyGrows():
			put = append(put, row)
		case row.sums != sums{}:
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
	if err != nil {
		return err
	}
	_, err = t.eachMarginal(ctx, remove, removeMarginal)
	return err
}

// marginalsAtOnce is how many rows one statement writes on PostgreSQL.
const marginalsAtOnce = 2000

// eachMarginal executes a statement for each row, and tells how many rows it has changed: on PostgreSQL for many at once.
func (t *transaction) eachMarginal(ctx context.Context, list []marginalChange, write marginalSQL) (changed int64, err error) {
	slices.SortFunc(list, func(a, b marginalChange) int { return compareKeys(a.key, b.key) }) // two that do the same wait in one order
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
		result, err := stmt.ExecContext(ctx, args...)
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
