-- The hours of many series in one row, and the log's rows numbered by who writes them.

-- A row of sample_hours is from now on of 32 series: series is the first number that they may have, a multiple of 32, and payload is a group of
-- package store/chunk. What an older Vigía wrote, one series each, is read as before, until its day is over and it becomes day chunks.

-- Without AUTOINCREMENT: a page less is written for each row.
CREATE TABLE sample_log_numbered (
    id      INTEGER PRIMARY KEY,         -- higher than that of every row there ever was
    t0      TIMESTAMP NOT NULL,          -- the oldest sample in the row
    t1      TIMESTAMP NOT NULL,          -- the newest
    count   INTEGER NOT NULL,
    payload BLOB NOT NULL
);
INSERT INTO sample_log_numbered (id, t0, t1, count, payload) SELECT id, t0, t1, count, payload FROM sample_log;
UPDATE sample_compaction SET covered = MAX(covered, COALESCE((SELECT seq FROM sqlite_sequence WHERE name = 'sample_log'), 0))
    WHERE NOT EXISTS (SELECT 1 FROM sample_log);
DROP TABLE sample_log;
ALTER TABLE sample_log_numbered RENAME TO sample_log;
CREATE INDEX sample_log_begin ON sample_log (t0, t1);
