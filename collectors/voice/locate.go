package voice

import (
	"net/netip"
	"time"
)

// The kinds of names in the index of ids, so that a Call-ID and a joint never meet.
const (
	keyCallID byte = iota + 1
	keyJoint
	keyCNAME
	keyTag
	keyNumbers
)

func (t *Tracker) cnameKey(hash uint64) uint64 {
	if hash == 0 {
		return 0
	}
	return mix(hash^uint64(keyCNAME), t.hash.salt)
}

// when is the time of a fact.
type when struct {
	at      instant // by our clock
	raw     instant // by the observer's clock: only for differences within one observer
	arrived instant
}

func (t *Tracker) timing(seen *Seen) (when, observerID) {
	id := t.observers.of(seen.Observer)
	at, arrived := t.observers.corrected(id, seen)
	raw := nanos(seen.At)
	if raw == 0 {
		raw = arrived
	}
	return when{at: at, raw: raw, arrived: arrived}, id
}

// locate finds the call of a report by, in this order: correlation id, transport addresses, SSRC, CNAME (rule 17). Nil: none is known yet.
func (t *Tracker) locate(r *Report, at instant) *call {
	if c := t.ids.get(t.hash.text(keyCallID, r.CorrelationID)); c != nil {
		return c
	}
	var space [4 * maxSharers]*call
	list := space[:0]
	for _, a := range [2]netip.AddrPort{r.Seen.Src, r.Seen.Dst} {
		list = t.addrs.all(t.hash.address(a.Addr(), a.Port()), list)
		list = t.addrs.all(t.hash.address(a.Addr(), a.Port()-1), list)
	}
	if c := best(list, func(c *call) int { return c.fits(r, at) }); c != nil {
		return c
	}
	list = space[:0]
	if r.Has.Has(HasSource) {
		list = t.ssrcs.all(t.hash.ssrc(r.Source), list)
	}
	if r.Has.Has(HasReporter) {
		list = t.ssrcs.all(t.hash.ssrc(r.Reporter), list)
	}
	if c := best(list, func(c *call) int { return c.shares(r, at) }); c != nil {
		return c
	}
	if r.Has.Has(HasCNAME) {
		list = t.ids.all(t.cnameKey(r.CNAME), space[:0])
		return best(list, func(c *call) int { return c.agrees(r, at) })
	}
	return nil
}

// sure is the score from which on a call is taken although another fits as well.
const sure = 14

// best is the call with the highest score above 0. Of equal ones it is the one that began last (rule 19) when they fit well, and none when they do
// not: many calls may share one address of a media server, or one SSRC.
func best(list []*call, score func(*call) int) *call {
	var found *call
	var high int
	var began instant
	tie := false
	for _, c := range list {
		c.shard.mu.Lock()
		n, first := 0, c.first
		if !c.gone {
			n = score(c)
		}
		c.shard.mu.Unlock()
		if n == 0 || n < high {
			continue
		}
		tie = n == high
		if n > high || first > began {
			found, high, began = c, n, first
		}
	}
	if tie && high < sure {
		return nil
	}
	return found
}

// expects scores a call by time: 2 while it lasts, 1 in the minute after it, 0 before it began. An address or an SSRC belongs to a call only for
// as long as that takes; ports are used again within seconds (rule 19).
func (c *call) expects(at instant) int {
	switch {
	case at < c.first-5*instant(time.Second):
		return 0
	case c.over == 0 || at <= c.over+instant(time.Second):
		return 2
	}
	return 1
}

// fits scores how a report's addresses fit: both ends of the same leg, one end, and whether its SSRCs are known already (rule 18).
func (c *call) fits(r *Report, at instant) int {
	n := c.expects(at)
	if n == 0 {
		return 0
	}
	src, hasSrc := c.find(unmap(r.Seen.Src))
	dst, hasDst := c.find(unmap(r.Seen.Dst))
	switch {
	case hasSrc && hasDst && src.leg == dst.leg && src.party != dst.party:
		n += 20
	case hasSrc && !src.nat || hasDst && !dst.nat:
		n += 8
	case hasSrc || hasDst:
		n += 4
	default:
		return 0
	}
	if c.hasStream(r.Source, r.Reporter) {
		n += 12
	}
	return n
}

// shares scores how a report's SSRCs fit. One SSRC in common is enough unless both sides' addresses are known and are different.
func (c *call) shares(r *Report, at instant) int {
	n := c.expects(at)
	if n == 0 {
		return 0
	}
	if c.hasStream(r.Source, r.Reporter) {
		n += 4
	}
	if usable(r.Seen.Src.Addr()) && usable(r.Seen.Dst.Addr()) && c.addresses() {
		if !c.knows(r.Seen.Src.Addr().Unmap()) && !c.knows(r.Seen.Dst.Addr().Unmap()) {
			return 0
		}
		n += 2
	}
	return n
}

