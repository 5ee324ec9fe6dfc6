package snmp

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"vigia/collectors"
	"vigia/collectors/collectorstest/snmpagent"
	"vigia/collectors/inventory"
)

// dayClock is a clock that a test turns; it begins where there is a monotonic reading.
type dayClock struct {
	mu sync.Mutex
	at time.Time
}

func newDayClock(at time.Time) *dayClock { return &dayClock{at: at} }

func (c *dayClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

// turn moves it on.
func (c *dayClock) turn(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// dayPort is one interface of a simulated device and the truth about it.
type dayPort struct {
	name  string
	index int
	speed float64 // bit/s
	wide  bool
	seed  uint64
	base  [counters]float64 // what had been counted when the counters began anew, negative of it
	mark  time.Duration     // ifCounterDiscontinuityTime
}

// dayDevice is a device whose counters are known functions of time.
type dayDevice struct {
	clock     *dayClock
	born      time.Time // when the simulation began
	boot      time.Time // of the device
	ports     []*dayPort
	changed   time.Duration // ifTableLastChange
	hasChange bool
	hasMark   bool
	agent     *snmpagent.Agent
	mu        sync.Mutex // held by the agent while it counts, and by what happens to the device
}

// counted is what a function says while nothing happens to the device.
func (d *dayDevice) counted(f func() float64) func(time.Duration) uint64 {
	return func(time.Duration) uint64 {
		d.mu.Lock()
		defer d.mu.Unlock()
		return uint64(f())
	}
}

// octets is what truly went over a port since the simulation began: a mean of 40 % of its speed that swings, and bursts at full speed.
func (p *dayPort) octets(t float64, i int) float64 {
	phase := float64(p.seed%628)/100 + float64(i)
	rate := p.speed / 8
	swing := 0.4*t + 0.35*(math.Sin(t/977+phase)-math.Sin(phase))*977/1.0
	return rate * max(swing+0.4*977, 0) // monotonic: 0.4 + 0.35 cos >= 0.05
}

// total is counter i at t seconds after the beginning.
func (p *dayPort) total(i int, t float64) float64 {
	if i <= outOctets {
		return p.octets(t, i)
	}
	return t * float64(i) / 7 // some errors and discards
}

func (d *dayDevice) seconds() float64 { return d.clock.now().Sub(d.born).Seconds() }

// recording is the device as it is now.
func (d *dayDevice) recording() *snmpagent.Recording {
	r := new(snmpagent.Recording)
	r.SetString("1.3.6.1.2.1.1.1.0", "day")
	r.SetOID("1.3.6.1.2.1.1.2.0", "1.3.6.1.4.1.99999.1")
	r.SetString("1.3.6.1.2.1.1.5.0", "day")
	r.SetFunc("1.3.6.1.2.1.1.3.0", snmpagent.TimeTicks, d.counted(func() float64 {
		return float64(d.clock.now().Sub(d.boot) / (10 * time.Millisecond)) // what is above 32 bits wraps
	}))
	if d.hasChange {
		r.SetTicks("1.3.6.1.2.1.31.1.5.0", d.changed)
	}
	for _, p := range d.ports {
		d.addPort(r, p)
	}
	return r
}

func (d *dayDevice) addPort(r *snmpagent.Recording, p *dayPort) {
	in := func(column int) string { return fmt.Sprintf("1.3.6.1.2.1.2.2.1.%d.%d", column, p.index) }
	inX := func(column int) string { return fmt.Sprintf("1.3.6.1.2.1.31.1.1.1.%d.%d", column, p.index) }
	r.SetString(in(2), p.name)
	r.SetInt(in(3), 6)
	r.SetGauge(in(5), uint32(min(p.speed, math.MaxUint32)))
	r.SetInt(in(7), 1)
	r.SetInt(in(8), 1)
	r.SetString(inX(1), p.name)
	r.SetGauge(inX(15), uint32(p.speed/1e6))
	narrow := func(oid string, i int) {
		r.SetFunc(oid, snmpagent.Counter32, d.counted(func() float64 { return p.total(i, d.seconds()) + p.base[i] }))
	}
	narrow(in(10), inOctets)
	narrow(in(16), outOctets)
	narrow(in(14), inErrors)
	narrow(in(20), outErrors)
	narrow(in(13), inDiscards)
	narrow(in(19), outDiscards)
	if p.wide {
		wide := func(oid string, i int) {
			r.SetFunc(oid, snmpagent.Counter64, d.counted(func() float64 { return p.total(i, d.seconds()) + p.base[i] }))
		}
		wide(inX(6), inOctets)
		wide(inX(10), outOctets)
	}
	if d.hasMark {
		r.SetTicks(inX(19), p.mark)
	}
}

// reset makes counters begin at zero.
func (p *dayPort) reset(t float64) {
	for i := range p.base {
		p.base[i] = -p.total(i, t)
	}
}

// reboot is a restart: everything begins anew and the indexes may be dealt out anew.
func (d *dayDevice) reboot(rng *rand.Rand) {
	d.boot = d.clock.now()
	for _, p := range d.ports {
		p.reset(d.seconds())
		p.mark = 0
	}
	d.changed = 0
	d.renumber(rng)
}

func (d *dayDevice) renumber(rng *rand.Rand) {
	for i, n := range rng.Perm(len(d.ports)) {
		d.ports[i].index = n + 1
	}
}

func (d *dayDevice) serve(t *testing.T, answer func(snmpagent.Request, []byte) []snmpagent.Reply) {
	t.Helper()
	var err error
	d.agent, err = snmpagent.Listen("127.0.0.1:0", snmpagent.Config{Recording: d.recording(), Answer: answer})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.agent.Close() })
}

