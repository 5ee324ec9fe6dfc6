package web

import (
	"context"
	"slices"
	"strconv"
	"time"

	"vigia/alerting"
	"vigia/collectors/inventory"
	"vigia/store"
)

// quiet is why nobody is told of an incident for now.
type quiet struct {
	What   string // silence or maintenance
	Until  string
	By     string
	Why    string
	Wrench bool // it is a maintenance
	URL    string
}

// muteMark is what stands beside an object that a silence or maintenance covers now.
type muteMark struct {
	Say    string
	Why    string
	Wrench bool
	Whole  bool // of every metric
	URL    string
}

// incidentURLs are what else can be done about an incident.
type incidentURLs struct{ Silence, Assign, Snooze string }

func urlsOf(i *alerting.Incident) incidentURLs {
	at := incidentURL(i.ID)
	return incidentURLs{"/mutes/new?incident=" + strconv.FormatInt(i.ID, 10), at + "/assign", at + "/snooze"}
}

// wrench is the shape of maintenance.
func (s *speaker) wrench() shape {
	return shape{Class: "is-maintenance", Icon: "maintenance", Word: s.t("mute.quiet")}
}

// quiet says what keeps an incident from paging; nil when nothing does.
func (s *speaker) quiet(i *alerting.Incident) *quiet {
	m := i.Muted
	if m == nil {
		return nil
	}
	return &quiet{
		What: s.t("mute.kind." + string(m.Kind)), Until: s.t("mute.until", s.brief(m.Until)), By: m.By, Why: m.Reason,
		Wrench: m.Kind == alerting.Maintenance, URL: muteURL(m.Mute),
	}
}

func muteURL(id int64) string { return "/mutes#mute-" + strconv.FormatInt(id, 10) }

// mutesOn lists the silences and maintenance that are on, those of every metric first.
func (s *Server) mutesOn(ctx context.Context, scope store.Scope) ([]alerting.Mute, error) {
	now := s.cfg.Now()
	list, err := s.cfg.Store.Mutes(ctx, scope, store.MuteFilter{Standing: true, Since: now, Until: now.Add(time.Second), Limit: mostMutes})
	if err != nil {
		return nil, err
	}
	list = slices.DeleteFunc(list, func(m alerting.Mute) bool { _, _, on := m.Window(now); return !on })
	slices.SortStableFunc(list, func(a, b alerting.Mute) int { return flag(a.Metric != "") - flag(b.Metric != "") })
	return list, nil
}

// hushed reports whether a silence or maintenance that is on covers an alarm.
func (w *world) hushed(a *alerting.Alarm) bool {
	return slices.ContainsFunc(w.muting, func(m alerting.Mute) bool { return m.Covers(w.inv, a.Series) })
}

// muteOf is what covers an object now, or nil.
func (w *world) muteOf(ref inventory.Ref) *alerting.Mute {
	if len(w.muting) == 0 {
		return nil
	}
	found, known := w.marks[ref]
	if known {
		return found
	}
	if i := slices.IndexFunc(w.muting, func(m alerting.Mute) bool { return m.CoversRef(w.inv, ref) }); i >= 0 {
		found = &w.muting[i]
	}
	w.marks[ref] = found
	return found
}

// markOf says what covers an object now; nil when nothing does.
func (s *speaker) markOf(w *world, ref inventory.Ref) *muteMark {
	m := w.muteOf(ref)
	if m == nil {
		return nil
	}
	_, until, _ := m.Window(s.now)
	say := s.t("mute.mark."+string(m.Kind), m.Author, s.brief(until))
	if m.Metric != "" {
		say = s.t("mute.mark.only", say, s.metric(m.Metric))
	}
	return &muteMark{Say: say, Why: m.Reason, Wrench: m.Kind == alerting.Maintenance, Whole: m.Metric == "", URL: muteURL(m.ID)}
}
