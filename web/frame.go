package web

import (
	"encoding/json"
	"slices"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
)

// frame is what every page has around its own body.
type frame struct {
	File    string // the template's file
	Bare    bool   // no bar and no navigation: an error, the wallboard
	Wall    bool   // the wallboard's own frame
	Chart   bool   // it draws charts
	Partial bool   // only parts of it were asked for

	Lang, Theme, Density, Contrast string
	Page                           string // the place in the navigation
	Title                          string
	Heading                        string
	Brand                          string
	Assets                         string
	Now                            moment
	Last                           int64 // the newest event
	Zone, ZoneName                 string
	Worst                          string // worst severity that nobody has
	Unowned                        int
	Counts                         []counter
	Nav                            []navGroup
	Say                            string // texts for the scripts, JSON
	Version                        string
	Banners                        []banner
	Q                              string // what was searched for
	World                          *world
	Body                           any
}

func (f *frame) outer() string {
	switch {
	case f.Wall:
		return "wall"
	case f.Bare:
		return "bare"
	}
	return "layout"
}

// counter is one of the bar's counts.
type counter struct {
	Name  string
	Shape shape
	Class string // without is- for the link's filter
	N     int
}

type navGroup struct{ Items []navItem }

type navItem struct {
	Page, URL, Icon, Label string
	Key                    string // g and this letter
	Current, Tab           bool
	N                      int
	Shape                  shape
}

// frame makes the frame of a page; page is its place in the navigation.
func (s *Server) frame(v *visit, file, page, title string) *frame {
	f := &frame{
		File: file, Page: page, Heading: title, Title: title + " · Vigía",
		Lang: string(v.lang), Theme: v.prefs.Theme, Density: v.prefs.Density, Contrast: v.prefs.Contrast,
		Brand: s.cfg.Brand, Assets: s.assets.base(), Now: moment{v.clock(v.now), v.now.UnixMilli()}, Worst: "none",
		Zone: collectors.FormatZone(v.now, v.zone), ZoneName: v.zone.String(), Version: s.cfg.Version,
		Say: s.scriptWords(v), Banners: v.banners(s.state()),
	}
	return f
}

// framed is frame with what stands now: counters and navigation.
func (s *Server) framed(v *visit, w *world, file, page, title string) *frame {
	f := s.frame(v, file, page, title)
	f.World, f.Partial = w, v.partial() && v.scripted()
	f.Last = w.last
	f.Unowned, f.Worst = w.counts.Unowned, w.unownedWorst().String()
	f.Counts = counters(v, w.counts)
	f.Nav = s.navigation(v, w, page)
	return f
}

func counters(v *visit, c Counts) []counter {
	list := []counter{
		{Name: "critical", N: c.Critical}, {Name: "major", N: c.Major}, {Name: "minor", N: c.Minor}, {Name: "warning", N: c.Warning},
	}
	if c.Indeterminate > 0 {
		list = append(list, counter{Name: "indeterminate", N: c.Indeterminate})
	}
	for i := range list {
		sev, err := alerting.ParseSeverity(list[i].Name)
		if err == nil {
			list[i].Shape = v.shapeOf(sev, false)
		}
	}
	stale := v.silent()
	stale.Word = v.t("severity.stale")
	return append(list, counter{Name: "stale", Shape: stale, N: c.Stale}, counter{Name: "muted", Shape: v.wrench(), N: c.Muted})
}

// navigation lists the pages, with a count where something is wrong.
func (s *Server) navigation(v *visit, w *world, page string) []navGroup {
	groups := []navGroup{
		{[]navItem{{Page: "overview", URL: "/", Key: "o", Tab: true}, {Page: "alarms", URL: "/alarms", Key: "a", Tab: true}, {Page: "calls", URL: "/calls", Key: "c", Tab: true}, {Page: "oncall", URL: "/oncall", Key: "w"}}},
		{[]navItem{
			{Page: "links", URL: "/links", Key: "l", Tab: true},
			{Page: "servers", URL: "/servers", Key: "s", Tab: true},
			{Page: "services", URL: "/services", Key: "v"},
			{Page: "trunks", URL: "/trunks", Key: "t"},
			{Page: "sites", URL: "/sites", Key: "i"},
		}},
		{[]navItem{{Page: "mutes", URL: "/mutes", Key: "m"}}},
		{[]navItem{{Page: "self", URL: "/health", Key: "h"}, {Page: "settings", URL: "/settings"}}},
	}
	if s.cfg.Demo != nil {
		groups = append(groups, navGroup{[]navItem{{Page: "demo", URL: "/demo", Key: "d"}}})
	}
	if !v.scope().All() {
		groups = slices.DeleteFunc(groups, func(g navGroup) bool { return g.Items[0].Page == "mutes" })
	}
	for g := range groups {
		for i := range groups[g].Items {
			item := &groups[g].Items[i]
			item.Label, item.Icon, item.Current = v.t("nav."+item.Page), item.Page, item.Page == page
			item.N, item.Shape = w.navCount(v, item.Page)
		}
	}
	return groups
}

// navKinds are the kinds of objects behind the navigation's lists.
var navKinds = map[string]inventory.Kind{
	"links": inventory.KindLink, "servers": inventory.KindServer, "services": inventory.KindService, "trunks": inventory.KindTrunk,
	"sites": inventory.KindSite, "self": inventory.KindVigia,
}

// scriptKeys are the texts that the scripts say.
var scriptKeys = []string{
	"stale", "new", "new1", "selected", "undo", "close", "sound_on", "sound_off", "sound_blocked", "mute_for", "loading", "chart_error", "no_data",
	"last_week", "now", "failed", "cleared", "sound_until", "up", "down",
}

func (s *Server) scriptWords(v *visit) string {
	say := map[string]string{}
	for _, key := range scriptKeys {
		say[key] = v.pattern("js." + key)
	}
	for _, sev := range alerting.Severities {
		say[sev.String()] = v.severity(sev)
	}
	say["ok"], say["unknown"] = v.t("severity.ok"), v.t("severity.stale")
	text, err := json.Marshal(say)
	if err != nil {
		return "{}"
	}
	return string(text)
}

// pattern is a text with its placeholders as they stand, for the scripts to fill.
func (s *speaker) pattern(code string) string {
	text := s.words["web."+code]
	if s.lang == collectors.Spanish {
		return text.ES
	}
	return text.EN
}
