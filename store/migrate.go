package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"vigia/migrations"
)

// migration is one numbered step of the schema.
type migration struct {
	version  int
	name     string
	text     string
	checksum string
}

// steps reads the steps of one database from a file system, in order. Numbers begin at 1 and leave none out.
func steps(files fs.FS, dialect string) ([]migration, error) {
	paths, err := fs.Glob(files, dialect+"/*.sql")
	if err != nil {
		return nil, err
	}
	slices.Sort(paths)
	var list []migration
	for i, path := range paths {
		text, err := fs.ReadFile(files, path)
		if err != nil {
			return nil, err
		}
		name := strings.TrimSuffix(path[len(dialect)+1:], ".sql")
		number, _, _ := strings.Cut(name, "_")
		if version, err := strconv.Atoi(number); err != nil || version != i+1 {
			return nil, fmt.Errorf("migration %s should have the number %d", path, i+1)
		}
		sum := sha256.Sum256(text)
		list = append(list, migration{i + 1, name, string(text), hex.EncodeToString(sum[:])})
	}
	return list, nil
}

const (
	migrationsTableSQL = `CREATE TABLE IF NOT EXISTS schema_migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at TIMESTAMP NOT NULL)`
	migrationsReadSQL  = `SELECT version, name, checksum FROM schema_migrations ORDER BY version`
	migrationsAddSQL   = `INSERT INTO schema_migrations (version, name, checksum, applied_at) VALUES ($1, $2, $3, $4)`
	migrationsLockSQL  = `SELECT pg_advisory_xact_lock(hashtext('vigia schema'), hashtext(current_schema()))`
)

// migrate brings the schema up to date, all missing steps in one transaction, while no other process does the same.
func migrate(ctx context.Context, db *database, now time.Time) error {
	list, err := steps(migrations.Files, db.dialect.name)
	if err != nil {
		return err
	}
	return migrateTo(ctx, db, list, now)
}

func migrateTo(ctx context.Context, db *database, list []migration, now time.Time) error {
	if current, err := isCurrent(ctx, db, list); err == nil && current {
		return nil
	}
	var refused error
	err := db.within(ctx, db.durable, func(t *transaction) error {
		if db.gate == nil {
			if _, err := t.tx.ExecContext(ctx, migrationsLockSQL); err != nil {
				return err
			}
		}
		if _, err := t.tx.ExecContext(ctx, migrationsTableSQL); err != nil {
			return err
		}
		applied, err := readApplied(ctx, t.tx)
		if err != nil {
			return err
		}
		if refused = compare(db.target, applied, list); refused != nil {
			return refused
		}
		return apply(ctx, t, list[len(applied):], now)
	})
	if refused != nil {
		return refused
	}
	return db.explain(err)
}

// isCurrent looks without a lock, so that a database which needs nothing is not written.
func isCurrent(ctx context.Context, db *database, list []migration) (bool, error) {
	applied, err := readApplied(ctx, db.read)
	return err == nil && len(applied) == len(list) && compare(db.target, applied, list) == nil, err
}

func readApplied(ctx context.Context, from querier) ([]migration, error) {
	var applied []migration
	err := each(ctx, from, migrationsReadSQL, nil, func(rows *sql.Rows) error {
		var m migration
		err := rows.Scan(&m.version, &m.name, &m.checksum)
		applied = append(applied, m)
		return err
	})
	return applied, err
}

// compare tells whether what was applied is the beginning of what we know.
func compare(target string, applied, known []migration) error {
	for i, a := range applied {
		if a.version > len(known) {
			return fmt.Errorf("%s has the schema %d (%s) of a newer vigia; this one knows up to %d: run the newer vigia, or restore a backup from before the upgrade",
				target, a.version, a.name, len(known))
		}
		if a.version != i+1 {
			return fmt.Errorf("%s lacks the migration %d in its history: restore a backup", target, i+1)
		}
		if k := known[i]; a.checksum != k.checksum {
			return fmt.Errorf("%s was migrated by another text of %s than this vigia has: run the vigia that made it, or restore a backup", target, a.name)
		}
	}
	return nil
}

func apply(ctx context.Context, t *transaction, missing []migration, now time.Time) error {
	for _, m := range missing {
		if _, err := t.tx.ExecContext(ctx, m.text); err != nil {
			return fmt.Errorf("migration %s: %w", m.name, err)
		}
		if _, err := t.tx.ExecContext(ctx, migrationsAddSQL, m.version, m.name, m.checksum, stamp(now)); err != nil {
			return err
		}
	}
	return nil
}
