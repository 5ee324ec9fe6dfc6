package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite" // registers the driver "sqlite"
)

// database is the open database, by three ways: durable writes are on the disk when they return, relaxed ones follow within a second and
// are lost only when the power fails, reads see every write that has returned.
type database struct {
	dialect dialect
	target  string // for people
	file    string // SQLite: its path

	durable, relaxed, read *sql.DB

	gate    chan struct{}        // SQLite: held by the one writer; nil on PostgreSQL
	inserts map[string]*sql.Stmt // SQLite: what addToFile has prepared, for who holds the gate
}

// readConns is how many connections there are for reading alone: however slow that is, who writes does not wait for it.
const readConns = 4

// statement is one SQL text with its arguments.
type statement struct {
	text string
	args []any
}

// statements grows into what one transaction does.
type statements []statement

func (s *statements) add(text string, args ...any) {
	*s = append(*s, statement{text, clean(args)})
}

// clean makes texts storable: what came from the wire may hold octets that are no UTF-8, or a NUL, which PostgreSQL refuses.
func clean(args []any) []any {
	for i, arg := range args {
		switch v := arg.(type) {
		case string:
			args[i] = cleanText(v)
		case time.Time:
			args[i] = stamp(v)
		}
	}
	return args
}

func cleanText(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\x00", "\ufffd")
}

// stamp is a time as an argument: NULL for the zero time, else UTC in whole microseconds.
func stamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Truncate(time.Microsecond)
}

// instant scans a time column, NULL as the zero time.
type instant struct{ to *time.Time }

// Scan reads a time, or microseconds where the database does not know the column's type.
func (i instant) Scan(value any) error {
	switch v := value.(type) {
	case nil:
		*i.to = time.Time{}
	case time.Time:
		*i.to = v.UTC()
	case int64:
		*i.to = time.UnixMicro(v).UTC()
	default:
		return fmt.Errorf("%T is not a time", value)
	}
	return nil
}

func openDatabase(addr address) (*database, error) {
	d := &database{target: addr.target}
	if addr.postgres != nil {
		d.dialect = postgresDialect()
		relaxed := addr.postgres.Copy()
		relaxed.RuntimeParams["synchronous_commit"] = "off"
		d.durable = sql.OpenDB(stdlib.GetConnector(*addr.postgres))
		d.durable.SetMaxOpenConns(8)
		d.durable.SetMaxIdleConns(4)
		d.relaxed = sql.OpenDB(stdlib.GetConnector(*relaxed))
		d.relaxed.SetMaxOpenConns(3)
		d.relaxed.SetMaxIdleConns(2)
		d.read = sql.OpenDB(stdlib.GetConnector(*addr.postgres))
		d.read.SetMaxOpenConns(readConns)
		d.read.SetMaxIdleConns(readConns)
		return d, nil
	}
	d.dialect, d.file = sqliteDialect(), addr.file
	d.gate, d.inserts = make(chan struct{}, 1), map[string]*sql.Stmt{}
	for _, pool := range []struct {
		to          **sql.DB
		synchronous string
		conns       int
	}{{&d.durable, "FULL", 1}, {&d.relaxed, "NORMAL", 1}, {&d.read, "NORMAL", readConns}} {
		db, err := sql.Open("sqlite", sqliteURL(addr.file, pool.synchronous))
		if err != nil {
			return nil, err
		}
		db.SetMaxOpenConns(pool.conns)
		db.SetMaxIdleConns(pool.conns)
		*pool.to = db
	}
	return d, nil
}

