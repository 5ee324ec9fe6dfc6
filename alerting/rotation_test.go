package alerting_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"vigia/alerting"
)

func zoneOf(t testing.TB, name string) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func clock(text string) time.Time {
	t, err := time.Parse("2006-01-02 15:04", text)
	if err != nil {
		panic(err)
	}
	return t
}

// said writes shifts by the rotation's own clock.
func said(r *alerting.Rotation, list []alerting.Shift) string {
	var b strings.Builder
	for _, s := range list {
		fmt.Fprintf(&b, "%s %s %s\n", s.From.In(r.Zone).Format("Mon 01-02 15:04"), s.To.In(r.Zone).Format("Mon 01-02 15:04 MST"), s.Person)
	}
	return strings.TrimSpace(b.String())
}

func always(days ...time.Weekday) (set [7]bool) {
	for _, d := range days {
		set[d] = true
	}
	return set
}

var everyDay = always(0, 1, 2, 3, 4, 5, 6)

// TestHandOversKeepTheClock: a hand-over at 09:00 is at 09:00 on both days on which the clocks change, also one at a time that is skipped or
// comes twice.
func TestHandOversKeepTheClock(t *testing.T) {
	madrid, york, lord := zoneOf(t, "Europe/Madrid"), zoneOf(t, "America/New_York"), zoneOf(t, "Australia/Lord_Howe")
	week := 7 * 24 * time.Hour
	for _, c := range []struct {
		name     string
		rotation alerting.Rotation
		from, to string // by the rotation's clock
		want     string
	}{
		{"weekly over spring", alerting.Rotation{Zone: madrid, Layers: []alerting.Layer{{People: []string{"a", "b"}, Starts: clock("2026-03-02 09:00"), Length: week}}}, "2026-03-23 09:00", "2026-04-06 09:00", `
Mon 03-23 09:00 Mon 03-30 09:00 CEST b
Mon 03-30 09:00 Mon 04-06 09:00 CEST a`},
		{"weekly over autumn", alerting.Rotation{Zone: york, Layers: []alerting.Layer{{People: []string{"a", "b", "c"}, Starts: clock("2026-10-19 09:00"), Length: week}}}, "2026-10-26 09:00", "2026-11-09 09:00", `
Mon 10-26 09:00 Mon 11-02 09:00 EST b
Mon 11-02 09:00 Mon 11-09 09:00 EST c`},
		{"twelve hours on a day of 23", alerting.Rotation{Zone: york, Layers: []alerting.Layer{{People: []string{"day", "night"}, Starts: clock("2026-03-01 08:00"), Length: 12 * time.Hour}}}, "2026-03-07 20:00", "2026-03-08 20:00", `
Sat 03-07 20:00 Sun 03-08 08:00 EDT night
Sun 03-08 08:00 Sun 03-08 20:00 EDT day`},
		{"daily at a time that is skipped", alerting.Rotation{Zone: york, Layers: []alerting.Layer{{People: []string{"a", "b"}, Starts: clock("2026-03-07 02:30"), Length: 24 * time.Hour}}}, "2026-03-07 02:30", "2026-03-10 02:30", `
Sat 03-07 02:30 Sun 03-08 03:00 EDT a
Sun 03-08 03:00 Mon 03-09 02:30 EDT b
Mon 03-09 02:30 Tue 03-10 02:30 EDT a`},
		{"daily at a time that comes twice", alerting.Rotation{Zone: york, Layers: []alerting.Layer{{People: []string{"a", "b"}, Starts: clock("2026-10-31 01:30"), Length: 24 * time.Hour}}}, "2026-10-31 01:30", "2026-11-02 01:30", `
Sat 10-31 01:30 Sun 11-01 01:30 EDT a
Sun 11-01 01:30 Mon 11-02 01:30 EST b`},
		{"hours over midnight into a day of 25", alerting.Rotation{Zone: madrid, Layers: []alerting.Layer{{People: []string{"n"}, Starts: clock("2026-10-01 00:00"), Length: week, Hours: []alerting.Hours{{Days: always(time.Saturday), From: 22 * time.Hour, To: 6 * time.Hour}}}}}, "2026-10-24 12:00", "2026-10-25 12:00", `
Sat 10-24 12:00 Sat 10-24 22:00 CEST 
Sat 10-24 22:00 Sun 10-25 06:00 CET n
Sun 10-25 06:00 Sun 10-25 12:00 CET`},
		{"a zone that changes by half an hour", alerting.Rotation{Zone: lord, Layers: []alerting.Layer{{People: []string{"a", "b"}, Starts: clock("2026-04-03 09:00"), Length: 24 * time.Hour}}}, "2026-04-04 09:00", "2026-04-06 09:00", `
Sat 04-04 09:00 Sun 04-05 09:00 +1030 b
Sun 04-05 09:00 Mon 04-06 09:00 +1030 a`},
		{"a first shift that is shorter", alerting.Rotation{Zone: madrid, Layers: []alerting.Layer{{People: []string{"a", "b"}, Starts: clock("2026-06-03 09:00"), Anchor: clock("2026-06-01 09:00"), Length: week}}}, "2026-06-02 09:00", "2026-06-15 09:00", `
Tue 06-02 09:00 Wed 06-03 09:00 CEST 
Wed 06-03 09:00 Mon 06-08 09:00 CEST a
Mon 06-08 09:00 Mon 06-15 09:00 CEST b`},
		{"nobody by night, and a holiday", alerting.Rotation{Zone: madrid, Layers: []alerting.Layer{{People: []string{"a"}, Starts: clock("2026-12-01 00:00"), Length: week, Hours: []alerting.Hours{{Days: everyDay, From: 8 * time.Hour, To: 20 * time.Hour, Holidays: []time.Time{clock("2026-12-25 00:00")}}}}}}, "2026-12-24 12:00", "2026-12-26 12:00", `
Thu 12-24 12:00 Thu 12-24 20:00 CET a
Thu 12-24 20:00 Sat 12-26 08:00 CET 
Sat 12-26 08:00 Sat 12-26 12:00 CET a`},
	} {
		t.Run(c.name, func(t *testing.T) {
			at := func(text string) time.Time {
				local, err := time.ParseInLocation("2006-01-02 15:04", text, c.rotation.Zone)
				if err != nil {
					t.Fatal(err)
				}
				return local
			}
			if got := said(&c.rotation, c.rotation.Shifts(at(c.from), at(c.to), nil)); got != strings.TrimSpace(c.want) {
				t.Errorf("got\n%s\nwant%s", got, c.want)
			}
		})
	}
}

