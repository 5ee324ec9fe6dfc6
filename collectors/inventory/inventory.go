package inventory

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// Site is a place with equipment.
type Site struct {
	Name     string
	Timezone *time.Location // never nil in an Inventory; UTC when none was given
}

// Link is a path that carries our packets, from Site to Peer.
type Link struct {
	Name     string
	Site     string
	Peer     string // another site's name, or free words for what is at the other end
	Capacity Bandwidth
	Parents  []Ref
}

// Server is a machine or a virtual one.
type Server struct {
	Name    string
	Site    string
	Media   []netip.Prefix // its own RTP addresses
	Parents []Ref
}

// Service is a job done by two or more servers.
type Service struct {
	Name    string
	Servers []string
	AtLeast int // how many must be healthy
}

// Trunk is a SIP relation to a carrier or customer. It runs over the links in Via.
type Trunk struct {
	Name     string
	Site     string
	Via      []Ref
	Networks []netip.Prefix
	Parents  []Ref
}

// Destination is a country or network that calls go to, by number prefix, over several trunks.
type Destination struct {
	Name     string
	Prefixes []string
	Trunks   []string
	AtLeast  int
}

// Customer is who pays.
type Customer struct {
	Name           string
	AccountManager string
	Contact        string
	Language       string
	Timezone       *time.Location
	BadCallsPct    float64 // what the SLA allows, percent; 0 when none was promised
	Reports        []string
	Policy         string
	Match          Match
}

// Match says which calls are a customer's.
type Match struct {
	Networks   []netip.Prefix
	SIPDomains []string
	Trunks     []string
	Numbers    []string
}

// Spec is what an Inventory is built from.
type Spec struct {
	Sites        []Site
	Links        []Link
	Servers      []Server
	Services     []Service
	Trunks       []Trunk
	Destinations []Destination
	Customers    []Customer
}

// Inventory is an immutable snapshot of what we look after. Its lists are sorted by name and must not be changed.
type Inventory struct {
	Spec
	site     map[string]*Site
	link     map[string]*Link
	server   map[string]*Server
	service  map[string]*Service
	trunk    map[string]*Trunk
	customer map[string]*Customer
	parents  map[Ref][]Ref
	children map[Ref][]Ref
	refs     []Ref
}

