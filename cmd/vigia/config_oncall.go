package main

import (
	"maps"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"vigia/alerting"
)

// onCall looks at people and rotations: names, receivers, and times at which nobody would be on call.
func (l *loader) onCall(cfg *Config, known map[string]int) {
	people, rotations := map[string]int{}, map[string]int{}
	for i := range cfg.People {
		p := &cfg.People[i]
		l.once(&p.Name, "person", "duplicate-person", people)
		for j := range p.Receivers {
			l.receiverExists(&p.Receivers[j], known)
		}
		l.personReachable(cfg, p)
	}
	for i := range cfg.Rotations {
		r := &cfg.Rotations[i]
		l.once(&r.Name, "rotation", "duplicate-rotation", rotations)
		for j := range r.Otherwise {
			l.receiverExists(&r.Otherwise[j], known)
		}
		for j := range r.Layers {
			l.rotationLayer(&r.Layers[j], people)
		}
	}
	for i := range cfg.PolicySpecs {
		for j := range cfg.PolicySpecs[i].Levels {
			l.levelOnCall(cfg, &cfg.PolicySpecs[i].Levels[j], people, rotations)
		}
	}
	if len(l.errs) == 0 {
		l.gaps(cfg)
	}
}

// once notes a name that is there twice.
func (l *loader) once(name *string, what, rule string, first map[string]int) {
	n := l.at[name]
	if n == nil || *name == "" {
		return
	}
	if line := first[*name]; line > 0 {
		l.problem(n, rule, "", "the %s %q is there twice, first in line %d", what, *name, line)
		return
	}
	first[*name] = n.Line
}

// personReachable makes the receiver of a person who has only an address, and refuses one who has neither.
func (l *loader) personReachable(cfg *Config, p *PersonSpec) {
	switch {
	case len(p.Receivers) > 0 || p.Name == "":
		return
	case p.Email == "":
		l.problem(l.where(&p.Name, p), "person-without-receivers", "give receivers: [NAME], or email", "the person %s has no receivers: nobody could be told", p.Name)
		return
	}
	kind := l.receiver["email"]
	if kind == nil || child(l.mail, "smtp") == nil || child(l.mail, "from") == nil {
		l.problem(l.at[&p.Email], "person-without-mail", "give mail: {smtp: …, from: …}, or receivers",
			"the person %s is told by e-mail, and the section mail does not say how", p.Name)
		return
	}
	if n := l.at[&p.Email]; n != nil {
		r := l.addressed(kind, n, p.Email)
		r.Name, r.Language = personReceiver+p.Name, p.Language
		cfg.managers = append(cfg.managers, r)
	}
}

func (l *loader) rotationLayer(s *LayerSpec, people map[string]int) {
	for i := range s.People {
		l.named(&s.People[i], s.People[i], "unknown-person", "person", people)
	}
	length, ok := shiftLength(s.Shift)
	if ok && s.Weekday != "" && length%(7*dayLength) != 0 {
		l.problem(l.at[&s.Weekday], "weekday-of-shift", "leave weekday out, or give shift: weekly", "with shift: %s hand-overs are not on one day of the week", s.Shift)
	}
}

// named notes a name that is not among the known ones.
func (l *loader) named(at *string, name, rule, what string, known map[string]int) {
	if n := l.at[at]; n != nil && name != "" && known[name] == 0 {
		hint := meant(name, slices.Collect(maps.Keys(known)))
		if hint == "" {
			hint = "add it under " + map[string]string{"person": "people", "rotation": "rotations"}[what]
		}
		l.problem(n, rule, hint, "there is no %s called %q", what, name)
	}
}

