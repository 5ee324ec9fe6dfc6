package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"vigia/alerting"
)

// Damage is one row that is not as it should be.
type Damage struct {
	Table string
	Row   string // which one: its key
	What  string
}

// Verified is how much was looked at.
type Verified struct {
	Tables  int
	Rows    int64
	Samples int64
	Damaged int
}

// Verify reads all that a database holds and reports every row that is damaged: samples that cannot be decoded, or are not of the time, the
// number or the daily figures that stand beside them, documents that cannot be read, rows that point at what is not there; on SQLite also
// what the database itself finds. It changes nothing, and sees one instant.
//
// What it cannot notice: a text or number outside of samples that has become another one that could stand there, and an hour of samples
// whose row names another series than it did. The checksum of samples covers neither.
func Verify(ctx context.Context, cfg Config, report func(Damage)) (Verified, error) {
	cfg.setDefaults()
	cfg.MustExist = true
	db, err := openChecked(&cfg)
	if err != nil {
		return Verified{}, err
	}
	defer db.close() //nolint:errcheck // it was only read
	v := verifier{db: db, report: report}
	err = db.snapshot(ctx, func(q querier) error { return v.all(ctx, q) })
	return v.Verified, err
}

type verifier struct {
	Verified
	db     *database
	report func(Damage)
	series map[int64]string // what each of them is, for people
}

func (v *verifier) damage(table, row, what string) {
	v.Damaged++
	v.report(Damage{table, row, what})
}

func (v *verifier) all(ctx context.Context, q querier) error {
	applied, err := readApplied(ctx, q)
	if err != nil {
		return v.db.explain(err)
	}
	known, err := ourSteps(v.db.dialect.name)
	if err != nil {
		return err
	}
	if err := compare(v.db.target, applied, known); err != nil {
		return err
	}
	if len(applied) < len(known) {
		return fmt.Errorf("%s has the schema %d, and this vigia verifies the schema %d: let it run on the database once, or take the vigia that runs there", v.db.target, len(applied), len(known))
	}
	if v.db.gate != nil {
		if err := v.file(ctx, q); err != nil {
			return err
		}
	}
	tables, err := v.db.tables(ctx, q, len(applied))
	if err != nil {
		return err
	}
	if v.series, err = seriesNames(ctx, q); err != nil {
		return fmt.Errorf("read the series: %w", v.db.explain(err))
	}
	for _, t := range tables {
		if err := v.goOn(t.Name, v.table(ctx, q, t)); err != nil {
			return fmt.Errorf("read %s: %w", t.Name, err)
		}
	}
	return v.references(ctx, q)
}

// goOn names a table that a SQLite file cannot give back whole, so that the others are still looked at; every other error ends the work.
func (v *verifier) goOn(table string, err error) error {
	if err == nil || !isCorrupt(err) {
		return v.db.explain(err)
	}
	v.damage(table, "the table", "it cannot be read to its end (restore a backup): "+err.Error())
	return nil
}

// isCorrupt reports whether SQLite found that its file is damaged.
func isCorrupt(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code()&0xff == sqlite3.SQLITE_CORRUPT
}

// file lets SQLite look at its own pages and indexes.
func (v *verifier) file(ctx context.Context, q querier) error {
	found, err := names(ctx, q, `PRAGMA integrity_check(100)`)
	for _, line := range found {
		if line != "ok" {
			v.damage("the file", v.db.file, line)
		}
	}
	if err != nil {
		return fmt.Errorf("let SQLite look at its file: %w", v.db.explain(err))
	}
	return nil
}

// seriesNames tells of each series what it is.
func seriesNames(ctx context.Context, q querier) (map[int64]string, error) {
	names := map[int64]string{}
	err := each(ctx, q, `SELECT id, metric, ref_kind, ref_name, instance FROM series`, nil, func(rows *sql.Rows) error {
		var id int64
		var metric, kind, name, instance string
		err := rows.Scan(&id, &metric, &kind, &name, &instance)
		names[id] = fmt.Sprintf("%s of %s/%s %s", metric, kind, name, instance)
		return err
	})
	return names, err
}

