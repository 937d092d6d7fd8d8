-- The rows at hand: the new ones, the open ones, and the settled groups that a new or a withdrawn row concerns.
-- In:  new_confirmation, new_entry (each row with its number); loose_confirmation, loose_entry (the state's open items, whole groups); met_key, met_id
--      (what is recalled); told_before, posted_before (rows of the horizon's files that hold any of it, folded before);
--      withdrawn_confirmation, withdrawn_entry (rows of them, and of the open items, that count no more); told_of_withdrawn,
--      posted_of_withdrawn (the files of these); variables since, deadline_after.
-- Out: recalled_confirmation, recalled_entry (settled groups, whole, as they stand in the sums); half_key, half_id (the groups and
--      purchases of which a part is forgotten); confirmation, entry (views of all rows at hand without the withdrawn ones, each
--      with its number: those of recalled rows follow on those of the files, variables recalled_*_from).
-- Why right: what has left the open items was settled by one reference in full and in time; it is found again by its
--      match_key, or by its confirmation_id when the same purchase is told with another account or was paid by us. A
--      group of which a part is forgotten stays settled, since the part that is left says nothing of what is missing.

CREATE TEMP TABLE met_told AS
SELECT *
FROM told_before
WHERE match_key IN (SELECT match_key FROM met_key) OR confirmation_id IN (SELECT confirmation_id FROM met_id);

CREATE TEMP TABLE met_posted AS
SELECT * FROM posted_before WHERE match_key IN (SELECT match_key FROM met_key);

-- What settled was promised and credited in the same sum; what left because nothing of before `since` is judged was not.
CREATE TEMP TABLE half_key AS
WITH part AS (
    SELECT match_key, amount_minor, min(confirmed_at) AS told_at, NULL AS posted_at
    FROM (FROM met_told UNION ALL BY NAME FROM told_of_withdrawn)
    WHERE outcome = 'success' AND match_key IN (SELECT match_key FROM met_key)
    GROUP BY match_key, confirmation_id, amount_minor
    UNION ALL
    SELECT match_key, -any_value(amount_minor), NULL, min(posted_at)
    FROM (FROM met_posted UNION ALL BY NAME FROM posted_of_withdrawn)
    WHERE kind IS DISTINCT FROM 'held' AND match_key IN (SELECT match_key FROM met_key)
    GROUP BY match_key, entry_id
)
SELECT match_key
FROM part
GROUP BY match_key
HAVING sum(amount_minor) <> 0
    AND coalesce(min(told_at) >= getvariable('since'), min(posted_at) >= getvariable('since') + getvariable('deadline_after'));

CREATE TEMP TABLE half_id AS
SELECT confirmation_id FROM met_told SEMI JOIN half_key USING (match_key);

CREATE TEMP TABLE recalled_confirmation AS
SELECT * FROM met_told WHERE coalesce(match_key NOT IN (SELECT match_key FROM half_key), true);

CREATE TEMP TABLE recalled_entry AS
SELECT * FROM met_posted WHERE match_key NOT IN (SELECT match_key FROM half_key);

-- Rows of states that an earlier version wrote do not know their batch.
CREATE TEMP MACRO same_batch(known, withdrawn) AS known IS NULL OR known = withdrawn;

CREATE TEMP VIEW confirmation AS
SELECT * FROM new_confirmation
UNION ALL BY NAME
FROM (
    SELECT * FROM loose_confirmation
    UNION ALL BY NAME
    SELECT *, (rowid + getvariable('recalled_confirmation_from'))::UINTEGER AS row FROM recalled_confirmation
) AS known
WHERE NOT EXISTS (
    FROM withdrawn_confirmation AS w
    WHERE w.confirmation_id = known.confirmation_id AND w.message_id = known.message_id AND same_batch(known.batch_id, w.batch_id)
);

CREATE TEMP VIEW entry AS
SELECT * FROM new_entry
UNION ALL BY NAME
FROM (
    SELECT * FROM loose_entry
    UNION ALL BY NAME
    SELECT *, (rowid + getvariable('recalled_entry_from'))::UINTEGER AS row FROM recalled_entry
) AS known
WHERE NOT EXISTS (FROM withdrawn_entry AS w WHERE w.entry_id = known.entry_id AND same_batch(known.batch_id, w.batch_id));