func TestAtSaysUntilWhenAndWhoIsNext(t *testing.T) {
	r := alerting.Rotation{Name: "noc", Zone: zoneOf(t, "America/Costa_Rica"), Layers: []alerting.Layer{
		{Name: "week", People: []string{"ana", "ben"}, Starts: clock("2026-11-02 09:00"), Length: 7 * 24 * time.Hour},
		{Name: "sunday", People: []string{"eva"}, Starts: clock("2026-11-02 00:00"), Length: 24 * time.Hour, Hours: []alerting.Hours{{Days: always(time.Sunday), To: 24 * time.Hour}}},
	}}
	o := []alerting.Override{{ID: "1", Rotation: "noc", Person: "zoe", From: clock("2026-11-04 00:00"), To: clock("2026-11-05 00:00")}, {ID: "2", Rotation: "other", Person: "x", From: clock("2026-11-01 00:00"), To: clock("2027-11-05 00:00")}}
	for _, c := range []struct{ at, person, layer, until, next string }{
		{"2026-11-02 14:00", "", "", "2026-11-02 15:00", "ana"}, // before the first shift
		{"2026-11-02 15:00", "ana", "week", "2026-11-04 00:00", "zoe"},
		{"2026-11-04 12:00", "zoe", "", "2026-11-05 00:00", "ana"},
		{"2026-11-05 00:00", "ana", "week", "2026-11-08 06:00", "eva"},
		{"2026-11-08 06:00", "eva", "sunday", "2026-11-09 06:00", "ana"},
		{"2026-11-09 15:00", "ben", "week", "2026-11-15 06:00", "eva"},
	} {
		got := r.At(clock(c.at), o)
		if got.Person != c.person || got.Layer != c.layer || !got.Until.Equal(clock(c.until)) || got.Next != c.next {
			t.Errorf("at %s: %+v, want %+v", c.at, got, c)
		}
	}
	one := alerting.Rotation{Layers: []alerting.Layer{{People: []string{"ana"}, Starts: clock("2026-11-02 09:00"), Length: 24 * time.Hour}}}
	if got := one.At(clock("2026-11-10 00:00"), nil); got.Person != "ana" || !got.Until.IsZero() || got.Next != "" {
		t.Errorf("who is always on call: %+v", got)
	}
	if got := (&alerting.Rotation{}).At(clock("2026-11-10 00:00"), nil); got.Person != "" || !got.Until.IsZero() {
		t.Errorf("a rotation of nobody: %+v", got)
	}
}

