package web

import (
	"time"

	"vigia/alerting"
)

// onCallSpan is how far ahead the page looks.
const onCallDays = 14

// onCallBody is what the page of who is on call shows.
type onCallBody struct {
	Rotations []rotationPart
	Overrides []overrideRow
	Notes     []noteRow
	Form      overrideForm
	NoteError string
	NoteID    string
	Note      string
	NoteOf    string
	Zone      string
}

// rotationPart is one rotation: who has it now, what comes, and the strip of two weeks.
type rotationPart struct {
	Name      string
	Zone      string
	Person    string // "": nobody
	Why       string // the layer or the override
	Until     string
	Next      string
	Contact   []string
	Otherwise string // who is told while nobody is on call
	Strip     strip
	Soon      []shiftRow
	All       []shiftRow
	ICS       string
}

// shiftRow is one stretch of time in words.
type shiftRow struct {
	From, To, Person, Why string
	Override, Gap, Now    bool
}

// overrideRow is an override that holds.
type overrideRow struct {
	ID, Rotation, Person, From, To, By, Note string
	Running                                  bool
}

// noteRow is a note for the hand-over.
type noteRow struct{ Rotation, By, At, Note string }

// mostNotes is how many notes the page shows.
const mostNotes = 20

// onCallRoutes are the routes about who is on call.
func (s *Server) onCallRoutes() []route {
	return []route{
		{pattern: "GET /oncall", policy: mayLook, page: s.onCall},
		{pattern: "GET /oncall/{file}", policy: mayLook, page: s.onCallCalendar},
		{pattern: "GET /oncall/override", policy: mayDecide, page: s.overridePreview},
		{pattern: "POST /oncall/override", policy: mayDecide, page: s.overrideMake},
		{pattern: "POST /oncall/override/cancel", policy: mayDecide, page: s.overrideCancel},
		{pattern: "POST /oncall/note", policy: mayDecide, page: s.handoverNote},
	}
}

func (s *Server) onCall(v *visit) error {
	return s.showOnCall(v, onCallBody{Form: s.emptyOverride(v)})
}

// showOnCall shows the page; body holds what the person has typed so far.
func (s *Server) showOnCall(v *visit, body onCallBody) error {
	w, err := s.world(v.ctx(), v.scope())
	if err != nil {
		return err
	}
	overrides, err := s.cfg.Store.OnCallOverrides(v.ctx(), v.now)
	if err != nil {
		return err
	}
	notes, err := s.cfg.Store.HandoverNotes(v.ctx(), "", mostNotes)
	if err != nil {
		return err
	}
	body.Zone = v.zone.String()
	schedule := s.schedule()
	for _, name := range schedule.Names() {
		body.Rotations = append(body.Rotations, v.rotationPart(schedule, schedule.Rotation(name), overrides))
	}
	for _, o := range overrides {
		body.Overrides = append(body.Overrides, overrideRow{
			ID: o.ID, Rotation: o.Rotation, Person: o.Person, From: v.weekdayClock(o.From), To: v.weekdayClock(o.To), By: o.By, Note: o.Note, Running: !o.From.After(v.now),
		})
	}
	for _, n := range notes {
		body.Notes = append(body.Notes, noteRow{n.Rotation, n.By, v.weekdayClock(n.At), n.Note})
	}
	if body.NoteID == "" {
		body.NoteID = commandID("", 0)
	}
	f := s.framed(v, w, "oncall", "oncall", v.t("nav.oncall"))
	f.Body = body
	return s.show(v, 200, f)
}

func (v *visit) rotationPart(schedule *alerting.Schedule, r *alerting.Rotation, overrides []alerting.Override) rotationPart {
	now := r.At(v.now, overrides)
	part := rotationPart{Name: r.Name, Zone: r.Zone.String(), Person: now.Person, ICS: "/oncall/" + r.Name + ".ics", Until: v.t("oncall.always")}
	part.Why = v.layerWords(r, now.Layer, now.Override)
	if !now.Until.IsZero() {
		part.Until, part.Next = v.t("oncall.until", v.weekdayClock(now.Until)), v.personWords(now.Next)
	}
	if now.Person == "" {
		part.Otherwise = v.t("oncall.fallback")
		if len(r.Otherwise) > 0 {
			part.Otherwise = joinWords(r.Otherwise)
		}
	}
	if p, ok := schedule.People[now.Person]; ok {
		for _, text := range []string{p.Phone, p.Email, joinWords(p.Receivers)} {
			if text != "" {
				part.Contact = append(part.Contact, text)
			}
		}
	}
	begin := v.midnight(0)
	shifts := r.Shifts(begin, v.midnight(onCallDays), overrides)
	part.Strip = v.strip(r, shifts)
	for _, s := range shifts {
		if s.To.After(v.now) {
			part.All = append(part.All, v.shiftRow(r, s))
		}
	}
	part.Soon = part.All[:min(len(part.All), mostSoon)]
	return part
}

// mostSoon is how many stretches stand on the page at once.
const mostSoon = 5

func (v *visit) shiftRow(r *alerting.Rotation, s alerting.Shift) shiftRow {
	return shiftRow{
		From: v.weekdayClock(s.From), To: v.weekdayClock(s.To), Person: v.personWords(s.Person), Why: v.layerWords(r, s.Layer, s.Override),
		Override: s.Override != "", Gap: s.Person == "", Now: !s.From.After(v.now),
	}
}

// personWords is a person's name, or that there is nobody.
func (s *speaker) personWords(name string) string {
	if name == "" {
		return s.t("oncall.nobody")
	}
	return name
}

// layerWords says where a person comes from. The only layer of a rotation needs no words.
func (s *speaker) layerWords(r *alerting.Rotation, layer, override string) string {
	switch {
	case override != "":
		return s.t("oncall.is_override")
	case len(r.Layers) > 1:
		return layer
	}
	return ""
}

// midnight is the beginning of a day in the reader's zone, so many days from today.
func (s *speaker) midnight(days int) time.Time {
	local := s.now.In(s.zone)
	return time.Date(local.Year(), local.Month(), local.Day()+days, 0, 0, 0, 0, s.zone)
}

// weekdayClock writes an instant with its day of the week: Mon 30 Nov 09:00.
func (s *speaker) weekdayClock(at time.Time) string {
	local := at.In(s.zone)
	return s.t("oncall.at", s.weekdayShort(local), local.Day(), s.t("month."+local.Month().String()), local.Format("15:04"))
}

func (s *speaker) weekdayShort(at time.Time) string {
	return s.t("weekday.short." + at.Weekday().String())
}

func joinWords(list []string) string {
	text := ""
	for i, one := range list {
		if i > 0 {
			text += ", "
		}
		text += one
	}
	return text
}
