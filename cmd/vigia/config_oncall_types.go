package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
)

// PersonSpec is one entry of people.
type PersonSpec struct {
	Name      string   `yaml:"name" need:"yes" is:"word"`
	Receivers []string `yaml:"receivers"`
	Email     string   `yaml:"email" is:"email"`
	Phone     string   `yaml:"phone" is:"label"`
	Language  string   `yaml:"language" enum:"en es"`
}

func (p *PersonSpec) setDefaults() { p.Language = string(collectors.English) }

// RotationSpec is one entry of rotations.
type RotationSpec struct {
	Name      string      `yaml:"name" need:"yes" is:"word"`
	Timezone  string      `yaml:"timezone" need:"yes" is:"timezone"`
	Layers    []LayerSpec `yaml:"layers" need:"yes"`
	Otherwise []string    `yaml:"otherwise"`
}

// LayerSpec is one layer of a rotation.
type LayerSpec struct {
	Name     string      `yaml:"name" is:"label"`
	People   []string    `yaml:"people" need:"yes"`
	Starts   string      `yaml:"starts" need:"yes" is:"date"`
	Shift    string      `yaml:"shift" is:"shift"`
	HandOver string      `yaml:"hand_over" is:"clock"`
	Weekday  string      `yaml:"weekday" enum:"mon tue wed thu fri sat sun"`
	Hours    []HoursSpec `yaml:"hours"`
}

func (s *LayerSpec) setDefaults() { s.Shift, s.HandOver = "weekly", "09:00" }

// HoursSpec are times of the week.
type HoursSpec struct {
	Days string `yaml:"days" is:"days"`
	From string `yaml:"from" is:"clock"`
	To   string `yaml:"to" is:"clock_end"`
}

func (h *HoursSpec) setDefaults() { h.Days, h.From, h.To = "mon-sun", "00:00", "24:00" }

// BusinessSpec are business hours: of all, or of one site.
type BusinessSpec struct {
	Timezone string   `yaml:"timezone" is:"timezone"`
	Days     string   `yaml:"days" is:"days"`
	From     string   `yaml:"from" is:"clock"`
	To       string   `yaml:"to" is:"clock_end"`
	Holidays []string `yaml:"holidays" is:"date"`
}

func (b *BusinessSpec) setDefaults() { b.Days, b.From, b.To = "mon-fri", "08:00", "18:00" }

const (
	dateLayout = "2006-01-02"
	dayLength  = 24 * time.Hour
)

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"} // in the order of time.Weekday

func dateForm(s string) (string, string) {
	if t, err := time.Parse(dateLayout, s); err == nil && t.Year() >= 2000 && t.Year() < 2200 {
		return "", ""
	}
	return fmt.Sprintf("%q is not a day", s), "year-month-day, such as 2026-12-25"
}

func shiftForm(s string) (string, string) {
	if _, ok := shiftLength(s); ok {
		return "", ""
	}
	return fmt.Sprintf("%q is not the length of a shift", s), "daily, weekly, or whole minutes from 1h to 12w, such as 12h"
}

// shiftLength is how long a shift is by the clock.
func shiftLength(s string) (time.Duration, bool) {
	switch s {
	case "daily":
		return dayLength, true
	case "weekly":
		return 7 * dayLength, true
	}
	d, err := inventory.ParseDuration(s)
	return d, err == nil && d >= time.Hour && d <= 84*dayLength && d%time.Minute == 0
}

func clockEndForm(s string) (string, string) {
	if s == "24:00" {
		return "", ""
	}
	message, _ := clockForm(s)
	if message == "" {
		return "", ""
	}
	return message, `from "00:00" to "24:00", in quotes; not after from: it ends on the next day`
}

func daysForm(s string) (string, string) {
	if _, ok := daysOf(s); ok {
		return "", ""
	}
	return fmt.Sprintf("%q are not days of the week", s), "such as mon-fri, or mon, wed, sat-sun"
}