func (d *database) close() error {
	var first error
	for _, insert := range d.inserts {
		_ = insert.Close() // it goes with the connection
	}
	for _, db := range []*sql.DB{d.relaxed, d.read, d.durable} {
		if db == nil {
			continue
		}
		if err := db.Close(); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// explain turns a driver's error into one that tells an operator what to do.
func (d *database) explain(err error) error {
	if err == nil {
		return nil
	}
	if d.file != "" {
		return explainSQLite(d.file, err)
	}
	return explainPostgres(d.target, err)
}

// keepUp does what the database needs now and then.
func (d *database) keepUp(ctx context.Context) error {
	if d.dialect.upkeep == "" {
		return nil
	}
	_, err := d.read.ExecContext(ctx, d.dialect.upkeep)
	return err
}

// enter waits until this process may write; leave ends it.
func (d *database) enter(ctx context.Context) (leave func(), err error) {
	if d.gate == nil {
		return func() {}, nil
	}
	select {
	case d.gate <- struct{}{}:
		return func() { <-d.gate }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// transaction is one open transaction.
type transaction struct {
	d    *database
	conn *sql.Conn
	tx   *sql.Tx
}

// within runs f in one transaction of the pool and commits it when f returns nil.
func (d *database) within(ctx context.Context, pool *sql.DB, f func(*transaction) error) error {
	leave, err := d.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	conn, tx, err := d.begin(ctx, pool)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }() // back to the pool
	if err := f(&transaction{d, conn, tx}); err != nil {
		tx.Rollback() //nolint:errcheck // the first error is the one that matters; a lost connection rolls back by itself
		return err
	}
	return tx.Commit()
}

// begin begins a transaction.
func (d *database) begin(ctx context.Context, pool *sql.DB) (conn *sql.Conn, tx *sql.Tx, err error) {
	conn, err = d.alive(ctx, pool, func(c *sql.Conn) (err error) {
		tx, err = c.BeginTx(ctx, nil)
		return err
	})
	return conn, tx, err
}

// alive does the first work on a connection of the pool, which the caller closes. Those that have died while they were idle are thrown away,
// and with them those that only read: these have died of the same, and would say so to who reads next.
func (d *database) alive(ctx context.Context, pool *sql.DB, first func(*sql.Conn) error) (*sql.Conn, error) {
	for left := 20; ; left-- { // more than any pool holds
		conn, err := pool.Conn(ctx)
		if err != nil {
			return nil, err
		}
		if err = first(conn); err == nil {
			return conn, nil
		}
		dead := left > 0 && diedIdle(ctx, err)
		if dead {
			endSession(conn)
			d.read.SetMaxIdleConns(0)
			d.read.SetMaxIdleConns(readConns)
		}
		_ = conn.Close() // back to the pool, or dead
		if !dead {
			return nil, err
		}
	}
}

// addToFile inserts one row, as a transaction of its own, on SQLite. It takes a moment, so that no goroutine is to watch ctx meanwhile.
func (d *database) addToFile(ctx context.Context, pool *sql.DB, text string, args []any) error {
	leave, err := d.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	insert := d.inserts[text]
	if insert == nil {
		if insert, err = pool.PrepareContext(ctx, text); err != nil {
			return err
		}
		d.inserts[text] = insert
	}
	_, err = insert.ExecContext(context.WithoutCancel(ctx), args...)
	return err
}

// steady makes all that the transaction reads from here on be of one instant.
func (t *transaction) steady(ctx context.Context) error {
	if t.d.dialect.steady == "" {
		return nil
	}
	_, err := t.tx.ExecContext(ctx, t.d.dialect.steady)
	return err
}

// run executes statements in order: on PostgreSQL in one round trip.
func (t *transaction) run(ctx context.Context, list statements) error {
	if len(list) == 0 {
		return nil
	}
	if t.d.gate == nil {
		return t.conn.Raw(func(c any) error { return sendBatch(ctx, c, list) })
	}
	prepared := map[string]*sql.Stmt{}
	unwatched := context.WithoutCancel(ctx) // the transaction ends with ctx: a goroutine for each statement to watch it is not needed
	for _, s := range list {
		stmt := prepared[s.text]
		if stmt == nil {
			var err error
			if stmt, err = t.tx.PrepareContext(ctx, s.text); err != nil {
				return err
			}
			defer func() { _ = stmt.Close() }()
			prepared[s.text] = stmt
		}
		if _, err := stmt.ExecContext(unwatched, s.args...); err != nil {
			return err
		}
	}
	return nil
}

// querier is a pool or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// each calls row for every row of a query, until one fails.
func each(ctx context.Context, from querier, text string, args []any, row func(*sql.Rows) error) error {
	rows, err := from.QueryContext(ctx, text, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // Err says what went wrong
	for rows.Next() {
		if err := row(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

func sendBatch(ctx context.Context, driverConn any, list statements) error {
	c, ok := driverConn.(*stdlib.Conn)
	if !ok {
		return driver.ErrBadConn
	}
	batch := &pgx.Batch{}
	for _, s := range list {
		batch.Queue(s.text, s.args...)
	}
	return c.Conn().SendBatch(ctx, batch).Close()
}
