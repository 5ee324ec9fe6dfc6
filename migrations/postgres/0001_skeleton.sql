-- The walking skeleton: series and their samples, alarms, incidents, events, commands, the outbox, and the lease of the one active process.

CREATE TABLE series (
    id       BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    metric   TEXT NOT NULL,
    ref_kind TEXT NOT NULL,
    ref_name TEXT NOT NULL,
    instance TEXT NOT NULL,
    every_us BIGINT NOT NULL,          -- how often a sample is expected, microseconds; 0 when it is not periodic
    UNIQUE (ref_kind, ref_name, metric, instance)
);

-- One row for each flush: the samples of all series that came since the last one, in the form of package store/chunk. The rows of an hour
-- that is over are merged into as few as hold them.
CREATE TABLE sample_log (
    id      BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    t0      TIMESTAMPTZ NOT NULL,          -- the oldest sample in the row
    t1      TIMESTAMPTZ NOT NULL,          -- the newest
    count   INTEGER NOT NULL,
    payload BYTEA NOT NULL
);
CREATE INDEX sample_log_time ON sample_log (t1, t0);

CREATE TABLE alarms (
    id          BIGINT PRIMARY KEY,
    metric      TEXT NOT NULL,
    ref_kind    TEXT NOT NULL,
    ref_name    TEXT NOT NULL,
    instance    TEXT NOT NULL,
    customer    TEXT NOT NULL,
    state       TEXT NOT NULL,           -- clear, pending, raised, clearing, stale
    severity    SMALLINT NOT NULL,
    worst       SMALLINT NOT NULL,       -- the worst severity there was
    incident_id BIGINT NOT NULL,          -- 0 for none
    shadow      BOOLEAN NOT NULL,
    value       DOUBLE PRECISION,
    pending_at  TIMESTAMPTZ,
    raised_at   TIMESTAMPTZ,
    cleared_at  TIMESTAMPTZ,
    changed_at  TIMESTAMPTZ NOT NULL,
    doc         TEXT NOT NULL
);
CREATE INDEX alarms_live ON alarms (state, severity) WHERE state <> 'clear';
CREATE INDEX alarms_object ON alarms (ref_kind, ref_name, raised_at);
CREATE INDEX alarms_incident ON alarms (incident_id) WHERE incident_id <> 0;
CREATE INDEX alarms_raised ON alarms (raised_at);

-- When each alarm stood at which severity: what charts mark and what a state bar of thirty days is drawn from.
CREATE TABLE alarm_spans (
    alarm_id BIGINT NOT NULL,
    since    TIMESTAMPTZ NOT NULL,
    until    TIMESTAMPTZ,                   -- null while it stands
    severity SMALLINT NOT NULL,
    state    TEXT NOT NULL,               -- raised or stale
    PRIMARY KEY (alarm_id, since)
);

CREATE TABLE incidents (
    id          BIGINT PRIMARY KEY,
    state       TEXT NOT NULL,           -- open, acknowledged, resolved, merged
    severity    SMALLINT NOT NULL,
    worst       SMALLINT NOT NULL,
    ref_kind    TEXT NOT NULL,
    ref_name    TEXT NOT NULL,
    customer    TEXT NOT NULL,
    owner       TEXT NOT NULL,           -- who has it; empty for nobody
    opened_at   TIMESTAMPTZ NOT NULL,
    resolved_at TIMESTAMPTZ,
    merged_into BIGINT NOT NULL,
    next_at     TIMESTAMPTZ,                -- the next step of its escalation
    doc         TEXT NOT NULL
);
CREATE INDEX incidents_live ON incidents (severity, opened_at) WHERE state IN ('open', 'acknowledged');
CREATE INDEX incidents_opened ON incidents (opened_at);
CREATE INDEX incidents_object ON incidents (ref_kind, ref_name, opened_at);

CREATE TABLE events (
    id          BIGINT PRIMARY KEY,
    incident_id BIGINT NOT NULL,          -- 0 for none
    at          TIMESTAMPTZ NOT NULL,
    kind        TEXT NOT NULL,
    actor       TEXT NOT NULL,
    alarm_id    BIGINT NOT NULL,          -- 0 for none
    severity    SMALLINT NOT NULL,
    doc         TEXT NOT NULL
);
CREATE INDEX events_incident ON events (incident_id, id);
CREATE INDEX events_at ON events (at);

CREATE TABLE commands (
    seq         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id          TEXT NOT NULL UNIQUE,    -- chosen by the caller: the same twice is one command
    kind        TEXT NOT NULL,
    incident_id BIGINT NOT NULL,
    actor       TEXT NOT NULL,
    note        TEXT NOT NULL,
    until       TIMESTAMPTZ,
    created_at  TIMESTAMPTZ NOT NULL,
    done_at     TIMESTAMPTZ,                -- when the engine planned it; null before
    ok          BOOLEAN,
    reason      TEXT NOT NULL            -- JSON: why not
);
CREATE INDEX commands_waiting ON commands (seq) WHERE done_at IS NULL;

CREATE TABLE notifications (
    key         TEXT PRIMARY KEY,
    incident_id BIGINT NOT NULL,
    level       INTEGER NOT NULL,
    receiver    TEXT NOT NULL,
    cause       TEXT NOT NULL,
    round       INTEGER NOT NULL,
    severity    SMALLINT NOT NULL,
    created_at  TIMESTAMPTZ NOT NULL,
    state       TEXT NOT NULL,           -- pending, leased, sent, given_up, superseded
    outdated    BOOLEAN NOT NULL,        -- superseded while it was leased: another attempt is not made
    attempts    INTEGER NOT NULL,
    due_at      TIMESTAMPTZ NOT NULL,       -- pending: when it may be tried; leased: when the lease ends
    settled_at  TIMESTAMPTZ,
    doc         TEXT NOT NULL            -- the message
);
CREATE INDEX notifications_claim ON notifications (severity DESC, created_at, key) WHERE state IN ('pending', 'leased');
CREATE INDEX notifications_due ON notifications (due_at) WHERE state IN ('pending', 'leased');
CREATE INDEX notifications_incident ON notifications (incident_id, created_at);
CREATE INDEX notifications_created ON notifications (created_at);

CREATE TABLE deliveries (
    id      BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key     TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    at      TIMESTAMPTZ NOT NULL,
    took_us BIGINT NOT NULL,              -- microseconds
    ok      BOOLEAN NOT NULL,
    outcome TEXT NOT NULL
);
CREATE INDEX deliveries_key ON deliveries (key, id);

-- The right to be the active process. The epoch is the key of the only row: taking the lease changes it, renewing does not.
CREATE TABLE lease (
    epoch   BIGINT PRIMARY KEY,
    holder  TEXT NOT NULL,               -- host and process id
    guarded BOOLEAN NOT NULL,            -- the holder's session has the advisory lock
    until   TIMESTAMPTZ NOT NULL            -- by the database's clock
);
INSERT INTO lease (epoch, holder, guarded, until) VALUES (0, '', FALSE, 'epoch');

-- Payloads are compact already; compressing them again costs time and gains nothing.
ALTER TABLE sample_log ALTER COLUMN payload SET STORAGE EXTERNAL;
