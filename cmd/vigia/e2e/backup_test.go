package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestRestoredStaysQuiet backs up a running vigia in the middle of an escalation, restores into another database, and runs on that: the levels
// that were still to come are told nobody, and neither is the recovery. A fault after that is.
func TestRestoredStaysQuiet(t *testing.T) {
	stores(t, func(t *testing.T, dsn string) {
		g, h, dir := newGate(t), newHook(t), t.TempDir()
		config := func(name, store string) (file, listen string) {
			file, listen = filepath.Join(dir, name), freeAddress(t)
			if err := os.WriteFile(file, fmt.Appendf(nil, restartConfig, listen, store, g.addr, h.url), 0o600); err != nil {
				t.Fatal(err)
			}
			return file, listen
		}
		first, listen := config("first.yaml", "sqlite:"+filepath.Join(dir, "first.db"))
		second, other := config("second.yaml", dsn)
		p := start(t, listen, "run", "-c", first)
		g.close()
		if !eventually(15*time.Second, func() bool { return told(h, "/one") }) {
			t.Fatalf("nobody was told:\n%s", p.output)
		}
		save := filepath.Join(dir, "save.tgz")
		succeeds(t, "read back and found right", "backup", save, "-c", first)
		if code, output := runOnce(t, "store", "compact", "-c", first); code != 1 || !strings.Contains(output, "another vigia run is active: ") {
			t.Errorf("to compact beside a running vigia: exit code %d, says %q", code, output)
		}
		p.kill()
		succeeds(t, "every count is right", "restore", save, "-c", second)
		succeeds(t, " 0 damaged", "store", "verify", "-c", second)
		succeeds(t, "not an octet is damaged", "store", "verify", "--backup", save)
		if code, output := runOnce(t, "restore", save, "-c", second); code != 1 || !strings.Contains(output, "not empty") {
			t.Errorf("a second restore: exit code %d, says %q", code, output)
		}

		before := len(h.all())
		p = start(t, other, "run", "-c", second)
		if eventually(11*time.Second, func() bool { return len(h.all()) > before }) {
			t.Errorf("after the restore somebody was told: %v", h.count())
		}
		g.open(t)
		if eventually(4*time.Second, func() bool { return len(h.all()) > before }) {
			t.Errorf("somebody was told that what was open is over: %v", h.count())
		}
		g.close()
		if !eventually(15*time.Second, func() bool { return len(h.all()) > before }) {
			t.Errorf("a new fault is told nobody:\n%s", p.output)
		}
		if code := p.stop(); code != 0 {
			t.Errorf("SIGTERM: exit code %d\n%s", code, p.output)
		}
		succeeds(t, "nobody has it; last ", "store", "stat", "-c", second)
		succeeds(t, " for each, ", "store", "compact", "-c", second)
	})
}

// succeeds runs vigia to its end, which must be a good one.
func succeeds(t *testing.T, says string, args ...string) {
	t.Helper()
	if code, output := runOnce(t, args...); code != 0 || !strings.Contains(output, says) {
		t.Errorf("vigia %s: exit code %d, says %q; want %q", strings.Join(args, " "), code, output, says)
	}
}
