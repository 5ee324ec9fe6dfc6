package peer

import (
	"slices"
	"sync"
)

// Served remembers which parts of a message the other side has taken already, so that another attempt tells it only the others. It lives in
// memory: after a restart everything may be told once more, with the same keys. The zero Served is ready.
type Served struct {
	mu    sync.Mutex
	by    map[string][]string // parts by message
	order []string            // messages, oldest first
}

const maxServed = 4096

// Has reports whether the part was taken.
func (s *Served) Has(message, part string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Contains(s.by[message], part)
}

// Note remembers that the part was taken. Of many messages the oldest is forgotten.
func (s *Served) Note(message, part string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.by == nil {
		s.by = map[string][]string{}
	}
	if _, known := s.by[message]; !known {
		s.order = append(s.order, message)
	}
	s.by[message] = append(s.by[message], part)
	if len(s.order) > maxServed {
		delete(s.by, s.order[0])
		s.order = slices.Delete(s.order, 0, 1)
	}
}

// Forget is for a message that was taken as a whole.
func (s *Served) Forget(message string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.by[message]; known {
		delete(s.by, message)
		s.order = slices.DeleteFunc(s.order, func(m string) bool { return m == message })
	}
}
