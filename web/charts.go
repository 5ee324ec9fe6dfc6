package web

import (
	"cmp"
	"encoding/json"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
	"vigia/store"
)

// chart is one chart panel: what it says in a sentence, and where its data, its table and its file are.
type chart struct {
	ID       string
	Label    string
	Metric   string
	Unit     string
	Sentence string
	Target   string // what is probed, and how often
	Data     string
	Data2    string   // of the second line
	Lines    []string // names of two lines, for the legend
	Levels   string   // levels that are not the series' own, JSON: charts.js, tiers
	Tables   []chartTable
	Yes, No  string // what one and zero mean, of a series of yes and no; "" for answers and does not
	Wide     bool   // has no neighbour
	Live     bool
	Compare  bool
	Height   int
}

// chartTable is where a series' figures are as a table.
type chartTable struct{ Label, URL string }

// chartOrder is the order of an object's charts; what is not in it has none but in the detail below.
var chartOrder = []collectors.Metric{
	collectors.HealthyServers, collectors.WorkingTrunks, collectors.LossPct, collectors.LatencyMS, collectors.CPUPct, collectors.RAMPct, collectors.ResponseMS, collectors.JitterMS,
	collectors.InBps, collectors.OutBps, collectors.InUtilPct, collectors.OutUtilPct, collectors.DiskPct,
	collectors.Sessions, collectors.ProbeMOS, collectors.ProbeRTTMS, collectors.BusyHourPct, collectors.ASRPct, collectors.NERPct, collectors.PDDMS, collectors.ACDS, collectors.Calls, collectors.ErrorsPps, collectors.DiscardsPps,
}

// detailOrder are the charts that are folded away.
var detailOrder = []collectors.Metric{
	collectors.Load1, collectors.Load5, collectors.Load15, collectors.SwapPct,
	collectors.DNSMS, collectors.ConnectMS, collectors.TLSMS, collectors.FirstByteMS, collectors.TLSExpiryD, collectors.UptimeS,
}

// chartOrders are chartOrder and detailOrder, but what ought to be nothing and is nothing is folded away.
func (list readings) chartOrders() (first, folded []collectors.Metric) {
	quiet := true
	for _, r := range list {
		quiet = quiet && (!troubles(r.Series.Metric) || r.Value == 0)
	}
	if !quiet {
		return chartOrder, detailOrder
	}
	return slices.DeleteFunc(slices.Clone(chartOrder), troubles), append([]collectors.Metric{collectors.ErrorsPps, collectors.DiscardsPps}, detailOrder...)
}

func troubles(m collectors.Metric) bool {
	return m == collectors.ErrorsPps || m == collectors.DiscardsPps
}

// pairs are metrics that share one chart when one instance has both.
var pairs = []struct {
	first, second collectors.Metric
	title         string
	names         [2]string
}{
	{collectors.InBps, collectors.OutBps, "chart.traffic", [2]string{"flow.in", "flow.out"}},
	{collectors.InUtilPct, collectors.OutUtilPct, "chart.usage", [2]string{"flow.in", "flow.out"}},
	{collectors.Load1, collectors.Load15, "chart.load", [2]string{"load.1", "load.15"}},
	{collectors.ErrorsPps, collectors.DiscardsPps, "chart.errors", [2]string{"flow.errors", "flow.discards"}},
}

// charts makes a panel for each series of the metrics, in their order; two that belong together share one.
func (s *Server) charts(v *visit, w *world, list readings, order []collectors.Metric, span timeRange) []chart {
	var out []chart
	for _, m := range order {
		several := list.instances(m) > 1
		for _, r := range list {
			if r.Series.Metric != m || s.drawnElsewhere(w, list, r) {
				continue
			}
			c := s.chart(v, w, r, span, several)
			s.pair(v, w, list, r, span, &c)
			out = append(out, c)
		}
	}
	for i := range out {
		out[i].Wide = i == len(out)-1 && i%2 == 0
	}
	return out
}

// drawnElsewhere reports whether a series is the second line of a pair, or a utilisation whose levels stand in the chart of its flow.
func (s *Server) drawnElsewhere(w *world, list readings, r reading) bool {
	for _, p := range pairs {
		if _, ok := list.at(p.first, r.Series.Instance); r.Series.Metric == p.second && ok {
			return true
		}
	}
	if r.Series.Metric == collectors.Load5 {
		_, ok := list.at(collectors.Load1, r.Series.Instance)
		return ok
	}
	flow, ok := flowOf[r.Series.Metric]
	if ok {
		_, ok = list.at(flow, r.Series.Instance)
	}
	return ok && capacityOf(w.inv, list, r.Series) > 0
}

