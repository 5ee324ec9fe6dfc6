package voice

import "math"

// deadReport takes a block that shows no new packet. When the sender has sent meanwhile, twice in a row, the direction is dead: everything that was
// sent since is lost, although the receiver counts no loss at all (rule 3). When the sender is quiet too, it is silence or hold.
func (s *stream) deadReport(c *call, l *leg, w when, held bool) {
	sent := s.sentSince()
	known := s.hasDeadBase && s.send.hasCounts
	s.rememberSent()
	switch {
	case held || l.fax:
		s.baseAt, s.gap = w.at, nil
		return
	case !known:
		return
	case sent < fewPackets:
		s.gap = nil
		return
	}
	if s.gap == nil {
		s.gap = &gap{since: s.baseAt, last: s.baseAt}
	}
	g := s.gap
	ptime, _ := s.ptime(l)
	fits := uint32(max(w.at-g.last, 0) / 1000 / int64(ptime)) // the sender report before the last block was older than that block
	g.last = w.at
	g.reports = min(g.reports+1, deadAfter)
	g.sent += min(sent, max(fits, fewPackets))
	if g.reports < deadAfter {
		return
	}
	flags := s.flags(c, l, g.since, held)
	s.add(passage{
		seconds: seconds(w.at - g.since), expected: g.sent, lost: g.sent,
		jitterMS: math.NaN(), rttMS: math.NaN(), flags: flags | flagDead,
	})
	s.oneWay = s.oneWay || flags&flagUnjudged == 0
	s.deadCounted += g.sent
	g.sent, g.since, s.baseAt = 0, w.at, w.at
}

// sentSince is how many packets the sender has sent since the last block, as far as its reports tell.
func (s *stream) sentSince() uint32 {
	if !s.hasDeadBase || !s.send.hasCounts || int32(s.send.packets-s.deadBase) < 0 {
		return 0
	}
	return s.send.packets - s.deadBase
}

func (s *stream) rememberSent() { s.deadBase, s.hasDeadBase = s.send.packets, s.send.hasCounts }

// alive ends a dead stretch: packets come again.
func (s *stream) alive() {
	s.gap = nil
	s.rememberSent()
}

// withoutDead takes what was counted as lost in a dead stretch out of the first interval after it, whose counters include it.
func (s *stream) withoutDead(expected, lost uint32) (uint32, uint32) {
	if s.deadCounted == 0 {
		return expected, lost
	}
	gone := min(s.deadCounted, lost, expected)
	s.deadCounted = 0
	return expected - gone, lost - gone
}

// unheard takes a sender report without any block: its sender receives nothing. What the other side sends to it meanwhile is lost, as long as
// it never got a first packet to report on (rule 3).
func (c *call) unheard(leg int, receiver whom, ssrc uint32, w when) {
	if receiver == nobody {
		return
	}
	for _, s := range c.streams {
		if int(s.leg) != leg || s.to != receiver || s.blocks > 0 || s.closed || s.ssrc == ssrc {
			continue
		}
		l := &c.legs[leg]
		if s.baseAt == 0 {
			s.baseAt = w.at
			s.rememberSent()
			continue
		}
		s.switchCodec(l)
		s.deadReport(c, l, w, l.held[receiver])
	}
}
