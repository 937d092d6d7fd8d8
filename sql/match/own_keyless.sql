-- Pass 0, own, where the ledger does not show our keys: the intent stands in for the purchase, so that our credit is taken
-- neither for a late original nor for the credit of another purchase.
-- In:  entry, own_attempt, own_entry; own_link(entry_number, attempt_number) (from `identity.py`).
-- Out: stand_in(entry_id); own_entry with these entries, each under the key of its attempt; ledger without them.
-- Why right: of the entries without key and reference on the account, the attempt takes the earliest of its amount that was
--      posted after it was sent and within its deadline. A real late original of that time would count as ours, and the second of the two
--      as too much: the sum is the same, and nobody is paid again.

INSERT INTO own_entry BY NAME
SELECT DISTINCT ON (e.entry_id) e.* EXCLUDE (row) REPLACE (a.own_key AS own_key), a.break_id
FROM own_link AS l
JOIN own_attempt AS a ON hash('a', a.own_key) = l.attempt_number
JOIN entry AS e ON hash('e', e.entry_id) = l.entry_number
WHERE e.own_key IS NULL AND e.match_key IS NULL
ORDER BY e.entry_id, e.batch_id;

INSERT INTO stand_in SELECT entry_id FROM entry WHERE own_key IS NULL AND entry_id IN (SELECT entry_id FROM own_entry);

CREATE OR REPLACE TEMP VIEW ledger AS
SELECT *
FROM entry
WHERE (own_key IS NULL OR own_key NOT IN (SELECT own_key FROM own_attempt)) AND kind IS DISTINCT FROM 'held'
    AND entry_id NOT IN (SELECT entry_id FROM own_entry);
