package snmp

import (
	"context"
	"fmt"
	"testing"
	"time"

	"vigia/collectors"
	"vigia/collectors/collectorstest/snmpagent"
	"vigia/collectors/inventory"
)

// switchOf records what a poll of a switch with that many ports reads.
func switchOf(ports int) *snmpagent.Recording {
	r := &snmpagent.Recording{}
	r.SetString("1.3.6.1.2.1.1.1.0", "a switch")
	r.SetOID("1.3.6.1.2.1.1.2.0", "1.3.6.1.4.1.32473.1")
	r.SetTicks("1.3.6.1.2.1.1.3.0", 30*24*time.Hour)
	r.SetTicks("1.3.6.1.2.1.31.1.5.0", time.Minute)
	for i := range ports {
		of := func(column string) string { return fmt.Sprintf("%s.%d", column[1:], 10101+i) }
		r.SetString(of(ifDescr), fmt.Sprintf("GigabitEthernet1/0/%d", i+1))
		r.SetInt(of(ifType), 6)
		r.SetGauge(of(ifSpeed), 1_000_000_000)
		r.SetInt(of(ifAdminStatus), 1)
		r.SetInt(of(ifOperStatus), 1)
		for _, c := range []string{ifInErrors, ifOutErrors, ifInDiscards, ifOutDiscards} {
			r.SetCounter32(of(c), 10_000)
		}
		r.SetString(of(ifName), fmt.Sprintf("Gi1/0/%d", i+1))
		r.SetCounter64(of(ifHCInOctets), 65e12)
		r.SetCounter64(of(ifHCOutOctets), 65e12)
		r.SetGauge(of(ifHighSpeed), 1000)
		r.SetTicks(of(ifDiscontinuity), 0)
	}
	return r
}

// BenchmarkPoll48 is one poll of a switch with 48 ports, with the time that the simulated device takes to answer.
func BenchmarkPoll48(b *testing.B) {
	agent, err := snmpagent.Listen("127.0.0.1:0", snmpagent.Config{Recording: switchOf(48), Grow: true})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { agent.Close() })
	turned := time.Now()
	kind := kindWith(newRegistry(func() time.Time { turned = turned.Add(time.Second); return turned }))
	c := kind.New().(*Config)
	c.Host, c.Port, c.Community = "127.0.0.1", int(agent.Addr().Port()), inventory.NewSecret("public")
	id := collectors.CheckID{Ref: inventory.Ref{Kind: inventory.KindServer, Name: "switch"}, Instance: name}
	collector, err := c.Open(collectors.Setup{ID: id, Every: time.Minute, Timeout: 10 * time.Second})
	if err != nil {
		b.Fatal(err)
	}
	poll := func() {
		if r := collector.Probe(context.Background()); !r.OK || len(r.Values) < 48 {
			b.Fatalf("%d values, %s", len(r.Values), words.Say(collectors.English, r.Why))
		}
	}
	poll() // discovers
	b.ReportAllocs()
	for b.Loop() {
		poll()
	}
}
