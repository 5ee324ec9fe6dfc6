package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"
)

// mirror is a small database in memory that has what lives: alarms that stand, live incidents with their events and whom they told, and what is
// over since yesterday at most. While the database is away the pages read from it, by the same SQL.
type mirror struct {
	logger *slog.Logger

	mu     sync.Mutex
	db     *database    // nil: this process is not the active one
	waits  []statements // written to the database or the journal, and not yet here
	pruned time.Time
}

const (
	mirrorKeeps  = 24 * time.Hour
	mirrorPrunes = 10 * time.Minute
)

// What the mirror begins with. The order is that of copying.
var mirrored = []struct{ table, where string }{
	{"incidents", `state IN ('open', 'acknowledged')`},
	{"alarms", `state <> 'clear' OR incident_id IN (SELECT id FROM incidents WHERE state IN ('open', 'acknowledged'))`},
	{"alarm_spans", `alarm_id IN (SELECT id FROM alarms WHERE state <> 'clear' OR incident_id IN (SELECT id FROM incidents WHERE state IN ('open', 'acknowledged')))`},
	{"mutes", `cancelled_at IS NULL`},
	{"events", `incident_id IN (SELECT id FROM incidents WHERE state IN ('open', 'acknowledged'))`},
	{"notifications", `incident_id IN (SELECT id FROM incidents WHERE state IN ('open', 'acknowledged'))`},
	{"oncall_overrides", `cancelled_at IS NULL`},
	{"handover_notes", `1 = 1`},
	{"deliveries", `key IN (SELECT key FROM notifications WHERE incident_id IN (SELECT id FROM incidents WHERE state IN ('open', 'acknowledged')))`},
}

// What is over for long enough, in the order of deleting; $1 is before when. A merged incident has no end of its own.
const mirrorOver = `(SELECT id FROM incidents WHERE COALESCE(resolved_at, CASE WHEN state = 'merged' THEN opened_at END) < $1)`

var mirrorPrune = []string{
	`DELETE FROM deliveries WHERE key IN (SELECT key FROM notifications WHERE incident_id IN ` + mirrorOver + `)`,
	`DELETE FROM notifications WHERE incident_id IN ` + mirrorOver,
	`DELETE FROM events WHERE incident_id IN ` + mirrorOver + ` OR incident_id = 0 AND at < $1`,
	`DELETE FROM alarm_spans WHERE alarm_id IN (SELECT id FROM alarms WHERE state = 'clear' AND changed_at < $1)`,
	`DELETE FROM alarms WHERE state = 'clear' AND changed_at < $1`,
	`DELETE FROM incidents WHERE id IN ` + mirrorOver,
	`DELETE FROM mutes WHERE ends_at < $1 OR cancelled_at < $1`,
}

// open makes the mirror of a database.
func (m *mirror) open(ctx context.Context, from *database, now time.Time) error {
	db, err := openMemory()
	if err != nil {
		return fmt.Errorf("mirror what lives: %w", err)
	}
	err = migrate(ctx, db, now)
	for _, part := range mirrored {
		if err == nil {
			err = copyRows(ctx, db, from.read, part.table, part.where)
		}
	}
	if err != nil {
		return errors.Join(fmt.Errorf("mirror what lives: %w", err), db.close())
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.shut()
	m.db, m.pruned = db, now
	return nil
}

// openMemory opens an empty SQLite database in memory, of one connection.
func openMemory() (*database, error) {
	db, err := sql.Open("sqlite", "file::memory:?_time_integer_format=unix_micro&_inttotime=1&_txlock=immediate")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1) // another one would be another database
	db.SetConnMaxLifetime(0)
	return &database{
		dialect: sqliteDialect(), target: "memory", file: ":memory:", durable: db, relaxed: db, read: db, gate: make(chan struct{}, 1),
	}, nil
}

// copyRows copies a table's rows as they are.
func copyRows(ctx context.Context, to *database, from querier, table, where string) error {
	var list statements
	err := each(ctx, from, `SELECT * FROM `+table+` WHERE `+where, nil, func(rows *sql.Rows) error {
		names, err := rows.Columns()
		if err != nil {
			return err
		}
		values, places := make([]any, len(names)), make([]any, len(names))
		for i := range values {
			places[i] = &values[i]
		}
		if err := rows.Scan(places...); err != nil {
			return err
		}
		list.add(fmt.Sprintf(`INSERT INTO %s (%s) VALUES (%s)`, table, strings.Join(names, ", "), numbered(len(names))), values...)
		return nil
	})
	if err != nil {
		return err
	}
	return to.within(ctx, to.durable, func(t *transaction) error { return t.run(ctx, list) })
}

func numbered(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, ", $%d", i+1)
	}
	return strings.TrimPrefix(b.String(), ", ")
}

// again is the same where events may be there already.
func (s statements) again() statements {
	list := slices.Clone(s)
	for i := range list {
		if list[i].text == putEventSQL {
			list[i].text = putEventAgainSQL
		}
	}
	return list
}

// add takes what was written elsewhere; it is written here when somebody asks, or within a second.
func (m *mirror) add(list statements) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.db != nil {
		m.waits = append(m.waits, list)
	}
}

// catchUp writes what waits, and forgets what is over for long enough.
func (m *mirror) catchUp(ctx context.Context, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.db == nil {
		return
	}
	prune := now.Sub(m.pruned) > mirrorPrunes
	if len(m.waits) == 0 && !prune {
		return
	}
	err := m.db.within(ctx, m.db.durable, func(t *transaction) error {
		for _, list := range m.waits {
			if err := t.run(ctx, list.again()); err != nil {
				return err
			}
		}
		for _, text := range mirrorPrune {
			if prune {
				if _, err := t.tx.ExecContext(ctx, text, stamp(now.Add(-mirrorKeeps))); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		if ctx.Err() == nil { // never seen; a mirror that lacks something would lie
			m.logger.Error("the mirror of what lives is given up until the next start", "err", err)
			m.shut()
		}
		return
	}
	m.waits = nil
	if prune {
		m.pruned = now
	}
}

// reader is the mirror to read from, nil when there is none.
func (m *mirror) reader() *sql.DB {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.db == nil {
		return nil
	}
	return m.db.read
}

func (m *mirror) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.shut()
}

func (m *mirror) shut() {
	if m.db != nil {
		_ = m.db.close() // nothing of it is worth keeping
	}
	m.db, m.waits = nil, nil
}

// lives is where alarms, incidents and what belongs to them are read: the database, or the mirror while it is away.
func (s *Store) lives(ctx context.Context) *sql.DB {
	if s.away.is() {
		s.mirror.catchUp(ctx, s.cfg.Now())
		if db := s.mirror.reader(); db != nil {
			return db
		}
	}
	return s.db.read
}
