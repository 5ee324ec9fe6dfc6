package web

import (
	"cmp"
	"context"
	"slices"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
	"vigia/store"
)

// world is what stands at the moment of a request: read once, by four queries, whatever the page.
type world struct {
	inv       *inventory.Inventory
	alarms    []alerting.Alarm    // standing, worst first
	Incidents []alerting.Incident // live, those that page first, worst first, then unowned
	byID      map[int64]*alerting.Incident
	of        map[inventory.Ref][]*alerting.Alarm // worst first
	on        map[collectors.Series]*alerting.Alarm
	checks    map[inventory.Ref][]collectors.Check
	counts    Counts
	last      int64
	muting    []alerting.Mute // silences and maintenance that are on
	marks     map[inventory.Ref]*alerting.Mute

	glances map[inventory.Ref]readings // what lists have looked at
	samples []collectors.Sample        // room for one object's
}

// Bounds of what a page reads at once.
const (
	mostAlarms    = 20_000
	mostLive      = 10_000
	maxListedRows = 500
)

func (s *Server) world(ctx context.Context, scope store.Scope) (*world, error) {
	w := &world{
		inv: s.cfg.Inventory(), byID: map[int64]*alerting.Incident{}, of: map[inventory.Ref][]*alerting.Alarm{},
		on: map[collectors.Series]*alerting.Alarm{}, checks: map[inventory.Ref][]collectors.Check{}, glances: map[inventory.Ref]readings{},
		marks: map[inventory.Ref]*alerting.Mute{},
	}
	live := true
	var err error
	if w.Incidents, err = s.cfg.Store.Incidents(ctx, scope, store.IncidentFilter{Live: &live, Limit: mostLive}); err != nil {
		return nil, err
	}
	if w.alarms, err = s.cfg.Store.Alarms(ctx, scope, store.AlarmFilter{Active: true, Limit: mostAlarms}); err != nil {
		return nil, err
	}
	if w.last, err = s.cfg.Store.LastEventID(ctx); err != nil {
		return nil, err
	}
	if w.muting, err = s.mutesOn(ctx, scope); err != nil {
		return nil, err
	}
	slices.SortStableFunc(w.Incidents, func(a, b alerting.Incident) int { return flag(a.Muted != nil) - flag(b.Muted != nil) })
	for i := range w.Incidents {
		w.byID[w.Incidents[i].ID] = &w.Incidents[i]
	}
	for i := range w.alarms {
		a := &w.alarms[i]
		w.of[a.Series.Ref] = append(w.of[a.Series.Ref], a)
		if w.on[a.Series] == nil {
			w.on[a.Series] = a
		}
	}
	for _, c := range s.cfg.Checks() {
		w.checks[c.ID.Ref] = append(w.checks[c.ID.Ref], c)
	}
	w.counts = countStanding(w.Incidents, w.alarms)
	return w, nil
}

// countStanding counts problems: incidents, and alarms that joined none.
func countStanding(incidents []alerting.Incident, alarms []alerting.Alarm) Counts {
	var c Counts
	for i := range incidents {
		if incidents[i].Muted != nil {
			c.Muted++
			continue
		}
		c.add(incidents[i].Severity)
		c.Unowned += flag(shouts(&incidents[i]))
	}
	for i := range alarms {
		if alarms[i].IncidentID == 0 {
			c.add(alarms[i].Severity)
		}
		if alarms[i].State == alerting.Stale {
			c.Stale++
		}
	}
	return c
}

// shouts reports whether an incident asks for a person now: nobody has it, and nothing keeps it quiet.
func shouts(i *alerting.Incident) bool { return i.State == alerting.Open && i.Muted == nil }

// unownedWorst is the worst severity that nobody has.
func (w *world) unownedWorst() alerting.Severity {
	worst := alerting.None
	for i := range w.Incidents {
		if shouts(&w.Incidents[i]) {
			worst = max(worst, w.Incidents[i].Severity)
		}
	}
	return worst
}

// worst is the worst alarm of an object, or nil.
func (w *world) worst(ref inventory.Ref) *alerting.Alarm {
	if list := w.of[ref]; len(list) > 0 {
		return slices.MaxFunc(list, func(a, b *alerting.Alarm) int {
			return cmp.Or(cmp.Compare(a.Severity, b.Severity), cmp.Compare(flag(w.owned(b)), flag(w.owned(a))), b.RaisedAt.Compare(a.RaisedAt))
		})
	}
	return nil
}

func flag(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// owned reports whether somebody has the incident that an alarm belongs to.
func (w *world) owned(a *alerting.Alarm) bool {
	i := w.byID[a.IncidentID]
	return i != nil && i.State == alerting.Acknowledged
}

// navCount is how many objects of a page's kind are not well without being kept quiet, and the worst shape among them.
func (w *world) navCount(v *visit, page string) (int, shape) {
	if page == "alarms" {
		return w.counts.Total() - w.counts.Muted, v.shapeOf(w.counts.Worst(), false)
	}
	if page == "mutes" {
		return len(w.muting), v.wrench()
	}
	kind, ok := navKinds[page]
	if !ok {
		return 0, shape{}
	}
	n, worst := 0, alerting.None
	for ref, list := range w.of {
		if ref.Kind != kind {
			continue
		}
		loud := false
		for _, a := range list {
			if !w.hushed(a) {
				loud, worst = true, max(worst, a.Severity)
			}
		}
		n += flag(loud)
	}
	return n, v.shapeOf(worst, false)
}

// joined lists the standing alarms of an incident but its root, worst first.
func (w *world) joined(i *alerting.Incident) []*alerting.Alarm {
	var list []*alerting.Alarm
	for k := range w.alarms {
		if a := &w.alarms[k]; a.IncidentID == i.ID && a.ID != i.Root {
			list = append(list, a)
		}
	}
	return list
}

// loose lists the standing alarms that belong to no live incident.
func (w *world) loose() []*alerting.Alarm {
	var list []*alerting.Alarm
	for k := range w.alarms {
		if a := &w.alarms[k]; w.byID[a.IncidentID] == nil {
			list = append(list, a)
		}
	}
	return list
}

// root is an incident's root alarm while it stands, or nil.
func (w *world) root(i *alerting.Incident) *alerting.Alarm {
	for _, a := range w.of[i.Ref] {
		if a.ID == i.Root {
			return a
		}
	}
	return nil
}
