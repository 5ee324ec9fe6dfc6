package collectors

import (
	"context"
	"strings"
	"sync"
	"time"

	"vigia/collectors/inventory"
)

// HealthWords is what ServiceHealth says.
var HealthWords = Words{
	"service.healthy":       {EN: "all {0} servers are healthy", ES: "los {0} servidores están bien"},
	"service.unhealthy":     {EN: "{0} of {1} servers healthy; not healthy: {2}", ES: "{0} de {1} servidores están bien; no lo están: {2}"},
	"destination.healthy":   {EN: "all {0} trunks work", ES: "las {0} troncales funcionan"},
	"destination.unhealthy": {EN: "{0} of {1} trunks work; these do not: {2}", ES: "funcionan {0} de {1} troncales; no funcionan: {2}"},
}

const (
	healthTick    = time.Second      // a service is told at most this often
	healthRefresh = 30 * time.Second // and at least this often
	healthPeriods = 3                // a check that has not come for this many periods says nothing any more
)

// ServiceHealth is a Sink that passes on what it is given and adds healthy_servers of every service and working_trunks of every destination.
//
// A member (a server of a service, a trunk of a destination) is down when all its reachability checks are (design §5): it is healthy while at
// least one of its checks says up = 1 and that is not older than three periods of the check. A member that has said nothing for so long is not
// healthy. What has just been added is given the same three periods to be heard of first, so a restart shows no group as broken: until then the
// group is not told at all. A trunk that nothing checks counts as working, for nobody can know; a destination without a checked trunk is not told.
//
// A change is told at once, but a group never more than once a second; an unchanged figure every 30 s. Run does what no sample sets off:
// staleness and repetition.
type ServiceHealth struct {
	next Sink
	now  func() time.Time

	mu      sync.Mutex // guards everything below, and the order of what is told
	members map[inventory.Ref]*memberHealth
	groups  []*groupHealth
	of      map[inventory.Ref][]*groupHealth // by member
}

// memberHealth is what is known of one member's checks, by instance.
type memberHealth struct {
	checks map[string]*upCheck
}

// upCheck is the last word of one check on one member.
type upCheck struct {
	heard bool
	up    bool
	at    time.Time     // when it was heard, or from when on it is expected
	every time.Duration // its period
}

// groupHealth is a service or a destination.
type groupHealth struct {
	ref     inventory.Ref
	metric  Metric
	members []inventory.Ref
	told    time.Time // when it was last told; zero: never
	healthy int       // what was told
	bad     string    // who was named
}

// NewServiceHealth makes the decorator of next for these services, destinations and checks. now is the clock; nil is time.Now.
func NewServiceHealth(next Sink, inv *inventory.Inventory, checks []Check, now func() time.Time) *ServiceHealth {
	if now == nil {
		now = time.Now
	}
	h := &ServiceHealth{next: next, now: now, members: map[inventory.Ref]*memberHealth{}}
	h.Swap(inv, checks)
	return h
}

// Swap takes a new configuration. What is known of members, checks and groups that stay is kept.
func (h *ServiceHealth) Swap(inv *inventory.Inventory, checks []Check) {
	h.mu.Lock()
	defer h.mu.Unlock()
	old := map[inventory.Ref]*groupHealth{}
	for _, g := range h.groups {
		old[g.ref] = g
	}
	h.groups, h.of = nil, map[inventory.Ref][]*groupHealth{}
	for _, s := range inv.Services {
		h.groups = append(h.groups, groupOf(inventory.KindService, s.Name, HealthyServers, inventory.KindServer, s.Servers))
	}
	for _, d := range inv.Destinations {
		h.groups = append(h.groups, groupOf(inventory.KindDestination, d.Name, WorkingTrunks, inventory.KindTrunk, d.Trunks))
	}
	for _, g := range h.groups {
		if before := old[g.ref]; before != nil {
			g.told, g.healthy, g.bad = before.told, before.healthy, before.bad
		}
		for _, m := range g.members {
			h.of[m] = append(h.of[m], g)
		}
	}
	h.expect(checks)
}

func groupOf(kind inventory.Kind, name string, metric Metric, of inventory.Kind, members []string) *groupHealth {
	g := &groupHealth{ref: inventory.Ref{Kind: kind, Name: name}, metric: metric}
	for _, m := range members {
		g.members = append(g.members, inventory.Ref{Kind: of, Name: m})
	}
	return g
}

