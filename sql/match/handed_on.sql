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

-- One row for each, and these side by side: of nine queries beside one another DuckDB would weigh every order of joining them.
CREATE TEMP VIEW tally AS
FROM (
    SELECT 'new_confirmations' AS what, count(*) AS rows FROM new_confirmation
    UNION ALL
    SELECT 'new_entries', count(*) FROM new_entry
    UNION ALL
    SELECT 'new_payments', count(*) FROM new_payment
    UNION ALL
    SELECT unnest(['open_confirmations', 'open_entries']), count(*) FROM easy
    UNION ALL
    SELECT 'open_confirmations', count(*) FROM purchase WHERE group_id IN (SELECT group_id FROM kept_group)
    UNION ALL
    SELECT 'open_entries', count(*) FROM placed WHERE group_id IN (SELECT group_id FROM kept_group)
    UNION ALL
    SELECT 'matched_pairs', getvariable('plain_pairs') + count(*) FROM closer_match
    UNION ALL
    SELECT 'verdicts', count(*) FROM verdict
)
SELECT
    sum(rows) FILTER (what = 'new_confirmations')::BIGINT AS new_confirmations,
    sum(rows) FILTER (what = 'new_entries')::BIGINT AS new_entries,
    sum(rows) FILTER (what = 'new_payments')::BIGINT AS new_payments,
    sum(rows) FILTER (what = 'open_confirmations')::BIGINT AS open_confirmations,
    sum(rows) FILTER (what = 'open_entries')::BIGINT AS open_entries,
    sum(rows) FILTER (what = 'matched_pairs')::BIGINT AS matched_pairs,
    sum(rows) FILTER (what = 'verdicts')::BIGINT AS verdicts;
