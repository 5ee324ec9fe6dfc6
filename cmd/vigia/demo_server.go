package main

import (
	"math"
	"time"

	"vigia/collectors/collectorstest/snmpagent"
)

// What a server of the demo answers besides its interfaces: UCD-SNMP-MIB, HOST-RESOURCES-MIB (RFC 2790) and LM-SENSORS-MIB as net-snmp does.

// busyCPU is how far a trouble takes a processor, in percent.
const busyCPU = 92

// load is the share of time that the processors work.
func (s *demoServer) load(d *demoDevice) func(t time.Time) float64 {
	usual, busy := newWave(s.name+" cpu", s.cpu, 0.1, 0.13), newWave(s.name+" busy", busyCPU, 0, 0.015)
	return func(t time.Time) float64 {
		return min(mix(d.trouble.at(t), usual.at(t), busy.at(t))/100, 1)
	}
}

// processors are ticks of a hundredth of a second by what they were spent on, the load of each processor, and the load average.
func (s *demoServer) processors(d *demoDevice, r *snmpagent.Recording) {
	const (
		ucd     = "1.3.6.1.4.1.2021.11."
		waiting = 0.004
	)
	load := s.load(d)
	for oid, share := range map[string]float64{"50.0": 0.6, "51.0": 0.01, "52.0": 0.19, "56.0": 0.01, "61.0": 0.19} { // user, nice, system, interrupt, softirq
		s.ticks(d, r, ucd+oid, func(t time.Time) float64 { return share * load(t) * (1 - waiting) })
	}
	s.ticks(d, r, ucd+"53.0", func(t time.Time) float64 { return (1 - load(t)) * (1 - waiting) })
	s.ticks(d, r, ucd+"54.0", func(time.Time) float64 { return waiting })
	for i := range s.cores {
		own := newWave(cell(s.name, i), 1, 0, 0.18)
		d.number(r, cell("1.3.6.1.2.1.25.3.3.1.2", 196608+i), func(t time.Time) float64 { return min(100*load(t)*own.at(t), 100) })
	}
	for i, span := range []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute} {
		d.number(r, cell("1.3.6.1.4.1.2021.10.1.5", i+1), func(t time.Time) float64 { return 100 * 1.08 * float64(s.cores) * average(load, t, span) })
	}
}

// ticks counts a share of the time of all processors.
func (s *demoServer) ticks(d *demoDevice, r *snmpagent.Recording, oid string, share func(t time.Time) float64) {
	m := d.newMeter(func(t time.Time) float64 { return 100 * float64(s.cores) * share(t) })
	d.counter(r, oid, snmpagent.Counter32, m)
}

// average is the mean of a figure over the time before.
func average(of func(t time.Time) float64, t time.Time, span time.Duration) float64 {
	const points = 12
	sum := 0.0
	for i := range points {
		sum += of(t.Add(-span * time.Duration(i) / points))
	}
	return sum / points
}

// memories are what is used and free, in kB, with what buffers and caches hold.
func (s *demoServer) memories(d *demoDevice, r *snmpagent.Recording) {
	const (
		ucd  = "1.3.6.1.4.1.2021.4."
		swap = 4e9 / 1024
	)
	total := s.memory / 1024
	used, swapped := newWave(s.name+" ram", s.ram/100, 0.01, 0.02), newWave(s.name+" swap", 0.025, 0, 0.1)
	available := func(t time.Time) float64 { return total * (1 - used.at(t)) }
	constant := func(v float64) func(time.Time) float64 { return func(time.Time) float64 { return v } }
	for oid, value := range map[string]func(t time.Time) float64{
		"3.0": constant(swap), "4.0": func(t time.Time) float64 { return swap * (1 - swapped.at(t)) },
		"5.0": constant(total), "6.0": func(t time.Time) float64 { return 0.3 * available(t) },
		"14.0": func(t time.Time) float64 { return 0.08 * available(t) }, "15.0": func(t time.Time) float64 { return 0.62 * available(t) },
		"27.0": available, // memSysAvail
	} {
		d.number(r, ucd+oid, value)
	}
}

// storage is the table of file systems, in blocks of 4 kB, and how long the system has been up.
func (s *demoServer) storage(d *demoDevice, r *snmpagent.Recording, begun time.Time) {
	const (
		table = "1.3.6.1.2.1.25.2.3.1"
		block = 4096
	)
	for i, k := range s.disks {
		row := 31 + i
		r.SetInt(cell(table+".1", row), int32(row))
		r.SetOID(cell(table+".2", row), "1.3.6.1.2.1.25.2.1.4") // hrStorageFixedDisk
		r.SetString(cell(table+".3", row), k.path)
		r.SetInt(cell(table+".4", row), block)
		r.SetInt(cell(table+".5", row), int32(math.Round(k.size/block)))
		d.number(r, cell(table+".6", row), func(t time.Time) float64 { return k.fill(t.Sub(begun)) / block })
	}
	d.gauge(r, "1.3.6.1.2.1.25.1.1.0", snmpagent.TimeTicks, func(t time.Time) float64 { return 100 * t.Sub(d.booted).Seconds() })
}

// rotation is how long what rotates gains before it loses.
const rotation = 10 * time.Minute

// fill is how many octets a disk holds so long after the demo began. It keeps one hundredth free.
func (k *demoDisk) fill(after time.Duration) float64 {
	turn := float64(after%rotation) / float64(rotation)
	return min(k.size*(k.used+k.rotates*(turn-0.5))+k.grows*after.Seconds(), 0.99*k.size)
}

// senses are temperatures in thousandths of a degree, which follow the processors' load, and the calls that FreeSWITCH counts.
func (s *demoServer) senses(d *demoDevice, r *snmpagent.Recording) {
	const sensors = "1.3.6.1.4.1.2021.13.16.2.1"
	load := s.load(d)
	for i, sensor := range []struct {
		name        string
		idle, atAll float64 // degrees without load and what full load adds
	}{{"Package id 0", 34, 38}, {"nvme0 Composite", 36, 9}, {"Inlet", 22, 1}} {
		own := newWave(s.name+" "+sensor.name, sensor.idle, 0.01, 0.02)
		r.SetInt(cell(sensors+".1", i+1), int32(i+1))
		r.SetString(cell(sensors+".2", i+1), sensor.name)
		d.gauge(r, cell(sensors+".3", i+1), snmpagent.Gauge32, func(t time.Time) float64 {
			return 1000 * (own.at(t) + sensor.atAll*average(load, t, time.Minute))
		})
	}
	calls := newWave(s.name+" calls", s.calls, 0.25, 0.05)
	d.gauge(r, "1.3.6.1.4.1.27880.1.2.5.0", snmpagent.Gauge32, calls.at) // systemStats, current calls
}
