-- Who is on call, as far as people decide it: overrides of the configured rotations, and notes for the hand-over.

CREATE TABLE oncall_overrides (
    id           TEXT PRIMARY KEY,         -- of the command that made it
    rotation     TEXT NOT NULL,
    begins_at    TIMESTAMP NOT NULL,
    ends_at      TIMESTAMP NOT NULL,
    cancelled_at TIMESTAMP,                -- null: it holds
    doc          TEXT NOT NULL
);
CREATE INDEX oncall_overrides_end ON oncall_overrides (ends_at);

CREATE TABLE handover_notes (
    id       TEXT PRIMARY KEY,             -- of the command that made it
    rotation TEXT NOT NULL,
    at       TIMESTAMP NOT NULL,
    doc      TEXT NOT NULL
);
CREATE INDEX handover_notes_at ON handover_notes (at);
