package main

import (
	"hash/fnv"
	"math"
	"time"
)

// The demo's figures: they depend on a name and on the time alone, so that two demos at the same moment show the same.

// wave is a figure that moves as an operator's do: with the hour of the day, and a little all the time.
type wave struct {
	mean  float64
	day   float64 // how far the hour moves it, as a share of the mean
	swing float64 // how far it wanders within minutes, as a share of the mean
	seed  uint64
}

func newWave(name string, mean, day, swing float64) wave {
	h := fnv.New64a()
	h.Write([]byte(name))
	return wave{mean: mean, day: day, swing: swing, seed: h.Sum64()}
}

func (w wave) at(t time.Time) float64 {
	return max(0, w.mean*(1+w.day*dayCurve(t)+w.swing*wander(w.seed, t)))
}

const (
	demoZone = -6 * time.Hour // Costa Rica's clock; it has no summer time
	demoPeak = 14.0           // o'clock: the busiest hour
)

// dayCurve goes from -1 at night to 1 in the busiest hour.
func dayCurve(t time.Time) float64 {
	local := t.UTC().Add(demoZone)
	hour := local.Sub(local.Truncate(24 * time.Hour)).Hours()
	return math.Cos(2 * math.Pi * (hour - demoPeak) / 24)
}

// wander is a smooth noise from -1 to 1: a slow one of minutes with quicker ones on it.
func wander(seed uint64, t time.Time) float64 {
	at := float64(t.UnixMilli()) / 1000
	return 0.5*noise(seed, at/240) + 0.3*noise(seed+1, at/60) + 0.2*noise(seed+2, at/13)
}

// noise goes smoothly from one random figure at each whole number to the next.
func noise(seed uint64, x float64) float64 {
	left := math.Floor(x)
	return mix(smooth(x-left), random(seed, left), random(seed, left+1))
}

// smooth is a step from 0 to 1 without corners.
func smooth(x float64) float64 {
	x = min(max(x, 0), 1)
	return x * x * (3 - 2*x)
}

func mix(share, a, b float64) float64 { return a + share*(b-a) }

// random is a figure from -1 to 1 for each whole number.
func random(seed uint64, n float64) float64 {
	const odd1, odd2 = 0xbf58476d1ce4e5b9, 0x94d049bb133111eb // large odd numbers spread every bit over all
	x := seed + uint64(int64(n))*odd1
	x = (x ^ x>>30) * odd1
	x = (x ^ x>>27) * odd2
	return float64((x^x>>31)>>11)/(1<<52) - 1
}

// demoRamp is how long a figure takes to where a trouble wants it.
const demoRamp = 12 * time.Second

// push is how far a trouble has taken a figure: from 0, as always, to 1.
type push struct {
	from, to float64
	since    time.Time
}

func (p *push) turn(to float64, now time.Time) {
	p.from, p.to, p.since = p.at(now), to, now
}

func (p *push) at(t time.Time) float64 {
	return mix(smooth(t.Sub(p.since).Seconds()/demoRamp.Seconds()), p.from, p.to)
}

// meter is a counter: how much of something has passed.
type meter struct {
	rate  func(t time.Time) float64 // a second
	at    time.Time                 // until when it has counted
	count float64
}

// mostSteps bounds the work for a counter that nobody has read for long.
const mostSteps = 600

// advance counts until now, in steps of a second when they are not too many.
func (m *meter) advance(now time.Time) {
	whole := now.Sub(m.at)
	if whole <= 0 {
		return
	}
	steps := min(int(whole/time.Second)+1, mostSteps)
	step := whole / time.Duration(steps)
	for i := range steps {
		middle := m.at.Add(time.Duration(i)*step + step/2)
		m.count += m.rate(middle) * whole.Seconds() / float64(steps)
	}
	m.at = now
}
