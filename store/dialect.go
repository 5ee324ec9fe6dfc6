package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// dialect is all that differs between the two databases.
type dialect struct {
	name       string // the folder of its migrations
	claimBy    string // names the index by which what is due is found in order; empty where the planner sees it
	indexedBy  string // begins the name of an index that a query is to use; empty where the planner finds it by its statistics
	skipLocked string // ends the choice of rows that another process may be choosing too
	keyShare   string // ends a look at the lease: nobody may change its key until the transaction is over
	lockLog    string // waits for rows of the log that others are just writing, and keeps new ones away; empty where nobody else can
	slotBySlot bool   // many series are not asked for over many hours at once: the planner would rather read the whole table
	steady     string // begins a transaction that sees one instant; empty where every one does
	upkeep     string // what is to be done now and then; empty for nothing
	sizes      string // a query for the octets that the database takes
}

func sqliteDialect() dialect {
	return dialect{
		name:      "sqlite",
		indexedBy: " INDEXED BY ",
		claimBy:   " INDEXED BY notifications_claim",
		upkeep:    `PRAGMA wal_checkpoint(PASSIVE)`, // moves the log of writes into the file beside the writers, who would else stop for it
		sizes:     `SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()`,
	}
}

func postgresDialect() dialect {
	return dialect{
		name:       "postgres",
		skipLocked: " FOR UPDATE SKIP LOCKED",
		keyShare:   " FOR KEY SHARE",
		lockLog:    "SET LOCAL lock_timeout = '3s'; LOCK TABLE sample_log IN SHARE MODE",
		slotBySlot: true,
		steady:     "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
		sizes:      `SELECT CAST(SUM(pg_total_relation_size(oid)) AS BIGINT) FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace`,
	}
}

// address is a DSN that has been understood.
type address struct {
	file     string          // SQLite: the database's path
	postgres *pgx.ConnConfig // PostgreSQL
	target   string          // for people: never a password
}

// parseDSN reads sqlite:PATH and postgres://USER@HOST/DATABASE. Its errors show no password.
func parseDSN(dsn string) (address, error) {
	scheme, rest, _ := strings.Cut(dsn, ":")
	switch scheme {
	case "sqlite":
		path := strings.TrimPrefix(rest, "//")
		if path == "" || strings.ContainsAny(path, "?\x00") {
			return address{}, errors.New("the store's address needs a file: sqlite:vigia.db or sqlite:/var/lib/vigia/vigia.db")
		}
		return address{file: path, target: "SQLite " + path}, nil
	case "postgres", "postgresql":
		return parsePostgres(dsn)
	}
	return address{}, errors.New("the store's address is neither sqlite:PATH nor postgres://USER@HOST/DATABASE")
}

func parsePostgres(dsn string) (address, error) {
	cfg, err := pgx.ParseConfig(dsn)
	if err != nil {
		return address{}, errors.New("the store's address cannot be read as postgres://USER:PASSWORD@HOST:PORT/DATABASE; percent-encode special characters of the password")
	}
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = 5 * time.Second
	}
	cfg.RuntimeParams["application_name"] = "vigia"
	cfg.RuntimeParams["timezone"] = "UTC"
	cfg.RuntimeParams["idle_in_transaction_session_timeout"] = "5000"
	where := net.JoinHostPort(cfg.Host, fmt.Sprint(cfg.Port))
	if strings.HasPrefix(cfg.Host, "/") {
		where = cfg.Host
	}
	return address{postgres: cfg, target: fmt.Sprintf("PostgreSQL %s, database %q", where, cfg.Database)}, nil
}

// sqliteURL is what the driver is opened with. A new file has pages of 8 KiB, into which three day chunks at one minute
// fit where into one of 4 KiB only one does. synchronous FULL forces every commit to the disk, NORMAL leaves that to the next FULL one.
func sqliteURL(path, synchronous string) string {
	values := url.Values{
		"_time_integer_format": {"unix_micro"},
		"_inttotime":           {"1"},
		"_txlock":              {"immediate"},
		"_journal_mode":        {"WAL"}, // comes after the pragmas, which the driver sorts: the size of pages can be set only before
		"_pragma": {
			"busy_timeout(5000)", "page_size(8192)", "synchronous(" + synchronous + ")", "foreign_keys(ON)",
			"wal_autocheckpoint(8192)", "cache_size(-16384)",
		},
	}
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: values.Encode()}
	return u.String()
}

