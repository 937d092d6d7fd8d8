-- The state that the buckets of a cluster hand on to the next fold.
-- In:  bucket_own_verdict, bucket_total_after, bucket_minute_total_after, bucket_kept_confirmation, bucket_kept_entry, bucket_kept_payment, bucket_kept_heard.
-- Out: own_verdict, total_after, minute_total_after, kept_confirmation, kept_entry, kept_payment, kept_heard.
-- Why right: open items and our own credits are rows of one bucket; the others are sums over rows.

CREATE TEMP VIEW own_verdict AS FROM bucket_own_verdict;

CREATE TEMP VIEW kept_confirmation AS FROM bucket_kept_confirmation;

CREATE TEMP VIEW kept_entry AS FROM bucket_kept_entry;

CREATE TEMP VIEW kept_payment AS FROM bucket_kept_payment;

CREATE TEMP VIEW kept_heard AS FROM bucket_kept_heard;

CREATE TEMP VIEW total_after AS
SELECT asset, day, side, line, sum(rows)::BIGINT AS rows, sum(minor)::BIGINT AS minor
FROM bucket_total_after
GROUP BY ALL
HAVING sum(rows) <> 0 OR sum(minor) <> 0
ORDER BY ALL;

CREATE TEMP VIEW minute_total_after AS
SELECT
    asset, minute,
    sum(confirmed_rows)::BIGINT AS confirmed_rows, sum(confirmed_minor)::BIGINT AS confirmed_minor,
    sum(credited_rows)::BIGINT AS credited_rows, sum(credited_minor)::BIGINT AS credited_minor
FROM bucket_minute_total_after
GROUP BY ALL
HAVING sum(confirmed_rows) <> 0
ORDER BY ALL;
