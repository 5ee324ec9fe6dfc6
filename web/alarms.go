package web

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"time"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
	"vigia/store"
)

// alarmsBody is the console.
type alarmsBody struct {
	Groups  []alarmGroup
	Flat    bool
	Total   int
	Shown   int
	Joined  int
	Cleared int
	Filter  alarmFilter
	ByURL   string
	FlatURL string
	CSV     string
	Kinds   []string
	Sites   []string
	Sevs    []alerting.Severity
}

// alarmGroup is a heading with its rows.
type alarmGroup struct {
	Title string
	Rows  []alarmRow
}

// alarmRow is one line of the console: an incident, an alarm that joined one, or an alarm that pages nobody.
type alarmRow struct {
	Key      string
	Child    bool
	Incident int64 // what the row's actions are about; 0 for none
	Open     bool
	AckURL   string
	Shape    shape
	What     string
	URL      string
	Members  int
	Why      string
	Flaps    bool
	Since    moment
	For      moment
	Who      *incidentRow
	Note     string
	MayMute  bool
	More     int // rows of this incident that are not shown
	Spark    spark

	line     collectors.Series
	severity alerting.Severity
	alarm    *alerting.Alarm
}

// childrenShown is how many joined alarms stand under an incident.
const childrenShown = 3

func (s *Server) alarms(v *visit) error {
	w, err := s.world(v.ctx(), v.scope())
	if err != nil {
		return err
	}
	f := readAlarmFilter(v)
	body := alarmsBody{
		Flat: v.r.URL.Query().Get("view") == "flat", Total: w.counts.Total(), Filter: f, ByURL: f.with("view", ""), FlatURL: f.with("view", "flat"),
		CSV: f.with("format", "csv"), Kinds: []string{"link", "server", "service", "trunk", "vigia"}, Sites: siteNames(w), Sevs: alerting.Severities[:],
	}
	body.Groups = s.alarmGroups(v, w, f, body.Flat)
	for _, g := range body.Groups {
		for _, r := range g.Rows {
			if r.Child {
				body.Joined += 1 + r.More
			} else {
				body.Shown++
			}
		}
	}
	if v.r.URL.Query().Get("format") == "csv" {
		return s.alarmsCSV(v, body.Groups)
	}
	if body.Cleared, err = s.clearedLately(v); err != nil {
		return err
	}
	if err := s.drawAlarms(v, w, body.Groups); err != nil {
		return err
	}
	fr := s.framed(v, w, "alarms", "alarms", v.t("nav.alarms"))
	fr.Body = body
	return s.show(v, 200, fr)
}

// alarmGroups are the rows in their order: what nobody has, what somebody has, what is quiet for a time, what pages nobody.
func (s *Server) alarmGroups(v *visit, w *world, f alarmFilter, flat bool) []alarmGroup {
	var unowned, owned, silent, loose alarmGroup
	n, m, k := 0, 0, 0
	for i := range w.Incidents {
		in := &w.Incidents[i]
		rows := s.incidentRows(v, w, in)
		if !f.keepsAny(w, rows) {
			continue
		}
		switch {
		case in.Muted != nil || in.Ack != nil && in.Ack.Snoozed:
			silent.Rows, k = append(silent.Rows, rows...), k+1
		case in.State == alerting.Open:
			unowned.Rows, n = append(unowned.Rows, rows...), n+1
		default:
			owned.Rows, m = append(owned.Rows, rows...), m+1
		}
	}
	for _, a := range w.loose() {
		if r := s.looseRow(v, a); f.keepsAny(w, []alarmRow{r}) {
			loose.Rows = append(loose.Rows, r)
		}
	}
	if flat {
		return flatten(v, s, w, f)
	}
	unowned.Title, owned.Title = v.count("alarms.nobody", n), v.count("alarms.somebody", m)
	silent.Title = v.count("alarms.quiet", k)
	loose.Title = v.count("alarms.loose", len(loose.Rows))
	var groups []alarmGroup
	for _, g := range []alarmGroup{unowned, owned, silent, loose} {
		if len(g.Rows) > 0 {
			groups = append(groups, g)
		}
	}
	return groups
}

