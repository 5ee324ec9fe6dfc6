package store

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"vigia/store/chunk"
)

const (
	// Higher than the number of every row there ever was: rows that are gone are up to covered.
	nextRowSQL = `SELECT 1 + CASE WHEN covered > last THEN covered ELSE last END
		FROM (SELECT covered, COALESCE((SELECT MAX(id) FROM sample_log), 0) AS last FROM sample_compaction) AS numbers`
	addNextRowSQL = `INSERT INTO sample_log (id, t0, t1, count, payload) VALUES ((` + nextRowSQL + `), $1, $2, $3, $4) RETURNING id`
	addRowSQL     = `INSERT INTO sample_log (t0, t1, count, payload, id) VALUES ($1, $2, $3, $4, $5)`
	// The fence and the row in one round trip; without the fence there is no row.
	addFencedRowSQL = `INSERT INTO sample_log (t0, t1, count, payload, id)
		SELECT CAST($1 AS TIMESTAMPTZ), CAST($2 AS TIMESTAMPTZ), CAST($3 AS INTEGER), CAST($4 AS BYTEA), CAST($5 AS BIGINT)
		FROM lease WHERE epoch = $6 FOR KEY SHARE`
)

// packed is a row of the log.
type packed struct {
	t0, t1  int64 // of its oldest and newest sample, microseconds
	count   int
	payload []byte
}

// scratch is the memory in which one row after the other is made.
type scratch struct {
	points  []chunk.Point
	blocks  []chunk.Block
	payload []byte
}

// encode packs samples in the order of their series, of which there is one at least. The row is valid until the next one is made.
func (s *scratch) encode(batch []waiting) packed {
	row := packed{t0: math.MaxInt64, t1: math.MinInt64, count: len(batch)}
	points, blocks := slices.Grow(s.points[:0], len(batch))[:len(batch)], s.blocks[:0]
	var of *recent
	for i := range batch {
		w := &batch[i]
		points[i] = w.Point
		row.t0, row.t1 = min(row.t0, w.At), max(row.t1, w.At)
		if of != w.of {
			of = w.of
			blocks = append(blocks, chunk.Block{Series: of.id, Points: points[i:i]})
		}
		last := &blocks[len(blocks)-1]
		last.Points = last.Points[:len(last.Points)+1]
	}
	s.points, s.blocks = points, blocks
	s.payload = chunk.Encode(s.payload[:0], blocks)
	row.payload = s.payload
	return row
}

// numbers are those that a process gives to rows of the log while it has the right: nobody else gives any then, but for one who was deposed
// and writes what it still has.
type numbers struct {
	epoch int64 // of the right; 0 when the next number is not known
	next  int64
}

// mostTaken is how often in a row the number of a new row may have been given by somebody else.
const mostTaken = 20

// add writes a row, if the right of an epoch is still held; 0 asks for none. Should the row come to be there twice, that changes nothing: the
// same samples hold. The caller holds flushing.
func (l *sampleLog) add(ctx context.Context, row packed, epoch int64) (id int64, err error) {
	for range mostTaken {
		if epoch == 0 {
			id, err = row.addNext(ctx, l.db)
		} else {
			id, err = l.addNumbered(ctx, row, epoch)
		}
		if !isTaken(err) {
			break
		}
	}
	return id, err
}

// isTaken reports whether a row has a key that is there already.
func isTaken(err error) bool {
	var p *pgconn.PgError
	if errors.As(err, &p) {
		return p.Code == "23505"
	}
	var s *sqlite.Error
	return errors.As(err, &s) && s.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
}

// addNumbered adds a row under the number that this process gives it. The caller holds flushing.
func (l *sampleLog) addNumbered(ctx context.Context, row packed, epoch int64) (id int64, err error) {
	n := l.numbers
	l.numbers = numbers{} // until it is known that this one was taken
	if n.epoch != epoch {
		n.epoch = epoch
		if err := l.db.read.QueryRowContext(ctx, nextRowSQL).Scan(&n.next); err != nil {
			return 0, err
		}
	}
	if err := row.add(ctx, l.db, n.next, epoch); err != nil {
		return 0, err
	}
	l.numbers = numbers{n.epoch, n.next + 1}
	return n.next, nil
}

func (r packed) args() []any {
	return []any{stamp(time.UnixMicro(r.t0)), stamp(time.UnixMicro(r.t1)), int64(r.count), r.payload}
}

// addNext adds the row without asking for any right, under the number that the database finds.
func (r packed) addNext(ctx context.Context, db *database) (id int64, err error) {
	err = db.within(ctx, db.relaxed, func(t *transaction) error { return t.tx.QueryRowContext(ctx, addNextRowSQL, r.args()...).Scan(&id) })
	return id, err
}

// add adds the row if the right is still held, for which on SQLite the lock of the file is enough: on PostgreSQL in one round trip.
func (r packed) add(ctx context.Context, db *database, id, epoch int64) error {
	args := append(r.args(), id)
	if db.gate != nil {
		return db.addToFile(ctx, db.relaxed, addRowSQL, args)
	}
	var rows int64
	conn, err := db.alive(ctx, db.relaxed, func(c *sql.Conn) error {
		result, err := c.ExecContext(ctx, addFencedRowSQL, append(args, epoch)...)
		if err == nil {
			rows, err = result.RowsAffected()
		}
		return err
	})
	if err != nil {
		return err
	}
	if err := conn.Close(); err != nil {
		return err
	}
	if rows == 0 {
		return ErrLost
	}
	return nil
}
