-- Proof, on every run, that no row was lost or counted twice. Every row of the result must have a difference of 0.
-- In:  variable plain_pairs, rest_*, purchase, posting, placed, own_entry, own_placed, bundle, line, plain_day.
-- Out: conservation(what, difference).

CREATE TEMP TABLE conservation AS
WITH plain_sum AS (
    SELECT
        coalesce(sum(rows) FILTER (side = 'confirmation'), 0) AS told_rows, coalesce(sum(minor) FILTER (side = 'confirmation'), 0) AS told_minor,
        coalesce(sum(rows) FILTER (side = 'ledger'), 0) AS posted_rows, coalesce(sum(minor) FILTER (side = 'ledger'), 0) AS posted_minor
    FROM plain_day
)
SELECT 'confirmations settled at once: pairs against rows' AS what, told_rows - getvariable('plain_pairs') AS difference FROM plain_sum
UNION ALL
SELECT 'entries settled at once: pairs against rows', posted_rows - getvariable('plain_pairs') FROM plain_sum
UNION ALL
SELECT 'settled at once: confirmed against posted', told_minor - posted_minor FROM plain_sum
UNION ALL
SELECT 'entries in more than one place', count(*) - count(DISTINCT entry_id) FROM placed
UNION ALL
SELECT 'entries without a place', (SELECT count(DISTINCT entry_id) FROM rest_entry) - (SELECT count(*) FROM placed) - (SELECT count(*) FROM easy)
UNION ALL
SELECT 'purchases in more than one place', count(*) - count(DISTINCT confirmation_id) FROM purchase
UNION ALL
SELECT 'purchases and entries of easy pairs', (SELECT count(*) - count(DISTINCT confirmation_id) + count(*) - count(DISTINCT entry_id) FROM easy)
UNION ALL
SELECT 'purchases without a verdict', (SELECT count(*) FROM purchase) - (SELECT coalesce(sum(purchases), 0) FROM bundle)
UNION ALL
SELECT
    'confirmed: rows against lines',
    (SELECT coalesce(sum(p.amount_minor), 0) FROM purchase AS p JOIN bundle AS b USING (group_id) WHERE b.in_scope)
    - (SELECT coalesce(sum(minor), 0) FROM line WHERE side = 'confirmation' AND line = 'confirmed')
UNION ALL
SELECT
    'posted: rows against lines',
    (SELECT coalesce(sum(e.amount_minor), 0) FROM placed AS e JOIN bundle AS b USING (group_id) WHERE b.in_scope)
    - (SELECT coalesce(sum(minor), 0) FROM line WHERE side = 'ledger' AND line = 'posted')
UNION ALL
SELECT
    'our own credits: rows against lines',
    (SELECT coalesce(sum(amount_minor), 0) FROM own_entry)
    - (SELECT coalesce(sum(minor), 0) FROM line WHERE side = 'own' AND line = 'posted')
UNION ALL
SELECT
    'credited: told against posted',
    coalesce(sum(CASE side WHEN 'confirmation' THEN minor ELSE -minor END), 0)
FROM line WHERE line = 'credited'
UNION ALL
SELECT
    'recredited: told against posted',
    coalesce(sum(CASE side WHEN 'confirmation' THEN minor ELSE -minor END), 0)
FROM line WHERE line = 'recredited';
