package alerting

import (
	"slices"
	"strings"
	"time"

	"vigia/collectors"
	"vigia/collectors/inventory"
)

// MuteKind says whether a mute was planned.
type MuteKind string

// The kinds of mutes. While either is on, nobody is paged for what it covers; it is measured, raised and shown all the same.
const (
	Silence     MuteKind = "silence"     // unplanned, with a reason and an end; what happens meanwhile counts against availability
	Maintenance MuteKind = "maintenance" // planned, once or again and again; what happens meanwhile does not count
)

// Mute keeps alarms of some objects from paging for a time.
type Mute struct {
	ID     int64
	Kind   MuteKind
	On     []inventory.Pattern
	Metric collectors.Metric `json:",omitempty"` // only alarms of this metric; empty: of every one
	// Below extends it to everything that depends on what On selects: the servers of a site, the trunks over a link. With several parents,
	// one that is covered is enough.
	Below  bool
	Author string
	Reason string
	// From and Until bound it. A recurring one has windows that begin between them, and may have no end (Until zero).
	From, Until time.Time
	Recur       *Recurrence `json:",omitempty"`
	CreatedAt   time.Time
	CancelledAt time.Time `json:",omitzero"`
	CancelledBy string    `json:",omitempty"`
}

// Recurrence says when the windows of a recurring maintenance begin, by the wall clock of a zone: on the chosen weekdays of every week, or
// of one week of the month. A window that would begin in the hour that a change to summer time leaves out begins an hour later by the clock.
type Recurrence struct {
	Days []time.Weekday // empty: every day
	Nth  int            // 0: every week; 1 to 5: the nth such day of a month; -1: the last
	At   string         // "02:30"
	For  time.Duration  // MaxWindow at most
	Zone string         // an IANA name
}

// Bounds of what one mute may ask for.
const (
	MaxWindow   = 24 * time.Hour
	MaxSilence  = 31 * 24 * time.Hour
	maxPatterns = 100
	// searchDays is how far ahead the next window is looked for: a fifth weekday of a month comes at least every third month, with room to spare.
	searchDays = 130
)

// Window is the span around t in which the mute is on; false when it is off then. A window holds its beginning and not its end.
func (m *Mute) Window(t time.Time) (from, until time.Time, on bool) {
	if !m.CancelledAt.IsZero() && !t.Before(m.CancelledAt) || t.Before(m.From) {
		return noTime, noTime, false
	}
	if m.Recur == nil {
		return m.From, m.Until, t.Before(m.Until)
	}
	zone, hour, minute, ok := m.Recur.clock()
	if !ok {
		return noTime, noTime, false
	}
	for back := 0; back <= 1; back++ {
		from, held := m.window(t.In(zone).AddDate(0, 0, -back), hour, minute)
		if held && !t.Before(from) && t.Before(from.Add(m.Recur.For)) {
			return from, from.Add(m.Recur.For), true
		}
	}
	return noTime, noTime, false
}

// window is when the window of a day begins; false when that day has none.
func (m *Mute) window(day time.Time, hour, minute int) (time.Time, bool) {
	from := time.Date(day.Year(), day.Month(), day.Day(), hour, minute, 0, 0, day.Location())
	if !m.Recur.has(day) || from.Before(m.From) || !m.Until.IsZero() && !from.Before(m.Until) {
		return noTime, false
	}
	return from, true
}

// Next is when the mute turns on or off next after t; zero when it does neither any more.
func (m *Mute) Next(t time.Time) time.Time {
	if !m.CancelledAt.IsZero() {
		return noTime
	}
	if _, until, on := m.Window(t); on {
		return until
	}
	if m.Recur == nil {
		if t.Before(m.From) {
			return m.From
		}
		return noTime
	}
	zone, hour, minute, ok := m.Recur.clock()
	if !ok {
		return noTime
	}
	start := later(t, m.From).In(zone)
	for ahead := range searchDays {
		if from, held := m.window(start.AddDate(0, 0, ahead), hour, minute); held && from.After(t) {
			return from
		}
	}
	return noTime
}

