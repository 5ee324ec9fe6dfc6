package web

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/store"
	"vigia/web/api"
)

// mutesBody is the page of silences and maintenance.
type mutesBody struct {
	On, Coming, Over []muteRow
	NewSilence       string
	NewMaintenance   string
}

// muteRow is one silence or maintenance as the page lists it.
type muteRow struct {
	ID     int64
	Kind   string
	Wrench bool
	On     []string
	Metric string
	Below  bool
	Reason string
	Author string
	Made   string
	When   string // its window, or how it comes again and again
	Bounds string
	Now    string // of one that comes again: until when it is on, or when it is on next
	Left   moment // to that
	OnNow  bool
	Ended  string
	Quiet  []quietLink
	Count  int // alarms that it keeps quiet now
	More   int
	Post   string    // where it is ended; "" when it is over, or who reads may not
	turns  time.Time // when it turns on or off next, or when it was over
}

// quietLink leads to what is kept quiet.
type quietLink struct{ Say, URL string }

const (
	mostMutes  = 1000
	mutesPast  = 30 * 24 * time.Hour
	quietShown = 4
	muteSpare  = "/mutes/new?kind="
)

// mutes shows what is on now, what comes, and what is over.
func (s *Server) mutes(v *visit) error {
	if !v.scope().All() {
		return store.ErrNotFound // they name objects and people of the operator
	}
	w, err := s.world(v.ctx(), v.scope())
	if err != nil {
		return err
	}
	list, err := s.cfg.Store.Mutes(v.ctx(), v.scope(), store.MuteFilter{Since: v.now.Add(-mutesPast), Limit: mostMutes})
	if err != nil {
		return err
	}
	body := mutesBody{NewSilence: muteSpare + string(alerting.Silence), NewMaintenance: muteSpare + string(alerting.Maintenance)}
	for i := range list {
		body.add(s.muteRow(v, w, &list[i]), &list[i], v.now)
	}
	byTime := func(a, b muteRow) int { return a.turns.Compare(b.turns) }
	slices.SortStableFunc(body.On, byTime)
	slices.SortStableFunc(body.Coming, byTime)
	slices.SortStableFunc(body.Over, func(a, b muteRow) int { return b.turns.Compare(a.turns) })
	f := s.framed(v, w, "mutes", "mutes", v.t("mutes.title"))
	f.Body = body
	return s.show(v, 200, f)
}

// add puts a row where it belongs.
func (b *mutesBody) add(r muteRow, m *alerting.Mute, now time.Time) {
	_, _, on := m.Window(now)
	switch {
	case on:
		b.On = append(b.On, r)
	case !m.Over(now):
		b.Coming = append(b.Coming, r)
	case r.turns.After(now.Add(-mutesPast)):
		b.Over = append(b.Over, r)
	}
}

func (s *Server) muteRow(v *visit, w *world, m *alerting.Mute) muteRow {
	r := muteRow{
		ID: m.ID, Kind: v.t("mute.kind." + string(m.Kind)), Wrench: m.Kind == alerting.Maintenance, Below: m.Below, Reason: m.Reason, Author: m.Author,
		Made: v.brief(m.CreatedAt), When: v.stretch(m.From, m.Until),
	}
	for _, p := range m.On {
		r.On = append(r.On, string(p))
	}
	if m.Metric != "" {
		r.Metric = v.metric(m.Metric)
	}
	if m.Recur != nil {
		r.When, r.Bounds = collectors.Capitalise(v.recurs(m.Recur)), v.bounds(m)
	}
	_, until, on := m.Window(v.now)
	switch next := m.Next(v.now); {
	case on:
		r.OnNow = true
		r.Left, r.turns = v.leftTo(until), until
		if m.Recur != nil {
			r.Now = v.t("mute.until", v.brief(until))
		}
		s.addQuiet(v, w, m, &r)
	case !next.IsZero():
		r.Left, r.turns = v.leftTo(next), next
		if m.Recur != nil {
			r.Now = v.t("mute.next", v.brief(next))
		}
	default:
		r.turns = lastEnd(m)
		r.Ended = v.t("mute.over", v.brief(r.turns))
		if !m.CancelledAt.IsZero() {
			r.Ended = v.t("mute.cancelled", m.CancelledBy, v.brief(m.CancelledAt))
		}
		return r
	}
	r.Post = "/mutes/" + strconv.FormatInt(m.ID, 10) + "/cancel"
	return r
}

// leftTo is a countdown on the last day, and a length of time that stands still before.
func (s *speaker) leftTo(at time.Time) moment {
	if d := at.Sub(s.now); d > 24*time.Hour {
		return moment{Text: s.span(d.Truncate(time.Hour))}
	}
	return s.left(at)
}

// lastEnd is when a mute that is over was on last, at the latest.
func lastEnd(m *alerting.Mute) time.Time {
	if !m.CancelledAt.IsZero() {
		return m.CancelledAt
	}
	if m.Recur != nil {
		return m.Until.Add(m.Recur.For)
	}
	return m.Until
}

// addQuiet adds what a mute keeps quiet now: incidents first, then objects whose alarms page nobody anyway.
func (s *Server) addQuiet(v *visit, w *world, m *alerting.Mute, r *muteRow) {
	found := api.Cover(w.inv, m, w.Incidents, w.alarms)
	r.Count = len(found.Alarms)
	links := v.quietLinks(found)
	r.Quiet, r.More = links[:min(len(links), quietShown)], max(len(links)-quietShown, 0)
}

// quietLinks lead to incidents that are quiet, and to objects with alarms that are in none of them.
func (v *visit) quietLinks(found api.Covered) []quietLink {
	var links []quietLink
	in := map[int64]bool{}
	for _, i := range found.Incidents {
		in[i.ID] = true
		links = append(links, quietLink{v.titleOf(i), incidentURL(i.ID)})
	}
	for _, a := range found.Alarms {
		link := quietLink{v.object(a.Series.Ref), cmp.Or(pageOf(a.Series.Ref), "/alarms")}
		if !in[a.IncidentID] && !slices.Contains(links, link) {
			links = append(links, link)
		}
	}
	return links
}

// cancelMute ends a mute before its time. Its command is named by the mute: sent twice, by whomever, it is one.
func (s *Server) cancelMute(v *visit) error {
	id, err := strconv.ParseInt(v.r.PathValue("id"), 10, 64)
	if err != nil || !v.scope().All() {
		return store.ErrNotFound
	}
	list, err := s.cfg.Store.Mutes(v.ctx(), v.scope(), store.MuteFilter{ID: id})
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return store.ErrNotFound
	}
	refused, err := s.command(v, alerting.Command{ID: api.CancelMuteID(id), Kind: alerting.CommandCancelMute, MuteID: id})
	if err != nil {
		return err
	}
	if refused != "" {
		return s.refuse(v, refused, "/mutes")
	}
	return s.done(v, v.t("done.mute_ended."+string(list[0].Kind)), "", "/mutes")
}
