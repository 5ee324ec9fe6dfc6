package store

import (
	"context"
	"math"
	"sync"
)

// tallyCache is what the tallies that wait change in each row of call_hours, so that each of them is added up once and not for every reader.
type tallyCache struct {
	mu       sync.Mutex
	of       foldMark
	first    int64                 // the first tally that is in it; 0 for none
	last     int64                 // the last tally that is in it
	half     map[marginalKey]*sums // of those up to of.upto, which are being added to call_hours
	complete map[marginalKey]*sums // of those after
}

// waitingFigures reads what has come since, and hands every row that the tallies change to visit. The reader must have begun after mu was taken,
// so that what one sees is never older than what the one before saw. The caller holds mu.
func (l *callLog) waitingFigures(ctx context.Context, q querier, visit func(marginalKey, *sums)) error {
	c := &l.waiting
	if err := l.catchUp(ctx, q, c); err != nil {
		c.forget() // what was added may be a part of a row of tallies
		return err
	}
	for k, s := range c.half {
		if !c.of.has(k) {
			visit(k, s)
		}
	}
	for k, s := range c.complete {
		visit(k, s)
	}
	return nil
}

func (c *tallyCache) forget() {
	c.first, c.last, c.half, c.complete = 0, 0, map[marginalKey]*sums{}, map[marginalKey]*sums{}
}

func (l *callLog) catchUp(ctx context.Context, q querier, c *tallyCache) error {
	w, err := readWaiting(ctx, q)
	if err != nil {
		return err
	}
	f, err := readFolding(ctx, q)
	if err != nil {
		return err
	}
	c.agree(&w, f)
	err = l.readTallies(ctx, q, c.last, math.MaxInt64, func(id int64, t *callTally) {
		if id <= f.upto {
			t.addTo(c.half)
		} else {
			t.addTo(c.complete)
		}
	})
	if c.last = max(c.last, w.last); c.first == 0 {
		c.first = w.first
	}
	return err
}

// agree drops what is no longer a tally, and knows which are being added to call_hours.
func (c *tallyCache) agree(w *waitingTallies, f foldMark) {
	switch {
	case c.complete == nil, w.first == 0:
		c.forget()
	case w.first == c.first && c.of.upto == f.upto:
	case w.first == c.first && len(c.half) == 0 && c.last <= f.upto: // it has begun with all that are known
		c.half, c.complete = c.complete, c.half
	case c.of.upto == f.upto && c.first <= f.upto && w.first > f.upto: // it has ended
		c.half, c.first = map[marginalKey]*sums{}, w.first
	default:
		c.forget()
	}
	c.of = f
}
