-- The hours of many series in one row, and the log's rows numbered by who writes them.

-- A row of sample_hours is from now on of 32 series: series is the first number that they may have, a multiple of 32, and payload is a group of
-- package store/chunk. What an older Vigía wrote, one series each, is read as before, until its day is over and it becomes day chunks.

-- The number is higher than that of every row there ever was.
UPDATE sample_compaction SET covered = GREATEST(covered, COALESCE(pg_sequence_last_value(pg_get_serial_sequence('sample_log', 'id')), 0))
    WHERE NOT EXISTS (SELECT 1 FROM sample_log);
ALTER TABLE sample_log ALTER COLUMN id DROP IDENTITY IF EXISTS;

-- What fits into a page stays in the table: to put it elsewhere, and to find it there, costs more than all else of such a row.
ALTER TABLE sample_log SET (toast_tuple_target = 8160);
ALTER TABLE sample_hours SET (toast_tuple_target = 8160);
