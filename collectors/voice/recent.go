package voice

import (
	"sync"
	"time"
)

// rememberFor is how long a forgotten call's id is known at least: what comes for it meanwhile is too late, and no new call.
const rememberFor = 5 * time.Minute

// recent remembers the ids of calls that were handed out and forgotten, for one to two times rememberFor, and no more of them than a bound.
type recent struct {
	mu          sync.Mutex
	now, before map[uint64]struct{}
	turned      instant
	most        int
}

func (r *recent) add(key uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.now == nil {
		r.now = map[uint64]struct{}{}
	}
	if len(r.now) < r.most {
		r.now[key] = struct{}{}
	}
}

func (r *recent) has(key uint64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.now[key]; ok {
		return true
	}
	_, ok := r.before[key]
	return ok
}

// turn forgets the older half when it is time.
func (r *recent) turn(at instant) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if at-r.turned >= instant(rememberFor) {
		r.before, r.now, r.turned = r.now, nil, at
	}
}
