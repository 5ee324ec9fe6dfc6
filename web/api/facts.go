package api

import (
	"context"
	"fmt"
	"slices"

	"vigia/alerting"
	"vigia/collectors/inventory"
	"vigia/store"
)

// mostAlarms is how many standing alarms are looked at: more than all the objects that we are built for can have.
const mostAlarms = 100_000

// states is how every object with a standing alarm stands; nil refs means all of them.
func (s *server) states(ctx context.Context, scope store.Scope, refs []inventory.Ref) (map[inventory.Ref]*State, error) {
	alarms, err := s.Store.Alarms(ctx, scope, store.AlarmFilter{Active: true, Refs: refs, Limit: mostAlarms})
	if err != nil {
		return nil, err
	}
	out := map[inventory.Ref]*State{}
	worst := map[inventory.Ref]alerting.Severity{}
	for _, a := range alarms {
		ref := a.Series.Ref
		st := out[ref]
		if st == nil {
			st = &State{Shadow: true, Incidents: []int64{}}
			out[ref] = st
		}
		worst[ref] = max(worst[ref], a.Severity)
		st.Severity = severity(worst[ref])
		st.Stale = st.Stale || a.State == alerting.Stale
		st.Shadow = st.Shadow && a.Shadow
		st.Alarms++
		if a.IncidentID != 0 && !slices.Contains(st.Incidents, a.IncidentID) {
			st.Incidents = append(st.Incidents, a.IncidentID)
		}
	}
	return out, nil
}

// factsOf is what the configuration says of an object.
func factsOf(inv *inventory.Inventory, r inventory.Ref) Facts {
	switch r.Kind {
	case inventory.KindSite:
		return Facts{Timezone: inv.Site(r.Name).Timezone.String()}
	case inventory.KindLink:
		l := inv.Link(r.Name)
		f := Facts{Peer: l.Peer}
		if l.Capacity > 0 {
			bps := int64(l.Capacity)
			f.CapacityBps = &bps
		}
		return f
	case inventory.KindServer:
		return Facts{Media: texts(inv.Server(r.Name).Media)}
	case inventory.KindService:
		s := inv.Service(r.Name)
		return Facts{Servers: s.Servers, AtLeast: &s.AtLeast}
	case inventory.KindTrunk:
		t := inv.Trunk(r.Name)
		return Facts{Via: names(t.Via), Networks: texts(t.Networks)}
	case inventory.KindDestination:
		return destinationFacts(inv, r.Name)
	case inventory.KindCustomer:
		return customerFacts(inv.Customer(r.Name))
	}
	return Facts{}
}

func destinationFacts(inv *inventory.Inventory, name string) Facts {
	at := slices.IndexFunc(inv.Destinations, func(d inventory.Destination) bool { return d.Name == name })
	if at < 0 {
		return Facts{}
	}
	d := inv.Destinations[at]
	return Facts{Prefixes: d.Prefixes, Trunks: d.Trunks, AtLeast: &d.AtLeast}
}

func customerFacts(c *inventory.Customer) Facts {
	f := Facts{AccountManager: c.AccountManager, Contact: c.Contact}
	if c.Timezone != nil {
		f.Timezone = c.Timezone.String()
	}
	return f
}

func texts[T fmt.Stringer](values []T) []string {
	var out []string
	for _, v := range values {
		out = append(out, v.String())
	}
	return out
}
