package main

import (
	"context"
	"math"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"vigia/collectors"
	"vigia/collectors/inventory"
	"vigia/collectors/snmp"
)

// demoClock is a clock that the test moves.
type demoClock struct{ at time.Time }

func (c *demoClock) now() time.Time { return c.at }

// heard is a device that listens, and is closed with the test.
func heard(t *testing.T, d *demoDevice) *demoDevice {
	t.Helper()
	if err := d.listen("127.0.0.1"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.close() })
	return d
}

func served(t *testing.T, d *demoDevice, oid string) float64 {
	t.Helper()
	v, ok := d.agent.Value(oid)
	if !ok {
		t.Fatalf("%s has no number at %s", d.system.name, oid)
	}
	return float64(v)
}

// TestDemoDay lives through a day and looks whether what the devices count is what an operator would see.
func TestDemoDay(t *testing.T) {
	clock := &demoClock{time.Date(2026, 3, 2, 11, 0, 0, 0, time.UTC)}
	devices := demoDevices(clock.now)
	for _, d := range devices {
		heard(t, d)
	}
	const in, out, user, idle = "1.3.6.1.2.1.31.1.1.1.6.", "1.3.6.1.2.1.31.1.1.1.10.", "1.3.6.1.4.1.2021.11.50.0", "1.3.6.1.4.1.2021.11.53.0"
	for _, c := range []struct {
		device, oid  string
		factor       float64 // of what it counts in a second
		least, most  float64
		name         string
		wantMovement float64
	}{
		{"edge-sjo", in + "2", 8e-6, 510, 715, "Mbit/s into San José from Miami", 30},
		{"edge-sjo", out + "2", 8e-6, 400, 560, "Mbit/s out to Miami", 25},
		{"edge-gua", in + "4", 8e-6, 102, 143, "Mbit/s in from Guatemala", 6},
		{"sbc-2.snmp", idle, 1. / 8, 50, 75, "idle ticks of a processor", 5},
		{"media-1.snmp", user, 1. / 4, 14, 28, "ticks of work of a processor", 3},
		{"media-1.snmp", in + "2", 8e-6, 55, 78, "Mbit/s into eth0", 3},
	} {
		start := clock.at
		last, low, high := served(t, devices[c.device], c.oid), math.Inf(1), 0.0
		for clock.at.Before(start.Add(24 * time.Hour)) {
			clock.at = clock.at.Add(time.Minute)
			now := served(t, devices[c.device], c.oid)
			rate := (now - last) / 60 * c.factor
			low, high, last = min(low, rate), max(high, rate), now
		}
		if low < c.least || high > c.most || high-low < c.wantMovement {
			t.Errorf("%s: %.0f to %.0f %s", c.device, low, high, c.name)
		}
	}
}

// TestDemoFill is the disk that fills: nine days from the start.
func TestDemoFill(t *testing.T) {
	k := demoDisk{size: 160e9, used: 0.86, grows: 29e3}
	if full := k.fill(8 * day); full > 0.99*k.size {
		t.Errorf("full after eight days: %.0f", full)
	}
	if full := k.fill(30 * day); full != 0.99*k.size {
		t.Errorf("not full after thirty days: %.0f", full)
	}
}

// TestDemoDevicesReadByTheCollector polls each device with the real collector and looks for what its page shows.
func TestDemoDevicesReadByTheCollector(t *testing.T) {
	for name, d := range demoDevices(time.Now) {
		ref, iface := inventory.Ref{Kind: inventory.KindServer, Name: name}, ""
		want := []collectors.Metric{collectors.CPUPct, collectors.CorePct, collectors.RAMPct, collectors.SwapPct, collectors.DiskPct, collectors.Load1, collectors.TemperatureC, collectors.Calls, collectors.InBps}
		if d.ports[0].kind == demoEthernet {
			ref.Kind, iface = inventory.KindLink, carrierOf(d)
			want = []collectors.Metric{collectors.InBps, collectors.OutBps, collectors.InUtilPct, collectors.ErrorsPps, collectors.DiscardsPps, collectors.InterfaceUp}
		}
		probe := polled(t, heard(t, d), ref, iface)
		probe()
		again(t, 5*time.Second, name+" does not show everything", func() bool {
			r := probe()
			return r.OK && r.Discarded == 0 && !slices.ContainsFunc(want, func(m collectors.Metric) bool {
				return !slices.ContainsFunc(r.Values, func(v collectors.Value) bool { return v.Metric == m })
			})
		})
	}
}

