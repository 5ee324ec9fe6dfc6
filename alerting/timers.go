package alerting

import "time"

// timer is one entry of the queue of deadlines. An entry may be out of date: who visits it looks at the deadline itself.
type timer struct {
	at       time.Time
	track    *track // or
	incident int64  // or
	mute     int64
}

// timers is a binary heap by time. Looking at what is due does not change it, so that a plan can be thrown away.
type timers []timer

// push adds an entry.
func (q *timers) push(e timer) {
	*q = append(*q, e)
	h := *q
	i := len(h) - 1
	for i > 0 {
		up := (i - 1) / 2
		if !h[i].at.Before(h[up].at) {
			return
		}
		h[i], h[up] = h[up], h[i]
		i = up
	}
}

// pop removes the earliest entry.
func (q *timers) pop() timer {
	h := *q
	first := h[0]
	last := len(h) - 1
	h[0] = h[last]
	h[last] = timer{}
	*q = h[:last]
	q.sink()
	return first
}

func (q *timers) sink() {
	h := *q
	i := 0
	for {
		least := i
		for _, c := range [2]int{2*i + 1, 2*i + 2} {
			if c < len(h) && h[c].at.Before(h[least].at) {
				least = c
			}
		}
		if least == i {
			return
		}
		h[i], h[least] = h[least], h[i]
		i = least
	}
}

// due calls visit for every entry that is due at now, without removing any.
func (q timers) due(now time.Time, visit func(timer)) { q.dueFrom(0, now, visit) }

func (q timers) dueFrom(i int, now time.Time, visit func(timer)) {
	if i >= len(q) || q[i].at.After(now) {
		return
	}
	visit(q[i])
	q.dueFrom(2*i+1, now, visit)
	q.dueFrom(2*i+2, now, visit)
}

// next is the earliest deadline; zero when there is none.
func (q timers) next() time.Time {
	if len(q) == 0 {
		return time.Time{}
	}
	return q[0].at
}
