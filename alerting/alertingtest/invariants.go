package alertingtest

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"vigia/alerting"
)

// Invariants holds what must be true after every change: each notification has one key; nobody is paged for an acknowledged or muted incident; the
// severity of an incident is that of its worst member; a live incident has members and a clear alarm has none; what stands in a shadow is
// in another object's incident; what was stored describes the State.
func Invariants(w *World, p *alerting.Planned) error {
	if p.Change.Empty() {
		return nil
	}
	for _, check := range []func(*World, *alerting.Planned) error{oneKey, noPageForAcked, noPageForMuted, worstMember, storedIsState} {
		if err := check(w, p); err != nil {
			return fmt.Errorf("at %s: %w", w.Now.Sub(w.At(0)), err)
		}
	}
	return nil
}

func oneKey(w *World, p *alerting.Planned) error {
	steps := map[int64]int{}
	for _, e := range p.Change.Events {
		if e.Kind == alerting.EventTold && e.Actor == "" { // a person's step may meet one of the clock's
			steps[e.IncidentID]++
		}
	}
	for id, n := range steps {
		if n > 1 {
			return fmt.Errorf("incident %d made %d steps in one plan", id, n)
		}
	}
	seen := map[string]bool{}
	for _, n := range p.Change.Notifications {
		if seen[n.Key] || !w.Memory.Notifications[n.Key].CreatedAt.Equal(n.CreatedAt) {
			return fmt.Errorf("the key %s is used twice", n.Key)
		}
		seen[n.Key] = true
	}
	return nil
}

func noPageForAcked(w *World, p *alerting.Planned) error {
	for _, n := range p.Change.Notifications {
		in := w.Memory.Incidents[n.IncidentID]
		switch n.Cause {
		case alerting.CauseOpened, alerting.CauseRepeat, alerting.CauseSeverity, alerting.CauseFlapping:
			if in.State != alerting.Open {
				return fmt.Errorf("%s pages for incident %d, which is %s", n.Key, in.ID, in.State)
			}
		}
	}
	return nil
}

// noPageForMuted: only a person's own step pages for an incident of which a mute covers every alarm that would page.
func noPageForMuted(w *World, p *alerting.Planned) error {
	byHand := map[string]bool{}
	for _, e := range p.Change.Events {
		for _, key := range e.Keys {
			byHand[key] = e.Actor != ""
		}
	}
	for _, n := range p.Change.Notifications {
		switch n.Cause {
		case alerting.CauseAcknowledged, alerting.CauseResolved, alerting.CauseMerged:
			continue
		}
		if in := w.Memory.Incidents[n.IncidentID]; covered(w, in.ID) && !byHand[n.Key] {
			return fmt.Errorf("%s pages for incident %d, which is muted", n.Key, in.ID)
		}
	}
	return nil
}

// covered reports whether mutes cover every alarm of an incident that would page.
func covered(w *World, incident int64) bool {
	some := false
	for _, a := range w.Memory.Standing() {
		if a.IncidentID != incident || !a.State.Active() || a.Shadow {
			continue
		}
		some = true
		found := false
		for _, m := range w.Memory.Mutes {
			_, _, on := m.Window(w.Now)
			found = found || on && m.Covers(w.Config.Inventory, a.Series)
		}
		if !found {
			return false
		}
	}
	return some
}

func worstMember(w *World, _ *alerting.Planned) error {
	worst := map[int64]alerting.Severity{}
	for _, a := range w.Memory.Standing() {
		if !a.State.Active() {
			continue
		}
		in := w.Memory.Incidents[a.IncidentID]
		if !in.State.Live() {
			return fmt.Errorf("%s stands in incident %d, which is %s", a.Series, in.ID, in.State)
		}
		if a.Shadow && in.Root == a.ID {
			return fmt.Errorf("%s stands in its own shadow", a.Series)
		}
		worst[in.ID] = max(worst[in.ID], a.Severity)
	}
	for _, in := range w.Memory.Live() {
		if in.Severity != worst[in.ID] {
			return fmt.Errorf("incident %d is %s, its worst member %s", in.ID, in.Severity, worst[in.ID])
		}
	}
	return nil
}

// storedIsState compares the State with what would be loaded; in a long run after every sixteenth change.
func storedIsState(w *World, _ *alerting.Planned) error {
	if n := len(w.Memory.Changes); n > 64 && n%16 != 0 {
		return nil
	}
	stored, err := w.Memory.Snapshot()
	if err != nil {
		return err
	}
	live, err := throughJSON(w.State.Snapshot())
	if err != nil {
		return err
	}
	if !reflect.DeepEqual(stored.Alarms, live.Alarms) {
		return fmt.Errorf("alarms differ:\nstored %+v\nstate  %+v", stored.Alarms, live.Alarms)
	}
	if !reflect.DeepEqual(stored.Incidents, live.Incidents) {
		return fmt.Errorf("incidents differ:\nstored %+v\nstate  %+v", stored.Incidents, live.Incidents)
	}
	for _, m := range live.Mutes {
		if got := w.Memory.Mutes[m.ID]; !got.CancelledAt.IsZero() || got.ID != m.ID {
			return fmt.Errorf("the state has mute %d, which was cancelled or never stored", m.ID)
		}
	}
	for _, m := range stored.Mutes {
		if !m.Over(w.Now) && !slices.ContainsFunc(live.Mutes, func(o alerting.Mute) bool { return reflect.DeepEqual(o, m) }) {
			return fmt.Errorf("the state forgot mute %d", m.ID)
		}
	}
	a, b := keysOf(stored.Notifications), keysOf(live.Notifications)
	for key := range a {
		if !b[key] {
			return fmt.Errorf("the state forgot %s (it has %v)", key, slices.Sorted(maps.Keys(b)))
		}
	}
	return nil
}

func keysOf(list []alerting.Notification) map[string]bool {
	keys := map[string]bool{}
	for _, n := range list {
		keys[n.Key] = true
	}
	return keys
}
