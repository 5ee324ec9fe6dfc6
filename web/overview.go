package web

import (
	"cmp"
	"slices"
	"time"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
)

// overviewBody is what the first page shows.
type overviewBody struct {
	Tiles     []tile
	Incidents []incidentRow
	More      int // live incidents beyond those shown
	Loose     int // standing alarms that page nobody
	Judged    moment
	Sites     []siteRow
	Well      int
	NotWell   int
	Tables    []table
	Services  []row
}

// tile is one figure with its name and context.
type tile struct {
	Label   string
	Figure  figure
	Shape   *shape // when it is not well
	Spark   spark
	Context string
	URL     string
	Until   moment // a countdown instead of a figure
}

// siteRow is a site with a square for each object.
type siteRow struct {
	item
	Squares []item
	More    int
	Bad     int
}

// How much the overview shows of everything.
const (
	overviewIncidents = 6
	overviewRows      = 7
	overviewSquares   = 160
)

func (s *Server) overview(v *visit) error {
	w, err := s.world(v.ctx(), v.scope())
	if err != nil {
		return err
	}
	if len(w.inv.Refs()) == 0 {
		return s.firstRun(v, w)
	}
	body := overviewBody{Loose: len(w.loose())}
	if last := s.health().Engine.LastPlan; !last.IsZero() {
		body.Judged = moment{v.span(max(v.now.Sub(last), 0)), last.UnixMilli()}
	}
	for i := range w.Incidents {
		if i == overviewIncidents {
			body.More = len(w.Incidents) - i
			break
		}
		body.Incidents = append(body.Incidents, s.incidentRow(v, w, &w.Incidents[i]))
	}
	all := map[inventory.Kind][]row{}
	for _, kind := range []inventory.Kind{inventory.KindLink, inventory.KindTrunk, inventory.KindServer, inventory.KindService} {
		all[kind] = s.rows(v, w, w.refsOf(kind), listColumns[kind], nil)
	}
	body.Sites, body.Well, body.NotWell = s.siteRows(v, w, all)
	if err := s.overviewTables(v, w, all, &body); err != nil {
		return err
	}
	if body.Tiles, err = s.overviewTiles(v, w, all); err != nil {
		return err
	}
	f := s.framed(v, w, "overview", "overview", v.t("nav.overview"))
	f.Body = body
	return s.show(v, 200, f)
}

// overviewTables are the worst of each kind.
func (s *Server) overviewTables(v *visit, w *world, all map[inventory.Kind][]row, body *overviewBody) error {
	var drawn []*row
	for _, kind := range []inventory.Kind{inventory.KindLink, inventory.KindTrunk, inventory.KindServer} {
		rows := all[kind]
		if len(rows) == 0 {
			continue
		}
		specs := trim(listColumns[kind], rows)
		sortRows(rows, specs, "")
		t := table{Kind: kind, Total: len(rows), Rows: rows[:min(len(rows), overviewRows)]}
		for _, spec := range specs[:min(len(specs), 2)] {
			t.Columns = append(t.Columns, column{Key: spec.key, Label: v.t("col." + spec.key)})
		}
		for i := range t.Rows {
			t.Rows[i].Cells = t.Rows[i].Cells[:len(t.Columns)]
			drawn = append(drawn, &t.Rows[i])
		}
		body.Tables = append(body.Tables, t)
	}
	flat := make([]row, len(drawn))
	for i, r := range drawn {
		flat[i] = *r
	}
	if err := s.drawRows(v, w, flat); err != nil {
		return err
	}
	for i, r := range drawn {
		r.Spark = flat[i].Spark
	}
	services := all[inventory.KindService]
	sortRows(services, nil, "")
	body.Services = services[:min(len(services), overviewRows)]
	return nil
}