// explainSQLite says in words why a file cannot be opened or written.
func explainSQLite(path string, err error) error {
	folder := filepath.Dir(path)
	if info, statErr := os.Stat(folder); statErr != nil {
		return fmt.Errorf("SQLite %s: the folder %s is not there (make it, or change store in the configuration)", path, folder)
	} else if !info.IsDir() {
		return fmt.Errorf("SQLite %s: %s is not a folder (change store in the configuration)", path, folder)
	}
	if info, statErr := os.Stat(path); statErr == nil && info.IsDir() {
		return fmt.Errorf("SQLite %s: this is a folder, and a file is needed (change store in the configuration)", path)
	}
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return fmt.Errorf("SQLite %s: %w", path, err)
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM:
		return fmt.Errorf("SQLite %s: the file or its folder cannot be written (check its owner, its permissions and whether the disk is mounted read-only): %w", path, err)
	case sqlite3.SQLITE_FULL:
		return fmt.Errorf("SQLite %s: the disk is full (free some space): %w", path, err)
	case sqlite3.SQLITE_IOERR:
		if code := e.Code(); code == sqlite3.SQLITE_IOERR_SHMSIZE || code == sqlite3.SQLITE_IOERR_WRITE {
			return fmt.Errorf("SQLite %s: its disk takes no writes and is probably full (free some space): %w", path, err)
		}
	case sqlite3.SQLITE_NOTADB:
		return fmt.Errorf("SQLite %s: the file is not a database (move it away, or change store in the configuration): %w", path, err)
	case sqlite3.SQLITE_CORRUPT:
		return fmt.Errorf("SQLite %s: the database is damaged (restore a backup): %w", path, err)
	case sqlite3.SQLITE_BUSY:
		return fmt.Errorf("SQLite %s: another program keeps the database locked: %w", path, err)
	}
	return fmt.Errorf("SQLite %s: %w", path, err)
}

// explainPostgres says in words why a server cannot be used. It never repeats the driver's text of a failed connection, which may hold
// more of the address than people should see.
func explainPostgres(target string, err error) error {
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		switch refused.Code {
		case "28P01", "28000":
			return fmt.Errorf("%s refuses the user or its password: %s (check store in the configuration and pg_hba.conf)", target, refused.Message)
		case "3D000":
			return fmt.Errorf("%s is not there: create it, or change store in the configuration", target)
		case "53300":
			return fmt.Errorf("%s has no connection left (raise max_connections)", target)
		case "25006":
			return fmt.Errorf("%s is read-only: is it a standby? (give the address of the primary)", target)
		}
		return fmt.Errorf("%s: %w", target, err)
	}
	var connect *pgconn.ConnectError
	if !errors.As(err, &connect) {
		return fmt.Errorf("%s: %w", target, err)
	}
	why := "it does not answer"
	var dns *net.DNSError
	var op *net.OpError
	switch {
	case errors.As(err, &dns):
		why = "its name cannot be resolved"
	case errors.As(err, &op) && !op.Timeout():
		why = op.Err.Error()
	}
	return fmt.Errorf("%s cannot be reached: %s (check that it runs, that the address in store is right and that no firewall is between)", target, why)
}

// refusesData reports whether the database refuses what was written, so that writing it again would be refused again.
func refusesData(err error) bool {
	var p *pgconn.PgError
	if errors.As(err, &p) {
		class := p.Code[:min(2, len(p.Code))]
		return class == "22" || class == "23" || class == "54"
	}
	var s *sqlite.Error
	if errors.As(err, &s) {
		code := s.Code() & 0xff
		return code == sqlite3.SQLITE_CONSTRAINT || code == sqlite3.SQLITE_MISMATCH || code == sqlite3.SQLITE_TOOBIG
	}
	return false
}

// diedIdle reports whether a transaction could not begin because its connection had died, and not because the server or the context said no.
// Each such connection is thrown away, so that trying again ends with a new one, or with the error that a new one cannot be made.
func diedIdle(ctx context.Context, err error) bool {
	var refused *pgconn.PgError
	var lite *sqlite.Error
	return ctx.Err() == nil && !errors.As(err, &lite) && !errors.Is(err, sql.ErrConnDone) && !errors.Is(err, sql.ErrNoRows) &&
		(!errors.As(err, &refused) || strings.HasPrefix(refused.Code, "57P"))
}
