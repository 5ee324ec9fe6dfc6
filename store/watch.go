package store

import (
	"context"
	"sync"
	"time"
)

// Tick says that something has changed. Ticks are coalesced: a reader that was slow gets the newest only.
type Tick struct {
	LastEvent int64 // the newest event's id
}

// watch wakes who waits for changes.
type watch struct {
	mu       sync.Mutex
	last     Tick
	ticks    map[chan Tick]struct{}
	commands chan struct{}
	changed  chan struct{} // closed and replaced at each change
	closed   bool
	seen     marksSeen
}

// marksSeen is how far the tables had grown when they were last looked at.
type marksSeen struct{ event, command, delivery int64 }

func newWatch() *watch {
	return &watch{ticks: map[chan Tick]struct{}{}, commands: make(chan struct{}, 1), changed: make(chan struct{})}
}

// Subscribe returns a channel that gets a Tick after each change of alarms, incidents, notifications and commands, and the function that
// ends it. Changes of another process are noticed within a second while Run runs. The channel is closed when the store closes.
func (s *Store) Subscribe() (<-chan Tick, func()) {
	w := s.watch
	ch := make(chan Tick, 1)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		close(ch)
		return ch, func() {}
	}
	w.ticks[ch] = struct{}{}
	return ch, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if _, ok := w.ticks[ch]; ok {
			delete(w.ticks, ch)
			close(ch)
		}
	}
}

// CommandsPosted wakes the engine when a command has been posted in this process; those of other processes it finds by asking each second.
func (s *Store) CommandsPosted() <-chan struct{} { return s.watch.commands }

// tell wakes everybody; event is the newest event's id if the change brought one.
func (w *watch) tell(event int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return
	}
	w.last.LastEvent = max(w.last.LastEvent, event)
	close(w.changed)
	w.changed = make(chan struct{})
	for ch := range w.ticks {
		select {
		case <-ch:
		default:
		}
		ch <- w.last
	}
}

func (w *watch) posted() {
	select {
	case w.commands <- struct{}{}:
	default:
	}
}

// next is closed at the next change.
func (w *watch) next() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.changed
}

func (w *watch) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return
	}
	w.closed = true
	close(w.changed)
	for ch := range w.ticks {
		close(ch)
	}
	clear(w.ticks)
}

const lookSQL = `SELECT
	COALESCE((SELECT MAX(id) FROM events), 0),
	COALESCE((SELECT MAX(seq) FROM commands), 0),
	COALESCE((SELECT MAX(id) FROM deliveries), 0)`

// look finds out whether another process has changed something, and wakes whom it concerns.
func (s *Store) look(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	var now marksSeen
	if err := s.db.read.QueryRowContext(ctx, lookSQL).Scan(&now.event, &now.command, &now.delivery); err != nil {
		return err
	}
	before := s.watch.seen
	s.watch.seen = now
	if now == before {
		return nil
	}
	if now.command != before.command {
		s.watch.posted()
	}
	if now.command == before.command && s.active() {
		return nil // only the active process writes the rest, and it has told already
	}
	s.watch.tell(now.event)
	return nil
}
