package web

import (
	"cmp"
	"math"
	"slices"

	"vigia/collectors"
)

// portsCard is the interfaces of a device: those that work or are in trouble, and, folded away, those that are down in peace.
type portsCard struct {
	Rows     []portRow
	Down     []portRow
	More     int // working interfaces that are not shown
	All      string
	Discards bool // some interface discards packets
	Errors   int  // how many have errors
}

// portRow is one interface.
type portRow struct {
	Key, URL    string
	Name, Alias string
	Shape       shape
	Bad         bool   // an alarm stands and nobody has it
	State       string // of what is down
	Speed       string
	In, Out     flow
	Errors      figure
	Discards    figure
	Spark       spark

	line collectors.Series // of the busier direction
	rank int
	busy float64 // the larger utilisation, percent
	most float64 // the larger flow, bit/s
	down bool
}

// flow is one direction.
type flow struct {
	Meter meter
	Share figure
	Rate  figure
}

// portMetrics are what is measured of an interface.
var portMetrics = []collectors.Metric{
	collectors.InterfaceUp, collectors.InBps, collectors.OutBps, collectors.InUtilPct, collectors.OutUtilPct, collectors.ErrorsPps, collectors.DiscardsPps,
}

// How many interfaces the page shows: the worst and busiest, or all that were asked for.
const (
	portsShown = 48
	portsMost  = 1000
)

// port gathers an interface's readings by metric.
type port map[collectors.Metric]reading

// portsOf gathers the interfaces of a device, in order.
func portsOf(list readings) []port {
	byInstance := map[string]port{}
	var names []string
	for _, r := range list {
		if r.Series.Part() == "" || !slices.Contains(portMetrics, r.Series.Metric) {
			continue
		}
		p := byInstance[r.Series.Instance]
		if p == nil {
			p = port{}
			byInstance[r.Series.Instance] = p
			names = append(names, r.Series.Instance)
		}
		p[r.Series.Metric] = r
	}
	slices.SortFunc(names, natural)
	ports := make([]port, len(names))
	for i, name := range names {
		ports[i] = byInstance[name]
	}
	return ports
}

// portsCard makes the table; nil when the object has no interfaces as parts.
func (s *Server) portsCard(v *visit, w *world, list readings) (*portsCard, error) {
	ports := portsOf(list)
	if len(ports) == 0 {
		return nil, nil
	}
	card := &portsCard{}
	for _, p := range ports {
		row := s.portRow(v, w, p)
		if row.down {
			card.Down = append(card.Down, row)
			continue
		}
		card.Discards = card.Discards || p[collectors.DiscardsPps].Fresh && p[collectors.DiscardsPps].Value > 0
		card.Errors += flag(p[collectors.ErrorsPps].Fresh && p[collectors.ErrorsPps].Value > 0)
		card.Rows = append(card.Rows, row)
	}
	slices.SortStableFunc(card.Rows, func(a, b portRow) int {
		return cmp.Or(cmp.Compare(b.rank, a.rank), cmp.Compare(b.busy, a.busy), cmp.Compare(b.most, a.most))
	})
	card.cut(v)
	series := make([]collectors.Series, 0, len(card.Rows))
	for _, r := range card.Rows {
		if r.line.Metric != "" {
			series = append(series, r.line)
		}
	}
	lines, err := s.sparks(v, w, series[:min(len(series), portsShown)])
	for i := range card.Rows {
		card.Rows[i].Spark = lines[card.Rows[i].line]
	}
	return card, err
}

// cut leaves what the page shows.
func (c *portsCard) cut(v *visit) {
	most := portsShown
	if v.r.URL.Query().Get("ports") == "all" {
		most = portsMost
	}
	if len(c.Rows) > most {
		c.More = len(c.Rows) - most
		c.Rows = c.Rows[:most]
		q := v.r.URL.Query()
		q.Del("part")
		q.Set("ports", "all")
		c.All = v.r.URL.EscapedPath() + "?" + q.Encode()
	}
	c.Down = c.Down[:min(len(c.Down), portsMost)]
}

func (s *Server) portRow(v *visit, w *world, p port) portRow {
	up, known := p[collectors.InterfaceUp]
	d := detailOf[interfaceDetail](up)
	series := p.any().Series
	row := portRow{
		Key: series.Instance, URL: partURL(series), Name: cmp.Or(clean(d.Name), series.Part()), Alias: clean(cmp.Or(d.Alias, d.Descr)),
		In: s.flow(v, w, p, collectors.InBps), Out: s.flow(v, w, p, collectors.OutBps),
		Errors: s.rate(v, w, p, collectors.ErrorsPps), Discards: s.rate(v, w, p, collectors.DiscardsPps), Shape: v.shapeOf(0, false),
	}
	if row.Alias == row.Name {
		row.Alias = ""
	}
	if capacity := cmp.Or(d.Capacity, d.Speed); capacity > 0 {
		row.Speed = collectors.FormatUnit(v.lang, collectors.UnitBps, capacity)
	}
	row.measure(p)
	for _, r := range p {
		if rank, sh := s.rankOf(v, w, r.Series); rank > row.rank {
			row.rank, row.Shape, row.Bad = rank, *sh, !w.owned(w.alarmOn(r.Series))
		}
	}
	switch {
	case row.rank > 0:
	case !p.fresh():
		row.Shape, row.rank = v.silent(), 1
	case known && up.Fresh && up.Value < 1:
		row.down, row.State = true, v.t("port.down")
		if d.Admin == "down" {
			row.State = v.t("port.admin_down")
		}
	}
	return row
}

// measure finds the busier direction.
func (row *portRow) measure(p port) {
	row.busy, row.most = -1, -1
	for _, m := range []collectors.Metric{collectors.InBps, collectors.OutBps} {
		rate, ok := p[m]
		if !ok || !rate.Fresh {
			continue
		}
		if rate.Value > row.most {
			row.most, row.line = rate.Value, rate.Series
		}
		if u := p[utilisationOf[m]]; u.Fresh {
			row.busy = math.Max(row.busy, u.Value)
		}
	}
}

// any is one of the readings, the first by portMetrics.
func (p port) any() reading {
	for _, m := range portMetrics {
		if r, ok := p[m]; ok {
			return r
		}
	}
	return reading{}
}

func (p port) fresh() bool {
	for _, r := range p {
		if r.Fresh {
			return true
		}
	}
	return false
}

func (s *Server) flow(v *visit, w *world, p port, m collectors.Metric) flow {
	rate, ok := p[m]
	share, known := p[utilisationOf[m]]
	f := flow{Rate: s.cell(v, w, rate, ok), Meter: s.meterOf(w, share, known)}
	if known && share.Fresh {
		f.Share = s.cell(v, w, share, true)
		f.Share.Text = v.percent(share.Value)
		f.Share.Unit = ""
	}
	return f
}

// rate writes errors and discards: zero is pale, since it is what people expect.
func (s *Server) rate(v *visit, w *world, p port, m collectors.Metric) figure {
	r, ok := p[m]
	f := s.cell(v, w, r, ok)
	if !f.None && f.Class == "" && r.Value == 0 {
		f = figure{Text: "0", Class: "dim"}
	}
	return f
}