// show lets the agent serve what the device is now.
func (d *dayDevice) show(t *testing.T) {
	t.Helper()
	if err := d.agent.SetRecording(d.recording()); err != nil {
		t.Fatal(err)
	}
}

// TestNoWrongRate lets devices run for a day each: wraps, restarts, renumbering, line cards that are reset, lost, doubled and overtaken
// answers, 32-bit counters at 1 Gbit/s. Every rate that comes out must be the true mean since an earlier poll; what cannot be told must be
// thrown away, and said. Most of what could be measured must be.
func TestNoWrongRate(t *testing.T) {
	for _, c := range []struct {
		name      string
		hasChange bool
		hasMark   bool
		wide      bool
		every     time.Duration
		least     float64 // share of polls that yield a rate
	}{
		{"64 bits", true, true, true, time.Minute, 0.9},
		{"64 bits, says nothing", false, false, true, time.Minute, 0.9},
		{"32 bits at 30 s", true, true, false, 30 * time.Second, 0.7},
		{"32 bits, says nothing", false, false, false, 30 * time.Second, 0.7},
		{"32 bits at 60 s", true, true, false, time.Minute, 0.45}, // half of the ports are too fast for 32 bits and a minute
	} {
		for seed := range uint64(2) {
			t.Run(fmt.Sprintf("%s/%d", c.name, seed), func(t *testing.T) {
				t.Parallel()
				rng := rand.New(rand.NewPCG(seed, 42)) // a seeded simulation
				clock := newDayClock(time.Now())
				d := &dayDevice{clock: clock, born: clock.now(), boot: clock.now().Add(-time.Duration(rng.Int64N(int64(496 * 24 * time.Hour)))), hasChange: c.hasChange, hasMark: c.hasMark}
				if seed == 1 { // sysUpTime wraps within the day
					d.boot = clock.now().Add(-(497*24*time.Hour - 12*time.Hour + 2*time.Hour))
				}
				for i, speed := range []float64{1e9, 1e9, 1e8, 1e7, 1e9, 1e8} {
					p := &dayPort{name: fmt.Sprintf("Gi0/%d", i+1), index: i + 1, speed: speed, wide: c.wide, seed: rng.Uint64()}
					p.base[inOctets] = float64(rng.Uint32())
					d.ports = append(d.ports, p)
				}
				runDay(t, rng, d, c.every, c.least)
			})
		}
	}
}

func runDay(t *testing.T, rng *rand.Rand, d *dayDevice, every time.Duration, least float64) {
	net := &badNetwork{rng: rand.New(rand.NewPCG(rng.Uint64(), 43))}
	d.serve(t, net.answer)
	kind := kindWith(newRegistry(d.clock.now))
	config := kind.New().(*Config)
	addr := d.agent.Addr()
	config.Host, config.Port, config.Community = addr.Addr().String(), int(addr.Port()), inventory.NewSecret("public")
	c, err := config.Open(collectors.Setup{ID: collectors.CheckID{Ref: inventory.Ref{Kind: inventory.KindServer, Name: "x"}, Instance: "snmp"}, Every: every})
	if err != nil {
		t.Fatal(err)
	}
	defer c.(*prober).Close()
	reads := map[string][]float64{} // by interface: the moments of its readings, seconds
	polls, told, thrown := 0, 0, 0
	for end := d.born.Add(24 * time.Hour); d.clock.now().Before(end); polls++ {
		d.clock.turn(every - time.Duration(rng.IntN(200))*time.Millisecond)
		d.trouble(t, rng)
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		r := c.Probe(ctx)
		cancel()
		thrown += r.Discarded
		told += d.judge(t, r, reads)
		if t.Failed() {
			return
		}
	}
	share := float64(told) / float64(polls*len(d.ports)*2)
	t.Logf("%d polls, %.1f %% of rates told, %d thrown away, %d restarts of the network's mischief", polls, share*100, thrown, net.mischief.Load())
	if share < least || thrown == 0 {
		t.Errorf("%.1f %% of rates told, want at least %.0f %%; %d thrown away", share*100, least*100, thrown)
	}
}

