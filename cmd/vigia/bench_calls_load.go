package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net"
	"net/netip"
	"strconv"
	"sync/atomic"
	"time"

	"vigia/collectors/collectorstest/callsim"
	"vigia/collectors/hep"
	"vigia/collectors/voice"
)

// callLoad is a number of calls that are in progress at any time, as an agent tells of them over HEP. It has the mix of ages that such a number has
// when calls come and go: lasting at least shortCall, and the rest of their mean without memory. Who calls, from where and with which SSRC is random.
type callLoad struct {
	every, mean time.Duration
	random      *rand.Rand
	slots       []callSlot
	truth       [lossSteps]float64
	scratch     callsim.Call
	serial      uint32
	swapShare   float64 // of the calls change the SSRC of the callee half-way

	send          func(data []byte, at time.Time) error
	payload, data []byte
	count         loadCount
	verdict       callVerdict
}

const (
	shortCall = 30 * time.Second
	lossSteps = 8 // the caller loses 0 to 7 per cent
)

// callSlot is one call that goes on. What else is to be told of it follows from its salt.
type callSlot struct {
	id, caller, callee string
	salt               uint64
	answered, end      int64 // Unix, ns
	swap               int64 // when the SSRC of the callee becomes another; 0: never
}

// loadCount is what was sent.
type loadCount struct{ reports, sip, begun, ended uint64 }

// callVerdict compares the calls that come out with the truth.
type callVerdict struct {
	scored, unscored, wrong atomic.Uint64
	worst                   atomic.Uint64 // bits of a float64
}

func newCallLoad(calls int, every, mean time.Duration, seed uint64) (*callLoad, error) {
	l := &callLoad{every: every, mean: mean, random: rand.New(rand.NewPCG(seed, 7)), slots: make([]callSlot, calls)}
	l.scratch = callsim.Call{
		Codec: callsim.PCMA(), Every: every,
		Caller: callsim.Party{Host: "pbx.example", Agent: "PBX Uno/4.2", Hears: callsim.Hearing{JitterMS: 3, TripMS: 20}},
		Callee: callsim.Party{Host: "carrier.example", Agent: "SBC/9", Hears: callsim.Hearing{JitterMS: 3, TripMS: 40}},
	}
	for loss := range l.truth {
		l.scratch.Caller.Hears.LossPct = float64(loss)
		var err error
		if _, l.truth[loss], err = l.scratch.Truth(callsim.Caller, nil); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// begin makes a new call in a slot.
func (l *callLoad) begin(s *callSlot, answered time.Time, lasts time.Duration) {
	salt := l.random.Uint64()
	*s = callSlot{
		id:     fmt.Sprintf("%016x-%08x@sbc.example", salt, l.serial),
		caller: "+506" + strconv.FormatUint(20_000_000+salt%70_000_000, 10), callee: "+502" + strconv.FormatUint(20_000_000+salt>>20%70_000_000, 10),
		salt: salt, answered: answered.UnixNano(), end: answered.Add(lasts).UnixNano(),
	}
	if l.random.Float64() < l.swapShare {
		s.swap = answered.Add(lasts / 2).UnixNano()
	}
	l.serial++
	l.count.begun++
}

// lasts is how long a new call will last.
func (l *callLoad) lasts() time.Duration {
	return shortCall + time.Duration(l.random.ExpFloat64()*float64(max(l.mean-shortCall, 0)))
}

// lastsNow is how long a call lasts that is met in progress: such calls are the longer ones.
func (l *callLoad) lastsNow() time.Duration {
	for longest := 8 * l.mean; ; {
		if d := l.lasts(); d < longest && l.random.Float64() < float64(d)/float64(longest) {
			return d
		}
	}
}

// lossOf is the truth of a call, in per cent.
func lossOf(salt uint64) int { return int(salt >> 8 % lossSteps) }

// call makes the call of a slot, valid until the next.
func (l *callLoad) call(s *callSlot, at time.Time) *callsim.Call {
	c := &l.scratch
	c.ID, c.Caller.Number, c.Callee.Number = s.id, s.caller, s.callee
	c.Answered = time.Unix(0, s.answered)
	c.Invited = c.Answered.Add(-2 * time.Second)
	more := mixed(s.salt)
	media := func(bits uint64, net byte) netip.AddrPort { // 198.18.0.0/15 is for measurements (RFC 2544)
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, net, byte(bits), byte(bits >> 8)}), uint16(16384+bits>>16&0x3ffe))
	}
	c.Caller.Media, c.Callee.Media = media(more, 18), media(more>>32, 19)
	c.Caller.Signalling = netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 51, 100, byte(1 + s.salt>>40%200)}), 5060)
	c.Callee.Signalling = netip.AddrPortFrom(netip.AddrFrom4([4]byte{203, 0, 113, byte(1 + s.salt>>48%20)}), 5060)
	ssrc := mixed(more)
	c.Caller.SSRC, c.Callee.SSRC, c.Callee.Since = uint32(ssrc)|1, uint32(ssrc>>32)|1, time.Time{}
	if s.swap != 0 && at.UnixNano() >= s.swap {
		c.Callee.SSRC, c.Callee.Since = uint32(mixed(ssrc))|1, time.Unix(0, s.swap)
	}
	c.Caller.Hears.LossPct = float64(lossOf(s.salt))
	return c
}

