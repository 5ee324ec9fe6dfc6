package store_test

import (
	"testing"
	"time"

	"vigia/alerting"
	"vigia/store"
	"vigia/store/storetest"
)

func override(id, person string, from time.Time) alerting.Override {
	return alerting.Override{ID: id, Rotation: "noc", Person: person, From: from, To: from.Add(8 * time.Hour), Note: "«boda»", By: "ops", At: noon}
}

func handover(id string, at time.Time) alerting.HandoverNote {
	return alerting.HandoverNote{ID: id, Rotation: "noc", By: "ana", At: at, Note: "carrier A works until six"}
}

func atNoon(c *store.Config) { c.Now = func() time.Time { return noon } }

func TestOnCallIsKept(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open storetest.Opener) {
		s := open(atNoon)
		first, second, past := override("a", "eva", noon), override("b", "ben", noon.Add(24*time.Hour)), override("c", "zoe", noon.Add(-48*time.Hour))
		apply(t, s, alerting.Change{
			At: noon, Overrides: []alerting.Override{second, first, past}, Handovers: []alerting.HandoverNote{handover("n1", noon), handover("n2", noon.Add(time.Hour))},
		})
		differ(t, "what the engine starts from", got[alerting.Snapshot](t)(open(atNoon).Load(t.Context())).Overrides, []alerting.Override{first, second})
		differ(t, "what the pages read", got[[]alerting.Override](t)(s.OnCallOverrides(t.Context(), noon.Add(8*time.Hour))), []alerting.Override{second})
		differ(t, "notes", got[[]alerting.HandoverNote](t)(s.HandoverNotes(t.Context(), "noc", 10)), []alerting.HandoverNote{handover("n2", noon.Add(time.Hour)), handover("n1", noon)})
		differ(t, "notes of another", len(got[[]alerting.HandoverNote](t)(s.HandoverNotes(t.Context(), "soc", 10))), 0)

		second.CancelledAt, second.CancelledBy = noon.Add(time.Hour), "ana"
		first.To = noon.Add(time.Hour)
		again := handover("n1", noon)
		again.Note = "changed"
		apply(t, s, alerting.Change{At: noon, Overrides: []alerting.Override{first, second}, Handovers: []alerting.HandoverNote{again}})
		differ(t, "one ends earlier, one is taken back", got[alerting.Snapshot](t)(s.Load(t.Context())).Overrides, []alerting.Override{first})
		differ(t, "a note stays as it is", got[[]alerting.HandoverNote](t)(s.HandoverNotes(t.Context(), "noc", 10))[1].Note, "carrier A works until six")
	})
}

func TestOnCallCommandsComeAsTheyWere(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open storetest.Opener) {
		s := open()
		want := alerting.Command{ID: "o", Kind: alerting.CommandOverride, Actor: "ops", Note: "boda", CreatedAt: noon, OnCall: &alerting.OnCallOrder{Rotation: "noc", Person: "eva", From: noon, To: noon.Add(time.Hour)}}
		post(t, s, want)
		post(t, s, acknowledge("a"))
		pending := got[[]alerting.Command](t)(open().PendingCommands(t.Context(), 0))
		want.Seq = pending[0].Seq
		differ(t, "the whole command", pending[0], want)
		if pending[1].OnCall != nil {
			t.Errorf("an acknowledgement says of who is on call: %+v", pending[1].OnCall)
		}
	})
}

// While the database is away an override is decided, seen and used, and the database has it afterwards.
func TestOnCallWhileAway(t *testing.T) {
	eachSeverable(t, func(t *testing.T, w *severable) {
		s := w.open("a", w.target, atNoon)
		acquire(t, s)
		apply(t, s, alerting.Change{At: noon, Overrides: []alerting.Override{override("before", "eva", noon)}, Handovers: []alerting.HandoverNote{handover("n1", noon)}})
		w.cut(true)
		ordered := alerting.Command{ID: "o", Kind: alerting.CommandOverride, Actor: "ops", CreatedAt: noon, OnCall: &alerting.OnCallOrder{Rotation: "noc", Person: "ben", From: noon, To: noon.Add(time.Hour)}}
		post(t, s, ordered)
		differ(t, "the command", got[[]alerting.Command](t)(s.PendingCommands(t.Context(), 0)), []alerting.Command{ordered})
		late := override("o", "ben", noon.Add(time.Minute))
		apply(t, s, alerting.Change{
			At: noon, Overrides: []alerting.Override{late}, Handovers: []alerting.HandoverNote{handover("n2", noon.Add(time.Hour))}, Commands: []alerting.CommandResult{{ID: "o", At: noon, OK: true}},
		})
		want := []alerting.Override{override("before", "eva", noon), late}
		differ(t, "seen while away", got[[]alerting.Override](t)(s.OnCallOverrides(t.Context(), noon)), want)
		differ(t, "notes while away", len(got[[]alerting.HandoverNote](t)(s.HandoverNotes(t.Context(), "", 10))), 2)
		w.cut(false)
		eventually(t, "the database has all of it", func() bool { s.ComeBack(t.Context()); return s.Stats().Up })
		other := w.open("b", w.dsn, atNoon)
		differ(t, "what the database has", got[alerting.Snapshot](t)(other.Load(t.Context())).Overrides, want)
		differ(t, "notes that the database has", len(got[[]alerting.HandoverNote](t)(other.HandoverNotes(t.Context(), "", 10))), 2)
		differ(t, "nothing is asked again", len(got[[]alerting.Command](t)(other.PendingCommands(t.Context(), 0))), 0)
	})
}

// A row that the database refuses costs only itself: the override beside it is kept.
func TestOnCallBesideWhatIsRefused(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open storetest.Opener) {
		s := open(atNoon)
		acquire(t, s)
		twice := event(1, 0, 0, noon)
		apply(t, s, alerting.Change{At: noon, Events: []alerting.Event{twice}})
		apply(t, s, alerting.Change{At: noon, Events: []alerting.Event{twice}, Overrides: []alerting.Override{override("a", "eva", noon)}, Handovers: []alerting.HandoverNote{handover("n", noon)}})
		differ(t, "overrides", got[alerting.Snapshot](t)(s.Load(t.Context())).Overrides, []alerting.Override{override("a", "eva", noon)})
		differ(t, "notes", len(got[[]alerting.HandoverNote](t)(s.HandoverNotes(t.Context(), "", 10))), 1)
	})
}
