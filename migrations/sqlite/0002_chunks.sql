-- Samples as chunks: one row for each series and hour, later for each series and day, and a row of daily figures for readers of plain SQL.

-- The samples of one series within one hour, in the form of package store/chunk (Pack). The hours of a day that is over move to sample_days.
CREATE TABLE sample_hours (
    t0      TIMESTAMP NOT NULL,          -- when the hour begins, UTC
    series  INTEGER NOT NULL,
    payload BLOB NOT NULL,
    PRIMARY KEY (t0, series)
) WITHOUT ROWID;

-- The same of one UTC day.
CREATE TABLE sample_days (
    t0      TIMESTAMP NOT NULL,          -- when the day begins, UTC
    series  INTEGER NOT NULL,
    payload BLOB NOT NULL,
    PRIMARY KEY (t0, series)
);

-- The figures of one series and UTC day. Join series for its name.
CREATE TABLE sample_rollup_1d (
    series  INTEGER NOT NULL,
    day     TIMESTAMP NOT NULL,          -- when the day begins, UTC
    count   INTEGER NOT NULL,
    min     REAL NOT NULL,
    max     REAL NOT NULL,
    sum     REAL NOT NULL,               -- sum / count is the mean
    PRIMARY KEY (series, day)
) WITHOUT ROWID;

-- How far the log has become chunks; one row. Rows of the log up to covered whose samples are all older than chunked_to may be gone from it.
CREATE TABLE sample_compaction (
    covered    INTEGER NOT NULL,
    chunked_to TIMESTAMP,                 -- null before the first time
    oldest     TIMESTAMP                 -- no chunk has an older sample; null before the first
);
INSERT INTO sample_compaction (covered) VALUES (0);

-- Readers ask for rows that begin before what memory has whole.
DROP INDEX sample_log_time;
CREATE INDEX sample_log_begin ON sample_log (t0, t1);
