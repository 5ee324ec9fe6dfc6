// Package store is everything that Vigía remembers, and all of its SQL, on SQLite and on PostgreSQL.
//
// What it promises, in three sentences: samples are best effort, changes are exact, notifications are kept until they are settled.
//
//   - Apply writes one Change of the engine in one transaction, or into the local journal while the database is away, or fails and leaves
//     nothing behind. When this process has taken the right to be the active one (Acquire), the same transaction checks that the right is
//     still its own; ErrLost says that it is not.
//   - Put takes samples and never waits for the database. They go to the head, in memory, from which pages read at once, and every
//     FlushEvery as one packed row to the log; a killed process loses at most the last flush. While the database is away they wait, packed
//     when they are many (packed.go), within a bound; beyond it the oldest are dropped first and counted.
//   - Claim leases what is due, Settle writes what became of it. The lease of a claimed notification survives a killed process but not a
//     power cut (the claim is not forced to the disk, which keeps it out of the alert path); then it is sent again, under the same key.
//   - PutCall takes finished calls and amendments of them and never waits either. A call is a row that is written whole, in one transaction with
//     its part of the hourly figures; the same one twice is one. What waits when the process is killed is lost.
//   - Commands are idempotent rows that any process may write, without the fence.
//
// What it never does: it decides nothing (SQL only keeps and finds), SQL never reads the clock (but for the lease, which lives by the
// database's), it imports no page and no protocol, and it starts no goroutine that nobody waits for.
//
// # Who may write
//
// The right to be the active process is a row, the lease, with an epoch that counts up each time it is taken. Fenced writes (Apply, Claim,
// Flush, compaction) look at their epoch in the same transaction, by a lock that the next taker waits for: a transaction that was let in is
// over before anybody else is active, and none is let in afterwards.
//
//	never asked ── Acquire ──▶ active ── taken by another (ErrLost, Lost), or given back ──▶ standby
//	(not fenced)      │          ▲                                                  (all that is fenced is refused,
//	                  │          └───────────────────── Acquire ─────────────────────  Put keeps nothing)
//	                  └── ErrTaken ─────────────────────────────────────────────────────────▲
//
// On PostgreSQL the lease is held by a session's advisory lock, which goes with a process that dies, and for ten seconds by the clock of the
// database, for one that only hangs; its open transaction is ended by the database after five. On SQLite it is the lock of a file, and there is
// no standby. A store that never asked is not fenced: tools and tests, which are alone.
//
// A standby's head follows the log each second, and once more while it takes the right, for two seconds at most; what is not read by then it
// follows afterwards. A process that was deposed writes the samples that it still has from before the first sample of the one that is active
// now, which follows the log again when it sees that it was not alone in it; the rest it lets go, because the other one measures the same.
//
// # One SQL text, two databases
//
// Every statement is written once, with $1 placeholders; what differs is in dialect.go. Times are whole microseconds, UTC. Rows carry what
// pages filter by in columns and the whole value as JSON in the column doc, so that a new field of a domain type needs no migration.
// SQLite has one writer at a time, which waits its turn in this process and not by polling the file's lock.
//
// # Samples
//
//	Put ─▶ head (memory: the last samples of each series) ─────────────────────────────────────────────────▶ Latest, Range, Sparklines
//	 └──▶ pending (memory, bounded) ─flush─▶ sample_log ─hour over─▶ sample_hours ─day over─▶ sample_days ─▶ Range beyond the head
//	                                         (one row for            (one row for 32         (one row for
//	                                         all series)             series and an hour)     a series and day) ─▶ sample_rollup_1d, for SQL
//
// The head. For each series it knows from which instant on it is complete; reading takes it from there and asks the database for what is
// before. On start it is empty but for what comes in, and Run fills it with the last two hours, of the log and of the hours, without
// anybody waiting for it. A process that is not the active one follows the log. Of each series the newest eight samples at most lie beside its
// name and not with the others: to touch one more place in memory for each sample was nearly half of what Put cost.
//
// Compaction is done by the active process alone, every minute, in one goroutine, and each of its transactions makes sure that the right
// is still its own. It writes in slices whose size adapts so that one takes some milliseconds: on SQLite, where there is one writer, a
// commit of the alert path waits for one slice at most. An hour is left alone for five minutes after its end. Then the rows of the log up
// to the first one that is not of an hour that is over become hour chunks; after the last chunk of them, and not before, the rows go, the
// oldest first. What comes later than that is merged into the chunk that is there. A day that has been over for three hours becomes one
// chunk for each series and its daily figures, and its hours go in the same transactions, series by series; what comes later than that
// becomes an hour chunk and is folded into the day in the same way. What is older than its retention is looked for every ten minutes.
//
// Why nothing is lost and nothing counts twice, whenever the process is killed: a sample is known by its series and instant, of two of one
// instant the one that was written later holds, and every step only copies forward (log, hours, days) before it deletes. So a step that is
// done again does nothing, a sample that is in two places is the same in both, and who reads in the order log, hours, days meets each
// sample at least once; reading leaves the second one out. No mark of how far a pass has come is needed for that. There is one mark,
// sample_compaction: up to which row and which hour the log may be gone, written before the first row goes. By it a process that did not
// follow meanwhile knows from when on its head is no longer complete.
//
// The key of chunks is (time, series): what is written together lies together, however long the history is. The hours of 32 series whose numbers
// follow on one another share a row, under the lowest of these numbers: a row for each would cost more to insert and to delete than all that is
// done with its samples. What comes late for one of them is merged into its part, and the others' octets are carried over. A day of one series is
// read as up to 24 keys, a year as 365; many series are read hour by hour. A range of any length is drawn in one pass with memory for two points of
// the drawing, a day of one series and what is newer: smallest, largest and mean of each part, and gaps. Rows of hours that an older Vigía wrote,
// one series each, are read beside the others until their day is over.
//
// Rows of the log are numbered by who writes them, in the order in which they become visible: who has the right counts on, anybody else takes the
// number after the last one in the same statement. No number is used twice, because the newest row, or the mark of how far the log has become
// chunks, keeps the last one.
//
// Damage. Every row has its checksum, every part of an hour's row its own, under which its series is too: a chunk that got the key of another
// series is damaged. One that is damaged is told in the log once, counted in Stats, left out of what is read, and costs only itself; it stays where
// it is until its retention ends, but a damaged chunk gives way when late samples of the same hour or day come. When the index of an hour's row is
// damaged, that costs the hour of its 32 series. Of chunks that an older Vigía wrote the series is not under the checksum; a day of these
// is known by its daily figures.
//
// The tables are plain ones on PostgreSQL too, and retention deletes in slices. Partitions by day would be dropped instead; but to make
// or drop one takes a lock that excludes readers, which behind a long backup lets every page wait, and a year of one series would be
// planned over 365 of them. Hours leave their table within a day, so what they leave behind is small and is used again.
//
// # Without the database
//
// The active process writes in one of two ways: to the database, or, from the first write that fails or takes longer than three seconds until
// the database has everything again, to the local journal (away.go, local.go). Apply, Settle and PostCommand go the same way, in order, and the
// journal is emptied only when nothing is left of it and nobody writes. Claim and NextDue then work on the duties (duties.go), a copy in memory
// of the notifications that wait. Everything in the journal can be written twice without harm, because rows are whole and keys are unique: so no
// mark of how far the database has it needs to be exact, and a commit of which nobody knows whether it happened is written again.
//
// The journal's header says which holder of the lease it belongs to. Who takes the lease over from exactly that holder gives the database what
// the journal holds; anybody else must not, because the database has moved on. Then what only the journal knows is handed over (orphans.go): what
// was sent; incidents that are over, as history; and those that are not, as commands, so that the engine of the active process goes on with them
// and everyone who was told hears how they end. A process that is refused the lease hands over at once, and not only when it is active again.
// Before it takes the lease a process writes into the header that it is about to, so that a kill between the two is no gap.
//
// Pages then read alarms, incidents and what belongs to them from the mirror (mirror.go), a SQLite database in memory with the same schema,
// which the active process keeps up with every write; so the same SQL finds them there.
//
// On SQLite a file beside the database holds room for a start on a full disk (spare.go).
//
// A Change that the database refuses for good is written thing by thing; what it refuses is set aside (aside.go).
//
// # Calls
//
//	PutCall ─▶ pending (memory, packed, bounded) ─flush─▶ calls, call_intervals, call_tallies, in one transaction ─▶ Calls, Call, Marginals
//	                                                      call_tallies ─every ten minutes─▶ call_hours
//
// A call is known by its start and Call-ID. The key of its row is (start, hash of the Call-ID): rows are added where time is, which is one hot end
// of the table and of each index however much there is, and it is the order of every search, so that a page ends with a key from which the next
// goes on, and no row is counted off. Texts of any length would be in every index; the hash is eight octets, and nobody can make two Call-IDs of one
// instant share it. Columns are what is searched by and what readers of plain SQL want; streams are packed, some 60 octets each, with a checksum
// that covers the key. Intervals are in a table of their own, because they go sooner: deleting rows is cheaper than writing wide ones anew.
//
// Every search walks an index in the order of time and stops when its page is full: all calls, those of a customer, of a trunk, or those that are
// impaired (R below 80, one way, or with a cause: what one looks for by a low MOS or a cause, and few), for all and by customer, with MOS and cause
// in the index. Numbers and Call-IDs have no order of time, so their indexes begin with the day: what is written stays in the pages of one day, and
// a search goes back day by day; what more than some thousand calls of a day match is rather read by time. A number is indexed as it is and backwards, because people know its end. Which index a search takes is decided
// here and not by statistics; SQLite is told by name. What no index can answer (a site, a rare country, a MOS above 4) reads on until the page is
// full: give it a range of time.
//
// A MOS that only impaired calls have is looked for day by day too: where few calls of a day have it by an index of days and MOS, else by time.
//
// An amendment (same ID and start, higher revision) replaces the row, takes what the old one had added to the hourly figures back and adds its own,
// in one transaction; the same or a lower revision does nothing. What a call adds is worked out of its row alone (figuresOf), after the rounding of
// what is stored, so that what is taken back is what was added. When that cannot be (the row is damaged) the figures stay as they are, the call is
// written all the same, and it is told and counted. A call that was never answered is no part of the hourly figures.
// A transaction has as many calls as take some 15 ms on SQLite, 50 at least, and 2,000 on PostgreSQL. When the process ends, calls have five
// seconds; what is not written by then is said.
//
// Masked numbers lose their last four digits (a short one half of them, a name all but three letters) before they are stored or once they are old
// enough; the rest, which says country, network and block, is found as before, and a whole number finds what may be it.
//
// # Hourly figures of calls
//
// call_hours counts the calls of a customer and hour by band of quality, and sums what was measured of them, by one dimension at a time (all,
// trunk, codec, network, ...): customers' figures are read from there and never from calls. Every column is a whole number, so that adding
// and taking back in any order ends with exactly what is left; a row that would count less than nothing stays as it is, and that is told and
// counted. They are kept as long as daily figures are.
//
// A call counts in eight or nine rows, and to change these for each call would cost more than to write the call. So a transaction of calls notes
// what they change, each in some 100 octets, in one row of call_tallies: a process that dies has done both or neither. Every ten minutes
// (tallies.go), or when 20,000 calls wait, the tallies up to a number are added up in memory by row of call_hours and written in the order of their
// keys, in slices of a few milliseconds on SQLite. Each slice notes in call_folding how far it came, in its own transaction, and the last one deletes
// the tallies: whoever goes on after a kill adds the same tallies up again and leaves out the rows that are done. A reader adds to call_hours what
// the tallies change in the rows that they are not added to yet, all of one instant; a process keeps that sum and reads each tally once.
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
