package store

import (
	"context"
	"fmt"
)

// Compact makes chunks of what is over and deletes what is too old, now, by the store's clock. Run does it by itself every minute; call it
// only while Run does not run.
func (s *Store) Compact(ctx context.Context) error { return s.sweep(ctx) }

const serverProcessSQL = `SELECT pg_backend_pid()`

// ServerProcess is the number that the server's own machine gives to the process which serves this one; 0 on SQLite, which has no server.
func (s *Store) ServerProcess(ctx context.Context) (pid int, err error) {
	if s.db.file != "" {
		return 0, nil
	}
	if err := s.db.read.QueryRowContext(ctx, serverProcessSQL).Scan(&pid); err != nil {
		return 0, fmt.Errorf("ask for the server's process: %w", s.db.explain(err))
	}
	return pid, nil
}
