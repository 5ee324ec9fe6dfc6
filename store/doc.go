// Package store is everything that Vigía remembers, and all of its SQL, on SQLite and on PostgreSQL.
//
// What it promises, in three sentences: samples are best effort, changes are exact, notifications are kept until they are settled.
//
//   - Apply writes one Change of the engine in one transaction, or fails and leaves nothing behind. When this process has taken the right
//     to be the active one (Acquire), the same transaction checks that the right is still its own; ErrLost says that it is not.
//   - Put takes samples and never waits for the database. They go to the head, in memory, from which pages read at once, and every
//     FlushEvery as one packed row to the log; a killed process loses at most the last flush. While the database is away they wait in a
//     bounded buffer, the oldest dropped first and counted.
//   - Claim leases what is due, Settle writes what became of it. The lease of a claimed notification survives a killed process but not a
//     power cut (the claim is not forced to the disk, which keeps it out of the alert path); then it is sent again, under the same key.
//   - Commands are idempotent rows that any process may write, without the fence.
//
// What it never does: it decides nothing (SQL only keeps and finds), SQL never reads the clock (but for the lease, which lives by the
// database's), it imports no page and no protocol, and it starts no goroutine that nobody waits for.
//
// # One SQL text, two databases
//
// Every statement is written once, with $1 placeholders; what differs is in dialect.go. Times are whole microseconds, UTC. Rows carry what
// pages filter by in columns and the whole value as JSON in the column doc, so that a new field of a domain type needs no migration.
// SQLite has one writer at a time, which waits its turn in this process and not by polling the file's lock.
//
// # Samples
//
//	Put ──▶ head (memory, last samples of each series) ──▶ Latest, Range, Sparklines
//	   └──▶ pending (memory, bounded) ──flush──▶ sample_log (one row for all series) ──▶ Range beyond the head
//
// For each series the head knows from which instant on it is complete; Range takes it from there and reads the log before. On start the
// head is empty but for what comes in, and Run fills it from the log's last two hours without anybody waiting for it. A process that is
// not the active one follows the log. The active one merges the rows of each hour that is over into one, so that a month is some hundred rows.
//
// # Backups
//
// A backup is one file of one instant of the database: a tar in gzip with a manifest and, behind it, the checksum of every octet, so that one
// octet that changed or an end that is missing is found before anything is restored. Its rows are in a form of neither database. Which tables
// there are is asked of the migrations and of the database's catalogue; only the lease and the list of migrations are left out. Backup writes
// beside the active process and keeps no writer waiting; Restore is one transaction, takes the right to be the active process, counts every
// table, and leaves the database as it was when anything is wrong.
//
// After a restore nobody is told because of it: what was open is acknowledged by "vigia restore" without an end and who was told of it is
// forgotten, what waited in the outbox is superseded, commands that waited are refused, timers of alarms start anew, and the ids of incidents
// jump over those that the lost time may have used, because they are part of the keys by which receivers drop what they know. What gets worse
// afterwards, or is new, is told as always. docs/backup.md says it to operators.
//
// # Who may see what
//
// Every read that can show customer data takes a Scope, whose zero value sees no customer's data at all. What is about no customer
// (links, servers, Vigía itself) is not customer data; roles decide about that, not the store.
package store
