package store

import (
	"context"
	"fmt"
	"time"
)

// Compacted is what Compact has done.
type Compacted struct {
	Before, After Sizes
	Damaged       int   // rows that could not be read and stay where they are
	Free          int64 // SQLite: octets of the file that held nothing when it was about to be made smaller
	Took          time.Duration
}

// Compact does at once what the active process does every minute, and what it never does: hours and days that are over become chunks, what
// is older than its retention is deleted, and room that is no longer needed goes back to the operating system.
//
// It is the active process for as long as it takes, so that nobody else writes; while another one is, it does nothing and returns an error
// that is ErrTaken and says who. A vigia that is started meanwhile is refused (SQLite) or waits as standby (PostgreSQL). It never migrates.
//
// SQLite writes the whole file anew for that, which needs room: as much as it holds, once beside the file and once in the folder for
// temporary files. When there is less, the file keeps its size and the error, which is ErrNoRoom, says how much is needed; all else is done
// then, as the result tells. PostgreSQL gives back only what is free at the end of a table, and uses the rest again.
func Compact(ctx context.Context, cfg Config) (Compacted, error) {
	return compactWith(ctx, cfg, diskFree)
}

func compactWith(ctx context.Context, cfg Config, free freeSpace) (Compacted, error) {
	cfg.setDefaults()
	cfg.MustExist = true
	start := cfg.Now()
	if err := mayCompact(ctx, cfg); err != nil {
		return Compacted{}, err
	}
	s, err := Open(ctx, cfg)
	if err != nil {
		return Compacted{}, err
	}
	defer s.Close() //nolint:errcheck // what was committed is on the disk
	release, err := s.Acquire(ctx)
	if err != nil {
		return Compacted{}, err
	}
	defer release()
	done, err := s.compactNow(ctx, free)
	done.Took = cfg.Now().Sub(start)
	return done, err
}

// mayCompact refuses a database whose schema is not this program's: Open would migrate it, beneath an older vigia that may be running.
func mayCompact(ctx context.Context, cfg Config) error {
	db, err := openChecked(&cfg)
	if err != nil {
		return err
	}
	defer db.close() //nolint:errcheck // it was only read
	return db.snapshot(ctx, func(q querier) error {
		applied, err := readApplied(ctx, q)
		if err != nil {
			return fmt.Errorf("read which migrations were applied: %w", db.explain(err))
		}
		known, err := ourSteps(db.dialect.name)
		if err != nil {
			return err
		}
		if err := compare(db.target, applied, known); err != nil {
			return err
		}
		if len(applied) < len(known) {
			return fmt.Errorf("%s has the schema %d, and this vigia compacts the schema %d: let it run on the database once, or take the vigia that runs there", db.target, len(applied), len(known))
		}
		return nil
	})
}

// compactNow does all of it. This process is the active one.
func (s *Store) compactNow(ctx context.Context, free freeSpace) (done Compacted, err error) {
	if done.Before, err = s.db.measured(ctx); err != nil {
		return done, err
	}
	s.cfg.Logger.Info("making chunks of what is over and deleting what is too old", "database", s.db.target)
	if err := s.sweep(ctx); err != nil {
		return done, s.db.explain(err)
	}
	s.log.mu.Lock()
	done.Damaged = s.log.damaged
	s.log.mu.Unlock()
	if s.db.file != "" {
		done.Free, err = s.db.shrinkFile(ctx, free, s.cfg.Logger)
	} else {
		err = s.db.vacuumTables(ctx)
	}
	after, measureErr := s.db.measured(ctx)
	done.After = after
	if err == nil {
		err = measureErr
	}
	return done, err
}

// measured is the sizes of one instant.
func (d *database) measured(ctx context.Context) (Sizes, error) {
	sizes := Sizes{Database: d.target}
	err := d.snapshot(ctx, func(q querier) error { return d.sizes(ctx, q, &sizes) })
	return sizes, err
}
