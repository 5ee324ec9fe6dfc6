package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// The policy of these tests: three levels, a few seconds apart, each its own path on the same webhook.
const restartConfig = `listen: %[1]s
store: %[2]s
sites: [{name: here}]
links:
  - {name: sjo-mia, site: here, peer: Miami, checks: [{kind: tcp, address: "%[3]s", every: 1s, timeout: 500ms}]}
thresholds:
  - {metric: up, on: link/*, tiers: [{severity: critical, raise: 0, clear: 1, for: 1s, clear_for: 1s}], policy: noc}
policies:
  - name: noc
    levels:
      - {name: L1, after: 0s, notify: [one], repeat: 60m}
      - {name: L2, after: 4s, notify: [two], repeat: 60m}
      - {name: L3, after: 8s, notify: [three], repeat: 60m}
receivers:
  - {name: one,   kind: webhook, url: "%[4]s/one"}
  - {name: two,   kind: webhook, url: "%[4]s/two"}
  - {name: three, kind: webhook, url: "%[4]s/three"}
`

// stores are the databases that the whole-binary tests run on.
func stores(t *testing.T, run func(t *testing.T, dsn string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { run(t, "sqlite:"+filepath.Join(t.TempDir(), "vigia.db")) })
	t.Run("postgres", func(t *testing.T) {
		dsn := os.Getenv("VIGIA_TEST_POSTGRES")
		needs(t, dsn != "", "PostgreSQL", "set VIGIA_TEST_POSTGRES to a DSN whose user may create databases (.ci/postgres.sh start prints one)")
		run(t, newDatabase(t, dsn))
	})
}

// TestRestart kills the process in the middle of an escalation, again and again, and starts it anew: there is one incident, every level is
// told, at its time, and no message comes more than once too often.
func TestRestart(t *testing.T) {
	stores(t, func(t *testing.T, dsn string) {
		g, h, listen := newGate(t), newHook(t), freeAddress(t)
		file := filepath.Join(t.TempDir(), "vigia.yaml")
		if err := os.WriteFile(file, fmt.Appendf(nil, restartConfig, listen, dsn, g.addr, h.url), 0o600); err != nil {
			t.Fatal(err)
		}
		p := start(t, listen, "run", "-c", file)
		g.close()
		h.set(0, true) // the first level's POST hangs: it is in flight when the process dies
		if !eventually(15*time.Second, func() bool { return len(h.all()) > 0 }) {
			t.Fatalf("nobody was told:\n%s", p.output)
		}
		opened := h.all()[0].At
		p.kill()
		h.set(0, false)
		for _, path := range []string{"/two", "/three"} {
			p = start(t, listen, "run", "-c", file)
			if !eventually(25*time.Second, func() bool { return told(h, path) }) {
				t.Fatalf("%s was not told after a restart: %v\n%s", path, h.count(), p.output)
			}
			p.kill()
		}
		p = start(t, listen, "run", "-c", file)
		g.open(t)
		if !eventually(20*time.Second, func() bool { return resolved(h) }) {
			t.Fatalf("recovery was not told: %v\n%s", h.count(), p.output)
		}
		if code := p.stop(); code != 0 {
			t.Errorf("SIGTERM: exit code %d\n%s", code, p.output)
		}
		checkCopies(t, h, opened)
	})
}

func told(h *hook, path string) bool {
	return slices.ContainsFunc(h.all(), func(p post) bool { return p.Path == path })
}

// resolved reports whether all three levels have heard of the recovery.
func resolved(h *hook) bool {
	heard := map[string]bool{}
	for _, p := range h.all() {
		if p.Body["cause"] == "resolved" {
			heard[p.Path] = true
		}
	}
	return len(heard) == 3
}

func checkCopies(t *testing.T, h *hook, opened time.Time) {
	t.Helper()
	incidents := map[any]bool{}
	for _, p := range h.all() {
		incidents[p.Body["incident"]] = true
		if p.Key == "" {
			t.Error("a POST without an Idempotency-Key")
		}
	}
	if len(incidents) != 1 {
		t.Errorf("%d incidents, want one: %v", len(incidents), incidents)
	}
	for key, n := range h.count() {
		if n > 2 {
			t.Errorf("%s came %d times: at most one copy too many is allowed", key, n)
		}
	}
	for path, after := range map[string]time.Duration{"/two": 4 * time.Second, "/three": 8 * time.Second} {
		i := slices.IndexFunc(h.all(), func(p post) bool { return p.Path == path })
		if d := h.all()[i].At.Sub(opened); d < after-2*time.Second {
			t.Errorf("%s was told %s after the opening, before its time (%s)", path, d, after)
		}
	}
	if keys := len(h.count()); keys != 6 {
		t.Errorf("%d different messages, want 6 (three levels told, three told of the recovery): %v", keys, h.count())
	}
}

// TestSecondRun shows that a second run on the same store is refused with one clear message.
func TestSecondRun(t *testing.T) {
	g, h := newGate(t), newHook(t)
	dir := t.TempDir()
	dsn := "sqlite:" + filepath.Join(dir, "vigia.db")
	listen := freeAddress(t)
	first := filepath.Join(dir, "first.yaml")
	if err := os.WriteFile(first, fmt.Appendf(nil, restartConfig, listen, dsn, g.addr, h.url), 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, listen, "run", "-c", first)
	second := filepath.Join(dir, "second.yaml")
	if err := os.WriteFile(second, fmt.Appendf(nil, restartConfig, freeAddress(t), dsn, g.addr, h.url), 0o600); err != nil {
		t.Fatal(err)
	}
	code, output := runOnce(t, "run", "-c", second)
	if code == 0 || !strings.Contains(output, "another") {
		t.Errorf("a second run: exit code %d, says %q", code, output)
	}
}