// flatten is every standing alarm on its own, worst first.
func flatten(v *visit, s *Server, w *world, f alarmFilter) []alarmGroup {
	var g alarmGroup
	for i := range w.alarms {
		a := &w.alarms[i]
		r := s.looseRow(v, a)
		if in := w.byID[a.IncidentID]; in != nil {
			who := s.incidentRow(v, w, in)
			r.Incident, r.Open, r.AckURL, r.Who, r.URL = in.ID, who.Open, who.AckURL, &who, who.URL
			if a.ID != in.Root {
				r.Note, r.Who = v.t("alarms.joined_to", in.ID), nil
			}
		}
		if f.keepsAny(w, []alarmRow{r}) {
			g.Rows = append(g.Rows, r)
		}
	}
	slices.SortStableFunc(g.Rows, func(a, b alarmRow) int { return cmp.Compare(b.severity, a.severity) })
	g.Title = v.count("alarms.flat", len(g.Rows))
	return []alarmGroup{g}
}

// incidentRows are an incident's own row and a few of what joined it.
func (s *Server) incidentRows(v *visit, w *world, in *alerting.Incident) []alarmRow {
	who := s.incidentRow(v, w, in)
	root, joined := w.root(in), w.joined(in)
	r := alarmRow{
		Key: "incident/" + strconv.FormatInt(in.ID, 10), Incident: in.ID, Open: who.Open, AckURL: who.AckURL, Shape: who.Shape, What: v.object(in.Ref),
		URL: who.URL, Members: len(joined) + flag(root != nil), Since: who.Since, For: who.For, Who: &who, severity: in.Severity, line: in.Series,
		Why: who.Title, alarm: root, MayMute: v.scope().All(),
	}
	if root != nil {
		r.Why, r.Flaps = s.alarmWhy(v, root), root.Flaps
	}
	rows := []alarmRow{r}
	for i, a := range joined {
		if i == childrenShown {
			rows = append(rows, alarmRow{Key: r.Key + "/more", Child: true, More: len(joined) - i - 1, URL: who.URL})
			break
		}
		child := s.looseRow(v, a)
		child.Child, child.Incident, child.Note, child.URL = true, 0, v.t("alarms.joined"), cmp.Or(pageOf(a.Series.Ref), who.URL)
		if a.Shadow {
			child.Note = v.t("alarms.shadow")
		}
		rows = append(rows, child)
	}
	return rows
}

func (s *Server) looseRow(v *visit, a *alerting.Alarm) alarmRow {
	return alarmRow{
		Key: "alarm/" + strconv.FormatInt(a.ID, 10), Shape: v.shapeOf(a.Severity, a.State == alerting.Stale), What: v.object(a.Series.Ref),
		URL: cmp.Or(pageOf(a.Series.Ref), "/alarms"), Why: s.alarmWhy(v, a), Flaps: a.Flaps, Since: v.moment(a.RaisedAt), For: v.running(a.RaisedAt),
		Note: v.t("alarms.pages_nobody"), severity: a.Severity, line: a.Series, alarm: a,
	}
}

// drawAlarms adds the sparklines with one read.
func (s *Server) drawAlarms(v *visit, w *world, groups []alarmGroup) error {
	var series []collectors.Series
	for g := range groups {
		for i := range groups[g].Rows {
			r := &groups[g].Rows[i]
			r.line = s.telling(v, r.line)
			if r.line.Metric != "" {
				series = append(series, r.line)
			}
		}
	}
	lines, err := s.sparks(v, w, series)
	if err != nil {
		return err
	}
	for g := range groups {
		for i := range groups[g].Rows {
			groups[g].Rows[i].Spark = lines[groups[g].Rows[i].line]
		}
	}
	return nil
}

// telling is the series that shows what an alarm is about: its own, and for one that is only yes or no the figure of the same check.
func (s *Server) telling(v *visit, series collectors.Series) collectors.Series {
	if series.Metric == "" || collectors.Catalogue[series.Metric].Unit != collectors.UnitBool {
		return series
	}
	for _, m := range []collectors.Metric{collectors.LossPct, collectors.LatencyMS, collectors.ResponseMS, collectors.ConnectMS} {
		other := collectors.Series{Metric: m, Ref: series.Ref, Instance: series.Instance}
		if _, ok := s.cfg.Store.Latest(v.scope(), other); ok {
			return other
		}
	}
	return collectors.Series{}
}

func (s *Server) clearedLately(v *visit) (int, error) {
	list, err := s.cfg.Store.Alarms(v.ctx(), v.scope(), store.AlarmFilter{Since: v.now.Add(-24 * time.Hour), Limit: 2000})
	if err != nil {
		return 0, err
	}
	n := 0
	for _, a := range list {
		if a.State == alerting.Clear && v.now.Sub(a.ClearedAt) < time.Hour {
			n++
		}
	}
	return n, nil
}

