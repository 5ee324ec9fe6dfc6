package profile

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
)

// The bounds of what is read.
const (
	maxFile     = 256 << 10 // octets
	maxProfiles = 500
)

//go:embed profiles/*.yaml
var embedded embed.FS

// builtinFolder is what the profiles of the binary are called in messages.
const builtinFolder = "built-in"

// Builtin returns the profiles that are part of the binary.
func Builtin() (*Set, error) { return Load(nil) }

// Load returns the profiles of the binary and those of the operator's folder, which replace them by name; a nil folder adds none. The error
// is Errors, everything that is wrong with them.
func Load(folder fs.FS) (*Set, error) {
	own, err := fs.Sub(embedded, "profiles")
	if err != nil {
		return nil, fmt.Errorf("open the built-in profiles: %w", err)
	}
	return load(own, folder)
}

// State changes when a file of a folder does: by name, size or time of change. It holds no content.
func State(folder fs.FS) (string, error) {
	h := sha256.New()
	err := fs.WalkDir(folder, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			_, _ = fmt.Fprintln(h, path, info.Size(), info.ModTime().UnixNano())
		}
		return err
	})
	if err != nil {
		return "", fmt.Errorf("look at the folder of profiles: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)[:16]), nil
}

func load(builtin, folder fs.FS) (*Set, error) {
	l := &loader{raw: map[string]*rawProfile{}, done: map[string]*resolved{}}
	l.folder(builtin, false)
	l.folder(folder, true)
	if len(l.raw) > maxProfiles {
		l.errs = append(l.errs, Error{File: "profiles", Message: fmt.Sprintf("%d profiles, more than %d", len(l.raw), maxProfiles)})
		return nil, l.errs.sorted()
	}
	profiles, matches := l.all()
	if len(l.errs) > 0 {
		return nil, l.errs.sorted()
	}
	return newSet(profiles, matches), nil
}

// loader collects the files of all folders and what is wrong with them.
type loader struct {
	raw  map[string]*rawProfile
	done map[string]*resolved
	errs Errors
}

// folder reads NAME.yaml of a folder. Other files are not looked at, but for .yml, which is probably meant to be one.
func (l *loader) folder(folder fs.FS, own bool) {
	if folder == nil {
		return
	}
	entries, err := fs.ReadDir(folder, ".")
	if err != nil {
		l.errs = append(l.errs, Error{File: "profiles", Message: "the folder cannot be read: " + reason(err)})
		return
	}
	files := 0
	for _, entry := range entries {
		file := entry.Name()
		name, yaml := strings.CutSuffix(file, ".yaml")
		switch {
		case strings.HasPrefix(file, "."):
		case strings.HasSuffix(file, ".yml"):
			l.errs = append(l.errs, Error{File: file, Message: "the file is not read", Hint: "its name must end in .yaml"})
		case yaml && files < maxProfiles:
			files++
			l.file(folder, file, name, own)
		case yaml:
			l.errs = append(l.errs, Error{File: file, Message: fmt.Sprintf("more than %d profiles", maxProfiles)})
			return
		}
	}
}

func (l *loader) file(folder fs.FS, file, name string, own bool) {
	doc := &document{file: file, errs: &l.errs}
	if !own {
		doc.file = path.Join(builtinFolder, file)
	}
	data, err := readFile(folder, file)
	p := &rawProfile{doc: doc, name: name, broken: true, names: scope{}}
	if err != nil {
		doc.problem(0, "", "%s", reason(err))
	} else {
		p = readProfile(doc, name, data)
	}
	p.own = own
	l.raw[name] = p
}

// readFile reads a file that is small and is one; a link counts as what it leads to.
func readFile(folder fs.FS, file string) ([]byte, error) {
	info, err := fs.Stat(folder, file)
	if err != nil {
		return nil, fmt.Errorf("the file cannot be read: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("not a file")
	}
	f, err := folder.Open(file)
	if err != nil {
		return nil, fmt.Errorf("the file cannot be read: %w", err)
	}
	defer func() { _ = f.Close() }() // it was only read
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("the file cannot be read: %w", err)
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("the file is longer than %d kB", maxFile>>10)
	}
	return data, nil
}

// reason is an error without the operation and the path, which stand before it already.
func reason(err error) string {
	var at *fs.PathError
	if errors.As(err, &at) {
		return "cannot be read: " + at.Err.Error()
	}
	return err.Error()
}

// all resolves every profile and lists the conditions by which devices are recognised.
func (l *loader) all() (map[string]*Profile, []match) {
	profiles := make(map[string]*Profile, len(l.raw))
	var matches []match
	taken := map[recognition]string{}
	for _, name := range slices.Sorted(maps.Keys(l.raw)) {
		raw := l.raw[name]
		p := l.resolve(raw, nil).profile
		profiles[name] = p
		for _, m := range raw.match {
			key := recognition{objectID: m.objectID, own: raw.own}
			if m.descr != nil {
				key.descr = m.descr.String()
			}
			if other := taken[key]; other != "" {
				raw.doc.problem(m.line, "keep one of them", "match: %s has the same condition", other)
				continue
			}
			taken[key] = fmt.Sprintf("%s:%d", raw.doc.file, m.line)
			matches = append(matches, newMatch(m, raw.own, p))
		}
	}
	return profiles, matches
}

// recognition is what two files of one origin may not both have.
type recognition struct {
	objectID, descr string
	own             bool
}

func newMatch(m rawMatch, own bool, p *Profile) match {
	one := match{objectID: m.objectID, descr: m.descr, own: own, profile: p}
	if m.objectID != "" {
		one.arcs = strings.Count(m.objectID, ".") + 1
	}
	return one
}
