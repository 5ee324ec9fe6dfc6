-- What calls that were written change in the hourly figures, until it is added to call_hours some minutes later: a row of call_hours is then
-- written once for many calls. Whoever reads call_hours by plain SQL sees it as of then; Vigía itself adds what waits.

CREATE TABLE call_tallies (
    id           BIGINT PRIMARY KEY NOT NULL,     -- counts up, and none comes twice
    written_at   TIMESTAMPTZ NOT NULL,
    calls        INTEGER NOT NULL,                 -- how many calls' figures it holds, also those that are taken back
    tallies      BYTEA NOT NULL                    -- these: see tallies_blob.go of package store
);

-- How far they are added to call_hours; no row before the first time. While tallies up to the number upto are still there, they are added to the
-- rows of call_hours in order of customer, dimension, hour, value and scale, and up to this one that is done; hour is null when it is to none.
CREATE TABLE call_folding (
    upto         BIGINT PRIMARY KEY NOT NULL,
    customer     TEXT NOT NULL,
    dimension    TEXT NOT NULL,
    hour         TIMESTAMPTZ,
    value        TEXT NOT NULL,
    scale        TEXT NOT NULL
);

-- For figures of all customers together, those included that are no longer configured.
CREATE INDEX call_hours_value ON call_hours (dimension, value, hour);
-- For calls below a MOS, which are few on most days.
CREATE INDEX calls_mos ON calls (day, mos) WHERE impaired;
-- Its rows come and go all the time.
ALTER TABLE call_tallies SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
