package web

import (
	"net/url"
	"strings"
	"time"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
)

// item is an object as lists and links show it.
type item struct {
	Ref     inventory.Ref
	Name    string
	URL     string
	Shape   shape
	Owned   bool
	Bad     bool      // an alarm stands, nobody has it, and nothing keeps it quiet
	Mute    *muteMark // what keeps it quiet now
	What    string    // why, in a few words; "" when it is well
	Since   time.Time
	Site    string
	Checked bool // something measures it
	rank    int
}

// Label is what assistive technology reads for a square.
func (i item) Label() string {
	text := i.Name + ": " + i.Shape.Word
	if i.What != "" {
		text += ", " + i.What
	}
	if i.Mute != nil {
		text += ". " + i.Mute.Say
	}
	return text
}

// OK reports whether nothing is wrong and something says so.
func (i item) OK() bool { return i.Shape.Icon == "ok" }

// urls of the kinds of objects that have a page.
var kindPages = map[inventory.Kind]string{
	inventory.KindSite: "/sites/", inventory.KindLink: "/links/", inventory.KindServer: "/servers/", inventory.KindService: "/services/",
	inventory.KindTrunk: "/trunks/",
}

// pageOf is the address of an object's page; "" when it has none.
func pageOf(ref inventory.Ref) string {
	if ref.Kind == inventory.KindVigia {
		return "/health"
	}
	base, ok := kindPages[ref.Kind]
	if !ok {
		return ""
	}
	return base + url.PathEscape(ref.Name)
}

// item says how an object is.
func (s *Server) item(v *visit, w *world, ref inventory.Ref, list readings) item {
	it := item{Ref: ref, Name: ref.Name, URL: pageOf(ref), Site: w.inv.SiteOf(ref), Checked: len(w.checks[ref]) > 0 || ref.Kind == inventory.KindService}
	it.Mute = v.markOf(w, ref)
	if a := w.worst(ref); a != nil {
		it.Shape, it.Owned, it.Since = v.shapeOf(a.Severity, a.State == alerting.Stale), w.owned(a), a.RaisedAt
		it.Bad = !it.Owned && !w.hushed(a)
		it.What = s.alarmWhy(v, a)
		it.rank = it.Shape.Rank + flag(it.Bad)
		return it
	}
	switch {
	case list.anyFresh():
		it.Shape = v.shapeOf(alerting.None, false)
	case !it.Checked:
		it.Shape, it.What = v.silent(), v.t("none.unchecked")
	case list.newest().IsZero():
		it.Shape, it.What = v.silent(), v.t("none.never")
	default:
		it.Shape, it.What = v.silent(), v.t("none.since", v.brief(list.newest()))
	}
	it.rank = it.Shape.Rank
	return it
}

// alarmWhy says in one line why an alarm stands: what was measured against what is allowed, or what the probe saw.
func (s *Server) alarmWhy(v *visit, a *alerting.Alarm) string {
	seen := v.reason(a.Reason)
	m := a.Series.Metric
	part := a.Series.Part()
	switch {
	case a.State == alerting.Stale && seen != "":
		return seen
	case a.State == alerting.Stale:
		return v.t("alarm.stale", v.brief(a.ValueAt))
	case collectors.Catalogue[m].Unit == collectors.UnitBool && seen != "":
		return seen
	case collectors.Catalogue[m].Unit == collectors.UnitBool:
		return strings.TrimSpace(part + " " + collectors.FormatValue(v.lang, m, a.Value))
	}
	value := a.Value
	if r, ok := s.reading(v, a.Series); ok && r.Fresh {
		value = r.Value
	}
	return v.against(m, part, value, a.Tier)
}

// shortage are the words for too few of something.
var shortage = map[collectors.Metric]string{collectors.HealthyServers: "alarm.servers", collectors.WorkingTrunks: "alarm.trunks"}

// against says a value against the level of a tier: "loss 11.2 %, 10 % or more is critical";
// part is which of several it is.
func (s *speaker) against(m collectors.Metric, part string, value float64, tier alerting.Tier) string {
	if words := shortage[m]; words != "" && tier.Crossed(value) {
		return s.t(words, s.number(value), s.number(tier.Clear))
	}
	have, limit := collectors.FormatValue(s.lang, m, value), collectors.FormatValue(s.lang, m, tier.Raise)
	code := "alarm.over"
	switch {
	case tier.Below():
		code = "alarm.under"
	case !tier.Crossed(value):
		code = "alarm.was_over"
	}
	if tier.Below() && !tier.Crossed(value) {
		code = "alarm.was_under"
	}
	text := s.t(code, strings.TrimSpace(s.metric(m)+" "+part), have, limit)
	if tier.For > 0 {
		text += s.t("alarm.for", collectors.FormatSpan(s.lang, tier.For))
	}
	return text
}

// titleOf says what an incident is about.
func (s *speaker) titleOf(i *alerting.Incident) string { return s.reason(i.Title) }
