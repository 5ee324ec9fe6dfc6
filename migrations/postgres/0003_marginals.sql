-- Hourly figures of calls: how many fell into which band of quality, and sums of what was measured, by customer and by one dimension at a time.
-- Rows add up: hours to days and months, values to a whole. Every column is a whole number, so that a call which is amended or taken back leaves
-- no trace of what it was before; a row without calls goes.

CREATE TABLE call_hours (
    customer     TEXT NOT NULL,
    dimension    TEXT NOT NULL,          -- all (whose value is empty), trunk, codec, direction, network, site, country, user_agent, ...
    hour         TIMESTAMPTZ NOT NULL,   -- when the hour begins, UTC; a call counts in the hour in which it began
    value        TEXT NOT NULL,          -- of the dimension, such as carrier-a
    scale        TEXT NOT NULL,          -- of R and MOS: nb, wb or fb, which never mix; empty for calls without them
    calls        BIGINT NOT NULL,        -- the sum of the seven that follow
    r90          BIGINT NOT NULL,        -- calls with R of 90 and more: very satisfied (the bands of ITU-T G.107)
    r80          BIGINT NOT NULL,        -- 80 and more: satisfied
    r70          BIGINT NOT NULL,        -- 70 and more: some users dissatisfied
    r60          BIGINT NOT NULL,        -- 60 and more: many users dissatisfied
    r50          BIGINT NOT NULL,        -- 50 and more: nearly all users dissatisfied
    r0           BIGINT NOT NULL,        -- below 50: not recommended
    unrated      BIGINT NOT NULL,        -- calls of which no R is known: not measured is not good
    one_way      BIGINT NOT NULL,        -- calls that were heard in one direction only
    talk_ms      BIGINT NOT NULL,        -- how long they lasted, milliseconds
    covered_ms   BIGINT NOT NULL,        -- of that, what measurements cover
    r_sum        BIGINT NOT NULL,        -- of R, in thousandths; over the calls that are not unrated, as the next three are
    r_squares    BIGINT NOT NULL,        -- of the squares of R in thousandths
    mos_sum      BIGINT NOT NULL,        -- of MOS, in ten-thousandths
    mos_squares  BIGINT NOT NULL,        -- of the squares of MOS in ten-thousandths
    loss_calls   BIGINT NOT NULL,        -- calls of which the loss is known
    loss_sum     BIGINT NOT NULL,        -- of their loss, in millionths; loss can be negative (duplicates)
    jitter_calls BIGINT NOT NULL,
    jitter_sum   BIGINT NOT NULL,        -- microseconds
    rtt_calls    BIGINT NOT NULL,
    rtt_sum      BIGINT NOT NULL,        -- microseconds
    PRIMARY KEY (customer, dimension, hour, value, scale),
    CHECK (calls >= 0 AND r90 >= 0 AND r80 >= 0 AND r70 >= 0 AND r60 >= 0 AND r50 >= 0 AND r0 >= 0 AND unrated >= 0 AND one_way >= 0
        AND talk_ms >= 0 AND covered_ms >= 0 AND loss_calls >= 0 AND jitter_calls >= 0 AND rtt_calls >= 0)
);
-- The rows of the current hours are written again and again: room in their pages lets that touch no index.
ALTER TABLE call_hours SET (fillfactor = 80);
