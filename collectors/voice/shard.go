package voice

import "sync"

// shard holds a part of the calls under one lock.
type shard struct {
	mu       sync.Mutex
	lists    [listCount]list
	held     int // calls in all lists
	streams  int
	dirty    []*call // handed out and changed since; some may be gone
	tally    map[tallyKey]*tally
	talking  map[string]int     // calls in progress by trunk
	inferred map[observerID]int // calls without signalling by observer
}

func newShard() *shard {
	return &shard{tally: map[tallyKey]*tally{}, talking: map[string]int{}, inferred: map[observerID]int{}}
}

// list is a doubly linked list of calls, the one that was longest without a sign of life first.
type list struct{ first, last *call }

func (l *list) push(c *call) {
	c.prev, c.next = l.last, nil
	if l.last != nil {
		l.last.next = c
	} else {
		l.first = c
	}
	l.last = c
}

func (l *list) remove(c *call) {
	if c.prev != nil {
		c.prev.next = c.next
	} else {
		l.first = c.next
	}
	if c.next != nil {
		c.next.prev = c.prev
	} else {
		l.last = c.prev
	}
	c.prev, c.next = nil, nil
}

// insert takes a new call in, whose shard is s already.
func (s *shard) insert(c *call, kind listKind) {
	c.in = kind
	s.lists[kind].push(c)
	s.held++
	if kind == listOrphans {
		s.inferred[c.observer]++
	}
}

// move puts a call at the end of a list.
func (s *shard) move(c *call, kind listKind) {
	s.lists[c.in].remove(c)
	if c.in == listOrphans && kind != listOrphans {
		s.lessInferred(c)
	} else if c.in != listOrphans && kind == listOrphans {
		s.inferred[c.observer]++
	}
	c.in = kind
	s.lists[kind].push(c)
}

// delete takes a call out for good. Its keys are the tracker's to remove.
func (s *shard) delete(c *call) {
	s.lists[c.in].remove(c)
	if c.in == listOrphans {
		s.lessInferred(c)
	}
	s.held--
	s.streams -= len(c.streams)
	c.gone = true
}

func (s *shard) lessInferred(c *call) {
	if s.inferred[c.observer]--; s.inferred[c.observer] <= 0 {
		delete(s.inferred, c.observer)
	}
}

// touch notes a sign of life.
func (s *shard) touch(c *call, at, arrived instant) {
	c.first, c.last = min(c.first, at), max(c.last, at)
	c.alive = max(c.alive, arrived)
	if c.in < listSettling {
		s.move(c, c.in)
	}
}

// oldest is the call that was silent for longest among those that are not yet handed out, or else one that waits for late reports.
func (s *shard) oldest() *call {
	if c := s.lists[listLate].first; c != nil {
		return c
	}
	var old *call
	for kind := range listLate {
		if c := s.lists[kind].first; c != nil && (old == nil || c.alive < old.alive) {
			old = c
		}
	}
	return old
}
