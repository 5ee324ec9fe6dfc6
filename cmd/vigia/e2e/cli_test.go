package e2e

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
)

// runOnce runs vigia to its end.
func runOnce(t *testing.T, args ...string) (int, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, binary, args...).CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode(), string(out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return 0, string(out)
}

// newDatabase makes a database of the test's own and returns its DSN.
func newDatabase(t *testing.T, dsn string) string {
	t.Helper()
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	var id [6]byte
	rand.Read(id[:])
	name := "e2e_" + hex.EncodeToString(id[:])
	if _, err := db.Exec("create database " + name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Exec("drop database if exists " + name + " with (force)") })
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

// TestIncidentsWithoutADatabase says that there is none, and does not make one.
func TestIncidentsWithoutADatabase(t *testing.T) {
	dir := t.TempDir()
	file, db := filepath.Join(dir, "vigia.yaml"), filepath.Join(dir, "vigia.db")
	if err := os.WriteFile(file, []byte("store: sqlite:"+db+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, output := runOnce(t, "incidents", "-c", file)
	if code == 0 || !strings.Contains(output, db+": there is no such file") {
		t.Errorf("exit code %d, says %q", code, output)
	}
	if _, err := os.Stat(db); err == nil {
		t.Error("reading made an empty database")
	}
}

// TestBadStart shows one clear message, and a non-zero exit code, for what cannot be run.
func TestBadStart(t *testing.T) {
	dir := t.TempDir()
	sealed := filepath.Join(dir, "sealed")
	if err := os.Mkdir(sealed, 0o500); err != nil {
		t.Fatal(err)
	}
	cases := []struct{ name, config, says string }{
		{"unreachable database", "listen: 127.0.0.1:0\nstore: postgres://vigia@127.0.0.1:1/vigia\n", "127.0.0.1:1"},
		{"no such folder", "listen: 127.0.0.1:0\nstore: sqlite:" + dir + "/nowhere/vigia.db\n", "nowhere"},
		{"unknown key", "listen: 127.0.0.1:0\nstroe: sqlite:x.db\n", "bad.yaml:2: "},
		{"not loopback", "listen: 0.0.0.0:8080\nstore: sqlite:x.db\n", "0.0.0.0:8080 is refused"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			file := filepath.Join(dir, "bad.yaml")
			if err := os.WriteFile(file, []byte(c.config), 0o600); err != nil {
				t.Fatal(err)
			}
			code, output := runOnce(t, "run", "-c", file)
			if code == 0 || !strings.Contains(output, c.says) {
				t.Errorf("exit code %d, says %q; want a message with %q", code, output, c.says)
			}
			if strings.Contains(output, "goroutine ") || strings.Contains(output, "panic") {
				t.Errorf("it crashed: %s", output)
			}
		})
	}
}