// mixed spreads the bits of a number (the finisher of splitmix64).
func mixed(v uint64) uint64 {
	v += 0x9e3779b97f4a7c15
	v = (v ^ v>>30) * 0xbf58476d1ce4e5b9
	v = (v ^ v>>27) * 0x94d049bb133111eb
	return v ^ v>>31
}

// report tells of a party's report.
func (l *callLoad) report(s *callSlot, w callsim.Who, at time.Time) error {
	c := l.call(s, at)
	l.payload = c.AppendJSON(l.payload[:0], w, at)
	a, b := c.Party(w).Media, c.Party(w.Other()).Media
	l.count.reports++
	return l.tell(c, &callsim.Seen{
		Type: callsim.TypeJSON, At: at, Src: netip.AddrPortFrom(a.Addr(), a.Port()+1), Dst: netip.AddrPortFrom(b.Addr(), b.Port()+1),
	})
}

// signal tells of SIP messages that travel at one instant.
func (l *callLoad) signal(s *callSlot, at time.Time, messages ...callsim.Message) error {
	for _, m := range messages {
		c := l.call(s, at)
		l.payload = c.AppendSIP(l.payload[:0], m)
		seen := callsim.Seen{Type: callsim.TypeSIP, At: at}
		seen.Src, seen.Dst = c.Way(m)
		l.count.sip++
		if err := l.tell(c, &seen); err != nil {
			return err
		}
	}
	return nil
}

func (l *callLoad) tell(c *callsim.Call, s *callsim.Seen) error {
	s.Correlation, s.Payload = c.ID, l.payload
	l.data = callsim.Agent{ID: demoHEPAgent}.AppendHEP(l.data[:0], s)
	return l.send(l.data, s.At)
}

func (l *callLoad) hangUp(s *callSlot, at time.Time) error {
	l.count.ended++
	return l.signal(s, at, callsim.Bye, callsim.ByeAck)
}

// hangUpOld ends a call that has lasted long enough to be scored in both directions; a younger one goes on.
func (l *callLoad) hangUpOld(s *callSlot, at time.Time) error {
	if at.UnixNano()-s.answered < int64(shortCall) {
		return nil
	}
	return l.hangUp(s, at)
}

func (l *callLoad) setUp(s *callSlot, at time.Time) error {
	l.begin(s, at, l.lasts())
	return l.signal(s, at, callsim.Invite, callsim.Ringing, callsim.Answer, callsim.Ack)
}

// due is when a slot is looked at in a round of half a period, and due again with the other party.
func (l *callLoad) due(begin time.Time, round, slot int) time.Time {
	half := l.every / 2
	return begin.Add(time.Duration(round)*half + half*time.Duration(slot)/time.Duration(len(l.slots)))
}

