package alerting

import (
	"slices"
	"time"
)

// Rotation says who is on call when. It is decided by the clock of its zone: a hand-over at 09:00 is at 09:00 on both days on which the
// clocks change.
type Rotation struct {
	Name   string
	Zone   *time.Location // nil: UTC
	Layers []Layer        // where several are active, the last one wins
	// Otherwise are the receivers that are told while nobody is on call; empty: the policy's fallback.
	Otherwise []string
}

// Layer is a number of people who take turns.
type Layer struct {
	Name   string
	People []string // in order; the first one has the first shift
	// Starts is when the first shift begins, by the clock of the zone, written as if it were UTC.
	Starts time.Time
	// Anchor is a hand-over, by the clock too, from which the others are counted. It is never after Starts; zero: Starts itself.
	Anchor time.Time
	Length time.Duration // of a shift, by the clock: a day of 23 hours is one day
	Hours  []Hours       // when it is active; empty: always
}

// Override puts a person in the place of whoever would be on call, from one instant to another.
type Override struct {
	ID          string // of the command that made it
	Rotation    string
	Person      string
	From, To    time.Time // To is not part of it
	Note        string
	By          string
	At          time.Time // when it was decided; of two that overlap, the later decided one wins
	CancelledBy string    `json:",omitempty"`
	CancelledAt time.Time `json:",omitzero"`
}

// Shift is a stretch of time with one person on call, or nobody.
type Shift struct {
	From, To time.Time
	Person   string // "": nobody is on call
	Layer    string // where the person comes from, unless it is an override
	Override string // the override's id
}

// OnCall is who is on call at an instant.
type OnCall struct {
	Person   string // "": nobody
	Layer    string
	Override string
	Until    time.Time // when another person takes over; zero: not within searchSpan
	Next     string    // who does; "": nobody
}

// searchSpan is how far ahead the next hand-over is looked for.
const searchSpan = 60 * 24 * time.Hour

// Shifts tiles the time from one instant to another: every instant is in exactly one shift, and neighbours differ. What lies in a shift of
// which Person is empty is a gap.
func (r *Rotation) Shifts(from, to time.Time, overrides []Override) []Shift {
	var out []Shift
	mine := r.overrides(overrides)
	for at := from; at.Before(to); {
		s := r.segment(at, to, mine)
		if n := len(out); n > 0 && out[n-1].Person == s.Person && out[n-1].Layer == s.Layer && out[n-1].Override == s.Override {
			out[n-1].To = s.To
		} else {
			out = append(out, s)
		}
		at = s.To
	}
	return out
}

// At is who is on call at an instant, until when, and who comes next.
func (r *Rotation) At(t time.Time, overrides []Override) OnCall {
	mine, limit := r.overrides(overrides), t.Add(searchSpan)
	s := r.segment(t, limit, mine)
	now := OnCall{Person: s.Person, Layer: s.Layer, Override: s.Override}
	for s.To.Before(limit) {
		s = r.segment(s.To, limit, mine)
		if s.Person != now.Person {
			now.Until, now.Next = s.From, s.Person
			break
		}
	}
	return now
}

// overrides are those of this rotation that hold, the one that wins first.
func (r *Rotation) overrides(all []Override) []Override {
	var mine []Override
	for _, o := range all {
		if o.Rotation == r.Name && o.CancelledAt.IsZero() && o.From.Before(o.To) {
			mine = append(mine, o)
		}
	}
	slices.SortFunc(mine, func(a, b Override) int { return -byDecision(a, b) })
	return mine
}

// segment is the stretch that begins at t, in which nothing changes, and that ends at limit at the latest.
func (r *Rotation) segment(t, limit time.Time, overrides []Override) Shift {
	s := Shift{From: t, To: limit}
	for _, o := range overrides {
		switch {
		case !o.To.After(t):
		case o.From.After(t):
			s.To = first(s.To, o.From)
		default:
			s.Person, s.Override, s.To = o.Person, o.ID, first(s.To, o.To)
			return s
		}
	}
	for i := len(r.Layers) - 1; i >= 0; i-- {
		person, until := r.Layers[i].at(t, r.zone())
		if !until.IsZero() {
			s.To = first(s.To, until)
		}
		if person != "" {
			s.Person, s.Layer = person, r.Layers[i].Name
			return s
		}
	}
	return s
}

func (r *Rotation) zone() *time.Location {
	if r.Zone == nil {
		return time.UTC
	}
	return r.Zone
}

// at is who has a layer's shift at t, "" for nobody, and until when that is so; zero for ever.
func (l *Layer) at(t time.Time, zone *time.Location) (person string, until time.Time) {
	if len(l.People) == 0 || l.Length <= 0 {
		return "", time.Time{}
	}
	if begin := instantOf(l.Starts, zone); t.Before(begin) {
		return "", begin
	}
	open, changes := within(l.Hours, t, zone)
	if !open {
		return "", changes
	}
	turn, end := l.turn(t, zone)
	if !changes.IsZero() {
		end = first(end, changes)
	}
	return l.People[turn%len(l.People)], end
}

// turn is the number of the shift that holds t, counted from the first one, and when it ends.
func (l *Layer) turn(t time.Time, zone *time.Location) (n int, end time.Time) {
	anchor := l.Anchor
	if anchor.IsZero() {
		anchor = l.Starts
	}
	at := func(k int64) time.Time { return instantOf(anchor.Add(time.Duration(k)*l.Length), zone) }
	k := int64(clockOf(t, zone).Sub(anchor) / l.Length)
	for !at(k + 1).After(t) { // the clock was put back, or skipped a hand-over
		k++
	}
	return int(k), at(k + 1)
}

func first(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// clockOf is what the clock of a zone shows at an instant, written as if it were UTC.
func clockOf(t time.Time, zone *time.Location) time.Time {
	_, offset := t.In(zone).Zone()
	return t.UTC().Add(time.Duration(offset) * time.Second)
}

// instantOf is when the clock of a zone shows what is written as if it were UTC. What it shows twice is the first of the two; what it skips is
// the instant at which it skips it.
func instantOf(clock time.Time, zone *time.Location) time.Time {
	const wide = 26 * time.Hour // no zone is further from UTC, and none changes its clock twice within
	before, after := offsetAt(clock.Add(-wide), zone), offsetAt(clock.Add(wide), zone)
	early, late := clock.Add(-max(before, after)), clock.Add(-min(before, after))
	for _, t := range []time.Time{early, late} {
		if clockOf(t, zone).Equal(clock) {
			return t
		}
	}
	skipped, _ := late.In(zone).ZoneBounds()
	return skipped.UTC()
}

func offsetAt(t time.Time, zone *time.Location) time.Duration {
	_, offset := t.In(zone).Zone()
	return time.Duration(offset) * time.Second
}
