package main

import (
	"time"

	"vigia/collectors/collectorstest/snmpagent"
)

// Types of interfaces (IANAifType-MIB) that the demo has.
const (
	demoEthernet = 6
	demoLoopback = 24
)

// demoLine is an interface as one would describe it.
type demoLine struct {
	name, alias string
	kind        int32
	mbps        uint32
	in, out     float64 // Mbit/s on an ordinary day
	full        float64 // Mbit/s, in, when a trouble fills it
	faults      float64 // damaged packets a second at the worst moments
	carrier     bool    // it carries the demo's link: the device's health is about it
	shut        bool    // by configuration
	unplugged   bool
}

// demoInterface is an interface at work. Its device's lock guards it.
type demoInterface struct {
	*demoLine
	in, out, faults, drops *meter
}

// zero is an interface that counts anew.
func (p *demoInterface) zero() {
	for _, m := range []*meter{p.in, p.out, p.faults, p.drops} {
		m.count = 0
	}
}

const octetsPerMbit = 1e6 / 8

// newInterface makes the counters of an interface. They stand still while it is down.
func (d *demoDevice) newInterface(l *demoLine) *demoInterface {
	p := &demoInterface{demoLine: l}
	name := d.system.name + " " + l.name
	in, out := newWave(name+" in", l.in, 0.06, 0.1), newWave(name+" out", l.out, 0.06, 0.1)
	full, storm := newWave(name+" full", l.full, 0, 0.01), newWave(name, 1, 0, 1)
	pushed := func(t time.Time) float64 {
		if l.carrier && l.full > 0 {
			return d.trouble.at(t)
		}
		return 0
	}
	running := func(rate func(t time.Time) float64) *meter {
		return d.newMeter(func(t time.Time) float64 {
			if !d.isUp(l) {
				return 0
			}
			return rate(t)
		})
	}
	p.in = running(func(t time.Time) float64 { return mix(pushed(t), in.at(t), full.at(t)) * octetsPerMbit })
	p.out = running(func(t time.Time) float64 { return out.at(t) * octetsPerMbit })
	p.faults = running(func(t time.Time) float64 { return l.faults * max(0, storm.at(t)-1) })
	p.drops = running(func(t time.Time) float64 { return dropsWhenFull * pushed(t) })
	return p
}

// dropsWhenFull is how many packets a second find no room on a line that is full.
const dropsWhenFull = 35

// isUp reports whether an interface is up.
func (d *demoDevice) isUp(l *demoLine) bool {
	return !l.shut && !l.unplugged && !(l.carrier && d.health == demoFaulty)
}

// index is the ifIndex of the i-th interface. Each start of the device deals out those of all but the carrier's anew.
func (d *demoDevice) index(i int) int {
	n := len(d.ports)
	if d.ports[i].carrier {
		return i + 1
	}
	for range d.boots {
		if i = (i + 1) % n; d.ports[i].carrier {
			i = (i + 1) % n
		}
	}
	return i + 1
}

// recordInterface writes a row of ifTable and ifXTable (RFC 2863).
func (d *demoDevice) recordInterface(r *snmpagent.Recording, index string, p *demoInterface) {
	row := func(column string) string { return "1.3.6.1.2.1.2.2.1." + column + "." + index }
	more := func(column string) string { return "1.3.6.1.2.1.31.1.1.1." + column + "." + index }
	r.SetString(row("2"), p.name)
	r.SetInt(row("3"), p.kind)
	r.SetInt(row("4"), 1500)
	r.SetGauge(row("5"), uint32(min(uint64(p.mbps)*1e6, 1<<32-1)))
	r.SetInt(row("7"), stateOf(!p.shut))
	d.number(r, row("8"), func(time.Time) float64 { return float64(stateOf(d.isUp(p.demoLine))) })
	r.SetString(more("1"), p.name)
	r.SetGauge(more("15"), p.mbps)
	r.SetString(more("18"), p.alias)
	d.gauge(r, more("19"), snmpagent.TimeTicks, func(time.Time) float64 {
		if !p.carrier {
			return 0
		}
		return float64(d.mark / (10 * time.Millisecond))
	})
	d.counter(r, row("10"), snmpagent.Counter32, p.in)
	r.SetCounter32(row("13"), 0)
	d.counter(r, row("14"), snmpagent.Counter32, p.faults)
	d.counter(r, row("16"), snmpagent.Counter32, p.out)
	d.counter(r, row("19"), snmpagent.Counter32, p.drops)
	r.SetCounter32(row("20"), 0)
	d.counter(r, more("6"), snmpagent.Counter64, p.in)
	d.counter(r, more("10"), snmpagent.Counter64, p.out)
}

// stateOf is ifAdminStatus and ifOperStatus: up 1, down 2.
func stateOf(up bool) int32 {
	if up {
		return 1
	}
	return 2
}
