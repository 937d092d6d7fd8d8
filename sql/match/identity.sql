-- Pass 3, identity, its candidates: what no reference explained and could belong together by account, asset and amount.
-- In:  purchase, posting, and the watermark (variable complete_through).
-- Out: unit (what can be claimed as one piece: a single entry, or the net of a group that was partly reversed); stray
--      (units with the reference of a short purchase on another account or in another asset: evidence, and no partner for
--      anybody else; `claims` counts the purchases that could mean one unit); simple_link (one confirmation, one entry);
--      candidate (the rows of every contested class, for `identity.py`, which decides).
-- Why right: only purchases whose window both watermarks have passed take part. Those that follow have later windows
--      of the same length, so that they could not have taken anything from an earlier one.

CREATE TEMP TABLE unit AS
SELECT
    group_id AS unit_id,
    any_value(account_key) AS account_key,
    any_value(account) AS account,
    any_value(asset) AS asset,
    any_value(reference) AS reference,
    count(*) AS entries,
    min(entry_id) AS first_entry_id,
    CASE WHEN sum(amount_minor) = 0 THEN max(amount_minor) ELSE sum(amount_minor) END AS amount_minor,
    sum(amount_minor) AS net_minor,
    coalesce(min(posted_at) FILTER (amount_minor > 0), min(posted_at)) AS posted_at
FROM posting
WHERE NOT told
GROUP BY group_id;

CREATE TEMP TABLE stray AS
WITH claim AS (
    SELECT p.group_id, u.*, p.has_entries, u.account <> p.account AS other_account
    FROM purchase AS p
    JOIN unit AS u ON u.reference = p.reference
    WHERE p.short AND u.net_minor > 0 AND (u.account <> p.account OR u.asset <> p.asset)
),
rival AS (
    SELECT q.group_id, u.unit_id
    FROM purchase AS q
    JOIN unit AS u ON u.account_key = q.account_key AND u.net_minor = q.amount_minor
    WHERE q.short AND q.reference IS NULL
        AND u.posted_at BETWEEN q.confirmed_at AND q.confirmed_at + getvariable('match_window')
        AND u.unit_id IN (SELECT unit_id FROM claim)
)
SELECT *, count(*) OVER (PARTITION BY unit_id) AS claims
FROM (
    SELECT group_id, unit_id, has_entries, other_account, false AS by_identity FROM claim
    UNION ALL
    SELECT group_id, unit_id, false, false, true FROM rival
);

CREATE TEMP TABLE claimant AS
WITH side AS (
    SELECT
        account_key, amount_minor, 'confirmation' AS side, epoch_us(confirmed_at) AS at_us,
        group_id AS id, reference IS NOT NULL AS has_reference
    FROM purchase
    WHERE NOT has_entries AND NOT retracted AND readings = 1
        AND confirmed_at + getvariable('match_window') < getvariable('complete_through')
    UNION ALL
    SELECT
        account_key, abs(amount_minor),
        CASE WHEN net_minor > 0 THEN 'entry' WHEN net_minor = 0 THEN 'cancelled' ELSE 'reversal' END,
        epoch_us(posted_at), unit_id, reference IS NOT NULL
    FROM unit
    WHERE unit_id NOT IN (SELECT unit_id FROM stray) AND (net_minor >= 0 OR entries = 1)
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
    AND NOT (c.has_reference AND e.has_reference);

CREATE TEMP TABLE candidate AS
SELECT dense_rank() OVER (ORDER BY account_key, amount_minor) AS class, side, at_us, id, has_reference
FROM claimant
WHERE (confirmations BETWEEN 1 AND rows - 1 OR reversals > 0 AND entries > 0)
    AND NOT (rows = 2 AND confirmations = 1 AND entries = 1);
