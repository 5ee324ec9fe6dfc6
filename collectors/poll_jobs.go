package collectors

import (
	"container/heap"
	"hash/fnv"
	"time"
)

// job is a check with what the scheduler knows of it. The scheduler's lock guards it.
type job struct {
	check   Check
	changed *Check // takes check's place when the run that is going has ended
	removed bool   // goes when the run that is waiting or going has ended
	state   jobState
	slot    time.Time // the next one
	owed    time.Time // the slot that the run which is waiting or going keeps from running
	turn    turn      // what the run that is waiting or going is for
	extra   extra     // runs besides the slots
	started time.Time // of the run that is going
	slow    bool      // the last run took more than half of its deadline
	place   bool      // the run that is going holds a place as a slow one
	told    bool      // its panic has been logged
	runs    uint64
	skipped uint64
	index   int // in the heap
}

type jobState int8

const (
	idle jobState = iota
	waiting
	running
)

// turn is the occasion of one run.
type turn struct {
	due     time.Time
	extra   bool
	confirm bool
}

// extra are runs that were asked for besides the slots.
type extra struct {
	left    int
	every   time.Duration
	at      time.Time // when the next is due
	confirm bool
}

// add joins what is asked for now with what is outstanding.
func (e *extra) add(more extra, now time.Time) {
	if e.left == 0 {
		*e = more
		e.at = now
		return
	}
	e.left = max(e.left, more.left)
	e.every = min(e.every, more.every)
	e.confirm = e.confirm || more.confirm
	e.at = now
}

// latest is the check that the last SetChecks asked for.
func (j *job) latest() Check {
	if j.changed != nil {
		return *j.changed
	}
	return j.check
}

// same reports whether c needs no other collector than old's.
func (old Check) same(c Check) bool {
	if old.Kind != c.Kind || old.Target != c.Target || old.Every != c.Every || old.Timeout != c.Timeout || old.Fingerprint != c.Fingerprint {
		return false
	}
	return c.Fingerprint != "" || identical(old.Collector, c.Collector)
}

// next is when the job needs attention. While a run is waiting or going, only slots matter: they must be counted.
func (j *job) next() time.Time {
	if j.state == idle && j.extra.left > 0 && j.extra.at.Before(j.slot) {
		return j.extra.at
	}
	return j.slot
}

// deadline is how long a run may take.
func (c Check) deadline() time.Duration {
	if c.Timeout > 0 {
		return min(c.Timeout, c.period())
	}
	return c.period()
}

// period is Every, or a minute for a check that has none.
func (c Check) period() time.Duration {
	if c.Every > 0 {
		return c.Every
	}
	return time.Minute
}

// nextSlot is the first slot of a check that is not before now. It carries now's monotonic reading.
func nextSlot(c Check, now time.Time) time.Time {
	every := int64(c.period())
	rest := (now.UnixNano() - int64(spread(c.ID)%uint64(every))) % every
	if rest < 0 {
		rest += every
	}
	if rest == 0 {
		return now
	}
	return now.Add(time.Duration(every - rest))
}

// spread is a number that depends on the check's name alone and is even in all its bits (FNV-1a, then the last step of MurmurHash3).
func spread(id CheckID) uint64 {
	h := fnv.New64a()
	h.Write([]byte(id.String()))
	x := h.Sum64()
	x = (x ^ x>>33) * 0xff51afd7ed558ccd
	x = (x ^ x>>33) * 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}

// jobHeap holds the jobs by when they next need attention.
type jobHeap []*job

const outside = -1 // the index of a job that is in no heap

func (h jobHeap) Len() int           { return len(h) }
func (h jobHeap) Less(i, k int) bool { return h[i].next().Before(h[k].next()) }
func (h jobHeap) Swap(i, k int) {
	h[i], h[k] = h[k], h[i]
	h[i].index, h[k].index = i, k
}

// Push and Pop are for container/heap; use place and take.
func (h *jobHeap) Push(x any) {
	j := x.(*job)
	j.index = len(*h)
	*h = append(*h, j)
}

// Pop is for container/heap.
func (h *jobHeap) Pop() any {
	last := len(*h) - 1
	j := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	j.index = outside
	return j
}

// place puts a job where its time says, whether it was in the heap or not.
func (h *jobHeap) place(j *job) {
	if j.index == outside {
		heap.Push(h, j)
		return
	}
	heap.Fix(h, j.index)
}

func (h *jobHeap) take(j *job) {
	if j.index != outside {
		heap.Remove(h, j.index)
	}
}

// queue is a first-in, first-out list of jobs, with how many of its kind are running.
type queue struct {
	jobs    []*job
	head    int
	running int
}

func (q *queue) len() int { return len(q.jobs) - q.head }

func (q *queue) push(j *job) { q.jobs = append(q.jobs, j) }

func (q *queue) pop() *job {
	j := q.jobs[q.head]
	q.jobs[q.head] = nil
	q.head++
	if q.head == len(q.jobs) {
		q.jobs, q.head = q.jobs[:0], 0
	} else if q.head > 1024 && q.head > len(q.jobs)/2 {
		q.jobs = q.jobs[:copy(q.jobs, q.jobs[q.head:])]
		q.head = 0
	}
	return j
}