// siteRows gathers the squares by site, worst site first; what is at no site stands in a row of its own at the end.
func (s *Server) siteRows(v *visit, w *world, all map[inventory.Kind][]row) (rows []siteRow, well, not int) {
	at := map[string]*siteRow{}
	order := []*siteRow{}
	add := func(name string) *siteRow {
		r := at[name]
		if r == nil {
			r = &siteRow{item: item{Name: name, Ref: inventory.Ref{Kind: inventory.KindSite, Name: name}}}
			if r.Name == "" {
				r.Name = v.t("sites.none")
			} else {
				r.URL = pageOf(r.Ref)
				r.item.rank = 0
			}
			at[name] = r
			order = append(order, r)
		}
		return r
	}
	for _, site := range w.inv.Sites {
		add(site.Name)
	}
	for _, kind := range []inventory.Kind{inventory.KindLink, inventory.KindServer, inventory.KindTrunk, inventory.KindService} {
		for _, r := range all[kind] {
			site := add(r.Site)
			site.Squares = append(site.Squares, r.item)
			site.rank = max(site.rank, r.rank)
			if r.OK() {
				well++
			} else {
				not++
				site.Bad++
			}
		}
	}
	for _, r := range order {
		slices.SortStableFunc(r.Squares, func(a, b item) int { return cmp.Compare(kindRank(a.Ref.Kind), kindRank(b.Ref.Kind)) })
		if len(r.Squares) > overviewSquares {
			r.More, r.Squares = len(r.Squares)-overviewSquares, worstSquares(r.Squares)
		}
		rows = append(rows, *r)
	}
	slices.SortStableFunc(rows, func(a, b siteRow) int { return cmp.Compare(b.rank, a.rank) })
	return rows, well, not
}

func kindRank(k inventory.Kind) int { return slices.Index(inventory.Kinds[:], k) }

// worstSquares keeps what is not well before what is.
func worstSquares(list []item) []item {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b item) int { return cmp.Compare(b.rank, a.rank) })
	return list[:overviewSquares]
}

// overviewTiles are the figures that the monitor has now.
func (s *Server) overviewTiles(v *visit, w *world, all map[inventory.Kind][]row) ([]tile, error) {
	tiles := []tile{s.problemsTile(v, w), s.nextTile(v, w)}
	loss, lossLine := s.extremeTile(v, w, "tile.loss", all, []collectors.Metric{collectors.LossPct}, inventory.KindLink, inventory.KindServer)
	slow, slowLine := s.extremeTile(v, w, "tile.slowest", all, []collectors.Metric{collectors.ResponseMS, collectors.LatencyMS, collectors.ConnectMS},
		inventory.KindServer, inventory.KindTrunk, inventory.KindLink)
	lines, err := s.sparks(v, w, lineList(lossLine, slowLine))
	if err != nil {
		return nil, err
	}
	loss.Spark, slow.Spark = lines[lossLine], lines[slowLine]
	return append(tiles, loss, slow, s.answeringTile(v, w, all), s.probesTile(v)), nil
}

func lineList(series ...collectors.Series) []collectors.Series {
	return slices.DeleteFunc(series, func(one collectors.Series) bool { return one.Metric == "" })
}

func (s *Server) problemsTile(v *visit, w *world) tile {
	t := tile{Label: v.t("tile.problems"), Figure: figure{Text: v.number(float64(w.counts.Total()))}, URL: "/alarms", Context: v.t("tile.problems.none")}
	if n := w.counts.Unowned; n > 0 {
		sh := v.shapeOf(w.unownedWorst(), false)
		t.Shape, t.Context = &sh, v.count("tile.problems.unowned", n)
	} else if w.counts.Total() > 0 {
		t.Context = v.t("tile.problems.owned")
	}
	if n := w.counts.Muted; n == w.counts.Total() && n > 0 {
		t.Context = v.count("tile.problems.muted", n)
	} else if n > 0 {
		t.Context += ", " + v.count("tile.problems.muted", n)
	}
	return t
}

