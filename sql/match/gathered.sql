-- What the buckets of a cluster said, as if one machine had said it.
-- In:  bucket_verdict, bucket_statement_line, bucket_curve, bucket_tally (the rows of `verdict`, `statement_line`, `curve`, `tally` of all buckets).
-- Out: verdict, latest, statement_line, curve, tally.
-- Why right: a verdict speaks of rows of one bucket, and a first fold has no earlier ones; the others are sums over rows.

CREATE TEMP VIEW verdict AS FROM bucket_verdict;

CREATE TEMP VIEW latest AS FROM bucket_verdict;

CREATE TEMP VIEW statement_line AS
SELECT asset, day, side, line, sum(rows)::BIGINT AS rows, sum(minor)::BIGINT AS minor
FROM bucket_statement_line
GROUP BY ALL
HAVING sum(rows) <> 0 OR sum(minor) <> 0
ORDER BY ALL;

CREATE TEMP VIEW curve AS
SELECT
    asset, minute,
    sum(confirmed_rows)::BIGINT AS confirmed_rows, sum(confirmed_minor)::BIGINT AS confirmed_minor,
    sum(credited_rows)::BIGINT AS credited_rows, sum(credited_minor)::BIGINT AS credited_minor
FROM bucket_curve
GROUP BY ALL
ORDER BY ALL;

CREATE TEMP VIEW tally AS
SELECT
    sum(new_confirmations)::BIGINT AS new_confirmations, sum(new_entries)::BIGINT AS new_entries, sum(new_payments)::BIGINT AS new_payments,
    sum(open_confirmations)::BIGINT AS open_confirmations, sum(open_entries)::BIGINT AS open_entries,
    sum(matched_pairs)::BIGINT AS matched_pairs, sum(verdicts)::BIGINT AS verdicts
FROM bucket_tally;
