package web

import (
	"crypto/rand"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"vigia/alerting"
	"vigia/store"
)

// Bounds of what a person may write.
const (
	maxNote = 2000
	maxForm = 64 << 10
	waitFor = 2 * time.Second // for the engine's answer
	maxBulk = 200
)

// decideBody is the dialog in which a person takes incidents or writes about one.
type decideBody struct {
	ID        string // of the command: sent twice, it is one
	Incidents []incidentRow
	Title     string
	Stops     string // what will not happen
	Takes     string // what is taken along
	Post      string
	URL       string // of this dialog
	Back      string
	Note      string
	NoteError string
	Error     string
	Expiries  []expiry
	Conflict  *conflict
	Seen      string
	Act       act
	Ask       string // the question about the note
	Help      string
	Do        string // what the button says
	Bulk      bool

	Assignee, AssigneeError string
	People                  []string
}

// expiry is one choice of an end, as a moment.
type expiry struct {
	Value   string
	Label   string
	Checked bool
}

// conflict is who has it by now.
type conflict struct{ Say, Note string }

// incidentOfPath reads the incident that a route names.
func (s *Server) incidentOfPath(v *visit) (alerting.Incident, error) {
	id, err := strconv.ParseInt(v.r.PathValue("id"), 10, 64)
	if err != nil {
		return alerting.Incident{}, store.ErrNotFound
	}
	return s.cfg.Store.Incident(v.ctx(), v.scope(), id)
}

// ackDialog shows the form by which an incident is taken: as a dialog for the scripts, as a page without them.
func (s *Server) ackDialog(v *visit) error {
	in, err := s.incidentOfPath(v)
	if err != nil {
		return err
	}
	return s.showDecide(v, []alerting.Incident{in}, decideBody{})
}

// showDecide shows the dialog of taking incidents; body holds what the person has typed so far.
func (s *Server) showDecide(v *visit, list []alerting.Incident, body decideBody) error {
	w, err := s.world(v.ctx(), v.scope())
	if err != nil {
		return err
	}
	first := &list[0]
	if body.ID == "" {
		body.ID = rand.Text()
	}
	for i := range list {
		body.Incidents = append(body.Incidents, s.incidentRow(v, w, &list[i]))
	}
	body.Bulk = len(list) > 1
	body.Post, body.Back = body.Incidents[0].AckURL, backTo(v, body.Incidents[0].URL)
	body.Title = v.t("ack.title", v.titleOf(first))
	if body.Bulk {
		body.Post, body.Title = "/alarms/acknowledge", v.count("ack.title_bulk", len(list))
	}
	if body.Act != actTake {
		body.Post, body.Title = incidentURL(first.ID)+"/"+string(body.Act), v.t(string(body.Act)+".title", v.titleOf(first))
	}
	body.URL = body.Post
	if body.Act != actComment {
		body.Stops, body.Takes = s.consequences(v, w, list)
		body.Expiries = v.expiries(first.Policy.AckTimeout, v.r.FormValue("until"))
		body.Seen = ackMark(list)
		body.Conflict = v.conflict(list)
	}
	if body.Act == actAssign {
		if body.People, err = s.people(v, w); err != nil {
			return err
		}
	}
	body.speak(v)
	f := s.framed(v, w, "decide", "alarms", body.Title)
	f.Body = body
	return s.show(v, 200, f)
}

// speak fills what the dialog says around its fields.
func (b *decideBody) speak(v *visit) {
	b.Help = v.t("ack.help_free")
	switch b.Act {
	case actComment:
		b.Ask, b.Help, b.Do = v.t("comment.ask"), v.t("ack.help"), v.t("do.comment")
	case actAssign:
		b.Ask, b.Do = v.t("assign.ask"), v.t("do.assign")
	case actSnooze:
		b.Ask, b.Do, b.Takes = v.t("snooze.ask"), v.t("do.snooze"), v.t("snooze.nobody")
	default:
		b.Ask, b.Help, b.Do = v.t("ack.ask"), v.t("ack.help"), v.t("do.acknowledge")
		if b.Conflict != nil {
			b.Do = v.t("do.take_over")
		}
	}
}

