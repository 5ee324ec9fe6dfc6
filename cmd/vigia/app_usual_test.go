package main

import (
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vigia/collectors"
	"vigia/collectors/inventory"
	"vigia/store"
	"vigia/store/storetest"
)

const usualConfig = `
listen: 127.0.0.1:0
sites: [{name: sjo, timezone: America/Costa_Rica}, {name: fra, timezone: Europe/Berlin}]
servers:
  - {name: sbc-1, site: sjo}
  - {name: sbc-2, site: sjo}
services: [{name: sbc, servers: [sbc-1, sbc-2], at_least: 1}]
trunks: [{name: carrier-a, site: fra}]
thresholds:
  - {metric: change_1h, on: server/*, instance: ram_pct, tiers: [{severity: minor, raise: 20, clear: 5}]}
  - {metric: unusual, on: trunk/*, instance: calls, tiers: [{severity: minor, raise: -5, clear: -3}]}
`

// history is a store with past samples, and a deriver over it.
type history struct {
	*deriver
	got []collectors.Sample
}

func newHistory(t *testing.T, open storetest.Opener, now time.Time) *history {
	t.Helper()
	file := filepath.Join(t.TempDir(), "vigia.yaml")
	if err := os.WriteFile(file, []byte(usualConfig), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, _, err := Load(file, testKinds())
	if err != nil {
		t.Fatal(err)
	}
	s := open(func(c *store.Config) { c.Now = func() time.Time { return now } })
	h := &history{}
	one := &live{config: cfg, engine: cfg.EngineConfig()}
	h.deriver = &deriver{
		store: s, live: func() *live { return one }, now: func() time.Time { return now }, logger: slog.New(slog.DiscardHandler),
		usual: collectors.NewUsual(collectors.SinkFunc(func(list []collectors.Sample) { h.got = append(h.got, list...) })),
		put:   func(list []collectors.Sample) { h.got = append(h.got, list...) },
	}
	return h
}

func (h *history) fill(t *testing.T, s collectors.Series, from, to time.Time, every time.Duration, value func(time.Time) float64) {
	t.Helper()
	var list []collectors.Sample
	for at := from; at.Before(to); at = at.Add(every) {
		list = append(list, collectors.Sample{Series: s, At: at, Value: value(at), Every: every})
	}
	h.store.Put(list)
	if err := h.store.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (h *history) of(metric collectors.Metric) (list []collectors.Sample) {
	for _, m := range h.got {
		if m.Series.Metric == metric {
			list = append(list, m)
		}
	}
	return list
}

func seriesOf(metric collectors.Metric, kind inventory.Kind, name, instance string) collectors.Series {
	return collectors.Series{Metric: metric, Ref: inventory.Ref{Kind: kind, Name: name}, Instance: instance}
}

// TestUsualByTheWallClock: what is usual at an hour is learnt from the same hour by the clock of the site, over the change to winter time too.
func TestUsualByTheWallClock(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skipf("no time zones on this machine: %v", err)
	}
	storetest.Each(t, func(t *testing.T, open storetest.Opener) {
		now := time.Date(2026, 11, 9, 10, 20, 0, 0, zone) // Monday; the clock was put back on October 25th
		h := newHistory(t, open, now)
		calls := seriesOf(collectors.Calls, inventory.KindTrunk, "carrier-a", "")
		for k := 1; k <= 5; k++ {
			day := time.Date(2026, 11, 9, 9, 0, 0, 0, zone).AddDate(0, 0, -7*k)
			h.fill(t, calls, day, day.Add(3*time.Hour), time.Minute, func(at time.Time) float64 { return map[bool]float64{true: 400, false: 10}[at.In(zone).Hour() == 10] })
		}
		h.fill(t, calls, now.Add(-time.Minute), now, time.Minute, func(time.Time) float64 { return 400 })
		h.round(t.Context())
		w, ok := h.usual.Watching()[calls]
		if !ok || w.Middle != 400 || w.Weeks != 5 || !w.Distance || !w.Share {
			t.Fatalf("what is usual: %+v (%v)", w, ok)
		}
		h.usual.Put([]collectors.Sample{{Series: calls, At: now, Value: 0, Every: time.Minute}})
		if list := h.of(collectors.TimesUsual); len(list) != 1 || list[0].Value != 0 {
			t.Errorf("times the usual: %+v", list)
		}
		if list := h.of(collectors.Unusual); len(list) != 1 || list[0].Value != -20 {
			t.Errorf("distance from usual: %+v", list)
		}
	})
}

// TestDerived: changes within an hour, disks that fill, and how busy a service is.
func TestDerived(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open storetest.Opener) {
		now := time.Date(2026, 11, 9, 16, 0, 30, 0, time.UTC)
		h := newHistory(t, open, now)
		ram := seriesOf(collectors.RAMPct, inventory.KindServer, "sbc-1", "snmp")
		h.fill(t, ram, now.Add(-2*time.Hour), now, time.Minute, func(at time.Time) float64 { return map[bool]float64{true: 70, false: 40}[now.Sub(at) < 30*time.Minute] })
		disk := seriesOf(collectors.DiskPct, inventory.KindServer, "sbc-1", "snmp:/var")
		h.fill(t, disk, now.Add(-5*24*time.Hour), now, 10*time.Minute, func(at time.Time) float64 { return 90 - now.Sub(at).Hours()/12 })
		flat := seriesOf(collectors.DiskPct, inventory.KindServer, "sbc-2", "snmp:/")
		h.fill(t, flat, now.Add(-5*24*time.Hour), now, 10*time.Minute, func(time.Time) float64 { return 30 })
		for i, server := range []string{"sbc-1", "sbc-2"} {
			cpu := seriesOf(collectors.CPUPct, inventory.KindServer, server, "snmp")
			load := func(at time.Time) float64 {
				busy := map[bool]float64{true: 70, false: 20}[at.Hour() == 15]
				if now.Sub(at) > 3*24*time.Hour {
					busy /= 2
				}
				return busy + float64(2*i)
			}
			h.fill(t, cpu, now.AddDate(0, 0, -9), now, 5*time.Minute, load)
		}
		h.round(t.Context())
		if list := h.of(collectors.Change1H); len(list) != 1 || list[0].Value != 30 || list[0].Series.Instance != "ram_pct:snmp" {
			t.Errorf("changes: %+v", list)
		}
		full := h.of(collectors.FullInD)
		if len(full) != 2 || math.Abs(full[0].Value-5) > 0.2 || full[0].Series.Instance != "snmp:/var" || full[1].Value != neverFullD {
			t.Errorf("disks: %+v", full)
		}
		busy := h.of(collectors.BusyHourPct)
		if len(busy) != 1 || math.Abs(busy[0].Value-71) > 0.01 {
			t.Fatalf("busy hour: %+v", busy)
		}
		say := usualWords.Say(collectors.English, busy[0].Reason)
		if want := "add a server to sbc: 71 % at 09:00, the busiest hour of the last day, over 2 servers (+35 points against a week before); with one more it would be 47 %"; say != want {
			t.Errorf("it says %q,\nwant %q", say, want)
		}
		before := len(h.got)
		h.round(t.Context())
		if len(h.got) != before {
			t.Error("the same slot is worked out twice")
		}
		for _, s := range h.got {
			if s.Reason.Code != "" && strings.Contains(words(testKinds()).Say(collectors.Spanish, s.Reason), s.Reason.Code) {
				t.Errorf("no Spanish words for %s", s.Reason.Code)
			}
		}
	})
}
