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
	"service.healthy":   {EN: "all {0} servers are healthy", ES: "los {0} servidores están bien"},
	"service.unhealthy": {EN: "{0} of {1} servers healthy; not healthy: {2}", ES: "{0} de {1} servidores están bien; no lo están: {2}"},
}

const (
	healthTick    = time.Second      // a service is told at most this often
	healthRefresh = 30 * time.Second // and at least this often
	healthPeriods = 3                // a check that has not come for this many periods says nothing any more
)

// ServiceHealth is a Sink that passes on what it is given and adds healthy_servers of every service.
//
// A server is down when all its reachability checks are (design §5): it is healthy while at least one of its checks says up = 1 and that is
// not older than three periods of the check. A server that has said nothing for so long is not healthy. What has just been added is given
// the same three periods to be heard of first, so a restart shows no service as broken: until then the service is not told at all.
//
// A change is told at once, but a service never more than once a second; an unchanged figure every 30 s. Run does what no sample sets off:
// staleness and repetition.
type ServiceHealth struct {
	next Sink
	now  func() time.Time

	mu       sync.Mutex // guards everything below, and the order of what is told
	servers  map[string]*serverHealth
	services []*serviceHealth
	of       map[string][]*serviceHealth // by server
}

// serverHealth is what is known of one server's checks, by instance.
type serverHealth struct {
	checks map[string]*upCheck
}

// upCheck is the last word of one check on one server.
type upCheck struct {
	heard bool
	up    bool
	at    time.Time     // when it was heard, or from when on it is expected
	every time.Duration // its period
}

type serviceHealth struct {
	ref     inventory.Ref
	servers []string
	told    time.Time // when it was last told; zero: never
	healthy int       // what was told
	bad     string    // who was named
}

// NewServiceHealth makes the decorator of next for these services and checks. now is the clock; nil is time.Now.
func NewServiceHealth(next Sink, inv *inventory.Inventory, checks []Check, now func() time.Time) *ServiceHealth {
	if now == nil {
		now = time.Now
	}
	h := &ServiceHealth{next: next, now: now, servers: map[string]*serverHealth{}}
	h.Swap(inv, checks)
	return h
}

// Swap takes a new configuration. What is known of servers, checks and services that stay is kept.
func (h *ServiceHealth) Swap(inv *inventory.Inventory, checks []Check) {
	h.mu.Lock()
	defer h.mu.Unlock()
	old := map[inventory.Ref]*serviceHealth{}
	for _, s := range h.services {
		old[s.ref] = s
	}
	h.services, h.of = nil, map[string][]*serviceHealth{}
	for i := range inv.Services {
		spec := &inv.Services[i]
		s := &serviceHealth{ref: inventory.Ref{Kind: inventory.KindService, Name: spec.Name}, servers: spec.Servers}
		if before := old[s.ref]; before != nil {
			s.told, s.healthy, s.bad = before.told, before.healthy, before.bad
		}
		h.services = append(h.services, s)
		for _, server := range spec.Servers {
			h.of[server] = append(h.of[server], s)
		}
	}
	h.expect(checks)
}

// expect keeps what is known of the checks that stay, forgets the others, and begins to wait for new ones.
func (h *ServiceHealth) expect(checks []Check) {
	known := h.servers
	h.servers = make(map[string]*serverHealth, len(h.of))
	for server := range h.of {
		h.servers[server] = &serverHealth{checks: map[string]*upCheck{}}
	}
	now := h.now()
	for _, c := range checks {
		server := h.servers[c.ID.Ref.Name]
		if c.ID.Ref.Kind != inventory.KindServer || server == nil {
			continue
		}
		u := &upCheck{at: now}
		if before := known[c.ID.Ref.Name]; before != nil && before.checks[c.ID.Instance] != nil {
			u = before.checks[c.ID.Instance]
		}
		u.every = c.period()
		server.checks[c.ID.Instance] = u
	}
}

// Put passes samples on and tells of every service that they change.
func (h *ServiceHealth) Put(samples []Sample) {
	h.next.Put(samples)
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.now()
	for i := range samples {
		s := &samples[i]
		if s.Series.Metric != Up || s.Series.Ref.Kind != inventory.KindServer {
			continue
		}
		if server := h.servers[s.Series.Ref.Name]; server != nil {
			server.hear(s, now)
			for _, service := range h.of[s.Series.Ref.Name] {
				h.consider(service, now)
			}
		}
	}
}

// hear notes what a check says.
func (s *serverHealth) hear(sample *Sample, now time.Time) {
	u := s.checks[sample.Series.Instance]
	if u == nil {
		u = &upCheck{}
		s.checks[sample.Series.Instance] = u
	}
	if sample.Every > 0 {
		u.every = sample.Every
	}
	u.heard, u.up, u.at = true, sample.Value >= 1, now
}

// Run tells of what no sample sets off until ctx ends: servers that have fallen silent, changes that came too fast, and repetition.
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
	for _, s := range h.services {
		h.consider(s, now)
	}
}

// consider tells of a service when there is something to tell and it is time.
func (h *ServiceHealth) consider(s *serviceHealth, now time.Time) {
	healthy, bad := 0, []string{}
	for _, name := range s.servers {
		switch h.servers[name].health(now) {
		case healthUnknown:
			return
		case healthGood:
			healthy++
		case healthBad:
			bad = append(bad, name)
		}
	}
	names := strings.Join(bad, ", ")
	since := now.Sub(s.told)
	if !s.told.IsZero() {
		changed := healthy != s.healthy || names != s.bad
		if changed && since < healthTick || !changed && since < healthRefresh {
			return
		}
	}
	s.told, s.healthy, s.bad = now, healthy, names
	h.next.Put([]Sample{s.sample(now)})
}

func (s *serviceHealth) sample(now time.Time) Sample {
	why := Because("service.healthy", len(s.servers))
	if s.bad != "" {
		why = Because("service.unhealthy", s.healthy, len(s.servers), s.bad)
	}
	return Sample{
		Series: Series{Metric: HealthyServers, Ref: s.ref}, At: now.Round(0).UTC(), Value: float64(s.healthy),
		Reason: why, Every: healthRefresh,
	}
}

type health int8

const (
	healthUnknown health = iota
	healthGood
	healthBad
)

// health of a server: good while one check says up, unknown while a check that is expected may still come for the first time, else bad.
func (s *serverHealth) health(now time.Time) health {
	state := healthBad
	for _, u := range s.checks {
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
