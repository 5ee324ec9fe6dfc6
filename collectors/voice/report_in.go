package voice

import (
	"net/netip"
	"time"
)

// Report takes what one RTCP reporter said.
func (t *Tracker) Report(r *Report) {
	t.count.reports.Add(1)
	w, observer := t.timing(&r.Seen)
	if r.Has.Has(HasReporter|HasSource) && r.Reporter == r.Source {
		same := *r // hepipe.js names one SSRC twice: it is not known who reported
		same.Has &^= HasReporter
		r = &same
	}
	var done []Call
	for range 3 { // a call that was found may be gone by the time its lock is held
		c := t.locate(r, w.at)
		if c == nil {
			if c, done = t.park(r, w, observer, done); c == nil {
				break
			}
		}
		s := c.shard
		s.mu.Lock()
		if c.gone {
			s.mu.Unlock()
			continue
		}
		t.take(c, r, w, observer)
		s.mu.Unlock()
		break
	}
	t.deliver(done)
}

// park makes a call of a report that fits none: its signalling may still come, and when it does not, it is a call inferred from its SSRCs.
func (t *Tracker) park(r *Report, w when, observer observerID, done []Call) (*call, []Call) {
	key := t.hash.text(keyCallID, r.CorrelationID)
	if key != 0 && t.recent.has(key) {
		t.count.drop(ReasonLate)
		return nil, done
	}
	if key == 0 {
		key = t.pairKey(r)
	}
	s := t.shardOf(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.inferred[observer] >= max(t.cfg.MaxInferred/len(t.shards), 1) {
		t.count.drop(ReasonObserverFull)
		return nil, done
	}
	c := &call{first: w.at, last: w.at, alive: w.arrived, observer: observer, site: t.rules.Load().agentSite(r.Seen.Observer.Agent)}
	c.useSpace()
	c.legs = append(c.legs, leg{})
	c.shard = s
	c.keys = append(c.keys, key)
	if have := t.ids.claim(key, c); have != c {
		return have, done
	}
	done = t.makeRoom(s, done)
	s.insert(c, listOrphans)
	// The reporter sends from where it receives; which of the two parties called is not known.
	t.addEndpoint(c, 0, caller, endpointAt(r.Seen.Src, 0))
	t.addEndpoint(c, 0, callee, endpointAt(r.Seen.Dst, 0))
	return c, done
}

// pairKey is the key of an SSRC pair between two addresses, the same in both directions. Two calls may have one SSRC in common (rule 7).
func (t *Tracker) pairKey(r *Report) uint64 {
	src, dst := unmap(r.Seen.Src), unmap(r.Seen.Dst)
	key := t.hash.address(src.Addr(), src.Port()) ^ t.hash.address(dst.Addr(), dst.Port())
	if r.Has.Has(HasSource) {
		key ^= t.hash.ssrc(r.Source)
	}
	if r.Has.Has(HasReporter) {
		key ^= t.hash.ssrc(r.Reporter)
	}
	return max(key, 1)
}

func endpointAt(a netip.AddrPort, rtcp uint16) endpoint {
	return endpoint{addr: a.Addr().Unmap(), port: a.Port(), rtcp: rtcp}
}

// addEndpoint notes an address of a party and makes it lead to the call.
func (t *Tracker) addEndpoint(c *call, leg int, party whom, e endpoint) {
	if !usable(e.addr) || e.port == 0 {
		return
	}
	p := &c.legs[leg].parties[party]
	for i := range p.ends {
		have := &p.ends[i]
		if have.addr == e.addr && have.port == e.port {
			have.nat = have.nat && e.nat
			t.moveRTCP(c, have, e.rtcp)
			return
		}
	}
	if len(p.ends) >= maxEndpoints { // a party that moved again and again is where it moved to last
		t.forgetEndpoint(c, p.ends[0])
		p.ends = append(p.ends[:0], p.ends[1:]...)
	}
	p.ends = append(p.ends, e)
	t.addrs.add(t.hash.address(e.addr, e.port), c)
	if e.rtcp != 0 {
		t.addrs.add(t.hash.address(e.addr, e.rtcp), c)
	}
}

// moveRTCP notes that an endpoint takes RTCP at another port than it said before.
func (t *Tracker) moveRTCP(c *call, e *endpoint, rtcp uint16) {
	if rtcp == 0 || rtcp == e.rtcp {
		return
	}
	if e.rtcp != 0 {
		t.addrs.remove(t.hash.address(e.addr, e.rtcp), c)
	}
	e.rtcp = rtcp
	t.addrs.add(t.hash.address(e.addr, rtcp), c)
}

// take puts a report into its call, whose shard is locked.
func (t *Tracker) take(c *call, r *Report, w when, observer observerID) {
	t.touched(c, w)
	if c.otherMedia(r) {
		t.count.drop(ReasonNotSpeech)
		return
	}
	leg, reporter := c.place(r)
	if reporter == nobody && !c.signalled && len(c.streams) == 0 {
		reporter = caller // of an inferred call without addresses, the first to report stands as the caller
	}
	t.learn(c, r, leg, reporter)
	if r.Has.Has(Encrypted) {
		t.count.drop(ReasonEncrypted)
		if s := t.streamFor(c, leg, reporter.other(), r.Reporter, 0); s != nil {
			s.encrypted = true // its header shows that the leg is alive; its numbers are nobody's
		}
		return
	}
	if r.Has.Has(HasReporter) && r.Reporter != 0 {
		t.takeSender(c, r, leg, reporter, w, observer)
	}
	if r.Has.Has(HasSource) {
		t.takeReceiver(c, r, leg, reporter, w, observer)
	}
}

// touched notes a sign of life and moves the call to the list whose silence it keeps to.
func (t *Tracker) touched(c *call, w when) {
	if t.ownLoss.Load() {
		c.ownLoss = true
	}
	c.shard.touch(c, w.at, w.arrived)
	switch {
	case c.in == listQuiet:
		c.shard.move(c, listTalking)
	default:
		t.soil(c)
	}
}

// soil notes that a call which was handed out has changed.
func (t *Tracker) soil(c *call) {
	if c.revision > 0 && !c.dirty {
		c.dirty = true
		c.shard.dirty = append(c.shard.dirty, c)
	}
}

// takeSender takes what the reporter says of its own stream.
func (t *Tracker) takeSender(c *call, r *Report, leg int, reporter whom, w when, observer observerID) {
	if !r.Has.Any(HasSenderTime | HasSenderCounts | HasReceiverTime | HasBye) {
		return
	}
	first := true
	for _, s := range c.streams {
		if int(s.leg) == leg && s.ssrc == r.Reporter {
			s.heard(r, w.raw, observer)
			first = false
		}
	}
	if first {
		if s := t.streamFor(c, leg, reporter.other(), r.Reporter, 0); s != nil {
			s.heard(r, w.raw, observer)
		}
	}
	if !r.Has.Any(HasBlock) && r.Has.Has(HasSenderCounts) {
		c.unheard(leg, reporter, r.Reporter, w)
	}
}

// heard takes what the sender of the stream says.
func (s *stream) heard(r *Report, raw instant, observer observerID) {
	s.send.sent(r, raw, observer)
	if r.Has.Has(HasReceiverTime) {
		s.send.seen.note(uint32(r.ReceiverNTP>>16), shortTime(raw), observer)
	}
}

// takeReceiver takes what the reporter says of what it receives.
func (t *Tracker) takeReceiver(c *call, r *Report, leg int, reporter whom, w when, observer observerID) {
	if r.Source == 0 {
		if r.Has.Any(HasBlock) {
			t.count.drop(ReasonNoSource)
		}
		if s := c.only(leg, reporter); s != nil && r.Has.Any(HasVoIP|HasSummary) {
			t.takeXR(s, r)
		}
		return
	}
	if !r.Has.Any(HasBlock | HasVoIP | HasSummary | HasDLRR | hasOwnFigures) {
		return
	}
	receiver := r.Reporter
	if !r.Has.Has(HasReporter) {
		receiver = 0
	}
	s := t.streamFor(c, leg, reporter, r.Source, receiver)
	if s == nil {
		return
	}
	s.said(r)
	if r.Has.Any(HasBlock) {
		t.takeBlock(c, s, r, w, observer)
	}
	t.takeXR(s, r)
	t.takeReverse(s, r, w, observer)
}

// hasOwnFigures are the figures that an observer worked out itself.
const hasOwnFigures = HasRTT | HasVendorMOS

// said takes what the observer knows about the stream itself.
func (s *stream) said(r *Report) {
	if r.Has.Has(HasClock) {
		s.clockHz = r.ClockHz
	}
	if r.Has.Has(HasPayloadType) && r.PayloadType < 128 {
		s.payloadType = int16(r.PayloadType)
	}
	if r.Has.Has(HasPtime) && r.PtimeMicros >= 2500 && r.PtimeMicros <= 200000 {
		s.ptimeMicros = r.PtimeMicros
	}
	if r.Has.Has(HasVendorMOS) && r.VendorMOS >= 1 && r.VendorMOS <= 5 {
		s.vendor = r.VendorMOS
	}
}

// only is the one open stream that a party hears, or nil when there are none or several.
func (c *call) only(leg int, to whom) *stream {
	var found *stream
	for _, s := range c.streams {
		if int(s.leg) == leg && !s.closed && (to == nobody || s.to == to) {
			if found != nil {
				return nil
			}
			found = s
		}
	}
	return found
}

// reportEvery is how far apart two reports are when nothing else is known (RFC 3550 §6.2).
const reportEvery = 5 * time.Second
