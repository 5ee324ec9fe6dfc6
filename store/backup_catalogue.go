package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"vigia/migrations"
)

// notBackedUp are the tables that say something about this database and not about what Vigía knows: who is the active process, and which
// migrations were applied, which the manifest says.
var notBackedUp = []string{"lease", "schema_migrations"}

const (
	fileTablesSQL   = `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\' ORDER BY name`
	fileColumnsSQL  = `SELECT name, type FROM pragma_table_info($1) ORDER BY cid`
	fileSequenceSQL = `SELECT seq FROM sqlite_sequence WHERE name = $1`

	serverTablesSQL = `SELECT relname FROM pg_class
		WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY relname`
	serverColumnsSQL = `SELECT a.attname, format_type(a.atttypid, NULL) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
		WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = $1 AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
		ORDER BY a.attnum`
	serverIdentitySQL = `SELECT a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
		WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = $1 AND a.attidentity <> ''`
	serverSequenceSQL = `SELECT COALESCE(pg_sequence_last_value(pg_get_serial_sequence($1, $2)), 0)`
)

// kindsOf are the kinds of the databases' types.
var kindsOf = map[string]columnKind{
	"INTEGER": kindInt, "REAL": kindFloat, "TEXT": kindText, "BLOB": kindBlob, "BOOLEAN": kindBool, "TIMESTAMP": kindTime,
	"bigint": kindInt, "integer": kindInt, "smallint": kindInt, "double precision": kindFloat, "real": kindFloat, "text": kindText,
	"json": kindText, "jsonb": kindText, "bytea": kindBlob, "boolean": kindBool, "timestamp with time zone": kindTime,
}

// ourSteps are the migrations that this program knows.
func ourSteps(dialect string) ([]migration, error) { return steps(migrations.Files, dialect) }

// ownTables names the tables that the first steps of the schema make, by making them in memory: a database may hold tables of others.
func ownTables(ctx context.Context, version int) ([]string, error) {
	list, err := ourSteps("sqlite")
	if err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		return nil, err
	}
	defer db.Close() //nolint:errcheck // it was in memory only
	db.SetMaxOpenConns(1)
	for _, step := range list[:min(version, len(list))] {
		if _, err := db.ExecContext(ctx, step.text); err != nil {
			return nil, fmt.Errorf("migration %s: %w", step.name, err)
		}
	}
	return names(ctx, db, fileTablesSQL)
}

// tables lists the tables that a schema of this version has and that are backed up, as the database's catalogue describes them.
func (d *database) tables(ctx context.Context, q querier, version int) ([]BackupTable, error) {
	own, err := ownTables(ctx, version)
	if err != nil {
		return nil, fmt.Errorf("list the tables of the schema %d: %w", version, err)
	}
	found, err := names(ctx, q, d.inCatalogue(fileTablesSQL, serverTablesSQL))
	if err != nil {
		return nil, fmt.Errorf("list the tables: %w", d.explain(err))
	}
	var list []BackupTable
	for _, name := range own {
		if slices.Contains(notBackedUp, name) {
			continue
		}
		if !slices.Contains(found, name) {
			return nil, fmt.Errorf("%s lacks the table %s, which its schema %d has", d.target, name, version)
		}
		t := BackupTable{Name: name}
		if t.Columns, err = d.columns(ctx, q, name); err != nil {
			return nil, err
		}
		if t.Sequence, err = d.sequence(ctx, q, name); err != nil {
			return nil, fmt.Errorf("table %s: read the last number given: %w", name, err)
		}
		list = append(list, t)
	}
	return list, nil
}

// inCatalogue chooses the question to the database's own catalogue.
func (d *database) inCatalogue(file, server string) string {
	if d.gate != nil {
		return file
	}
	return server
}

func (d *database) columns(ctx context.Context, q querier, table string) ([]BackupColumn, error) {
	var list []BackupColumn
	err := each(ctx, q, d.inCatalogue(fileColumnsSQL, serverColumnsSQL), []any{table}, func(rows *sql.Rows) error {
		var c BackupColumn
		var is string
		if err := rows.Scan(&c.Name, &is); err != nil {
			return err
		}
		c.Kind = kindsOf[is]
		if c.Kind == "" {
			return fmt.Errorf("the column %q has the type %q, which a backup has no form for", c.Name, is)
		}
		list = append(list, c)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("table %s: %w", table, d.explain(err))
	}
	return list, nil
}

// sequence is the last number that the database gave to a row of the table; 0 when it gives none.
func (d *database) sequence(ctx context.Context, q querier, table string) (last int64, err error) {
	if d.gate != nil {
		return last, one(ctx, q, &last, fileSequenceSQL, table)
	}
	column, err := identity(ctx, q, table)
	if err != nil || column == "" {
		return 0, err
	}
	return last, one(ctx, q, &last, serverSequenceSQL, quoted(table), column)
}

// identity is the column of a table on PostgreSQL whose numbers the database gives; empty when there is none.
func identity(ctx context.Context, q querier, table string) (column string, err error) {
	return column, one(ctx, q, &column, serverIdentitySQL, table)
}

// one reads one value; no row leaves it as it is.
func one(ctx context.Context, q querier, to any, text string, args ...any) error {
	return each(ctx, q, text, args, func(rows *sql.Rows) error { return rows.Scan(to) })
}

func names(ctx context.Context, q querier, text string) ([]string, error) {
	var list []string
	err := each(ctx, q, text, nil, func(rows *sql.Rows) error {
		var name string
		err := rows.Scan(&name)
		list = append(list, name)
		return err
	})
	return list, err
}

// quoted is a name as SQL has it.
func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func columnList(columns []BackupColumn) string {
	var list []string
	for _, c := range columns {
		list = append(list, quoted(c.Name))
	}
	return strings.Join(list, ", ")
}

func selectAll(t BackupTable) string {
	return `SELECT ` + columnList(t.Columns) + ` FROM ` + quoted(t.Name)
}

// column is the table's column of that name.
func (t *BackupTable) column(name string) (BackupColumn, bool) {
	i := slices.IndexFunc(t.Columns, func(c BackupColumn) bool { return c.Name == name })
	if i < 0 {
		return BackupColumn{}, false
	}
	return t.Columns[i], true
}

// sameSchema refuses a backup whose migrations are not the beginning of those that this program knows.
func sameSchema(m *Manifest) error {
	known, err := ourSteps(m.Database)
	if err != nil {
		return err
	}
	if len(known) == 0 {
		return fmt.Errorf("it is of a database %q, which this vigia does not know", m.Database)
	}
	var applied []migration
	for _, s := range m.Schema {
		applied = append(applied, migration{version: s.Version, name: s.Name, checksum: s.Checksum})
	}
	if len(applied) == 0 {
		return errors.New("its manifest names no schema")
	}
	return compare("the backup", applied, known)
}
