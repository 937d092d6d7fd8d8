-- What a fold hands on to the next one, of the rows at hand.
-- In:  rest_confirmation, rest_entry, rest_held, purchase, placed, own_placed, stand_in, easy, hold, kept_group, closer_match;
--      new_confirmation, new_entry; variables frozen_before, plain_pairs.
-- Out: kept_confirmation, kept_entry (the open items, whole groups); tally (one row: the sizes of the run).
-- Why right: what leaves here has left the open items for good, and is in `total_after` (see `totals.sql`).

CREATE TEMP VIEW kept_confirmation AS
SELECT r.*
FROM rest_confirmation AS r
LEFT JOIN purchase AS p USING (confirmation_id)
WHERE p.group_id IN (SELECT group_id FROM kept_group)
    OR (p.group_id IS NULL AND coalesce(r.confirmed_at >= getvariable('frozen_before'), true));

CREATE TEMP VIEW kept_entry AS
SELECT * EXCLUDE (group_id, told, pass) FROM placed WHERE group_id IN (SELECT group_id FROM kept_group)
UNION ALL BY NAME
SELECT * EXCLUDE (group_id, break_group_id, break_id)
    -- What says nothing of its key is looked for again in each run, among all that is known by then.
    REPLACE (CASE WHEN entry_id NOT IN (SELECT entry_id FROM stand_in) THEN own_key END AS own_key)
FROM own_placed
WHERE group_id IN (SELECT group_id FROM kept_group)
UNION ALL BY NAME
FROM (
    SELECT DISTINCT ON (entry_id) * FROM rest_entry WHERE entry_id IN (SELECT entry_id FROM easy)
    ORDER BY entry_id, batch_id
)
UNION ALL BY NAME
FROM rest_held
WHERE coalesce(posted_at >= getvariable('frozen_before'), true)
    OR entry_id IN (SELECT entry_id FROM hold WHERE group_id IN (SELECT group_id FROM kept_group));

CREATE TEMP VIEW tally AS
SELECT
    (SELECT count(*) FROM new_confirmation) AS new_confirmations,
    (SELECT count(*) FROM new_entry) AS new_entries,
    (SELECT count(*) FROM new_payment) AS new_payments,
    (SELECT count(*) FROM easy) + (SELECT count(*) FROM purchase WHERE group_id IN (SELECT group_id FROM kept_group)) AS open_confirmations,
    (SELECT count(*) FROM easy) + (SELECT count(*) FROM placed WHERE group_id IN (SELECT group_id FROM kept_group)) AS open_entries,
    getvariable('plain_pairs') + (SELECT count(*) FROM closer_match) AS matched_pairs,
    (SELECT count(*) FROM verdict) AS verdicts;
