-- Calls, one row each, and their intervals, which are kept for a shorter time. A call is known by when it began and by its Call-ID; one that late
-- reports change is written anew as a whole, with a higher revision.

CREATE TABLE calls (
    start_at     TIMESTAMPTZ NOT NULL,             -- of the first INVITE, or of the first report
    hash         BIGINT NOT NULL,                  -- the first eight octets of the SHA-256 of call_id
    day          INTEGER NOT NULL,                 -- days since 1970 of start_at, UTC: what is looked for by number or Call-ID is looked for day by day
    call_id      TEXT NOT NULL,                    -- of the first leg; of a call without signalling, one made of its SSRCs and start
    revision     INTEGER NOT NULL,                 -- 1 when it is finished; counts up when late reports change it
    counted      INTEGER NOT NULL,                 -- 1: it is in the hourly figures (call_hours), by the first rules for that; 0: it is not
    end_at       TIMESTAMPTZ NOT NULL,
    answered_at  TIMESTAMPTZ,                      -- null: never
    customer     TEXT NOT NULL,                    -- unassigned when no rule matches
    trunk        TEXT NOT NULL,                    -- here and below, what is not known is empty
    site         TEXT NOT NULL,
    from_number  TEXT COLLATE "C" NOT NULL,        -- numbers or user names as signalled, masked where masked says so
    to_number    TEXT COLLATE "C" NOT NULL,
    from_end     TEXT COLLATE "C" NOT NULL,        -- the digits of from_number backwards, for looking for its end
    to_end       TEXT COLLATE "C" NOT NULL,
    masked       BOOLEAN NOT NULL,                 -- the end of both numbers is no longer known
    codec        TEXT NOT NULL,                    -- of the worse direction, as mos, r and scale are
    network      TEXT NOT NULL,                    -- the customer's own media address
    country      TEXT NOT NULL,                    -- of the other party, ISO 3166
    user_agent   TEXT NOT NULL,                    -- the customer's
    scale        TEXT NOT NULL,                    -- of mos and r: nb, wb or fb
    mos          DOUBLE PRECISION,                 -- null: not measured, which is not good
    r            DOUBLE PRECISION,
    cause        TEXT NOT NULL,                    -- what costs most: delay, loss, late, codec or one_way; empty when nothing does
    coverage_pct DOUBLE PRECISION,                 -- how much of the answered time is covered by reports; null when it was never answered
    one_way      BOOLEAN NOT NULL,                 -- a direction of it was not heard
    impaired     BOOLEAN NOT NULL,                 -- R below 80 on the narrowband scale, one way, or with a cause
    signalled    BOOLEAN NOT NULL,                 -- false: inferred from reports alone
    status       INTEGER NOT NULL,                 -- the final SIP status; 0: none was seen
    q850         INTEGER NOT NULL,                 -- the cause of its Reason header; 0: none
    pdd_ms       DOUBLE PRECISION,                 -- from the INVITE to the first sign of ringing
    why          TEXT NOT NULL,                    -- how it ended: hangup, failed, silent, evicted, shutdown
    streams      BYTEA NOT NULL,                   -- its streams, packed: see calls_blob.go of package store
    PRIMARY KEY (start_at, hash)
);
CREATE INDEX calls_customer ON calls (customer, start_at, hash);
CREATE INDEX calls_customer_impaired ON calls (customer, start_at, hash, mos, cause) WHERE impaired;
CREATE INDEX calls_impaired ON calls (start_at, hash, mos, cause) WHERE impaired;
CREATE INDEX calls_trunk ON calls (trunk, start_at, hash) WHERE trunk <> '';
CREATE INDEX calls_id ON calls (day, hash);
CREATE INDEX calls_from ON calls (day, from_number);
CREATE INDEX calls_to ON calls (day, to_number);
CREATE INDEX calls_from_end ON calls (day, from_end);
CREATE INDEX calls_to_end ON calls (day, to_end);

-- The intervals of a call's streams, eight octets each: see calls_blob.go of package store.
CREATE TABLE call_intervals (
    start_at     TIMESTAMPTZ NOT NULL,
    hash         BIGINT NOT NULL,
    intervals    BYTEA NOT NULL,
    PRIMARY KEY (start_at, hash)
);

-- Up to when every call's numbers are masked; no row while none needs to be.
CREATE TABLE call_masking (
    masked_to    TIMESTAMPTZ PRIMARY KEY NOT NULL
);
-- The oldest are deleted every minute: what they leave behind is cleared early.
ALTER TABLE calls SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.02);
ALTER TABLE call_intervals SET (autovacuum_vacuum_scale_factor = 0.05);