// trouble happens before some polls.
func (d *dayDevice) trouble(t *testing.T, rng *rand.Rand) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch n := rng.IntN(200); {
	case n == 0:
		d.reboot(rng)
	case n == 1 && d.hasMark: // a line card begins to count anew and says so
		p := d.ports[rng.IntN(len(d.ports))]
		p.reset(d.seconds())
		p.mark = d.clock.now().Sub(d.boot) % (time.Duration(1<<32) * 10 * time.Millisecond)
	case n == 2: // indexes are dealt out anew without a restart
		d.renumber(rng)
		d.changed = d.clock.now().Sub(d.boot) % (time.Duration(1<<32) * 10 * time.Millisecond)
	case n == 3 && !d.hasMark: // counters are cleared by hand, all of a port's, and nothing says so
		d.ports[rng.IntN(len(d.ports))].reset(d.seconds())
	case n == 4:
		d.clock.turn(time.Duration(rng.IntN(600)) * time.Second) // we were asleep
	default:
		return
	}
	d.show(t)
	d.clock.turn(time.Duration(rng.IntN(20)) * time.Second)
}

// judge holds every rate against the truth and counts them.
func (d *dayDevice) judge(t *testing.T, r collectors.Result, reads map[string][]float64) int {
	told := 0
	now := d.seconds()
	byName := map[string]*dayPort{}
	for _, p := range d.ports {
		byName[p.name] = p
	}
	read := map[string]bool{}
	for _, v := range r.Values {
		p := byName[v.Part]
		if p == nil {
			continue
		}
		read[p.name] = true
		i := inOctets
		switch v.Metric {
		case collectors.InBps:
		case collectors.OutBps:
			i = outOctets
		case collectors.ErrorsPps, collectors.DiscardsPps:
			d.judgeFaults(t, v, now)
			continue
		default:
			continue
		}
		told++
		if !isTrue(p, i, v.Value/8, now, reads[p.name]) {
			t.Errorf("at %.0f s %s of %s is %.0f, and since no earlier poll was that true (the last %d: %v); %s", now, v.Metric, p.name, v.Value, min(len(reads[p.name]), 3), tail(reads[p.name], 3), said(r))
		}
	}
	for name := range read {
		reads[name] = append(reads[name], now)
	}
	return told
}

// judgeFaults: errors come at 2/7 + 3/7 a second, discards at 4/7 + 5/7, at all times. A counter of whole errors is off by one.
func (d *dayDevice) judgeFaults(t *testing.T, v collectors.Value, now float64) {
	want := float64(inErrors+outErrors) / 7
	if v.Metric == collectors.DiscardsPps {
		want = float64(inDiscards+outDiscards) / 7
	}
	if math.Abs(v.Value-want) > 0.15 {
		t.Errorf("at %.0f s %s of %s is %.3f, want %.3f", now, v.Metric, v.Part, v.Value, want)
	}
}

func said(r collectors.Result) string {
	var parts []string
	for _, s := range r.Steps {
		parts = append(parts, words.Say(collectors.English, s))
	}
	return strings.Join(parts, "; ")
}

func tail(list []float64, n int) []float64 { return list[max(len(list)-n, 0):] }

// isTrue reports whether a rate is the mean since one of the last polls, as exactly as ticks of 10 ms allow.
func isTrue(p *dayPort, i int, rate, now float64, reads []float64) bool {
	for _, then := range tail(reads, 3) {
		span := now - then
		truth := (p.total(i, now) - p.total(i, then)) / span
		if math.Abs(rate-truth) <= truth*(0.011/span+1e-6)+2/span+1 {
			return true
		}
	}
	return false
}

// badNetwork loses, doubles and holds back answers.
type badNetwork struct {
	rng      *rand.Rand
	held     []byte
	mischief atomic.Int64
}

func (b *badNetwork) answer(_ snmpagent.Request, answer []byte) []snmpagent.Reply {
	out := []snmpagent.Reply{{Octets: answer}}
	switch b.rng.IntN(60) {
	case 0:
		out = nil
	case 1:
		out = append(out, snmpagent.Reply{Octets: answer})
	case 2: // an older answer comes first
		if b.held != nil {
			out = append([]snmpagent.Reply{{Octets: b.held}}, out...)
		}
	default:
		b.held = answer
		return out
	}
	b.mischief.Add(1)
	b.held = answer
	return out
}
