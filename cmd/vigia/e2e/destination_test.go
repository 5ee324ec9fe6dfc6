package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

const destinationConfig = `listen: %[1]s
store: %[2]s
sites: [{name: here}]
trunks:
  - {name: carrier-a, site: here, checks: [{kind: tcp, address: "%[3]s", every: 1s, timeout: 500ms}]}
  - {name: carrier-b, site: here, checks: [{kind: tcp, address: "%[4]s", every: 1s, timeout: 500ms}]}
destinations: [{name: Guatemala, prefixes: ["+502"], trunks: [carrier-a, carrier-b], at_least: 2}]
`

// TestDestinationShortOfTrunks: with nothing configured but at_least, a destination that has fewer working trunks raises a major alarm, one that has
// none a critical one, and both clear.
func TestDestinationShortOfTrunks(t *testing.T) {
	a, b, listen := newGate(t), newGate(t), freeAddress(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "vigia.yaml")
	text := fmt.Sprintf(destinationConfig, listen, "sqlite:"+filepath.Join(dir, "vigia.db"), a.addr, b.addr)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, listen, "run", "-c", file)
	expect := func(when, severity string) {
		t.Helper()
		got := ""
		if !eventually(30*time.Second, func() bool { got = shortage(p); return got == severity }) {
			t.Fatalf("%s: the destination's alarm is %q, want %q:\n%s\n%s", when, got, severity, p.output, p.get(t, "/api/v1/alarms"))
		}
	}
	if !eventually(15*time.Second, func() bool { return runs(t, p) > 2 }) {
		t.Fatal("no check runs")
	}
	expect("both trunks work", "")
	a.close()
	expect("one trunk is left", "major")
	b.close()
	expect("no trunk is left", "critical")
	a.open(t)
	b.open(t)
	expect("both are back", "")
}

// shortage is how severe the alarm about too few trunks is; "" without one.
func shortage(p *process) string {
	var list struct {
		Alarms []struct {
			Series          struct{ Metric string }
			State, Severity string
		}
	}
	if err := p.getJSON("/api/v1/alarms", &list); err != nil {
		return err.Error()
	}
	for _, a := range list.Alarms {
		if a.Series.Metric == "working_trunks" && a.State == "raised" {
			return a.Severity
		}
	}
	return ""
}
