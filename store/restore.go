package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// RestoreRequest is what is restored.
type RestoreRequest struct {
	File  string
	Force bool // throw away what the database holds
}

// RestoredTable says how many rows a table was to have and has.
type RestoredTable struct {
	Name   string
	Backup int64 // as the manifest says
	Loaded int64 // as the database counts
	Added  int64 // by the restore itself, afterwards: what tells people of it
}

// RestoreResult is what was restored.
type RestoreResult struct {
	Manifest Manifest
	Tables   []RestoredTable
	Calmed   Calmed
	Took     time.Duration
}

// ErrHolds says that the database holds something, and that a restore would throw it away.
var ErrHolds = errors.New("the database is not empty")

// Restore fills an empty or new database from a backup, in one transaction: it ends with all of it or with what was there before. The file
// is read to its end and found right first. It takes the right to be the active process, so that no vigia runs on the database meanwhile.
// The result is filled as far as it went, also when the counts differ.
func Restore(ctx context.Context, cfg Config, r RestoreRequest) (RestoreResult, error) {
	cfg.setDefaults()
	start := cfg.Now()
	file, err := openBackup(ctx, r.File)
	if err != nil {
		return RestoreResult{}, err
	}
	defer file.close()
	m, err := file.inspect(ctx, r.File)
	if err != nil {
		return RestoreResult{}, err
	}
	if err := sameSchema(&m); err != nil {
		return RestoreResult{}, fmt.Errorf("%s: %w", r.File, err)
	}
	s, err := openForRestore(ctx, cfg, &m)
	if err != nil {
		return RestoreResult{}, err
	}
	defer s.Close() //nolint:errcheck // what was committed is on the disk
	if !r.Force {   // before anything of it is touched; once more when nobody else can write
		if err := s.db.snapshot(ctx, func(q querier) error { return s.mustBeEmpty(ctx, q) }); err != nil {
			return RestoreResult{}, err
		}
	}
	release, err := s.Acquire(ctx)
	if err != nil {
		return RestoreResult{}, err
	}
	defer release()
	result := RestoreResult{Manifest: m}
	err = s.restore(ctx, file, r.Force, &result)
	result.Took = cfg.Now().Sub(start)
	return result, err
}

// openForRestore opens the database, and gives a new one the backup's schema. One that has a schema keeps it until it is known to be empty.
func openForRestore(ctx context.Context, cfg Config, m *Manifest) (*Store, error) {
	cfg.MustExist = false
	db, err := openChecked(&cfg)
	if err != nil {
		return nil, err
	}
	s := newStore(cfg, db)
	if err := s.firstSchema(ctx, m); err != nil {
		db.close() //nolint:errcheck // why it could not be opened is the news
		return nil, err
	}
	return s, nil
}

func (s *Store) firstSchema(ctx context.Context, m *Manifest) error {
	if err := s.db.durable.PingContext(ctx); err != nil {
		return s.db.explain(err)
	}
	known, err := ourSteps(s.db.dialect.name)
	if err != nil {
		return err
	}
	if applied, err := readApplied(ctx, s.db.read); err == nil && len(applied) > 0 {
		return compare(s.db.target, applied, known)
	}
	return migrateTo(ctx, s.db, known[:m.version()], s.cfg.Now())
}

// restore does everything that is one transaction.
func (s *Store) restore(ctx context.Context, file *backupFile, force bool, result *RestoreResult) error {
	var refused error
	err := s.db.within(ctx, s.db.durable, func(t *transaction) error {
		if err := s.db.patient(ctx, t.tx); err != nil {
			return err
		}
		if err := s.fence(ctx, t); err != nil {
			return err
		}
		if refused = s.makeRoom(ctx, t, &result.Manifest, force); refused != nil {
			return refused
		}
		if refused = t.load(ctx, file.reader(ctx), &result.Manifest); refused != nil {
			return refused
		}
		if result.Tables, refused = t.count(ctx, &result.Manifest); refused != nil {
			return refused
		}
		return s.afterLoad(ctx, t, result)
	})
	if refused != nil {
		return refused
	}
	if err != nil {
		return fmt.Errorf("restore: %w", s.db.explain(err))
	}
	return nil
}

// afterLoad brings the schema up to date, calms what was open, and counts what that added.
func (s *Store) afterLoad(ctx context.Context, t *transaction, result *RestoreResult) error {
	known, err := ourSteps(s.db.dialect.name)
	if err != nil {
		return err
	}
	now := s.cfg.Now()
	if err := apply(ctx, t, known[result.Manifest.version():], now); err != nil {
		return err
	}
	if result.Calmed, err = t.calm(ctx, result.Manifest.CreatedAt, now); err != nil {
		return fmt.Errorf("keep what was open from being told again: %w", err)
	}
	for i := range result.Tables {
		n, err := countRows(ctx, t.tx, result.Tables[i].Name)
		if err != nil {
			continue // a later step of the schema has taken the table away
		}
		result.Tables[i].Added = n - result.Tables[i].Loaded
	}
	return nil
}

