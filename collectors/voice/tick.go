package voice

import (
	"time"
)

// Tick ends what is over by now, hands out calls, and once a minute the figures of trunks and destinations. Call it every second, in step with the
// time at which facts arrive (for a file: with the time of its packets).
func (t *Tracker) Tick(now time.Time) {
	t.tickMu.Lock()
	defer t.tickMu.Unlock()
	at := now.UnixNano()
	t.recent.turn(at)
	for _, s := range t.shards {
		s.mu.Lock()
		t.silence(s, at)
		done := t.settle(s, at, nil)
		done = t.amend(s, at, done)
		s.mu.Unlock()
		t.deliver(done)
	}
	t.minuteOver(now)
}

// silence ends the calls that showed no sign of life for too long.
func (t *Tracker) silence(s *shard, now instant) {
	limits := [listSettling]time.Duration{
		listOrphans: max(t.cfg.Park, t.cfg.Silence/5), listTrying: t.cfg.Trying, listQuiet: t.cfg.Longest, listTalking: t.cfg.Silence,
	}
	for kind, limit := range limits {
		for {
			c := s.lists[kind].first
			if c == nil || now-c.alive < instant(limit) {
				break
			}
			why := endSilent
			if listKind(kind) == listTrying {
				why = endFailed
			}
			t.finish(c, c.last, why)
			c.due = now
			s.move(c, listSettling)
		}
	}
}

// settle hands out the calls that have been over for long enough.
func (t *Tracker) settle(s *shard, now instant, done []Call) []Call {
	for c := s.lists[listSettling].first; c != nil && c.due <= now; c = s.lists[listSettling].first {
		if !c.signalled && !t.counts(c) {
			t.forget(c)
			continue
		}
		done = t.handOut(c, done)
		c.due = c.due - instant(t.cfg.Settle) + instant(t.cfg.Late)
		s.move(c, listLate)
	}
	return done
}

// counts reports whether an inferred call is one: its observer may make calls, and there are reports enough.
func (t *Tracker) counts(c *call) bool {
	if !t.mayInfer(c.observer) {
		t.count.drop(ReasonNotAllowed)
		return false
	}
	blocks := uint32(0)
	for _, s := range c.streams {
		blocks += s.blocks
	}
	if blocks < 2 && !c.quality {
		t.count.drop(ReasonTooShort)
		return false
	}
	return true
}

// mayInfer reports whether the reports of an observer alone make a call.
func (t *Tracker) mayInfer(id observerID) bool {
	switch who := t.observers.get(id).who; who.Via {
	case ViaReplay, ViaCapture:
		return true
	case ViaPublish:
		return t.rules.Load().publish
	case ViaRTCP:
		return t.rules.Load().sent || t.rules.Load().mayInfer(who.Addr)
	default:
		return t.rules.Load().mayInfer(who.Addr)
	}
}

// amend hands out again what late reports have changed, and forgets what no report is expected for any more (rule 20).
func (t *Tracker) amend(s *shard, now instant, done []Call) []Call {
	kept := s.dirty[:0]
	for _, c := range s.dirty {
		switch {
		case c.gone || !c.dirty:
		case now-c.alive >= instant(t.cfg.Settle):
			done = t.handOut(c, done)
		default:
			kept = append(kept, c)
		}
	}
	clear(s.dirty[len(kept):])
	s.dirty = kept
	for c := s.lists[listLate].first; c != nil && c.due <= now; c = s.lists[listLate].first {
		if c.dirty {
			done = t.handOut(c, done)
		}
		t.forget(c)
	}
	return done
}

// handOut adds a call to what is to be delivered. A call without signalling that does not count is left out.
func (t *Tracker) handOut(c *call, done []Call) []Call {
	if !c.signalled && c.revision == 0 && !t.counts(c) {
		return done
	}
	if c.revision == 0 {
		t.count.finished.Add(1)
		t.tallyEnd(c)
	} else {
		if !c.dirty {
			return done
		}
		t.count.amended.Add(1)
	}
	c.revision++
	c.dirty = false
	return append(done, t.build(c))
}

// Close hands out the calls in progress that have something to show, as they stand, with the reason shutdown, and all others that are due. The
// tracker takes nothing afterwards. It returns how many calls in progress had nothing to show and are lost.
func (t *Tracker) Close(now time.Time) (lost int) {
	t.tickMu.Lock()
	defer t.tickMu.Unlock()
	for _, s := range t.shards {
		var done []Call
		s.mu.Lock()
		for kind := range listCount {
			for c := s.lists[kind].first; c != nil; c = s.lists[kind].first {
				done, lost = t.closeCall(c, now, done, lost)
				t.forget(c)
			}
		}
		s.mu.Unlock()
		t.deliver(done)
	}
	return lost
}

func (t *Tracker) closeCall(c *call, now time.Time, done []Call, lost int) ([]Call, int) {
	if c.over == 0 {
		if !c.reported() && !c.quality {
			return done, lost + 1
		}
		t.finish(c, min(max(c.last, c.first), now.UnixNano()), endShutdown)
	}
	return t.handOut(c, done), lost
}
