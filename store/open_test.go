package store_test

import (
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"vigia/store"
	"vigia/store/storetest"
)

// refused opens a store that cannot be opened, and returns the one message.
func refused(t *testing.T, dsn string) string {
	t.Helper()
	start := time.Now()
	s, err := store.Open(t.Context(), store.Config{DSN: dsn})
	if err == nil {
		s.Close()
		t.Fatalf("%s was opened", dsn)
	}
	if took := time.Since(start); took > 15*time.Second {
		t.Errorf("it took %v to say so", took)
	}
	if strings.Contains(err.Error(), "hush") || strings.Contains(err.Error(), "\n") {
		t.Errorf("the message shows a password or has several lines: %s", err)
	}
	return err.Error()
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "file")
	if err := os.WriteFile(file, []byte(strings.Repeat("this is no database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	closed, silent := listener(t), listener(t)
	closed.Close()
	for name, test := range map[string]struct{ dsn, want string }{
		"no scheme":         {"vigia.db", "is neither sqlite:PATH nor postgres://"},
		"another database":  {"mysql://user:hush@127.0.0.1/db", "is neither sqlite:PATH nor postgres://"},
		"no file":           {"sqlite:", "needs a file"},
		"no folder":         {"sqlite:" + folder + "/none/vigia.db", "the folder " + folder + "/none is not there"},
		"a file as folder":  {"sqlite:" + file + "/vigia.db", file + " is not a folder"},
		"a folder":          {"sqlite:" + folder, "this is a folder"},
		"not a database":    {"sqlite:" + file, "the file is not a database"},
		"bad address":       {"postgres://user:hush@127.0.0.1:notaport/db", "cannot be read as postgres://"},
		"nobody listens":    {"postgres://user:hush@" + closed.Addr().String() + "/db", "cannot be reached: connect: connection refused (check that it runs"},
		"nobody answers":    {"postgres://user:hush@" + silent.Addr().String() + "/db?connect_timeout=1&sslmode=disable", "cannot be reached: it does not answer"},
		"an unknown socket": {"postgres://user:hush@/db?host=" + folder, "cannot be reached"},
	} {
		t.Run(name, func(t *testing.T) {
			if message := refused(t, test.dsn); !strings.Contains(message, test.want) {
				t.Errorf("got %q, want %q in it", message, test.want)
			}
		})
	}
}

func listener(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func TestReadOnlyDisk(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "ro")
	if err := os.Mkdir(folder, 0o555); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 { // whom permissions do not stop
		if runtime.GOOS != "linux" {
			t.Skip("root can write everywhere here: run the test as another user")
		}
		folder = "/proc"
	}
	message := refused(t, "sqlite:"+folder+"/vigia.db")
	if !strings.Contains(message, "cannot be written (check its owner") {
		t.Errorf("got %q", message)
	}
}

func TestPostgresRefuses(t *testing.T) {
	dsn := storetest.Postgres(t)
	address, _, _ := strings.Cut(dsn, "?")
	message := refused(t, address[:strings.LastIndex(address, "/")]+"/vigia_does_not_exist")
	if !strings.Contains(message, `"vigia_does_not_exist" is not there: create it`) {
		t.Errorf("got %q", message)
	}
}

func TestOddFileNames(t *testing.T) {
	for _, name := range []string{"a b.db", "ñandú#1%41&c.db"} {
		path := filepath.Join(t.TempDir(), name)
		openAt(t, "sqlite:"+path, noon)
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
}

func TestNewerSchemaIsRefused(t *testing.T) {
	storetest.EachDSN(t, func(t *testing.T, dsn string) {
		openAt(t, dsn, noon)
		if _, err := raw(t, dsn).Exec(`INSERT INTO schema_migrations SELECT MAX(version) + 1, '0099_future', 'x', MAX(applied_at) FROM schema_migrations`); err != nil {
			t.Fatal(err)
		}
		if message := refused(t, dsn); !strings.Contains(message, "(0099_future) of a newer vigia") {
			t.Errorf("got %q", message)
		}
	})
}

func TestChangedMigrationIsRefused(t *testing.T) {
	storetest.EachDSN(t, func(t *testing.T, dsn string) {
		openAt(t, dsn, noon)
		if _, err := raw(t, dsn).Exec(`UPDATE schema_migrations SET checksum = 'x' WHERE version = 1`); err != nil {
			t.Fatal(err)
		}
		if message := refused(t, dsn); !strings.Contains(message, "another text of 0001_skeleton") {
			t.Errorf("got %q", message)
		}
	})
}
