package store

import (
	"math"
	"slices"
	"sync"
	"time"

	"vigia/collectors"
	"vigia/collectors/inventory"
	"vigia/store/chunk"
)

const (
	headLeast = 64  // samples of each series that are kept however many series there are
	headMost  = 720 // two hours at ten seconds
	tailRoom  = 8
)

// head keeps the last samples of every series in memory.
type head struct {
	budget int // samples over all series

	mu     sync.RWMutex
	series map[collectors.Series]*recent
	byRef  map[inventory.Ref][]*recent
	found  *recent   // what find found last; nil before
	taken  []waiting // room for what one Put takes
}

// recent is one series' last samples. Its fields are guarded by the head's lock, but for series, which never changes. What each sample
// touches comes first, close together: of many series little is in the processor's caches. That is why the newest points wait in the tail
// until it is full: points lies elsewhere, and is touched by one sample of tailRoom.
type recent struct {
	series   collectors.Series
	next     *recent       // whose sample came after this one's the last time; nil before
	newest   int64         // no point is newer; microseconds
	id       int64         // its row's id; 0 until it has one
	every    time.Duration // how often a sample is expected; 0 when unknown
	saved    time.Duration // every, as the row has it
	last     latestSample
	waiting  int // how many points the tail has
	tail     [tailRoom]chunk.Point
	points   []chunk.Point // in order of time, all older than those of the tail
	complete int64         // from this instant on, points and tail lack nothing; microseconds
}

// latestSample is the newest sample of a series; only at and value are known after a restart.
type latestSample struct {
	at     time.Time
	value  float64
	every  time.Duration
	plain  bool // it came without reason and detail
	reason collectors.Reason
	detail string
}

// learn takes the newest sample. Most come without a reason, and what is not touched costs nothing.
func (l *latestSample) learn(s *collectors.Sample) {
	l.at, l.value, l.every = s.At, s.Value, s.Every
	plain := s.Detail == "" && s.Reason.Code == "" && s.Reason.Args == nil
	if !plain || !l.plain {
		l.plain, l.reason, l.detail = plain, s.Reason, s.Detail
	}
}

// sample is the newest sample of the series, whole.
func (r *recent) sample() collectors.Sample {
	l := &r.last
	return collectors.Sample{Series: r.series, At: l.at, Value: l.value, Reason: l.reason, Detail: l.detail, Every: l.every}
}

func newHead(budget int) *head {
	return &head{budget: budget, series: map[collectors.Series]*recent{}, byRef: map[inventory.Ref][]*recent{}}
}

// get returns the entry of a series, a new one when there is none: complete says from when on the head will know all of it.
// The caller holds the lock.
func (h *head) get(series collectors.Series, complete int64) *recent {
	r := h.series[series]
	if r == nil {
		r = &recent{series: series, complete: complete}
		h.series[series] = r
		h.byRef[series.Ref] = append(h.byRef[series.Ref], r)
	}
	return r
}

// find returns the entry of a series, or nil. Samples tend to come in the same order again, so it tries first what came next the last time:
// to compare two names whose texts are the same ones in memory is a fraction of looking them up. The caller holds the lock for writing.
func (h *head) find(series *collectors.Series) *recent {
	before := h.found
	if before != nil && before.next != nil && before.next.series == *series {
		h.found = before.next
		return h.found
	}
	r := h.series[*series]
	if r != nil {
		h.found = r
		if before != nil {
			before.next = r
		}
	}
	return r
}

// room is how many samples one series may keep.
func (h *head) room() int {
	return min(max(h.budget/max(len(h.series), 1), headLeast), headMost)
}

// put adds one sample. The caller holds the lock.
func (h *head) put(r *recent, sample *collectors.Sample, at int64) {
	if r.last.at.IsZero() || !sample.At.Before(r.last.at) {
		r.last.learn(sample)
	}
	if sample.Every > 0 {
		r.every = sample.Every
	}
	if r.insert(chunk.Point{At: at, Value: sample.Value}) {
		r.trim(h.room())
	}
}

