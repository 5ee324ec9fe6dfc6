package web

import (
	"strconv"
	"strings"
	"time"

	"vigia/alerting"
)

// recurs says when the windows of a recurring maintenance begin and how long they last, by its own clock.
func (s *speaker) recurs(r *alerting.Recurrence) string {
	code, days := "mute.every", s.t("mute.day")
	if len(r.Days) > 0 {
		var names []string
		for _, d := range r.Days {
			names = append(names, s.t("weekday."+d.String()))
		}
		days = s.listed(names)
	}
	switch {
	case r.Nth != 0 && len(r.Days) == 0:
		code, days = "mute.week."+nth(r.Nth), ""
	case r.Nth != 0:
		code = "mute.nth." + nth(r.Nth)
	}
	return s.t("mute.recurs", s.t(code, days), r.At, s.span(r.For), r.Zone)
}

// nth is the last part of the code of a week of the month.
func nth(n int) string {
	if n < 0 {
		return "last"
	}
	return strconv.Itoa(n)
}

// listed joins names as a sentence does.
func (s *speaker) listed(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	last := len(names) - 1
	return s.t("mute.and", strings.Join(names[:last], ", "), names[last])
}

// stretch writes from when to when, in the reader's zone; what lies before now and has begun says only its end.
func (s *speaker) stretch(from, until time.Time) string {
	if until.IsZero() {
		return s.t("mute.from", s.brief(from))
	}
	end := s.brief(until)
	if a, b := from.In(s.zone), until.In(s.zone); a.YearDay() == b.YearDay() && a.Year() == b.Year() {
		end = b.Format("15:04")
	}
	return s.t("mute.stretch", s.brief(from), end)
}

// bounds says between when a recurring maintenance has windows; "" when it has no bounds that matter.
func (s *speaker) bounds(m *alerting.Mute) string {
	switch {
	case !m.Until.IsZero() && m.From.After(s.now):
		return s.t("mute.bounds", s.day(m.From), s.day(m.Until))
	case !m.Until.IsZero():
		return s.t("mute.bound_end", s.day(m.Until))
	case m.From.After(s.now):
		return s.t("mute.from", s.day(m.From))
	}
	return ""
}
