package api

import (
	"encoding/json"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"vigia/collectors"
	"vigia/store"
)

// week is how far back a comparison lies.
const week = 7 * 24 * time.Hour

// chartData is what a chart draws. Times are seconds since 1970; a null in a list of values is a gap, which is never bridged.
type chartData struct {
	Now    float64      `json:"now"`
	From   float64      `json:"from"`
	To     float64      `json:"to"`
	Unit   string       `json:"unit"`
	Low    bool         `json:"low"`            // low values are bad
	Every  float64      `json:"every"`          // how often a sample is expected, seconds; 0: not known
	T      []float64    `json:"t"`              // times
	V      []*float64   `json:"v"`              // means
	Hi     []*float64   `json:"hi,omitempty"`   // maxima; absent when every point is one sample
	Lo     []*float64   `json:"lo,omitempty"`   // minima
	PastT  []float64    `json:"past_t"`         // last week's times, a week later
	PastV  []*float64   `json:"past_v"`         // last week's means
	Gaps   [][2]float64 `json:"gaps"`           // from, to
	Tiers  []chartTier  `json:"tiers"`          // from the least severe to the worst
	Spans  []chartSpan  `json:"spans"`          // when alarms of the object stood, the worst at each time
	Source string       `json:"rule,omitempty"` // where the threshold is written
}

type chartTier struct {
	Severity string  `json:"severity"`
	Raise    float64 `json:"raise"`
	Below    bool    `json:"below"`
}

type chartSpan struct {
	From     float64  `json:"from"`
	To       *float64 `json:"to"` // null while it stands
	Severity string   `json:"severity"`
	Stale    bool     `json:"stale"` // only because there was no data
}

// Chart answers the pages' charts: GET ?ref&metric&instance&from&to&width&compare=week. from and to are seconds since 1970; without them
// it is the last hour. width is the chart's width in pixels. Whoever mounts it says who may look: scope is asked for each request, false
// refuses it.
func Chart(cfg Config, scope func(*http.Request) (store.Scope, bool)) http.Handler {
	s := &server{Config: cfg}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sees, ok := scope(r)
		if !ok {
			writeProblem(w, http.StatusForbidden, "Your role may not do this.")
			return
		}
		ask, err := s.readChart(r.URL.Query(), sees)
		if err == nil {
			var data chartData
			if data, err = s.chart(r, sees, ask); err == nil {
				w.Header().Set("Content-Type", "application/json")
				w.Header().Set("Cache-Control", "no-store")
				// A client that has gone is no error of ours.
				_ = json.NewEncoder(w).Encode(data)
				return
			}
		}
		told := s.problem(r.Context(), "chart", err)
		status := http.StatusServiceUnavailable
		if withStatus, ok := told.(interface{ GetStatus() int }); ok {
			status = withStatus.GetStatus()
		}
		writeProblem(w, status, told.Error())
	})
}

// chartAsk is a chart's request, checked.
type chartAsk struct {
	series   collectors.Series
	from, to time.Time
	points   int
	compare  bool
}

func (s *server) readChart(q url.Values, sees store.Scope) (chartAsk, error) {
	ref, err := parseRef("ref", q.Get("ref"))
	if err != nil {
		return chartAsk{}, err
	}
	series, err := pick(s.Store.SeriesOf(sees, ref), q.Get("metric"), q.Get("instance"))
	if err != nil {
		return chartAsk{}, err
	}
	from, err := unixParameter(q, "from")
	if err != nil {
		return chartAsk{}, err
	}
	to, err := unixParameter(q, "to")
	if err != nil {
		return chartAsk{}, err
	}
	if from, to, err = rangeOf(from, to, s.Now()); err != nil {
		return chartAsk{}, err
	}
	width, err := strconv.Atoi(q.Get("width"))
	if err != nil {
		width = 600
	}
	// A point for each two pixels: more cannot be seen, fewer would hide peaks.
	points := min(max(width, 100), 4000) / 2
	return chartAsk{series: series, from: from, to: to, points: points, compare: q.Get("compare") == "week"}, nil
}

