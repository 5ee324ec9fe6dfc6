package web

import (
	"net/http"
	"slices"
	"strings"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
	"vigia/store"
)

// objectBody is what the page of a link, server, trunk or service shows.
type objectBody struct {
	item
	Page     string
	Subtitle string
	Incident *incidentRow // the live incident that it stands in
	Tiles    []tile
	Charts   []chart
	Detail   []chart
	Range    timeRange
	Runs     []runRow
	Failed   bool // only failed runs are shown
	RunsURL  string
	Checks   []checkRow
	Month    monthBar
	Past     []pastIncident
	PastMore int
	Parents  []item
	Children []item
	Servers  []item // of a service
	Asks     string // where "check now" posts; "" when nothing measures it
}

// runRow is one run of one check.
type runRow struct {
	At      string
	Shape   shape
	OK      bool
	Check   string
	Why     string
	Took    string
	Steps   []string
	Confirm bool
}

// checkRow is one check and when it runs.
type checkRow struct {
	Name, Target, Every string
	Next                moment
	Busy                bool
	Skipped             string
}

// pastIncident is an incident that is over.
type pastIncident struct {
	ID    int64
	URL   string
	Title string
	Took  string
	Day   string
}

// pageRuns is how many runs a page shows.
const pageRuns = 14

func (s *Server) object(page string, kind inventory.Kind) func(*visit) error {
	return func(v *visit) error {
		ref := inventory.Ref{Kind: kind, Name: v.r.PathValue("name")}
		w, err := s.world(v.ctx(), v.scope())
		if err != nil {
			return err
		}
		if !slices.Contains(w.inv.Refs(), ref) || !v.scope().Sees(ref) {
			return store.ErrNotFound
		}
		list := s.readings(v, ref)
		body := objectBody{
			item: s.item(v, w, ref, list), Page: page, Subtitle: v.subtitle(w.inv, ref), Range: s.readRange(v),
			Tiles: s.objectTiles(v, w, list), Checks: s.checkRows(v, w, ref), Failed: v.r.URL.Query().Get("runs") == "failed",
		}
		body.Charts = s.charts(v, w, list, chartOrder, body.Range)
		body.Detail = s.charts(v, w, list, detailOrder, body.Range)
		if len(body.Charts) == 0 {
			body.Charts, body.Detail = body.Detail, nil
		}
		if len(body.Charts) == 0 { // it has never answered
			body.Charts = s.charts(v, w, list, []collectors.Metric{collectors.Up}, body.Range)
		}
		body.Runs = s.runRows(v, body.Shape, ref, body.Failed)
		if len(w.checks[ref]) > 0 && s.cfg.CheckNow != nil {
			body.Asks = body.URL + "/check"
		}
		s.relate(v, w, &body)
		if body.Incident, err = s.incidentOf(v, w, ref); err != nil {
			return err
		}
		if err := s.addPast(v, &body); err != nil {
			return err
		}
		f := s.framed(v, w, "object", page, v.object(ref))
		f.Chart, f.Body = true, body
		return s.show(v, 200, f)
	}
}

// subtitle is where an object is and what it is for.
func (s *speaker) subtitle(inv *inventory.Inventory, ref inventory.Ref) string {
	var parts []string
	add := func(text string) {
		if text != "" {
			parts = append(parts, text)
		}
	}
	switch ref.Kind {
	case inventory.KindLink:
		l := inv.Link(ref.Name)
		ends := l.Site
		if l.Peer != "" {
			ends = strings.Trim(l.Site+" – "+l.Peer, " –")
		}
		add(ends)
		if l.Capacity > 0 {
			add(collectors.FormatUnit(s.lang, collectors.UnitBps, float64(l.Capacity)))
		}
	case inventory.KindServer:
		add(inv.Server(ref.Name).Site)
	case inventory.KindTrunk:
		add(inv.Trunk(ref.Name).Site)
	case inventory.KindService:
		service := inv.Service(ref.Name)
		add(s.t("service.wants", service.AtLeast, len(service.Servers)))
	}
	return strings.Join(parts, ", ")
}

// tileOrder is which figures an object's page shows large, and in which order.
var tileOrder = []collectors.Metric{
	collectors.HealthyServers, collectors.LossPct, collectors.LatencyMS, collectors.ResponseMS, collectors.JitterMS, collectors.InBps, collectors.OutBps,
	collectors.InUtilPct, collectors.OutUtilPct, collectors.CPUPct, collectors.RAMPct, collectors.DiskPct, collectors.ASRPct, collectors.NERPct,
	collectors.PDDMS, collectors.ACDS, collectors.Calls, collectors.ConnectMS, collectors.FirstByteMS, collectors.TLSExpiryD, collectors.StatusCode, collectors.UptimeS,
}

