package alerting_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
)

func berlin(t testing.TB) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skipf("no time zones on this machine: %v", err)
	}
	return zone
}

// TestRecurringWindows: windows begin by the wall clock, on both days on which it is put forward and back too, and last as long as they say.
func TestRecurringWindows(t *testing.T) {
	zone := berlin(t)
	at := func(text string) time.Time {
		v, err := time.ParseInLocation("2006-01-02 15:04", text, zone)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	night := alerting.Recurrence{At: "03:30", For: 2 * time.Hour, Zone: "Europe/Berlin"}
	sunday := alerting.Recurrence{Days: []time.Weekday{time.Sunday}, Nth: 1, At: "23:00", For: 3 * time.Hour, Zone: "Europe/Berlin"}
	last := alerting.Recurrence{Days: []time.Weekday{time.Friday}, Nth: -1, At: "08:00", For: time.Hour, Zone: "Europe/Berlin"}
	fifth := alerting.Recurrence{Days: []time.Weekday{time.Monday}, Nth: 5, At: "08:00", For: time.Hour, Zone: "Europe/Berlin"}
	gap := alerting.Recurrence{At: "02:30", For: time.Hour, Zone: "Europe/Berlin"}
	for _, c := range []struct {
		name  string
		recur alerting.Recurrence
		from  string
		next  []string // turns: on, off, on, off, …
	}{
		{"every night over the change to summer time", night, "2026-03-28 12:00", []string{"2026-03-29 03:30", "2026-03-29 05:30", "2026-03-30 03:30"}},
		{"every night over the change back", night, "2026-10-24 12:00", []string{"2026-10-25 03:30", "2026-10-25 05:30", "2026-10-26 03:30"}},
		{"the first Sunday, over midnight", sunday, "2026-03-03 00:00", []string{"2026-04-05 23:00", "2026-04-06 02:00", "2026-05-03 23:00"}},
		{"the last Friday", last, "2026-02-01 00:00", []string{"2026-02-27 08:00", "2026-02-27 09:00", "2026-03-27 08:00"}},
		{"a fifth Monday", fifth, "2026-03-31 00:00", []string{"2026-06-29 08:00", "2026-06-29 09:00", "2026-08-31 08:00"}},
		{"in the hour that is left out", gap, "2026-03-28 12:00", []string{"2026-03-29 03:30", "2026-03-29 04:30", "2026-03-30 02:30"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := alerting.Mute{Kind: alerting.Maintenance, From: at("2026-01-01 00:00"), Recur: &c.recur}
			now := at(c.from)
			for i, want := range c.next {
				now = m.Next(now)
				if !now.Equal(at(want)) {
					t.Fatalf("turn %d is at %s, want %s", i+1, now.In(zone), want)
				}
				if _, _, on := m.Window(now); on != (i%2 == 0) {
					t.Errorf("at %s it is on: %v", now.In(zone), on)
				}
			}
		})
	}
}

// TestMuteTurns: between two turns a mute never changes, and after its last one it is over.
func TestMuteTurns(t *testing.T) {
	zone := berlin(t)
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, zone)
	rapid.Check(t, func(t *rapid.T) {
		m := alerting.Mute{From: start.Add(time.Duration(rapid.IntRange(0, 10_000).Draw(t, "from")) * time.Hour)}
		m.Until = m.From.Add(time.Duration(rapid.IntRange(1, 3_000).Draw(t, "span")) * time.Hour)
		if rapid.Bool().Draw(t, "recurs") {
			m.Recur = &alerting.Recurrence{
				At: rapid.SampledFrom([]string{"00:00", "02:30", "23:59", "12:00"}).Draw(t, "at"), Zone: "Europe/Berlin",
				For: time.Duration(rapid.IntRange(1, 24*60).Draw(t, "for")) * time.Minute, Nth: rapid.IntRange(-1, 5).Draw(t, "nth"),
				Days: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) time.Weekday { return time.Weekday(rapid.IntRange(0, 6).Draw(t, "day")) }), 0, 3).Draw(t, "days"),
			}
		}
		now := m.From.Add(-time.Duration(rapid.IntRange(0, 100).Draw(t, "before")) * time.Hour)
		for range 20 {
			next := m.Next(now)
			_, until, on := m.Window(now)
			if next.IsZero() {
				if on || !m.Over(now) {
					t.Fatalf("no further turn at %s, and it is on: %v", now, on)
				}
				return
			}
			if !next.After(now) || on && !next.Equal(until) {
				t.Fatalf("at %s the next turn is %s, the window ends %s", now, next, until)
			}
			for i := range 5 {
				between := now.Add(next.Sub(now) * time.Duration(i) / 5)
				if _, _, then := m.Window(between); then != on {
					t.Fatalf("between the turns %s and %s it changes at %s", now, next, between)
				}
			}
			now = next
		}
	})
}

// TestMuteCovers: patterns, one metric, and what depends on what is selected; of Vigía itself only what is named.
func TestMuteCovers(t *testing.T) {
	inv, err := inventory.New(inventory.Spec{
		Sites: []inventory.Site{{Name: "sjo"}}, Links: []inventory.Link{{Name: "sjo-mia", Site: "sjo"}},
		Servers: []inventory.Server{{Name: "sbc-1", Parents: []inventory.Ref{{Kind: inventory.KindLink, Name: "sjo-mia"}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		on     inventory.Pattern
		metric collectors.Metric
		below  bool
		about  inventory.Ref
		want   bool
	}{
		{"link/sjo-*", "", false, inventory.Ref{Kind: "link", Name: "sjo-mia"}, true},
		{"link/sjo-*", "", false, inventory.Ref{Kind: "server", Name: "sbc-1"}, false},
		{"link/sjo-*", "", true, inventory.Ref{Kind: "server", Name: "sbc-1"}, true},
		{"site/sjo", "", true, inventory.Ref{Kind: "server", Name: "sbc-1"}, true},
		{"site/mia", "", true, inventory.Ref{Kind: "server", Name: "sbc-1"}, false},
		{"*", collectors.LossPct, false, inventory.Ref{Kind: "link", Name: "sjo-mia"}, false},
		{"*", collectors.Up, false, inventory.Ref{Kind: "link", Name: "sjo-mia"}, true},
		{"*", "", true, inventory.Self, false},
		{"vigia/*", "", false, inventory.Self, true},
	} {
		m := alerting.Mute{On: []inventory.Pattern{c.on}, Metric: c.metric, Below: c.below}
		if got := m.Covers(inv, collectors.Series{Metric: collectors.Up, Ref: c.about}); got != c.want {
			t.Errorf("%s (metric %q, below %v) covers up of %s: %v", c.on, c.metric, c.below, c.about, got)
		}
	}
}
