package store

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"path"
	"strings"
)

const (
	manifestName = "manifest.json"
	tablesFolder = "tables"
	partSize     = 1 << 20 // octets of rows in one member; a larger row has one of its own
	largestPart  = 1 << 30
)

// archive writes a tar that is compressed with gzip.
type archive struct {
	zip *gzip.Writer
	tar *tar.Writer
}

func newArchive(w io.Writer) *archive {
	zip, _ := gzip.NewWriterLevel(w, gzip.BestSpeed) // the level is a right one
	return &archive{zip: zip, tar: tar.NewWriter(zip)}
}

func (a *archive) member(name string, content []byte) error {
	if err := a.tar.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(content)), Typeflag: tar.TypeReg}); err != nil {
		return err
	}
	_, err := a.tar.Write(content)
	return err
}

// finish writes the manifest and ends the archive.
func (a *archive) finish(m *Manifest) error {
	text, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return err
	}
	if err := a.member(manifestName, text); err != nil {
		return err
	}
	if err := a.tar.Close(); err != nil {
		return err
	}
	return a.zip.Close()
}

// partWriter gathers the rows of one table into members.
type partWriter struct {
	archive *archive
	table   string
	sum     hash.Hash
	pending []byte
	rows    int64
	bytes   int64
	parts   int
}

func (p *partWriter) add(row []byte) error {
	p.pending = binary.AppendUvarint(p.pending, uint64(len(row)))
	p.pending = append(p.pending, row...)
	p.rows++
	if len(p.pending) < partSize {
		return nil
	}
	return p.flush()
}

func (p *partWriter) flush() error {
	if len(p.pending) == 0 {
		return nil
	}
	p.parts++
	p.bytes += int64(len(p.pending))
	p.sum.Write(p.pending)
	err := p.archive.member(partName(p.table, p.parts), p.pending)
	p.pending = p.pending[:0]
	return err
}

func partName(table string, number int) string {
	return fmt.Sprintf("%s/%s/%08d", tablesFolder, table, number)
}

// walkArchive calls visit for every part in order and returns the manifest, which comes last.
func walkArchive(r io.Reader, visit func(table string, part []byte) error) (Manifest, error) {
	zip, err := gzip.NewReader(r)
	if err != nil {
		return Manifest{}, fmt.Errorf("it is not compressed as a backup is: %w", err)
	}
	zip.Multistream(false)
	files := tar.NewReader(zip)
	var last string
	var number int
	var part bytes.Buffer
	for {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return Manifest{}, errors.New("its manifest is missing")
		}
		if err != nil {
			return Manifest{}, fmt.Errorf("it cannot be unpacked: %w", err)
		}
		if header.Size > largestPart {
			return Manifest{}, fmt.Errorf("its member %q is larger than any that is written", header.Name)
		}
		part.Reset()
		if _, err := io.CopyN(&part, files, header.Size); err != nil {
			return Manifest{}, fmt.Errorf("its member %q cannot be unpacked: %w", header.Name, err)
		}
		if header.Name == manifestName {
			return readManifest(part.Bytes(), files, zip)
		}
		table := path.Base(path.Dir(header.Name))
		if table != last {
			last, number = table, 0
		}
		number++
		if header.Name != partName(table, number) {
			return Manifest{}, fmt.Errorf("its member %q is not the one that belongs there", header.Name)
		}
		if err := visit(table, part.Bytes()); err != nil {
			return Manifest{}, fmt.Errorf("table %s, part %d: %w", table, number, err)
		}
	}
}

// readManifest reads the manifest and makes sure that the archive ends with it.
func readManifest(text []byte, files *tar.Reader, zip io.Reader) (Manifest, error) {
	var m Manifest
	if header, err := files.Next(); err == nil {
		return m, fmt.Errorf("its member %q stands behind the end", header.Name)
	} else if !errors.Is(err, io.EOF) {
		return m, fmt.Errorf("it cannot be unpacked to its end: %w", err)
	}
	if _, err := io.Copy(io.Discard, zip); err != nil {
		return m, fmt.Errorf("it cannot be unpacked to its end: %w", err)
	}
	var form struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal(text, &form); err != nil {
		return m, fmt.Errorf("its manifest cannot be read: %w", err)
	}
	if form.Format != backupFormat {
		return m, fmt.Errorf("it has the form %d, and this vigia reads the form %d: take the vigia that wrote it", form.Format, backupFormat)
	}
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&m); err != nil {
		return m, fmt.Errorf("its manifest cannot be read: %w", err)
	}
	return m, nil
}
