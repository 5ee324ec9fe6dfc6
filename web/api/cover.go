package api

import (
	"slices"
	"strings"

	"vigia/alerting"
	"vigia/collectors/inventory"
)

// Covered is what a silence or maintenance is about: what it selects, and what stands now and would be quiet.
type Covered struct {
	Objects   []inventory.Ref
	Of        int                 // how many objects there are
	Empty     []inventory.Pattern // those that select nothing
	Alarms    []*alerting.Alarm
	Incidents []*alerting.Incident // those that would page nobody
	Partly    []*alerting.Incident // those that page all the same, for an alarm that is not covered
}

// Everything reports whether every object is selected, of more than one.
func (c Covered) Everything() bool { return c.Of > 1 && len(c.Objects) == c.Of }

// Cover works out what a mute is about. Alarms and incidents are those that stand.
func Cover(inv *inventory.Inventory, m *alerting.Mute, incidents []alerting.Incident, alarms []alerting.Alarm) Covered {
	c := Covered{Of: len(inv.Refs())}
	for _, ref := range inv.Refs() {
		if m.CoversRef(inv, ref) {
			c.Objects = append(c.Objects, ref)
		}
	}
	for _, p := range m.On {
		if !strings.HasPrefix(string(p), string(inventory.KindVigia)+"/") && !slices.ContainsFunc(inv.Refs(), p.Matches) {
			c.Empty = append(c.Empty, p)
		}
	}
	quiet, loud := map[int64]bool{}, map[int64]bool{}
	for i := range alarms {
		a := &alarms[i]
		switch covered := m.Covers(inv, a.Series); {
		case !a.State.Active():
		case covered:
			c.Alarms = append(c.Alarms, a)
			quiet[a.IncidentID] = true
		case !a.Shadow:
			loud[a.IncidentID] = true
		}
	}
	for i := range incidents {
		switch in := &incidents[i]; {
		case !quiet[in.ID]:
		case loud[in.ID]:
			c.Partly = append(c.Partly, in)
		default:
			c.Incidents = append(c.Incidents, in)
		}
	}
	return c
}

// IsPattern reports whether a text can select objects: kind/name, kind/glob, */glob, or *.
func IsPattern(p string) bool {
	kind, glob, ok := strings.Cut(p, "/")
	if p == "*" {
		return true
	}
	return ok && glob != "" && (kind == "*" || slices.Contains(inventory.Kinds[:], inventory.Kind(kind)))
}
