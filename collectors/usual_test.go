package collectors_test

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"vigia/collectors"
	"vigia/collectors/inventory"
)

var tenOClock = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

func TestLearn(t *testing.T) {
	hour := func(v ...float64) []float64 { return v }
	for _, c := range []struct {
		name           string
		metric         collectors.Metric
		weeks          [][]float64
		middle, spread float64
		weeksWant      int
		ok             bool
	}{
		{"two weeks are not enough", collectors.Calls, [][]float64{hour(100), hour(100), nil}, 0, 0, 2, false},
		{"counts scatter by their square root at least", collectors.Calls, [][]float64{hour(100, 100), hour(100), hour(100)}, 100, 10, 3, true},
		{"a week of outage changes nothing", collectors.Calls, [][]float64{hour(100), hour(110), hour(0), hour(90), hour(100)}, 100, 1.4826 * 10, 5, true},
		{"a steady share has half a point of noise", collectors.CPUPct, [][]float64{hour(20), hour(20), hour(20)}, 20, 0.5, 3, true},
		{"a fiftieth of a large value", collectors.InBps, [][]float64{hour(1e8), hour(1e8), hour(1e8)}, 1e8, 2e6, 3, true},
	} {
		b, ok := collectors.Learn(c.metric, c.weeks, tenOClock)
		if ok != c.ok || b.Weeks != c.weeksWant {
			t.Errorf("%s: %+v, %v", c.name, b, ok)
			continue
		}
		if ok && (math.Abs(b.Middle-c.middle) > 1e-9 || math.Abs(b.Spread-c.spread) > 1e-9) {
			t.Errorf("%s: middle %v spread %v, want %v and %v", c.name, b.Middle, b.Spread, c.middle, c.spread)
		}
	}
}

// TestLearnOrder: what is usual does not depend on the order of the weeks, and its scatter is never zero.
func TestLearnOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		weeks := rapid.SliceOfN(rapid.SliceOfN(rapid.Float64Range(-1e6, 1e6), 0, 12), 3, 8).Draw(t, "weeks")
		other := append([][]float64(nil), weeks...)
		for i := range other {
			j := rapid.IntRange(0, len(other)-1).Draw(t, "swap")
			other[i], other[j] = other[j], other[i]
		}
		a, okA := collectors.Learn(collectors.LatencyMS, weeks, tenOClock)
		b, okB := collectors.Learn(collectors.LatencyMS, other, tenOClock)
		if a != b || okA != okB {
			t.Fatalf("%+v %v and %+v %v", a, okA, b, okB)
		}
		if okA && a.Spread <= 0 {
			t.Fatalf("no scatter: %+v", a)
		}
	})
}

// TestUsual: what is watched is compared in its hour and in no other; everything is passed on as it is.
func TestUsual(t *testing.T) {
	var got []collectors.Sample
	u := collectors.NewUsual(collectors.SinkFunc(func(s []collectors.Sample) { got = append(got, s...) }))
	base := collectors.Series{Metric: collectors.Calls, Ref: inventory.Ref{Kind: inventory.KindTrunk, Name: "carrier-a"}, Instance: "voice"}
	put := func(v float64, after time.Duration) []collectors.Sample {
		got = nil
		u.Put([]collectors.Sample{{Series: base, At: tenOClock.Add(after), Value: v, Every: time.Minute}})
		if len(got) == 0 || got[0].Series != base || got[0].Value != v && v == v {
			t.Fatalf("passed on: %+v", got)
		}
		return got[1:]
	}
	if more := put(3, 0); len(more) != 0 {
		t.Errorf("nothing is watched, and there is %+v", more)
	}
	b, ok := collectors.Learn(collectors.Calls, [][]float64{{100}, {100}, {100}}, tenOClock)
	if !ok {
		t.Fatal("nothing learnt")
	}
	u.Watch(map[collectors.Series]collectors.Watched{base: {Baseline: b, Distance: true, Share: true}})
	more := put(3, time.Minute)
	if len(more) != 2 || more[0].Series.Metric != collectors.Unusual || more[0].Value != -9.7 || more[0].Series.Instance != "calls:voice" ||
		more[1].Series.Metric != collectors.TimesUsual || more[1].Value != 0.03 || more[1].Every != time.Minute {
		t.Errorf("derived: %+v", more)
	}
	want := "calls 3, usual at this hour 100 (± 10), by 3 weeks"
	if say := collectors.UsualWords.Say(collectors.English, more[0].Reason); say != want {
		t.Errorf("it says %q, want %q", say, want)
	}
	for _, after := range []time.Duration{-time.Second, time.Hour} {
		if more := put(3, after); len(more) != 0 {
			t.Errorf("another hour is compared: %+v", more)
		}
	}
	if more := put(math.NaN(), time.Minute); len(more) != 0 {
		t.Errorf("no number is compared: %+v", more)
	}
}
