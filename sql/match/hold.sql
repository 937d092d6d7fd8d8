-- What the ledger holds back: purchases that it knows of and that wait for a validation, a document or a bonus condition.
-- In:  rest_held (rows of the kind `held`), purchase; variables match_window, references_unrelated.
-- Out: hold(entry_id, group_id): each such row with every purchase that it could stand for.
-- Why right: a held row moves nothing, so it is in no sum and in no match. It stands for the purchase of its reference and
--      account; where only one side has a reference, for every purchase of its account and amount in the window, since money
--      that might be held is not paid twice.

CREATE TEMP TABLE hold AS
SELECT DISTINCT h.entry_id, p.group_id
FROM rest_held AS h
JOIN purchase AS p ON p.match_key = h.match_key
UNION
SELECT DISTINCT h.entry_id, p.group_id
FROM rest_held AS h
JOIN purchase AS p ON p.account_key = h.account_key AND p.amount_minor = h.amount_minor
WHERE (p.reference IS NULL OR h.reference IS NULL OR getvariable('references_unrelated'))
    AND h.posted_at BETWEEN p.confirmed_at AND p.confirmed_at + getvariable('match_window');
