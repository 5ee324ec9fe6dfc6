package main

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"vigia/collectors"
	"vigia/store"
	"vigia/store/storetest"
)

func TestRotation(t *testing.T) {
	spec := &BackupSpec{Daily: 7, Weekly: 4, Monthly: 12}
	var have []time.Time
	day := time.Date(2025, 1, 1, 3, 10, 0, 0, time.UTC)
	for n := range 700 { // as it happens: each day one more, and what is outdated goes
		have = slices.Insert(have, 0, day.AddDate(0, 0, n))
		gone := outdated(have, spec, time.UTC)
		have = slices.DeleteFunc(have, func(at time.Time) bool { return slices.Contains(gone, at) })
	}
	var names []string
	for _, at := range have {
		names = append(names, at.Format(time.DateOnly))
	}
	want := "2026-12-01 2026-11-30 2026-11-29 2026-11-28 2026-11-27 2026-11-26 2026-11-25 2026-11-22 2026-11-15 2026-10-31 2026-09-30 2026-08-31 2026-07-31 2026-06-30 2026-05-31 2026-04-30 2026-03-31 2026-02-28 2026-01-31"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("kept\n%s, want\n%s", got, want)
	}
}

// TestRotationKeepsTheNewest: whatever there is and however little is to be kept, the newest stays.
func TestRotationKeepsTheNewest(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 1000 {
		var have []time.Time
		for range 1 + random.IntN(40) {
			have = append(have, time.Unix(1.7e9+random.Int64N(1e8), 0).UTC())
		}
		slices.SortFunc(have, func(a, b time.Time) int { return b.Compare(a) })
		spec := &BackupSpec{Daily: random.IntN(3), Weekly: random.IntN(3), Monthly: random.IntN(3)}
		if slices.Contains(outdated(have, spec, time.UTC), have[0]) {
			t.Fatalf("the newest of %v is deleted", have)
		}
	}
}

func TestSlots(t *testing.T) {
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ now, last, next string }{
		{"2026-11-27T03:09:59-05:00", "2026-11-26T03:10:00-05:00", "2026-11-27T03:10:00-05:00"},
		{"2026-11-27T03:10:00-05:00", "2026-11-27T03:10:00-05:00", "2026-11-28T03:10:00-05:00"},
		{"2026-11-01T12:00:00-05:00", "2026-11-01T03:10:00-05:00", "2026-11-02T03:10:00-05:00"}, // clocks went back that night
		{"2026-03-08T12:00:00-04:00", "2026-03-08T03:10:00-04:00", "2026-03-09T03:10:00-04:00"}, // and forward
	} {
		now, err := time.Parse(time.RFC3339, c.now)
		if err != nil {
			t.Fatal(err)
		}
		now = now.In(zone)
		if last, next := lastSlot(now, "03:10").Format(time.RFC3339), nextSlot(now, "03:10").Format(time.RFC3339); last != c.last || next != c.next {
			t.Errorf("%s: %s and %s, want %s and %s", c.now, last, next, c.last, c.next)
		}
	}
}

// saver is the schedule over a real store, with a clock that only the test moves.
type saver struct {
	*backups
	spec  *BackupSpec
	clock time.Time
	told  []collectors.Sample
	broke error
}

func newSaver(t *testing.T) *saver {
	t.Helper()
	s := &saver{clock: time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)}
	s.spec = &BackupSpec{Folder: filepath.Join(t.TempDir(), "backups"), Daily: 2, At: "03:10"}
	now := func() time.Time { return s.clock }
	st, err := store.Open(t.Context(), store.Config{DSN: storetest.SQLite(t), Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	s.backups = &backups{
		current: func() *BackupSpec { return s.spec }, active: func() bool { return true },
		make: func(ctx context.Context, file string) (store.BackupResult, error) {
			if s.broke != nil {
				return store.BackupResult{}, s.broke
			}
			return st.Backup(ctx, store.BackupRequest{File: file})
		},
		since: st.Since, put: func(m []collectors.Sample) { s.told = m }, now: now, zone: time.UTC, logger: slog.New(slog.DiscardHandler),
	}
	return s
}

// after lets time pass, looks, and says which files there are, and the age and its reason.
func (s *saver) after(t *testing.T, d time.Duration) (files string, age float64, why string) {
	t.Helper()
	s.clock = s.clock.Add(d)
	s.look(t.Context())
	entries, err := os.ReadDir(s.spec.Folder)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(strings.TrimPrefix(e.Name(), "vigia-"), ".backup.tgz"))
	}
	return strings.Join(names, " "), s.told[0].Value, backupWords.Say(collectors.English, s.told[0].Reason)
}