// nextTile counts down to the next person who is told.
func (s *Server) nextTile(v *visit, w *world) tile {
	t := tile{Label: v.t("tile.next"), Figure: nothing(v.t("tile.next.none")), Context: v.t("tile.next.none")}
	var soonest *alerting.Incident
	var at time.Time
	for i := range w.Incidents {
		if _, when, _, ok := w.Incidents[i].Upcoming(); ok && (soonest == nil || when.Before(at)) {
			soonest, at = &w.Incidents[i], when
		}
	}
	if soonest == nil {
		return t
	}
	step := v.nextStep(soonest)
	if step == nil {
		return t
	}
	t.Until, t.URL = step.Left, incidentURL(soonest.ID)
	t.Context = v.t("tile.next.who", step.Level, soonest.Ref.Name)
	return t
}

// extremeTile shows the worst figure of a metric and whose it is.
func (s *Server) extremeTile(v *visit, w *world, code string, all map[inventory.Kind][]row, metrics []collectors.Metric, kinds ...inventory.Kind) (tile, collectors.Series) {
	var worst reading
	found := false
	for _, kind := range kinds {
		for _, r := range all[kind] {
			one, ok := s.glance(v, w, r.Ref).firstOf(metrics...)
			if ok && one.Fresh && (!found || one.Value > worst.Value) {
				worst, found = one, true
			}
		}
	}
	t := tile{Label: v.t(code), Figure: nothing(v.t("none.unmeasured")), Context: v.t("none.unmeasured")}
	if !found {
		return t, collectors.Series{}
	}
	t.Figure, t.URL, t.Context = v.figure(worst.Series.Metric, worst.Value), pageOf(worst.Series.Ref), v.object(worst.Series.Ref)
	if a := w.alarmOn(worst.Series); a != nil {
		sh := v.shapeOf(a.Severity, false)
		t.Shape = &sh
	}
	return t, worst.Series
}

// answeringTile says how many of those that are asked answer.
func (s *Server) answeringTile(v *visit, w *world, all map[inventory.Kind][]row) tile {
	asked, silent := 0, 0
	for _, kind := range []inventory.Kind{inventory.KindLink, inventory.KindServer, inventory.KindTrunk} {
		for _, r := range all[kind] {
			if !r.Checked {
				continue
			}
			asked++
			if !s.answers(v, w, r.Ref) {
				silent++
			}
		}
	}
	if asked == 0 {
		return tile{Label: v.t("tile.answering"), Figure: nothing(v.t("none.unchecked")), Context: v.t("none.unchecked")}
	}
	return tile{
		Label: v.t("tile.answering"), Figure: figure{Text: v.number(float64(asked - silent)), Unit: v.t("service.of", asked)},
		Context: v.count("tile.answering.checks", len(s.cfg.Checks())),
	}
}

// answers reports whether one of an object's reachability checks says so now (design §5).
func (s *Server) answers(v *visit, w *world, ref inventory.Ref) bool {
	for _, r := range s.glance(v, w, ref) {
		if r.Series.Metric == collectors.Up && r.Fresh && r.Value >= 1 {
			return true
		}
	}
	return false
}

func (s *Server) probesTile(v *visit) tile {
	stats := s.health().Scheduler
	t := tile{Label: v.t("tile.probes"), Figure: nothing(v.t("none.yet")), Context: v.t("none.yet"), URL: "/health"}
	if stats.PerMinute > 0 {
		t.Figure = figure{Text: collectors.Number(v.lang, stats.PerMinute, 0), Unit: v.t("unit.per_minute")}
		t.Context = v.t("tile.probes.late", v.precise(stats.LateP99))
	}
	if stats.Skipped > 0 {
		t.Context = v.count("tile.probes.skipped", int(stats.Skipped))
	}
	return t
}

// health is what the joints of the process know; nothing when nobody says.
func (s *Server) health() Health {
	if s.cfg.Health == nil {
		return Health{}
	}
	return s.cfg.Health()
}
