package store

import (
	"slices"
	"time"

	"vigia/store/chunk"
)

// both hands samples to a drawing and to what looks for holes.
type both struct {
	drawing *drawing
	holes   *holes
}

func (b *both) take(points []chunk.Point) {
	b.drawing.take(points)
	b.holes.take(points)
}

// drawing makes at most n points of samples that come in order of time, by equal parts of [first, last]; as they are when they are no more
// than n, or when n is 0. It goes over them once and keeps no more than 2n.
type drawing struct {
	first, width int64
	n            int
	few          []chunk.Point // all samples, while they are no more than n
	parts        []partDrawn   // nil until there are more
}

// partDrawn is the samples of one part.
type partDrawn struct {
	k            int64 // which part
	at, offsets  int64 // its first sample's time; the sum of all distances to that
	low, high    float64
	first, above float64 // the first value; the sum of all distances to that
	count        int
}

func newDrawing(first, last int64, n int) *drawing {
	return &drawing{first: first, width: max((last-first)/int64(max(n, 1)), 1), n: max(n, 0)}
}

func (d *drawing) take(points []chunk.Point) {
	if d.parts == nil && (d.n == 0 || len(d.few)+len(points) <= d.n) {
		d.few = append(d.few, points...)
		return
	}
	if d.parts == nil {
		d.parts = make([]partDrawn, 0, d.n)
		d.join(d.few)
		d.few = nil
	}
	d.join(points)
}

// join adds samples to the parts in which they lie.
func (d *drawing) join(points []chunk.Point) {
	for len(points) > 0 {
		k := min((points[0].At-d.first)/d.width, int64(d.n)-1)
		n := len(points)
		if k < int64(d.n)-1 {
			n, _ = slices.BinarySearchFunc(points, d.first+(k+1)*d.width, compareAt)
		}
		if m := len(d.parts); m == 0 || d.parts[m-1].k != k {
			p := points[0]
			d.parts = append(d.parts, partDrawn{k: k, at: p.At, low: p.Value, high: p.Value, first: p.Value})
		}
		d.parts[len(d.parts)-1].join(points[:n])
		points = points[n:]
	}
}

func (p *partDrawn) join(points []chunk.Point) {
	low, high, above, offsets := p.low, p.high, p.above, p.offsets
	for _, q := range points {
		if q.Value < low {
			low = q.Value
		}
		if q.Value > high {
			high = q.Value
		}
		above += q.Value - p.first
		offsets += q.At - p.at
	}
	p.low, p.high, p.above, p.offsets = low, high, above, offsets
	p.count += len(points)
}

// points is the drawing.
func (d *drawing) points() []Point {
	var drawn []Point
	for _, p := range d.few {
		drawn = append(drawn, Point{At: time.UnixMicro(p.At).UTC(), Min: p.Value, Max: p.Value, Mean: p.Value, Count: 1})
	}
	for _, p := range d.parts {
		mean := min(max(p.first+p.above/float64(p.count), p.low), p.high) // rounding must not lead outside, nor the sum of huge values
		at := time.UnixMicro(p.at + p.offsets/int64(p.count)).UTC()
		drawn = append(drawn, Point{At: at, Min: p.low, Max: p.high, Mean: mean, Count: p.count})
	}
	return drawn
}

// holes looks for times without samples, in one pass when it is known how often one is expected.
type holes struct {
	first, last int64 // the beginning, or the last sample there was
	every       time.Duration
	any         bool
	list        []Gap
	times       []int64 // of all samples, when it is not known
}

func newHoles(first int64, every time.Duration) *holes {
	return &holes{first: first, last: first, every: every}
}

func (h *holes) take(points []chunk.Point) {
	h.any = h.any || len(points) > 0
	if h.every <= 0 {
		for _, p := range points {
			h.times = append(h.times, p.At)
		}
		return
	}
	most := 3 * h.every.Microseconds()
	for _, p := range points {
		if p.At-h.last > most {
			h.list = append(h.list, gap(h.last, p.At))
		}
		h.last = p.At
	}
}

func gap(from, to int64) Gap { return Gap{time.UnixMicro(from).UTC(), time.UnixMicro(to).UTC()} }

// period is how often a sample is expected, or the median distance of those there are; 0 when unknown.
func (h *holes) period() time.Duration {
	if h.every > 0 || len(h.times) < 2 {
		return max(h.every, 0)
	}
	distances := make([]int64, len(h.times)-1)
	for i := range distances {
		distances[i] = h.times[i+1] - h.times[i]
	}
	slices.Sort(distances)
	return time.Duration(distances[len(distances)/2]) * time.Microsecond
}

// gaps lists where up to an end nothing was measured. Without a period only a range without any sample is a gap.
func (h *holes) gaps(end int64) []Gap {
	if end <= h.first {
		return nil
	}
	if !h.any {
		return []Gap{gap(h.first, end)}
	}
	if h.every <= 0 {
		if h.every = h.period(); h.every <= 0 {
			return nil
		}
		for _, at := range h.times {
			h.take([]chunk.Point{{At: at}})
		}
	}
	if end-h.last > 3*h.every.Microseconds() {
		h.list = append(h.list, gap(h.last, end))
	}
	return h.list
}
