package voice

import "strings"

// Signal takes one SIP message.
func (t *Tracker) Signal(m *Signal) {
	t.count.signals.Add(1)
	if m.Method == MethodOther || m.Method == MethodRefer || len(m.CallID) == 0 || len(m.CallID) > maxCallID {
		t.count.drop(ReasonIgnored)
		return
	}
	w, observer := t.timing(&m.Seen)
	key := t.hash.text(keyCallID, m.CallID)
	var done []Call
	for range 3 {
		c := t.ids.get(key)
		if c == nil {
			if !opens(m) {
				t.count.drop(ReasonUnknownDialog)
				break
			}
			c, done = t.open(m, key, w, observer, done)
		}
		s := c.shard
		s.mu.Lock()
		if c.gone {
			s.mu.Unlock()
			continue
		}
		t.handle(c, m, w)
		s.mu.Unlock()
		break
	}
	t.deliver(done)
	if m.HasSDP {
		t.adopt(m, key)
	}
}

// opens reports whether a message can be the first that is seen of a call: an INVITE, or an answer to one whose INVITE was missed.
func opens(m *Signal) bool {
	return m.Method == MethodInvite && (m.Status == 0 || m.Status >= 180 && m.Status < 300)
}

// open makes the call, or the further leg of a call, that a message begins.
func (t *Tracker) open(m *Signal, key uint64, w when, observer observerID, done []Call) (*call, []Call) {
	if c := t.otherLeg(m, key, w); c != nil {
		return c, done
	}
	s := t.shardOf(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &call{
		id: string(m.CallID), first: w.at, last: w.at, alive: w.arrived, observer: observer, signalled: true,
		site: t.rules.Load().agentSite(m.Seen.Observer.Agent),
	}
	c.useSpace()
	c.legs = append(c.legs, leg{callID: c.id})
	c.shard = s
	if have := t.ids.claim(key, c); have != c {
		return have, done
	}
	done = t.makeRoom(s, done)
	s.insert(c, listTrying)
	t.nameCall(c, m)
	return c, done
}

// nameCall makes the names by which another leg could belong to the call lead to it.
func (t *Tracker) nameCall(c *call, m *Signal) {
	for _, k := range [...]uint64{t.hash.text(keyJoint, m.Joint), t.numbersKey(m), t.hash.text(keyCallID, m.CorrelationID)} {
		if k != 0 && !contains(c.keys, k) && len(c.keys) < 2*maxLegs+2 {
			c.keys = append(c.keys, k)
			t.ids.add(k, c)
		}
	}
}

func contains(list []uint64, k uint64) bool {
	for _, v := range list {
		if v == k {
			return true
		}
	}
	return false
}

// numbersKey is the key of who calls whom; 0 when either is missing.
func (t *Tracker) numbersKey(m *Signal) uint64 {
	from, to := bareNumber(m.FromUser), bareNumber(called(m))
	if len(from) == 0 || len(to) == 0 {
		return 0
	}
	return mix(t.hash.text(keyNumbers, from)^t.hash.text(keyNumbers, to)<<1, t.hash.salt)
}

func bareNumber(user []byte) []byte {
	for len(user) > 0 && user[0] == '+' {
		user = user[1:]
	}
	return user
}

// called is the number that was dialled.
func called(m *Signal) []byte {
	if len(m.RequestUser) > 0 {
		return m.RequestUser
	}
	return m.ToUser
}

// handle puts a message into its call, whose shard is locked.
func (t *Tracker) handle(c *call, m *Signal, w when) {
	i := c.legOf(m.CallID)
	if i < 0 {
		if c.signalled || len(c.legs) != 1 || c.legs[0].callID != "" {
			t.count.drop(ReasonUnknownDialog)
			return
		}
		i = 0
		t.becomeSignalled(c, m) // reports came first, with the Call-ID as their correlation id
	}
	l := &c.legs[i]
	if l.callerTag == 0 {
		t.begin(c, i, m, w)
	}
	t.touchedBySignal(c, w)
	t.nameCall(c, m)
	t.progress(c, l, m, w)
	if m.HasSDP {
		t.describe(c, i, m, w)
		c.unpark()
	}
	t.settleState(c, w)
}

// becomeSignalled turns a call of parked reports into one with signalling. Which of its parties called is only now known: its streams find their
// place again.
func (t *Tracker) becomeSignalled(c *call, m *Signal) {
	t.count.orphansJoined.Add(1)
	c.signalled, c.id = true, string(m.CallID)
	l := &c.legs[0]
	l.callID = c.id
	c.parked = &parked{to: map[*stream]whom{}}
	for p := range l.parties {
		for _, e := range l.parties[p].ends {
			t.forgetEndpoint(c, e)
		}
		c.parked.ends[p], l.parties[p].ends = l.parties[p].ends, nil
	}
	for _, s := range c.streams {
		c.parked.to[s], s.to = s.to, nobody
	}
	for _, n := range c.cnames {
		t.ids.remove(t.cnameKey(n.hash), c)
	}
	c.cnames = nil
	c.shard.move(c, listTrying)
}

func (t *Tracker) touchedBySignal(c *call, w when) { c.shard.touch(c, w.at, w.arrived) }

// begin fills in a leg from the first message that is seen of it.
func (t *Tracker) begin(c *call, i int, m *Signal, w when) {
	l := &c.legs[i]
	from, to := m.Seen.Src.Addr().Unmap(), m.Seen.Dst.Addr().Unmap()
	if m.Status != 0 {
		from, to = to, from
	}
	l.callerTag = t.hash.text(keyTag, m.FromTag)
	l.parties[caller].signalling, l.parties[callee].signalling = from, to
	l.from, l.to = string(clip(m.FromUser, maxNumber)), string(clip(called(m), maxNumber))
	if l.from == "" || strings.EqualFold(l.from, "anonymous") {
		if len(m.AssertedUser) > 0 {
			l.from = string(clip(m.AssertedUser, maxNumber))
		}
	}
	l.fromHost, l.toHost = t.shared.text(m.FromHost), t.shared.text(m.ToHost)
	if m.Status == 0 {
		l.parties[caller].userAgent = t.shared.text(m.UserAgent)
	}
	l.invited, l.cseq = w.at, m.CSeq
	l.joined = m.Status != 0 || len(m.ToTag) > 0
	if l.joined && m.Status == 0 {
		l.answered, l.state = w.at, legAnswered // a re-INVITE of a call that goes on: when it was answered is not known
	}
}

// progress moves the leg's state.
func (t *Tracker) progress(c *call, l *leg, m *Signal, w when) {
	fromCaller := t.fromCaller(l, m)
	if m.Status != 0 && l.calleeTag == 0 && m.Method == MethodInvite {
		l.calleeTag = t.hash.text(keyTag, m.ToTag)
	}
	if ua := &l.parties[writer(fromCaller)].userAgent; *ua == "" {
		*ua = t.shared.text(m.UserAgent)
	}
	switch {
	case m.Method == MethodInvite && m.Status == 0:
		t.invite(c, l, m, w)
	case m.Method == MethodInvite:
		t.answer(c, l, m, w)
	case m.Method == MethodBye && m.Status == 0:
		l.cause(m)
		if l.answered == 0 && l.status < 300 {
			l.status = 487 // hung up before the answer
		}
		l.over(w.at, legEnded)
	case m.Method == MethodCancel && m.Status == 0 && !l.state.over() && l.answered == 0:
		l.cause(m)
		l.status = 487
		if m.SIPCause == 200 {
			l.status = 200 // answered elsewhere
		}
		l.over(w.at, legFailed)
	}
}

// fromCaller reports whether the caller wrote the message: the requests with its tag in From, and the answers to those of the other.
func (t *Tracker) fromCaller(l *leg, m *Signal) bool {
	requester := t.hash.text(keyTag, m.FromTag) == l.callerTag
	return requester == (m.Status == 0)
}

func writer(fromCaller bool) whom {
	if fromCaller {
		return caller
	}
	return callee
}

func (l *leg) cause(m *Signal) {
	if m.Q850Cause != 0 {
		l.q850 = m.Q850Cause
	}
}

// invite takes an INVITE request: the first, one sent again with credentials, one seen a second time behind a proxy, or a re-INVITE.
func (t *Tracker) invite(c *call, l *leg, m *Signal, w when) {
	if len(m.ToTag) > 0 {
		return
	}
	l.offered = l.offered || m.HasSDP
	if l.state == legFailed && m.CSeq != l.cseq {
		l.state, l.ended, l.status, l.q850 = legTrying, 0, 0, 0
		l.invited, l.ringing = w.at, 0
		c.over, c.why = 0, endNone
		if c.in == listSettling {
			c.shard.move(c, listTrying)
		}
	}
	l.cseq = m.CSeq
	t.tryOver(l, m, w)
}

// answer takes a response to an INVITE.
func (t *Tracker) answer(c *call, l *leg, m *Signal, w when) {
	t.tryAnswered(c, l, m, w)
	switch {
	case m.Status > 100 && m.Status < 200:
		if l.ringing == 0 && l.answered == 0 {
			l.ringing = w.at
		}
		l.early = l.early || m.HasSDP && l.answered == 0
	case m.Status >= 200 && m.Status < 300:
		if l.answered == 0 && l.state != legEnded {
			l.answered, l.state, l.status, l.ended = w.at, legAnswered, m.Status, 0
			l.calleeTag = t.hash.text(keyTag, m.ToTag)
		}
	case m.Status >= 300 && l.answered == 0 && l.state == legTrying && m.Status != 401 && m.Status != 407:
		l.status = m.Status
		l.cause(m)
		l.over(w.at, legFailed)
	}
}

func (l *leg) over(at instant, state legState) {
	if l.state.over() {
		return
	}
	if l.answered == 0 {
		state = legFailed
	}
	l.state, l.ended = state, at
}

// settleState moves the call to the list that fits its legs.
func (t *Tracker) settleState(c *call, w when) {
	over, answered := true, false
	var end instant
	for i := range c.legs {
		over = over && c.legs[i].state.over()
		answered = answered || c.legs[i].talking()
		end = max(end, c.legs[i].ended)
	}
	switch {
	case over && c.why == endSilent:
		t.finish(c, end, endNormal) // it was only quiet
		t.soil(c)
	case over && c.over == 0:
		c.due = w.arrived + instant(t.cfg.Settle)
		why := endNormal
		if !answered {
			why = endFailed
		}
		t.finish(c, end, why)
		c.shard.move(c, listSettling)
	case !over && c.in == listSettling:
		c.over, c.why = 0, endNone
		c.shard.move(c, listTalking)
	case !over && answered && c.in == listTrying:
		kind := listQuiet
		if len(c.streams) > 0 && c.reported() {
			kind = listTalking
		}
		t.answeredNow(c)
		c.shard.move(c, kind)
	}
}

func (c *call) reported() bool {
	for _, s := range c.streams {
		if s.blocks > 0 || s.send.hasCounts {
			return true
		}
	}
	return false
}

// finish notes that a call is over.
func (t *Tracker) finish(c *call, at instant, why end) {
	c.over, c.why = max(at, c.first), why
}
