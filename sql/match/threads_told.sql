-- What ties the accounts of confirmations to other accounts, for a cluster that gives each account to one machine.
-- In:  piece (confirmations), own_attempt.
-- Out: thread(thread, home, mark): `home` is the account's number, `thread` that of a reference, an id, or our own credits; rows
--      with one thread may concern one another, see `links.sql`.
-- Why right: beside the account and the asset, one purchase may be told under several accounts (its id), may be credited on
--      another one (its reference), or be one that we paid for.

CREATE TEMP VIEW thread AS
SELECT hash('reference', reference) AS thread, hash(account_key) AS home, 'told' AS mark
FROM piece WHERE reference IS NOT NULL AND outcome = 'success'
UNION ALL
SELECT hash('confirmation', confirmation_id), hash(account_key), 'same' FROM piece
UNION ALL
SELECT hash('own'), hash(account_key), 'own' FROM piece WHERE confirmation_id IN (SELECT break_id FROM own_attempt);
