package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestReload gives the running process a bad file, which changes nothing, is shown and raises an alarm, and then a good one, which takes effect.
func TestReload(t *testing.T) {
	g, h, listen := newGate(t), newHook(t), freeAddress(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "vigia.yaml")
	good := fmt.Sprintf(restartConfig, listen, "sqlite:"+filepath.Join(dir, "vigia.db"), g.addr, h.url)
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(good)
	p := start(t, listen, "run", "-c", file)
	hangup := func() {
		if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
	}
	write(strings.Replace(good, "policy: noc}", "policy: nobody}", 1))
	hangup()
	if !eventually(15*time.Second, func() bool { return raised(p, "vigia_config_refused") }) {
		t.Fatalf("a refused configuration raises no alarm:\n%s", p.output)
	}
	if !strings.Contains(p.output.String(), "nobody") {
		t.Errorf("the log does not say what is wrong:\n%s", p.output)
	}
	before := runs(t, p)
	if !eventually(10*time.Second, func() bool { return runs(t, p) > before+2 }) {
		t.Error("checks no longer run after a refused configuration")
	}
	write(strings.Replace(good, "name: sjo-mia", "name: sjo-gua", 1))
	hangup()
	if !eventually(15*time.Second, func() bool {
		var link map[string]any
		return p.getJSON("/api/v1/inventory/link/sjo-gua", &link) == nil && !raised(p, "vigia_config_refused")
	}) {
		t.Fatalf("the good configuration does not take effect:\n%s", p.output)
	}
	g.close()
	if !eventually(15*time.Second, func() bool { return told(h, "/one") }) {
		t.Fatalf("the renamed link raises nothing:\n%s", p.output)
	}
}

// raised reports whether an alarm on that metric stands.
func raised(p *process, metric string) bool {
	var list struct {
		Alarms []struct {
			Series struct {
				Metric string `json:"metric"`
			} `json:"series"`
		} `json:"alarms"`
	}
	if p.getJSON("/api/v1/alarms?active=true", &list) != nil {
		return false
	}
	for _, a := range list.Alarms {
		if a.Series.Metric == metric {
			return true
		}
	}
	return false
}

// runs reads how many runs the process has made from its metrics.
func runs(t *testing.T, p *process) float64 {
	t.Helper()
	text := p.get(t, "/metrics")
	for line := range strings.Lines(text) {
		var n float64
		if _, err := fmt.Sscanf(line, "vigia_runs_total %g", &n); err == nil {
			return n
		}
	}
	t.Fatalf("no vigia_runs_total in /metrics:\n%s", text)
	return 0
}
