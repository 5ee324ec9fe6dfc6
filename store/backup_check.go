package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"slices"
)

// VerifyBackup reads a backup file to its end and returns its manifest, or an error that says what is wrong with it: an octet that
// changed, an end that is missing, a table that is not what the manifest says. It needs no database.
func VerifyBackup(ctx context.Context, path string) (Manifest, error) {
	b, err := openBackup(ctx, path)
	if err != nil {
		return Manifest{}, err
	}
	defer b.close()
	return b.inspect(ctx, path)
}

// inspect reads every row of a backup.
func (b *backupFile) inspect(ctx context.Context, path string) (Manifest, error) {
	m, err := checkArchive(b.reader(ctx))
	if ctx.Err() != nil {
		return Manifest{}, fmt.Errorf("read %s: %w", path, ctx.Err())
	}
	if err != nil {
		return Manifest{}, fmt.Errorf("%s is damaged: %w", path, err)
	}
	return m, nil
}

// tally is what was seen of one table in an archive.
type tally struct {
	sum         hash.Hash
	rows, bytes int64
	parts       int
	width       int // values in each row; -1 before the first
}

// tallies are those of all tables.
type tallies map[string]*tally

func (ts tallies) of(table string) *tally {
	t := ts[table]
	if t == nil {
		t = &tally{sum: sha256.New(), width: -1}
		ts[table] = t
	}
	return t
}

// add takes a part and calls visit, which may be nil, for each of its rows.
func (t *tally) add(part []byte, visit func(values []any) error) error {
	t.sum.Write(part)
	t.parts++
	t.bytes += int64(len(part))
	return eachRow(part, func(values []any) error {
		if t.width >= 0 && len(values) != t.width {
			return errRow
		}
		t.width = len(values)
		t.rows++
		if visit == nil {
			return nil
		}
		return visit(values)
	})
}

// matches compares what was seen with what the manifest says.
func (ts tallies) matches(m *Manifest) error {
	for name := range ts {
		if !slices.ContainsFunc(m.Tables, func(t BackupTable) bool { return t.Name == name }) {
			return fmt.Errorf("it holds the table %s, which its manifest does not name", name)
		}
	}
	for i := range m.Tables {
		want := &m.Tables[i]
		have := ts.of(want.Name)
		switch {
		case have.rows != want.Rows || have.parts != want.Parts || have.bytes != want.Bytes:
			return fmt.Errorf("table %s has %d rows in %d parts, and its manifest says %d in %d", want.Name, have.rows, have.parts, want.Rows, want.Parts)
		case have.width >= 0 && have.width != len(want.Columns):
			return fmt.Errorf("table %s has %d columns, and its manifest says %d", want.Name, have.width, len(want.Columns))
		case hex.EncodeToString(have.sum.Sum(nil)) != want.SHA256:
			return fmt.Errorf("table %s does not have the checksum that its manifest says", want.Name)
		}
	}
	return nil
}

// checkArchive reads an archive to its end, every row of it.
func checkArchive(r io.Reader) (Manifest, error) {
	seen := tallies{}
	m, err := walkArchive(r, func(table string, part []byte) error { return seen.of(table).add(part, nil) })
	if err != nil {
		return m, err
	}
	return m, seen.matches(&m)
}
