package store

import (
	"cmp"
	"context"
	"fmt"
	"math"
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
	points, every, err := s.collect(ctx, scope, []collectors.Series{q.Series}, q.From, q.To)
	if err != nil {
		return RangeResult{}, fmt.Errorf("read %s: %w", q.Series, err)
	}
	list := points[q.Series]
	result := RangeResult{Every: every[q.Series]}
	if result.Every == 0 {
		result.Every = medianDistance(list)
	}
	end := q.To
	if now := s.cfg.Now(); now.Before(end) {
		end = now
	}
	result.Gaps = gaps(list, q.From.UnixMicro(), end.UnixMicro(), result.Every)
	result.Points = draw(list, q.From.UnixMicro(), q.To.UnixMicro(), q.Points)
	return result, nil
}

// Sparklines reads many series over the same range at once, each drawn together to at most n points. A series without samples is not there.
func (s *Store) Sparklines(ctx context.Context, scope Scope, series []collectors.Series, from, to time.Time, n int) (map[collectors.Series][]Point, error) {
	points, _, err := s.collect(ctx, scope, series, from, to)
	if err != nil {
		return nil, fmt.Errorf("read %d series: %w", len(series), err)
	}
	lines := make(map[collectors.Series][]Point, len(points))
	for name, list := range points {
		if len(list) > 0 {
			lines[name] = draw(list, from.UnixMicro(), to.UnixMicro(), n)
		}
	}
	return lines, nil
}

// collect gathers the samples of several series in [from, to]: from the head what it has whole, from the log what is older.
func (s *Store) collect(ctx context.Context, scope Scope, series []collectors.Series, from, to time.Time) (
	map[collectors.Series][]chunk.Point, map[collectors.Series]time.Duration, error,
) {
	first, last := from.UnixMicro(), to.UnixMicro()
	points := make(map[collectors.Series][]chunk.Point, len(series))
	every := make(map[collectors.Series]time.Duration, len(series))
	older := map[int64][]chunk.Point{} // by the id of the series
	behind := map[int64]*behindHead{}  // the same
	until := int64(math.MinInt64)      // how far the log is needed
	for _, name := range series {
		if !scope.Sees(name.Ref) {
			continue
		}
		list, complete, period, id := s.head.recentPoints(name, first, last)
		points[name], every[name] = list, period
		if complete > first && id != 0 {
			older[id], behind[id] = nil, &behindHead{name, complete}
			until = max(until, min(last, complete-1))
		}
	}
	if len(older) > 0 {
		if err := s.log.history(ctx, first, until, older); err != nil {
			return nil, nil, err
		}
	}
	for id, list := range older {
		b := behind[id]
		list = slices.DeleteFunc(list, func(p chunk.Point) bool { return p.At >= b.complete })
		points[b.series] = tidy(append(list, points[b.series]...))
	}
	return points, every, nil
}

// behindHead is a series of which the head has only what came from complete on.
type behindHead struct {
	series   collectors.Series
	complete int64
}

// tidy puts points in order of time and leaves one of each instant, the last that was written.
func tidy(points []chunk.Point) []chunk.Point {
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

// medianDistance is the median of the distances between neighbours, 0 for fewer than two.
func medianDistance(points []chunk.Point) time.Duration {
	if len(points) < 2 {
		return 0
	}
	distances := make([]int64, len(points)-1)
	for i := range distances {
		distances[i] = points[i+1].At - points[i].At
	}
	slices.Sort(distances)
	return time.Duration(distances[len(distances)/2]) * time.Microsecond
}

// gaps lists where in [first, last] nothing was measured. Without a period only a range without any sample is a gap.
func gaps(points []chunk.Point, first, last int64, every time.Duration) []Gap {
	if last <= first {
		return nil
	}
	if len(points) == 0 {
		return []Gap{{time.UnixMicro(first).UTC(), time.UnixMicro(last).UTC()}}
	}
	if every <= 0 {
		return nil
	}
	var list []Gap
	most := 3 * every.Microseconds()
	before := first
	for i := 0; i <= len(points); i++ {
		at := last
		if i < len(points) {
			at = points[i].At
		}
		if at-before > most {
			list = append(list, Gap{time.UnixMicro(before).UTC(), time.UnixMicro(at).UTC()})
		}
		before = at
	}
	return list
}

// draw makes at most n points of the samples, by equal parts of [first, last]; as they are when they are no more than n.
func draw(points []chunk.Point, first, last int64, n int) []Point {
	if n <= 0 || len(points) <= n {
		n = 0
	}
	var drawn []Point
	part, offset := int64(-1), int64(0) // offset: the sum of times within the part, from its first sample
	width := max((last-first)/int64(max(n, 1)), 1)
	var base int64
	for _, p := range points {
		if k := min((p.At-first)/width, int64(n)-1); n == 0 || k != part {
			part, base, offset = k, p.At, 0
			drawn = append(drawn, Point{At: time.UnixMicro(p.At).UTC(), Min: p.Value, Max: p.Value, Mean: p.Value, Count: 1})
			continue
		}
		d := &drawn[len(drawn)-1]
		d.Count++
		offset += p.At - base
		d.At = time.UnixMicro(base + offset/int64(d.Count)).UTC()
		d.Min, d.Max = min(d.Min, p.Value), max(d.Max, p.Value)
		d.Mean += (p.Value - d.Mean) / float64(d.Count)
	}
	return drawn
}