// Over reports whether it never turns on again.
func (m *Mute) Over(t time.Time) bool {
	_, _, on := m.Window(t)
	return !on && m.Next(t).IsZero()
}

// clock takes the recurrence's wall clock apart.
func (r *Recurrence) clock() (zone *time.Location, hour, minute int, ok bool) {
	zone, err := time.LoadLocation(r.Zone)
	if err != nil {
		return nil, 0, 0, false
	}
	at, err := time.Parse("15:04", r.At)
	return zone, at.Hour(), at.Minute(), err == nil
}

// has reports whether a window begins on a day.
func (r *Recurrence) has(day time.Time) bool {
	if len(r.Days) > 0 && !slices.Contains(r.Days, day.Weekday()) {
		return false
	}
	switch {
	case r.Nth > 0:
		return (day.Day()-1)/7 == r.Nth-1
	case r.Nth < 0:
		return day.AddDate(0, 0, 7).Month() != day.Month()
	}
	return true
}

// Covers reports whether the mute is about alarms of a series. Those of Vigía itself are covered only by a pattern that names its kind.
func (m *Mute) Covers(inv *inventory.Inventory, s collectors.Series) bool {
	if m.Metric != "" && m.Metric != s.Metric {
		return false
	}
	if s.Ref.Kind == inventory.KindVigia {
		return slices.ContainsFunc(m.On, func(p inventory.Pattern) bool {
			return strings.HasPrefix(string(p), string(inventory.KindVigia)+"/") && p.Matches(s.Ref)
		})
	}
	return m.CoversRef(inv, s.Ref)
}

// CoversRef reports whether an object, or with Below anything that it depends on, is selected.
func (m *Mute) CoversRef(inv *inventory.Inventory, ref inventory.Ref) bool {
	if slices.ContainsFunc(m.On, func(p inventory.Pattern) bool { return p.Matches(ref) }) {
		return true
	}
	if !m.Below || inv == nil {
		return false
	}
	return slices.ContainsFunc(inv.Parents(ref), func(up inventory.Ref) bool { return m.CoversRef(inv, up) })
}

// problem is why a mute cannot be, or nothing.
func (m *Mute) problem(now time.Time) collectors.Reason {
	switch {
	case m.Kind != Silence && m.Kind != Maintenance:
		return collectors.Because(codeRefusedKind, string(m.Kind))
	case strings.TrimSpace(m.Reason) == "":
		return collectors.Because(codeMuteReason)
	case len(m.On) == 0 || len(m.On) > maxPatterns || slices.Contains(m.On, ""):
		return collectors.Because(codeMuteOn, float64(maxPatterns))
	case m.Kind == Silence && m.Recur != nil:
		return collectors.Because(codeMuteRecurs)
	case m.Recur != nil:
		return m.recurProblem(now)
	case !m.Until.After(now) || !m.Until.After(m.From):
		return collectors.Because(codeRefusedPast)
	case m.Kind == Silence && m.Until.Sub(later(m.From, now)) > MaxSilence:
		return collectors.Because(codeMuteLong, brief(MaxSilence))
	}
	return collectors.Reason{}
}

func (m *Mute) recurProblem(now time.Time) collectors.Reason {
	r := m.Recur
	if _, _, _, ok := r.clock(); !ok || r.Nth < -1 || r.Nth > 5 {
		return collectors.Because(codeMuteClock, r.At, r.Zone)
	}
	if r.For <= 0 || r.For > MaxWindow {
		return collectors.Because(codeMuteWindow, brief(MaxWindow))
	}
	if m.Over(now) {
		return collectors.Because(codeRefusedPast)
	}
	return collectors.Reason{}
}

// Muted says that an incident pages nobody now, and why.
type Muted struct {
	Mute   int64
	Kind   MuteKind
	By     string
	Reason string
	Until  time.Time
}
