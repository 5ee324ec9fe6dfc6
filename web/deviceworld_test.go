package web

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"
	"time"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
)

// hostile is what a device could call itself and its parts.
const hostile = `"><script>alert(1)</script><b onmouseover='x'>`

// deviceWorld is an operator with a link, a server, a switch and a device that means harm, measured by SNMP for eight hours.
func deviceWorld(t testing.TB) *testWorld {
	t.Helper()
	zone, err := time.LoadLocation("America/Costa_Rica")
	if err != nil {
		t.Fatal(err)
	}
	inv, err := inventory.New(inventory.Spec{
		Sites:   []inventory.Site{{Name: "san-jose", Timezone: zone}},
		Links:   []inventory.Link{{Name: "sjo-gua", Site: "san-jose", Peer: "Guatemala", Capacity: 1e9}, {Name: "sjo-mia", Site: "san-jose", Peer: "Miami"}},
		Servers: []inventory.Server{{Name: "sbc-2", Site: "san-jose"}, {Name: "sw-core", Site: "san-jose"}, {Name: "odd", Site: "san-jose"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	w := startWorld(t, inv)
	w.rules = alerting.NewRules([]alerting.Threshold{
		{Metric: collectors.DiskPct, On: "server/*", Policy: "nobody", Source: "vigia.yaml:4", Tiers: []alerting.Tier{{Severity: alerting.Minor, Raise: 80, Clear: 75}}},
		{Metric: collectors.InUtilPct, On: "*", Policy: "nobody", Source: "vigia.yaml:5", Tiers: []alerting.Tier{
			{Severity: alerting.Major, Raise: 80, Clear: 75}, {Severity: alerting.Critical, Raise: 95, Clear: 90},
		}},
		{Metric: collectors.CPUPct, On: "server/*", Policy: "nobody", Source: "vigia.yaml:6", Tiers: []alerting.Tier{
			{Severity: alerting.Warning, Raise: 60, Clear: 55}, {Severity: alerting.Major, Raise: 80, Clear: 75},
		}},
	})
	w.engine.Reload(&alerting.Config{Inventory: inv, Rules: w.rules, Policies: testPolicies(), DefaultPolicy: "noc"})
	w.measureLink(ref(inventory.KindLink, "sjo-gua"))
	w.measureServer(ref(inventory.KindServer, "sbc-2"))
	w.measureSwitch(ref(inventory.KindServer, "sw-core"), 28, 8)
	w.measureOdd(ref(inventory.KindServer, "odd"))
	w.throwAway(ref(inventory.KindLink, "sjo-gua"))
	return w
}

// eachPoll calls poll for eight hours of polls of a minute, the newest last; age is how long ago it was.
func (w *testWorld) eachPoll(r inventory.Ref, poll func(age time.Duration) []collectors.Value) {
	w.t.Helper()
	now := time.Now().UTC().Truncate(time.Second)
	for age := 8 * time.Hour; age >= 0; age -= time.Minute {
		w.poll(r, now.Add(-age), poll(age))
	}
}

// poll is one poll's values, in the store, and in the engine when it is the newest.
func (w *testWorld) poll(r inventory.Ref, at time.Time, values []collectors.Value) {
	id := collectors.CheckID{Ref: r, Instance: "snmp"}
	samples := make([]collectors.Sample, len(values))
	for i, v := range values {
		samples[i] = collectors.Sample{
			Series: collectors.Series{Metric: v.Metric, Ref: r, Instance: id.Part(v.Part)}, At: at, Value: v.Value, Detail: v.Detail, Every: time.Minute,
		}
	}
	w.store.Put(samples)
	if time.Since(at) < 30*time.Second {
		w.engine.Put(samples)
	}
}

func detail(of any) string {
	text, err := json.Marshal(of)
	if err != nil {
		panic(err)
	}
	return string(text)
}

type fields map[string]any

// wave is a slow swing about a middle, with a small quick one on it.
func wave(age time.Duration, middle, swing float64) float64 {
	h := age.Hours()
	return middle + swing*math.Sin(h/1.7) + swing/4*math.Sin(h*23)
}

// portValues are the values of one interface.
func portValues(part string, of fields, in, out, speed float64) []collectors.Value {
	values := []collectors.Value{
		{Metric: collectors.InterfaceUp, Part: part, Value: 1, Detail: detail(of)},
		{Metric: collectors.InBps, Part: part, Value: in},
		{Metric: collectors.OutBps, Part: part, Value: out},
		{Metric: collectors.ErrorsPps, Part: part},
		{Metric: collectors.DiscardsPps, Part: part},
	}
	if speed > 0 {
		values = append(values, collectors.Value{Metric: collectors.InUtilPct, Part: part, Value: 100 * in / speed}, collectors.Value{Metric: collectors.OutUtilPct, Part: part, Value: 100 * out / speed})
	}
	return values
}

func (w *testWorld) measureLink(r inventory.Ref) {
	w.eachPoll(r, func(age time.Duration) []collectors.Value {
		of := fields{"name": "Gi0/1", "alias": "to Guatemala, FibraNorte", "descr": "GigabitEthernet0/1", "type": 6, "speed_bps": 1e9, "capacity_bps": 1e9, "admin": "up", "oper": "up", "index": "10101"}
		values := portValues("", of, wave(age, 590e6, 60e6), wave(age+time.Hour, 470e6, 40e6), 1e9)
		return append(values,
			collectors.Value{Metric: collectors.UptimeS, Value: (200*24*time.Hour - age).Seconds(), Detail: detail(fields{"title": "Cisco IOS XE", "profile": "cisco-ios-xe", "model": "ASR1001-X", "name": "gua-r2"})},
		)
	})
	now := time.Now().UTC()
	for age := time.Hour; age >= 0; age -= 10 * time.Second {
		var samples []collectors.Sample
		for m, v := range map[collectors.Metric]float64{collectors.LossPct: 0.05, collectors.LatencyMS: wave(age, 41, 1.5), collectors.JitterMS: wave(age, 1.2, 0.3), collectors.Up: 1} {
			samples = append(samples, collectors.Sample{Series: collectors.Series{Metric: m, Ref: r, Instance: "ping"}, At: now.Add(-age), Value: v, Every: 10 * time.Second})
		}
		w.store.Put(samples)
	}
}

// measureServer is a server whose /var fills and whose /var/spool rotates.
func (w *testWorld) measureServer(r inventory.Ref) {
	gb := func(used, total float64) string { return detail(fields{"used": used * 1e9, "total": total * 1e9}) }
	disk := func(part string, pct, total float64) collectors.Value {
		return collectors.Value{Metric: collectors.DiskPct, Part: part, Value: pct, Detail: gb(pct/100*total, total)}
	}
	w.eachPoll(r, func(age time.Duration) []collectors.Value {
		cpu, ram := wave(age, 41, 9), wave(age, 58, 1)
		values := []collectors.Value{
			{Metric: collectors.CPUPct, Value: cpu, Detail: `{"cores":8}`},
			{Metric: collectors.RAMPct, Value: ram, Detail: gb(ram/100*16, 16)},
			{Metric: collectors.SwapPct, Value: 2.4, Detail: gb(0.1, 4)},
			{Metric: collectors.PoolPct, Part: "Processor", Value: 61, Detail: gb(0.61, 1)},
			{Metric: collectors.Load1, Value: wave(age, 3.1, 0.8)},
			{Metric: collectors.Load5, Value: wave(age, 3, 0.4)},
			{Metric: collectors.Load15, Value: 2.94},
			disk("/", 41, 60), disk("/var", 86-age.Hours()*0.065, 160), disk("/var/spool", 40+math.Mod(100-age.Hours(), 3)*4, 500), disk("/boot", 31, 1),
			{Metric: collectors.UptimeS, Value: (113*24*time.Hour - age).Seconds(), Detail: detail(fields{
				"profile": "net-snmp-linux", "title": "Linux, net-snmp", "name": "sbc-2", "descr": "Linux sbc-2 6.1.0-28-amd64 #1 SMP Debian 6.1.119-1 x86_64",
				"location": "San José, rack 4", "model": "AudioCodes Mediant VE", "serial": "VE-220817", "version": "7.40A.500",
			})},
			{Metric: collectors.Up, Value: 1},
			{Metric: collectors.Calls, Value: math.Round(wave(age, 412, 60))},
			{Metric: collectors.PartOK, Part: "Fan 1", Value: 1},
			{Metric: collectors.PartOK, Part: "Power supply 2", Value: 0},
			{Metric: collectors.PartOK, Part: "Fan 2", Value: 1},
			{Metric: collectors.TemperatureC, Part: "CPU", Value: wave(age, 51, 3)},
			{Metric: collectors.TemperatureC, Part: "Inlet", Value: 24.5},
			{Metric: collectors.FanRPM, Part: "Fan 1", Value: 4812},
			{Metric: collectors.VoltageV, Part: "12V", Value: 12.06},
			{Metric: collectors.PowerW, Part: "PSU 1", Value: 187},
		}
		for i := range 8 {
			values = append(values, collectors.Value{Metric: collectors.CorePct, Part: fmt.Sprint(i), Value: math.Min(math.Max(cpu+12*math.Sin(float64(i*7)), 0), 100)})
		}
		values = append(values, portValues("eth0", fields{"name": "eth0", "alias": "core", "speed_bps": 1e10, "admin": "up", "oper": "up"}, wave(age, 38e6, 6e6), wave(age, 41e6, 6e6), 1e10)...)
		return append(values, portValues("eth1", fields{"name": "eth1", "alias": "access", "speed_bps": 1e9, "admin": "up", "oper": "up"}, wave(age, 41e6, 6e6), wave(age, 38e6, 6e6), 1e9)...)
	})
}

// measureSwitch is a switch with ports that work and ports that are down; the third is nearly full and has errors.
func (w *testWorld) measureSwitch(r inventory.Ref, up, down int) {
	w.eachPoll(r, func(age time.Duration) []collectors.Value {
		if age > time.Hour {
			return nil
		}
		values := []collectors.Value{
			{Metric: collectors.CPUPct, Value: wave(age, 12, 2)},
			{Metric: collectors.UptimeS, Value: 4e6, Detail: detail(fields{"profile": "cisco-ios", "title": "Cisco Catalyst 2960X", "name": "sw-core"})},
		}
		for i := range up + down {
			part := fmt.Sprint("GigabitEthernet1/0/", i+1)
			of := fields{"name": fmt.Sprint("Gi1/0/", i+1), "alias": fmt.Sprint("access ", i+1, ", floor ", i%4), "descr": part, "speed_bps": 1e9, "admin": "up", "oper": "up"}
			load := wave(age+time.Duration(i)*time.Hour, 30e6*float64(1+i%9), 9e6)
			if i == 2 {
				load = 913e6
			}
			one := portValues(part, of, load, load/3, 1e9)
			if i == 2 {
				one[3].Value, one[4].Value = 0.42, 3.1
			}
			if i >= up {
				of["oper"] = "down"
				if i%2 == 0 {
					of["admin"] = "down"
				}
				one = []collectors.Value{{Metric: collectors.InterfaceUp, Part: part, Value: 0, Detail: detail(of)}}
			}
			values = append(values, one...)
		}
		return values
	})
}

// measureOdd is a device that says hostile things, and says them badly.
func (w *testWorld) measureOdd(r inventory.Ref) {
	now := time.Now().UTC()
	of := fields{"name": hostile, "alias": hostile + "\x00\u202e" + "very long" + fmt.Sprint(make([]int, 300)), "descr": hostile, "speed_bps": -5}
	values := append(portValues(hostile, of, 1e6, 2e6, 0), portValues("bad", nil, 3e6, 1e6, 1e9)...)
	values = append(values,
		collectors.Value{Metric: collectors.UptimeS, Value: 1e300, Detail: detail(fields{"title": hostile, "model": hostile, "name": hostile, "descr": hostile, "location": hostile, "serial": hostile, "version": hostile, "profile": hostile})},
		collectors.Value{Metric: collectors.DiskPct, Part: hostile, Value: 250, Detail: `{"used":-1,"total":1e300}`},
		collectors.Value{Metric: collectors.RAMPct, Value: 50, Detail: `{"used":"much"`},
		collectors.Value{Metric: collectors.TemperatureC, Part: hostile, Value: -300},
		collectors.Value{Metric: collectors.CorePct, Part: hostile, Value: math.MaxFloat64},
	)
	w.poll(r, now.Add(-time.Minute), values)
	w.poll(r, now, values)
}

// throwAway is a run that threw a figure away.
func (w *testWorld) throwAway(r inventory.Ref) {
	id := collectors.CheckID{Ref: r, Instance: "snmp"}
	w.runs.Add(collectors.Run{Check: id, Kind: "snmp", At: time.Now().Add(-9 * time.Minute), Took: 210 * time.Millisecond, Result: collectors.Result{
		OK: true, Why: collectors.Because("service.healthy", 12.0), Discarded: 2,
		Steps: []collectors.Reason{collectors.Because("service.healthy", 3.0), collectors.Because("snmp.discarded_above", "Gi0/1", "1.9 Tb/s")},
	}})
	w.runs.Add(collectors.Run{Check: id, Kind: "snmp", At: time.Now().Add(-8 * time.Minute), Took: 190 * time.Millisecond, Result: collectors.Result{OK: true, Why: collectors.Because("service.healthy", 12.0)}})
}
