package alertingtest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"vigia/alerting"
	"vigia/collectors"
)

// onCallLine takes one setup line about who is on call. It reports whether the line is one.
func (s *Setup) onCallLine(words []string, text string) (bool, error) {
	switch words[0] {
	case "person":
		s.schedule().People[words[1]] = alerting.Person{Name: words[1], Receivers: words[2:]}
		return true, nil
	case "rotation":
		return true, s.rotation(text)
	case "business":
		hours, err := hoursOf(words[1:])
		s.schedule().Anywhere = &alerting.BusinessHours{Hours: hours}
		return true, err
	}
	return false, nil
}

// schedule is a copy that no configuration has yet.
func (s *Setup) schedule() *alerting.Schedule {
	next := &alerting.Schedule{People: map[string]alerting.Person{}, Rotations: map[string]*alerting.Rotation{}}
	if s.Schedule != nil {
		next.Anywhere = s.Schedule.Anywhere
		for name, p := range s.Schedule.People {
			next.People[name] = p
		}
		for name, r := range s.Schedule.Rotations {
			next.Rotations[name] = r
		}
	}
	s.Schedule = next
	return next
}

// rotation reads: rotation NAME | LAYER PERSON... every D [hours FROM TO] | otherwise R...
func (s *Setup) rotation(text string) error {
	parts := strings.Split(text, "|")
	r := &alerting.Rotation{Name: strings.Fields(parts[0])[1]}
	for _, part := range parts[1:] {
		w := strings.Fields(part)
		if w[0] == "otherwise" {
			r.Otherwise = w[1:]
			continue
		}
		every := slices.Index(w, "every")
		if every < 2 || every+1 >= len(w) {
			return fmt.Errorf("a layer is: NAME PERSON... every DURATION")
		}
		length, err := time.ParseDuration(w[every+1])
		if err != nil {
			return err
		}
		l := alerting.Layer{Name: w[0], People: w[1:every], Starts: Start, Length: length}
		if rest := w[every+2:]; len(rest) == 3 && rest[0] == "hours" {
			hours, err := hoursOf(rest[1:])
			if err != nil {
				return err
			}
			l.Hours = []alerting.Hours{hours}
		}
		r.Layers = append(r.Layers, l)
	}
	s.schedule().Rotations[r.Name] = r
	return nil
}

// hoursOf reads: FROM TO, from Monday to Friday, since midnight.
func hoursOf(w []string) (h alerting.Hours, err error) {
	for day := time.Monday; day <= time.Friday; day++ {
		h.Days[day] = true
	}
	if h.From, err = time.ParseDuration(w[0]); err == nil {
		h.To, err = time.ParseDuration(w[1])
	}
	return h, err
}

// decideOnCall reads: override ROTATION PERSON from D to D by WHO, cancel override by WHO, or handover ROTATION by WHO "NOTE".
func (s *story) decideOnCall(st step) error {
	w := st.words
	c := alerting.Command{Actor: w[len(w)-1], OnCall: &alerting.OnCallOrder{}}
	var err error
	switch w[0] {
	case "override":
		c.Kind, c.OnCall.Rotation, c.OnCall.Person = alerting.CommandOverride, w[1], w[2]
		if c.OnCall.From, err = s.passedAt(w[4]); err == nil {
			c.OnCall.To, err = s.passedAt(w[6])
		}
	case "cancel":
		c.Kind, c.OnCall.Override = alerting.CommandOverrideCancel, s.override
	case "handover":
		c.Kind, c.OnCall.Rotation, c.Actor = alerting.CommandHandoverNote, w[1], w[3]
		_, after, _ := strings.Cut(st.text, `"`)
		c.Note, _, _ = strings.Cut(after, `"`)
	}
	if err != nil {
		return err
	}
	s.last = s.world.Command(c).ID
	if w[0] == "override" {
		s.override = s.last
	}
	return nil
}

func (s *story) passedAt(text string) (time.Time, error) {
	d, err := time.ParseDuration(text)
	return s.world.At(d), err
}

// expectSays looks for an event of now with these words.
func (s *story) expectSays(words []string) error {
	want := strings.Join(words, " ")
	var said []string
	for _, e := range s.world.Memory.Events {
		if s.world.Now.Sub(e.At) <= stepTime {
			text := alerting.EngineWords.Say(collectors.English, e.Text)
			if text == want {
				return nil
			}
			said = append(said, text)
		}
	}
	return fmt.Errorf("what is said is %q", said)
}

// applyOnCall takes what a Change says of who is on call.
func (m *Memory) applyOnCall(c alerting.Change) {
	for _, o := range c.Overrides {
		m.next.Overrides = slices.DeleteFunc(slices.Clone(m.next.Overrides), func(old alerting.Override) bool { return old.ID == o.ID })
		if o.CancelledAt.IsZero() {
			m.next.Overrides = append(m.next.Overrides, o)
		}
	}
	if len(c.Overrides) > 0 {
		m.next.Overrides = slices.DeleteFunc(m.next.Overrides, func(o alerting.Override) bool { return !o.To.After(c.At.Add(-24 * time.Hour)) })
	}
	if len(m.next.Overrides) == 0 {
		m.next.Overrides = nil
	}
	slices.SortFunc(m.next.Overrides, func(a, b alerting.Override) int { return a.At.Compare(b.At) })
	m.Handovers = append(m.Handovers, c.Handovers...)
}
