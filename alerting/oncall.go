package alerting

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"vigia/collectors/inventory"
)

// What stands before the name of a rotation or of a person where receivers are named.
const (
	OnCallPrefix = "oncall:"
	PersonPrefix = "person:"
)

// Person is somebody who can be on call.
type Person struct {
	Name      string
	Receivers []string
	Email     string // for people to read
	Phone     string // for people to read
}

// Schedule is who may be on call, and when it is business hours. It is immutable.
type Schedule struct {
	People    map[string]Person
	Rotations map[string]*Rotation
	Business  map[string]BusinessHours // by site
	// Anywhere are the business hours of what is at no site; of a customer in that customer's zone.
	Anywhere *BusinessHours
}

// Rotation finds a rotation by its name; nil when there is none.
func (s *Schedule) Rotation(name string) *Rotation {
	if s == nil {
		return nil
	}
	return s.Rotations[name]
}

// Names are the names of the rotations, in order.
func (s *Schedule) Names() []string {
	if s == nil {
		return nil
	}
	var list []string
	for name := range s.Rotations {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

// Telling is who is told when a level is told at an instant.
type Telling struct {
	Receivers []string // each once
	Shown     []string // who that is, for people: those on call by name, then the other receivers as they stand in the level
	After     bool     // it is not business hours, and the level has others for that
	OnCall    []Duty   // what stood for a rotation or a person
}

// Duty is what the name of a rotation or of a person stood for.
type Duty struct {
	Rotation string   // "" for a person who was named
	Person   string   // "": nobody was on call
	Missing  string   // a person who was to be told and whom the configuration does not know any more, or has no receiver of
	Instead  []string // receivers that are told because nobody can be
}

// reached reports whether a person is told, and not somebody instead.
func (d Duty) reached() bool { return d.Person != "" && d.Missing == "" }

// who names whoever is told: "ana (noc)", "ana", or the receivers that are told instead.
func (d Duty) who() string {
	switch {
	case !d.reached():
		return strings.Join(d.Instead, ", ")
	case d.Rotation == "":
		return d.Person
	}
	return d.Person + " (" + d.Rotation + ")"
}

// Tells is who is told when a level of a policy is told at an instant about an object. It never is nobody, as long as a rotation's otherwise, the policy's
// fallback or any of its levels names a receiver.
func (c *Config) Tells(ref inventory.Ref, policy *Policy, level int, overrides []Override, at time.Time) Telling {
	var t Telling
	l := &policy.Levels[level]
	list := l.Notify
	if len(l.AfterHours) > 0 && !c.business(ref, at) {
		list, t.After = l.AfterHours, true
	}
	for _, name := range list {
		switch {
		case name == AccountManager && c.Resolve != nil:
			t.add(name, c.Resolve(ref, name)...)
		case strings.HasPrefix(name, OnCallPrefix):
			t.duty(c.Schedule.onDuty(strings.TrimPrefix(name, OnCallPrefix), policy, overrides, at))
		case strings.HasPrefix(name, PersonPrefix):
			t.duty(c.Schedule.reach(Duty{Person: strings.TrimPrefix(name, PersonPrefix)}, nil, policy))
		default:
			t.add(name, name)
		}
	}
	return t
}

func (t *Telling) add(shown string, receivers ...string) {
	if len(receivers) > 0 && shown != "" {
		t.Shown = append(t.Shown, shown)
	}
	for _, r := range receivers {
		if !slices.Contains(t.Receivers, r) {
			t.Receivers = append(t.Receivers, r)
		}
	}
}

func (t *Telling) duty(d Duty, receivers []string) {
	t.OnCall = append(t.OnCall, d)
	t.add(d.who(), receivers...)
}

// onDuty is who is on call in a rotation, and the receivers that are told.
func (s *Schedule) onDuty(name string, policy *Policy, overrides []Override, at time.Time) (Duty, []string) {
	r := s.Rotation(name)
	if r == nil {
		return s.reach(Duty{Rotation: name}, nil, policy)
	}
	return s.reach(Duty{Rotation: name, Person: r.At(at, overrides).Person}, r.Otherwise, policy)
}

// reach finds the receivers of a duty's person, or those that are told because there is none.
func (s *Schedule) reach(d Duty, otherwise []string, policy *Policy) (Duty, []string) {
	if s != nil {
		if receivers := s.People[d.Person].Receivers; len(receivers) > 0 {
			return d, receivers
		}
	}
	d.Missing, d.Instead = d.Person, otherwise
	if len(d.Instead) == 0 {
		d.Instead = policy.lastResort()
	}
	return d, d.Instead
}

// lastResort are the receivers that are told when those that should be cannot: the fallback, or without one every receiver that any level names
// itself. A policy that is frozen in an incident may name people whom the configuration has lost since.
func (p *Policy) lastResort() []string {
	if p.Fallback != "" {
		return []string{p.Fallback}
	}
	var list []string
	for i := range p.Levels {
		for _, name := range slices.Concat(p.Levels[i].Notify, p.Levels[i].AfterHours) {
			if name != AccountManager && !strings.Contains(name, ":") && !slices.Contains(list, name) {
				list = append(list, name)
			}
		}
	}
	return list
}

// business reports whether it is business hours where an object is. Without configured business hours it always is.
func (c *Config) business(ref inventory.Ref, at time.Time) bool {
	if c.Schedule == nil {
		return true
	}
	if c.Inventory != nil {
		if hours, ok := c.Schedule.Business[c.Inventory.SiteOf(ref)]; ok {
			return hours.Open(at)
		}
	}
	if c.Schedule.Anywhere == nil {
		return true
	}
	hours := *c.Schedule.Anywhere
	if ref.Kind == inventory.KindCustomer && c.Inventory != nil {
		if customer := c.Inventory.Customer(ref.Name); customer != nil && customer.Timezone != nil && customer.Timezone != time.UTC {
			hours.Zone = customer.Timezone
		}
	}
	return hours.Open(at)
}

// byDecision orders overrides by when they were decided.
func byDecision(a, b Override) int {
	return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID))
}