// mostTiles is how many stand in one row.
const mostTiles = 6

func (s *Server) objectTiles(v *visit, w *world, list readings) []tile {
	var tiles []tile
	if up, ok := list.worstOf(collectors.Up); ok {
		tiles = append(tiles, s.upTile(v, w, list, up))
	}
	for _, m := range tileOrder {
		r, ok := list.worstOf(m)
		if !ok || len(tiles) == mostTiles {
			continue
		}
		t := tile{Label: v.metric(m), Figure: s.cell(v, w, r, true), Context: s.levels(v, r.Series)}
		if t.Figure.None {
			t.Context = t.Figure.Why
		}
		if a := w.alarmOn(r.Series); a != nil {
			sh := v.shapeOf(a.Severity, a.State == alerting.Stale)
			t.Shape = &sh
		}
		tiles = append(tiles, t)
	}
	return tiles
}

// upTile says whether it answers: it does while one of its checks says so.
func (s *Server) upTile(v *visit, w *world, list readings, worst reading) tile {
	t := tile{Label: v.metric(collectors.Up)}
	fresh, up, all := 0, 0, 0
	for _, r := range list {
		if r.Series.Metric != collectors.Up {
			continue
		}
		all++
		fresh += flag(r.Fresh)
		up += flag(r.Fresh && r.Value >= 1)
		if a := w.alarmOn(r.Series); a != nil && t.Shape == nil {
			sh := v.shapeOf(a.Severity, a.State == alerting.Stale)
			t.Shape = &sh
		}
	}
	switch {
	case fresh == 0:
		t.Figure = nothing(v.t("none.since", v.brief(worst.At)))
		t.Context = t.Figure.Why
	case up > 0:
		t.Figure = figure{Text: v.t("up.yes")}
	default:
		t.Figure = figure{Text: v.t("up.no")}
	}
	if fresh > 0 && all > 1 {
		t.Context = v.t("up.checks", up, all)
	} else if fresh > 0 {
		t.Context = v.t("up.at", v.clock(worst.At))
	}
	return t
}

// levels says what is expected of a series: its least and its worst level.
func (s *Server) levels(v *visit, series collectors.Series) string {
	rule := s.cfg.Rules().Match(series)
	if rule == nil || len(rule.Tiers) == 0 {
		return v.t("level.none")
	}
	code := "level.over"
	if rule.Tiers[0].Below() {
		code = "level.under"
	}
	var parts []string
	for _, t := range rule.Tiers {
		parts = append(parts, v.t(code, strings.ToLower(v.severity(t.Severity)), collectors.FormatValue(v.lang, series.Metric, t.Raise)))
	}
	return strings.Join(parts, ", ")
}

func (s *Server) checkRows(v *visit, w *world, ref inventory.Ref) []checkRow {
	var rows []checkRow
	for _, c := range w.checks[ref] {
		r := checkRow{Name: c.Kind, Target: c.Target, Every: v.t("check.every", v.span(c.Every))}
		if c.ID.Instance != "" && c.ID.Instance != c.Kind {
			r.Name = c.ID.Instance + " (" + c.Kind + ")"
		}
		if s.cfg.CheckStats != nil {
			if stats, ok := s.cfg.CheckStats(c.ID); ok {
				r.Next, r.Busy = v.left(stats.Next), stats.Busy
				if stats.Skipped > 0 {
					r.Skipped = v.count("check.skipped", int(stats.Skipped))
				}
			}
		}
		rows = append(rows, r)
	}
	return rows
}

func (s *Server) runRows(v *visit, now shape, ref inventory.Ref, failed bool) []runRow {
	var rows []runRow
	runs := s.cfg.Runs.Of(ref, 0)
	if !failed {
		runs = keepFailure(runs)
	}
	for _, run := range runs {
		if failed && run.Result.OK {
			continue
		}
		if rows = append(rows, runRowOf(v, now, run)); len(rows) == pageRuns {
			break
		}
	}
	return rows
}

// keepFailure shortens the runs to what a page shows; the last failure stays among them even when it is older.
func keepFailure(runs []collectors.Run) []collectors.Run {
	if len(runs) <= pageRuns {
		return runs
	}
	head := runs[:pageRuns]
	if slices.ContainsFunc(head, func(r collectors.Run) bool { return !r.Result.OK }) {
		return head
	}
	if i := slices.IndexFunc(runs, func(r collectors.Run) bool { return !r.Result.OK }); i >= 0 {
		return append(slices.Clone(head[:pageRuns-1]), runs[i])
	}
	return head
}

