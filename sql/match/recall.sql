-- The rows at hand: the new ones, the open ones, and the settled groups that a new or a withdrawn row concerns.
-- In:  new_confirmation, new_entry (each row with its number); loose_confirmation, loose_entry (the state's open items, whole groups); met_key, met_id
--      (what is recalled); told_before, posted_before (rows of the horizon's files that hold any of it, folded before);
--      withdrawn_confirmation, withdrawn_entry (rows of them, and of the open items, that count no more).
-- Out: recalled_confirmation, recalled_entry (settled groups, whole, as they stand in the sums); confirmation, entry (views of all rows
--      at hand without the withdrawn ones, each
--      with its number: those of recalled rows follow on those of the files, variables recalled_*_from).
-- Why right: what has left the open items was settled by one reference in full and in time; it is found again by its
--      match_key, or by its confirmation_id when the same purchase is told with another account or was paid by us.

CREATE TEMP TABLE recalled_confirmation AS
SELECT *
FROM told_before
WHERE match_key IN (SELECT match_key FROM met_key) OR confirmation_id IN (SELECT confirmation_id FROM met_id);

CREATE TEMP TABLE recalled_entry AS
SELECT * FROM posted_before WHERE match_key IN (SELECT match_key FROM met_key);

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
