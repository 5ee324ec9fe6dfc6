package web

import (
	"cmp"
	"slices"
	"strings"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
)

// tileOrder is which figures an object's page shows large, and in which order.
var tileOrder = []collectors.Metric{
	collectors.HealthyServers, collectors.WorkingTrunks, collectors.LossPct, collectors.LatencyMS, collectors.ResponseMS, collectors.JitterMS, collectors.InBps, collectors.OutBps,
	collectors.InUtilPct, collectors.OutUtilPct, collectors.ASRPct, collectors.NERPct, collectors.PDDMS, collectors.ACDS, collectors.Calls,
	collectors.ConnectMS, collectors.FirstByteMS, collectors.TLSExpiryD, collectors.StatusCode, collectors.UptimeS,
}

// serverTiles is tileOrder for a server: how full it is comes before how far away it is.
var serverTiles = []collectors.Metric{
	collectors.CPUPct, collectors.RAMPct, collectors.DiskPct, collectors.Calls, collectors.Sessions, collectors.ResponseMS, collectors.LossPct,
	collectors.LatencyMS, collectors.JitterMS, collectors.ProbeMOS, collectors.ConnectMS, collectors.FirstByteMS, collectors.TLSExpiryD,
	collectors.StatusCode, collectors.UptimeS,
}

// partTiles is tileOrder for one part of a device; whatever else is measured of it follows.
var partTiles = []collectors.Metric{
	collectors.InterfaceUp, collectors.InBps, collectors.OutBps, collectors.InUtilPct, collectors.OutUtilPct, collectors.ErrorsPps, collectors.DiscardsPps,
}

// mostTiles is how many stand in one row.
const mostTiles = 6

// tileSeries is a tile and whose trend it may show.
type tileSeries struct {
	tile
	line collectors.Series
}

// objectTiles shows the figures of one order. When there are too many, what has no alarm goes first, from the end.
func (s *Server) objectTiles(v *visit, w *world, list readings, order []collectors.Metric) ([]tile, error) {
	var all []tileSeries
	if up, ok := list.worstOf(collectors.Up); ok {
		all = append(all, tileSeries{tile: s.upTile(v, w, list, up)})
	}
	for _, m := range order {
		r, ok := list.worstOf(m)
		if _, flows := list.worstOf(flowOf[m]); !ok || flows { // "61 % of 1 Gb/s" stands under the flow
			continue
		}
		all = append(all, tileSeries{s.figureTile(v, w, list, r), r.Series})
	}
	for i := len(all) - 1; i >= 0 && len(all) > mostTiles; i-- {
		if all[i].Shape == nil && i > 0 {
			all = slices.Delete(all, i, i+1)
		}
	}
	return s.withTrends(v, w, all[:min(len(all), mostTiles)])
}

// flowOf is the flow beside which a utilisation has no tile and no chart of its own.
var flowOf = map[collectors.Metric]collectors.Metric{collectors.InUtilPct: collectors.InBps, collectors.OutUtilPct: collectors.OutBps}

// utilisationOf is the utilisation that belongs to a flow.
var utilisationOf = map[collectors.Metric]collectors.Metric{collectors.InBps: collectors.InUtilPct, collectors.OutBps: collectors.OutUtilPct}

func (s *Server) figureTile(v *visit, w *world, list readings, r reading) tile {
	t := tile{Label: v.metric(r.Series.Metric), Figure: s.cell(v, w, r, true)}
	if r.Series.Metric == collectors.DiskPct && list.instances(collectors.DiskPct) > 1 {
		t.Label = v.t("tile.disk.worst")
	}
	if t.Figure.None {
		t.Context = t.Figure.Why
	} else {
		t.Context = cmp.Or(s.tileContext(v, w, list, r), s.levels(v, r.Series))
	}
	a := w.alarmOn(r.Series)
	if m, ok := utilisationOf[r.Series.Metric]; ok && a == nil {
		a = w.alarmOn(collectors.Series{Metric: m, Ref: r.Series.Ref, Instance: r.Series.Instance})
	}
	if a != nil {
		sh := v.shapeOf(a.Severity, a.State == alerting.Stale)
		t.Shape = &sh
	}
	return t
}

// tileContext says what a figure is a part of; "" when nothing better is known than its levels.
func (s *Server) tileContext(v *visit, w *world, list readings, r reading) string {
	switch r.Series.Metric {
	case collectors.InBps, collectors.OutBps:
		return s.flowContext(v, w, list, r)
	case collectors.RAMPct, collectors.SwapPct, collectors.PoolPct:
		return v.octets(r)
	case collectors.DiskPct:
		said := v.octets(r)
		if f, ok := s.forecastOf(v, r.Series); ok && f.Outlook == collectors.Filling {
			said = v.fullIn(f)
		}
		return joinSaid(r.Series.Part(), said)
	case collectors.CPUPct:
		if n := detailOf[coresDetail](r).Cores; n > 0 {
			return v.count("tile.cores", n)
		}
	case collectors.UptimeS:
		return v.t("tile.since", v.brief(r.At.Add(-seconds(r.Value))))
	}
	return ""
}

// flowContext is how much a flow is of what fits: "61 % of 1 Gb/s".
func (s *Server) flowContext(v *visit, w *world, list readings, r reading) string {
	capacity := capacityOf(w.inv, list, r.Series)
	if capacity <= 0 {
		return ""
	}
	share := 100 * r.Value / capacity
	if u, ok := list.at(utilisationOf[r.Series.Metric], r.Series.Instance); ok && u.Fresh {
		share = u.Value
	}
	return v.t("tile.of", v.percent(share), collectors.FormatUnit(v.lang, collectors.UnitBps, capacity))
}

// withTrends adds sparklines to the tiles of a server; the other pages have their charts right below.
func (s *Server) withTrends(v *visit, w *world, all []tileSeries) ([]tile, error) {
	var wanted []collectors.Series
	for _, t := range all {
		if t.line.Ref.Kind == inventory.KindServer && t.line.Metric != collectors.UptimeS && collectors.Catalogue[t.line.Metric].Unit != collectors.UnitBool {
			wanted = append(wanted, t.line)
		}
	}
	lines, err := s.sparks(v, w, wanted)
	tiles := make([]tile, len(all))
	for i, t := range all {
		tiles[i] = t.tile
		tiles[i].Spark = lines[t.line]
	}
	return tiles, err
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
