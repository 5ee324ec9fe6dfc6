package voice

import "net/netip"

// sameCallSpan is how soon the other leg of a B2BUA follows when only the numbers tell (rule 15); clockSlack is how much earlier it may seem to be,
// where two observers saw the two.
const (
	sameCallSpan = 2e9
	clockSlack   = 5e7
)

// otherLeg finds the call whose B2BUA sends this INVITE on: by what both legs name, or, when that is missing, by the same numbers, the addresses and
// the order in time (rule 15). It adds the leg to that call.
func (t *Tracker) otherLeg(m *Signal, key uint64, w when) *call {
	if m.Status != 0 || len(m.ToTag) > 0 {
		return nil
	}
	if c := t.ids.get(t.hash.text(keyJoint, m.Joint)); c != nil && t.addLeg(c, m, key, w, func() bool { return true }) {
		return c
	}
	var space [maxSharers]*call
	var found *call
	high := likeness0
	for _, c := range t.ids.all(t.numbersKey(m), space[:0]) { // the earlier ones first: of two calls that fit alike, the first is sent on first
		c.shard.mu.Lock()
		n := c.sentOn(m, w.at)
		c.shard.mu.Unlock()
		if n > high {
			found, high = c, n
		}
	}
	if found != nil && t.addLeg(found, m, key, w, func() bool { return found.sentOn(m, w.at) > likeness0 }) {
		return found
	}
	return nil
}

// How well an INVITE fits as the continuation of a leg.
const (
	likeness0     = iota // not at all
	likenessFork         // the leg was sent on already, but to somewhere else
	likenessOther        // from an address that nobody has named: a B2BUA with one address on each side
	likenessHost         // from where the leg's INVITE went
	likenessMedia        // with the same address for media
)

// sentOn says how well an INVITE between the same numbers fits as the continuation of one of the call's legs.
func (c *call) sentOn(m *Signal, at instant) int {
	best := likeness0
	for i := range c.legs {
		best = max(best, c.legSentOn(i, m, at))
	}
	return best
}

// legSentOn is sentOn for one leg. It came shortly before. Who sent its INVITE sends no second one for the same call, and an INVITE to an address
// that the call knows already is another call to the same place, unless it comes from where the leg's went. What was sent on already, and goes on, is not sent on again to the same
// place: of two calls at one time each gets its own continuation.
func (c *call) legSentOn(i int, m *Signal, at instant) int {
	l := &c.legs[i]
	if d := at - l.invited; d > sameCallSpan || d < -clockSlack {
		return likeness0
	}
	from, to := m.Seen.Src.Addr().Unmap(), m.Seen.Dst.Addr().Unmap()
	sender, target := l.parties[caller].signalling, l.parties[callee].signalling
	known := from.IsValid() && sender.IsValid()
	n := likenessOther
	switch {
	case known && from == sender:
		return likeness0
	case l.sameMedia(m):
		n = likenessMedia
	case known && from == target:
		n = likenessHost
	case known && c.signalsAt(to):
		return likeness0
	}
	for j := range c.legs {
		o := &c.legs[j]
		if j == i || o.state.over() || o.invited < l.invited || known && o.parties[caller].signalling != from {
			continue
		}
		if o.parties[callee].signalling == to {
			return likeness0
		}
		n = likenessFork
	}
	return n
}

// signalsAt reports whether any leg's signalling is at an address.
func (c *call) signalsAt(a netip.Addr) bool {
	for i := range c.legs {
		for p := range c.legs[i].parties {
			if c.legs[i].parties[p].signalling == a {
				return true
			}
		}
	}
	return false
}

// sameMedia reports whether a session description names an address at which the leg's caller takes media: a B2BUA that leaves media alone.
func (l *leg) sameMedia(m *Signal) bool {
	for i := range m.Media {
		d := &m.Media[i]
		for _, e := range l.parties[caller].ends {
			if d.Kind == MediaAudio && d.Port != 0 && usable(e.addr) && e.addr == d.Addr.Unmap() && e.port == d.Port && !e.nat {
				return true
			}
		}
	}
	return false
}

func (t *Tracker) addLeg(c *call, m *Signal, key uint64, w when, allowed func() bool) bool {
	c.shard.mu.Lock()
	defer c.shard.mu.Unlock()
	if c.gone || c.revision > 0 || c.over != 0 || !c.signalled || !allowed() {
		return false
	}
	if len(c.legs) >= maxLegs {
		t.count.drop(ReasonLegs)
		return false
	}
	if t.ids.claim(key, c) != c {
		return false // somebody else has just opened it
	}
	c.legs = append(c.legs, leg{callID: string(m.CallID)})
	t.nameCall(c, m)
	t.touchedBySignal(c, w)
	return true
}
