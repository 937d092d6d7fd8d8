-- Pass 1, reference, its cheap half: nearly all groups are one confirmation and one entry of the same amount in time.
-- In:  confirmation, ledger (each row with its number `row`).
-- Out: pair(told_row, posted_row, fits): every confirmation with every entry of its group, as row numbers, and whether
--      the two fit as they stand. `plain.py` keeps the pairs that fit and are alone; all other rows go on to `rest.sql`.
-- Why right: a group with two rows on either side shows them in two pairs; a row without a partner is in no pair.

CREATE TEMP VIEW pair AS
SELECT
    c.row AS told_row,
    e.row AS posted_row,
    (
        c.outcome = 'success'
        AND c.amount_minor = e.amount_minor
        AND c.confirmed_at >= getvariable('since')
        AND epoch_us(e.posted_at) - epoch_us(c.confirmed_at) <= getvariable('deadline_after_us')
    )::UTINYINT AS fits
FROM (SELECT * FROM confirmation WHERE match_key IS NOT NULL) AS c
JOIN (SELECT * FROM ledger WHERE match_key IS NOT NULL) AS e ON e.match_key = c.match_key;