// pair adds the second line of a chart, and to a flow the levels of its utilisation.
func (s *Server) pair(v *visit, w *world, list readings, r reading, span timeRange, c *chart) {
	if r.Series.Metric == collectors.InBps || r.Series.Metric == collectors.OutBps {
		c.Levels = s.flowLevels(v, w, list, r.Series)
	}
	for _, p := range pairs {
		second, ok := list.at(p.second, r.Series.Instance)
		if r.Series.Metric != p.first || !ok {
			continue
		}
		other := s.chart(v, w, second, span, false)
		c.Label = v.t(p.title) + strings.TrimPrefix(c.Label, v.metric(p.first))
		c.Data2, c.Sentence = other.Data, c.Sentence+"; "+other.Sentence
		c.Lines = []string{v.t(p.names[0]), v.t(p.names[1])}
		c.Tables[0].Label, other.Tables[0].Label = collectors.Capitalise(c.Lines[0]), collectors.Capitalise(c.Lines[1])
		c.Tables = append(c.Tables, other.Tables...)
	}
}

// flowLevels are the tiers of a flow's utilisation in bit/s, with their own words: "major 80 %".
func (s *Server) flowLevels(v *visit, w *world, list readings, series collectors.Series) string {
	capacity := capacityOf(w.inv, list, series)
	if capacity <= 0 {
		return ""
	}
	type level struct {
		Severity string  `json:"severity"`
		Raise    float64 `json:"raise"`
		Below    bool    `json:"below"`
		Words    string  `json:"words"`
	}
	for _, m := range []collectors.Metric{collectors.InUtilPct, collectors.OutUtilPct} {
		series.Metric = m
		rule := s.cfg.Rules().Match(series)
		if rule == nil {
			continue
		}
		var levels []level
		for _, t := range rule.Tiers {
			words := strings.ToLower(v.severity(t.Severity)) + " " + collectors.FormatValue(v.lang, m, t.Raise)
			levels = append(levels, level{t.Severity.String(), t.Raise / 100 * capacity, t.Below(), words})
		}
		if text, err := json.Marshal(levels); err == nil {
			return string(text)
		}
	}
	return ""
}

func (list readings) instances(m collectors.Metric) int {
	n := 0
	for _, r := range list {
		if r.Series.Metric == m {
			n++
		}
	}
	return n
}

func (s *Server) chart(v *visit, w *world, r reading, span timeRange, named bool) chart {
	c := chart{
		ID: "c-" + slug(string(r.Series.Metric)+"-"+r.Series.Instance), Label: v.metric(r.Series.Metric), Metric: string(r.Series.Metric),
		Unit: string(collectors.Catalogue[r.Series.Metric].Unit), Live: span.Live, Compare: span.Compared, Height: 128,
		Sentence: s.chartSentence(v, w, r),
	}
	if m := r.Series.Metric; collectors.Catalogue[m].Unit == collectors.UnitBool && m != collectors.Up {
		c.Yes, c.No = collectors.FormatValue(v.lang, m, 1), collectors.FormatValue(v.lang, m, 0)
	}
	if part := cmp.Or(r.Series.Part(), r.Series.Instance); part != "" && (named || r.Series.Part() != "") {
		c.Label += " · " + part
	}
	for _, check := range w.checks[r.Series.Ref] {
		if check.ID == r.Series.Check() {
			c.Target = v.t("check.target", check.Kind, check.Target, v.span(check.Every))
		}
	}
	q := url.Values{}
	q.Set("ref", r.Series.Ref.String())
	q.Set("metric", c.Metric)
	if r.Series.Instance != "" {
		q.Set("instance", r.Series.Instance)
	}
	q.Set("from", strconv.FormatInt(span.From.Unix(), 10))
	q.Set("to", strconv.FormatInt(span.To.Add(time.Second-1).Unix(), 10)) // whole seconds; the last sample is inside
	if span.Compared {
		q.Set("compare", "week")
	}
	c.Data = "/data/chart?" + q.Encode()
	q.Del("compare")
	c.Tables = []chartTable{{URL: "/data/table?" + q.Encode()}}
	return c
}

// chartSentence says what a chart shows now: "Loss 11.2 %, critical since 10:41".
func (s *Server) chartSentence(v *visit, w *world, r reading) string {
	name := v.metric(r.Series.Metric)
	if !r.Fresh {
		return v.t("chart.silent", name, v.brief(r.At))
	}
	value := collectors.FormatValue(v.lang, r.Series.Metric, r.Value)
	if a := w.alarmOn(r.Series); a != nil {
		return v.t("chart.alarm", name, value, v.severity(a.Severity), v.brief(a.RaisedAt))
	}
	if s.cfg.Rules().Match(r.Series) == nil {
		return v.t("chart.unjudged", name, value)
	}
	return v.t("chart.well", name, value)
}

// slug makes a name for an element of a page.
func slug(name string) string {
	out := []byte(name)
	for i, c := range out {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			out[i] = '-'
		}
	}
	return string(out)
}

// tableRows is how many rows a chart's table has.
const tableRows = 24

// tableBody is a chart's table.
type tableBody struct {
	Label string
	Unit  string
	Rows  []tableLine
	CSV   string
}

