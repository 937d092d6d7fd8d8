-- The sums of a state in which nothing sleeps.
-- In:  total, minute_total (the state's sums, in which those of what sleeps are contained); woken_sum, woken_minute (all that sleeps).
-- Out: total_awake, minute_total_awake (without them).
-- Why right: the next fold adds the open items that it is given to these sums; in `totals.sql` what wakes is taken off in the same way.

CREATE TEMP VIEW total_awake AS
SELECT asset, day, side, line, sum(rows)::BIGINT AS rows, sum(minor)::BIGINT AS minor
FROM (
    FROM total
    UNION ALL
    SELECT asset, day, side, line, -rows, -minor FROM woken_sum
)
GROUP BY ALL
HAVING sum(rows) <> 0 OR sum(minor) <> 0
ORDER BY ALL;

CREATE TEMP VIEW minute_total_awake AS
SELECT
    asset, minute,
    sum(confirmed_rows)::BIGINT AS confirmed_rows, sum(confirmed_minor)::BIGINT AS confirmed_minor,
    sum(credited_rows)::BIGINT AS credited_rows, sum(credited_minor)::BIGINT AS credited_minor
FROM (
    FROM minute_total
    UNION ALL
    SELECT asset, minute, -confirmed_rows, -confirmed_minor, -credited_rows, -credited_minor FROM woken_minute
)
GROUP BY ALL
HAVING sum(confirmed_rows) <> 0
ORDER BY ALL;
