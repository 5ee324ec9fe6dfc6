package picture

import (
	"context"
	"fmt"
	"math"
	"time"

	"vigia/alerting"
	"vigia/collectors"
)

// Span is how much of the past a picture shows.
const Span = 3 * time.Hour

// Of draws the series of a message as PNG; nil when the message is about none, or hardly anything was measured of it.
func Of(ctx context.Context, history alerting.History, lang collectors.Lang, m alerting.Message) ([]byte, error) {
	if history == nil || m.Series.Metric == "" || len(m.Digest) > 0 || m.At.IsZero() {
		return nil, nil
	}
	from := m.At.Add(-Span)
	list, err := history(ctx, m.Series, from, m.At)
	if err != nil {
		return nil, fmt.Errorf("read what was measured: %w", err)
	}
	for i, r := range list {
		if math.Abs(r.Value) > mostValue {
			list[i].Value = math.NaN()
		}
	}
	if measured(list) < 2 {
		return nil, nil
	}
	p := plot{lang: lang, metric: m.Series.Metric, from: from, to: m.At, opened: m.OpenedAt, zone: alerting.Zone(m.Zone), list: list}
	if m.Tier.Severity != alerting.None {
		p.threshold, p.below, p.crossed = m.Tier.Raise, m.Tier.Below(), true
	}
	p.scale()
	png, err := p.draw()
	if err != nil {
		return nil, fmt.Errorf("draw: %w", err)
	}
	return png, nil
}

// What an axis can show. Beyond is no measurement, and what differs by less is flat.
const (
	mostValue = 1e15
	leastSpan = 1e-9
)

func measured(list []alerting.Reading) int {
	n := 0
	for _, r := range list {
		if !math.IsNaN(r.Value) {
			n++
		}
	}
	return n
}

// plot is what is drawn, and how values and times become places.
type plot struct {
	lang     collectors.Lang
	metric   collectors.Metric
	from, to time.Time
	opened   time.Time
	zone     *time.Location
	list     []alerting.Reading

	crossed   bool // there is a threshold
	threshold float64
	below     bool // what is bad is under it

	low, high, step float64 // of the value axis
}

// scale chooses the value axis so that everything measured and the threshold are on it, from zero where nothing is negative.
func (p *plot) scale() {
	low, high := math.Inf(1), math.Inf(-1)
	for _, r := range p.list {
		if !math.IsNaN(r.Value) {
			low, high = min(low, r.Value), max(high, r.Value)
		}
	}
	if p.crossed = p.crossed && math.Abs(p.threshold) <= mostValue; p.crossed {
		low, high = min(low, p.threshold), max(high, p.threshold)
	}
	if low > 0 && low < high/2 || low >= 0 && high == low {
		low = 0
	}
	if high-low < max(leastSpan, leastSpan*math.Abs(high)) {
		high = low + max(1, math.Abs(low)/2)
	}
	p.step = nice((high - low) / 4)
	p.low = math.Floor(low/p.step) * p.step
	p.high = math.Ceil(high/p.step+0.15) * p.step
}

// nice is the first of 1, 2, 5, 10, … that is not smaller.
func nice(step float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(step)))
	for _, times := range []float64{1, 2, 5} {
		if times*power >= step {
			return times * power
		}
	}
	return 10 * power
}
