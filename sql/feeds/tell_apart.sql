-- Keys for the rows of a feed that has none: what a row says, and the how-manieth row it is in its delivery that says it.
-- In:  staged (row_key: the same for rows that say the same), the variable feed.
-- Out: staged, in which no two rows have one key.
-- Why right: of n equal rows those counted 1 to n are published. A delivery with m of them again brings the same m keys, in
--      whatever order they stand, so across deliveries as many count as the one with most of them has.
UPDATE staged
SET
    row_key = counted.row_key,
    id = sha256('entry' || chr(31) || getvariable('feed') || chr(31) || counted.row_key)[:32],
    row_id = sha256('entry' || chr(31) || getvariable('feed') || chr(31) || counted.row_key)[:32]
FROM (
    SELECT row_number, row_key || '-' || row_number() OVER (PARTITION BY row_key ORDER BY row_number) AS row_key
    FROM staged
    WHERE row_key IS NOT NULL
) AS counted
WHERE counted.row_number = staged.row_number
