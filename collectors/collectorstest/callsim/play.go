package callsim

import (
	"context"
	"time"
)

// Play lets a call happen in real time, from now on: one second after the INVITE it is answered, after talk the caller hangs up. Everything that
// an agent between the parties sees is handed to tell, which must not keep it. It returns early when ctx ends: then there is no BYE.
func (c *Call) Play(ctx context.Context, talk time.Duration, tell func(*Seen)) {
	c.Invited = time.Now()
	c.Answered = c.Invited.Add(time.Second)
	end := c.Answered.Add(talk)
	var buffer []byte
	signal := func(m Message, at time.Time) bool {
		if !until(ctx, at) {
			return false
		}
		buffer = c.AppendSIP(buffer[:0], m)
		s := Seen{Type: TypeSIP, At: at, Correlation: c.ID, Payload: buffer}
		s.Src, s.Dst = c.Way(m)
		tell(&s)
		return true
	}
	if !signal(Invite, c.Invited) || !signal(Ringing, c.Invited.Add(200*time.Millisecond)) || !signal(Answer, c.Answered) || !signal(Ack, c.Answered) {
		return
	}
	for n := 1; ; n++ {
		for _, w := range [...]Who{Caller, Callee} {
			at := c.ReportAt(w, n)
			if !at.Before(end) {
				_ = signal(Bye, end) && signal(ByeAck, end)
				return
			}
			if !until(ctx, at) {
				return
			}
			buffer = c.AppendJSON(buffer[:0], w, at)
			tell(&Seen{Type: TypeJSON, Src: c.Party(w).rtcp(), Dst: c.Party(w.Other()).rtcp(), At: at, Correlation: c.ID, Payload: buffer})
		}
	}
}

// until waits until an instant; false when ctx ends before.
func until(ctx context.Context, at time.Time) bool {
	t := time.NewTimer(time.Until(at))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
