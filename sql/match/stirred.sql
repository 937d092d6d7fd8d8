-- What concerns open items in each run as long as it stands, so that they do not lie down.
-- In:  own_attempt, held_account, held_reference; variable keyless.
-- Out: stirred(tie).

CREATE TEMP TABLE stirred AS
SELECT hash('i', break_id) AS tie FROM own_attempt WHERE break_id IS NOT NULL
UNION
SELECT hash('o', own_key) FROM own_attempt
UNION
SELECT hash('t', account) FROM own_attempt WHERE getvariable('keyless')
UNION
SELECT hash('t', account) FROM held_account
UNION
SELECT hash('r', reference) FROM held_reference;
