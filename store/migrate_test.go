package store

import (
	"context"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"vigia/migrations"
)

// The two histories have the same steps under the same names.
func TestMigrationsAreInPairs(t *testing.T) {
	lite, err := steps(migrations.Files, "sqlite")
	if err != nil {
		t.Fatal(err)
	}
	postgres, err := steps(migrations.Files, "postgres")
	if err != nil {
		t.Fatal(err)
	}
	if len(lite) == 0 || len(lite) != len(postgres) {
		t.Fatalf("%d steps for SQLite, %d for PostgreSQL", len(lite), len(postgres))
	}
	for i := range lite {
		if lite[i].name != postgres[i].name {
			t.Errorf("step %d is %s and %s", i+1, lite[i].name, postgres[i].name)
		}
	}
}

func TestStepsLeaveNoneOut(t *testing.T) {
	for name, files := range map[string]fstest.MapFS{
		"two is missing": {"sqlite/0001_a.sql": {}, "sqlite/0003_b.sql": {}},
		"one twice":      {"sqlite/0001_a.sql": {}, "sqlite/0001_b.sql": {}},
		"no number":      {"sqlite/first.sql": {}},
	} {
		if _, err := steps(files, "sqlite"); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func testDatabase(t *testing.T) *database {
	t.Helper()
	addr, err := parseDSN("sqlite:" + filepath.Join(t.TempDir(), "vigia.db"))
	if err != nil {
		t.Fatal(err)
	}
	db, err := openDatabase(addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.close() })
	return db
}

func TestMigrateForward(t *testing.T) {
	db := testDatabase(t)
	one := migration{1, "0001_one", "CREATE TABLE a (x INTEGER); INSERT INTO a VALUES (1);", "1"}
	two := migration{2, "0002_two", "INSERT INTO a VALUES (2); CREATE TABLE b (y INTEGER);", "2"}
	broken := migration{3, "0003_broken", "INSERT INTO a VALUES (3); INSERT INTO nowhere VALUES (1);", "3"}
	migrate := func(list ...migration) error { return migrateTo(context.Background(), db, list, time.Unix(1, 0)) }
	for _, list := range [][]migration{{one}, {one}, {one, two}, {one, two}} {
		if err := migrate(list...); err != nil {
			t.Fatal(err)
		}
	}
	if err := migrate(one, two, broken); err == nil || !strings.Contains(err.Error(), "migration 0003_broken") {
		t.Errorf("got %v, want what is wrong with the third", err)
	}
	var sum, versions int
	if err := db.read.QueryRow(`SELECT (SELECT SUM(x) FROM a), (SELECT COUNT(*) FROM schema_migrations)`).Scan(&sum, &versions); err != nil {
		t.Fatal(err)
	}
	if sum != 3 || versions != 2 {
		t.Errorf("sum %d after %d steps, want 3 after 2: a step ran twice, or half of one stayed", sum, versions)
	}
}

// Processes that start at the same time migrate once.
func TestMigrateAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vigia.db")
	var group sync.WaitGroup
	for range 5 {
		group.Go(func() {
			s, err := Open(context.Background(), Config{DSN: "sqlite:" + path})
			if err != nil {
				t.Error(err)
				return
			}
			s.Close()
		})
	}
	group.Wait()
}