func (s *Server) alarmsCSV(v *visit, groups []alarmGroup) error {
	out := [][]string{{"group", "incident", "severity", "what", "why", "since", "who", "next"}}
	for _, g := range groups {
		for _, r := range g.Rows {
			if r.More > 0 {
				continue
			}
			who, next := r.Note, ""
			if r.Who != nil {
				who = r.Who.Owner
				if r.Who.Quiet != nil {
					who = r.Who.Quiet.What + " " + r.Who.Quiet.Until + ", " + r.Who.Quiet.By
				}
				if r.Who.Next != nil {
					next = r.Who.Next.Level + " " + stamp(time.UnixMilli(r.Who.Next.Left.MS))
				}
			}
			id := ""
			if r.Incident != 0 {
				id = strconv.FormatInt(r.Incident, 10)
			}
			out = append(out, []string{g.Title, id, r.Shape.Word, r.What, r.Why, stamp(time.UnixMilli(r.Since.MS)), who, next})
		}
	}
	return writeCSV(v, "alarms", out)
}

// alarmFilter is what the console is asked for; it stands in the URL.
type alarmFilter struct {
	Severity string // one severity
	Min      string // that and worse
	State    string // stale, raised, quiet or ""
	Kind     string
	Site     string
	Q        string
	Chips    []chip
	filter
}

func readAlarmFilter(v *visit) alarmFilter {
	q := v.r.URL.Query()
	for _, gone := range []string{"part", "format"} {
		q.Del(gone)
	}
	f := alarmFilter{
		Severity: q.Get("severity"), Min: q.Get("min"), State: q.Get("state"), Kind: q.Get("kind"), Site: q.Get("site"), Q: q.Get("q"),
		filter: filter{path: "/alarms", values: q},
	}
	if _, err := alerting.ParseSeverity(f.Severity); err != nil {
		f.Severity = ""
	}
	if _, err := alerting.ParseSeverity(f.Min); err != nil {
		f.Min = ""
	}
	if f.State != "stale" && f.State != "raised" && f.State != "quiet" {
		f.State = ""
	}
	add := func(name, value, said string) {
		if value != "" {
			f.Chips = append(f.Chips, chip{v.t("filter." + name), said, f.with(name, "")})
		}
	}
	add("severity", f.Severity, v.t("severity."+cmp.Or(f.Severity, "none")))
	add("min", f.Min, v.t("severity."+cmp.Or(f.Min, "none")))
	add("state", f.State, v.t("filter.state."+cmp.Or(f.State, "well")))
	if f.Kind != "" {
		if _, known := v.words["web.kind."+f.Kind]; known {
			add("kind", f.Kind, v.t("kind."+f.Kind))
		}
	}
	add("site", f.Site, f.Site)
	add("text", f.Q, f.Q)
	for i := range f.Chips {
		if f.Chips[i].Key == v.t("filter.text") {
			f.Chips[i].URL = f.with("q", "")
		}
	}
	return f
}

// keepsAny reports whether one of an incident's rows passes: an incident is shown whole.
func (f alarmFilter) keepsAny(w *world, rows []alarmRow) bool {
	return slices.ContainsFunc(rows, func(r alarmRow) bool { return r.alarm == nil && r.line.Metric == "" && r.More > 0 || f.keeps(w, r) })
}

func (f alarmFilter) keeps(w *world, r alarmRow) bool {
	ref := r.line.Ref
	stale := r.alarm != nil && r.alarm.State == alerting.Stale
	if f.Severity != "" && r.severity.String() != f.Severity {
		return false
	}
	if least, err := alerting.ParseSeverity(f.Min); f.Min != "" && err == nil && r.severity < least {
		return false
	}
	switch {
	case f.State == "stale" && !stale, f.State == "raised" && stale, f.State == "quiet" && (r.Who == nil || r.Who.Quiet == nil && !r.Who.Snoozed):
		return false
	case f.Kind != "" && ref.Kind != inventory.Kind(f.Kind), f.Site != "" && w.inv.SiteOf(ref) != f.Site:
		return false
	}
	return f.Q == "" || holds(r.What, f.Q) || holds(r.Why, f.Q)
}

// backTo is the address of the page that a form came from, when it is one of ours.
func backTo(v *visit, fallback string) string {
	u, err := url.Parse(v.r.Header.Get("Referer"))
	if err != nil || u.Host != v.r.Host || u.Path == "" || u.Path[0] != '/' {
		return fallback
	}
	return u.RequestURI()
}
