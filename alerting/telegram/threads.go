package telegram

import (
	"slices"
	"sync"
)

// threads remembers an incident's first message. The zero threads is ready.
type threads struct {
	mu    sync.Mutex
	first map[int64]int64
	order []int64 // incidents, oldest first
}

const maxThreads = 2048

// of is the number of the incident's first message; 0 when it is not known.
func (t *threads) of(incident int64) int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.first[incident]
}

// begin remembers the first message; of many incidents the oldest is forgotten.
func (t *threads) begin(incident, message int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, known := t.first[incident]; known || incident == 0 {
		return
	}
	if t.first == nil {
		t.first = map[int64]int64{}
	}
	t.first[incident] = message
	t.order = append(t.order, incident)
	if len(t.order) > maxThreads {
		delete(t.first, t.order[0])
		t.order = slices.Delete(t.order, 0, 1)
	}
}

// forgetAll is for a chat that moved: the numbers were those of the old one.
func (t *threads) forgetAll() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.first, t.order = nil, nil
}
