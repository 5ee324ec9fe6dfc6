package web

import (
	"cmp"
	"crypto/rand"
	"slices"
	"strconv"
	"time"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
	"vigia/store"
	"vigia/web/api"
)

// muteBody is the form of a silence or maintenance with its choices, what is wrong with it, and what it would cover.
type muteBody struct {
	muteForm
	Wrong   mistakes
	Error   string // what belongs to no field
	Back    string
	Fields  []string // what stands in the fields of objects
	Objects []string // suggestions
	Metrics []option
	Spans   []expiry
	Weeks   []option
	Boxes   []option
	Zones   []string
	In      string // the reader's zone
	Preview mutePreview
	Look    bool // it was not looked at before it was to be saved
}

// mutePreview is what it would cover.
type mutePreview struct {
	Sign    string
	Asked   bool // there is something to look for
	Count   string
	Objects []quietLink
	More    int
	Empty   []string // patterns that select nothing
	All     bool
	Alarms  string
	Quiet   []quietLink
	Over    int // more than are listed
	Partly  []quietLink
}

// Bounds of what the form shows.
const (
	mostSuggested = 500
	previewShown  = 20
)

// newMute shows the empty form, or one about an incident or an object.
func (s *Server) newMute(v *visit) error {
	q := v.r.URL.Query()
	f := v.freshMute(v.now)
	if q.Get("kind") == string(alerting.Maintenance) {
		f.Kind = q.Get("kind")
	}
	f.On = typed(q["on"])
	if id, err := strconv.ParseInt(q.Get("incident"), 10, 64); err == nil {
		in, err := s.cfg.Store.Incident(v.ctx(), v.scope(), id)
		if err != nil {
			return err
		}
		f.On = []string{in.Ref.String()}
		f.Below = len(s.cfg.Inventory().Children(in.Ref)) > 0
	}
	return s.showMute(v, muteBody{muteForm: f})
}

// previewMute shows what the form selects, and saves nothing.
func (s *Server) previewMute(v *visit) error {
	if err := v.readForm(); err != nil {
		return err
	}
	body := muteBody{muteForm: v.readMute()}
	if len(body.On) > 0 {
		_, body.Wrong = v.mute(&body.muteForm)
		body.Wrong = mistakes{"on": body.Wrong["on"]}
	}
	return s.showMute(v, body)
}

// addMute saves what the form says. What was changed since it was looked at is looked at first.
func (s *Server) addMute(v *visit) error {
	if !v.scope().All() {
		return store.ErrNotFound
	}
	if err := v.readForm(); err != nil {
		return err
	}
	body := muteBody{muteForm: v.readMute()}
	m, wrong := v.mute(&body.muteForm)
	if len(wrong) > 0 {
		body.Wrong = wrong
		return s.showMute(v, body)
	}
	if body.Seen != body.sign() {
		body.Look = true
		return s.showMute(v, body)
	}
	result, err := s.order(v, alerting.Command{ID: body.ID, Kind: alerting.CommandKind(m.Kind), Mute: &m})
	if err != nil {
		return err
	}
	if !result.OK {
		body.ID = rand.Text()
		body.place(v.reason(result.Reason), result.Reason.Code)
		return s.showMute(v, body)
	}
	undo := ""
	if result.Made != 0 {
		undo = "/mutes/" + strconv.FormatInt(result.Made, 10) + "/cancel"
	}
	return s.done(v, v.t("done.mute_made."+string(m.Kind)), undo, "/mutes")
}

// place puts the engine's no beside the field that it is about.
func (b *muteBody) place(why, code string) {
	end := "to"
	switch {
	case b.Kind == string(alerting.Silence):
		end = "until"
	case b.When == whenAgain:
		end = "last"
	}
	field := map[string]string{
		"engine.mute_reason": "reason", "engine.mute_on": "on", "engine.mute_recurs": "kind", "engine.mute_long": "until", "engine.mute_clock": "time",
		"engine.mute_window": "hours", "engine.refused_past": end, "engine.refused_kind": "kind",
	}[code]
	if field == "" {
		b.Error = why
		return
	}
	b.Wrong = mistakes{field: why}
}

