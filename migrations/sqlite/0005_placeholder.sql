-- Keeps the number that the branch "store" takes: to be removed when both are merged.
SELECT 1;
