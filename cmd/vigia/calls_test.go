package main

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"vigia/collectors/voice"
	"vigia/store"
)

// TestCallsCommand lists what a store holds: a table that nobody who calls can steer the terminal by, and JSON in the shape that the tracker makes.
func TestCallsCommand(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "vigia.yaml")
	if err := os.WriteFile(file, []byte("store: sqlite:"+filepath.Join(folder, "v.db")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	st, err := store.Open(t.Context(), store.Config{DSN: "sqlite:" + filepath.Join(folder, "v.db")})
	if err != nil {
		t.Fatal(err)
	}
	mos, now := 3.25, time.Now().UTC().Truncate(time.Second)
	for _, c := range []voice.Call{
		{ID: "new", Customer: "acme", From: "ev\x1b[2Jil\tx", Start: now.Add(-time.Minute), Answered: now.Add(-30 * time.Second), End: now, MOS: &mos, Revision: 1, Why: "hangup"},
		{ID: "other", Customer: "beta", Start: now.Add(-2 * time.Minute), End: now, Revision: 1, Why: "failed"},
		{ID: "old", Customer: "acme", Start: now.Add(-3 * time.Hour), End: now, Revision: 1},
	} {
		st.PutCall(&c)
	}
	if err := st.FlushCalls(t.Context()); err != nil {
		t.Fatal(err)
	}
	st.Close()
	run := func(args ...string) string {
		var c struct {
			Calls CallsCmd `cmd:""`
		}
		var out bytes.Buffer
		parser, err := kong.New(&c, kong.Writers(&out, &out))
		if err != nil {
			t.Fatal(err)
		}
		k, err := parser.Parse(append([]string{"calls", "-c", file}, args...))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Calls.Run(t.Context(), kinds(), k, slog.New(slog.DiscardHandler)); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	lines := strings.Split(strings.TrimSpace(run()), "\n")
	if len(lines) != 3 || !strings.HasPrefix(lines[0], "START") || !strings.Contains(lines[1], "30s") || !strings.Contains(lines[1], "3.25") || !strings.HasSuffix(lines[2], "other") {
		t.Errorf("%q", lines)
	}
	if text := strings.Join(lines, ""); strings.ContainsAny(text, "\x1b\x07") {
		t.Errorf("control characters reach the terminal: %q", text)
	}
	var one map[string]any
	if err := json.Unmarshal([]byte(run("--json", "--customer", "acme", "--since", "1h")), &one); err != nil || one["call_id"] != "new" || one["mos"] != 3.25 || one["trunk"] != nil {
		t.Errorf("%v, %v", one, err)
	}
	if text := run("--json", "--since", "1d", "--customer", "acme"); strings.Count(text, "\n") != 2 {
		t.Errorf("%s", text)
	}
}
