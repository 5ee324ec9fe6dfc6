package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// load reads an archive again and puts its rows into the tables, which are empty and have the manifest's schema.
func (t *transaction) load(ctx context.Context, archive io.Reader, m *Manifest) error {
	tables, err := t.d.tables(ctx, t.tx, m.version())
	if err != nil {
		return err
	}
	loaders := map[string]*loader{}
	for i := range m.Tables {
		if loaders[m.Tables[i].Name], err = newLoader(tables, &m.Tables[i]); err != nil {
			return err
		}
	}
	seen := tallies{}
	again, err := walkArchive(archive, func(table string, part []byte) error {
		l := loaders[table]
		if l == nil {
			return errRow
		}
		l.rows = l.rows[:0]
		if err := seen.of(table).add(part, l.take); err != nil {
			return err
		}
		return l.insert(ctx, t)
	})
	if err != nil {
		return err
	}
	if err := seen.matches(&again); err != nil {
		return fmt.Errorf("the backup changed while it was read: %w", err)
	}
	return t.sequences(ctx, m)
}

// loader puts rows into one table.
type loader struct {
	table   BackupTable
	columns []BackupColumn // the table's own, in the order of the backup
	rows    [][]any        // of one part
}

func newLoader(tables []BackupTable, from *BackupTable) (*loader, error) {
	l := &loader{table: *from}
	for i := range tables {
		if tables[i].Name != from.Name {
			continue
		}
		for _, c := range from.Columns {
			own, ok := tables[i].column(c.Name)
			if !ok {
				return nil, fmt.Errorf("table %s has no column %s, which the backup has", from.Name, c.Name)
			}
			l.columns = append(l.columns, own)
		}
		return l, nil
	}
	return nil, fmt.Errorf("the schema of the backup has no table %s", from.Name)
}

func (l *loader) take(values []any) error {
	if len(values) != len(l.columns) {
		return errRow
	}
	row := make([]any, len(values))
	for i, v := range values {
		var err error
		if row[i], err = fit(l.columns[i].Kind, v); err != nil {
			return fmt.Errorf("column %s: %w", l.columns[i].Name, err)
		}
	}
	l.rows = append(l.rows, row)
	return nil
}

func (l *loader) insert(ctx context.Context, t *transaction) error {
	if len(l.rows) == 0 {
		return nil
	}
	if t.d.gate == nil {
		return t.conn.Raw(func(c any) error { return l.copyIn(ctx, c) })
	}
	whole := len(l.rows) - len(l.rows)%rowsAtOnce
	if err := l.insertBy(ctx, t, l.rows[:whole], rowsAtOnce); err != nil {
		return err
	}
	return l.insertBy(ctx, t, l.rows[whole:], 1)
}

// rowsAtOnce is how many rows one statement inserts on SQLite, which spares most of what a statement costs.
const rowsAtOnce = 50

// insertBy inserts rows, of which there are a multiple of n, n at a time.
func (l *loader) insertBy(ctx context.Context, t *transaction, rows [][]any, n int) error {
	if len(rows) == 0 {
		return nil
	}
	stmt, err := t.tx.PrepareContext(ctx, l.insertSQL(n))
	if err != nil {
		return err
	}
	defer func() { _ = stmt.Close() }()
	args := make([]any, 0, n*len(l.columns))
	for group := range slices.Chunk(rows, n) {
		args = args[:0]
		for _, row := range group {
			args = append(args, row...)
		}
		if _, err := stmt.ExecContext(ctx, args...); err != nil {
			return err
		}
	}
	return nil
}

func (l *loader) insertSQL(rows int) string {
	var groups []string
	for r := range rows {
		var marks []string
		for i := range l.columns {
			marks = append(marks, "$"+strconv.Itoa(r*len(l.columns)+i+1))
		}
		groups = append(groups, "("+strings.Join(marks, ", ")+")")
	}
	return `INSERT INTO ` + quoted(l.table.Name) + ` (` + columnList(l.columns) + `) VALUES ` + strings.Join(groups, ", ")
}

// copyIn sends the rows by COPY, which also takes the numbers of identity columns as they are.
func (l *loader) copyIn(ctx context.Context, driverConn any) error {
	c, ok := driverConn.(*stdlib.Conn)
	if !ok {
		return driver.ErrBadConn
	}
	columns := make([]string, len(l.columns))
	for i := range l.columns {
		columns[i] = l.columns[i].Name
	}
	_, err := c.Conn().CopyFrom(ctx, pgx.Identifier{l.table.Name}, columns, pgx.CopyFromRows(l.rows))
	return err
}

// sequences lets the database go on with the numbers that it gives where it was, or beyond what the rows have.
func (t *transaction) sequences(ctx context.Context, m *Manifest) error {
	for i := range m.Tables {
		table := &m.Tables[i]
		var err error
		if t.d.gate != nil {
			err = t.fileSequence(ctx, table)
		} else {
			err = t.serverSequence(ctx, table)
		}
		if err != nil {
			return fmt.Errorf("table %s: set the next number: %w", table.Name, err)
		}
	}
	return nil
}

// fileSequence: SQLite has noted the highest number of the rows by itself.
func (t *transaction) fileSequence(ctx context.Context, table *BackupTable) error {
	if table.Sequence == 0 {
		return nil
	}
	result, err := t.tx.ExecContext(ctx, `UPDATE sqlite_sequence SET seq = MAX(seq, $1) WHERE name = $2`, table.Sequence, table.Name)
	if err != nil {
		return err
	}
	n, err := result.RowsAffected()
	if err == nil && n == 0 {
		_, err = t.tx.ExecContext(ctx, `INSERT INTO sqlite_sequence (seq, name) VALUES ($1, $2)`, table.Sequence, table.Name)
	}
	return err
}

func (t *transaction) serverSequence(ctx context.Context, table *BackupTable) error {
	column, err := identity(ctx, t.tx, table.Name)
	if err != nil || column == "" {
		return err
	}
	var highest sql.NullInt64
	if err := one(ctx, t.tx, &highest, `SELECT MAX(`+quoted(column)+`) FROM `+quoted(table.Name)); err != nil {
		return err
	}
	last := max(table.Sequence, highest.Int64)
	if last == 0 {
		return nil
	}
	_, err = t.tx.ExecContext(ctx, `SELECT setval(pg_get_serial_sequence($1, $2), $3)`, quoted(table.Name), column, last)
	return err
}