// makeRoom empties the database and gives it the backup's schema. Without force it refuses when there is anything to throw away.
func (s *Store) makeRoom(ctx context.Context, t *transaction, m *Manifest, force bool) error {
	if !force {
		if err := s.mustBeEmpty(ctx, t.tx); err != nil {
			return err
		}
	}
	version, tables, err := s.present(ctx, t.tx)
	if err != nil {
		return err
	}
	if version == m.version() {
		return t.empty(ctx, tables)
	}
	return s.rebuild(ctx, t, tables, m.version())
}

// present is the version of the database's schema, and its tables.
func (s *Store) present(ctx context.Context, q querier) (int, []BackupTable, error) {
	applied, err := readApplied(ctx, q)
	if err != nil {
		return 0, nil, s.db.explain(err)
	}
	tables, err := s.db.tables(ctx, q, len(applied))
	return len(applied), tables, err
}

// markTable has a row from the beginning: how far the samples are compacted.
const markTable = "sample_compaction"

func (s *Store) mustBeEmpty(ctx context.Context, q querier) error {
	_, tables, err := s.present(ctx, q)
	if err != nil {
		return err
	}
	var holds []string
	for _, table := range tables {
		n, err := countRows(ctx, q, table.Name)
		if err != nil {
			return s.db.explain(err)
		}
		if n > 0 && table.Name != markTable {
			holds = append(holds, fmt.Sprintf("%s (%d)", table.Name, n))
		}
	}
	if len(holds) > 0 {
		return fmt.Errorf("%w: %s has rows in %s (give another database, or --force to throw all of that away)", ErrHolds, s.db.target, strings.Join(holds, ", "))
	}
	return nil
}

func countRows(ctx context.Context, q querier, table string) (n int64, err error) {
	return n, one(ctx, q, &n, `SELECT COUNT(*) FROM `+quoted(table))
}

// rebuild makes the tables anew in the backup's version of the schema. The lease stays with this process.
func (s *Store) rebuild(ctx context.Context, t *transaction, tables []BackupTable, version int) error {
	drop := []string{"lease", "schema_migrations"}
	for _, table := range tables {
		drop = append(drop, table.Name)
	}
	for _, name := range drop {
		if _, err := t.tx.ExecContext(ctx, `DROP TABLE `+quoted(name)); err != nil {
			return fmt.Errorf("drop the table %s: %w", name, err)
		}
	}
	if _, err := t.tx.ExecContext(ctx, migrationsTableSQL); err != nil {
		return err
	}
	known, err := ourSteps(s.db.dialect.name)
	if err != nil {
		return err
	}
	if err := apply(ctx, t, known[:version], s.cfg.Now()); err != nil {
		return err
	}
	_, tables, err = s.present(ctx, t.tx)
	if err != nil {
		return err
	}
	if err := t.empty(ctx, tables); err != nil { // of what the steps themselves put there
		return err
	}
	_, err = t.tx.ExecContext(ctx, `UPDATE lease SET epoch = $1, holder = $2`, s.fenceEpoch(), holder())
	return err
}

// empty deletes all rows.
func (t *transaction) empty(ctx context.Context, tables []BackupTable) error {
	verb := `DELETE FROM `
	if t.d.gate == nil {
		verb = `TRUNCATE `
	}
	for _, table := range tables {
		if _, err := t.tx.ExecContext(ctx, verb+quoted(table.Name)); err != nil {
			return fmt.Errorf("empty the table %s: %w", table.Name, err)
		}
	}
	return nil
}

// ErrCounts says that a table does not have as many rows after the restore as the manifest says. Nothing was changed.
var ErrCounts = errors.New("the counts differ; the database is as it was")

// count compares how many rows each table has with what the manifest says.
func (t *transaction) count(ctx context.Context, m *Manifest) ([]RestoredTable, error) {
	var list []RestoredTable
	var differ error
	for i := range m.Tables {
		n, err := countRows(ctx, t.tx, m.Tables[i].Name)
		if err != nil {
			return list, fmt.Errorf("count %s: %w", m.Tables[i].Name, err)
		}
		list = append(list, RestoredTable{Name: m.Tables[i].Name, Backup: m.Tables[i].Rows, Loaded: n})
		if n != m.Tables[i].Rows {
			differ = ErrCounts
		}
	}
	return list, differ
}