// past hands the decoder what was told until now of all calls that are in progress now, call after call, without a socket.
func (l *callLoad) past(ctx context.Context, d *hep.Decoder, from netip.Addr, now time.Time) error {
	l.send = func(data []byte, at time.Time) error {
		d.Message(data, from, at)
		return nil
	}
	spacing := max(l.every, 5*time.Second) / 2 // of a call that goes on for long, not every report
	l.scratch.Every = 2 * spacing
	defer func() { l.scratch.Every = l.every }()
	for i := range l.slots {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		s := &l.slots[i]
		lasts := l.lastsNow()
		age := max(time.Duration(l.random.Float64()*float64(lasts)), shortCall) // whenever one is hung up, it can be scored
		l.begin(s, now.Add(-age), lasts)
		answered := time.Unix(0, s.answered)
		if err := l.signal(s, answered, callsim.Invite, callsim.Ringing, callsim.Answer, callsim.Ack); err != nil {
			return err
		}
		for n := 1; ; n++ {
			at := answered.Add(time.Duration(n) * spacing)
			if !at.Before(now) {
				break
			}
			if err := l.report(s, callsim.Who(n%2), at); err != nil {
				return err
			}
		}
	}
	l.count = loadCount{begun: l.count.begun}
	return nil
}

// through sends to an address from now on.
func (l *callLoad) through(address net.Addr) (net.Conn, error) {
	conn, err := net.Dial("udp", address.String())
	if err != nil {
		return nil, fmt.Errorf("open a socket to send from: %w", err)
	}
	l.send = func(data []byte, _ time.Time) error {
		_, err := conn.Write(data)
		return err
	}
	return conn, nil
}

// play tells of the calls as time goes on, for rounds of half a period. With churn a call that is over is hung up and another begins in its place.
func (l *callLoad) play(ctx context.Context, rounds int, churn bool) error {
	begin := time.Now()
	for round := range rounds {
		for i := range l.slots {
			at := l.due(begin, round, i)
			if i%32 == 0 {
				if err := waitUntil(ctx, at); err != nil {
					return err
				}
			}
			if err := l.visit(&l.slots[i], callsim.Who(round%2), at, churn); err != nil {
				return fmt.Errorf("send to the collector: %w", err)
			}
		}
	}
	return nil
}

func (l *callLoad) visit(s *callSlot, w callsim.Who, at time.Time, churn bool) error {
	if !churn || at.UnixNano() < s.end {
		return l.report(s, w, at)
	}
	if err := l.hangUp(s, at); err != nil {
		return err
	}
	return l.setUp(s, at)
}

// paced does something for each slot, so many a second.
func (l *callLoad) paced(ctx context.Context, slots []callSlot, perSecond int, do func(*callSlot, time.Time) error) error {
	begin := time.Now()
	for i := range slots {
		if i%16 == 0 {
			if err := waitUntil(ctx, begin.Add(time.Duration(i)*time.Second/time.Duration(perSecond))); err != nil {
				return err
			}
		}
		if err := do(&slots[i], time.Now()); err != nil {
			return fmt.Errorf("send to the collector: %w", err)
		}
	}
	return nil
}

// waitUntil waits for an instant; what is less than a millisecond away is now.
func waitUntil(ctx context.Context, at time.Time) error {
	if d := time.Until(at); d > time.Millisecond {
		wait(ctx, d)
	}
	return context.Cause(ctx)
}

// Call takes a call that is over, and compares it.
func (l *callLoad) Call(c voice.Call) {
	v := &l.verdict
	salt, err := strconv.ParseUint(c.ID[:min(16, len(c.ID))], 16, 64)
	switch {
	case err != nil || c.MOS == nil:
		if c.Revision == 1 {
			v.unscored.Add(1)
		}
		return
	case c.Revision == 1:
		v.scored.Add(1)
	}
	off := math.Abs(*c.MOS - l.truth[lossOf(salt)])
	if off > 0.1 {
		v.wrong.Add(1)
	}
	for {
		worst := v.worst.Load()
		if off <= math.Float64frombits(worst) || v.worst.CompareAndSwap(worst, math.Float64bits(off)) {
			return
		}
	}
}

// worst is how far from the truth the worst MOS was.
func (l *callLoad) worst() float64 { return math.Float64frombits(l.verdict.worst.Load()) }
