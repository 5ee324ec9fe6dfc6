package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"
)

// backupLayout is the name of a scheduled backup: when it was begun, UTC.
const backupLayout = "vigia-20060102T150405Z.backup.tgz"

func backupName(at time.Time) string { return at.UTC().Format(backupLayout) }

// backupTime is when a file was begun that has such a name.
func backupTime(name string) (time.Time, bool) {
	at, err := time.Parse(backupLayout, name)
	return at, err == nil && backupName(at) == name
}

// listBackups are the times of the backups in a folder up to now, the newest first. A folder that is not there has none. What a clock that ran
// ahead has left is passed over: it says nothing about how old the newest one is.
func listBackups(folder string, now time.Time) ([]time.Time, error) {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list the backups: %w", err)
	}
	var list []time.Time
	for _, e := range entries {
		if at, ok := backupTime(e.Name()); ok && e.Type().IsRegular() && !at.After(now) {
			list = append(list, at)
		}
	}
	slices.SortFunc(list, func(a, b time.Time) int { return b.Compare(a) })
	return list, nil
}

// newest is the first of a list; zero for none.
func newest(list []time.Time) time.Time {
	if len(list) == 0 {
		return time.Time{}
	}
	return list[0]
}

// outdated are the backups that are not kept. Kept is the newest of each of the last so many days, weeks and months that have one. The list
// begins with the newest, which is always kept.
func outdated(list []time.Time, spec *BackupSpec, zone *time.Location) []time.Time {
	keep := map[time.Time]bool{}
	rules := []struct {
		many   int
		period func(time.Time) string
	}{
		{max(spec.Daily, 1), func(t time.Time) string { return t.Format(time.DateOnly) }},
		{spec.Weekly, func(t time.Time) string { year, week := t.ISOWeek(); return fmt.Sprint(year, week) }},
		{spec.Monthly, func(t time.Time) string { return t.Format("2006-01") }},
	}
	for _, r := range rules {
		seen := map[string]bool{}
		for _, at := range list {
			if period := r.period(at.In(zone)); !seen[period] && len(seen) < r.many {
				seen[period] = true
				keep[at] = true
			}
		}
	}
	return slices.DeleteFunc(slices.Clone(list), func(at time.Time) bool { return keep[at] })
}

// lastSlot is the last time, up to now, that the clock showed at; nextSlot the first after now. Both by now's zone.
func lastSlot(now time.Time, at string) time.Time {
	if slot := slotOf(now, at, 0); !slot.After(now) {
		return slot
	}
	return slotOf(now, at, -1)
}

func nextSlot(now time.Time, at string) time.Time {
	if slot := slotOf(now, at, 0); slot.After(now) {
		return slot
	}
	return slotOf(now, at, 1)
}

func slotOf(now time.Time, at string, days int) time.Time {
	clock, err := time.Parse(clockLayout, at)
	if err != nil { // the configuration was checked
		clock = time.Time{}
	}
	return time.Date(now.Year(), now.Month(), now.Day()+days, clock.Hour(), clock.Minute(), 0, 0, now.Location())
}