func TestScheduledBackups(t *testing.T) {
	s := newSaver(t)
	steps := []struct {
		after time.Duration
		broke string
		files string
		age   time.Duration
		why   string
	}{
		{0, "", "20261127T120000Z", 0, "the next is due at 2026-11-28T03:10:00Z"},
		{15 * time.Hour, "", "20261127T120000Z", 15 * time.Hour, "the last backup is 2026-11-27T12:00:00Z"},
		{11 * time.Minute, "no space left", "20261127T120000Z", 15*time.Hour + 11*time.Minute, "the last attempt failed at 2026-11-28T03:11:00Z: no space left"},
		{59 * time.Minute, "", "20261127T120000Z", 16*time.Hour + 10*time.Minute, "no space left"},
		{time.Minute, "", "20261127T120000Z 20261128T041100Z", 0, "the last backup is 2026-11-28T04:11:00Z"},
		{24 * time.Hour, "", "20261128T041100Z 20261129T041100Z", 0, "the last backup"},
		{72 * time.Hour, "", "20261129T041100Z 20261202T041100Z", 0, "the last backup"},
	}
	for i, step := range steps {
		s.broke = nil
		if step.broke != "" {
			s.broke = errors.New(step.broke)
		}
		files, age, why := s.after(t, step.after)
		if files != step.files || age != step.age.Seconds() || !strings.Contains(why, step.why) {
			t.Errorf("step %d: %s, %.0f s, %s; want %s, %.0f s, %s", i, files, age, why, step.files, step.age.Seconds(), step.why)
		}
	}
	if _, err := store.VerifyBackup(t.Context(), filepath.Join(s.spec.Folder, backupName(s.clock))); err != nil {
		t.Error(err)
	}
}

// TestBackupsLeaveOtherFiles: rotation touches only what it has made, and takes away what was cut off.
func TestBackupsLeaveOtherFiles(t *testing.T) {
	s := newSaver(t)
	if err := os.MkdirAll(s.spec.Folder, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"mine.tgz", "vigia-old.backup.tgz", "vigia-20200101T000000Z.backup.tgz.partial", "vigia-20990101T000000Z.backup.tgz"} {
		if err := os.WriteFile(filepath.Join(s.spec.Folder, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if files, age, _ := s.after(t, 0); files != "20261127T120000Z 20990101T000000Z old mine.tgz" && files != "mine.tgz 20261127T120000Z 20990101T000000Z old" || age != 0 {
		t.Errorf("there are %s, the newest %.0f s old", files, age)
	}
}

// TestBackupsFromNothing: when the first one fails, the age is that of the store; when they are taken out of the configuration, the alarm ends.
func TestBackupsFromNothing(t *testing.T) {
	s := newSaver(t)
	s.clock = s.clock.Add(40 * time.Hour)
	if err := os.WriteFile(s.spec.Folder, nil, 0o600); err != nil { // a file where the folder should be
		t.Fatal(err)
	}
	s.look(t.Context())
	if age := s.told[0].Value; age != (40 * time.Hour).Seconds() {
		t.Errorf("the age is %.0f s", age)
	}
	if why := backupWords.Say(collectors.English, s.told[0].Reason); !strings.Contains(why, "not a directory") {
		t.Errorf("the reason is %q", why)
	}
	s.current = func() *BackupSpec { return nil }
	s.look(t.Context())
	if age := s.told[0].Value; age != 0 {
		t.Errorf("without backups the age is %.0f s", age)
	}
}

// TestBackupIsStopped: the end of the program in the middle of a backup leaves no half of one, deletes nothing, and is no failure.
func TestBackupIsStopped(t *testing.T) {
	s := newSaver(t)
	s.after(t, 0)
	s.clock = s.clock.AddDate(0, 0, 30)
	ctx, cancel := context.WithCancel(t.Context())
	made := s.make
	s.make = func(ctx context.Context, file string) (store.BackupResult, error) {
		defer cancel() // when it is written and not yet read back
		return made(ctx, file)
	}
	s.look(ctx)
	if have, err := listBackups(s.spec.Folder, s.clock); err != nil || len(have) != 2 || s.failed != nil {
		t.Errorf("%d backups, %v, %v", len(have), err, s.failed)
	}
	s.clock = s.clock.AddDate(0, 0, 1)
	s.look(ctx) // ended before it began
	if entries, err := os.ReadDir(s.spec.Folder); err != nil || len(entries) != 2 {
		t.Errorf("%d files, %v", len(entries), err)
	}
}
