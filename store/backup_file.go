package store

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Partial is what is added to the name of a backup while it is being written.
const Partial = ".partial"

// sealWord begins the comment of the last gzip member; the SHA-256 of all octets before that member follows.
const sealWord = "vigia backup sha256 "

// seal is the end of a backup file: an empty gzip member whose comment holds the checksum of everything before it. Programs that unpack a
// .tar.gz pass over it.
func seal(sum []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Comment = sealWord + hex.EncodeToString(sum)
	_ = w.Close() // into memory
	return b.Bytes()
}

// writeBackupFile lets fill write a file that is whole or not there: beside it first, forced to the disk, then renamed.
func writeBackupFile(path string, replace bool, fill func(io.Writer) error) (size int64, err error) {
	if err := mayWrite(path, replace); err != nil {
		return 0, err
	}
	file, err := openPartial(path + Partial)
	if err != nil {
		return 0, err
	}
	defer func() {
		_ = file.Close() // after Sync there is nothing that it could still lose
		if err != nil {
			_ = os.Remove(path + Partial)
		}
	}()
	if err := fillSealed(file, fill); err != nil {
		return 0, err
	}
	info, err := file.Stat()
	if err != nil {
		return 0, err
	}
	if err := mayWrite(path, replace); err != nil { // another may have been faster
		return 0, err
	}
	if err := os.Rename(path+Partial, path); err != nil {
		return 0, err
	}
	return info.Size(), syncFolder(filepath.Dir(path))
}

func mayWrite(path string, replace bool) error {
	switch info, err := os.Lstat(path); {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.IsDir():
		return errors.New("it is a folder, and a file is needed")
	case !replace:
		return errors.New("it is there already (give another name, or --force to replace it)")
	}
	return nil
}

// openPartial opens the file beside and makes sure that nobody else writes it.
func openPartial(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // the operator names it
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = file.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("another backup is writing %s", path)
		}
		return nil, err
	}
	if err := file.Truncate(0); err != nil {
		_ = file.Close()
		return nil, err
	}
	return file, nil
}

func fillSealed(file *os.File, fill func(io.Writer) error) error {
	sum := sha256.New()
	buffer := bufio.NewWriterSize(io.MultiWriter(file, sum), 256<<10)
	if err := fill(buffer); err != nil {
		return err
	}
	if err := buffer.Flush(); err != nil {
		return err
	}
	if _, err := file.Write(seal(sum.Sum(nil))); err != nil {
		return err
	}
	return file.Sync()
}

// syncFolder makes a rename survive a power cut.
func syncFolder(path string) error {
	folder, err := os.Open(path) //nolint:gosec // the operator names it
	if err != nil {
		return err
	}
	defer func() { _ = folder.Close() }() // it was only read
	return folder.Sync()
}

// backupFile is a backup whose seal is right: not an octet of it has changed since it was written.
type backupFile struct {
	file    *os.File
	content int64 // octets before the seal
}

// reading is a reader that ends with a context: to read a large backup takes a while.
type reading func(to []byte) (int, error)

// Read implements io.Reader.
func (r reading) Read(to []byte) (int, error) { return r(to) }

func until(ctx context.Context, r io.Reader) io.Reader {
	return reading(func(to []byte) (int, error) {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		return r.Read(to)
	})
}

// openBackup opens a backup and reads all of it once, to compare its checksum. Its errors say what is wrong with the file.
func openBackup(ctx context.Context, path string) (*backupFile, error) {
	file, err := os.Open(path) //nolint:gosec // the operator names it
	if err != nil {
		return nil, err
	}
	b := &backupFile{file: file}
	if err := b.check(ctx, path); err != nil {
		_ = file.Close()
		return nil, err
	}
	return b, nil
}

func (b *backupFile) check(ctx context.Context, path string) error {
	info, err := b.file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a file", path)
	}
	like := seal(make([]byte, sha256.Size))
	b.content = info.Size() - int64(len(like))
	if b.content <= 0 {
		return fmt.Errorf("%s is no backup, or only the beginning of one: it has %d octets", path, info.Size())
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, until(ctx, io.NewSectionReader(b.file, 0, b.content))); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	end := make([]byte, len(like))
	if _, err := b.file.ReadAt(end, b.content); err != nil {
		return fmt.Errorf("read the end of %s: %w", path, err)
	}
	return b.compare(path, end, sum)
}

func (b *backupFile) compare(path string, end []byte, sum hash.Hash) error {
	if bytes.Equal(end, seal(sum.Sum(nil))) {
		return nil
	}
	if !bytes.Contains(end, []byte(sealWord)) {
		return fmt.Errorf("%s is no whole backup: the checksum at its end is missing (it was cut off or changed, or it is something else)", path)
	}
	return fmt.Errorf("%s is damaged: its content does not have the checksum that stands at its end (take another backup)", path)
}

// reader reads the archive from its beginning.
func (b *backupFile) reader(ctx context.Context) io.Reader {
	return bufio.NewReaderSize(until(ctx, io.NewSectionReader(b.file, 0, b.content)), 256<<10)
}

func (b *backupFile) close() { _ = b.file.Close() } // it was only read
