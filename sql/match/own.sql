-- Pass 0, own: an entry that carries a key of ours belongs to our attempt and to nothing else, so that a
-- re-credit is never taken for a late original.
-- In:  entry, own_attempt(own_key, break_id, amount_minor, account, sent_at, status).
-- Out: own_entry (each such entry once, with the break it was paid for); ledger (a view of all other entries that
--      move something); rest_held (those that do not: a purchase waits for a condition).
-- Why right: keys are ours alone (UUIDv5 of our intents); a key that we never issued stays an ordinary entry.

CREATE TEMP TABLE own_entry AS
SELECT DISTINCT ON (e.entry_id)
    e.* EXCLUDE (row),
    -- Money that we sent to the wrong place makes nobody whole.
    CASE WHEN e.account = a.account AND e.asset = a.asset THEN a.break_id END AS break_id
FROM entry AS e
JOIN own_attempt AS a ON a.own_key = e.own_key
ORDER BY e.entry_id, e.batch_id;

-- Entries that are ours without saying so: see own_keyless.sql.
CREATE TEMP TABLE stand_in AS SELECT entry_id FROM own_entry LIMIT 0;

CREATE TEMP VIEW ledger AS
SELECT *
FROM entry
WHERE (own_key IS NULL OR own_key NOT IN (SELECT own_key FROM own_attempt)) AND kind IS DISTINCT FROM 'held';

-- What the ledger holds back moves nothing.
CREATE TEMP TABLE rest_held AS
SELECT DISTINCT ON (entry_id) * EXCLUDE (row) FROM entry WHERE kind = 'held' ORDER BY entry_id, batch_id;