func runRowOf(v *visit, now shape, run collectors.Run) runRow {
	r := runRow{
		At: v.clock(run.At), OK: run.Result.OK, Check: instance(run.Check.Instance, run.Kind), Why: v.reason(run.Result.Why),
		Took: v.precise(run.Took), Confirm: run.Confirm, Shape: v.shapeOf(alerting.None, false),
	}
	if !r.OK {
		r.Shape = shape{Class: "is-unknown", Icon: "failed", Word: v.t("run.failed")}
		if now.Rank >= 10 {
			r.Shape.Class = now.Class
		}
	}
	for _, step := range run.Result.Steps {
		r.Steps = append(r.Steps, v.reason(step))
	}
	return r
}

// relate adds what an object depends on, and what hangs on it.
func (s *Server) relate(v *visit, w *world, body *objectBody) {
	items := func(refs []inventory.Ref) []item {
		var list []item
		for _, ref := range refs {
			it := s.item(v, w, ref, s.readings(v, ref))
			it.Name = v.object(ref)
			if ref.Kind == inventory.KindSite && it.Shape.Icon == "unknown" {
				it.Shape, it.What = v.shapeOf(alerting.None, false), ""
			}
			list = append(list, it)
		}
		slices.SortStableFunc(list, func(a, b item) int { return b.rank - a.rank })
		return list
	}
	body.Parents, body.Children = items(w.inv.Parents(body.Ref)), items(w.inv.Children(body.Ref))
	if body.Ref.Kind == inventory.KindServer {
		for _, service := range w.inv.Services {
			if slices.Contains(service.Servers, body.Ref.Name) {
				body.Children = append(body.Children, items([]inventory.Ref{{Kind: inventory.KindService, Name: service.Name}})...)
			}
		}
	}
	if service := w.inv.Service(body.Ref.Name); body.Ref.Kind == inventory.KindService && service != nil {
		var refs []inventory.Ref
		for _, name := range service.Servers {
			refs = append(refs, inventory.Ref{Kind: inventory.KindServer, Name: name})
		}
		body.Servers = items(refs)
	}
}

// incidentOf is the worst live incident that an object stands in, or nil.
func (s *Server) incidentOf(v *visit, w *world, ref inventory.Ref) (*incidentRow, error) {
	for i := range w.Incidents {
		one := &w.Incidents[i]
		if one.Ref == ref || slices.ContainsFunc(w.of[ref], func(a *alerting.Alarm) bool { return a.IncidentID == one.ID }) {
			row := s.incidentRow(v, w, one)
			return &row, nil
		}
	}
	return nil, nil
}

// addPast adds the last thirty days.
func (s *Server) addPast(v *visit, body *objectBody) error {
	var err error
	if body.Month, err = s.monthBar(v, body.Ref); err != nil {
		return err
	}
	over := false
	list, err := s.cfg.Store.Incidents(v.ctx(), v.scope(), store.IncidentFilter{Ref: body.Ref, Live: &over, Since: v.now.Add(-month), Limit: 200})
	if err != nil {
		return err
	}
	body.Past = v.past(list, 5)
	body.PastMore = len(list) - len(body.Past)
	return nil
}

// past lists incidents that are over.
func (v *visit) past(list []alerting.Incident, most int) []pastIncident {
	var out []pastIncident
	for i := range list {
		in := &list[i]
		if in.State == alerting.Merged || len(out) == most {
			continue
		}
		out = append(out, pastIncident{in.ID, incidentURL(in.ID), v.titleOf(in), v.span(in.ResolvedAt.Sub(in.OpenedAt)), v.brief(in.OpenedAt)})
	}
	return out
}

// checkNow runs the checks of an object at once.
func (s *Server) checkNow(kind inventory.Kind) func(*visit) error {
	return func(v *visit) error {
		ref := inventory.Ref{Kind: kind, Name: v.r.PathValue("name")}
		if s.cfg.CheckNow == nil || !s.cfg.CheckNow(ref) {
			return store.ErrNotFound
		}
		if v.scripted() {
			v.w.Header().Set("HX-Trigger", trigger("vigia:done", v.t("done.asked"), ""))
			v.w.WriteHeader(http.StatusNoContent)
			return nil
		}
		http.Redirect(v.w, v.r, pageOf(ref), http.StatusSeeOther)
		return nil
	}
}
