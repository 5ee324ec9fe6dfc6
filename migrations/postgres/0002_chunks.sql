-- Samples as chunks: one row for each series and hour, later for each series and day, and a row of daily figures for readers of plain SQL.

-- The samples of one series within one hour, in the form of package store/chunk (Pack). The hours of a day that is over move to sample_days.
CREATE TABLE sample_hours (
    t0      TIMESTAMPTZ NOT NULL,          -- when the hour begins, UTC
    series  BIGINT NOT NULL,
    payload BYTEA NOT NULL,
    PRIMARY KEY (t0, series)
);

-- The same of one UTC day.
CREATE TABLE sample_days (
    t0      TIMESTAMPTZ NOT NULL,          -- when the day begins, UTC
    series  BIGINT NOT NULL,
    payload BYTEA NOT NULL,
    PRIMARY KEY (t0, series)
);

-- Payloads are compact already; compressing them again costs time and gains nothing.
ALTER TABLE sample_hours ALTER COLUMN payload SET STORAGE EXTERNAL;
ALTER TABLE sample_days ALTER COLUMN payload SET STORAGE EXTERNAL;
-- Every hour of a day leaves the table within the next day: what it leaves behind is cleared early.
ALTER TABLE sample_hours SET (autovacuum_vacuum_scale_factor = 0.05);

-- The figures of one series and UTC day. Join series for its name.
CREATE TABLE sample_rollup_1d (
    series  BIGINT NOT NULL,
    day     TIMESTAMPTZ NOT NULL,          -- when the day begins, UTC
    count   INTEGER NOT NULL,
    min     DOUBLE PRECISION NOT NULL,
    max     DOUBLE PRECISION NOT NULL,
    sum     DOUBLE PRECISION NOT NULL,     -- sum / count is the mean
    PRIMARY KEY (series, day)
);

-- How far the log has become chunks; one row. Rows of the log up to covered whose samples are all older than chunked_to may be gone from it.
CREATE TABLE sample_compaction (
    covered    BIGINT NOT NULL,
    chunked_to TIMESTAMPTZ,                -- null before the first time
    oldest     TIMESTAMPTZ                 -- no chunk has an older sample; null before the first
);
INSERT INTO sample_compaction (covered) VALUES (0);

-- Readers ask for rows that begin before what memory has whole.
DROP INDEX sample_log_time;
CREATE INDEX sample_log_begin ON sample_log (t0, t1);