// TestWhateverTheRotation lets rapid make rotations in zones with all manners of clocks, and holds them against the plainest model: look at
// every quarter of an hour what the clock shows.
func TestWhateverTheRotation(t *testing.T) {
	zones := []*time.Location{time.UTC, zoneOf(t, "America/New_York"), zoneOf(t, "Europe/Madrid"), zoneOf(t, "America/Costa_Rica"), zoneOf(t, "Australia/Lord_Howe"), zoneOf(t, "Africa/Casablanca")}
	rapid.Check(t, func(t *rapid.T) {
		r := alerting.Rotation{Name: "r", Zone: rapid.SampledFrom(zones).Draw(t, "zone")}
		begin := clock("2026-01-01 00:00").Add(time.Duration(rapid.IntRange(0, 365).Draw(t, "day")) * 24 * time.Hour)
		for range rapid.IntRange(1, 3).Draw(t, "layers") {
			r.Layers = append(r.Layers, someLayer(t, begin, len(r.Layers)))
		}
		from, to := begin, begin.Add(time.Duration(rapid.IntRange(1, 15*96).Draw(t, "quarters"))*15*time.Minute)
		var overrides []alerting.Override
		for i := range rapid.IntRange(0, 2).Draw(t, "overrides") {
			o := alerting.Override{ID: fmt.Sprint(i), Rotation: "r", Person: fmt.Sprint("o", i), At: begin.Add(time.Duration(i) * time.Second)}
			o.From = from.Add(time.Duration(rapid.IntRange(-100, 1500).Draw(t, "override from")) * 7 * time.Minute)
			o.To = o.From.Add(time.Duration(rapid.IntRange(1, 700).Draw(t, "override length")) * 7 * time.Minute)
			overrides = append(overrides, o)
		}
		list := r.Shifts(from, to, overrides)
		tiled(t, list, from, to)
		for at := from; at.Before(to); at = at.Add(15 * time.Minute) {
			in := list[0]
			for _, s := range list {
				if !s.From.After(at) && s.To.After(at) {
					in = s
				}
			}
			if got := r.At(at, overrides); got.Person != in.Person || got.Layer != in.Layer || got.Override != in.Override {
				t.Fatalf("at %s it is %+v, the shifts say %+v", at, got, in)
			}
			if want := model(&r, at, overrides); in.Person != want {
				t.Fatalf("at %s (%s) it is %q, the model says %q\n%+v", at, at.In(r.Zone), in.Person, want, r.Layers)
			}
		}
	})
}

func someLayer(t *rapid.T, begin time.Time, n int) alerting.Layer {
	l := alerting.Layer{Name: fmt.Sprint(n), Length: time.Duration(rapid.SampledFrom([]int{4, 8, 12, 24, 24, 168}).Draw(t, "length")) * time.Hour}
	l.Starts = begin.Add(time.Duration(rapid.IntRange(-90*24, 3*24).Draw(t, "starts")) * time.Hour)
	for i := range rapid.IntRange(1, 3).Draw(t, "people") {
		l.People = append(l.People, fmt.Sprintf("p%d.%d", n, i))
	}
	if rapid.Bool().Draw(t, "hours") {
		h := alerting.Hours{From: time.Duration(rapid.IntRange(0, 23).Draw(t, "from")) * time.Hour, To: time.Duration(rapid.IntRange(1, 24).Draw(t, "to")) * time.Hour}
		for i := range h.Days {
			h.Days[i] = rapid.Bool().Draw(t, "on")
		}
		l.Hours = []alerting.Hours{h}
	}
	return l
}

