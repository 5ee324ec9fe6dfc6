package picture

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"testing"
	"time"

	"vigia/alerting"
	"vigia/alerting/alertingtest"
	"vigia/collectors"
)

var keep = flag.String("keep", "", "a folder to leave the pictures in, for somebody who wants to look at them")

// waves is a series that is fine, has a gap, and gets bad towards the end.
func waves(_ context.Context, _ collectors.Series, from, to time.Time) ([]alerting.Reading, error) {
	var list []alerting.Reading
	for at := from; !at.After(to); at = at.Add(30 * time.Second) {
		minutes := at.Sub(from).Minutes()
		v := 0.6 + 0.4*math.Sin(minutes/4)
		if minutes > 150 {
			v += (minutes - 150) / 2.6
		}
		if minutes > 60 && minutes < 75 {
			v = math.NaN()
		}
		list = append(list, alerting.Reading{At: at, Value: v})
	}
	return list, nil
}

func sample() alerting.Message {
	m := alertingtest.SampleMessage()
	m.At = m.OpenedAt.Add(10 * time.Minute)
	return m
}

// near counts the points of a column or a row that have about a colour.
func count(img image.Image, area image.Rectangle, want color.Color) int {
	r, g, b, _ := want.RGBA()
	n := 0
	for y := area.Min.Y; y < area.Max.Y; y++ {
		for x := area.Min.X; x < area.Max.X; x++ {
			pr, pg, pb, _ := img.At(x, y).RGBA()
			if apart(pr, r) < 24 && apart(pg, g) < 24 && apart(pb, b) < 24 {
				n++
			}
		}
	}
	return n
}

func apart(a, b uint32) int {
	d := int(a>>8) - int(b>>8)
	return max(d, -d)
}

func TestPicture(t *testing.T) {
	data, err := Of(t.Context(), waves, collectors.Spanish, sample())
	if err != nil {
		t.Fatal(err)
	}
	if *keep != "" {
		if err := os.WriteFile(*keep+"/loss.png", data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if got := img.Bounds().Size(); got != image.Pt(Width, Height) {
		t.Fatalf("it is %v", got)
	}
	whole := img.Bounds()
	if count(img, whole, line) < 500 || count(img, whole, wrong) < 500 || count(img, whole, ink) < 100 {
		t.Errorf("%d points of the series, %d of the threshold, %d of words", count(img, whole, line), count(img, whole, wrong), count(img, whole, ink))
	}
	// The gap from minute 60 to 75 of 180 is no line, what surrounds it is.
	c := canvas{plot: &plot{from: sample().At.Add(-Span), to: sample().At}, left: 100}
	at := func(minutes float64) image.Rectangle {
		x := c.x(c.from.Add(time.Duration(minutes * float64(time.Minute))))
		return image.Rect(x-4, 0, x+4, Height)
	}
	for minutes, there := range map[float64]bool{30: true, 55: true, 68: false, 90: true, 170: true} {
		if got := count(img, at(minutes), line) > 0; got != there {
			t.Errorf("minute %v: a line is there: %v, want %v", minutes, got, there)
		}
	}
}

func TestScale(t *testing.T) {
	readings := func(values ...float64) (list []alerting.Reading) {
		for i, v := range values {
			list = append(list, alerting.Reading{At: time.Unix(int64(i), 0), Value: v})
		}
		return list
	}
	tests := []struct {
		name      string
		p         plot
		low, high float64
	}{
		{"from zero", plot{list: readings(1, 12)}, 0, 15},
		{"the threshold is on it", plot{list: readings(1, 2), crossed: true, threshold: 10}, 0, 15},
		{"narrow and far from zero", plot{list: readings(95, 99)}, 95, 100},
		{"flat", plot{list: readings(7, 7)}, 0, 8},
		{"nothing but zero", plot{list: readings(0, 0)}, 0, 1.5},
		{"negative", plot{list: readings(-5, 5)}, -5, 10},
		{"a gap", plot{list: readings(1, math.NaN(), 12)}, 0, 15},
	}
	for _, tt := range tests {
		tt.p.scale()
		if tt.p.low > tt.low || tt.p.high < tt.high-tt.p.step || tt.p.step <= 0 || tt.p.low < tt.low-2*tt.p.step {
			t.Errorf("%s: from %v to %v by %v, want about %v to %v", tt.name, tt.p.low, tt.p.high, tt.p.step, tt.low, tt.high)
		}
		for _, r := range tt.p.list {
			if r.Value < tt.p.low || r.Value > tt.p.high {
				t.Errorf("%s: %v is outside", tt.name, r.Value)
			}
		}
	}
}

func TestNone(t *testing.T) {
	nothing := func(context.Context, collectors.Series, time.Time, time.Time) ([]alerting.Reading, error) {
		return nil, nil
	}
	away := errors.New("away")
	failing := func(context.Context, collectors.Series, time.Time, time.Time) ([]alerting.Reading, error) {
		return nil, away
	}
	bare := sample()
	bare.Series = collectors.Series{}
	tests := []struct {
		name    string
		history alerting.History
		m       alerting.Message
		err     error
	}{
		{"no history", nil, sample(), nil},
		{"no series", waves, bare, nil},
		{"nothing measured", nothing, sample(), nil},
		{"a digest", waves, alertingtest.SampleDigest(2), nil},
		{"a failing store", failing, sample(), away},
	}
	for _, tt := range tests {
		if data, err := Of(t.Context(), tt.history, collectors.English, tt.m); data != nil || !errors.Is(err, tt.err) {
			t.Errorf("%s: %d octets, %v", tt.name, len(data), err)
		}
	}
}

// TestAnyValues draws what no axis was made for, without a panic.
func TestAnyValues(t *testing.T) {
	for _, values := range [][]float64{{math.Inf(1), 1, 2}, {1e300, -1e300}, {5e-324, 0}, {math.MaxFloat64, math.MaxFloat64}, {1, 1}} {
		history := func(_ context.Context, _ collectors.Series, from, _ time.Time) (list []alerting.Reading, err error) {
			for i, v := range values {
				list = append(list, alerting.Reading{At: from.Add(time.Duration(i) * time.Minute), Value: v})
			}
			return list, nil
		}
		if _, err := Of(t.Context(), history, collectors.English, sample()); err != nil {
			t.Errorf("%v: %v", values, err)
		}
	}
}

func BenchmarkOf(b *testing.B) {
	for b.Loop() {
		if _, err := Of(b.Context(), waves, collectors.English, sample()); err != nil {
			b.Fatal(err)
		}
	}
}
