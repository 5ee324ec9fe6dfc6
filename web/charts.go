package web

import (
	"cmp"
	"math"
	"net/url"
	"strconv"
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
	Table    string
	CSV      string
	Live     bool
	Compare  bool
	Height   int
}

// chartOrder is the order of an object's charts; what is not in it has none but in the detail below.
var chartOrder = []collectors.Metric{
	collectors.HealthyServers, collectors.LossPct, collectors.LatencyMS, collectors.ResponseMS, collectors.JitterMS,
	collectors.InUtilPct, collectors.OutUtilPct, collectors.InBps, collectors.OutBps, collectors.CPUPct, collectors.RAMPct, collectors.DiskPct,
	collectors.BusyHourPct, collectors.ASRPct, collectors.NERPct, collectors.PDDMS, collectors.ACDS, collectors.Calls, collectors.ErrorsPps, collectors.DiscardsPps,
}

// detailOrder are the charts that are folded away.
var detailOrder = []collectors.Metric{
	collectors.DNSMS, collectors.ConnectMS, collectors.TLSMS, collectors.FirstByteMS, collectors.TLSExpiryD, collectors.UptimeS,
}

// charts makes a panel for each series of the metrics, in their order.
func (s *Server) charts(v *visit, w *world, list readings, order []collectors.Metric, span timeRange) []chart {
	var out []chart
	for _, m := range order {
		several := list.instances(m) > 1
		for _, r := range list {
			if r.Series.Metric == m {
				out = append(out, s.chart(v, w, r, span, several))
			}
		}
	}
	return out
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
	c.Table = "/data/table?" + q.Encode()
	q.Set("format", "csv")
	c.CSV = "/data/table?" + q.Encode()
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

// monthBar is thirty days of an object's alarms on one bar of 300 units.
type monthBar struct {
	Spans []barSpan
	From  string
	Mid   string
	Any   bool
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
	bar := monthBar{From: v.day(from), Mid: v.day(v.now.Add(-month / 2)), Any: len(spans) > 0}
	at := func(t time.Time) float64 { return 300 * float64(t.Sub(from)) / float64(month) }
	for sev := alerting.Indeterminate; sev <= alerting.Critical; sev++ { // the worst on top
		for _, span := range spans {
			if span.Severity != sev {
				continue
			}
			to := span.To
			if to.IsZero() {
				to = v.now
			}
			x := math.Max(at(span.From), 0)
			bar.Spans = append(bar.Spans, barSpan{
				X: short(math.Min(x, 298.5)), Width: short(math.Max(at(to)-x, 1.5)), Class: "is-" + sev.String(),
				Title: v.severity(sev) + ", " + v.clock(span.From) + ", " + v.span(to.Sub(span.From)),
			})
		}
	}
	return bar, nil
}