// expect keeps what is known of the checks that stay, forgets the others, and begins to wait for new ones.
func (h *ServiceHealth) expect(checks []Check) {
	known := h.members
	h.members = make(map[inventory.Ref]*memberHealth, len(h.of))
	for ref := range h.of {
		h.members[ref] = &memberHealth{checks: map[string]*upCheck{}}
	}
	now := h.now()
	for _, c := range checks {
		member := h.members[c.ID.Ref]
		if member == nil {
			continue
		}
		u := &upCheck{at: now}
		if before := known[c.ID.Ref]; before != nil && before.checks[c.ID.Instance] != nil {
			u = before.checks[c.ID.Instance]
		}
		u.every = c.period()
		member.checks[c.ID.Instance] = u
	}
}

// Put passes samples on and tells of every group that they change.
func (h *ServiceHealth) Put(samples []Sample) {
	h.next.Put(samples)
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.now()
	for i := range samples {
		s := &samples[i]
		if s.Series.Metric != Up {
			continue
		}
		if member := h.members[s.Series.Ref]; member != nil {
			member.hear(s, now)
			for _, group := range h.of[s.Series.Ref] {
				h.consider(group, now)
			}
		}
	}
}

// hear notes what a check says.
func (m *memberHealth) hear(sample *Sample, now time.Time) {
	u := m.checks[sample.Series.Instance]
	if u == nil {
		u = &upCheck{}
		m.checks[sample.Series.Instance] = u
	}
	if sample.Every > 0 {
		u.every = sample.Every
	}
	u.heard, u.up, u.at = true, sample.Value >= 1, now
}

// Run tells of what no sample sets off until ctx ends: members that have fallen silent, changes that came too fast, and repetition.
func (h *ServiceHealth) Run(ctx context.Context) error {
	ticker := time.NewTicker(healthTick)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			h.considerAll()
		}
	}
}

func (h *ServiceHealth) considerAll() {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.now()
	for _, g := range h.groups {
		h.consider(g, now)
	}
}

// consider tells of a group when there is something to tell and it is time.
func (h *ServiceHealth) consider(g *groupHealth, now time.Time) {
	healthy, watched, bad := 0, g.ref.Kind == inventory.KindService, []string{}
	for _, ref := range g.members {
		m := h.members[ref]
		if ref.Kind == inventory.KindTrunk && len(m.checks) == 0 {
			healthy++
			continue
		}
		watched = true
		switch m.health(now) {
		case healthUnknown:
			return
		case healthGood:
			healthy++
		case healthBad:
			bad = append(bad, ref.Name)
		}
	}
	if !watched {
		return
	}
	h.tell(g, healthy, strings.Join(bad, ", "), now)
}

// tell puts a group's figure, unless it was told a moment ago.
func (h *ServiceHealth) tell(g *groupHealth, healthy int, bad string, now time.Time) {
	since := now.Sub(g.told)
	if !g.told.IsZero() {
		changed := healthy != g.healthy || bad != g.bad
		if changed && since < healthTick || !changed && since < healthRefresh {
			return
		}
	}
	g.told, g.healthy, g.bad = now, healthy, bad
	h.next.Put([]Sample{g.sample(now)})
}

func (g *groupHealth) sample(now time.Time) Sample {
	why := Because(string(g.ref.Kind)+".healthy", len(g.members))
	if g.bad != "" {
		why = Because(string(g.ref.Kind)+".unhealthy", g.healthy, len(g.members), g.bad)
	}
	return Sample{
		Series: Series{Metric: g.metric, Ref: g.ref}, At: now.Round(0).UTC(), Value: float64(g.healthy),
		Reason: why, Every: healthRefresh,
	}
}

type health int8

const (
	healthUnknown health = iota
	healthGood
	healthBad
)

// health of a member: good while one check says up, unknown while a check that is expected may still come for the first time, else bad.
func (m *memberHealth) health(now time.Time) health {
	state := healthBad
	for _, u := range m.checks {
		fresh := now.Sub(u.at) <= healthPeriods*max(u.every, healthTick)
		if fresh && u.heard && u.up {
			return healthGood
		}
		if fresh && !u.heard {
			state = healthUnknown
		}
	}
	return state
}
