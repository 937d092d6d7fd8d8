-- How many credits were posted in each minute, and how many of them were ours (DuckDB, over a flow's entries).
-- In:  $files, $begin and $until (instants, the second one excluded).
-- Out: minute, credited (by the operator), recredited (by us); minutes without any are left out.
-- Why right: an entry that was delivered twice is one entry_id, and so counts once.
SELECT
    date_trunc('minute', posted_at) AS minute,
    count(DISTINCT entry_id) FILTER (own_key IS NULL) AS credited,
    count(DISTINCT entry_id) FILTER (own_key IS NOT NULL) AS recredited
FROM read_parquet($files)
WHERE kind = 'purchase' AND posted_at >= $begin AND posted_at < $until
GROUP BY minute
ORDER BY minute
