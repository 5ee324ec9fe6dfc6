package web

import (
	"net/http"
	"net/url"
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
	Device   deviceBody
	Part     *partHead // of one part of it only
	Calls    *bandBar  // today's, of a trunk
	MuteNew  string    // where it is silenced; "" for who may not
	Asks     string    // where "check now" posts; "" when nothing measures it
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
			item: s.item(v, w, ref, list), Page: page, Subtitle: v.subtitle(w.inv, ref, list), Range: s.readRange(v),
			Failed: v.r.URL.Query().Get("runs") == "failed",
		}
		if v.scope().All() {
			body.MuteNew = "/mutes/new?on=" + url.QueryEscape(ref.String())
		}
		if of := v.r.URL.Query().Get("of"); of != "" {
			err = s.showPart(v, w, list.of(of), &body)
		} else {
			err = s.showWhole(v, w, list, &body)
		}
		if err != nil {
			return err
		}
		if body.Incident, err = s.incidentOf(v, w, ref); err != nil {
			return err
		}
		f := s.framed(v, w, "object", page, v.object(ref))
		f.Chart, f.Body = true, body
		return s.show(v, 200, f)
	}
}

// showWhole fills the page of an object: its own figures and charts, its device's parts as tables, its checks, what stands around it.
func (s *Server) showWhole(v *visit, w *world, list readings, body *objectBody) error {
	order := tileOrder
	if body.Ref.Kind == inventory.KindServer {
		order = serverTiles
	}
	var err error
	if body.Tiles, err = s.objectTiles(v, w, list.tiled(), order); err != nil {
		return err
	}
	whole := list.whole()
	first, folded := whole.chartOrders()
	body.Charts = s.charts(v, w, whole, first, body.Range)
	body.Detail = s.charts(v, w, whole, folded, body.Range)
	if len(body.Charts) == 0 {
		body.Charts, body.Detail = body.Detail, nil
	}
	if len(body.Charts) == 0 { // it has never answered
		body.Charts = s.charts(v, w, whole, []collectors.Metric{collectors.Up}, body.Range)
	}
	body.Checks, body.Runs = s.checkRows(v, w, body.Ref), s.runRows(v, body.Shape, body.Ref, body.Failed)
	if len(w.checks[body.Ref]) > 0 && s.cfg.CheckNow != nil && s.state().Active {
		body.Asks = body.URL + "/check"
	}
	s.relate(v, w, body)
	if body.Calls, err = s.trunkCalls(v, w.inv, body.Ref); err != nil {
		return err
	}
	if body.Device, err = s.device(v, w, body.Ref, list); err != nil {
		return err
	}
	return s.addPast(v, body)
}

// subtitle is where an object is, what it is for and what the device says it is.
func (s *speaker) subtitle(inv *inventory.Inventory, ref inventory.Ref, list readings) string {
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
	said := list.deviceSaid()
	if strings.Contains(said.Title, said.Model) {
		said.Model = ""
	}
	if device := joinSaid(clean(said.Title), clean(said.Model)); device != "" {
		return strings.TrimPrefix(strings.Join(parts, ", ")+" · "+device, " · ")
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
	if n := run.Result.Discarded; n > 0 {
		if !saysThrown(run.Result.Why) {
			r.Why = joinSaid(r.Why, v.count("thrown.in", n))
		}
		if r.OK {
			r.Shape = v.silent()
			r.Shape.Word = v.t("thrown.word")
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
			it := s.item(v, w, ref, s.glance(v, w, ref))
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
		if !s.state().Active {
			s.errorPage(v, http.StatusConflict, "web.standby.why")
			return errRefused
		}
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