// table reads every row of one table.
func (v *verifier) table(ctx context.Context, q querier, t BackupTable) error {
	v.Tables++
	text, columns := selectAll(t), t.Columns
	if t.Name == daysTable {
		text, columns = daysWithFigures(t)
	}
	values, targets := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		targets[i] = &values[i]
	}
	return each(ctx, q, text, nil, func(rows *sql.Rows) error {
		v.Rows++
		if err := rows.Scan(targets...); err != nil {
			return err
		}
		v.row(&t, columns, values)
		return nil
	})
}

// record is one row by the names of its columns.
type record map[string]any

func (v *verifier) row(t *BackupTable, columns []BackupColumn, values []any) {
	r := record{}
	for i, c := range columns {
		value, err := fit(c.Kind, values[i])
		if err != nil {
			v.damage(t.Name, keyOf(t, r), "column "+c.Name+": "+err.Error())
			return
		}
		r[c.Name] = value
	}
	if doc, ok := r["doc"].(string); ok {
		if err := readable(t.Name, doc); err != nil {
			v.damage(t.Name, keyOf(t, r), "its document cannot be read: "+err.Error())
		}
	}
	if t.Name == marginalTable {
		if err := verifyMarginal(r); err != nil {
			v.damage(t.Name, marginalKeyOf(r), err.Error())
		}
	}
	if t.Name == talliesTable {
		if err := verifyTallies(r); err != nil {
			v.damage(t.Name, keyOf(t, r), err.Error())
		}
	}
	if t.Name == callsTable || t.Name == intervalsTable {
		if err := verifyCall(t.Name, r); err != nil {
			v.damage(t.Name, callKeyOf(r), err.Error())
		}
	}
	if payload, ok := r["payload"].([]byte); ok && t.Name == hoursTable {
		v.group(t, r, payload)
	} else if ok {
		if err := v.payload(t, r, payload); err != nil {
			v.damage(t.Name, v.named(keyOf(t, r), r), err.Error())
		}
	}
}

// keyOf names a row for people: by its id or key, else by all its numbers and times.
func keyOf(t *BackupTable, r record) string {
	var parts []string
	for _, c := range t.Columns {
		switch value := r[c.Name].(type) {
		case int64, string:
			if c.Name == "id" || c.Name == "key" || c.Name == "seq" {
				return fmt.Sprintf("%s %v", c.Name, value)
			}
			if c.Kind == kindInt {
				parts = append(parts, fmt.Sprintf("%s %v", c.Name, value))
			}
		case time.Time:
			parts = append(parts, c.Name+" "+value.Format(time.RFC3339))
		}
	}
	return strings.Join(parts, ", ")
}

// readable reports why a document is not what its table's rows are.
func readable(table, doc string) error {
	var into any
	switch table {
	case "alarms":
		into = &alerting.Alarm{}
	case "incidents":
		into = &alerting.Incident{}
	case "events":
		into = &alerting.Event{}
	case "notifications":
		into = &alerting.Message{}
	default:
		into = new(any)
	}
	return json.Unmarshal([]byte(doc), into)
}

// links are the columns that point at rows of other tables.
var links = []struct{ table, key, column, to, target string }{
	{"alarms", "id", "incident_id", "incidents", "id"},
	{"alarm_spans", "alarm_id", "alarm_id", "alarms", "id"},
	{"events", "id", "incident_id", "incidents", "id"},
	{"notifications", "key", "incident_id", "incidents", "id"},
	{"incidents", "id", "merged_into", "incidents", "id"},
	{"deliveries", "id", "key", "notifications", "key"},
}

// references looks for rows that point at what is not there; 0 points at nothing.
func (v *verifier) references(ctx context.Context, q querier) error {
	for _, l := range links {
		text := `SELECT CAST(a.` + l.key + ` AS TEXT), CAST(a.` + l.column + ` AS TEXT) FROM ` + l.table + ` a LEFT JOIN ` + l.to + ` b ON b.` + l.target +
			` = a.` + l.column + ` WHERE b.` + l.target + ` IS NULL AND CAST(a.` + l.column + ` AS TEXT) <> '0'`
		err := each(ctx, q, text, nil, func(rows *sql.Rows) error {
			var key, to string
			if err := rows.Scan(&key, &to); err != nil {
				return err
			}
			v.damage(l.table, l.key+" "+key, fmt.Sprintf("its %s is %s, and %s has none such", l.column, to, l.to))
			return nil
		})
		if err := v.goOn(l.table, err); err != nil {
			return fmt.Errorf("look whether %s of %s is there: %w", l.column, l.table, err)
		}
	}
	return nil
}