// TestDemoTroubles sees what each trouble does to a router's line.
func TestDemoTroubles(t *testing.T) {
	d := heard(t, demoDevices(time.Now)["edge-sjo"])
	probe := polled(t, d, inventory.Ref{Kind: inventory.KindLink, Name: "sjo-mia"}, carrierOf(d))
	probe()
	become := func(h demoHealth, what string, so func(collectors.Result) bool) {
		t.Helper()
		if err := d.set(h); err != nil {
			t.Fatal(err)
		}
		again(t, 5*time.Second, what, func() bool { return so(probe()) })
	}
	discarded := func(code string) func(collectors.Result) bool {
		return func(r collectors.Result) bool { return r.Discarded > 0 && r.Why.Code == code }
	}
	traffic := func(r collectors.Result) bool { return r.OK && r.Why.Code == "snmp.traffic" }
	become(demoWell, "no traffic", traffic)
	become(demoFaulty, "its line does not go down", func(r collectors.Result) bool { return r.Why.Code == "snmp.state_down" })
	become(demoWell, "its line does not count anew", discarded("snmp.discarded_mark"))
	become(demoWell, "no traffic again", traffic)
	before := d.index(0)
	if err := d.set(demoSilent); err != nil {
		t.Fatal(err)
	}
	if r := probe(); r.OK {
		t.Error("it answers while it starts again")
	}
	become(demoWell, "its restart is not seen", discarded("snmp.discarded_restart"))
	if d.index(0) == before {
		t.Error("its interfaces have the same indexes after the restart")
	}
	become(demoWell, "no traffic after the restart", traffic)
}

// carrierOf is the interface that carries a router's link.
func carrierOf(d *demoDevice) string {
	for _, p := range d.ports {
		if p.carrier {
			return p.alias
		}
	}
	return ""
}

// polled opens the real collector on a device and returns what polls once.
func polled(t *testing.T, d *demoDevice, ref inventory.Ref, iface string) func() collectors.Result {
	t.Helper()
	host, port, err := net.SplitHostPort(d.addr())
	if err != nil {
		t.Fatal(err)
	}
	c := snmp.Kind().New().(*snmp.Config)
	c.Host, c.Community, c.Interface = host, inventory.NewSecret(demoCommunity), iface
	if c.Port, err = strconv.Atoi(port); err != nil {
		t.Fatal(err)
	}
	const timeout = 500 * time.Millisecond
	p, err := c.Open(collectors.Setup{ID: collectors.CheckID{Ref: ref, Instance: "snmp"}, Every: time.Second, Timeout: timeout})
	if err != nil {
		t.Fatal(err)
	}
	return func() collectors.Result {
		ctx, cancel := context.WithTimeout(t.Context(), timeout)
		defer cancel()
		return p.Probe(ctx)
	}
}

// again polls until it is so, or the time is over. Polls that follow each other too closely say no rates.
func again(t *testing.T, within time.Duration, what string, so func() bool) {
	t.Helper()
	end, tick := time.After(within), time.NewTicker(250*time.Millisecond)
	defer tick.Stop()
	for !so() {
		select {
		case <-end:
			t.Fatal(what)
		case <-tick.C:
		}
	}
}

// TestDemoConfiguration loads what the demo writes.
func TestDemoConfiguration(t *testing.T) {
	t.Setenv("VIGIA_DEMO_SECRET", "a-secret-of-the-test")
	t.Setenv("VIGIA_DEMO_COMMUNITY", demoCommunity)
	parts, err := newDemoParts()
	t.Cleanup(func() { closeParts(parts) })
	if err != nil {
		t.Fatal(err)
	}
	sinks, err := newDemoSinks(time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sinks.close)
	dir := t.TempDir()
	text, err := writeDemoConfig("127.0.0.1:8080", dir, parts, sinks, &demoPhones{hep: "127.0.0.1:9060", rtcp: "127.0.0.1:5005"}, false)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "vigia.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, notices, err := Load(file, kinds())
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range notices {
		t.Error(n)
	}
	for _, trouble := range demoTroubles {
		for name := range trouble.parts {
			if parts[name] == nil {
				t.Errorf("%s: there is no part %s", trouble.what, name)
			}
		}
	}
}

// TestDemoLimits is what is at its limit: a line that is filled, a processor that has much to do.
func TestDemoLimits(t *testing.T) {
	clock := &demoClock{time.Date(2026, 3, 2, 18, 0, 0, 0, time.UTC)}
	devices := demoDevices(clock.now)
	for _, c := range []struct {
		device, oid         string
		factor, least, most float64
	}{
		{"edge-sjo", "1.3.6.1.2.1.31.1.1.1.6.2", 8e-6, 950, 970},    // Mbit/s
		{"sbc-2.snmp", "1.3.6.1.4.1.2021.11.53.0", 1. / 8, 6.5, 10}, // idle ticks of a processor
		{"edge-sjo", "1.3.6.1.2.1.2.2.1.19.2", 1, 30, 40},           // packets a second that find no room
	} {
		d := devices[c.device]
		if d.agent == nil {
			heard(t, d)
		}
		if err := d.set(demoBusy); err != nil {
			t.Fatal(err)
		}
		clock.at = clock.at.Add(demoRamp)
		before := served(t, d, c.oid)
		clock.at = clock.at.Add(time.Minute)
		if rate := (served(t, d, c.oid) - before) / 60 * c.factor; rate < c.least || rate > c.most {
			t.Errorf("%s %s: %.1f", c.device, c.oid, rate)
		}
	}
}
