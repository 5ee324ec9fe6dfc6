// Package storetest gives tests a real, migrated database that is gone when the test ends: SQLite always, PostgreSQL when there is one.
//
// VIGIA_TEST_POSTGRES is the address of a PostgreSQL in which schemas may be made, such as .ci/postgres.sh starts. Without it the tests of
// PostgreSQL skip, or fail when VIGIA_TEST_ALL=1 says that nothing may be skipped.
package storetest

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // registers the driver "pgx", by which the schemas are made
	"vigia/store"
)

// Option changes the configuration of a store under test.
type Option func(*store.Config)

// Opener opens the test's database; each call opens the same one again, as another process would.
type Opener func(...Option) *store.Store

// Open opens a new SQLite database in the test's own folder.
func Open(t testing.TB, options ...Option) *store.Store {
	t.Helper()
	return opener(t, SQLite(t))(options...)
}

// Each runs a suite on every database there is.
func Each(t *testing.T, suite func(t *testing.T, open Opener)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { suite(t, opener(t, SQLite(t))) })
	t.Run("postgres", func(t *testing.T) { suite(t, opener(t, Postgres(t))) })
}

// EachDSN is Each for what needs the address itself.
func EachDSN(t *testing.T, suite func(t *testing.T, dsn string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { suite(t, SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { suite(t, Postgres(t)) })
}

// EachBenchmark is Each for benchmarks.
func EachBenchmark(b *testing.B, suite func(b *testing.B, open Opener)) {
	b.Helper()
	b.Run("sqlite", func(b *testing.B) { suite(b, opener(b, SQLite(b))) })
	b.Run("postgres", func(b *testing.B) { suite(b, opener(b, Postgres(b))) })
}

func opener(t testing.TB, dsn string) Opener {
	return func(options ...Option) *store.Store {
		t.Helper()
		cfg := store.Config{DSN: dsn}
		for _, option := range options {
			option(&cfg)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		s, err := store.Open(ctx, cfg)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		return s
	}
}

// SQLite is the address of a database that does not exist yet, in the test's own folder.
func SQLite(t testing.TB) string {
	t.Helper()
	return "sqlite:" + filepath.Join(t.TempDir(), "vigia.db")
}

// Postgres is the address of a new, empty schema of the PostgreSQL that VIGIA_TEST_POSTGRES names. Without one the test ends here.
func Postgres(t testing.TB) string {
	t.Helper()
	dsn := os.Getenv("VIGIA_TEST_POSTGRES")
	if dsn == "" {
		const how = "PostgreSQL is not tested: start one with .ci/postgres.sh start and set VIGIA_TEST_POSTGRES to its address"
		if os.Getenv("VIGIA_TEST_ALL") == "1" {
			t.Fatal(how)
		}
		t.Skip(how)
	}
	address, err := url.Parse(dsn)
	if err != nil {
		t.Fatal("VIGIA_TEST_POSTGRES is no address such as postgres://user@127.0.0.1:5432/postgres")
	}
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	schema := fmt.Sprintf("vigia_test_%d_%d", os.Getpid(), time.Now().UnixNano())
	if _, err := db.Exec(`CREATE SCHEMA ` + schema); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := db.Exec(`DROP SCHEMA ` + schema + ` CASCADE`); err != nil {
			t.Error(err)
		}
	})
	values := address.Query()
	values.Set("search_path", schema)
	address.RawQuery = values.Encode()
	return address.String()
}
