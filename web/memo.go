package web

import (
	"context"
	"sync"
	"time"
)

// memo keeps what is costly to find out: at most so many answers, each for a while. One is found out at a time, since each reads much.
type memo[K comparable, V any] struct {
	keep time.Duration
	most int
	turn chan struct{} // whoever finds something out holds its one place

	mu   sync.Mutex
	have map[K]kept[V]
}

type kept[V any] struct {
	value V
	at    time.Time
}

func newMemo[K comparable, V any](keep time.Duration, most int) *memo[K, V] {
	return &memo[K, V]{keep: keep, most: most, turn: make(chan struct{}, 1), have: map[K]kept[V]{}}
}

// peek returns what is kept, and whether it is young enough; ok is false when nothing is.
func (m *memo[K, V]) peek(key K, now time.Time) (value V, young, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	one, ok := m.have[key]
	return one.value, ok && now.Sub(one.at) < m.keep, ok
}

// get returns what is kept, or finds it out and keeps it; an error is not kept.
func (m *memo[K, V]) get(ctx context.Context, key K, now time.Time, find func() (V, error)) (V, error) {
	if value, young, _ := m.peek(key, now); young {
		return value, nil
	}
	var none V
	select {
	case m.turn <- struct{}{}:
		defer func() { <-m.turn }()
	case <-ctx.Done():
		return none, ctx.Err()
	}
	if value, young, _ := m.peek(key, now); young { // somebody else wanted the same
		return value, nil
	}
	value, err := find()
	if err != nil {
		return none, err
	}
	m.put(key, kept[V]{value, now})
	return value, nil
}

// put makes room by forgetting the oldest.
func (m *memo[K, V]) put(key K, one kept[V]) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.have[key]; !ok && len(m.have) >= m.most {
		var oldest K
		found := false
		for k, v := range m.have {
			if !found || v.at.Before(m.have[oldest].at) {
				oldest, found = k, true
			}
		}
		delete(m.have, oldest)
	}
	m.have[key] = one
}
