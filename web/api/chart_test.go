package api

import (
	"encoding/json"
	"math"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/store"
)

func everyone(*http.Request) (store.Scope, bool) { return store.Everything(), true }

func (w *world) chart(query string) (int, chartData) {
	w.t.Helper()
	recorder := httptest.NewRecorder()
	Chart(w.cfg, everyone).ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/data/chart?"+query, nil))
	var data chartData
	if err := json.Unmarshal(recorder.Body.Bytes(), &data); err != nil {
		w.t.Fatalf("%s: %v", recorder.Body, err)
	}
	return recorder.Code, data
}

func TestChart(t *testing.T) {
	w := newWorld(t)
	status, c := w.chart("ref=link/sjo-mia&metric=loss_pct&width=800")
	if status != http.StatusOK || c.Unit != "%" || c.Low || c.Every != 10 || c.To-c.From != 3600 {
		t.Fatalf("%d %+v", status, c)
	}
	if len(c.T) != len(c.V) || len(c.T) < 300 || len(c.T) > 402 {
		t.Errorf("%d times, %d values", len(c.T), len(c.V))
	}
	breaks := 0
	for i, v := range c.V {
		if i > 0 && c.T[i] <= c.T[i-1] {
			t.Fatalf("time %d does not grow", i)
		}
		if v == nil {
			breaks++
		}
	}
	if breaks != 1 || len(c.Gaps) != 1 || c.Gaps[0][1]-c.Gaps[0][0] != 600 {
		t.Errorf("%d breaks, gaps %v", breaks, c.Gaps)
	}
	if c.Hi != nil {
		t.Error("single samples have no band")
	}
	if len(c.Tiers) != 2 || c.Tiers[1] != (chartTier{Severity: "critical", Raise: 10}) || c.Source != "vigia.yaml:7" {
		t.Errorf("tiers %+v of %q", c.Tiers, c.Source)
	}
	if len(c.Spans) != 1 || c.Spans[0].Severity != "critical" || c.Spans[0].To != nil || c.Spans[0].Stale {
		t.Errorf("spans %+v", c.Spans)
	}
}

func TestChartDrawsTogether(t *testing.T) {
	w := newWorld(t)
	_, c := w.chart("ref=link/sjo-mia&metric=latency_ms&instance=ping&width=100")
	if len(c.T) > 52 || len(c.Hi) != len(c.T) || len(c.Lo) != len(c.T) {
		t.Fatalf("%d times, %d maxima", len(c.T), len(c.Hi))
	}
	if len(c.Tiers) != 0 || len(c.Spans) != 1 {
		t.Errorf("another series' tiers %v; the object's spans %v", c.Tiers, c.Spans)
	}
	if *c.Hi[3] <= *c.V[3] || *c.Lo[3] >= *c.V[3] {
		t.Errorf("band %v to %v around %v", *c.Lo[3], *c.Hi[3], *c.V[3])
	}
}

func TestChartComparesLastWeek(t *testing.T) {
	w := newWorld(t)
	at := noon.Add(-week - 30*time.Minute)
	w.store.Put([]collectors.Sample{{Series: loss, At: at, Value: 0.25, Every: 10 * time.Second}})
	_, c := w.chart("ref=link/sjo-mia&metric=loss_pct&compare=week")
	if len(c.PastT) == 0 || c.PastT[len(c.PastT)-1] != unix(at.Add(week)) || *c.PastV[len(c.PastV)-1] != 0.25 {
		t.Errorf("last week: %v %v", c.PastT, c.PastV)
	}
	if _, c := w.chart("ref=link/sjo-mia&metric=loss_pct"); len(c.PastT) != 0 {
		t.Error("compares without being asked")
	}
}

func TestChartOfNothing(t *testing.T) {
	w := newWorld(t)
	_, c := w.chart("ref=link/sjo-mia&metric=loss_pct&from=1000000&to=1003600")
	if len(c.V) != 0 || len(c.Gaps) != 1 {
		t.Errorf("%v, gaps %v", c.V, c.Gaps)
	}
	w.apply(alerting.Change{At: noon})
	for query, want := range map[string]int{
		"ref=link/none&metric=loss_pct": 404, "ref=x&metric=loss_pct": 422, "ref=link/sjo-mia&metric=latency_ms": 422,
		"ref=link/sjo-mia&metric=loss_pct&from=NaN": 422, "ref=link/sjo-mia&metric=loss_pct&from=9&to=8": 422,
		"ref=link/sjo-mia&metric=loss_pct&width=x": 200, "ref=link/sjo-mia&metric=loss_pct&width=999999999": 200,
	} {
		if status, _ := w.chart(query); status != want {
			t.Errorf("%s: %d, want %d", query, status, want)
		}
	}
	recorder := httptest.NewRecorder()
	nobody := func(*http.Request) (store.Scope, bool) { return store.Scope{}, false }
	Chart(w.cfg, nobody).ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/data/chart?ref=link/sjo-mia&metric=loss_pct", nil))
	if recorder.Code != http.StatusForbidden {
		t.Errorf("nobody: %d", recorder.Code)
	}
}

func TestRounded(t *testing.T) {
	for v, want := range map[float64]float64{
		0: 0, 11.2345678: 11.2346, 123456789: 123457000, -0.000123456789: -0.000123457, 1e308: 1e308, 5e-324: 5e-324,
	} {
		if got := *rounded(v); math.Abs(got-want) > math.Abs(want)*1e-9 && got != want {
			t.Errorf("%v becomes %v, want %v", v, got, want)
		}
	}
	if rounded(math.NaN()) != nil || rounded(math.Inf(1)) != nil {
		t.Error("what is no number becomes a figure")
	}
}

func TestWorstSpans(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	span := func(from, to int, rank alerting.Severity, stale bool) store.Span {
		s := store.Span{From: at(from), Severity: rank, Stale: stale}
		if to > 0 {
			s.To = at(to)
		}
		return s
	}
	for name, c := range map[string]struct {
		spans []store.Span
		want  string
	}{
		"none":              {nil, ""},
		"one that stands":   {[]store.Span{span(10, 0, alerting.Major, false)}, "10-… major"},
		"the worst is seen": {[]store.Span{span(10, 40, alerting.Minor, false), span(20, 30, alerting.Critical, false)}, "10-20 minor, 20-30 critical, 30-40 minor"},
		"one after another": {[]store.Span{span(10, 20, alerting.Minor, false), span(20, 30, alerting.Minor, false)}, "10-30 minor"},
		"hidden":            {[]store.Span{span(10, 40, alerting.Critical, false), span(20, 30, alerting.Minor, false)}, "10-40 critical"},
		"apart":             {[]store.Span{span(10, 20, alerting.Minor, false), span(30, 0, alerting.Minor, false)}, "10-20 minor, 30-… minor"},
		"data before none":  {[]store.Span{span(10, 30, alerting.Major, true), span(20, 40, alerting.Major, false)}, "10-20 major stale, 20-40 major"},
		"stale is worse":    {[]store.Span{span(10, 30, alerting.Major, true), span(10, 30, alerting.Minor, false)}, "10-30 major stale"},
	} {
		var got []string
		for _, s := range worstSpans(c.spans) {
			to, stale := "…", ""
			if s.To != nil {
				to = strconv.Itoa(int(*s.To))
			}
			if s.Stale {
				stale = " stale"
			}
			got = append(got, strconv.Itoa(int(s.From))+"-"+to+" "+s.Severity+stale)
		}
		if text := strings.Join(got, ", "); text != c.want {
			t.Errorf("%s: %s, want %s", name, text, c.want)
		}
	}
}
