-- Silences and maintenance: whole documents, with what they are chosen by. And what commands carry besides their columns.

CREATE TABLE mutes (
    id           INTEGER PRIMARY KEY,
    kind         TEXT NOT NULL,           -- silence, maintenance
    starts_at    TIMESTAMP NOT NULL,
    ends_at      TIMESTAMP,               -- when its last window is over at the latest; null: it recurs without end
    cancelled_at TIMESTAMP,
    doc          TEXT NOT NULL            -- JSON: alerting.Mute
);
CREATE INDEX mutes_end ON mutes (ends_at);

ALTER TABLE commands ADD COLUMN more TEXT NOT NULL DEFAULT '';         -- JSON: the whole command; empty: the columns are all there is
ALTER TABLE commands ADD COLUMN made INTEGER NOT NULL DEFAULT 0;      -- the id of what it made
