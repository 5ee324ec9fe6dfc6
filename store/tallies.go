package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"
)

const talliesTable = "call_tallies"

const (
	foldEvery = 10 * time.Minute // after which tallies are added to call_hours: the longer, the more calls share the writing of a row
	foldCalls = 20_000           // of which so many do not wait any longer: who reads figures has to add them up
)

const (
	// A number that was given is not given again, also when nothing of it is left.
	addTalliesSQL = `INSERT INTO call_tallies (id, written_at, calls, tallies)
		VALUES (1 + COALESCE((SELECT MAX(id) FROM call_tallies), (SELECT MAX(upto) FROM call_folding), 0), $1, $2, $3)`
	talliesWaitSQL   = `SELECT MIN(id), MAX(id), MIN(written_at), SUM(calls) FROM call_tallies HAVING COUNT(*) > 0`
	readTalliesSQL   = `SELECT id, tallies FROM call_tallies WHERE id > $1 AND id <= $2 ORDER BY id`
	removeTalliesSQL = `DELETE FROM call_tallies WHERE id <= $1`

	foldingSQL    = `SELECT upto, customer, dimension, hour, value, scale FROM call_folding`
	forgetFoldSQL = `DELETE FROM call_folding`
	noteFoldSQL   = `INSERT INTO call_folding (upto, customer, dimension, hour, value, scale) VALUES ($1, $2, $3, $4, $5, $6)`
)

// addTallies notes what calls change in the hourly figures, in the transaction that writes the calls.
func (t *transaction) addTallies(ctx context.Context, list []callTally, now time.Time) error {
	if len(list) == 0 {
		return nil
	}
	var run statements
	run.add(addTalliesSQL, now, int64(len(list)), packTallies(list))
	return t.run(ctx, run)
}

// waitingTallies is which tallies there are.
type waitingTallies struct {
	first, last int64 // their numbers; 0 when there are none
	since       time.Time
	calls       int64
}

func readWaiting(ctx context.Context, q querier) (w waitingTallies, err error) {
	err = each(ctx, q, talliesWaitSQL, nil, func(rows *sql.Rows) error {
		return rows.Scan(&w.first, &w.last, instant{&w.since}, &w.calls)
	})
	return w, err
}

// foldMark is how far tallies are added to call_hours.
type foldMark struct {
	upto int64
	done marginalKey // the last row that those up to upto are added to; its hour is 0 when they are to none
}

func readFolding(ctx context.Context, q querier) (f foldMark, err error) {
	err = each(ctx, q, foldingSQL, nil, func(rows *sql.Rows) error {
		var hour time.Time
		k := &f.done
		if err := rows.Scan(&f.upto, &k.customer, &k.dimension, instant{&hour}, &k.value, &k.scale); err != nil || hour.IsZero() {
			return err
		}
		k.hour = hour.Unix()
		return nil
	})
	return f, err
}

// has reports whether the tallies up to upto are added to a row.
func (f *foldMark) has(k marginalKey) bool { return f.done.hour != 0 && compareKeys(k, f.done) <= 0 }

// statements note it.
func (f *foldMark) statements() (run statements) {
	hour := time.Time{}
	if f.done.hour != 0 {
		hour = time.Unix(f.done.hour, 0)
	}
	run.add(forgetFoldSQL)
	run.add(noteFoldSQL, f.upto, f.done.customer, f.done.dimension, hour, f.done.value, f.done.scale)
	return run
}

// readTallies adds tallies from one number (exclusive) to another (inclusive) up, each by visit. What is damaged is left out, and told.
func (l *callLog) readTallies(ctx context.Context, q querier, from, to int64, visit func(id int64, t *callTally)) error {
	return each(ctx, q, readTalliesSQL, []any{from, to}, func(rows *sql.Rows) error {
		var id int64
		var blob []byte
		if err := rows.Scan(&id, &blob); err != nil {
			return err
		}
		if err := eachTally(blob, func(t *callTally) { visit(id, t) }); err != nil {
			l.spoil(place{table: talliesTable, id: id}, err)
		}
		return nil
	})
}

// fold adds tallies to call_hours when they have waited for long enough, or goes on with it where a process before left off.
func (l *callLog) fold(ctx context.Context, now time.Time) error {
	w, err := readWaiting(ctx, l.db.read)
	if err != nil || w.first == 0 {
		return err
	}
	f, err := readFolding(ctx, l.db.read)
	if err != nil {
		return err
	}
	if w.first > f.upto { // nothing is half done
		if waited := now.Sub(w.since); waited >= 0 && waited < foldEvery && w.calls < foldCalls {
			return nil
		}
		f = foldMark{upto: w.last}
		if err := l.slice(ctx, &pace{}, 0, func(t *transaction) error { return t.run(ctx, f.statements()) }); err != nil {
			return err
		}
	}
	return l.foldUp(ctx, f)
}

// foldUp adds the tallies up to a number to the rows of call_hours that they are not added to yet, slice by slice, and deletes them with the last.
func (l *callLog) foldUp(ctx context.Context, f foldMark) error {
	rows := map[marginalKey]*sums{}
	if err := l.readTallies(ctx, l.db.read, 0, f.upto, func(_ int64, t *callTally) { t.addTo(rows) }); err != nil {
		return err
	}
	list := changesOf(rows)
	list = slices.DeleteFunc(list, func(c marginalChange) bool { return f.has(c.key) })
	for len(list) > 0 {
		n := min(len(list), l.folding.size())
		f.done = list[n-1].key
		if err := l.foldSlice(ctx, f, list[:n]); err != nil {
			return err
		}
		list = list[n:]
	}
	f.done = marginalKey{}
	return l.slice(ctx, &pace{}, 0, func(t *transaction) error {
		end := f.statements()
		end.add(removeTalliesSQL, f.upto)
		return t.run(ctx, end)
	})
}

// foldSlice adds to some rows in one transaction. Where the database has no such row to take back from, the slice is done half by half, down to
// the row that it is, which stays as it is.
func (l *callLog) foldSlice(ctx context.Context, f foldMark, list []marginalChange) error {
	err := l.slice(ctx, &l.folding, len(list), func(t *transaction) error {
		if err := t.addMarginals(ctx, list); err != nil {
			return err
		}
		return t.run(ctx, f.statements())
	})
	if !errors.Is(err, ErrNotCounted) && !refusesData(err) {
		return err
	}
	if len(list) > 1 {
		half, first := len(list)/2, f
		first.done = list[half-1].key
		if err := l.foldSlice(ctx, first, list[:half]); err != nil {
			return err
		}
		return l.foldSlice(ctx, f, list[half:])
	}
	l.logger.Error("the hourly figures cannot be changed; they stay as they are", slog.Group("row", "customer", list[0].key.customer, "dimension", list[0].key.dimension,
		"value", list[0].key.value, "hour", time.Unix(list[0].key.hour, 0).UTC()), "error", err)
	if list[0].key.dimension == AllCalls {
		l.add(callCounts{uncounted: uint64(max(list[0].calls(), -list[0].calls(), 1))})
	}
	return l.slice(ctx, &pace{}, 0, func(t *transaction) error { return t.run(ctx, f.statements()) })
}

// verifyTallies reports why a row of tallies cannot be right.
func verifyTallies(r record) error {
	blob, _ := r["tallies"].([]byte)
	list, err := unpackTallies(blob)
	if calls, _ := r["calls"].(int64); err == nil && calls != int64(len(list)) {
		err = fmt.Errorf("it holds the figures of %d calls, and says %d", len(list), calls)
	}
	return err
}
