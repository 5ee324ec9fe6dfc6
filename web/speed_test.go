package web

import (
	"fmt"
	"testing"
	"time"

	"vigia/collectors"
	"vigia/collectors/inventory"
)

// crowd is an operator with two hundred objects, an hour of samples of each, and twenty standing alarms.
func crowd(t testing.TB) *testWorld {
	spec := inventory.Spec{Sites: []inventory.Site{{Name: "a"}, {Name: "b"}, {Name: "c"}, {Name: "d"}}}
	for i := range 80 {
		spec.Links = append(spec.Links, inventory.Link{Name: fmt.Sprint("link-", i), Site: spec.Sites[i%4].Name})
		spec.Servers = append(spec.Servers, inventory.Server{Name: fmt.Sprint("server-", i), Site: spec.Sites[i%4].Name})
	}
	for i := range 40 {
		spec.Trunks = append(spec.Trunks, inventory.Trunk{Name: fmt.Sprint("trunk-", i), Site: spec.Sites[i%4].Name})
	}
	inv, err := inventory.New(spec)
	if err != nil {
		t.Fatal(err)
	}
	w := startWorld(t, inv)
	now := time.Now().UTC()
	for _, r := range inv.Refs() {
		var samples []collectors.Sample
		for i := range 360 {
			for _, m := range []collectors.Metric{collectors.LossPct, collectors.LatencyMS, collectors.Up} {
				samples = append(samples, collectors.Sample{
					Series: collectors.Series{Metric: m, Ref: r, Instance: "ping"}, At: now.Add(time.Duration(i-360) * 10 * time.Second), Value: float64(i % 7), Every: 10 * time.Second,
				})
			}
		}
		w.store.Put(samples)
	}
	for i := range 20 {
		w.put(collectors.LossPct, ref(inventory.KindLink, fmt.Sprint("link-", i)), 30)
	}
	w.await("twenty incidents", func() bool { return len(w.live()) == 20 })
	return w
}

// BenchmarkPages is the server's time for the pages of a busy NOC: the aim is 50 ms.
func BenchmarkPages(b *testing.B) {
	w := crowd(b)
	for _, page := range []string{"/", "/alarms", "/links", "/wallboard", "/sites"} {
		b.Run(page, func(b *testing.B) {
			for b.Loop() {
				if a := w.get(page); a.StatusCode != 200 {
					b.Fatalf("status %d", a.StatusCode)
				}
			}
		})
	}
}

// crowdOfDevices is an operator with two hundred switches of 48 interfaces: 67,200 series of interfaces alone.
func crowdOfDevices(t testing.TB) *testWorld {
	spec := inventory.Spec{Sites: []inventory.Site{{Name: "a"}}}
	for i := range 200 {
		spec.Servers = append(spec.Servers, inventory.Server{Name: fmt.Sprint("switch-", i), Site: "a"})
	}
	inv, err := inventory.New(spec)
	if err != nil {
		t.Fatal(err)
	}
	w := startWorld(t, inv)
	for _, r := range inv.Refs() {
		if r.Kind != inventory.KindServer {
			continue
		}
		values := []collectors.Value{{Metric: collectors.CPUPct, Value: 12}, {Metric: collectors.RAMPct, Value: 50}}
		for i := range 4 {
			values = append(values, collectors.Value{Metric: collectors.DiskPct, Part: fmt.Sprint("/", i), Value: float64(20 * i)})
		}
		for i := range 48 {
			values = append(values, portValues(fmt.Sprint("Gi1/0/", i), fields{"name": fmt.Sprint("Gi", i)}, 1e6*float64(i), 1e6, 1e9)...)
		}
		w.poll(r, time.Now().Add(-time.Minute).UTC(), values)
		w.poll(r, time.Now().UTC(), values)
	}
	return w
}

// BenchmarkDevicePages is the same with devices of many parts; the aim is 50 ms again.
func BenchmarkDevicePages(b *testing.B) {
	w := crowdOfDevices(b)
	for _, page := range []string{"/", "/servers", "/servers/switch-7"} {
		b.Run(page, func(b *testing.B) {
			for b.Loop() {
				if a := w.get(page); a.StatusCode != 200 {
					b.Fatalf("status %d", a.StatusCode)
				}
			}
		})
	}
}