func unixParameter(q url.Values, name string) (time.Time, error) {
	text := q.Get(name)
	if text == "" {
		return time.Time{}, nil
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.Abs(v) > 1e11 || math.IsNaN(v) {
		return time.Time{}, badParameter(name, "not a number of seconds since 1970", text)
	}
	return time.UnixMicro(int64(v * 1e6)).UTC(), nil
}

func (s *server) chart(r *http.Request, sees store.Scope, ask chartAsk) (chartData, error) {
	ctx := r.Context()
	found, err := s.Store.Range(ctx, sees, store.RangeQuery{Series: ask.series, From: ask.from, To: ask.to, Points: ask.points})
	if err != nil {
		return chartData{}, err
	}
	spans, err := s.Store.AlarmSpans(ctx, sees, ask.series.Ref, ask.from, ask.to)
	if err != nil {
		return chartData{}, err
	}
	info := collectors.Catalogue[ask.series.Metric]
	out := chartData{
		Now: unix(s.Now()), From: unix(ask.from), To: unix(ask.to), Unit: string(info.Unit), Low: info.LowerIsWorse,
		PastT: []float64{}, PastV: []*float64{}, Gaps: [][2]float64{}, Tiers: []chartTier{}, Spans: []chartSpan{},
		Every: found.Every.Seconds(),
	}
	out.T, out.V, out.Lo, out.Hi = columns(found, 0)
	for _, g := range found.Gaps {
		out.Gaps = append(out.Gaps, [2]float64{unix(g.From), unix(g.To)})
	}
	if ask.compare {
		past, err := s.Store.Range(ctx, sees, store.RangeQuery{Series: ask.series, From: ask.from.Add(-week), To: ask.to.Add(-week), Points: ask.points})
		if err != nil {
			return chartData{}, err
		}
		out.PastT, out.PastV, _, _ = columns(past, week)
	}
	s.judge(&out, ask.series)
	out.Spans = worstSpans(spans)
	return out, nil
}

// judge adds the threshold's tiers.
func (s *server) judge(out *chartData, series collectors.Series) {
	rule := s.Rules().Match(series)
	if rule == nil {
		return
	}
	out.Source = rule.Source
	for _, t := range rule.Tiers {
		out.Tiers = append(out.Tiers, chartTier{Severity: severity(t.Severity), Raise: t.Raise, Below: t.Below()})
	}
}

// columns turns points into lists, with a null where a gap begins, shifted in time. lo and hi are nil when every point is one sample.
func columns(found store.RangeResult, shift time.Duration) (t []float64, v, lo, hi []*float64) {
	t, v = []float64{}, []*float64{}
	single := true
	gaps := found.Gaps
	for _, p := range found.Points {
		for len(gaps) > 0 && gaps[0].From.Before(p.At) {
			t, v, lo, hi = append(t, unix(gaps[0].From.Add(shift+time.Millisecond))), append(v, nil), append(lo, nil), append(hi, nil)
			gaps = gaps[1:]
		}
		t, v = append(t, unix(p.At.Add(shift))), append(v, rounded(p.Mean))
		lo, hi = append(lo, rounded(p.Min)), append(hi, rounded(p.Max))
		single = single && p.Count == 1
	}
	if single {
		return t, v, nil, nil
	}
	return t, v, lo, hi
}

// rounded keeps six significant digits, which is more than a pixel shows.
func rounded(v float64) *float64 {
	if v != 0 && !math.IsInf(v, 0) && !math.IsNaN(v) {
		scale := math.Pow(10, 5-math.Floor(math.Log10(math.Abs(v))))
		if r := math.Round(v*scale) / scale; !math.IsInf(r, 0) && !math.IsNaN(r) {
			v = r
		}
	}
	return figure(v)
}

func unix(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
