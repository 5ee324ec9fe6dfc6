package alerting

import (
	"slices"
	"time"
)

// Hours are times of the week by a clock: on some days, from one time of day to another.
type Hours struct {
	Days     [7]bool       // time.Sunday first: the days on which they begin
	From, To time.Duration // since midnight; To not after From: over midnight into the next day
	Holidays []time.Time   // days on which they do not begin, midnight as if it were UTC
}

// BusinessHours are Hours in a zone.
type BusinessHours struct {
	Hours
	Zone *time.Location // nil: UTC
}

// Open reports whether an instant is in the business hours.
func (b BusinessHours) Open(t time.Time) bool {
	zone := b.Zone
	if zone == nil {
		zone = time.UTC
	}
	open, _ := within([]Hours{b.Hours}, t, zone)
	return open
}

// daysAhead is how far ahead the next opening is looked for: holidays may be many in a row.
const daysAhead = 60

// within reports whether t lies in one of the hours, and when that may change; zero: not within daysAhead, or never. Without hours it is always so.
func within(list []Hours, t time.Time, zone *time.Location) (open bool, changes time.Time) {
	if len(list) == 0 {
		return true, time.Time{}
	}
	clock := clockOf(t, zone)
	today := clock.Truncate(day)
	for i := range list {
		is, at := list[i].around(t, today, zone)
		open = open || is
		if !at.IsZero() && (changes.IsZero() || at.Before(changes)) {
			changes = at
		}
	}
	return open, changes
}

const day = 24 * time.Hour

// around looks at the openings from yesterday's on: whether one holds t, and the next instant at which one begins or ends. What ends where
// another begins counts as a change too; who joins stretches does not mind.
func (h *Hours) around(t, today time.Time, zone *time.Location) (open bool, changes time.Time) {
	for n := -1; n <= daysAhead; n++ {
		date := today.Add(time.Duration(n) * day)
		if !h.Days[date.Weekday()] || slices.ContainsFunc(h.Holidays, date.Equal) {
			continue
		}
		from, to := instantOf(date.Add(h.From), zone), instantOf(date.Add(h.end()), zone)
		if to.After(t) && from.Before(to) {
			if from.After(t) {
				return false, from
			}
			return true, to
		}
	}
	return false, time.Time{}
}

// end is when an opening ends, since the midnight of the day on which it begins.
func (h *Hours) end() time.Duration {
	if h.To <= h.From {
		return h.To + day
	}
	return h.To
}
