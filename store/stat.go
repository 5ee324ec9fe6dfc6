package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"

	"vigia/store/chunk"
)

// TableSize is how much of one table there is.
type TableSize struct {
	Name    string
	Rows    int64
	Bytes   int64 // with its indexes
	Samples int64 // that its rows say they hold; 0 in tables of something else
}

// Sizes is what a database holds.
type Sizes struct {
	Database       string // for people; no password
	Schema         []SchemaStep
	Since          time.Time // when the first migration was applied
	Tables         []TableSize
	Bytes          int64 // of all tables; on SQLite of the whole file
	Series         int64
	Samples        int64
	Oldest, Newest time.Time // sample; zero for none

	Epoch  int64  // of the lease
	Holder string // who took the lease last; empty for nobody
	Active bool   // and holds it now
}

const (
	fileSizesSQL   = `SELECT COALESCE(SUM(s.pgsize), 0) FROM sqlite_master m JOIN dbstat s ON s.name = m.name AND s.aggregate = TRUE WHERE m.tbl_name = $1`
	serverSizesSQL = `SELECT CAST(COALESCE((SELECT SUM(pg_total_relation_size(p.relid)) FROM pg_partition_tree(c.oid) p), pg_total_relation_size(c.oid)) AS BIGINT)
		FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = $1`
	serverLeaseSQL = `SELECT epoch, holder, until > now() FROM lease ORDER BY epoch DESC LIMIT 1`
	fileLeaseSQL   = `SELECT epoch, holder, FALSE FROM lease ORDER BY epoch DESC LIMIT 1`
	sinceSQL       = `SELECT applied_at FROM schema_migrations ORDER BY version LIMIT 1`
)

// BytesPerSample is what one sample takes on average, of the tables that hold samples, with their keys; 0 when there is none.
func (s *Sizes) BytesPerSample() float64 {
	var bytes int64
	for _, t := range s.Tables {
		if t.Samples > 0 {
			bytes += t.Bytes
		}
	}
	if s.Samples == 0 {
		return 0
	}
	return float64(bytes) / float64(s.Samples)
}

// Stat counts what a database holds, beside a vigia that runs on it or without one. It migrates and changes nothing.
func Stat(ctx context.Context, cfg Config) (Sizes, error) {
	cfg.setDefaults()
	cfg.MustExist = true
	db, err := openChecked(&cfg)
	if err != nil {
		return Sizes{}, err
	}
	defer db.close() //nolint:errcheck // it was only read
	sizes := Sizes{Database: db.target}
	err = db.snapshot(ctx, func(q querier) error { return db.sizes(ctx, q, &sizes) })
	if err != nil {
		return sizes, err
	}
	if db.file != "" {
		sizes.Active = locked(db.file + ".lock")
	}
	return sizes, nil
}

func (d *database) sizes(ctx context.Context, q querier, sizes *Sizes) error {
	var m Manifest
	tables, err := d.describe(ctx, q, &m)
	if err != nil {
		return err
	}
	sizes.Schema = m.Schema
	if err := one(ctx, q, instant{&sizes.Since}, sinceSQL); err != nil {
		return fmt.Errorf("read since when the database is: %w", err)
	}
	for i := range tables {
		t := &tables[i]
		size := TableSize{Name: t.Name}
		if err := one(ctx, q, &size.Rows, `SELECT COUNT(*) FROM `+quoted(t.Name)); err != nil {
			return fmt.Errorf("count %s: %w", t.Name, d.explain(err))
		}
		if err := one(ctx, q, &size.Bytes, d.inCatalogue(fileSizesSQL, serverSizesSQL), t.Name); err != nil {
			return fmt.Errorf("measure %s: %w", t.Name, d.explain(err))
		}
		if t.Name == "series" {
			sizes.Series = size.Rows
		}
		if err := sizes.samples(ctx, q, t, &size); err != nil {
			return fmt.Errorf("look at the samples of %s: %w", t.Name, d.explain(err))
		}
		sizes.Tables = append(sizes.Tables, size)
	}
	if err := one(ctx, q, &sizes.Bytes, d.dialect.sizes); err != nil {
		return fmt.Errorf("measure the database: %w", d.explain(err))
	}
	return d.lease(ctx, q, sizes)
}

// samples adds what one table has of them: those that have a payload and a time.
func (sizes *Sizes) samples(ctx context.Context, q querier, t *BackupTable, size *TableSize) error {
	if _, ok := t.column("payload"); !ok {
		return nil
	}
	if _, ok := t.column("t0"); !ok {
		return nil
	}
	end, count := "t0", "0"
	if _, ok := t.column("t1"); ok {
		end = "t1"
	}
	_, counted := t.column("count")
	if counted {
		count = "COALESCE(SUM(count), 0)"
	}
	err := each(ctx, q, `SELECT MIN(t0), MAX(`+end+`), `+count+` FROM `+quoted(t.Name), nil, func(rows *sql.Rows) error {
		var oldest, newest time.Time
		err := rows.Scan(instant{&oldest}, instant{&newest}, &size.Samples)
		sizes.Oldest, sizes.Newest = earliest(sizes.Oldest, oldest), latest(sizes.Newest, newest)
		return err
	})
	if err == nil && !counted {
		size.Samples, err = countPoints(ctx, q, t.Name)
	}
	sizes.Samples += size.Samples
	return err
}

// countPoints adds up what the payloads of a table of chunks or groups say that they hold; only their beginnings are read.
func countPoints(ctx context.Context, q querier, table string) (n int64, err error) {
	text := `SELECT substr(payload, 1, ` + strconv.Itoa(chunk.HeadSize) + `) FROM ` + quoted(table)
	err = each(ctx, q, text, nil, func(rows *sql.Rows) error {
		var head sql.RawBytes
		err := rows.Scan(&head)
		points, _ := chunk.Count(head) // one that is damaged may say anything, and verify names it
		n += int64(points)
		return err
	})
	return n, err
}

func (d *database) lease(ctx context.Context, q querier, sizes *Sizes) error {
	err := each(ctx, q, d.inCatalogue(fileLeaseSQL, serverLeaseSQL), nil, func(rows *sql.Rows) error {
		return rows.Scan(&sizes.Epoch, &sizes.Holder, &sizes.Active)
	})
	if err != nil {
		return fmt.Errorf("read the lease: %w", d.explain(err))
	}
	return nil
}

// locked reports whether a process holds a lock on the file.
func locked(path string) bool {
	file, err := os.Open(path) //nolint:gosec // beside the database that the operator named
	if err != nil {
		return false
	}
	defer func() { _ = file.Close() }() // gives the lock back
	return errors.Is(syscall.Flock(int(file.Fd()), syscall.LOCK_SH|syscall.LOCK_NB), syscall.EWOULDBLOCK)
}

// Since is when the database was made.
func (s *Store) Since(ctx context.Context) (time.Time, error) {
	var since time.Time
	if err := one(ctx, s.db.read, instant{&since}, sinceSQL); err != nil {
		return since, fmt.Errorf("read since when the database is: %w", s.db.explain(err))
	}
	return since, nil
}
