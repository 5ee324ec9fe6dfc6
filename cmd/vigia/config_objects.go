package main

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"vigia/collectors/inventory"
)

// objects are the names that references can mean.
type objects struct {
	line map[inventory.Ref]int // where each is written
	refs []inventory.Ref       // in the order of the file, Vigía itself last
}

func (o *objects) has(r inventory.Ref) bool { return o.line[r] > 0 }

// names lists the objects of a kind.
func (o *objects) names(kind inventory.Kind) []string {
	var out []string
	for _, r := range o.refs {
		if r.Kind == kind {
			out = append(out, r.Name)
		}
	}
	return out
}

func value(pointer any) reflect.Value { return reflect.ValueOf(pointer).Elem() }

// where returns the node that a value was read from, or else the one of what it stands in.
func (l *loader) where(pointer, around any) *yaml.Node {
	if n := l.at[pointer]; n != nil {
		return n
	}
	return l.at[around]
}

// objects lists every object and notes the names that are there twice.
func (l *loader) objects(cfg *Config) *objects {
	o := &objects{line: map[inventory.Ref]int{}}
	add := func(kind inventory.Kind, name *string) {
		n := l.at[name]
		if n == nil || *name == "" {
			return
		}
		ref := inventory.Ref{Kind: kind, Name: *name}
		if line := o.line[ref]; line > 0 {
			l.problem(n, "duplicate-name", "", "the %s %q is there twice, first in line %d", kind, *name, line)
			return
		}
		o.line[ref] = n.Line
		o.refs = append(o.refs, ref)
	}
	for i := range cfg.Sites {
		add(inventory.KindSite, &cfg.Sites[i].Name)
	}
	for i := range cfg.Links {
		add(inventory.KindLink, &cfg.Links[i].Name)
	}
	for i := range cfg.Servers {
		add(inventory.KindServer, &cfg.Servers[i].Name)
	}
	for i := range cfg.Services {
		add(inventory.KindService, &cfg.Services[i].Name)
	}
	for i := range cfg.Trunks {
		add(inventory.KindTrunk, &cfg.Trunks[i].Name)
	}
	for i := range cfg.Destinations {
		add(inventory.KindDestination, &cfg.Destinations[i].Name)
	}
	for i := range cfg.Customers {
		add(inventory.KindCustomer, &cfg.Customers[i].Name)
	}
	o.refs = append(o.refs, inventory.Self)
	o.line[inventory.Self] = 1
	return o
}

// mustExist notes a name that no object of a kind has. What was not read, or is empty, was noted before.
func (l *loader) mustExist(name *string, o *objects, kind inventory.Kind) {
	n := l.at[name]
	if n == nil || *name == "" || o.has(inventory.Ref{Kind: kind, Name: *name}) {
		return
	}
	l.problem(n, "unknown-"+string(kind), meant(*name, o.names(kind)), "there is no %s called %q", kind, *name)
}

// references looks every name up that one object uses of another.
func (l *loader) references(cfg *Config, o *objects) {
	for i := range cfg.Links {
		link := &cfg.Links[i]
		l.mustExist(&link.Site, o, inventory.KindSite)
		l.parentsExist(link.Parents, o)
		if link.Peer != "" && link.Peer == link.Site {
			l.problem(l.at[&link.Peer], "link-to-itself", "", "the link goes from %s to %s", link.Site, link.Peer)
		}
	}
	for i := range cfg.Servers {
		l.mustExist(&cfg.Servers[i].Site, o, inventory.KindSite)
		l.parentsExist(cfg.Servers[i].Parents, o)
	}
	for i := range cfg.Services {
		l.service(&cfg.Services[i], o)
	}
	for i := range cfg.Trunks {
		trunk := &cfg.Trunks[i]
		l.mustExist(&trunk.Site, o, inventory.KindSite)
		l.parentsExist(trunk.Parents, o)
		l.parentsExist(trunk.Via, o)
		for j := range trunk.Via {
			if via := &trunk.Via[j]; via.Kind != inventory.KindLink && !via.IsZero() {
				l.problem(l.at[via], "via-not-link", "such as link/sjo-mia; other things go under parents", "a trunk runs via links, %s is none", via)
			}
		}
	}
	for i := range cfg.Destinations {
		l.destination(&cfg.Destinations[i], o)
	}
	for i := range cfg.Customers {
		for j := range cfg.Customers[i].Match.Trunks {
			l.mustExist(&cfg.Customers[i].Match.Trunks[j], o, inventory.KindTrunk)
		}
	}
}

