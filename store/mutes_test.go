package store_test

import (
	"testing"
	"time"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
	"vigia/store"
	"vigia/store/storetest"
)

func silence(id int64, on inventory.Pattern, span time.Duration) alerting.Mute {
	return alerting.Mute{
		ID: id, Kind: alerting.Silence, On: []inventory.Pattern{on}, Author: "ana", Reason: "fibre cut", From: noon, Until: noon.Add(span), CreatedAt: noon,
	}
}

// TestMutes: a silence is what the engine starts from until it is cancelled, and is read by time and kind; who may not see everything sees none.
func TestMutes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open storetest.Opener) {
		s := open()
		nightly := alerting.Mute{
			ID: 2, Kind: alerting.Maintenance, On: []inventory.Pattern{"server/*", "site/sjo"}, Metric: collectors.Up, Below: true, Author: "luis",
			Reason: "backup", From: noon, CreatedAt: noon,
			Recur: &alerting.Recurrence{Days: []time.Weekday{time.Sunday}, Nth: -1, At: "03:00", For: time.Hour, Zone: "America/Costa_Rica"},
		}
		first := silence(1, "link/*", time.Hour)
		apply(t, s, alerting.Change{At: noon, Mutes: []alerting.Mute{first, nightly, silence(3, "link/x", 2*time.Hour)}})
		snap := got[alerting.Snapshot](t)(s.Load(t.Context()))
		if len(snap.Mutes) != 3 || snap.NextMute != 4 {
			t.Fatalf("loaded: %+v", snap)
		}
		differ(t, "a silence", snap.Mutes[0], first)
		differ(t, "a maintenance", snap.Mutes[1], nightly)

		first.CancelledAt, first.CancelledBy = noon.Add(time.Minute), "eva"
		apply(t, s, alerting.Change{At: noon.Add(time.Minute), Mutes: []alerting.Mute{first}})
		differ(t, "what is left to start from", len(got[alerting.Snapshot](t)(s.Load(t.Context())).Mutes), 2)

		for _, c := range []struct {
			name   string
			filter store.MuteFilter
			want   []int64
		}{
			{"all, the newest first", store.MuteFilter{}, []int64{3, 2, 1}},
			{"not cancelled", store.MuteFilter{Standing: true}, []int64{3, 2}},
			{"not over after 90 minutes", store.MuteFilter{Since: noon.Add(90 * time.Minute)}, []int64{3, 2}},
			{"maintenance", store.MuteFilter{Kind: alerting.Maintenance}, []int64{2}},
			{"one", store.MuteFilter{ID: 1}, []int64{1}},
			{"before it began", store.MuteFilter{Until: noon}, nil},
		} {
			var ids []int64
			for _, m := range got[[]alerting.Mute](t)(s.Mutes(t.Context(), store.Everything(), c.filter)) {
				ids = append(ids, m.ID)
			}
			differ(t, c.name, ids, c.want)
		}
		differ(t, "for a scope of one customer", len(got[[]alerting.Mute](t)(s.Mutes(t.Context(), store.Scope{Customers: []string{"acme"}}, store.MuteFilter{}))), 0)
	})
}

// TestCommandsThatCarryMore: what a command has no column for comes back whole, and its answer names what it made.
func TestCommandsThatCarryMore(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open storetest.Opener) {
		s := open()
		m := silence(0, "link/*", time.Hour)
		c := alerting.Command{ID: "odd\x80", Kind: alerting.CommandSilence, Actor: "ana", Mute: &m, CreatedAt: noon}
		post(t, s, c)
		post(t, s, alerting.Command{ID: "b", Kind: alerting.CommandAssign, IncidentID: 7, Actor: "ana", Assignee: "luis", CreatedAt: noon})
		pending := got[[]alerting.Command](t)(s.PendingCommands(t.Context(), 0))
		if len(pending) != 2 || pending[0].Mute == nil || pending[1].Assignee != "luis" {
			t.Fatalf("pending: %+v", pending)
		}
		differ(t, "the mute", *pending[0].Mute, m)
		apply(t, s, alerting.Change{At: noon, Commands: []alerting.CommandResult{{ID: pending[0].ID, OK: true, Made: 5}}})
		differ(t, "what it made", got[alerting.CommandResult](t)(s.AwaitCommand(t.Context(), c.ID)).Made, int64(5))
	})
}