// Lasts is the question about the end.
func (b decideBody) Lasts() string {
	if b.Act == actTake {
		return "ack.mine"
	}
	return string(b.Act) + ".lasts"
}

// NoteNeeded reports whether the act wants a note.
func (b decideBody) NoteNeeded() bool { return b.Act == actTake || b.Act == actComment }

// Taking reports whether the reader takes it.
func (b decideBody) Taking() bool { return b.Act == actTake }

// Comment reports whether it is only about words.
func (b decideBody) Comment() bool { return b.Act == actComment }

// consequences says what will not happen any more, and what is taken along.
func (s *Server) consequences(v *visit, w *world, list []alerting.Incident) (stops, takes string) {
	var none []string
	n := 0
	for i := range list {
		if step := v.nextStep(&list[i]); step != nil {
			none = append(none, v.t("ack.not_told", step.Level, step.At))
		}
		n += len(w.joined(&list[i]))
	}
	stops = v.t("ack.stops")
	if len(none) == 1 {
		stops = v.t("ack.stops_that", none[0])
	} else if len(none) > 1 {
		stops = v.count("ack.stops_many", len(none))
	}
	if n > 0 {
		takes = v.count("ack.takes", n)
	}
	return stops, takes
}

// expiries are the ends that are offered, as moments.
func (s *speaker) expiries(policy time.Duration, chosen string) []expiry {
	spans := []time.Duration{30 * time.Minute, time.Hour, 4 * time.Hour, 8 * time.Hour, 24 * time.Hour}
	if policy > 0 && !slices.Contains(spans, policy) {
		spans = append(spans, policy)
		slices.Sort(spans)
	}
	if policy <= 0 {
		policy = time.Hour
	}
	if _, err := time.ParseDuration(chosen); err != nil {
		chosen = policy.String()
	}
	var out []expiry
	for _, d := range spans {
		e := expiry{Value: d.String(), Label: s.t("ack.until", s.span(d), s.brief(s.now.Add(d)))}
		e.Checked = e.Value == chosen
		out = append(out, e)
	}
	return out
}

