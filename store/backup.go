package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"
)

// backupFormat is the version of the file's form; see doc.go of this package.
const backupFormat = 1

// Manifest is what a backup says of itself: the last member of its archive.
type Manifest struct {
	Format    int           `json:"format"`
	Vigia     string        `json:"vigia"`    // the version that wrote it
	Database  string        `json:"database"` // sqlite or postgres
	Schema    []SchemaStep  `json:"schema"`   // the migrations that were applied
	CreatedAt time.Time     `json:"created_at"`
	Tables    []BackupTable `json:"tables"`
}

// SchemaStep is one migration that was applied.
type SchemaStep struct {
	Version  int    `json:"version"`
	Name     string `json:"name"`
	Checksum string `json:"checksum"`
}

// BackupTable is one table in a backup.
type BackupTable struct {
	Name     string         `json:"name"`
	Columns  []BackupColumn `json:"columns"`
	Rows     int64          `json:"rows"`
	Parts    int            `json:"parts"`    // members of the archive
	Bytes    int64          `json:"bytes"`    // of its members, unpacked
	SHA256   string         `json:"sha256"`   // of its members, one after another
	Sequence int64          `json:"sequence"` // the last number that the database gave to a row of it; 0 when it gives none
}

// BackupColumn is one column: its name, and int, float, text, blob, bool or time.
type BackupColumn struct {
	Name string     `json:"name"`
	Kind columnKind `json:"kind"`
}

// Rows is how many there are in all tables.
func (m *Manifest) Rows() int64 {
	var n int64
	for i := range m.Tables {
		n += m.Tables[i].Rows
	}
	return n
}

// version is that of the schema.
func (m *Manifest) version() int { return len(m.Schema) }

// BackupRequest is where a backup goes.
type BackupRequest struct {
	File    string // must not be there yet, unless Replace
	Replace bool
	Vigia   string // the version of this program
}

// BackupResult is what was written.
type BackupResult struct {
	Manifest Manifest
	Bytes    int64 // of the file
	Took     time.Duration
}

// Backup writes all that the open store holds into a file. What Put took and no flush has written yet is not in it.
func (s *Store) Backup(ctx context.Context, r BackupRequest) (BackupResult, error) {
	return s.db.backup(ctx, r, s.cfg.Now)
}

// Backup writes all that a database holds into a file, beside a vigia that runs on it or without one. It migrates and changes nothing.
func Backup(ctx context.Context, cfg Config, r BackupRequest) (BackupResult, error) {
	cfg.setDefaults()
	cfg.MustExist = true
	db, err := openChecked(&cfg)
	if err != nil {
		return BackupResult{}, err
	}
	defer db.close() //nolint:errcheck // it was only read
	return db.backup(ctx, r, cfg.Now)
}

// openChecked opens the database that cfg names without looking at its schema.
func openChecked(cfg *Config) (*database, error) {
	addr, err := parseDSN(cfg.DSN)
	if err != nil {
		return nil, err
	}
	if err := cfg.exists(addr); err != nil {
		return nil, err
	}
	return openDatabase(addr)
}

func (d *database) backup(ctx context.Context, r BackupRequest, now func() time.Time) (BackupResult, error) {
	start := now()
	var m Manifest
	size, err := writeBackupFile(r.File, r.Replace, func(w io.Writer) (err error) {
		m, err = d.dump(ctx, w, Manifest{Vigia: r.Vigia, CreatedAt: start.UTC().Truncate(time.Microsecond)})
		return err
	})
	if err != nil {
		return BackupResult{}, fmt.Errorf("back up to %s: %w", r.File, err)
	}
	return BackupResult{Manifest: m, Bytes: size, Took: now().Sub(start)}, nil
}

// dump writes the archive of one instant of the database and completes the manifest.
func (d *database) dump(ctx context.Context, w io.Writer, m Manifest) (Manifest, error) {
	m.Format, m.Database = backupFormat, d.dialect.name
	a := newArchive(w)
	err := d.snapshot(ctx, func(q querier) error {
		tables, err := d.describe(ctx, q, &m)
		if err != nil {
			return err
		}
		for _, t := range tables {
			done, err := dumpTable(ctx, q, a, t)
			if err != nil {
				return fmt.Errorf("table %s: %w", t.Name, err)
			}
			m.Tables = append(m.Tables, done)
		}
		return nil
	})
	if err != nil {
		return m, err
	}
	return m, a.finish(&m)
}

// snapshot calls look with a transaction that sees one instant, writes nothing, and keeps no writer waiting.
func (d *database) snapshot(ctx context.Context, look func(querier) error) error {
	options := sql.TxOptions{ReadOnly: true}
	if d.gate == nil {
		options.Isolation = sql.LevelRepeatableRead
	}
	tx, err := d.read.BeginTx(ctx, &options)
	if err != nil {
		return d.explain(err)
	}
	defer func() { _ = tx.Rollback() }() // nothing was written
	if err := d.patient(ctx, tx); err != nil {
		return d.explain(err)
	}
	return look(tx)
}

// patient lets a transaction pause for as long as a disk or a reader may need.
func (d *database) patient(ctx context.Context, tx *sql.Tx) error {
	if d.gate != nil {
		return nil
	}
	_, err := tx.ExecContext(ctx, `SET LOCAL idle_in_transaction_session_timeout = 0`)
	return err
}

// describe notes the schema in the manifest and lists the tables that belong to it.
func (d *database) describe(ctx context.Context, q querier, m *Manifest) ([]BackupTable, error) {
	applied, err := readApplied(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("read which migrations were applied: %w", d.explain(err))
	}
	known, err := ourSteps(d.dialect.name)
	if err != nil {
		return nil, err
	}
	if err := compare(d.target, applied, known); err != nil {
		return nil, err
	}
	if len(applied) == 0 {
		return nil, errors.New("the database holds nothing of Vigía")
	}
	for _, a := range applied {
		m.Schema = append(m.Schema, SchemaStep{a.version, a.name, a.checksum})
	}
	return d.tables(ctx, q, len(applied))
}

// dumpTable writes the rows of one table.
func dumpTable(ctx context.Context, q querier, a *archive, t BackupTable) (BackupTable, error) {
	w := partWriter{archive: a, table: t.Name, sum: sha256.New()}
	values := make([]any, len(t.Columns))
	targets := make([]any, len(t.Columns))
	for i := range values {
		targets[i] = &values[i]
	}
	var row []byte
	err := each(ctx, q, selectAll(t), nil, func(rows *sql.Rows) error {
		if err := rows.Scan(targets...); err != nil {
			return err
		}
		row = row[:0]
		for i := range values {
			var err error
			if row, err = appendValue(row, t.Columns[i].Kind, values[i]); err != nil {
				return fmt.Errorf("column %s: %w", t.Columns[i].Name, err)
			}
		}
		return w.add(row)
	})
	if err != nil {
		return t, err
	}
	if err := w.flush(); err != nil {
		return t, err
	}
	t.Rows, t.Parts, t.Bytes, t.SHA256 = w.rows, w.parts, w.bytes, hex.EncodeToString(w.sum.Sum(nil))
	return t, nil
}
