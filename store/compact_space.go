package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
)

// ErrNoRoom says that the disk has too little free space to make the database's file smaller.
var ErrNoRoom = errors.New("the disk has too little free space")

// freeSpace tells how many octets this process may still write in a folder, and which disk that is.
type freeSpace func(folder string) (octets uint64, disk uint64, err error)

func diskFree(folder string) (octets, disk uint64, err error) {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(folder, &fs); err != nil {
		return 0, 0, fmt.Errorf("look how much of the disk of %s is free: %w", folder, err)
	}
	info, err := os.Stat(folder)
	if err != nil {
		return 0, 0, err
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		disk = uint64(stat.Dev) //nolint:unconvert // its type differs between systems
	}
	return uint64(fs.Bavail) * uint64(fs.Bsize), disk, nil //nolint:unconvert // their types differ between systems
}

const (
	pagesSQL    = `SELECT page_count, freelist_count, page_size FROM pragma_page_count(), pragma_freelist_count(), pragma_page_size()`
	truncateSQL = `PRAGMA wal_checkpoint(TRUNCATE)` // moves the log of writes into the file and makes it empty
	spareRoom   = 16_000_000                        // octets that are left for what others write meanwhile
	leastGain   = 100                               // a file of which less than this part is free is left alone
)

// shrinkFile writes the whole file anew without its free pages, when there are any to speak of; free is how many octets they are. The caller
// is the active process.
func (d *database) shrinkFile(ctx context.Context, room freeSpace, logger *slog.Logger) (free int64, err error) {
	leave, err := d.enter(ctx)
	if err != nil {
		return 0, err
	}
	defer leave()
	if err := d.emptyLog(ctx); err != nil {
		return 0, err
	}
	var pages, unused, size int64
	if err := d.durable.QueryRowContext(ctx, pagesSQL).Scan(&pages, &unused, &size); err != nil {
		return 0, fmt.Errorf("look how much of the file is free: %w", d.explain(err))
	}
	free = unused * size
	if unused*leastGain < pages {
		return free, nil
	}
	need := uint64((pages-unused)*size) + spareRoom
	if err := enoughRoom(d.file, need, room); err != nil {
		return free, err
	}
	logger.Info("writing the file anew to make it smaller", "database", d.target, "octets", (pages-unused)*size)
	if _, err := d.durable.ExecContext(ctx, `VACUUM`); err != nil {
		return free, fmt.Errorf("make the file smaller: %w", d.explain(err))
	}
	return free, d.emptyLog(ctx)
}

// emptyLog moves SQLite's log of writes into the file. Somebody who reads just then keeps a part of it, until the next time.
func (d *database) emptyLog(ctx context.Context) error {
	var busy, log, moved int64
	if err := d.durable.QueryRowContext(ctx, truncateSQL).Scan(&busy, &log, &moved); err != nil {
		return fmt.Errorf("move the log of writes into the file: %w", d.explain(err))
	}
	return nil
}

// enoughRoom refuses when there are not need octets beside the file and as many in the folder for temporary files; on one disk, twice that.
func enoughRoom(file string, need uint64, room freeSpace) error {
	folder, temporary := filepath.Dir(file), temporaryFolder()
	here, disk, err := room(folder)
	if err != nil {
		return err
	}
	there, otherDisk, err := room(temporary)
	if err != nil {
		return err
	}
	const text = "%w: to make %s smaller, SQLite writes it anew and needs %d MB in %s, where %d MB are free (free some, or set SQLITE_TMPDIR to a folder on another disk); everything else is done"
	switch {
	case disk == otherDisk && here < 2*need:
		return fmt.Errorf(text, ErrNoRoom, file, megabytes(2*need), folder, here/1e6)
	case here < need:
		return fmt.Errorf(text, ErrNoRoom, file, megabytes(need), folder, here/1e6)
	case there < need:
		return fmt.Errorf(text, ErrNoRoom, file, megabytes(need), temporary, there/1e6)
	}
	return nil
}

func megabytes(octets uint64) uint64 { return (octets + 999_999) / 1_000_000 }

// temporaryFolder is where SQLite puts its temporary files: the first of its list that is a folder it may write in.
func temporaryFolder() string {
	for _, folder := range []string{os.Getenv("SQLITE_TMPDIR"), os.Getenv("TMPDIR"), "/var/tmp", "/usr/tmp", "/tmp"} {
		const mayWriteAndEnter = 3
		info, err := os.Stat(folder) //nolint:gosec // the operator names it, as SQLite reads it
		if err == nil && info.IsDir() && syscall.Access(folder, mayWriteAndEnter) == nil {
			return folder
		}
	}
	return "."
}

// vacuumTables lets PostgreSQL clear each of our tables and learn what is in it.
func (d *database) vacuumTables(ctx context.Context) error {
	var tables []BackupTable
	err := d.snapshot(ctx, func(q querier) error {
		applied, err := readApplied(ctx, q)
		if err != nil {
			return err
		}
		tables, err = d.tables(ctx, q, len(applied))
		return err
	})
	if err != nil {
		return fmt.Errorf("list the tables to clear: %w", d.explain(err))
	}
	for _, t := range tables {
		if _, err := d.durable.ExecContext(ctx, `VACUUM (ANALYZE) `+quoted(t.Name)); err != nil {
			return fmt.Errorf("clear the table %s: %w", t.Name, d.explain(err))
		}
	}
	return nil
}