// showMute shows the form: as a dialog for the scripts, as a page without them.
func (s *Server) showMute(v *visit, body muteBody) error {
	if !v.scope().All() {
		return store.ErrNotFound
	}
	w, err := s.world(v.ctx(), v.scope())
	if err != nil {
		return err
	}
	body.Back, body.In, body.Seen = backTo(v, "/mutes"), v.zone.String(), ""
	body.Fields = append([]string{}, body.On...)
	for len(body.Fields) < max(leastFields, len(body.On)+1) {
		body.Fields = append(body.Fields, "")
	}
	body.Objects = suggestions(w.inv)
	s.muteChoices(v, &body)
	body.Preview = v.preview(w, &body.muteForm)
	f := s.framed(v, w, "mute", "mutes", v.t("mute.new"))
	f.Body = body
	return s.show(v, 200, f)
}

// suggestions are what may be typed as objects: whole kinds, then the objects themselves.
func suggestions(inv *inventory.Inventory) []string {
	var list []string
	for _, ref := range inv.Refs() {
		if all := string(ref.Kind) + "/*"; !slices.Contains(list, all) {
			list = append(list, all)
		}
	}
	for _, ref := range inv.Refs() {
		if len(list) == mostSuggested {
			break
		}
		list = append(list, ref.String())
	}
	return list
}

func (s *Server) muteChoices(v *visit, body *muteBody) {
	body.Metrics = []option{{Label: v.t("mute.any_metric"), Checked: body.Metric == ""}}
	var metrics []collectors.Metric
	for _, t := range s.cfg.Rules().All() {
		if !slices.Contains(metrics, t.Metric) {
			metrics = append(metrics, t.Metric)
		}
	}
	slices.SortFunc(metrics, func(a, b collectors.Metric) int { return cmp.Compare(v.metric(a), v.metric(b)) })
	for _, m := range metrics {
		body.Metrics = append(body.Metrics, option{string(m), v.metric(m), body.Metric == string(m)})
	}
	for _, e := range v.expiries(defaultFor, body.For) {
		e.Checked = e.Checked && body.For != formAt
		body.Spans = append(body.Spans, e)
	}
	for _, n := range []int{0, 1, 2, 3, 4, 5, -1} {
		code := "mute.choice.every"
		if n != 0 {
			code = "mute.choice." + nth(n)
		}
		body.Weeks = append(body.Weeks, option{strconv.Itoa(n), v.t(code), body.Nth == strconv.Itoa(n)})
	}
	for i := range 7 {
		day := time.Weekday((i + 1) % 7)
		value := strconv.Itoa(int(day))
		body.Boxes = append(body.Boxes, option{value, collectors.Capitalise(v.t("weekday." + day.String())), slices.Contains(body.Days, value)})
	}
	body.Zones = s.zones()
	if !slices.Contains(body.Zones, body.In) {
		body.Zones = append(body.Zones, body.In)
	}
}

// preview works out what the form selects now, and what stands and would be quiet.
func (v *visit) preview(w *world, f *muteForm) mutePreview {
	m := f.covers()
	p := mutePreview{Sign: f.sign(), Asked: len(m.On) > 0}
	if !p.Asked {
		return p
	}
	found := api.Cover(w.inv, &m, w.Incidents, w.alarms)
	p.All, p.Count = found.Everything(), v.count("mute.selects", len(found.Objects), len(w.inv.Refs()))
	for _, one := range found.Empty {
		p.Empty = append(p.Empty, string(one))
	}
	for i, ref := range found.Objects {
		if i == previewShown {
			p.More = len(found.Objects) - i
			break
		}
		p.Objects = append(p.Objects, quietLink{v.object(ref), pageOf(ref)})
	}
	p.Alarms = v.count("mute.silences", len(found.Alarms))
	links := v.quietLinks(found)
	p.Quiet, p.Over = links[:min(len(links), previewShown)], max(len(links)-previewShown, 0)
	for _, in := range found.Partly {
		p.Partly = append(p.Partly, quietLink{v.titleOf(in), incidentURL(in.ID)})
	}
	return p
}
