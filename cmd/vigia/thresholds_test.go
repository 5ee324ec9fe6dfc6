package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
	"vigia/store"
	"vigia/store/storetest"
)

const tryConfig = `
listen: 127.0.0.1:0
sites: [{name: sjo}]
links: [{name: sjo-mia, site: sjo, peer: mia}, {name: sjo-gua, site: sjo, peer: gua}]
thresholds:
  - {metric: loss_pct, on: link/*, tiers: [{severity: warning, raise: 3, clear: 1, for: 1m}, {severity: critical, raise: 20, clear: 10, for: 1m}]}
`

// TestThresholdsTry gives stored samples to new thresholds: what rises, by severity, hour and series, against what was raised; a time in which
// Vigía did not run is no silence.
func TestThresholdsTry(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open storetest.Opener) {
		end := time.Date(2026, 11, 9, 12, 0, 0, 0, time.UTC)
		start := end.Add(-6 * time.Hour)
		s := open(func(c *store.Config) { c.Now = func() time.Time { return end } })
		var samples []collectors.Sample
		loss := func(link string, at time.Time, v float64) {
			samples = append(samples, collectors.Sample{Series: seriesOf(collectors.LossPct, inventory.KindLink, link, "ping"), At: at, Value: v, Every: 10 * time.Second})
		}
		for at := start; at.Before(end); at = at.Add(10 * time.Second) {
			minute := int(at.Sub(start) / time.Minute)
			if minute >= 200 && minute < 240 {
				continue // it did not run
			}
			a, b := 0.0, 0.0
			switch {
			case minute >= 30 && minute < 40:
				a = 5
			case minute >= 90 && minute < 100:
				a = 30
			case at.Sub(start) >= 150*time.Minute && at.Sub(start) < 150*time.Minute+40*time.Second:
				b = 5 // too short
			}
			loss("sjo-mia", at, a)
			loss("sjo-gua", at, b)
		}
		s.Put(samples)
		if err := s.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		was := alerting.Incident{
			ID: 1, State: alerting.Resolved, Severity: alerting.Major, Worst: alerting.Major, OpenedAt: start.Add(time.Hour), ResolvedAt: start.Add(2 * time.Hour),
			Ref: samples[0].Series.Ref, Series: samples[0].Series,
		}
		if err := s.Apply(t.Context(), alerting.Change{At: start, Incidents: []alerting.Incident{was}}); err != nil {
			t.Fatal(err)
		}

		file := filepath.Join(t.TempDir(), "new.yaml")
		if err := os.WriteFile(file, []byte(tryConfig), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg, _, err := Load(file, testKinds())
		if err != nil {
			t.Fatal(err)
		}
		one := &trial{store: s, engine: cfg.EngineConfig(), from: start, to: end, on: "*"}
		found, err := one.run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if found.New.Incidents["warning"] != 1 || found.New.Incidents["critical"] != 1 || found.New.Alarms != 2 || found.Gaps != 1 ||
			found.Series != 2 || found.Samples != len(samples) || found.Present.Incidents["major"] != 1 {
			t.Errorf("found: %+v", found)
		}
		if found.New.Hours[6] != 1 || found.New.Hours[7] != 1 || found.Present.Hours[7] != 1 {
			t.Errorf("by hour: %v, before %v", found.New.Hours, found.Present.Hours)
		}
		if len(found.BySeries) != 1 || found.BySeries[0].New != 2 {
			t.Errorf("by series: %+v", found.BySeries)
		}
		var text bytes.Buffer
		found.print(&text, "new.yaml")
		for _, want := range []string{"2 series", "did not run 1 times", "critical              1        0", "loss_pct{link/sjo-mia,ping}"} {
			if !strings.Contains(text.String(), want) {
				t.Errorf("the text lacks %q:\n%s", want, &text)
			}
		}
		only := &trial{store: s, engine: cfg.EngineConfig(), from: start, to: end, on: "link/sjo-gua"}
		if found, err = only.run(t.Context()); err != nil || found.New.Alarms != 0 || found.Present.Alarms != 0 || found.Series != 1 {
			t.Errorf("of one link: %+v, %v", found, err)
		}
	})
}
