package email

import (
	"slices"
	"sync"
)

// served remembers who of several addresses has got a message already, so that another attempt reaches only the others. It lives in memory:
// after a restart everybody may get it once more, with the same Message-ID.
type served struct {
	mu    sync.Mutex
	by    map[string][]string // addresses by key
	order []string            // keys, oldest first
}

const maxServed = 256

func newServed() *served { return &served{by: map[string][]string{}} }

// missing lists the addresses that have not got it.
func (s *served) missing(key string, all []string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(all), func(a string) bool { return slices.Contains(s.by[key], a) })
}

// note adds addresses that have got it.
func (s *served) note(key string, addresses []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.by[key]; !known {
		s.order = append(s.order, key)
	}
	s.by[key] = append(s.by[key], addresses...)
	if len(s.order) > maxServed {
		delete(s.by, s.order[0])
		s.order = slices.Delete(s.order, 0, 1)
	}
}

// forget is for a message that everybody has got.
func (s *served) forget(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.by[key]; known {
		delete(s.by, key)
		s.order = slices.DeleteFunc(s.order, func(k string) bool { return k == key })
	}
}