// tiled: no gap, no overlap, neighbours differ.
func tiled(t *rapid.T, list []alerting.Shift, from, to time.Time) {
	if len(list) == 0 || !list[0].From.Equal(from) || !list[len(list)-1].To.Equal(to) {
		t.Fatalf("the shifts do not reach from %s to %s: %+v", from, to, list)
	}
	for i, s := range list {
		if !s.From.Before(s.To) || i > 0 && !list[i-1].To.Equal(s.From) {
			t.Fatalf("shift %d does not join: %+v", i, list)
		}
		if i > 0 && list[i-1].Person == s.Person && list[i-1].Layer == s.Layer && list[i-1].Override == s.Override {
			t.Fatalf("shift %d is two: %+v", i, list)
		}
	}
}

// model is who is on call by what the clock shows, told from the calendar alone. What the clock shows twice counts once, so the hour that is
// shown again belongs to whoever has the shift when it is first shown, or to a later one that has begun since.
func model(r *alerting.Rotation, at time.Time, overrides []alerting.Override) string {
	for i := len(overrides) - 1; i >= 0; i-- {
		if o := overrides[i]; !o.From.After(at) && o.To.After(at) {
			return o.Person
		}
	}
	for i := len(r.Layers) - 1; i >= 0; i-- {
		l := &r.Layers[i]
		shows := latestShown(at, r.Zone)
		if shows.Before(l.Starts) || len(l.Hours) > 0 && !modelOpen(l.Hours[0], shows) {
			continue
		}
		return l.People[int(shows.Sub(l.Starts)/l.Length)%len(l.People)]
	}
	return ""
}

// latestShown is the latest that the clock of a zone has shown by an instant, in the three hours before it: a clock that was put back does not
// undo a hand-over.
func latestShown(at time.Time, zone *time.Location) time.Time {
	latest := time.Time{}
	for back := time.Duration(0); back <= 3*time.Hour; back += 15 * time.Minute {
		t := at.Add(-back)
		_, offset := t.In(zone).Zone()
		if shown := t.UTC().Add(time.Duration(offset) * time.Second); shown.After(latest) {
			latest = shown
		}
		// The instant just before the clock is put back shows the most: it is reached by the last nanosecond of a quarter.
		t = t.Add(-time.Nanosecond)
		_, offset = t.In(zone).Zone()
		if shown := t.UTC().Add(time.Duration(offset) * time.Second); shown.After(latest) && back > 0 {
			latest = shown
		}
	}
	return latest
}

func modelOpen(h alerting.Hours, shown time.Time) bool {
	midnight := shown.Truncate(24 * time.Hour)
	since := shown.Sub(midnight)
	yesterday := midnight.Add(-time.Nanosecond).Weekday()
	if h.To > h.From {
		return h.Days[midnight.Weekday()] && since >= h.From && since < h.To
	}
	return h.Days[midnight.Weekday()] && since >= h.From || h.Days[yesterday] && since < h.To
}

func TestBusinessHours(t *testing.T) {
	b := alerting.BusinessHours{Zone: zoneOf(t, "America/New_York"), Hours: alerting.Hours{
		Days: always(1, 2, 3, 4, 5), From: 8 * time.Hour, To: 18 * time.Hour, Holidays: []time.Time{clock("2026-12-25 00:00")},
	}}
	for at, want := range map[string]bool{
		"2026-03-06 13:00": true, "2026-03-06 12:59": false, "2026-03-09 12:00": true, "2026-03-09 11:59": false, // EST, then EDT
		"2026-03-07 15:00": false, "2026-12-25 15:00": false, "2026-12-24 22:59": true, "2026-12-24 23:00": false,
	} {
		if got := b.Open(clock(at)); got != want {
			t.Errorf("%s: %v, want %v", at, got, want)
		}
	}
}
