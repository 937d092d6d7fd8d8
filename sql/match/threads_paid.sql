-- What ties the accounts of payments to other accounts: see `threads_told.sql`.
-- In:  piece (payments), own_attempt.
-- Out: thread(thread, home, mark).
-- Why right: a payment looks for its purchase on its own account alone; it may be delivered twice, or we paid for it.

CREATE TEMP VIEW thread AS
SELECT hash('payment', payment_id) AS thread, hash(account_key) AS home, 'same' AS mark FROM piece
UNION ALL
SELECT hash('own'), hash(account_key), 'own' FROM piece WHERE payment_id IN (SELECT break_id FROM own_attempt);
