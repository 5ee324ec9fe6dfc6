package web

import (
	"context"
	"strings"
	"time"

	"vigia/alerting"
)

// schedule is who may be on call; an empty one when nothing is configured.
func (s *Server) schedule() *alerting.Schedule {
	if s.cfg.Schedule == nil {
		return &alerting.Schedule{}
	}
	if schedule := s.cfg.Schedule(); schedule != nil {
		return schedule
	}
	return &alerting.Schedule{}
}

// teller says whom a level tells at an instant, by name. The overrides are read once, when the first level needs them; when they cannot be
// read, the names are those of the rotations.
func (s *Server) teller(ctx context.Context, now time.Time) func(*alerting.Incident, int, time.Time) []string {
	if s.cfg.Tells == nil {
		return nil
	}
	var overrides []alerting.Override
	read, failed := false, false
	return func(in *alerting.Incident, level int, at time.Time) []string {
		l := &in.Policy.Levels[level]
		if !standsForOthers(l) {
			return l.Notify
		}
		if !read {
			var err error
			overrides, err = s.cfg.Store.OnCallOverrides(ctx, now)
			read, failed = true, err != nil
		}
		if failed {
			return l.Notify
		}
		telling := s.cfg.Tells(in.Ref, &in.Policy, level, overrides, at)
		return telling.Shown
	}
}

// standsForOthers reports whether whom a level tells depends on the moment.
func standsForOthers(l *alerting.Level) bool {
	for _, name := range l.Notify {
		if strings.HasPrefix(name, alerting.OnCallPrefix) || strings.HasPrefix(name, alerting.PersonPrefix) {
			return true
		}
	}
	return len(l.AfterHours) > 0
}

// told is whom a level tells at an instant, by name where somebody is on call.
func (s *speaker) told(in *alerting.Incident, level int, at time.Time) []string {
	if s.who == nil {
		return in.Policy.Levels[level].Notify
	}
	if at.Before(s.now) {
		at = s.now
	}
	return s.who(in, level, at)
}

// toldAt is when a level of an incident is told next, as far as it is known; else now.
func (s *speaker) toldAt(in *alerting.Incident, level int) time.Time {
	if in.State != alerting.Open {
		return s.now
	}
	for _, r := range in.Escalation.Repeat {
		if r.Level == level {
			return r.At
		}
	}
	return in.Escalation.Base.Add(in.Policy.Levels[level].After)
}

// levelNames are whom a level names, in words.
func (s *speaker) levelNames(l *alerting.Level) []string {
	var out []string
	for _, name := range l.Notify {
		if rotation, ok := strings.CutPrefix(name, alerting.OnCallPrefix); ok {
			name = s.t("oncall.of", rotation)
		}
		out = append(out, strings.TrimPrefix(name, alerting.PersonPrefix))
	}
	return out
}
