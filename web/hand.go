package web

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"vigia/alerting"
	"vigia/store"
)

// act is what a dialog about incidents does.
type act string

// The acts that share one dialog.
const (
	actTake    act = ""
	actComment act = "comment"
	actAssign  act = "assign"
	actSnooze  act = "snooze"
)

const (
	longestHold = 7 * 24 * time.Hour
	maxName     = 100
	peopleSince = 30 * 24 * time.Hour
	mostPeople  = 50
)

// handDialog shows the form by which an incident is given to somebody, or put off.
func (s *Server) handDialog(a act) func(*visit) error {
	return func(v *visit) error {
		in, err := s.incidentOfPath(v)
		if err != nil {
			return err
		}
		return s.showDecide(v, []alerting.Incident{in}, decideBody{Act: a})
	}
}

// hand gives an incident to somebody, or puts it off.
func (s *Server) hand(a act) func(*visit) error {
	return func(v *visit) error {
		in, err := s.incidentOfPath(v)
		if err != nil {
			return err
		}
		if err := v.readForm(); err != nil {
			return err
		}
		list := []alerting.Incident{in}
		body := decideBody{ID: v.r.PostForm.Get("id"), Act: a, Note: v.note(), Assignee: v.oneLine("assignee")}
		if utf8.RuneCountInString(body.Note) > maxNote {
			body.NoteError = v.t("ack.note_long", maxNote)
		}
		if a == actAssign && (body.Assignee == "" || utf8.RuneCountInString(body.Assignee) > maxName) {
			body.AssigneeError = v.t("assign.whom")
		}
		if seen := v.r.PostForm.Get("seen"); body.NoteError != "" || body.AssigneeError != "" || seen != "" && seen != ackMark(list) {
			return s.showDecide(v, list, body)
		}
		c := alerting.Command{ID: commandID(body.ID, 0), Kind: alerting.CommandAssign, IncidentID: in.ID, Note: body.Note, Assignee: body.Assignee}
		span := v.holds(&c)
		if a == actSnooze {
			c.Kind, c.Assignee = alerting.CommandSnooze, ""
		}
		if body.Error, err = s.command(v, c); err != nil {
			return err
		}
		if body.Error != "" {
			body.ID = ""
			return s.showDecide(v, list, body)
		}
		return s.done(v, v.handed(a, body.Assignee, span), incidentURL(in.ID)+"/unacknowledge", incidentURL(in.ID))
	}
}

// handed says what was done.
func (v *visit) handed(a act, to string, span time.Duration) string {
	switch {
	case a == actSnooze:
		return v.t("done.snoozed", v.brief(v.now.Add(span)))
	case span > 0:
		return v.t("done.assigned_until", to, v.brief(v.now.Add(span)))
	}
	return v.t("done.assigned", to)
}

// holds reads how long a decision holds and puts its end into the command; zero: as long as the policy says.
func (v *visit) holds(c *alerting.Command) time.Duration {
	span, err := time.ParseDuration(v.r.PostForm.Get("until"))
	if err != nil || span <= 0 || span > longestHold {
		return 0
	}
	c.Until = v.now.Add(span).UTC()
	return span
}

// oneLine reads a field of a form without what would break a line.
func (v *visit) oneLine(name string) string {
	return strings.Join(strings.Fields(strings.ToValidUTF8(v.r.PostForm.Get(name), "")), " ")
}

// people are whom an incident may be given to, as far as we have heard of them: who acts now, and who has acted lately.
func (s *Server) people(v *visit, w *world) ([]string, error) {
	list := []string{v.caller.Name}
	add := func(name string) {
		if name != "" && !slices.Contains(list, name) && len(list) < mostPeople {
			list = append(list, name)
		}
	}
	for i := range w.Incidents {
		if ack := w.Incidents[i].Ack; ack != nil {
			add(ack.By)
			add(ack.From)
		}
	}
	over := false
	past, err := s.cfg.Store.Incidents(v.ctx(), v.scope(), store.IncidentFilter{Live: &over, Since: v.now.Add(-peopleSince), Limit: 200})
	if err != nil {
		return nil, err
	}
	for i := range past {
		if ack := past[i].Ack; ack != nil {
			add(ack.By)
		}
	}
	slices.Sort(list)
	return list, nil
}