// parentsExist looks parents up; only what can be reached or not can carry others.
func (l *loader) parentsExist(parents []inventory.Ref, o *objects) {
	carriers := []inventory.Kind{inventory.KindSite, inventory.KindLink, inventory.KindServer, inventory.KindTrunk}
	for i := range parents {
		p := &parents[i]
		switch {
		case p.IsZero():
		case !slices.Contains(carriers, p.Kind):
			l.problem(l.at[p], "parent-kind", "a site, link, server or trunk", "a %s cannot be the parent of anything", p.Kind)
		case !o.has(*p):
			l.problem(l.at[p], "unknown-parent", meant(p.Name, o.names(p.Kind)), "there is no %s called %q", p.Kind, p.Name)
		}
	}
}

func (l *loader) service(s *ServiceSpec, o *objects) {
	for i := range s.Servers {
		l.mustExist(&s.Servers[i], o, inventory.KindServer)
	}
	switch n := l.at[&s.Servers]; {
	case n == nil || len(s.Servers) == 0:
	case len(s.Servers) < 2:
		l.problem(n, "service-too-small", "name a second one", "a service needs two or more servers, this one has %d", len(s.Servers))
	case s.AtLeast > len(s.Servers):
		l.problem(l.where(&s.AtLeast, s), "at-least-too-large", "", "at_least is %d, but the service has %d servers", s.AtLeast, len(s.Servers))
	}
}

func (l *loader) destination(d *DestinationSpec, o *objects) {
	for i := range d.Trunks {
		l.mustExist(&d.Trunks[i], o, inventory.KindTrunk)
	}
	if len(d.Trunks) > 0 && d.AtLeast > len(d.Trunks) {
		l.problem(l.where(&d.AtLeast, d), "at-least-too-large", "", "at_least is %d, but the destination has %d trunks", d.AtLeast, len(d.Trunks))
	}
}

// cycles notes the first cycle of parents that each object is the earliest part of.
func (l *loader) cycles(cfg *Config) {
	parents, at := map[inventory.Ref][]inventory.Ref{}, map[inventory.Ref]*yaml.Node{}
	var order []inventory.Ref
	add := func(kind inventory.Kind, name *string, lists ...[]inventory.Ref) {
		ref := inventory.Ref{Kind: kind, Name: *name}
		parents[ref], at[ref] = slices.Concat(lists...), l.at[name]
		order = append(order, ref)
	}
	for i := range cfg.Links {
		add(inventory.KindLink, &cfg.Links[i].Name, cfg.Links[i].Parents)
	}
	for i := range cfg.Servers {
		add(inventory.KindServer, &cfg.Servers[i].Name, cfg.Servers[i].Parents)
	}
	for i := range cfg.Trunks {
		add(inventory.KindTrunk, &cfg.Trunks[i].Name, cfg.Trunks[i].Via, cfg.Trunks[i].Parents)
	}
	state := map[inventory.Ref]int{}
	for _, ref := range order {
		if cycle := findCycle(ref, parents, state); cycle != nil {
			words := make([]string, len(cycle))
			for i, r := range cycle {
				words[i] = r.String()
			}
			l.problem(at[cycle[0]], "parent-cycle", "take one of the parents out", "the parents form a cycle: %s", strings.Join(words, " → "))
		}
	}
}

// findCycle walks up from a Ref without recursion and returns a cycle that it runs into, or nil. State keeps what is done.
func findCycle(start inventory.Ref, parents map[inventory.Ref][]inventory.Ref, state map[inventory.Ref]int) []inventory.Ref {
	const visiting, done = 1, 2
	type step struct {
		ref  inventory.Ref
		next int
	}
	var path []step
	var found []inventory.Ref
	enter := func(r inventory.Ref) {
		switch state[r] {
		case 0:
			state[r] = visiting
			path = append(path, step{ref: r})
		case visiting:
			if found != nil {
				return
			}
			from := slices.IndexFunc(path, func(s step) bool { return s.ref == r })
			for _, s := range path[from:] {
				found = append(found, s.ref)
			}
			found = append(found, r)
		}
	}
	enter(start)
	for len(path) > 0 {
		top := &path[len(path)-1]
		if top.next == len(parents[top.ref]) {
			state[top.ref] = done
			path = path[:len(path)-1]
			continue
		}
		top.next++
		enter(parents[top.ref][top.next-1])
	}
	return found
}

// claims are what only one object can own, and who has it.
type claims struct {
	l     *loader
	owner map[[2]string]claim // by group and what is claimed
}

type claim struct {
	owner string
	line  int
}

