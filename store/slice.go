package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"vigia/store/chunk"
)

const (
	sliceGoal  = 6 * time.Millisecond // how long one transaction of the compaction should take, well below the 20 ms that it may
	mostSlice  = 4096
	checkpoint = 4 << 20 // octets that are written before SQLite's log of writes is moved into the file
)

// pace finds how much fits into one transaction, by how long the last one took.
type pace struct {
	n     int
	goal  time.Duration
	least int // pieces, also on a machine that has no time
}

func newPace() pace { return pace{32, sliceGoal, 1} }

func (p *pace) size() int { return p.n }

// took learns from a transaction of n pieces; it grows slowly and shrinks at once. Few pieces say nothing about many.
func (p *pace) took(n int, d time.Duration) {
	if n < p.n/2 && d < p.goal {
		return
	}
	want := int(float64(n) * float64(p.goal) / float64(max(d, time.Microsecond)))
	p.n = min(max(want, p.least, p.n/8), p.n+p.n/4+1, mostSlice)
}

// slice runs one short transaction of the compaction, if this process is still the active one, and lets its pace learn how much it did.
func (c *compactor) slice(ctx context.Context, p *pace, work func(*transaction) (n int, err error)) error {
	var start time.Time
	n := 0
	err := c.db.within(ctx, c.db.relaxed, func(t *transaction) (err error) {
		start = time.Now() // not the wait for others
		if err := c.fence(ctx, t); err != nil {
			return err
		}
		n, err = work(t)
		return err
	})
	if err != nil {
		return err
	}
	d := time.Since(start)
	p.took(n, d)
	c.longest = max(c.longest, d)
	return nil
}

// place names one row that holds something packed.
type place struct {
	table string
	t0    time.Time // zero for a row of the log
	id    int64     // of the series, or of the log's row; of a call its hash
}

func (p place) String() string {
	switch {
	case p.t0.IsZero():
		return fmt.Sprintf("%s, row %d", p.table, p.id)
	case p.table == callsTable || p.table == intervalsTable:
		return fmt.Sprintf("%s, hash %d, %s", p.table, p.id, p.t0.Format(time.RFC3339Nano))
	}
	return fmt.Sprintf("%s, series %d, %s", p.table, p.id, p.t0.Format(time.RFC3339))
}

// mostSpoilt is how many damaged rows are known by name; of more only the number is.
const mostSpoilt = 100_000

// spoil counts and tells once that a row cannot be read back. It costs only itself.
func (l *sampleLog) spoil(p place, why error) {
	p.t0 = p.t0.UTC()
	l.mu.Lock()
	known := l.spoiled[p]
	if !known && len(l.spoiled) < mostSpoilt {
		l.spoiled[p] = true
		l.damaged++
	}
	l.mu.Unlock()
	if !known {
		l.logger.Error("what is stored cannot be read back and is left out", "where", p.String(), "error", why)
	}
}

func (l *sampleLog) spoilt(p place) bool {
	p.t0 = p.t0.UTC()
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.spoiled[p]
}

// damagedRows are the numbers of the log's rows that cannot be read back, in order.
func (l *sampleLog) damagedRows() (list []int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for p := range l.spoiled {
		if p.table == logTable {
			list = append(list, p.id)
		}
	}
	slices.Sort(list)
	return list
}

// row is a chunk, or a group of them, as it is stored.
type row struct {
	series  int64 // of a group the lowest that it may have
	payload []byte
}

var errTooMany = errors.New("too many samples for one chunk")

// packPoints packs the samples of one series.
func packPoints(series int64, points []chunk.Point) ([]byte, error) {
	if len(points) > chunk.MostPoints {
		return nil, errTooMany
	}
	return chunk.Pack(make([]byte, 0, 3*len(points)+32), series, points), nil
}

// addChunks inserts rows of one time that are not there: on PostgreSQL by COPY.
func (t *transaction) addChunks(ctx context.Context, table string, t0 time.Time, rows []row) error {
	if len(rows) == 0 {
		return nil
	}
	if t.d.gate == nil {
		return t.conn.Raw(func(c any) error { return copyChunks(ctx, c, table, t0, rows) })
	}
	list, text, at := make(statements, 0, len(rows)), `INSERT INTO `+table+` (t0, series, payload) VALUES ($1, $2, $3)`, stamp(t0)
	for _, r := range rows {
		list = append(list, statement{text, []any{at, r.series, r.payload}})
	}
	return t.run(ctx, list)
}

func copyChunks(ctx context.Context, driverConn any, table string, t0 time.Time, rows []row) error {
	c, ok := driverConn.(*stdlib.Conn)
	if !ok {
		return driver.ErrBadConn
	}
	_, err := c.Conn().CopyFrom(ctx, pgx.Identifier{table}, []string{"t0", "series", "payload"},
		pgx.CopyFromSlice(len(rows), func(i int) ([]any, error) { return []any{t0.UTC(), rows[i].series, rows[i].payload}, nil }))
	return err
}

// wrote lets the database do its upkeep now and then while much is written.
func (c *compactor) wrote(ctx context.Context, rows []row) error {
	for _, r := range rows {
		c.unkept += len(r.payload) + 64
	}
	if c.unkept < checkpoint {
		return nil
	}
	c.unkept = 0
	return c.db.keepUp(ctx)
}
