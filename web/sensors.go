package web

import (
	"cmp"
	"slices"

	"vigia/collectors"
)

// coresCard is the processors of a server.
type coresCard struct {
	Rows []coreRow
	More int
	Mean figure
	Load []loadFigure
}

// coreRow is one processor.
type coreRow struct {
	Name, URL string
	Meter     meter
	Now       figure
}

// loadFigure is the run queue's mean of one span.
type loadFigure struct {
	Span  string
	Value figure
}

// coresMost is how many processors are drawn.
const coresMost = 128

// coresCard draws each processor; nil when there are neither processors nor a load.
func (s *Server) coresCard(v *visit, w *world, list readings) *coresCard {
	card := &coresCard{}
	var cores readings
	for _, r := range list {
		if r.Series.Metric == collectors.CorePct {
			cores = append(cores, r)
		}
	}
	slices.SortStableFunc(cores, func(a, b reading) int { return natural(a.Series.Part(), b.Series.Part()) })
	card.More = max(len(cores)-coresMost, 0)
	for _, r := range cores[:len(cores)-card.More] {
		now := s.cell(v, w, r, true)
		if !now.None {
			now.Text, now.Unit = collectors.Number(v.lang, r.Value, 0), ""
		}
		card.Rows = append(card.Rows, coreRow{r.Series.Part(), partURL(r.Series), s.meterOf(w, r, true), now})
	}
	for _, load := range []struct {
		metric collectors.Metric
		span   string
	}{{collectors.Load1, "1 m"}, {collectors.Load5, "5 m"}, {collectors.Load15, "15 m"}} {
		if r, ok := list.worstOf(load.metric); ok {
			f := s.cell(v, w, r, true)
			if !f.None {
				f.Text = collectors.Number(v.lang, r.Value, 2)
			}
			card.Load = append(card.Load, loadFigure{load.span, f})
		}
	}
	if len(card.Rows) == 0 && len(card.Load) == 0 {
		return nil
	}
	if r, ok := list.whole().worstOf(collectors.CPUPct); ok {
		card.Mean = s.cell(v, w, r, true)
	}
	return card
}

// sensorsCard is what a device measures of itself: what has failed or is in alarm first, then by kind.
type sensorsCard struct {
	Rows []sensorRow
	Well int // parts that work, beyond those that are listed
	More int
}

// sensorRow is one sensor or part.
type sensorRow struct {
	Shape shape
	Name  string
	URL   string
	Kind  string
	Now   figure

	rank int
}

// sensorMetrics are those of sensors, in their order.
var sensorMetrics = []collectors.Metric{
	collectors.PartOK, collectors.TemperatureC, collectors.FanRPM, collectors.VoltageV, collectors.CurrentA, collectors.PowerW, collectors.OpticalDBM,
	collectors.HumidityPct, collectors.BatteryPct, collectors.RuntimeS, collectors.LoadPct,
}

// sensorsMost is how many are listed.
const sensorsMost = 60

// sensorsCard lists the sensors; parts that work are only counted. Nil when there are none.
func (s *Server) sensorsCard(v *visit, w *world, list readings) *sensorsCard {
	card := &sensorsCard{}
	for _, m := range sensorMetrics {
		var rows []sensorRow
		for _, r := range list {
			if r.Series.Metric != m {
				continue
			}
			row := s.sensorRow(v, w, r)
			if m == collectors.PartOK && row.rank == 0 {
				card.Well++
				continue
			}
			rows = append(rows, row)
		}
		slices.SortStableFunc(rows, func(a, b sensorRow) int { return natural(a.Name, b.Name) })
		card.Rows = append(card.Rows, rows...)
	}
	if len(card.Rows) == 0 && card.Well == 0 {
		return nil
	}
	slices.SortStableFunc(card.Rows, func(a, b sensorRow) int { return cmp.Compare(b.rank, a.rank) })
	card.More = max(len(card.Rows)-sensorsMost, 0)
	card.Rows = card.Rows[:len(card.Rows)-card.More]
	return card
}

func (s *Server) sensorRow(v *visit, w *world, r reading) sensorRow {
	m := r.Series.Metric
	row := sensorRow{Name: cmp.Or(r.Series.Part(), v.metric(m)), URL: partURL(r.Series), Now: s.cell(v, w, r, true), Shape: v.shapeOf(0, false)}
	if r.Series.Part() != "" && m != collectors.PartOK {
		row.Kind = v.metric(m)
	}
	rank, sh := s.rankOf(v, w, r.Series)
	switch {
	case sh != nil:
		row.rank, row.Shape = rank, *sh
	case !r.Fresh:
		row.rank, row.Shape = 1, v.silent()
	case m == collectors.PartOK && r.Value < 1: // nobody has said how bad that is, so it has no colour
		row.rank, row.Shape = 2, shape{Class: "is-unknown", Icon: "failed", Word: v.t("run.failed"), Rank: 2}
	}
	return row
}