// agrees scores how a report fits whose name alone is known: the call goes on and none of its addresses speaks against it.
func (c *call) agrees(r *Report, at instant) int {
	if c.expects(at) < 2 || c.addresses() && usable(r.Seen.Src.Addr()) &&
		!c.knows(r.Seen.Src.Addr().Unmap()) && !c.knows(r.Seen.Dst.Addr().Unmap()) {
		return 0
	}
	return 1
}

// hasStream reports whether both SSRCs are the call's, in either role.
func (c *call) hasStream(source, reporter uint32) bool {
	if source == 0 || reporter == 0 {
		return false
	}
	var a, b bool
	for _, s := range c.streams {
		a = a || s.ssrc == source || s.reporter == source
		b = b || s.ssrc == reporter || s.reporter == reporter
	}
	return a && b
}

// place finds which leg a report is of, and which of its parties the reporter is.
func (c *call) place(r *Report) (leg int, reporter whom) {
	src, hasSrc := c.find(unmap(r.Seen.Src))
	dst, hasDst := c.find(unmap(r.Seen.Dst))
	switch {
	case hasSrc && hasDst && src.leg == dst.leg && src.party != dst.party:
		return src.leg, src.party
	case hasSrc && (!src.nat || !hasDst):
		return src.leg, src.party
	case hasDst:
		return dst.leg, dst.party.other()
	}
	leg = max(c.legOf(r.CorrelationID), 0)
	for _, s := range c.streams {
		switch {
		case s.to == nobody:
		case r.Has.Has(HasReporter) && r.Reporter != 0 && s.reporter == r.Reporter, r.Has.Has(HasSource) && r.Source != 0 && s.ssrc == r.Source:
			return int(s.leg), s.to
		case r.Has.Has(HasReporter) && r.Reporter != 0 && s.ssrc == r.Reporter, r.Has.Has(HasSource) && r.Source != 0 && s.reporter == r.Source:
			return int(s.leg), s.to.other()
		}
	}
	if w := c.legs[leg].byAddress(r.Seen.Src.Addr().Unmap()); w != nobody {
		return leg, w
	}
	if w := c.legs[leg].byAddress(r.Seen.Dst.Addr().Unmap()); w != nobody {
		return leg, w.other()
	}
	for _, n := range c.cnames {
		if r.Has.Has(HasCNAME) && n.hash == r.CNAME {
			return int(n.leg), n.party
		}
	}
	return leg, nobody
}

// byAddress tells which party an address without a known port is: one that only one of them has, for media or signalling.
func (l *leg) byAddress(a netip.Addr) whom {
	if !usable(a) {
		return nobody
	}
	var has [2]bool
	for p := range l.parties {
		has[p] = l.parties[p].signalling == a
		for _, e := range l.parties[p].ends {
			has[p] = has[p] || e.addr == a
		}
	}
	switch {
	case has[caller] && !has[callee]:
		return caller
	case has[callee] && !has[caller]:
		return callee
	}
	return nobody
}

// learn notes by which names and SSRCs the call's further reports can be known.
func (t *Tracker) learn(c *call, r *Report, leg int, reporter whom) {
	if !r.Has.Has(HasCNAME) || reporter == nobody || len(c.cnames) >= 4 {
		return
	}
	for _, n := range c.cnames {
		if n.hash == r.CNAME {
			return
		}
	}
	c.cnames = append(c.cnames, cname{hash: r.CNAME, party: reporter, leg: uint8(leg)})
	t.ids.add(t.cnameKey(r.CNAME), c)
}

// streamFor finds or makes the stream of an SSRC as one receiver reports it; nil when the call has too many. A receiver may be 0: not known.
func (t *Tracker) streamFor(c *call, leg int, to whom, ssrc, receiver uint32) *stream {
	var open *stream
	for _, s := range c.streams {
		if int(s.leg) != leg || s.ssrc != ssrc || to != nobody && s.to != nobody && s.to != to {
			continue
		}
		if s.reporter == receiver || s.reporter == 0 || receiver == 0 {
			if s.to == nobody {
				s.to = to
			}
			t.named(c, s, receiver)
			return s
		}
		open = s
	}
	if len(c.streams) >= maxStreams {
		t.count.drop(ReasonLegs)
		return nil
	}
	s := newStream(leg, to, ssrc, receiver)
	s.codec = c.legs[leg].codec
	if open != nil {
		s.send = open.send // another receiver of the same sender
	}
	c.replace(s)
	c.streams = append(c.streams, s)
	c.shard.streams++
	t.ssrcs.add(t.hash.ssrc(ssrc), c)
	t.ssrcs.add(t.hash.ssrc(receiver), c)
	return s
}

func (t *Tracker) named(c *call, s *stream, receiver uint32) {
	if s.reporter == 0 && receiver != 0 {
		s.reporter = receiver
		t.ssrcs.add(t.hash.ssrc(receiver), c)
	}
}

// replace closes the streams of the same directed leg whose place a new SSRC takes (rule 7).
func (c *call) replace(by *stream) {
	if by.to == nobody || by.ssrc == 0 {
		return
	}
	for _, s := range c.streams {
		if s.leg == by.leg && s.to == by.to && s.ssrc != by.ssrc {
			s.closed = true
		}
	}
}