// ackMark names who has which incident, so that a form can tell that it changed meanwhile.
func ackMark(list []alerting.Incident) string {
	var parts []string
	for _, in := range list {
		part := strconv.FormatInt(in.ID, 10) + ":"
		if in.State == alerting.Acknowledged && in.Ack != nil {
			part += strconv.FormatInt(in.Ack.At.UnixMilli(), 10)
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ",")
}

// conflict says who has one of the incidents already; nil when nobody does.
func (v *visit) conflict(list []alerting.Incident) *conflict {
	for _, in := range list {
		if in.State == alerting.Acknowledged && in.Ack != nil {
			if in.Ack.Snoozed {
				return &conflict{Say: v.t("ack.put_off", in.Ack.By, v.brief(in.Ack.Until)), Note: in.Ack.Note}
			}
			say := v.t("ack.has_it", in.Ack.By, v.clock(in.Ack.At))
			if !in.Ack.Until.IsZero() {
				say = v.t("ack.has_it_until", in.Ack.By, v.clock(in.Ack.At), v.brief(in.Ack.Until))
			}
			return &conflict{Say: say, Note: in.Ack.Note}
		}
	}
	return nil
}

// acknowledge takes one incident.
func (s *Server) acknowledge(v *visit) error {
	in, err := s.incidentOfPath(v)
	if err != nil {
		return err
	}
	return s.take(v, []alerting.Incident{in})
}

// take posts the command for each incident, and says what came of it.
func (s *Server) take(v *visit, list []alerting.Incident) error {
	if err := v.readForm(); err != nil {
		return err
	}
	body := decideBody{ID: v.r.PostForm.Get("id"), Note: v.note()}
	if body.NoteError = v.checkNote(body.Note); body.NoteError != "" {
		return s.showDecide(v, list, body)
	}
	if seen := v.r.PostForm.Get("seen"); seen != "" && seen != ackMark(list) {
		return s.showDecide(v, list, body) // somebody was faster: the dialog says who, and asks again
	}
	var span time.Duration
	var err error
	for i, in := range list {
		c := alerting.Command{ID: commandID(body.ID, i), Kind: alerting.CommandAcknowledge, IncidentID: in.ID, Note: body.Note}
		span = v.holds(&c)
		if body.Error, err = s.command(v, c); err != nil {
			return err
		}
		if body.Error != "" {
			body.ID = ""
			return s.showDecide(v, list, body)
		}
	}
	say := v.t("done.taken")
	if span > 0 {
		say = v.t("done.taken_until", v.brief(v.now.Add(span)))
	}
	undo := ""
	if len(list) == 1 {
		undo = incidentURL(list[0].ID) + "/unacknowledge"
	}
	return s.done(v, say, undo, incidentURL(list[0].ID))
}

func commandID(id string, i int) string {
	if id == "" || len(id) > 100 {
		id = rand.Text()
	}
	if i == 0 {
		return id
	}
	return id + "." + strconv.Itoa(i)
}

func (v *visit) note() string {
	return strings.TrimSpace(strings.ToValidUTF8(v.r.PostForm.Get("note"), ""))
}

// checkNote says what is wrong with a note, or nothing.
func (v *visit) checkNote(note string) string {
	switch {
	case note == "":
		return v.t("ack.note_missing")
	case utf8.RuneCountInString(note) > maxNote:
		return v.t("ack.note_long", maxNote)
	}
	return ""
}

func (s *Server) unacknowledge(v *visit) error {
	return s.simple(v, alerting.CommandUnacknowledge, "done.given_back")
}

func (s *Server) escalate(v *visit) error {
	return s.simple(v, alerting.CommandEscalate, "done.escalated")
}

// commentDialog shows the form of a comment.
func (s *Server) commentDialog(v *visit) error {
	in, err := s.incidentOfPath(v)
	if err != nil {
		return err
	}
	return s.showDecide(v, []alerting.Incident{in}, decideBody{Act: actComment})
}

// comment puts a person's words on the timeline.
func (s *Server) comment(v *visit) error {
	in, err := s.incidentOfPath(v)
	if err != nil {
		return err
	}
	if err := v.readForm(); err != nil {
		return err
	}
	body := decideBody{ID: v.r.PostForm.Get("id"), Act: actComment, Note: v.note()}
	if body.NoteError = v.checkNote(body.Note); body.NoteError != "" {
		return s.showDecide(v, []alerting.Incident{in}, body)
	}
	body.Error, err = s.command(v, alerting.Command{ID: commandID(body.ID, 0), Kind: alerting.CommandComment, IncidentID: in.ID, Note: body.Note})
	if err != nil {
		return err
	}
	if body.Error != "" {
		body.ID = ""
		return s.showDecide(v, []alerting.Incident{in}, body)
	}
	return s.done(v, v.t("done.commented"), "", incidentURL(in.ID))
}

// chosenIncidents reads the incidents that a form of the console names.
func (s *Server) chosenIncidents(v *visit) ([]alerting.Incident, error) {
	var list []alerting.Incident
	ids := v.r.Form["incident"]
	if len(ids) > maxBulk {
		ids = ids[:maxBulk]
	}
	for _, text := range ids {
		id, err := strconv.ParseInt(text, 10, 64)
		if err != nil || slices.ContainsFunc(list, func(i alerting.Incident) bool { return i.ID == id }) {
			continue
		}
		in, err := s.cfg.Store.Incident(v.ctx(), v.scope(), id)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if in.State.Live() {
			list = append(list, in)
		}
	}
	if len(list) == 0 {
		return nil, store.ErrNotFound
	}
	return list, nil
}

// bulkDialog shows the form by which several incidents are taken at once.
func (s *Server) bulkDialog(v *visit) error {
	if err := v.r.ParseForm(); err != nil {
		return err
	}
	list, err := s.chosenIncidents(v)
	if err != nil {
		return err
	}
	return s.showDecide(v, list, decideBody{})
}

func (s *Server) bulkAcknowledge(v *visit) error {
	if err := v.readForm(); err != nil {
		return err
	}
	list, err := s.chosenIncidents(v)
	if err != nil {
		return err
	}
	return s.take(v, list)
}