// daysOf reads days and stretches of days; a stretch may go over the end of the week.
func daysOf(s string) (set [7]bool, ok bool) {
	for part := range strings.SplitSeq(s, ",") {
		from, to, stretch := strings.Cut(strings.TrimSpace(part), "-")
		if !stretch {
			to = from
		}
		first, last := slices.Index(weekdays, from), slices.Index(weekdays, to)
		if first < 0 || last < 0 {
			return set, false
		}
		for d := first; ; d = (d + 1) % 7 {
			set[d] = true
			if d == last {
				break
			}
		}
	}
	return set, true
}

// sinceMidnight is a time of day that was checked.
func sinceMidnight(s string) time.Duration {
	var hour, minute int
	if _, err := fmt.Sscanf(s, "%d:%d", &hour, &minute); err != nil {
		return 0
	}
	return time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute
}

func dateOf(s string) time.Time {
	t, err := time.Parse(dateLayout, s)
	if err != nil {
		return time.Time{}
	}
	return t
}

func (h *HoursSpec) build() alerting.Hours {
	out := alerting.Hours{From: sinceMidnight(h.From), To: sinceMidnight(h.To)}
	out.Days, _ = daysOf(h.Days)
	return out
}

func (b *BusinessSpec) build(where *time.Location) alerting.BusinessHours {
	out := alerting.BusinessHours{Zone: where, Hours: (&HoursSpec{b.Days, b.From, b.To}).build()}
	if b.Timezone != "" {
		out.Zone = zone(b.Timezone)
	}
	for _, date := range b.Holidays {
		out.Holidays = append(out.Holidays, dateOf(date))
	}
	return out
}

func (s *LayerSpec) build(n int) alerting.Layer {
	out := alerting.Layer{Name: s.Name, People: s.People, Starts: dateOf(s.Starts).Add(sinceMidnight(s.HandOver))}
	if out.Name == "" {
		out.Name = fmt.Sprintf("%d", n+1)
	}
	out.Length, _ = shiftLength(s.Shift)
	if day := slices.Index(weekdays, s.Weekday); day >= 0 {
		back := (int(out.Starts.Weekday()) - day + 7) % 7
		out.Anchor = out.Starts.AddDate(0, 0, -back)
	}
	for i := range s.Hours {
		out.Hours = append(out.Hours, s.Hours[i].build())
	}
	return out
}

func (r *RotationSpec) build() *alerting.Rotation {
	out := &alerting.Rotation{Name: r.Name, Zone: zone(r.Timezone), Otherwise: r.Otherwise}
	for i := range r.Layers {
		out.Layers = append(out.Layers, r.Layers[i].build(i))
	}
	return out
}

// Schedule is who may be on call, and when it is business hours.
func (c *Config) Schedule() *alerting.Schedule {
	s := &alerting.Schedule{People: map[string]alerting.Person{}, Rotations: map[string]*alerting.Rotation{}, Business: map[string]alerting.BusinessHours{}}
	for i := range c.People {
		p := &c.People[i]
		s.People[p.Name] = alerting.Person{Name: p.Name, Receivers: c.receiversOf(p), Email: p.Email, Phone: p.Phone}
	}
	for i := range c.Rotations {
		s.Rotations[c.Rotations[i].Name] = c.Rotations[i].build()
	}
	for i := range c.Sites {
		site := &c.Sites[i]
		hours := site.BusinessHours
		if hours == nil {
			hours = c.BusinessHours
		}
		if hours == nil {
			continue
		}
		built := hours.build(zone(site.Timezone))
		if site.Timezone != "" && site.BusinessHours == nil {
			built.Zone = zone(site.Timezone) // the general hours hold by the site's own clock
		}
		s.Business[site.Name] = built
	}
	if c.BusinessHours != nil {
		anywhere := c.BusinessHours.build(time.UTC)
		s.Anywhere = &anywhere
	}
	return s
}

// receiversOf are a person's receivers: those of the file, or the one that is made of the address.
func (c *Config) receiversOf(p *PersonSpec) []string {
	if len(p.Receivers) == 0 && p.Email != "" {
		return []string{personReceiver + p.Name}
	}
	return p.Receivers
}

// personReceiver begins the name of the receiver that is made of a person's address.
const personReceiver = "person_"