// New builds the snapshot. The error joins everything that is wrong: duplicate names, unknown references, cycles.
func New(spec Spec) (*Inventory, error) {
	inv := &Inventory{Spec: spec, parents: map[Ref][]Ref{}, children: map[Ref][]Ref{}}
	var errs []error
	inv.site = index(&inv.Sites, KindSite, func(s *Site) string { return s.Name }, &errs)
	inv.link = index(&inv.Links, KindLink, func(l *Link) string { return l.Name }, &errs)
	inv.server = index(&inv.Servers, KindServer, func(s *Server) string { return s.Name }, &errs)
	inv.service = index(&inv.Services, KindService, func(s *Service) string { return s.Name }, &errs)
	inv.trunk = index(&inv.Trunks, KindTrunk, func(t *Trunk) string { return t.Name }, &errs)
	index(&inv.Destinations, KindDestination, func(d *Destination) string { return d.Name }, &errs)
	inv.customer = index(&inv.Customers, KindCustomer, func(c *Customer) string { return c.Name }, &errs)
	for i := range inv.Sites {
		if inv.Sites[i].Timezone == nil {
			inv.Sites[i].Timezone = time.UTC
		}
	}
	inv.listRefs()
	errs = append(errs, inv.connect()...)
	if cycle := inv.cycle(); cycle != nil {
		errs = append(errs, fmt.Errorf("parents form a cycle: %s", joinRefs(cycle)))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return inv, nil
}

func index[T any](list *[]T, kind Kind, name func(*T) string, errs *[]error) map[string]*T {
	*list = slices.Clone(*list)
	slices.SortFunc(*list, func(a, b T) int { return cmp.Compare(name(&a), name(&b)) })
	byName := make(map[string]*T, len(*list))
	for i := range *list {
		item := &(*list)[i]
		if byName[name(item)] != nil {
			*errs = append(*errs, fmt.Errorf("%s/%s is there twice", kind, name(item)))
		}
		byName[name(item)] = item
	}
	return byName
}

func (inv *Inventory) listRefs() {
	add := func(kind Kind, name string) { inv.refs = append(inv.refs, Ref{Kind: kind, Name: name}) }
	for _, s := range inv.Sites {
		add(KindSite, s.Name)
	}
	for _, l := range inv.Links {
		add(KindLink, l.Name)
	}
	for _, s := range inv.Servers {
		add(KindServer, s.Name)
	}
	for _, s := range inv.Services {
		add(KindService, s.Name)
	}
	for _, t := range inv.Trunks {
		add(KindTrunk, t.Name)
	}
	for _, d := range inv.Destinations {
		add(KindDestination, d.Name)
	}
	for _, c := range inv.Customers {
		add(KindCustomer, c.Name)
	}
}

// connect fills parents and children: site ← link ← trunk, site ← server, and the parents named.
func (inv *Inventory) connect() []error {
	var errs []error
	known := make(map[Ref]bool, len(inv.refs))
	for _, r := range inv.refs {
		known[r] = true
	}
	join := func(child Ref, parents []Ref) {
		for _, p := range parents {
			if !known[p] {
				errs = append(errs, fmt.Errorf("%s names the parent %s, which does not exist", child, p))
				continue
			}
			if slices.Contains(inv.parents[child], p) {
				continue
			}
			inv.parents[child] = append(inv.parents[child], p)
			inv.children[p] = append(inv.children[p], child)
		}
	}
	at := func(site string) []Ref {
		if site == "" {
			return nil
		}
		return []Ref{{Kind: KindSite, Name: site}}
	}
	for _, l := range inv.Links {
		join(Ref{KindLink, l.Name}, orSite(l.Parents, at(l.Site)))
	}
	for _, s := range inv.Servers {
		join(Ref{KindServer, s.Name}, orSite(s.Parents, at(s.Site)))
	}
	for _, t := range inv.Trunks {
		join(Ref{KindTrunk, t.Name}, orSite(append(slices.Clone(t.Via), t.Parents...), at(t.Site)))
	}
	return errs
}

// orSite returns the parents that were named, or else the site: a server behind a link is cut off when the link is, and its site adds nothing.
func orSite(named, site []Ref) []Ref {
	if len(named) > 0 {
		return named
	}
	return site
}

// cycle returns one cycle of the parent graph, or nil.
func (inv *Inventory) cycle() []Ref {
	const visiting, done = 1, 2
	state := map[Ref]int{}
	var path []Ref
	var visit func(Ref) []Ref
	visit = func(r Ref) []Ref {
		switch state[r] {
		case done:
			return nil
		case visiting:
			return append(path[slices.Index(path, r):], r)
		}
		state[r] = visiting
		path = append(path, r)
		for _, p := range inv.parents[r] {
			if c := visit(p); c != nil {
				return c
			}
		}
		path = path[:len(path)-1]
		state[r] = done
		return nil
	}
	for _, r := range inv.refs {
		if c := visit(r); c != nil {
			return c
		}
	}
	return nil
}

func joinRefs(refs []Ref) string {
	s := ""
	for i, r := range refs {
		if i > 0 {
			s += " → "
		}
		s += r.String()
	}
	return s
}

// Refs lists everything, in the order of Kinds and by name.
func (inv *Inventory) Refs() []Ref { return inv.refs }

// Site returns the site of that name, or nil.
func (inv *Inventory) Site(name string) *Site { return inv.site[name] }

// Link returns the link of that name, or nil.
func (inv *Inventory) Link(name string) *Link { return inv.link[name] }

// Server returns the server of that name, or nil.
func (inv *Inventory) Server(name string) *Server { return inv.server[name] }

// Service returns the service of that name, or nil.
func (inv *Inventory) Service(name string) *Service { return inv.service[name] }

// Trunk returns the trunk of that name, or nil.
func (inv *Inventory) Trunk(name string) *Trunk { return inv.trunk[name] }

// Customer returns the customer of that name, or nil.
func (inv *Inventory) Customer(name string) *Customer { return inv.customer[name] }

// Parents returns what ref depends on directly. Several parents are alternatives: ref is cut off when all of them are.
func (inv *Inventory) Parents(ref Ref) []Ref { return inv.parents[ref] }

// Children returns what depends on ref directly.
func (inv *Inventory) Children(ref Ref) []Ref { return inv.children[ref] }

// SiteOf returns the name of the site that ref is at: its own, or "" for what is at none (services, customers, Vigía itself).
func (inv *Inventory) SiteOf(ref Ref) string {
	switch ref.Kind {
	case KindSite:
		return ref.Name
	case KindLink:
		if l := inv.link[ref.Name]; l != nil {
			return l.Site
		}
	case KindServer:
		if s := inv.server[ref.Name]; s != nil {
			return s.Site
		}
	case KindTrunk:
		if t := inv.trunk[ref.Name]; t != nil {
			return t.Site
		}
	}
	return ""
}
