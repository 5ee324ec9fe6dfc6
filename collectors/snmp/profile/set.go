package profile

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
)

// Profile is what is known about a kind of device.
type Profile struct {
	Name       string
	Title      string // for people
	Source     string // where the OIDs come from, and what is not verified
	Interfaces bool   // it has an IF-MIB
	Facts      map[string]string
	Metrics    []*Metric // in order of preference; inherited ones after own ones; sensor tables too
}

// generic is the profile of what no other matches.
const generic = "generic"

// Set is all profiles. It does not change.
type Set struct {
	byName   map[string]*Profile
	matches  []match // the most exact first
	fallback *Profile
}

// match is one way to recognise a kind of device.
type match struct {
	objectID string // without leading dot; empty: any
	arcs     int
	descr    *regexp.Regexp
	own      bool // of the operator
	profile  *Profile
}

// newSet puts matches in the order in which they are tried: longer OIDs first, of equally long ones those with a descr, then the operator's
// own, then by name.
func newSet(profiles map[string]*Profile, matches []match) *Set {
	s := &Set{byName: profiles, matches: matches, fallback: profiles[generic]}
	if s.fallback == nil {
		s.fallback = &Profile{Name: generic, Facts: map[string]string{}}
	}
	first := func(yes bool) int {
		if yes {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(s.matches, func(a, b match) int {
		return cmp.Or(
			cmp.Compare(b.arcs, a.arcs),
			cmp.Compare(first(a.descr != nil), first(b.descr != nil)),
			cmp.Compare(first(a.own), first(b.own)),
			strings.Compare(a.profile.Name, b.profile.Name),
		)
	})
	return s
}

// For chooses the profile of a device by its sysObjectID, with or without a leading dot, and its sysDescr. It is never nil.
func (s *Set) For(objectID, descr string) *Profile {
	id := bare(objectID)
	for i := range s.matches {
		m := &s.matches[i]
		if m.objectID != "" && !under(id, m.objectID) {
			continue
		}
		if m.descr == nil || m.descr.MatchString(descr) {
			return m.profile
		}
	}
	return s.fallback
}

// Named returns the profile of a name, or nil.
func (s *Set) Named(name string) *Profile { return s.byName[name] }

// Meant says which profile a name that nobody has was probably meant to be; empty when none is near.
func (s *Set) Meant(name string) string { return meant(name, s.Names()) }

// Names lists the names of all profiles in order.
func (s *Set) Names() []string {
	out := make([]string, 0, len(s.byName))
	for name := range s.byName {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}
