package alertingtest

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"vigia/alerting"
)

// Invariants holds what must be true after every change: each notification has one key; nobody is paged for an acknowledged incident; the
// severity of an incident is that of its worst member; a live incident has members and a clear alarm has none; what stands in a shadow is
// in another object's incident; what was stored describes the State.
func Invariants(w *World, p *alerting.Planned) error {
	if p.Change.Empty() {
		return nil
	}
	for _, check := range []func(*World, *alerting.Planned) error{oneKey, noPageForAcked, worstMember, storedIsState} {
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
