package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"vigia/collectors"
	"vigia/collectors/inventory"
	"vigia/store"
)

// BackupSpec is when the store is backed up by itself, and how many of the backups are kept.
type BackupSpec struct {
	Folder  string `yaml:"folder" need:"yes" is:"label"` // relative to the configuration
	Daily   int    `yaml:"daily" min:"1" max:"366"`
	Weekly  int    `yaml:"weekly" min:"0" max:"520"`
	Monthly int    `yaml:"monthly" min:"0" max:"120"`
	At      string `yaml:"at" is:"clock"` // by this machine's clock
}

func (b *BackupSpec) setDefaults() { b.Daily, b.Weekly, b.Monthly, b.At = 7, 4, 12, "03:10" }

const clockLayout = "15:04"

// clockForm is the form of a time of day.
func clockForm(s string) (string, string) {
	if _, err := time.Parse(clockLayout, s); err == nil && len(s) == len(clockLayout) {
		return "", ""
	}
	return fmt.Sprintf("%q is not a time of day", s), `from "00:00" to "23:59", in quotes`
}

// backup makes the folder absolute, and refuses one that is something else. One that is not there yet is made when it is needed.
func (l *loader) backup(cfg *Config) {
	b := cfg.Backup
	if b == nil || b.Folder == "" {
		return
	}
	if !filepath.IsAbs(b.Folder) {
		b.Folder = filepath.Join(l.dir, b.Folder)
	}
	if info, err := os.Stat(b.Folder); err == nil && !info.IsDir() {
		l.problem(l.at[&b.Folder], "bad-folder", "give a folder of its own for backups", "folder: %s is not a folder", b.Folder)
	}
}

const (
	lookForBackups = time.Minute // how often the age of the newest backup becomes a sample
	tryBackupAgain = time.Hour   // after one that failed
)

// backups makes a backup of the store once a day, deletes the ones that are no longer kept, and tells how old the newest one is. Only its
// Run uses what it remembers.
type backups struct {
	current func() *BackupSpec // what the configuration says now; nil: none are made
	active  func() bool        // one process makes them
	make    func(ctx context.Context, file string) (store.BackupResult, error)
	since   func(ctx context.Context) (time.Time, error) // when the store began: how old what is not backed up is, without any backup
	put     func([]collectors.Sample)
	now     func() time.Time
	zone    *time.Location // of at
	logger  *slog.Logger

	tried  time.Time // when the last attempt began; zero before the first
	failed error     // why it failed; nil when it did not
	on     bool      // the last look found them configured
	told   time.Time // the next run that was logged
}

