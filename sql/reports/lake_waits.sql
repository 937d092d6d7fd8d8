-- How long the operator's own credits took on a business day (DuckDB, over a flow's confirmations, entries and matches).
-- In:  $files (confirmations), $entries (entries), $matches (matches, newest run first), $begin and $until (the day's instants).
-- Out: credited_count, and in seconds median, p95, p99, worst; a credit that came before its message counts as at once.
-- Why right: pairs are those that matching made, a later run's in place of an earlier one's, without those with our own
--      credits; a purchase is credited by the first of its entries that is no reversal.
WITH told AS (
    SELECT confirmation_id, min(confirmed_at) AS confirmed_at
    FROM read_parquet($files)
    WHERE outcome = 'success' AND confirmed_at >= $begin AND confirmed_at < $until
    GROUP BY confirmation_id
),
pair AS (
    SELECT confirmation_id, entry_id
    FROM read_parquet($matches, filename = true)
    WHERE pass <> 'own'
    QUALIFY list_position($matches, filename) = min(list_position($matches, filename)) OVER (PARTITION BY confirmation_id)
),
waited AS (
    SELECT t.confirmation_id, greatest(0, epoch(min(e.posted_at) - t.confirmed_at)) AS seconds
    FROM told AS t
    JOIN pair AS p ON p.confirmation_id = t.confirmation_id
    JOIN read_parquet($entries) AS e ON e.entry_id = p.entry_id
    WHERE e.amount_minor > 0
    GROUP BY t.confirmation_id, t.confirmed_at
)
SELECT
    count(*) AS credited_count,
    quantile_disc(seconds, 0.5)::BIGINT AS median_seconds,
    quantile_disc(seconds, 0.95)::BIGINT AS p95_seconds,
    quantile_disc(seconds, 0.99)::BIGINT AS p99_seconds,
    max(seconds)::BIGINT AS worst_seconds
FROM waited
