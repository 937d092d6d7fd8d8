-- What ties the accounts of ledger entries to other accounts: see `threads_told.sql`.
-- In:  piece (entries), own_attempt.
-- Out: thread(thread, home, mark).
-- Why right: an entry may stand for a purchase on another account (its reference), be delivered twice (its id), or be ours: by its
--      key, or, where the ledger does not show it, by the account and asset of an attempt.

CREATE TEMP VIEW thread AS
SELECT hash('reference', reference) AS thread, hash(account_key) AS home, 'posted' AS mark FROM piece WHERE reference IS NOT NULL
UNION ALL
SELECT hash('entry', entry_id), hash(account_key), 'same' FROM piece
UNION ALL
SELECT hash('own'), hash(account_key), 'own'
FROM piece
WHERE own_key IN (SELECT own_key FROM own_attempt) OR (account, asset) IN (SELECT (account, asset) FROM own_attempt);
