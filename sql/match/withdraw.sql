-- Batches that were folded before and are withdrawn now: their rows.
-- In:  withdrawn_batch(batch_id); told_of_withdrawn, posted_of_withdrawn (the files of these batches within the horizon); loose_confirmation,
--      loose_entry (the state's open items).
-- Out: withdrawn_confirmation(confirmation_id, message_id, match_key, batch_id), withdrawn_entry(entry_id, match_key, batch_id);
--      withdrawn_id(id): purchases and entries whose verdicts must be looked at again.
-- Why right: a row is either still open, and knows its batch, or its file can be read again; what is older than the horizon
--      and settled cannot change any more, and stays in the sums.

CREATE TEMP TABLE withdrawn_confirmation AS
SELECT confirmation_id, message_id, match_key, batch_id FROM told_of_withdrawn
UNION
SELECT confirmation_id, message_id, match_key, batch_id FROM loose_confirmation WHERE batch_id IN (SELECT batch_id FROM withdrawn_batch);

CREATE TEMP TABLE withdrawn_entry AS
SELECT entry_id, match_key, batch_id FROM posted_of_withdrawn
UNION
SELECT entry_id, match_key, batch_id FROM loose_entry WHERE batch_id IN (SELECT batch_id FROM withdrawn_batch);

CREATE TEMP TABLE withdrawn_id AS
SELECT confirmation_id AS id FROM withdrawn_confirmation
UNION
SELECT entry_id FROM withdrawn_entry;
