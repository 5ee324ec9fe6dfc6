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
// # Who may see what
//
// Every read that can show customer data takes a Scope, whose zero value sees no customer's data at all. What is about no customer
// (links, servers, Vigía itself) is not customer data; roles decide about that, not the store.
package store
