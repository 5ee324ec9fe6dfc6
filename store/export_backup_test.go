package store

import (
	"context"
	"encoding/hex"
	"io"
	"slices"
)

// LoadOnly is Restore without the last step, which changes what was open.
func LoadOnly(ctx context.Context, cfg Config, path string) error {
	cfg.setDefaults()
	file, err := openBackup(ctx, path)
	if err != nil {
		return err
	}
	defer file.close()
	m, err := checkArchive(file.reader(ctx))
	if err != nil {
		return err
	}
	s, err := openForRestore(ctx, cfg, &m)
	if err != nil {
		return err
	}
	defer s.Close()
	return s.db.within(ctx, s.db.durable, func(t *transaction) error {
		if err := s.makeRoom(ctx, t, &m, false); err != nil {
			return err
		}
		if err := t.load(ctx, file.reader(ctx), &m); err != nil {
			return err
		}
		_, err := t.count(ctx, &m)
		return err
	})
}

// Contents are all rows of all tables, in the form of a backup, in order.
func Contents(ctx context.Context, dsn string) (map[string][]string, error) {
	cfg := Config{DSN: dsn}
	cfg.setDefaults()
	db, err := openChecked(&cfg)
	if err != nil {
		return nil, err
	}
	defer db.close()
	out := map[string][]string{}
	r, w := io.Pipe()
	go func() {
		_, err := db.dump(ctx, w, Manifest{})
		w.CloseWithError(err)
	}()
	_, err = walkArchive(r, func(table string, part []byte) error {
		for len(part) > 0 {
			row, rest, err := cutOctets(part)
			if err != nil {
				return err
			}
			out[table], part = append(out[table], hex.EncodeToString(row)), rest
		}
		return nil
	})
	for _, rows := range out {
		slices.Sort(rows)
	}
	return out, err
}

// Dump writes the archive alone.
func (s *Store) Dump(ctx context.Context, w io.Writer) (Manifest, error) {
	return s.db.dump(ctx, w, Manifest{})
}

// RebuildOnly is LoadOnly into tables that are made anew, as for a backup of an older schema; the lease stays with this process.
func RebuildOnly(ctx context.Context, cfg Config, path string) (epoch int64, err error) {
	cfg.setDefaults()
	file, err := openBackup(ctx, path)
	if err != nil {
		return 0, err
	}
	defer file.close()
	m, err := checkArchive(file.reader(ctx))
	if err != nil {
		return 0, err
	}
	s, err := openForRestore(ctx, cfg, &m)
	if err != nil {
		return 0, err
	}
	defer s.Close()
	release, err := s.Acquire(ctx)
	if err != nil {
		return 0, err
	}
	defer release()
	return s.fenceEpoch(), s.db.within(ctx, s.db.durable, func(t *transaction) error {
		_, tables, err := s.present(ctx, t.tx)
		if err != nil {
			return err
		}
		if err := s.rebuild(ctx, t, tables, m.version()); err != nil {
			return err
		}
		if err := t.load(ctx, file.reader(ctx), &m); err != nil {
			return err
		}
		return s.fence(ctx, t)
	})
}

// CheckArchive reads an archive without its seal.
func CheckArchive(r io.Reader) error {
	_, err := checkArchive(r)
	return err
}
