package inventory

import (
	"fmt"
	"strings"
)

// Kind is what sort of thing a Ref points at.
type Kind string

// The kinds of objects that we look after. Vigia is the monitor itself.
const (
	KindSite        Kind = "site"
	KindLink        Kind = "link"
	KindServer      Kind = "server"
	KindService     Kind = "service"
	KindTrunk       Kind = "trunk"
	KindDestination Kind = "destination"
	KindCustomer    Kind = "customer"
	KindVigia       Kind = "vigia"
)

// Kinds lists every kind in the order in which pages show them.
var Kinds = [...]Kind{KindSite, KindLink, KindServer, KindService, KindTrunk, KindDestination, KindCustomer, KindVigia}

// Ref names one object: kind/name, such as link/sjo-mia. It is comparable and the zero value points at nothing.
type Ref struct {
	Kind Kind
	Name string
}

// Self is Vigía itself, the object of its own alarms.
var Self = Ref{Kind: KindVigia, Name: "self"}

// String returns kind/name.
func (r Ref) String() string { return string(r.Kind) + "/" + r.Name }

// IsZero reports whether r points at nothing.
func (r Ref) IsZero() bool { return r == Ref{} }

// MarshalText writes kind/name, and nothing for the zero Ref.
func (r Ref) MarshalText() ([]byte, error) {
	if r.IsZero() {
		return nil, nil
	}
	return []byte(r.String()), nil
}

// UnmarshalText reads kind/name; nothing is the zero Ref.
func (r *Ref) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*r = Ref{}
		return nil
	}
	ref, err := ParseRef(string(text))
	if err != nil {
		return err
	}
	*r = ref
	return nil
}

// ParseRef reads kind/name. The error says what a Ref looks like.
func ParseRef(s string) (Ref, error) {
	kind, name, ok := strings.Cut(s, "/")
	if !ok || name == "" || kind == "" {
		return Ref{}, fmt.Errorf("%q is not a reference such as link/sjo-mia", s)
	}
	for _, k := range Kinds {
		if string(k) == kind {
			return Ref{Kind: k, Name: name}, nil
		}
	}
	return Ref{}, fmt.Errorf("%q names no kind of object: site, link, server, service, trunk, destination, customer or vigia", kind)
}

// Pattern selects Refs: kind/glob, where * stands for any run of characters. A bare * selects everything.
type Pattern string

// Matches reports whether the pattern selects ref.
func (p Pattern) Matches(ref Ref) bool {
	if p == "*" || p == "" {
		return true
	}
	kind, glob, _ := strings.Cut(string(p), "/")
	return (kind == "*" || kind == string(ref.Kind)) && match(glob, ref.Name)
}

// Weight orders patterns from the general to the specific: more literal characters weigh more, and a pattern without a star more than any with one.
func (p Pattern) Weight() int {
	if p == "*" || p == "" {
		return 0
	}
	literal := len(p) - strings.Count(string(p), "*")
	if !strings.Contains(string(p), "*") {
		literal += 1 << 16
	}
	return literal
}

// match is a glob in which * stands for any run of characters; it never backtracks over more than one star.
func match(glob, name string) bool {
	star, mark := -1, 0
	g, n := 0, 0
	for n < len(name) {
		switch {
		case g < len(glob) && glob[g] == '*':
			star, mark = g, n
			g++
		case g < len(glob) && glob[g] == name[n]:
			g++
			n++
		case star >= 0:
			mark++
			g, n = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(glob[g:], "*") == ""
}
