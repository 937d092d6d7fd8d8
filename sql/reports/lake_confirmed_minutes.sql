-- How many purchases were confirmed in each minute (DuckDB, over the Parquet files of a flow's confirmations).
-- In:  $files, $begin and $until (instants, the second one excluded).
-- Out: minute, confirmed; minutes without any are left out.
-- Why right: a purchase that was told twice is counted once, in the minute of its first message.
WITH told AS (
    SELECT confirmation_id, min(confirmed_at) AS confirmed_at
    FROM read_parquet($files)
    WHERE outcome = 'success' AND confirmed_at >= $begin AND confirmed_at < $until
    GROUP BY confirmation_id
)
SELECT date_trunc('minute', confirmed_at) AS minute, count(*) AS confirmed
FROM told
GROUP BY minute
ORDER BY minute
