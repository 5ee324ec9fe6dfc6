package web

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"
	"time"

	"vigia/collectors"
	"vigia/collectors/inventory"
)

// disksCard is the disks of a server and where they are going.
type disksCard struct {
	Rows []sizeRow
	Load string // where the forecast is found out; "" while the one that is known is young enough
}

// sizeRow is a disk or a kind of memory: how much of it is used.
type sizeRow struct {
	Name, URL string
	Meter     meter
	Now       figure
	Size      string
	Rate      string // where it is going
	RateClass string
	Known     bool // Rate is known

	rank  int
	value float64
}

// forecastKeep is how long a forecast is good enough: what fills in days need not be asked for each minute.
const (
	forecastKeep  = 30 * time.Minute
	forecastAgain = 5 * time.Minute // after a failure
	forecastMany  = 512             // objects
	costlyMost    = 25 * time.Second
)

// forecasts are what is known of an object's disks.
type forecasts map[collectors.Series]collectors.Forecast

// disksCard makes the table; nil when the object has no disks. With ?forecast=1 it waits for the forecast.
func (s *Server) disksCard(v *visit, w *world, list readings) *disksCard {
	var disks readings
	for _, r := range list {
		if r.Series.Metric == collectors.DiskPct {
			disks = append(disks, r)
		}
	}
	if len(disks) == 0 {
		return nil
	}
	ref := disks[0].Series.Ref
	card := &disksCard{}
	known, young, ok := s.forecasts.peek(ref, v.now)
	if !young && v.r.URL.Query().Get("forecast") != "" {
		found, err := s.forecasts.get(v.ctx(), ref, v.now, func() (forecasts, error) { return s.foreseeAll(v, disks) })
		if err != nil {
			s.cfg.Logger.Warn("disks could not be forecast", "object", ref.String(), "err", err)
			found = known
			if v.ctx().Err() == nil { // it is slow or broken: leave it alone for a while
				s.forecasts.put(ref, kept[forecasts]{known, v.now.Add(forecastAgain - forecastKeep)})
			}
		}
		known, young, ok = found, true, err == nil || ok
	}
	if !young {
		card.Load = pageOf(ref) + "?forecast=1"
	}
	for _, r := range disks {
		row := s.sizeRow(v, w, r)
		f, has := known[r.Series]
		if row.Known = ok || young; row.Known {
			row.Rate, row.RateClass = v.outlook(f, has, w, r)
		}
		card.Rows = append(card.Rows, row)
	}
	sortSizes(card.Rows)
	return card
}

// foreseeAll reads the last days of all disks at once.
func (s *Server) foreseeAll(v *visit, disks readings) (forecasts, error) {
	ctx, cancel := context.WithTimeout(v.ctx(), costlyMost)
	defer cancel()
	series := make([]collectors.Series, len(disks))
	for i, r := range disks {
		series[i] = r.Series
	}
	lines, err := s.cfg.Store.Sparklines(ctx, v.scope(), series, v.now.Add(-collectors.ForecastSpan), v.now, 5*collectors.ForecastPoints)
	if err != nil {
		return nil, err
	}
	out := forecasts{}
	for _, one := range series {
		out[one] = collectors.Foresee(moments(lines[one]))
	}
	return out, nil
}

// moments are points as a forecast reads them.
func moments(points []point) []collectors.Moment {
	list := make([]collectors.Moment, len(points))
	for i, p := range points {
		list[i] = collectors.Moment{At: p.At, Value: p.Mean}
	}
	return list
}

// forecastOf is what is known already of one disk.
func (s *Server) forecastOf(v *visit, series collectors.Series) (collectors.Forecast, bool) {
	known, _, _ := s.forecasts.peek(series.Ref, v.now)
	f, ok := known[series]
	return f, ok
}

// outlook says where a disk is going; strong when it is full within a month, coloured when an alarm stands on it.
func (v *visit) outlook(f collectors.Forecast, known bool, w *world, r reading) (text, class string) {
	switch {
	case !known:
		return "–", "dim"
	case f.Outlook == collectors.TooLittle:
		return v.t("disk.too_little"), "dim"
	case f.Outlook == collectors.Steady:
		return v.t("disk.steady"), "dim"
	}
	if a := w.alarmOn(r.Series); a != nil {
		class = "t-sev is-" + a.Severity.String()
	} else if f.Full.Sub(v.now) < month {
		class = "strong"
	}
	return v.full(f), class
}

// fullIn is full without the day, for where there is little room.
func (s *speaker) fullIn(f collectors.Forecast) string {
	text, _, _ := strings.Cut(s.full(f), ",")
	return text
}

// full is when a disk is full: "full in 9 days, Wed 2 Dec".
func (s *speaker) full(f collectors.Forecast) string {
	left := f.Full.Sub(s.now)
	at := f.Full.In(s.zone)
	switch {
	case left <= 0:
		return s.t("disk.full")
	case left < 48*time.Hour:
		return s.t("disk.soon", collectors.FormatSpan(s.lang, left.Truncate(time.Hour)+time.Hour), s.brief(f.Full))
	}
	return s.count("disk.filling", int(math.Round(left.Hours()/24)), s.t("weekday.short."+at.Weekday().String()), s.day(f.Full))
}

func (s *Server) sizeRow(v *visit, w *world, r reading) sizeRow {
	row := sizeRow{
		Name: cmp.Or(r.Series.Part(), v.metric(r.Series.Metric)), URL: partURL(r.Series), Meter: s.meterOf(w, r, true), Now: s.cell(v, w, r, true),
		Size: cmp.Or(v.octets(r), "–"), value: r.Value,
	}
	if !row.Now.None {
		row.Now.Text = v.percent(r.Value)
		row.Now.Unit = ""
	}
	row.rank, _ = s.rankOf(v, w, r.Series)
	return row
}

// sortSizes orders worst first: alarms, then the fullest.
func sortSizes(rows []sizeRow) {
	slices.SortStableFunc(rows, func(a, b sizeRow) int {
		return cmp.Or(cmp.Compare(b.rank, a.rank), cmp.Compare(b.value, a.value), natural(a.Name, b.Name))
	})
}

// memoryRows are memory, swap and pools; nil when there is nothing but the memory of the tile.
func (s *Server) memoryRows(v *visit, w *world, list readings) []sizeRow {
	var rows, pools []sizeRow
	for _, m := range []collectors.Metric{collectors.RAMPct, collectors.SwapPct} {
		for _, r := range list {
			if r.Series.Metric == m {
				rows = append(rows, s.sizeRow(v, w, r))
			}
		}
	}
	for _, r := range list {
		if r.Series.Metric == collectors.PoolPct {
			pools = append(pools, s.sizeRow(v, w, r))
		}
	}
	sortSizes(pools)
	if len(pools) == 1 && len(rows) > 0 && pools[0].value == rows[0].value {
		pools = nil // the only pool is the memory, told already
	}
	if rows = append(rows, pools...); len(rows) < 2 {
		return nil
	}
	return rows[:min(len(rows), maxListedRows)]
}

func newForecasts() *memo[inventory.Ref, forecasts] {
	return newMemo[inventory.Ref, forecasts](forecastKeep, forecastMany)
}