type tableLine struct {
	At             string
	Mean, Min, Max string
	Count          string
	Gap            string // nothing was measured until then
}

// seriesTable answers with a chart's figures: as a part of the page, or as a file with every sample.
func (s *Server) seriesTable(v *visit) error {
	q := v.r.URL.Query()
	ref, err := inventory.ParseRef(q.Get("ref"))
	if err != nil {
		return store.ErrNotFound
	}
	series := collectors.Series{Metric: collectors.Metric(q.Get("metric")), Ref: ref, Instance: q.Get("instance")}
	r, ok := s.reading(v, series)
	if !ok {
		return store.ErrNotFound
	}
	span := s.readRange(v)
	points := tableRows
	if q.Get("format") == "csv" {
		points = 0
	}
	found, err := s.cfg.Store.Range(v.ctx(), v.scope(), store.RangeQuery{Series: r.Series, From: span.From, To: span.To, Points: points})
	if err != nil {
		return err
	}
	if points == 0 {
		rows := [][]string{{"at", string(series.Metric)}}
		for _, p := range found.Points {
			rows = append(rows, []string{p.At.UTC().Format(time.RFC3339Nano), plain(p.Mean)})
		}
		return writeCSV(v, slug(ref.String()+"-"+string(series.Metric)), rows)
	}
	body := tableBody{Label: v.metric(series.Metric), Unit: string(collectors.Catalogue[series.Metric].Unit), Rows: tableLines(v, series.Metric, found)}
	f := s.frame(v, "table", "", body.Label)
	f.Body, f.Bare = body, true
	return s.show(v, 200, f)
}

func tableLines(v *visit, m collectors.Metric, found store.RangeResult) []tableLine {
	var lines []tableLine
	gaps := found.Gaps
	gap := func(until time.Time) {
		for len(gaps) > 0 && gaps[0].From.Before(until) {
			lines = append(lines, tableLine{At: v.clock(gaps[0].From), Gap: v.t("table.gap", v.clock(gaps[0].To))})
			gaps = gaps[1:]
		}
	}
	for _, p := range found.Points {
		gap(p.At)
		lines = append(lines, tableLine{
			At: v.clock(p.At), Mean: collectors.FormatValue(v.lang, m, p.Mean), Min: collectors.FormatValue(v.lang, m, p.Min),
			Max: collectors.FormatValue(v.lang, m, p.Max), Count: v.number(float64(p.Count)),
		})
	}
	gap(time.Unix(math.MaxInt32, 0))
	return lines
}

// monthBar is thirty days of an object's alarms on one bar of 300 units. What stood during its maintenance is left out.
type monthBar struct {
	Spans  []barSpan
	Upkeep []barSpan // maintenance: what was down then is left out
	Say    string
	From   string
	Mid    string
	Any    bool
}

type barSpan struct {
	X, Width string
	Class    string
	Title    string
}

const month = 30 * 24 * time.Hour

func (s *Server) monthBar(v *visit, ref inventory.Ref) (monthBar, error) {
	from := v.now.Add(-month)
	spans, err := s.cfg.Store.AlarmSpans(v.ctx(), v.scope(), ref, from, v.now)
	if err != nil {
		return monthBar{}, err
	}
	kept, err := s.upkeep(v.ctx(), ref, from, v.now)
	if err != nil {
		return monthBar{}, err
	}
	bar := monthBar{From: v.day(from), Mid: v.day(v.now.Add(-month / 2)), Any: len(spans) > 0, Say: v.t("month.label")}
	for _, w := range kept.of(collectors.Series{Ref: ref}) {
		bar.Upkeep = append(bar.Upkeep, v.barSpan("is-maintenance", v.t("month.upkeep"), from, w))
	}
	if len(kept.mutes) > 0 {
		bar.Say = v.t("month.label_upkeep")
	}
	for sev := alerting.Indeterminate; sev <= alerting.Critical; sev++ { // the worst on top
		for _, span := range spans {
			if span.Severity != sev {
				continue
			}
			to := span.To
			if to.IsZero() {
				to = v.now
			}
			for _, w := range (window{span.From, to}).without(kept.of(span.Series)) {
				bar.Spans = append(bar.Spans, v.barSpan("is-"+sev.String(), v.severity(sev), from, w))
			}
		}
	}
	return bar, nil
}

// barSpan draws a window on a bar that begins at from.
func (v *visit) barSpan(class, word string, from time.Time, w window) barSpan {
	at := func(t time.Time) float64 { return 300 * float64(t.Sub(from)) / float64(month) }
	x := math.Max(at(w.from), 0)
	return barSpan{
		X: short(math.Min(x, 298.5)), Width: short(math.Max(at(w.to)-x, 1.5)), Class: class,
		Title: word + ", " + v.clock(w.from) + ", " + v.span(w.to.Sub(w.from)),
	}
}
