-- The rows at hand: the new ones, the open ones, and the settled groups that a new or a withdrawn row concerns.
-- In:  new_confirmation, new_entry, new_payment (published rows not yet folded); own_attempt; loose_confirmation, loose_entry, loose_payment (the state's open
--      items, whole groups); past_confirmation, past_entry (the batches of the horizon, folded before);
--      withdrawn_confirmation, withdrawn_entry (rows of them, and of the open items, that count no more).
-- Out: recalled_confirmation, recalled_entry (settled groups, whole, as they stand in the sums); confirmation, entry (views of all rows
--      at hand without the withdrawn ones, each
--      with its number: those of recalled rows follow on those of the files, variables recalled_*_from).
-- Why right: what has left the open items was settled by one reference in full and in time; it is found again by its
--      match_key, or by its confirmation_id when the same purchase is told with another account or was paid by us.

CREATE TEMP TABLE loose_key AS
SELECT match_key FROM loose_confirmation WHERE match_key IS NOT NULL
UNION
SELECT match_key FROM loose_entry WHERE match_key IS NOT NULL AND kind IS DISTINCT FROM 'held';

CREATE TEMP TABLE new_key AS
SELECT match_key FROM new_confirmation WHERE match_key IS NOT NULL
UNION
SELECT match_key FROM new_entry WHERE match_key IS NOT NULL
UNION
SELECT match_key FROM withdrawn_confirmation WHERE match_key IS NOT NULL
UNION
SELECT match_key FROM withdrawn_entry WHERE match_key IS NOT NULL
UNION
SELECT match_key FROM new_payment WHERE match_key IS NOT NULL
UNION
SELECT match_key FROM loose_payment WHERE match_key IS NOT NULL;

CREATE TEMP TABLE named_id AS
SELECT confirmation_id FROM new_confirmation
UNION
SELECT confirmation_id FROM withdrawn_confirmation
UNION
-- What we paid for may have been settled by a late original while our credit was on its way.
SELECT break_id FROM own_attempt WHERE own_key IN (SELECT own_key FROM new_entry)
UNION
SELECT break_id
FROM own_attempt
WHERE getvariable('keyless') AND (account, asset, amount_minor) IN (
    SELECT (account, asset, amount_minor) FROM new_entry WHERE own_key IS NULL AND match_key IS NULL
);

CREATE TEMP TABLE met AS
SELECT match_key, confirmation_id
FROM past_confirmation
WHERE match_key IN (SELECT match_key FROM new_key) OR confirmation_id IN (SELECT confirmation_id FROM named_id);

CREATE TEMP TABLE asked_id AS
SELECT confirmation_id FROM met WHERE confirmation_id NOT IN (SELECT confirmation_id FROM loose_confirmation);

CREATE TEMP TABLE asked_key AS
SELECT match_key FROM new_key
UNION
SELECT match_key FROM met WHERE match_key IS NOT NULL;

DELETE FROM asked_key WHERE match_key IN (SELECT match_key FROM loose_key);

CREATE TEMP TABLE recalled_confirmation AS
SELECT *
FROM past_confirmation
WHERE match_key IN (SELECT match_key FROM asked_key) OR confirmation_id IN (SELECT confirmation_id FROM asked_id);

CREATE TEMP TABLE recalled_entry AS
SELECT * FROM past_entry WHERE match_key IN (SELECT match_key FROM asked_key);

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
