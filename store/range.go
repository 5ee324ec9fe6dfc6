package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"vigia/collectors"
	"vigia/store/chunk"
)

// RangeQuery asks for one series over [From, To].
type RangeQuery struct {
	Series   collectors.Series
	From, To time.Time
	Points   int // at most so many points; 0: every sample as its own
}

// Point is one or several samples that follow one another.
type Point struct {
	At             time.Time // the sample's time; of several, the mean of theirs
	Min, Max, Mean float64
	Count          int
}

// Gap is a time without samples: nothing was measured, and no line may bridge it.
type Gap struct{ From, To time.Time }

// RangeResult is what there is of a series in a range.
type RangeResult struct {
	Points []Point
	Gaps   []Gap
	Every  time.Duration // how often a sample is expected, or the median distance when nobody said; 0 when unknown
}

// Range reads a series over a time range, oldest first, several samples drawn together when there are more than q.Points. A distance of more
// than three times Every is a gap; so are the beginning and, up to now, the end of the range when they are that far from a sample.
func (s *Store) Range(ctx context.Context, scope Scope, q RangeQuery) (RangeResult, error) {
	first, last := q.From.UnixMicro(), q.To.UnixMicro()
	d, holes := newDrawing(first, last, q.Points), newHoles(first, s.head.period(q.Series))
	if err := s.feed(ctx, scope, map[collectors.Series]sink{q.Series: &both{d, holes}}, first, last); err != nil {
		return RangeResult{}, fmt.Errorf("read %s: %w", q.Series, s.db.explain(err))
	}
	result := RangeResult{Points: d.points(), Every: scope.every(q.Series, holes)}
	end := q.To
	if now := s.cfg.Now(); now.Before(end) {
		end = now
	}
	result.Gaps = holes.gaps(end.UnixMicro())
	return result, nil
}

// every is how often a sample is expected of a series that the scope may see.
func (s Scope) every(series collectors.Series, h *holes) time.Duration {
	if !s.Sees(series.Ref) {
		return 0
	}
	return h.period()
}

// Sparklines reads many series over the same range at once, each drawn together to at most n points. A series without samples is not there.
func (s *Store) Sparklines(ctx context.Context, scope Scope, series []collectors.Series, from, to time.Time, n int) (map[collectors.Series][]Point, error) {
	drawings := make(map[collectors.Series]*drawing, len(series))
	sinks := make(map[collectors.Series]sink, len(series))
	for _, name := range series {
		d := newDrawing(from.UnixMicro(), to.UnixMicro(), n)
		drawings[name], sinks[name] = d, d
	}
	if err := s.feed(ctx, scope, sinks, from.UnixMicro(), to.UnixMicro()); err != nil {
		return nil, fmt.Errorf("read %d series: %w", len(series), s.db.explain(err))
	}
	lines := make(map[collectors.Series][]Point, len(series))
	for name, d := range drawings {
		if points := d.points(); len(points) > 0 {
			lines[name] = points
		}
	}
	return lines, nil
}

// tidy puts points in order of time and leaves one of each instant, the last that was written.
func tidy(points []chunk.Point) []chunk.Point {
	if inOrder(points) {
		return points
	}
	slices.SortStableFunc(points, func(a, b chunk.Point) int { return cmp.Compare(a.At, b.At) })
	kept := points[:0]
	for _, p := range points {
		if n := len(kept); n > 0 && kept[n-1].At == p.At {
			kept[n-1] = p
			continue
		}
		kept = append(kept, p)
	}
	return kept
}

func inOrder(points []chunk.Point) bool {
	for i := 1; i < len(points); i++ {
		if points[i].At <= points[i-1].At {
			return false
		}
	}
	return true
}