// insert keeps the points in order; nearly always the new one is the newest. The same instant again replaces. It reports whether points,
// and not only the tail, has become longer.
func (r *recent) insert(p chunk.Point) (longer bool) {
	if r.newest < p.At {
		if longer = r.waiting == tailRoom; longer {
			r.settle()
		}
		r.tail[r.waiting], r.newest = p, p.At
		r.waiting++
		return longer
	}
	r.settle()
	i, found := slices.BinarySearchFunc(r.points, p.At, compareAt)
	if found {
		r.points[i] = p
	} else {
		r.points = slices.Insert(r.points, i, p)
	}
	return true
}

// settle moves the tail to the other points.
func (r *recent) settle() {
	r.points = append(r.points, r.tail[:r.waiting]...)
	r.waiting = 0
}

// within copies the points of a span, ends included.
func (r *recent) within(from, to int64) []chunk.Point {
	return slices.Concat(between(r.points, from, to), between(r.tail[:r.waiting], from, to))
}

// between is the part of sorted points in a span, ends included.
func between(points []chunk.Point, from, to int64) []chunk.Point {
	i, _ := slices.BinarySearchFunc(points, from, compareAt)
	j, _ := slices.BinarySearchFunc(points, to+1, compareAt)
	return points[i:max(i, j)]
}

// trim drops the oldest points above the room, an eighth of the room at a time so that it costs little, and notes what is now lacking.
func (r *recent) trim(room int) {
	n := len(r.points)
	if n <= room+room/8 {
		return
	}
	drop := n - room
	r.complete = max(r.complete, r.points[drop-1].At+1)
	if least := room + room/8 + 1; cap(r.points) < least || cap(r.points) > 2*least {
		r.points = append(make([]chunk.Point, 0, least), r.points[drop:]...)
		return
	}
	r.points = r.points[:copy(r.points, r.points[drop:])]
}

// Latest returns the newest sample of a series that the scope may see. After a restart its reason and detail are not known until the
// next one comes.
func (s *Store) Latest(scope Scope, series collectors.Series) (collectors.Sample, bool) {
	if !scope.Sees(series.Ref) {
		return collectors.Sample{}, false
	}
	s.head.mu.RLock()
	defer s.head.mu.RUnlock()
	r := s.head.series[series]
	if r == nil || r.last.at.IsZero() {
		return collectors.Sample{}, false
	}
	return r.sample(), true
}

// SeriesOf lists the series of one object, in order.
func (s *Store) SeriesOf(scope Scope, ref inventory.Ref) []collectors.Series {
	if !scope.Sees(ref) {
		return nil
	}
	s.head.mu.RLock()
	defer s.head.mu.RUnlock()
	list := make([]collectors.Series, 0, len(s.head.byRef[ref]))
	for _, r := range s.head.byRef[ref] {
		list = append(list, r.series)
	}
	slices.SortFunc(list, compareSeries)
	return list
}

// AllSeries lists every series that the scope may see and that ever had a sample, in order.
func (s *Store) AllSeries(scope Scope) []collectors.Series {
	s.head.mu.RLock()
	list := make([]collectors.Series, 0, len(s.head.series))
	for series := range s.head.series {
		if scope.Sees(series.Ref) {
			list = append(list, series)
		}
	}
	s.head.mu.RUnlock()
	slices.SortFunc(list, compareSeries)
	return list
}

// period is how often a sample of a series is expected; 0 when nobody said.
func (h *head) period(series collectors.Series) time.Duration {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if r := h.series[series]; r != nil {
		return r.every
	}
	return 0
}

// recentPoints copies what the head has of a series in [from, to], and from when on that is complete.
func (h *head) recentPoints(series collectors.Series, from, to int64) (points []chunk.Point, complete, id int64) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	r := h.series[series]
	if r == nil {
		return nil, math.MinInt64, 0
	}
	return r.within(max(from, r.complete), to), r.complete, r.id
}

func compareSeries(a, b collectors.Series) int {
	switch {
	case a == b:
		return 0
	case a.Less(b):
		return -1
	}
	return 1
}
