-- Whether each of our own credits is on the ledger, exactly once.
-- In:  own_attempt, own_entry, variable ledger_through.
-- Out: own_verdict (one row per attempt that can be judged: verified, doubled or missing).
-- Why right: nothing is missing before the ledger is complete past the deadline of the sending; an attempt that was never
--      sent, or that failed for certain, is not expected. Money on another account or in another asset does not verify.

CREATE TEMP TABLE own_verdict AS
WITH found AS (
    SELECT
        a.own_key, a.intent_id, a.break_id, a.status, a.amount_minor, a.sent_at,
        coalesce(list(e.entry_id ORDER BY e.posted_at, e.entry_id) FILTER (e.entry_id IS NOT NULL), []) AS entry_ids,
        count(e.entry_id) AS entries,
        coalesce(sum(e.amount_minor), 0)::BIGINT AS sum_minor,
        coalesce(bool_and(e.account = a.account AND e.asset = a.asset), false) AS right_place,
        min(e.posted_at) AS posted_at
    FROM own_attempt AS a
    LEFT JOIN own_entry AS e ON e.own_key = a.own_key
    GROUP BY ALL
)
SELECT
    own_key, intent_id, break_id, entry_ids, entries, sum_minor, posted_at,
    status IN ('accepted', 'confirmed') AS accepted,
    CASE
        WHEN sum_minor > amount_minor THEN 'doubled'
        WHEN sum_minor = amount_minor AND right_place THEN 'verified'
        ELSE 'missing'
    END AS verdict
FROM found
WHERE sum_minor >= amount_minor
    OR (status NOT IN ('created', 'failed_proven')
        AND coalesce(sent_at + getvariable('deadline_after') < getvariable('ledger_through'), false));
