package main

import (
	"strconv"
	"time"

	"vigia/collectors/collectorstest/snmpagent"
)

// The operator's devices: two routers at the edge and four servers.

const day = 24 * time.Hour

// demoDevices are the devices by the name of their part.
func demoDevices(now func() time.Time) map[string]*demoDevice {
	return map[string]*demoDevice{
		"edge-sjo": newDemoDevice(demoSystem{
			name: "edge-sjo", descr: "RouterOS CCR2004-16G-2S+", objectID: "1.3.6.1.4.1.14988.1", location: "San José, rack 2", uptime: 41*day + 7*time.Hour,
		}, now, edgeSJO(), nil),
		"edge-gua": newDemoDevice(demoSystem{
			name: "edge-gua", descr: "Juniper Networks, Inc. mx80 internet router", objectID: "1.3.6.1.4.1.2636.1.1.1.2.57", location: "San José, rack 3", uptime: 212*day + 3*time.Hour,
		}, now, edgeGUA(), nil),
		"sbc-1.snmp": newDemoServer(now, &demoServer{
			name: "sbc-1", location: "San José, rack 4", uptime: 113*day + 6*time.Hour, cores: 8, memory: 16e9, cpu: 35, ram: 57, calls: 350, in: 41, out: 43,
			disks: []demoDisk{{path: "/", size: 60e9, used: 0.38}, {path: "/var", size: 160e9, used: 0.44}, {path: "/var/lib/pcap", size: 500e9, used: 0.51, rotates: 0.012}, {path: "/boot", size: 1e9, used: 0.31}},
		}),
		"sbc-2.snmp": newDemoServer(now, &demoServer{
			name: "sbc-2", location: "San José, rack 4", uptime: 113*day + 5*time.Hour, cores: 8, memory: 16e9, cpu: 38, ram: 58, calls: 360, in: 38, out: 41,
			disks: []demoDisk{{path: "/", size: 60e9, used: 0.41}, {path: "/var", size: 160e9, used: 0.86, grows: 29e3}, {path: "/var/lib/pcap", size: 500e9, used: 0.52, rotates: 0.012}, {path: "/boot", size: 1e9, used: 0.31}},
		}),
		"media-1.snmp": newDemoServer(now, &demoServer{
			name: "media-1", location: "Miami, cage 12", uptime: 58*day + 11*time.Hour, cores: 4, memory: 8e9, cpu: 33, ram: 56, calls: 330, in: 66, out: 66,
			disks: []demoDisk{{path: "/", size: 60e9, used: 0.29}, {path: "/var", size: 160e9, used: 0.35}, {path: "/boot", size: 1e9, used: 0.27}},
		}),
		"media-2.snmp": newDemoServer(now, &demoServer{
			name: "media-2", location: "Miami, cage 12", uptime: 19*day + 2*time.Hour, cores: 4, memory: 8e9, cpu: 29, ram: 59, calls: 318, in: 62, out: 63,
			disks: []demoDisk{{path: "/", size: 60e9, used: 0.3}, {path: "/var", size: 160e9, used: 0.37}, {path: "/boot", size: 1e9, used: 0.27}},
		}),
	}
}

// edgeSJO is the router whose ether2 carries link sjo-mia.
func edgeSJO() []demoLine {
	return []demoLine{
		{name: "ether1", alias: "transit, TransAmericas", kind: demoEthernet, mbps: 1000, in: 340, out: 120},
		{name: "ether2", alias: "sjo-mia, TeleMar TM-4471", kind: demoEthernet, mbps: 1000, in: 610, out: 480, full: 960, carrier: true},
		{name: "ether3", alias: "core-1", kind: demoEthernet, mbps: 1000, in: 420, out: 510},
		{name: "ether4", alias: "core-2", kind: demoEthernet, mbps: 1000, in: 180, out: 290},
		{name: "ether5", alias: "office", kind: demoEthernet, mbps: 100, in: 11, out: 34},
		{name: "ether6", alias: "camera, was CAM-3", kind: demoEthernet, mbps: 100, shut: true},
		{name: "ether7", kind: demoEthernet, unplugged: true},
		{name: "ether8", kind: demoEthernet, unplugged: true},
		{name: "sfp-sfpplus1", alias: "spare", kind: demoEthernet, mbps: 10000, unplugged: true},
		{name: "lo", kind: demoLoopback},
	}
}

// edgeGUA is the router whose ge-1/0/3 carries link sjo-gua: a service of 200 Mbit/s on a port of 1 Gbit/s, with an optic that ages.
func edgeGUA() []demoLine {
	return []demoLine{
		{name: "ge-1/0/0", alias: "core-1", kind: demoEthernet, mbps: 1000, in: 150, out: 132},
		{name: "ge-1/0/1", alias: "core-2", kind: demoEthernet, mbps: 1000, in: 24, out: 21},
		{name: "ge-1/0/2", alias: "IXP San José", kind: demoEthernet, mbps: 1000, in: 63, out: 38},
		{name: "ge-1/0/3", alias: "sjo-gua, FibraNorte FN-20817", kind: demoEthernet, mbps: 1000, in: 122, out: 104, full: 192, faults: 4, carrier: true},
		{name: "ge-1/0/4", alias: "customer 1184", kind: demoEthernet, mbps: 1000, in: 9, out: 31},
		{name: "ge-1/0/5", alias: "customer 1202, ended in March", kind: demoEthernet, mbps: 1000, shut: true},
		{name: "ge-1/0/6", kind: demoEthernet, unplugged: true},
		{name: "ge-1/0/7", kind: demoEthernet, unplugged: true},
		{name: "fxp0", alias: "management", kind: demoEthernet, mbps: 100, in: 0.2, out: 0.4},
		{name: "lo0", kind: demoLoopback},
	}
}

// demoServer is a server with Linux and net-snmp as one would describe it. Sizes are in octets.
type demoServer struct {
	name, location string
	uptime         time.Duration
	cores          int
	memory         float64
	cpu, ram       float64 // percent on an ordinary day
	calls          float64
	in, out        float64 // Mbit/s of each of its two networks
	disks          []demoDisk
}

type demoDisk struct {
	path    string
	size    float64
	used    float64 // share, when the demo begins
	grows   float64 // octets a second
	rotates float64 // share that it gains in ten minutes and loses at once
}

func newDemoServer(now func() time.Time, s *demoServer) *demoDevice {
	const linux = "1.3.6.1.4.1.8072.3.2.10" // netSnmpAgentOIDs, Linux
	lines := []demoLine{
		{name: "lo", kind: demoLoopback, mbps: 10, in: 0.6, out: 0.6},
		{name: "eth0", alias: "core", kind: demoEthernet, mbps: 10000, in: s.in, out: s.out},
		{name: "eth1", alias: "carriers", kind: demoEthernet, mbps: 10000, in: s.out, out: s.in},
	}
	begun := now()
	return newDemoDevice(demoSystem{
		name: s.name, descr: "Linux " + s.name + " 6.1.0-28-amd64 #1 SMP PREEMPT_DYNAMIC x86_64", objectID: linux, location: s.location, uptime: s.uptime,
	}, now, lines, func(d *demoDevice, r *snmpagent.Recording) {
		s.processors(d, r)
		s.memories(d, r)
		s.storage(d, r, begun)
		s.senses(d, r)
	})
}

func cell(column string, index int) string { return column + "." + strconv.Itoa(index) }
