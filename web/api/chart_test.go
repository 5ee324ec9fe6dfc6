package api

import (
	"encoding/json"
	"math"
	"net/http"
	"net/http/httptest"
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
	if len(c.Spans) != 1 || c.Spans[0].Severity != "critical" || c.Spans[0].To != nil || c.Spans[0].Incident != 1 {
		t.Errorf("spans %+v", c.Spans)
	}
}

func TestChartDrawsTogether(t *testing.T) {
	w := newWorld(t)
	_, c := w.chart("ref=link/sjo-mia&metric=latency_ms&instance=ping&width=100")
	if len(c.T) > 52 || len(c.Hi) != len(c.T) || len(c.Lo) != len(c.T) {
		t.Fatalf("%d times, %d maxima", len(c.T), len(c.Hi))
	}
	if len(c.Tiers) != 0 || len(c.Spans) != 0 {
		t.Errorf("another series' tiers %v, spans %v", c.Tiers, c.Spans)
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
