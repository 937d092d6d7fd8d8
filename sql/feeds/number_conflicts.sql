-- Rows whose number belongs to another row: kept back, since one of the two is wrong.
-- In:  staged, judged; taken (node, first, last: numbers of published batches, and those before the first of each node);
--      the variable settled (row keys that lie in quarantine: such a row comes again under the number that it had).
-- Out: judged, in which rows that were to be published under a number of another row are quarantined.
-- Why right: a row that came before is a duplicate by now, so what is left under a number that was taken is another row; of
--      two rows of one delivery under one number neither can be preferred.
UPDATE judged
SET
    disposition = 'quarantined',
    reason = 'number_comes_once: another row has its number, or the sequence of its node began after it',
    column_name = 'number'
WHERE disposition = 'published' AND row_number IN (
    SELECT s.row_number
    FROM staged AS s
    JOIN judged AS j ON j.row_number = s.row_number
    WHERE j.disposition = 'published' AND (
        (
            NOT list_contains(getvariable('settled'), s.row_key)
            AND EXISTS (FROM taken AS t WHERE t.node = s.node AND s.number BETWEEN t.first AND t.last)
        )
        OR EXISTS (
            FROM staged AS other
            JOIN judged AS o ON o.row_number = other.row_number
            WHERE o.disposition = 'published' AND other.row_number <> s.row_number
                AND other.node = s.node AND other.number = s.number
        )
    )
)
