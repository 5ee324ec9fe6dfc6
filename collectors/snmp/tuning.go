package snmp

import (
	"errors"
	"sync"
)

const (
	// startSize is how many names the first requests hold: an answer of counters stays under 1,400 octets.
	startSize = 48
	// quietSize is what any device answers when it answers at all: silence about so few names is not about their number.
	quietSize = 6
	// firstTrust is after how many good answers a larger request is tried again; each time that fails it takes ten times as many.
	firstTrust = 200
)

// tuning is what was learnt about a device: how many names one request may hold. It is remembered for the life of the process.
type tuning struct {
	mu    sync.Mutex
	limit int // 0: startSize
	good  int // answers to requests of the full size in a row
	trust int // how many it takes to try more
}

func (t *tuning) size() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.now()
}

func (t *tuning) now() int {
	if t.limit == 0 {
		return startSize
	}
	return t.limit
}

// halve makes requests smaller after tooBig, or after silence that a smaller one may break. It reports whether to try again.
func (t *tuning) halve(err error, size int) bool {
	switch {
	case errors.Is(err, errTooBig) && size > 1:
	case errors.Is(err, errSilent) && size > quietSize:
	default:
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.limit, t.good = min(max(size/2, 1), t.now()), 0
	t.trust = max(firstTrust, t.trust*10)
	return true
}

// well notes an answer to a request of so many names.
func (t *tuning) well(size int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.limit == 0 || size < t.limit {
		return
	}
	if t.good++; t.good >= t.trust {
		t.good = 0
		if t.limit *= 2; t.limit >= startSize {
			t.limit = 0
		}
	}
}
