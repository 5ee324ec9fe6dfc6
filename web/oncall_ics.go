package web

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"vigia/alerting"
	"vigia/store"
)

// calendarOf is the rotation that a file's name stands for: NAME.ics.
func (s *Server) calendarOf(file string) (*alerting.Rotation, error) {
	name, ok := strings.CutSuffix(file, ".ics")
	if r := s.schedule().Rotation(name); ok && r != nil {
		return r, nil
	}
	return nil, store.ErrNotFound
}

// Bounds of a calendar.
const (
	calendarPast  = 7 * 24 * time.Hour
	calendarAhead = 90 * 24 * time.Hour
	calendarGrid  = 91 * 24 * time.Hour
	foldAt        = 75 // octets in a line without its end (RFC 5545 §3.1)
)

// calendarSpan is what a calendar is made from. Its beginning lies on a grid, so that a stretch which began before it has the same beginning,
// and with it the same UID, each time it is asked for.
func calendarSpan(now time.Time) (from, to time.Time) {
	return now.UTC().Add(-calendarPast).Truncate(calendarGrid), now.UTC().Truncate(24 * time.Hour).Add(calendarAhead)
}

// calendar writes a rotation as iCalendar (RFC 5545).
func (s *Server) calendar(say *speaker, r *alerting.Rotation, overrides []alerting.Override, from, to time.Time) []byte {
	var c ics
	c.line("BEGIN", "VCALENDAR")
	c.line("VERSION", "2.0")
	c.line("PRODID", "-//Vigia//On call//EN")
	c.line("CALSCALE", "GREGORIAN")
	c.line("METHOD", "PUBLISH")
	c.text("NAME", say.t("oncall.calendar", r.Name))
	c.text("X-WR-CALNAME", say.t("oncall.calendar", r.Name))
	c.line("REFRESH-INTERVAL;VALUE=DURATION", "PT1H")
	notes := map[string]string{}
	for _, o := range overrides {
		notes[o.ID] = o.Note
	}
	for _, shift := range r.Shifts(from, to, overrides) {
		if shift.Person == "" || !shift.To.After(say.now.Add(-calendarPast)) {
			continue
		}
		c.line("BEGIN", "VEVENT")
		c.line("UID", eventUID(r.Name, shift.From))
		c.line("DTSTAMP", icsTime(say.now))
		c.line("DTSTART", icsTime(shift.From))
		c.line("DTEND", icsTime(shift.To))
		c.text("SUMMARY", say.t("oncall.event", shift.Person, r.Name))
		if why := strings.TrimSpace(say.layerWords(r, shift.Layer, shift.Override) + "\n" + notes[shift.Override]); why != "" {
			c.text("DESCRIPTION", why)
		}
		c.line("TRANSP", "TRANSPARENT")
		c.line("END", "VEVENT")
	}
	c.line("END", "VCALENDAR")
	return c.out
}

// eventUID names a stretch by its rotation and its beginning: no two begin at once, and one stays the same whoever takes it over.
func eventUID(rotation string, from time.Time) string {
	sum := sha256.Sum256([]byte(rotation + "\x00" + strconv.FormatInt(from.Unix(), 10)))
	return hex.EncodeToString(sum[:16]) + "@vigia"
}

func icsTime(t time.Time) string { return t.UTC().Format("20060102T150405Z") }

// ics is an iCalendar text in the making.
type ics struct{ out []byte }

// text writes a property of type TEXT (RFC 5545 §3.3.11).
func (c *ics) text(name, value string) {
	value = strings.ToValidUTF8(value, "?")
	value = strings.NewReplacer("\r\n", `\n`, "\n", `\n`, "\r", `\n`, `\`, `\\`, ";", `\;`, ",", `\,`).Replace(value)
	c.line(name, strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r == 0x7f {
			return -1
		}
		return r
	}, value))
}

// line writes one content line, folded so that no line is longer than 75 octets and no character is cut in two.
func (c *ics) line(name, value string) {
	rest, room := name+":"+value, foldAt
	for len(rest) > room {
		cut := room
		for !utf8.RuneStart(rest[cut]) {
			cut--
		}
		c.out = append(append(c.out, rest[:cut]...), "\r\n "...)
		rest, room = rest[cut:], foldAt-1 // the space counts
	}
	c.out = append(append(c.out, rest...), "\r\n"...)
}