// Run looks every minute until ctx ends.
func (b *backups) Run(ctx context.Context) error {
	tick := time.NewTicker(lookForBackups)
	defer tick.Stop()
	for {
		b.look(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// look makes a backup when one is due and tells the age of the newest.
func (b *backups) look(ctx context.Context) {
	spec := b.current()
	if spec == nil {
		if b.on {
			b.tell(0, collectors.Because("app.backup_off"))
		}
		b.on = false
		return
	}
	b.on = true
	if !b.active() {
		return
	}
	now := b.now()
	have, err := listBackups(spec.Folder, now)
	slot := lastSlot(now.In(b.zone), spec.At)
	if b.due(slot, newest(have), now) {
		if b.attempt(ctx, spec, now); ctx.Err() != nil {
			return
		}
		have, err = listBackups(spec.Folder, now)
	}
	next := nextSlot(now.In(b.zone), spec.At)
	if !next.Equal(b.told) {
		b.told = next
		b.logger.Info("backups", "folder", spec.Folder, "next", next.Format(time.RFC3339), "kept", len(have))
	}
	b.tellAge(ctx, newest(have), next, err)
}

// due reports whether there is none since the last time of day that it should have been made, and it is time to try.
func (b *backups) due(slot, newest, now time.Time) bool {
	if !newest.Before(slot) {
		return false
	}
	return b.tried.Before(slot) || b.failed != nil && now.Sub(b.tried) >= tryBackupAgain
}

// attempt makes one backup, reads it back, and then deletes what is no longer kept.
func (b *backups) attempt(ctx context.Context, spec *BackupSpec, now time.Time) {
	err := b.one(ctx, spec, now)
	if ctx.Err() != nil {
		return // it was stopped; the next start makes it
	}
	b.tried, b.failed = now, err
	if err != nil {
		b.logger.Error("backup", "err", err, "again", now.Add(tryBackupAgain).In(b.zone).Format(time.RFC3339))
	}
}

func (b *backups) one(ctx context.Context, spec *BackupSpec, now time.Time) error {
	if err := os.MkdirAll(spec.Folder, 0o700); err != nil {
		return fmt.Errorf("make the folder: %w", err)
	}
	file := filepath.Join(spec.Folder, backupName(now))
	result, err := b.make(ctx, file)
	if err != nil {
		return err
	}
	if _, err := store.VerifyBackup(ctx, file); err != nil && ctx.Err() == nil {
		return errors.Join(fmt.Errorf("it cannot be read back: %w", err), os.Rename(file, file+".damaged"))
	}
	b.logger.Info("backup made", "file", file, "rows", result.Manifest.Rows(), "octets", result.Bytes, "took", result.Took.Round(time.Millisecond))
	if err := ctx.Err(); err != nil {
		return err // it was not read to its end: nothing is deleted because of it
	}
	return b.rotate(spec, now)
}

// rotate deletes what is no longer kept. It is called only when the newest backup has just been read back and found right.
func (b *backups) rotate(spec *BackupSpec, now time.Time) error {
	have, err := listBackups(spec.Folder, now)
	if err != nil {
		return err
	}
	for _, at := range outdated(have, spec, b.zone) {
		if !at.Before(now.Truncate(time.Second)) {
			continue // the one that was just made
		}
		if err := os.Remove(filepath.Join(spec.Folder, backupName(at))); err != nil {
			return fmt.Errorf("delete an old backup: %w", err)
		}
		b.logger.Info("old backup deleted", "file", backupName(at))
	}
	return b.sweep(spec.Folder)
}

// sweep deletes what backups that were cut off have left.
func (b *backups) sweep(folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name, partial := strings.CutSuffix(e.Name(), store.Partial)
		if _, ok := backupTime(name); ok && partial {
			if err := os.Remove(filepath.Join(folder, e.Name())); err != nil {
				return fmt.Errorf("delete a backup that was cut off: %w", err)
			}
		}
	}
	return nil
}

// tellAge tells how old the newest backup is; while there is none, or the folder cannot be read, how old the store is, none of which is known
// to be backed up.
func (b *backups) tellAge(ctx context.Context, newest, next time.Time, unread error) {
	from, why := newest, collectors.Because("app.backup_done", newest.Format(time.RFC3339), next.Format(time.RFC3339))
	if newest.IsZero() {
		var err error
		if from, err = b.since(ctx); err != nil || from.IsZero() {
			return // the store is away, which is an alarm of its own
		}
		why = collectors.Because("app.backup_none")
	}
	switch {
	case unread != nil:
		why = collectors.Because("app.backup_unread", firstLine(unread))
	case b.failed != nil:
		why = collectors.Because("app.backup_failed", b.tried.In(b.zone).Format(time.RFC3339), firstLine(b.failed))
	}
	b.tell(max(b.now().Sub(from), 0), why)
}

func (b *backups) tell(age time.Duration, why collectors.Reason) {
	b.put([]collectors.Sample{{
		Series: collectors.Series{Metric: collectors.VigiaBackupAgeS, Ref: inventory.Self},
		At:     b.now().UTC(), Value: age.Seconds(), Reason: why, Every: lookForBackups,
	}})
}

// newBackups joins the scheduled backups with the rest.
func (a *app) newBackups(d *duty) *backups {
	return &backups{
		current: func() *BackupSpec { return a.live.Load().config.Backup },
		active:  func() bool { return a.on() != nil },
		make: func(ctx context.Context, file string) (store.BackupResult, error) {
			return a.store.Backup(ctx, store.BackupRequest{File: file, Vigia: version()})
		},
		since: a.store.Since,
		put:   d.services.Put,
		now:   time.Now, zone: time.Local, logger: a.logger,
	}
}
