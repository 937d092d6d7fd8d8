-- Pass 3, identity, its candidates: what no reference explained and could belong together by account, asset and amount.
-- In:  open_purchase, free_unit.
-- Out: simple_link (one confirmation, one entry); candidate (the rows of every contested class, for `identity.py`, which
--      decides).
-- Why right: at most one of the two sides may be named, since two references that differ name two purchases.

CREATE TEMP TABLE claimant AS
WITH side AS (
    SELECT
        account_key, amount_minor, 'confirmation' AS side, epoch_us(confirmed_at) AS at_us,
        group_id AS id, named
    FROM open_purchase
    UNION ALL
    SELECT
        account_key, abs(amount_minor),
        CASE WHEN net_minor > 0 THEN 'entry' WHEN net_minor = 0 THEN 'cancelled' ELSE 'reversal' END,
        epoch_us(posted_at), unit_id, named
    FROM free_unit
    WHERE net_minor >= 0 OR entries = 1
)
SELECT
    *,
    count(*) FILTER (side = 'confirmation') OVER same AS confirmations,
    count(*) FILTER (side = 'entry') OVER same AS entries,
    count(*) FILTER (side = 'reversal') OVER same AS reversals,
    count(*) OVER same AS rows
FROM side
WINDOW same AS (PARTITION BY account_key, amount_minor);

-- One confirmation and one entry: nothing to decide but whether they may meet.
CREATE TEMP TABLE simple_link AS
SELECT e.id AS unit_id, c.id AS group_id, 'identity' AS pass
FROM claimant AS c
JOIN claimant AS e ON e.account_key = c.account_key AND e.amount_minor = c.amount_minor AND e.side = 'entry'
WHERE c.side = 'confirmation' AND c.rows = 2
    AND e.at_us BETWEEN c.at_us AND c.at_us + getvariable('match_window_us')
    AND NOT (c.named AND e.named);

CREATE TEMP TABLE candidate AS
SELECT dense_rank() OVER (ORDER BY account_key, amount_minor) AS class, side, at_us, id, named
FROM claimant
WHERE (confirmations BETWEEN 1 AND rows - 1 OR reversals > 0 AND entries > 0)
    AND NOT (rows = 2 AND confirmations = 1 AND entries = 1);
