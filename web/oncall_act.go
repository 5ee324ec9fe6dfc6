package web

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"vigia/alerting"
)

// overrideForm is what a person asks for: who takes the place of whoever would be on call.
type overrideForm struct {
	ID                         string // of the command: sent twice, it is one
	Rotation, Person, From, To string
	Note                       string
	Rotations, People          []string
	Error                      string
	Zone                       string
}

// previewBody is what an override would change.
type previewBody struct {
	overrideForm
	Title  string
	Before []shiftRow
	After  []shiftRow
	Same   bool // it would change nothing
}

// emptyOverride offers eight hours from the next full hour on, or what the address says.
func (s *Server) emptyOverride(v *visit) overrideForm {
	f := s.overrideChoices(v)
	q := v.r.URL.Query()
	f.Rotation, f.Person, f.Note = q.Get("rotation"), q.Get("person"), q.Get("note")
	next := v.now.In(v.zone).Truncate(time.Hour).Add(time.Hour)
	f.From, f.To = next.Format(fieldTime), next.Add(8*time.Hour).Format(fieldTime)
	if q.Has("from") {
		f.From, f.To = q.Get("from"), q.Get("to")
	}
	return f
}

func (s *Server) overrideChoices(v *visit) overrideForm {
	schedule := s.schedule()
	f := overrideForm{Zone: v.zone.String(), Rotations: schedule.Names()}
	for name := range schedule.People {
		f.People = append(f.People, name)
	}
	slices.Sort(f.People)
	return f
}

// order reads what the form says; the text says what is wrong with it.
func (f *overrideForm) order(v *visit) (order alerting.OnCallOrder, wrong string) {
	order.Rotation, order.Person = f.Rotation, f.Person
	var err1, err2 error
	order.From, err1 = time.ParseInLocation(fieldTime, f.From, v.zone)
	order.To, err2 = time.ParseInLocation(fieldTime, f.To, v.zone)
	switch {
	case !slices.Contains(f.Rotations, f.Rotation) || !slices.Contains(f.People, f.Person):
		return order, v.t("oncall.choose")
	case errors.Join(err1, err2) != nil:
		return order, v.t("oncall.bad_time")
	case !order.To.After(order.From):
		return order, v.t("oncall.bad_order")
	case !order.To.After(v.now):
		return order, v.t("oncall.past")
	case order.To.Sub(order.From) > alerting.LongestOverride:
		return order, v.t("oncall.too_long", int(alerting.LongestOverride.Hours()/24))
	case len([]rune(f.Note)) > maxNote:
		return order, v.t("ack.note_long", maxNote)
	}
	return order, ""
}

// overridePreview shows what an override would change, and asks.
func (s *Server) overridePreview(v *visit) error {
	form := s.emptyOverride(v)
	order, wrong := form.order(v)
	if wrong != "" {
		form.Error = wrong
		return s.showOnCall(v, onCallBody{Form: form})
	}
	return s.showPreview(v, form, order)
}

func (s *Server) showPreview(v *visit, form overrideForm, order alerting.OnCallOrder) error {
	w, err := s.world(v.ctx(), v.scope())
	if err != nil {
		return err
	}
	overrides, err := s.cfg.Store.OnCallOverrides(v.ctx(), v.now)
	if err != nil {
		return err
	}
	if form.ID == "" {
		form.ID = commandID("", 0)
	}
	r := s.schedule().Rotation(order.Rotation)
	body := previewBody{overrideForm: form, Title: v.t("oncall.preview", order.Person, order.Rotation), Same: true}
	with := append(slices.Clone(overrides), alerting.Override{
		ID: form.ID, Rotation: order.Rotation, Person: order.Person, From: order.From, To: order.To, At: v.now.Add(time.Hour), // after all that was decided
	})
	from, to := order.From.Add(-around), order.To.Add(around)
	for _, shift := range r.Shifts(from, to, overrides) {
		body.Before = append(body.Before, v.shiftRow(r, shift))
		body.Same = body.Same && (shift.Person == order.Person || !shift.From.Before(order.To) || !shift.To.After(order.From))
	}
	for _, shift := range r.Shifts(from, to, with) {
		body.After = append(body.After, v.shiftRow(r, shift))
	}
	f := s.framed(v, w, "override", "oncall", body.Title)
	f.Body = body
	return s.show(v, 200, f)
}

// around is how much before and after an override its preview shows.
const around = 12 * time.Hour

// overrideMake posts the command.
func (s *Server) overrideMake(v *visit) error {
	if err := v.readForm(); err != nil {
		return err
	}
	form := s.overrideChoices(v)
	p := v.r.PostForm
	form.ID, form.Rotation, form.Person, form.From, form.To, form.Note = p.Get("id"), p.Get("rotation"), p.Get("person"), p.Get("from"), p.Get("to"), v.note()
	order, wrong := form.order(v)
	if wrong == "" {
		var err error
		wrong, err = s.command(v, alerting.Command{ID: commandID(form.ID, 0), Kind: alerting.CommandOverride, Note: form.Note, OnCall: &order})
		if err != nil {
			return err
		}
	}
	if wrong != "" {
		form.ID, form.Error = "", wrong
		return s.showOnCall(v, onCallBody{Form: form})
	}
	return s.done(v, v.t("oncall.done"), "", "/oncall")
}

// overrideCancel takes an override back.
func (s *Server) overrideCancel(v *visit) error {
	if err := v.readForm(); err != nil {
		return err
	}
	id := v.r.PostForm.Get("override")
	refused, err := s.command(v, alerting.Command{ID: commandID("", 0), Kind: alerting.CommandOverrideCancel, OnCall: &alerting.OnCallOrder{Override: id}})
	if err != nil {
		return err
	}
	if refused != "" {
		return s.refuse(v, refused, "/oncall")
	}
	return s.done(v, v.t("oncall.cancelled"), "", "/oncall")
}

// handoverNote keeps a person's words for whoever comes next.
func (s *Server) handoverNote(v *visit) error {
	if err := v.readForm(); err != nil {
		return err
	}
	p := v.r.PostForm
	body := onCallBody{Form: s.emptyOverride(v), NoteID: p.Get("id"), Note: v.note(), NoteOf: p.Get("rotation")}
	body.NoteError = v.checkNote(body.Note)
	if body.NoteError == "" {
		var err error
		body.NoteError, err = s.command(v, alerting.Command{
			ID: commandID(body.NoteID, 0), Kind: alerting.CommandHandoverNote, Note: body.Note, OnCall: &alerting.OnCallOrder{Rotation: body.NoteOf},
		})
		if err != nil {
			return err
		}
	}
	if body.NoteError != "" {
		body.NoteID = ""
		return s.showOnCall(v, body)
	}
	return s.done(v, v.t("oncall.noted"), "", "/oncall?"+url.Values{"noted": {body.NoteOf}}.Encode())
}

// onCallCalendar is a rotation as a calendar that programs subscribe to.
func (s *Server) onCallCalendar(v *visit) error {
	r, err := s.calendarOf(v.r.PathValue("file"))
	if err != nil {
		return err
	}
	from, to := calendarSpan(v.now)
	overrides, err := s.cfg.Store.OnCallOverrides(v.ctx(), from)
	if err != nil {
		return err
	}
	h := v.w.Header()
	h.Set("Content-Type", "text/calendar; charset=utf-8")
	h.Set("Content-Disposition", `inline; filename="`+r.Name+`.ics"`)
	h.Set("Cache-Control", "no-store")
	if v.r.Method == http.MethodHead {
		return nil
	}
	_, err = v.w.Write(s.calendar(v.speaker, r, overrides, from, to))
	return gone(err)
}
