package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestReload: a good file takes over, a bad one changes nothing and is remembered until a good one comes.
func TestReload(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vigia.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("brand: {name: one}\n")
	first, notices, err := Load(path, testKinds())
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	r := NewReloader(first, notices, testKinds(), func() time.Time { return now })

	opens := func(*Config) error { return nil }
	write("brand: {nmae: two}\n")
	began := now
	for range 2 {
		if cfg, err := r.Reload(opens); err == nil || cfg != first || r.Current() != first {
			t.Fatalf("a bad file was taken: %v", err)
		}
		now = now.Add(time.Minute)
	}
	if since, err := r.Refused(); err == nil || !since.Equal(began) {
		t.Errorf("refused since %v: %v", since, err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Reload(opens); err == nil {
		t.Error("a missing file was taken")
	}

	write("brand: {name: two}\nstore: sqlite:vigia.db\n")
	if _, err := r.Reload(opens); err != nil || len(r.Notices()) != 2 { // that there are no policies, and that pages keep the brand
		t.Fatalf("%v, %v", err, r.Notices())
	}
	current := r.Current()
	if cfg, err := r.Reload(func(*Config) error { return errors.New("a certificate cannot be read") }); err == nil || cfg != current || r.Current() != current {
		t.Errorf("a configuration whose parts cannot be opened was taken: %v", err)
	}
	if _, err := r.Refused(); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("what could not be opened is not shown: %v", err)
	}
	write("brand: {name: three}\nlisten: 127.0.0.1:8081\nstore: sqlite:other.db\n")
	cfg, err := r.Reload(opens)
	if err != nil || cfg.Brand.Name != "three" || r.Current() != cfg {
		t.Fatalf("a good file was not taken: %v", err)
	}
	if since, err := r.Refused(); err != nil || !since.IsZero() {
		t.Errorf("still refused since %v: %v", since, err)
	}
	if _, err := r.Reload(opens); err != nil { // still another listen than the one that runs
		t.Fatal(err)
	}
	restart := 0
	for _, n := range r.Notices() {
		if n.Rule == "needs-restart" {
			restart++
		}
	}
	if restart != 3 { // listen, store, brand
		t.Errorf("%d notices about a restart: %v", restart, r.Notices())
	}
}

func TestCheckCommand(t *testing.T) {
	setSecrets(t)
	var out strings.Builder
	if err := checkConfig(&out, "testdata/good/nothing.yaml", testKinds()); err != nil {
		t.Error(err)
	}
	want := "testdata/good/nothing.yaml: notice: there are no policies: alarms are raised and shown, but nobody is told\n" +
		"testdata/good/nothing.yaml: fine: nothing is watched yet\n"
	if out.String() != want {
		t.Errorf("prints:\n%s", out.String())
	}
	out.Reset()
	err := checkConfig(&out, "testdata/bad/178-many-at-once.yaml", testKinds())
	if err == nil || err.Error() != "testdata/bad/178-many-at-once.yaml is refused: 12 mistakes" {
		t.Errorf("the error is %v", err)
	}
	if lines := strings.Count(out.String(), "\n"); lines != 12 {
		t.Errorf("%d lines:\n%s", lines, out.String())
	}
	out.Reset()
	if err := checkConfig(&out, "nowhere.yaml", testKinds()); err == nil || out.String() != "nowhere.yaml: no such file (give the file with -c)\n" {
		t.Errorf("%v: %s", err, out.String())
	}
}

// TestLargeFile loads what the design is sized for: 5,000 devices, 500 customers, 200 trunks.
func TestLargeFile(t *testing.T) {
	var b strings.Builder
	b.WriteString("sites: [{name: s}]\nservers:\n")
	for i := range 5000 {
		fmt.Fprintf(&b, "  - name: server-%d\n    site: s\n    checks:\n      - {kind: ping, host: 10.%d.%d.1, every: 30s}\n      - {kind: http, url: \"http://10.0.0.1/\"}\n", i, i/250, i%250)
	}
	b.WriteString("links: [{name: l, site: s, peer: p}]\ntrunks:\n")
	for i := range 200 {
		fmt.Fprintf(&b, "  - {name: trunk-%d, site: s, via: [link/l], networks: [203.0.%d.0/24], checks: [{kind: sip, host: 203.0.113.5}]}\n", i, i)
	}
	b.WriteString("customers:\n")
	for i := range 500 {
		fmt.Fprintf(&b, "  - {name: customer-%d, match: {networks: [10.%d.%d.0/24], numbers: [\"+506%d\"]}}\n", i, i/250, i%250, i)
	}
	b.WriteString("thresholds:\n")
	for i := range 500 {
		fmt.Fprintf(&b, "  - {metric: latency_ms, on: server/server-%d, tiers: [{severity: major, raise: 100, clear: 50}], nodata: {after: 5m, severity: major}}\n", i)
	}
	began := time.Now()
	cfg, _, err := parseConfig("large.yaml", []byte(b.String()), testKinds())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%.1f MB: %s, in %s", float64(b.Len())/1e6, cfg.Summary(), time.Since(began))
	if len(cfg.EngineConfig().Expected) != 10200 {
		t.Errorf("%d series are expected", len(cfg.EngineConfig().Expected))
	}
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("loading took %s", took)
	}
}

// FuzzLoad: whatever the file holds, loading ends, does not panic, gives either a configuration or errors that name the file, and no more
// errors than are shown.
func FuzzLoad(f *testing.F) {
	for _, pattern := range []string{"testdata/good/*.yaml", "testdata/bad/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	kinds := testKinds()
	f.Fuzz(func(t *testing.T, data []byte) {
		cfg, _, err := parseConfig("vigia.yaml", data, kinds)
		if (cfg == nil) == (err == nil) {
			t.Fatalf("configuration %v, error %v", cfg != nil, err)
		}
		if err == nil {
			if _, err := cfg.Checks(); err != nil {
				t.Fatal(err)
			}
			if _, err := cfg.Receivers(ReceiverParts{}); err != nil {
				t.Fatal(err)
			}
			_ = cfg.EngineConfig()
			return
		}
		var all ConfigErrors
		if !errors.As(err, &all) {
			t.Fatal(err)
		}
		if len(all) == 0 || len(all) > maxProblems+1 {
			t.Fatalf("%d errors", len(all))
		}
		for _, e := range all {
			if e.Rule == "inventory" || e.Message == "" || e.Rule == "" || !strings.HasPrefix(e.Error(), "vigia.yaml:") {
				t.Fatalf("%#v", e)
			}
		}
	})
}
