package main

import (
	"fmt"
	"strconv"
	"sync"
	"time"

	"vigia/collectors/collectorstest/snmpagent"
)

// The demo's devices: routers and servers that answer SNMP on loopback. What they answer is made up here, and moves.

// demoCommunity is whom the devices answer; they are on loopback, so it is no secret.
const demoCommunity = "istmo-demo"

// demoDevice is one device. Its health means: busy, its line is full or its processor is; faulty, its line is down; silent, it is starting
// again. After that its counters begin at zero, and the indexes of its interfaces but its line's are others. It implements demoPart.
type demoDevice struct {
	system demoSystem
	now    func() time.Time
	agent  *snmpagent.Agent
	extra  func(d *demoDevice, r *snmpagent.Recording) // what it has besides interfaces; may be nil

	mu      sync.Mutex // guards what follows, and is held while any figure is made
	ports   []*demoInterface
	meters  []*meter
	health  demoHealth
	trouble push
	booted  time.Time
	boots   int
	mark    time.Duration // after its start: when its line's counters last began anew (ifCounterDiscontinuityTime)
}

// demoSystem is what a device says about itself (SNMPv2-MIB).
type demoSystem struct {
	name, descr, objectID, location string
	uptime                          time.Duration // when the demo begins
}

func newDemoDevice(s demoSystem, now func() time.Time, lines []demoLine, extra func(*demoDevice, *snmpagent.Recording)) *demoDevice {
	d := &demoDevice{system: s, now: now, extra: extra, booted: now().Add(-s.uptime)}
	for i := range lines {
		d.ports = append(d.ports, d.newInterface(&lines[i]))
	}
	return d
}

// listen begins to answer, on a port that the system chooses.
func (d *demoDevice) listen(ip string) error {
	a, err := snmpagent.Listen(ip+":0", snmpagent.Config{Recording: d.record(), Communities: []string{demoCommunity}, Now: d.now, Grow: true})
	if err != nil {
		return fmt.Errorf("demo device %s: %w", d.system.name, err)
	}
	d.agent = a
	return nil
}

// set makes the device as well as wanted.
func (d *demoDevice) set(h demoHealth) error {
	was := d.turn(h)
	if was == demoSilent && h != demoSilent {
		if err := d.restart(); err != nil {
			return err
		}
	}
	d.agent.SetSilent(h == demoSilent)
	return nil
}

// turn notes a health from now on and returns the one before. A line that comes up again has a new transceiver, and counts anew.
func (d *demoDevice) turn(h demoHealth) demoHealth {
	d.mu.Lock()
	defer d.mu.Unlock()
	now, was := d.now(), d.health
	for _, m := range d.meters {
		m.advance(now)
	}
	d.health = h
	d.trouble.turn(map[bool]float64{true: 1}[h == demoBusy], now)
	if was == demoFaulty && h != demoFaulty {
		d.mark = now.Sub(d.booted)
		for _, p := range d.ports {
			if p.carrier {
				p.zero()
			}
		}
	}
	return was
}

// restart is a device that has lost its counters, and numbers its interfaces otherwise.
func (d *demoDevice) restart() error {
	d.mu.Lock()
	now := d.now()
	for _, m := range d.meters {
		m.at, m.count = now, 0
	}
	d.booted, d.mark = now, 0
	d.boots++
	d.mu.Unlock()
	if err := d.agent.SetRecording(d.record()); err != nil {
		return fmt.Errorf("demo device %s: %w", d.system.name, err)
	}
	d.agent.Restart(snmpagent.FromZero)
	return nil
}

func (d *demoDevice) addr() string { return d.agent.Addr().String() }

func (d *demoDevice) close() error { return d.agent.Close() }

// record writes down what the device answers.
func (d *demoDevice) record() *snmpagent.Recording {
	r := &snmpagent.Recording{}
	const system = "1.3.6.1.2.1.1."
	r.SetString(system+"1.0", d.system.descr)
	r.SetOID(system+"2.0", d.system.objectID)
	r.SetTicks(system+"3.0", d.system.uptime) // goes on by itself
	r.SetString(system+"4.0", "NOC Istmo Voz")
	r.SetString(system+"5.0", d.system.name)
	r.SetString(system+"6.0", d.system.location)
	for i, p := range d.ports {
		d.recordInterface(r, strconv.Itoa(d.index(i)), p)
	}
	r.SetTicks(ifTableLastChange, demoSettled)
	if d.extra != nil {
		d.extra(d, r)
	}
	return r
}

const ifTableLastChange = "1.3.6.1.2.1.31.1.5.0"

// demoSettled is how long after its start a device has found its interfaces.
const demoSettled = 9 * time.Second

// newMeter counts what passes from now on. What passed since the device started is guessed.
func (d *demoDevice) newMeter(rate func(t time.Time) float64) *meter {
	now := d.now()
	m := &meter{rate: rate, at: now, count: rate(now) * now.Sub(d.booted).Seconds()}
	d.meters = append(d.meters, m)
	return m
}

// counter serves a meter.
func (d *demoDevice) counter(r *snmpagent.Recording, oid string, tag snmpagent.Tag, m *meter) {
	r.SetFunc(oid, tag, func(time.Duration) uint64 {
		d.mu.Lock()
		defer d.mu.Unlock()
		m.advance(d.now())
		return uint64(m.count)
	})
}

// number serves a figure that is an Integer32.
func (d *demoDevice) number(r *snmpagent.Recording, oid string, value func(t time.Time) float64) {
	r.SetIntFunc(oid, func(time.Duration) int32 {
		d.mu.Lock()
		defer d.mu.Unlock()
		return int32(value(d.now()))
	})
}

// gauge serves a figure that cannot be negative.
func (d *demoDevice) gauge(r *snmpagent.Recording, oid string, tag snmpagent.Tag, value func(t time.Time) float64) {
	r.SetFunc(oid, tag, func(time.Duration) uint64 {
		d.mu.Lock()
		defer d.mu.Unlock()
		return uint64(value(d.now()))
	})
}
