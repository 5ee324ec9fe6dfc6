package snmp

import "math"

// clock compares a device's sysUpTime with our own clock. Between two polls its own is the better one: it came in the same answer as the
// counters, whatever the way did. It also says when the device restarted.
type clock struct {
	wrong int8 // readings in a row in which it did not agree with ours
}

const (
	ticksPerSecond = 100
	// clockSlack and clockShare are how far the two may differ: an answer can be late by a timeout, and cheap clocks drift.
	clockSlack = 4.0 // seconds
	clockShare = 0.1
	// distrust is after how many disagreements in a row our clock alone counts.
	distrust = 3
	// oldest is how old an answer that was overtaken can be.
	oldest = 120.0 // seconds
)

// between is how many seconds passed from one moment to another, or why that cannot be said.
func (c *clock) between(last, now moment) (float64, verdict) {
	ours := now.at.Sub(last.at).Seconds()
	if !last.hasTicks || !now.hasTicks {
		return ours, verdict{}
	}
	theirs := float64(now.ticks-last.ticks) / ticksPerSecond // modulo 2^32: it wraps after 497 days
	slack := max(clockSlack, clockShare*ours)
	if math.Abs(theirs-ours) <= slack && now.ticks != last.ticks {
		c.wrong = 0
		return theirs, verdict{}
	}
	if ours < enough { // asked again at once; the ticks may well be the same
		return ours, verdict{}
	}
	back := float64(last.ticks-now.ticks) / ticksPerSecond
	age := float64(now.ticks) / ticksPerSecond
	switch {
	case now.ticks == last.ticks:
		return c.disagree(ours, repeated)
	case age <= ours+slack:
		c.wrong = 0
		return 0, restarted
	case back > 0 && back <= oldest:
		return c.disagree(ours, outOfOrder)
	}
	return c.disagree(ours, jumped)
}

// disagree counts, and believes our clock when the other has been wrong for long: it stands still or runs wrong.
func (c *clock) disagree(ours float64, v verdict) (float64, verdict) {
	if c.wrong < distrust {
		c.wrong++
	}
	if c.wrong >= distrust {
		return ours, verdict{}
	}
	return 0, v
}
