// Package migrations is the schema of Vigía's database, embedded, as numbered steps for each of the two databases.
//
// A step is a file NNNN_words.sql and only ever goes forward. Once it has been released it is never edited: package store keeps each
// applied step's checksum in the table schema_migrations and refuses a database whose history differs. Every step exists for both
// databases under the same number and makes the same tables; only the types differ.
//
// Times are TIMESTAMP columns that hold whole microseconds since 1970-01-01 UTC on SQLite, and timestamptz on PostgreSQL. Severities are
// numbers: 0 none, 1 indeterminate, 2 warning, 3 minor, 4 major, 5 critical. A column named doc is JSON with everything that no page
// filters by. The column customer names the customer whom a row is about, and is empty for what is nobody's own.
package migrations

import "embed"

// Files holds sqlite/*.sql and postgres/*.sql.
//
//go:embed sqlite/*.sql postgres/*.sql
var Files embed.FS
