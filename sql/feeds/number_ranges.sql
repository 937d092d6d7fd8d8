-- The numbers that a delivery brought, as ranges without gaps.
-- In:  staged (every row of the delivery; node and number where they can be read), with the time of each row as moment.
-- Out: node, first, last, newest (microseconds since 1970 of the newest time in it, NULL where none can be read).
-- Why right: whatever became of a row, it was delivered; numbers minus their rank are equal just within a range.
WITH numbered AS (
    SELECT node, number, max(epoch_us({moment})) AS newest
    FROM staged
    WHERE number IS NOT NULL
    GROUP BY node, number
),
islands AS (
    SELECT *, number - row_number() OVER (PARTITION BY node ORDER BY number) AS island FROM numbered
)
SELECT node, min(number) AS first, max(number) AS last, max(newest) AS newest
FROM islands
GROUP BY node, island
ORDER BY node, first