// claims notes networks, domains, trunks and numbers that two objects of a kind both claim: which calls are whose must not be a guess.
func (l *loader) claims(cfg *Config) {
	c := claims{l: l, owner: map[[2]string]claim{}}
	for i := range cfg.Servers {
		c.networks("a media network", "same-media", "server "+cfg.Servers[i].Name, cfg.Servers[i].Media)
	}
	for i := range cfg.Trunks {
		c.networks("a network", "same-network", "trunk "+cfg.Trunks[i].Name, cfg.Trunks[i].Networks)
	}
	for i := range cfg.Destinations {
		d := &cfg.Destinations[i]
		c.words("a prefix", "same-prefix", "destination "+d.Name, d.Prefixes, "")
	}
	for i := range cfg.Customers {
		const group, rule = "a match", "same-match"
		m, owner := &cfg.Customers[i].Match, "customer "+cfg.Customers[i].Name
		c.networks(group, rule, owner, m.Networks)
		c.words(group, rule, owner, m.SIPDomains, "")
		c.words(group, rule, owner, m.Trunks, "trunk ")
		c.words(group, rule, owner, m.Numbers, "")
	}
}

func (c *claims) networks(group, rule, owner string, list []netip.Prefix) {
	for i := range list {
		if list[i].IsValid() {
			c.take(group, rule, owner, list[i].String(), c.l.at[&list[i]])
		}
	}
}

// words claims texts; lead says what they are. In domains capitals make no difference (RFC 4343).
func (c *claims) words(group, rule, owner string, list []string, lead string) {
	for i := range list {
		what := lead + list[i]
		if lead == "" {
			what = strings.ToLower(what)
		}
		if list[i] != "" {
			c.take(group, rule, owner, what, c.l.at[&list[i]])
		}
	}
}

func (c *claims) take(group, rule, owner, what string, n *yaml.Node) {
	if n == nil {
		return
	}
	key := [2]string{group, what}
	if other, taken := c.owner[key]; taken && other.owner != owner {
		c.l.problem(n, rule, "keep it with one of them", "%s is already %s of %s, in line %d", what, group, other.owner, other.line)
		return
	}
	c.owner[key] = claim{owner, n.Line}
}

// addresses looks at where Vigía itself listens, stores and calls.
func (l *loader) addresses(cfg *Config) {
	if n := l.at[&cfg.Listen]; n != nil && !loopback(cfg.Listen) {
		if message, _ := listenForm(cfg.Listen); message == "" {
			l.problem(n, "listen-open", "listen on 127.0.0.1 and reach it through an SSH tunnel or a proxy that signs people in",
				"listen: %s is refused until Vigía has users of its own: everyone who reaches it would be an operator", cfg.Listen)
		}
	}
	if n := l.at[&cfg.Store]; n != nil && !cfg.Store.IsZero() {
		if message, hint := storeForm(cfg.Store.Reveal()); message != "" {
			l.problem(n, "bad-store", hint, "store: %s", message)
		}
	}
	if h := cfg.Heartbeat; h != nil && !h.URL.IsZero() {
		if u, err := url.Parse(h.URL.Reveal()); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
			l.problem(l.at[&h.URL], "bad-url", "begin with http:// or https://", "url: the heartbeat's address is not a web address")
		}
	}
	if n := l.at[&cfg.Mail.SMTP]; n != nil && !cfg.Mail.SMTP.IsZero() {
		if u, err := url.Parse(cfg.Mail.SMTP.Reveal()); err != nil || u.Scheme != "smtp" && u.Scheme != "smtps" || u.Hostname() == "" {
			l.problem(n, "bad-smtp", "such as smtp://mail.example.com:587", "smtp: this is not the address of a mail server")
		}
	}
	cfg.PublicURL = strings.TrimRight(cfg.PublicURL, "/")
}

// loopback reports whether an address to listen on is this machine only.
func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

// storeForm says what is wrong with the address of a store; it never repeats it, since it may hold a password.
func storeForm(s string) (message, hint string) {
	if path, ok := strings.CutPrefix(s, "sqlite:"); ok {
		if path == "" || strings.ContainsAny(path, "?#") || path == ":memory:" {
			return "sqlite needs the name of a file", "such as sqlite:vigia.db"
		}
		return "", ""
	}
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return "the address cannot be read", "such as sqlite:vigia.db or postgres://vigia@db.example/vigia"
	case u.Scheme != "postgres" && u.Scheme != "postgresql":
		return fmt.Sprintf("%q is not a kind of store", u.Scheme), "sqlite:PATH or postgres://user@host/database"
	case strings.Trim(u.Path, "/") == "":
		return "the address names no database", "such as postgres://vigia@db.example/vigia"
	}
	return "", ""
}