// levelOnCall looks at the rotations and people that a level names, and at what it does after hours.
func (l *loader) levelOnCall(cfg *Config, level *LevelSpec, people, rotations map[string]int) {
	for _, list := range [][]string{level.Notify, level.AfterHours} {
		for i := range list {
			if name, ok := strings.CutPrefix(list[i], alerting.OnCallPrefix); ok {
				l.named(&list[i], name, "unknown-rotation", "rotation", rotations)
			} else if name, ok := strings.CutPrefix(list[i], alerting.PersonPrefix); ok {
				l.named(&list[i], name, "unknown-person", "person", people)
			}
		}
	}
	if len(level.AfterHours) > 0 && !cfg.hasBusinessHours() {
		l.problem(l.at[&level.AfterHours], "no-business-hours", `add business_hours: {days: mon-fri, from: "08:00", to: "18:00"}`,
			"nothing says when the business hours are that notify_after_hours is about")
	}
}

func (c *Config) hasBusinessHours() bool {
	return c.BusinessHours != nil || slices.ContainsFunc(c.Sites, func(s SiteSpec) bool { return s.BusinessHours != nil })
}

// gapSpan is how long a rotation is followed to find times at which nobody is on call: a year and a week, so that both clocks' changes are in it.
const gapSpan = 372 * dayLength

// gaps says where nobody is on call, and refuses a policy that then would tell nobody.
func (l *loader) gaps(cfg *Config) {
	for i := range cfg.Rotations {
		r := &cfg.Rotations[i]
		gap := firstGap(r.build())
		if gap == nil {
			continue
		}
		instead := "the policy's fallback"
		if len(r.Otherwise) > 0 {
			instead = strings.Join(r.Otherwise, ", ")
		}
		where := zone(r.Timezone)
		l.notice(l.at[&r.Name], "rotation-gap", "in rotation %s nobody is on call at times, such as from %s to %s; %s is told then",
			r.Name, gap.From.In(where).Format("Mon 2006-01-02 15:04"), gap.To.In(where).Format("Mon 2006-01-02 15:04"), instead)
		if len(r.Otherwise) == 0 {
			l.silentGap(cfg, r.Name)
		}
	}
}

// firstGap is the first time, once all layers have begun, at which nobody is on call; nil when there is none.
func firstGap(r *alerting.Rotation) *alerting.Shift {
	var begin time.Time
	for _, layer := range r.Layers {
		if layer.Starts.After(begin) {
			begin = layer.Starts
		}
	}
	begin = begin.Add(2 * dayLength) // whatever the zone
	list := r.Shifts(begin, begin.Add(gapSpan), nil)
	for i := 1; i < len(list); i++ {
		if list[i].Person == "" {
			return &list[i] // one that is seen from its beginning
		}
	}
	if list[0].Person == "" {
		return &list[0]
	}
	return nil
}

// silentGap refuses policies that name a rotation with gaps and have nobody else to tell.
func (l *loader) silentGap(cfg *Config, rotation string) {
	for i := range cfg.PolicySpecs {
		p := &cfg.PolicySpecs[i]
		if at := l.rotationUse(p, rotation); at != nil && p.Fallback == "" {
			l.problem(at, "nobody-told", "give the rotation otherwise: [RECEIVER], or the policy a fallback",
				"the rotation %s has times at which nobody is on call, and policy %s has nobody to tell then", rotation, p.Name)
		}
	}
}

// rotationUse is where a policy names a rotation, or nil.
func (l *loader) rotationUse(p *PolicySpec, rotation string) *yaml.Node {
	for i := range p.Levels {
		for _, list := range [][]string{p.Levels[i].Notify, p.Levels[i].AfterHours} {
			for j := range list {
				if list[j] == alerting.OnCallPrefix+rotation {
					return l.at[&list[j]]
				}
			}
		}
	}
	return nil
}

// standsFor reports whether a name in a level is not that of a receiver of the file.
func standsFor(name string) bool {
	return name == alerting.AccountManager || strings.HasPrefix(name, alerting.OnCallPrefix) || strings.HasPrefix(name, alerting.PersonPrefix)
}

// useOnCall marks the receivers of people, and those that rotations tell when nobody is on call.
func useOnCall(cfg *Config, used map[string]bool) {
	for i := range cfg.People {
		for _, name := range cfg.People[i].Receivers {
			used[name] = true
		}
	}
	for i := range cfg.Rotations {
		for _, name := range cfg.Rotations[i].Otherwise {
			used[name] = true
		}
	}
}
