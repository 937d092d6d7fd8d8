-- Pass 1, reference, its cheap half: nearly all groups are one confirmation and one entry of the same amount in time.
-- In:  confirmation, ledger, watched(id) (rows with an open verdict, purchases with a re-credit: never settled here).
-- Out: pair (each keyed confirmation with each entry of its group, and whether the two fit as they stand);
--      open_key (groups that need a closer look). A group outside open_key is exactly one fitting pair.
-- Why right: a group with two rows on either side has two pairs or a pair that does not fit; a group without
--      entries has a pair that does not fit; a group without confirmations is added from the ledger's side.

CREATE TEMP TABLE pair AS
SELECT
    c.match_key,
    c.confirmation_id,
    e.entry_id,
    coalesce(
        c.outcome = 'success'
        AND c.amount_minor = e.amount_minor
        AND c.asset = e.asset
        AND c.confirmed_at >= getvariable('since')
        AND e.posted_at <= c.confirmed_at + getvariable('deadline_after')
        AND c.confirmation_id NOT IN (SELECT id FROM watched)
        AND e.entry_id NOT IN (SELECT id FROM watched),
        false
    ) AS fits
FROM (SELECT * FROM confirmation WHERE match_key IS NOT NULL) AS c
LEFT JOIN (SELECT * FROM ledger WHERE match_key IS NOT NULL) AS e ON e.match_key = c.match_key;

CREATE TEMP TABLE open_key AS
SELECT match_key FROM pair GROUP BY match_key HAVING count(*) > 1 OR NOT bool_and(fits)
UNION ALL
SELECT DISTINCT match_key
FROM ledger
WHERE match_key IS NOT NULL AND match_key NOT IN (SELECT match_key FROM pair);

-- One identity that was told more than once may have been told with two accounts, or been taken back.
INSERT INTO open_key
SELECT DISTINCT match_key
FROM confirmation
WHERE match_key IS NOT NULL
    AND match_key NOT IN (SELECT match_key FROM open_key)
    AND confirmation_id IN (SELECT confirmation_id FROM confirmation GROUP BY confirmation_id HAVING count(*) > 1);
