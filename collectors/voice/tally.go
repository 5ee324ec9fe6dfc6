package voice

import (
	"slices"
	"time"

	"vigia/collectors/inventory"
)

// Instance is the check name of the tracker's samples.
const Instance = "voice"

const (
	maxCountries = 24 // of a trunk, in a minute: those with the most attempts
	fewAttempts  = 5  // a country with fewer in a minute has no series of its own
	maxFailures  = 12 // codes of one object, in a minute
)

// tallyKey is what figures are counted for.
type tallyKey struct {
	ref     inventory.Ref
	country string // of a trunk: one country; empty for the whole
}

// tally counts a minute.
type tally struct {
	attempts, answered, effective uint32
	ended                         uint32
	talked                        time.Duration
	ringing                       uint32
	delay                         time.Duration
	failures                      map[failure]uint32
}

type failure struct {
	status uint16
	q850   uint8
}

func (a *tally) add(b *tally) {
	a.attempts += b.attempts
	a.answered += b.answered
	a.effective += b.effective
	a.ended += b.ended
	a.talked += b.talked
	a.ringing += b.ringing
	a.delay += b.delay
	for f, n := range b.failures {
		if a.failures == nil {
			a.failures = map[failure]uint32{}
		}
		a.failures[f] += n
	}
}

// tryOver notes the trunks between which an INVITE travels: each is an attempt.
func (t *Tracker) tryOver(l *leg, m *Signal, w when) {
	rules := t.rules.Load()
	for _, a := range [...]string{rules.trunkAt(m.Seen.Src.Addr()), rules.trunkAt(m.Seen.Dst.Addr())} {
		if a == "" {
			continue
		}
		i := slices.IndexFunc(l.tries, func(k try) bool { return k.trunk == a })
		switch {
		case i < 0 && len(l.tries) < 8:
			l.tries = append(l.tries, try{trunk: a, invited: w.at})
		case i >= 0 && l.tries[i].settled && l.answered == 0:
			l.tries[i] = try{trunk: a, invited: w.at} // once more over the same trunk
		}
	}
}

// tryAnswered notes what came back over a trunk.
func (t *Tracker) tryAnswered(c *call, l *leg, m *Signal, w when) {
	if l.joined || m.Status <= 100 || len(l.tries) == 0 {
		return
	}
	rules := t.rules.Load()
	for _, name := range [...]string{rules.trunkAt(m.Seen.Src.Addr()), rules.trunkAt(m.Seen.Dst.Addr())} {
		for i := range l.tries {
			k := &l.tries[i]
			if k.trunk != name || k.settled {
				continue
			}
			if k.ringing == 0 && m.Status < 300 {
				k.ringing = w.at
			}
			if m.Status >= 200 && m.Status != 401 && m.Status != 407 {
				k.settled = true
				t.outcome(c, trunkRef(k.trunk), l, outcome{invited: k.invited, ringing: k.ringing, status: m.Status, q850: m.Q850Cause})
			}
		}
	}
}

func trunkRef(name string) inventory.Ref {
	return inventory.Ref{Kind: inventory.KindTrunk, Name: name}
}

// outcome is how an attempt ended.
type outcome struct {
	invited, ringing instant
	status           uint16
	q850             uint8
}

// effective reports whether the network did its part: the call was answered, or the called person or telephone did not take it (ITU-T E.425; the SIP
// codes after RFC 6076 §4.7).
func (o outcome) effective(rang bool) bool {
	switch o.q850 {
	case 17, 18, 19, 21: // user busy, no user responding, no answer, call rejected
		return true
	}
	switch o.status {
	case 480, 486, 600, 603, 607, 608:
		return true
	case 408, 487:
		return rang || o.status == 487
	}
	return o.status >= 200 && o.status < 300
}

// outcome counts an attempt for an object, and for the country of a trunk's call.
func (t *Tracker) outcome(c *call, ref inventory.Ref, l *leg, o outcome) {
	t.each(c, ref, l, func(a *tally) {
		a.attempts++
		if o.effective(o.ringing != 0) {
			a.effective++
		}
		if o.ringing > o.invited {
			a.ringing++
			a.delay += time.Duration(o.ringing - o.invited)
		}
		if o.status >= 200 && o.status < 300 {
			a.answered++
			return
		}
		if a.failures == nil {
			a.failures = map[failure]uint32{}
		}
		a.failures[failure{o.status, o.q850}]++
	})
}

func (t *Tracker) each(c *call, ref inventory.Ref, l *leg, f func(*tally)) {
	keys := []tallyKey{{ref: ref}}
	if ref.Kind == inventory.KindTrunk {
		if country := t.rules.Load().countryOf(l.to); country != "" {
			keys = append(keys, tallyKey{ref: ref, country: country})
		}
	}
	for _, k := range keys {
		a := c.shard.tally[k]
		if a == nil {
			a = &tally{}
			c.shard.tally[k] = a
		}
		f(a)
	}
}

// answeredNow counts an answer for the destination, once.
func (t *Tracker) answeredNow(c *call) { t.settleDestination(c) }

// settleDestination counts the outcome of the first leg for its destination.
func (t *Tracker) settleDestination(c *call) {
	l := &c.legs[0]
	if c.settled || l.joined || !c.signalled {
		return
	}
	c.settled = true
	if name := t.rules.Load().destination(l.to); name != "" {
		ref := inventory.Ref{Kind: inventory.KindDestination, Name: name}
		t.outcome(c, ref, l, outcome{invited: l.invited, ringing: firstOf(l.ringing, l.answered), status: finalOf(l), q850: l.q850})
	}
}

// finalOf is the final status of a leg; 408 when nobody gave one.
func finalOf(l *leg) uint16 {
	switch {
	case l.answered != 0:
		return 200
	case l.status >= 200:
		return l.status
	}
	return 408
}

// tallyEnd counts what is only known when a call is over: how long it lasted, and attempts whose answer was not seen.
func (t *Tracker) tallyEnd(c *call) {
	if !c.signalled {
		return
	}
	t.settleDestination(c)
	for i := range c.legs {
		l := &c.legs[i]
		if l.joined {
			continue
		}
		for j := range l.tries {
			if k := &l.tries[j]; !k.settled {
				k.settled = true
				t.outcome(c, trunkRef(k.trunk), l, outcome{invited: k.invited, ringing: k.ringing, status: finalOf(l), q850: l.q850})
			}
		}
		if l.answered == 0 || c.why == endShutdown {
			continue
		}
		talked := time.Duration(max(firstOf(l.ended, c.over)-l.answered, 0))
		for j := range l.tries {
			if j == len(l.tries)-1 || j == 0 { // who was tried in between and refused has no talking time
				t.talkedOver(c, trunkRef(l.tries[j].trunk), l, talked)
			}
		}
		if name := t.rules.Load().destination(l.to); name != "" && i == 0 {
			t.talkedOver(c, inventory.Ref{Kind: inventory.KindDestination, Name: name}, l, talked)
		}
	}
}

func (t *Tracker) talkedOver(c *call, ref inventory.Ref, l *leg, talked time.Duration) {
	t.each(c, ref, l, func(a *tally) {
		a.ended++
		a.talked += talked
	})
}
