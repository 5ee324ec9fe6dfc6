package store

import (
	"context"
	"database/sql"
	"time"
)

const (
	nextMarginalSQL = `SELECT customer, dimension FROM call_hours WHERE (customer, dimension) > ($1, $2) ORDER BY customer, dimension LIMIT 1`
	firstHourSQL    = `SELECT MIN(hour) FROM call_hours WHERE customer = $1 AND dimension = $2`
	expireHoursSQL  = `DELETE FROM call_hours WHERE customer = $1 AND dimension = $2 AND hour < $3`
)

// expireMarginals deletes the hourly figures of calls of before an instant: of one customer and dimension after the other, by their key, and
// at most a day of these at once.
func (c *compactor) expireMarginals(ctx context.Context, before time.Time) error {
	var customer, dimension string
	for {
		found := false
		err := each(ctx, c.db.read, nextMarginalSQL, []any{customer, dimension}, func(rows *sql.Rows) error {
			found = true
			return rows.Scan(&customer, &dimension)
		})
		if err != nil || !found {
			return err
		}
		if err := c.expireDimension(ctx, customer, dimension, before); err != nil {
			return err
		}
	}
}

func (c *compactor) expireDimension(ctx context.Context, customer, dimension string, before time.Time) error {
	for {
		var first time.Time
		err := c.db.read.QueryRowContext(ctx, firstHourSQL, customer, dimension).Scan(instant{&first})
		if err != nil || first.IsZero() || !first.Before(before) {
			return err
		}
		until := earliest(before, first.Add(dayLong))
		err = c.slice(ctx, &c.expire, func(t *transaction) (int, error) {
			result, err := t.tx.ExecContext(ctx, expireHoursSQL, customer, dimension, stamp(until))
			if err != nil {
				return 0, err
			}
			n, err := result.RowsAffected()
			return int(n), err
		})
		if err != nil {
			return err
		}
	}
}
