package voice

import "time"

// Quality takes what an endpoint or another system has worked out itself.
func (t *Tracker) Quality(q *Quality) {
	t.count.qualities.Add(1)
	w, observer := t.timing(&q.Seen)
	var done []Call
	for range 3 {
		c := t.locateQuality(q, w.at)
		if c == nil {
			if c, done = t.openQuality(q, w, observer, done); c == nil {
				break
			}
		}
		s := c.shard
		s.mu.Lock()
		if c.gone {
			s.mu.Unlock()
			continue
		}
		t.takeQuality(c, q, w)
		s.mu.Unlock()
		break
	}
	t.deliver(done)
}

// locateQuality finds the call by the id in the body, the HEP correlation id, then the parties' addresses and SSRCs.
func (t *Tracker) locateQuality(q *Quality, at instant) *call {
	for _, id := range [2][]byte{q.CallID, q.CorrelationID} {
		if c := t.ids.get(t.hash.text(keyCallID, id)); c != nil {
			return c
		}
	}
	r := Report{Has: HasSource | HasReporter, Source: q.Remote.SSRC, Reporter: q.Local.SSRC}
	r.Seen.Src, r.Seen.Dst = q.Local.Addr, q.Remote.Addr
	c := t.locate(&r, at)
	if c == nil || len(q.CallID) == 0 {
		return c
	}
	c.shard.mu.Lock()
	defer c.shard.mu.Unlock()
	if c.followedBy(q) {
		return nil
	}
	return c
}

// followedBy reports whether a phone's report is of its next call, which took the same ports again (rule 19): the call is known by reports alone, the
// same phone told of it under another Call-ID, and the SSRCs are others. A report of the other end has the addresses the other way round.
func (c *call) followedBy(q *Quality) bool {
	if c.signalled || c.gone || !c.quality || c.id == "" || c.id == string(clip(q.CallID, maxCallID)) || c.hasStream(q.Remote.SSRC, q.Local.SSRC) {
		return false
	}
	m, ok := c.find(q.Local.Addr)
	return ok && m.party == caller
}

// openQuality makes a call of a report that fits none, as phones send who are the only witnesses of their calls.
func (t *Tracker) openQuality(q *Quality, w when, observer observerID, done []Call) (*call, []Call) {
	r := Report{Seen: q.Seen, CorrelationID: q.CallID, Has: HasSource | HasReporter, Source: q.Remote.SSRC, Reporter: q.Local.SSRC}
	r.Seen.Src, r.Seen.Dst = q.Local.Addr, q.Remote.Addr
	if len(q.CallID) == 0 && q.Local.SSRC == 0 && q.Remote.SSRC == 0 && !q.Local.Addr.IsValid() {
		t.count.drop(ReasonUnknownDialog)
		return nil, done
	}
	return t.park(&r, w, observer, done)
}

// takeQuality puts a report into its call, whose shard is locked.
func (t *Tracker) takeQuality(c *call, q *Quality, w when) {
	length := q.Stop.Sub(q.Start)
	if !c.signalled && !c.quality && !q.Start.IsZero() && length > 0 && length < 24*time.Hour {
		c.first = min(c.first, w.at-instant(length)) // the length of a phone's clock is right even where its time is not
		if c.id == "" {
			c.id = string(clip(q.CallID, maxCallID))
		}
		c.legs[0].from, c.legs[0].to = string(clip(q.LocalUser, maxNumber)), string(clip(q.RemoteUser, maxNumber))
		c.legs[0].fromHost, c.legs[0].toHost = t.shared.text(q.LocalHost), t.shared.text(q.RemoteHost)
		c.legs[0].parties[caller].userAgent = t.shared.text(q.UserAgent)
	}
	c.quality = true
	t.touched(c, w)
	leg, reporter := c.placeQuality(t, q)
	t.takeSide(c, leg, reporter, &q.Local, &q.Remote, q)
	if !q.Remote.silent() {
		t.takeSide(c, leg, reporter.other(), &q.Remote, &q.Local, q)
	}
	if q.Kind == QualitySession && c.in == listOrphans {
		t.finish(c, max(c.last, w.at), endNormal)
		c.due = w.arrived + instant(t.cfg.Park) // its signalling, or the other end's report, may still come
		c.shard.move(c, listSettling)
	}
}

// placeQuality finds which leg a report is of and which party sent it.
func (c *call) placeQuality(t *Tracker, q *Quality) (int, whom) {
	leg := max(c.legOf(q.CallID), 0)
	if q.Local.Addr.IsValid() {
		if m, ok := c.find(q.Local.Addr); ok {
			return m.leg, m.party
		}
	}
	if q.Remote.Addr.IsValid() {
		if m, ok := c.find(q.Remote.Addr); ok {
			return m.leg, m.party.other()
		}
	}
	for _, s := range c.streams {
		switch {
		case s.to == nobody:
		case q.Remote.SSRC != 0 && s.ssrc == q.Remote.SSRC, q.Local.SSRC != 0 && s.reporter == q.Local.SSRC:
			return int(s.leg), s.to
		case q.Local.SSRC != 0 && s.ssrc == q.Local.SSRC:
			return int(s.leg), s.to.other()
		}
	}
	l := &c.legs[leg]
	switch {
	case len(q.LocalUser) > 0 && string(q.LocalUser) == l.from:
		return leg, caller
	case len(q.LocalUser) > 0 && string(q.LocalUser) == l.to:
		return leg, callee
	case len(q.FromTag) > 0 && t.hash.text(keyTag, q.FromTag) == l.callerTag && l.parties[caller].signalling == q.Seen.Src.Addr().Unmap():
		return leg, caller
	case !c.signalled && len(c.streams) == 0:
		return leg, caller
	}
	return leg, nobody
}

// takeSide keeps what a party says of what it hears. A report of the whole call replaces those of its parts (rule 30).
func (t *Tracker) takeSide(c *call, leg int, hears whom, side, sender *Side, q *Quality) {
	clean, ok := side.plausible()
	if !ok {
		t.count.drop(ReasonXR)
	}
	var s *stream
	if sender.SSRC == 0 {
		s = c.only(leg, hears) // phones that do not know the SSRC report on what there is
	}
	if s == nil {
		s = t.streamFor(c, leg, hears, sender.SSRC, side.SSRC)
	}
	if s == nil {
		return
	}
	if q.Vendor {
		switch {
		case clean.Has.Has(HasSideMOSCQ):
			s.vendor = clean.MOSCQ
		case clean.Has.Has(HasSideMOSLQ):
			s.vendor = clean.MOSLQ
		}
		return
	}
	if s.side != nil && s.side.session && q.Kind != QualitySession {
		return
	}
	m := &measured{session: q.Kind == QualitySession, pd: string(clip(side.Codec, maxNumber)), Side: clean}
	m.Codec = nil // it belongs to the decoder
	s.side = m
	if clean.Has.Has(HasSidePayloadType) && clean.PayloadType < 128 {
		s.payloadType = int16(clean.PayloadType)
	}
	if clean.Has.Has(HasSidePtime) {
		s.ptimeMicros = clean.PtimeMicros
	}
}
