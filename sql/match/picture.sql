-- The figures of the page that a comparison of two files writes.
-- In:  latest, confirmation, entry, curve; variable bar_unit (`hour` or `day`).
-- Out: wronged (verdicts of customers who lack something, or got it late); span(first_us, last_us, confirmed);
--      bar(start_us, confirmed, wronged); product_row(product, confirmed, wronged).

CREATE TEMP VIEW wronged AS
SELECT * FROM latest WHERE owed_minor > 0 OR kind = 'late_credit';

CREATE TEMP VIEW span AS
SELECT epoch_us(min(instant)) AS first_us, epoch_us(max(instant)) AS last_us, count(*) FILTER (told) AS confirmed
FROM (
    SELECT confirmed_at AS instant, true AS told FROM confirmation
    UNION ALL
    SELECT posted_at, false FROM entry
);

CREATE TEMP VIEW bar AS
SELECT epoch_us(start) AS start_us, sum(confirmed)::BIGINT AS confirmed, sum(wronged)::BIGINT AS wronged
FROM (
    SELECT date_trunc(getvariable('bar_unit'), minute) AS start, confirmed_rows AS confirmed, 0 AS wronged FROM curve
    UNION ALL
    SELECT date_trunc(getvariable('bar_unit'), confirmed_at), 0, 1 FROM wronged
)
GROUP BY start
ORDER BY start;

CREATE TEMP VIEW product_row AS
SELECT product, sum(confirmed)::BIGINT AS confirmed, sum(wronged)::BIGINT AS wronged
FROM (
    SELECT product, count(*) AS confirmed, 0 AS wronged FROM confirmation GROUP BY product
    UNION ALL
    SELECT product, 0, count(*) FROM wronged GROUP BY product
)
GROUP BY product
ORDER BY wronged DESC, confirmed DESC, product;
