package voice

import "net/netip"

// adopt looks for parked reports that a session description now explains, by address or SSRC, and gives their streams to the call (rule 17).
func (t *Tracker) adopt(m *Signal, key uint64) {
	var space [4 * maxSharers]*call
	list := space[:0]
	for i := range m.Media {
		d := &m.Media[i]
		if d.Kind != MediaAudio || d.Port == 0 {
			continue
		}
		for _, a := range [2]netip.Addr{d.Addr.Unmap(), m.Seen.Src.Addr().Unmap()} {
			list = t.addrs.all(t.hash.address(a, d.Port), list)
			list = t.addrs.all(t.hash.address(a, d.Port+1), list)
		}
		list = t.addrs.all(t.hash.address(d.RTCP.Addr().Unmap(), d.RTCP.Port()), list)
		for _, ssrc := range d.SSRCs {
			list = t.ssrcs.all(t.hash.ssrc(ssrc), list)
		}
	}
	for _, o := range list {
		if c := t.ids.get(key); c != nil && c != o {
			t.merge(c, o)
		}
	}
}

// merge moves the streams of an inferred call into one with signalling, when the two were at the same time.
func (t *Tracker) merge(c, o *call) {
	unlock := t.lockBoth(c.shard, o.shard)
	defer unlock()
	if c.gone || o.gone || o.signalled || !c.signalled || o.revision > 0 || c.over != 0 || c.expects(o.last) == 0 {
		return
	}
	t.count.orphansJoined.Add(1)
	moved := o.streams
	legs := t.relate(c, o)
	for _, s := range moved {
		t.ssrcs.remove(t.hash.ssrc(s.ssrc), o)
		t.ssrcs.remove(t.hash.ssrc(s.reporter), o)
	}
	o.shard.streams -= len(moved)
	o.streams = nil
	t.forget(o)
	for _, s := range moved {
		if len(c.streams) >= maxStreams {
			t.count.drop(ReasonLegs)
			break
		}
		s.leg, s.to = legs.of(s.to)
		c.streams = append(c.streams, s)
		c.shard.streams++
		t.ssrcs.add(t.hash.ssrc(s.ssrc), c)
		t.ssrcs.add(t.hash.ssrc(s.reporter), c)
	}
	c.alive, c.last = max(c.alive, o.alive), max(c.last, o.last)
	if c.in == listQuiet {
		c.shard.move(c, listTalking)
	}
}

// lockBoth takes the locks of two shards in the order of the shards, so that no two goroutines wait for each other.
func (t *Tracker) lockBoth(a, b *shard) (unlock func()) {
	if a == b {
		a.mu.Lock()
		return a.mu.Unlock
	}
	for _, s := range t.shards {
		if s == a || s == b {
			s.mu.Lock()
		}
	}
	return func() {
		a.mu.Unlock()
		b.mu.Unlock()
	}
}

// relation says which leg and party of a call the first party of an inferred one is.
type relation struct {
	leg   uint8
	party whom
}

func (r relation) of(w whom) (uint8, whom) {
	switch {
	case w == nobody || r.party == nobody:
		return r.leg, nobody
	case w == caller:
		return r.leg, r.party
	}
	return r.leg, r.party.other()
}

// relate finds out by the addresses from which reports came, or else by an SSRC that the SDP announced.
func (t *Tracker) relate(c, o *call) relation {
	p := &o.legs[0].parties
	if r := c.relation([2][]endpoint{p[caller].ends, p[callee].ends}); r.party != nobody {
		return r
	}
	for _, s := range o.streams {
		for _, known := range c.streams {
			if known.ssrc == s.ssrc && known.to != nobody && s.to != nobody {
				if s.to == caller {
					return relation{leg: known.leg, party: known.to}
				}
				return relation{leg: known.leg, party: known.to.other()}
			}
		}
	}
	return relation{party: nobody}
}

// relation tells by their addresses which party of the call the first of two sides is.
func (c *call) relation(sides [2][]endpoint) relation {
	for p, ends := range sides {
		for _, e := range ends {
			m, ok := c.find(netip.AddrPortFrom(e.addr, e.port))
			if !ok {
				continue
			}
			if whom(p) == callee {
				m.party = m.party.other()
			}
			return relation{leg: uint8(m.leg), party: m.party}
		}
	}
	return relation{party: nobody}
}

// unpark gives the streams that were there before their signalling a direction, as soon as a session description tells the two sides apart.
func (c *call) unpark() {
	if c.parked == nil {
		return
	}
	r := c.relation(c.parked.ends)
	if r.party == nobody {
		return
	}
	for s, to := range c.parked.to {
		if s.to == nobody {
			s.leg, s.to = r.of(to)
		}
	}
	c.parked = nil
}
