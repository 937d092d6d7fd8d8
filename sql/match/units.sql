-- What the reference pass left on the ledger's side, in pieces that can be claimed, and who else might mean them.
-- In:  purchase, posting.
-- Out: unit (a single entry, or the net of a group that was partly reversed); stray (units with the reference of a short
--      purchase on another account or in another asset: evidence, and no partner for anybody else; `claims` counts the
--      purchases that could mean one unit); link(unit_id, group_id, pass) and doubt(group_id): empty, filled by the passes that follow;
--      open_purchase and free_unit (what the next pass may still use; views).
-- Why right: only purchases whose window both watermarks have passed may take a unit. Those that follow have later windows
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

CREATE TEMP TABLE link (unit_id UBIGINT, group_id UBIGINT, pass VARCHAR);

CREATE TEMP TABLE doubt (group_id UBIGINT);

CREATE TEMP VIEW open_purchase AS
SELECT *, reference IS NOT NULL AND NOT getvariable('references_unrelated') AS named
FROM purchase
WHERE NOT has_entries AND NOT retracted AND readings = 1
    AND confirmed_at + getvariable('match_window') < getvariable('complete_through')
    AND group_id NOT IN (SELECT group_id FROM link);

CREATE TEMP VIEW free_unit AS
SELECT *, reference IS NOT NULL AND NOT getvariable('references_unrelated') AS named
FROM unit
WHERE unit_id NOT IN (SELECT unit_id FROM stray) AND unit_id NOT IN (SELECT unit_id FROM link);
