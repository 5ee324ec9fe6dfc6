-- Silences and maintenance: whole documents, with what they are chosen by. And what commands carry besides their columns.

CREATE TABLE mutes (
    id           bigint PRIMARY KEY,
    kind         text NOT NULL,           -- silence, maintenance
    starts_at    timestamptz NOT NULL,
    ends_at      timestamptz,             -- when its last window is over at the latest; null: it recurs without end
    cancelled_at timestamptz,
    doc          text NOT NULL            -- JSON: alerting.Mute
);
CREATE INDEX mutes_end ON mutes (ends_at);

ALTER TABLE commands ADD COLUMN more text NOT NULL DEFAULT '';         -- JSON: the whole command; empty: the columns are all there is
ALTER TABLE commands ADD COLUMN made bigint NOT NULL DEFAULT 0;       -- the id of what it made
