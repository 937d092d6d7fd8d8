-- The verdict of every group that the passes left with something to explain.
-- In:  purchase, posting, unit, stray, link(unit_id, group_id, pass), doubt(group_id), hold, own_entry, own_verdict,
--      held_account, held_reference, judged (verdicts so far), untraceable.
-- Out: placed (every entry in its final group); bundle (one row per group, with the id its break has: what was confirmed,
--      posted, paid by us, whether its time is up, and its kind of break or NULL).
--      `fee_minor` is what the tolerance pass lets go.
-- Why right: kind and sums follow from the rows of a group and the watermark alone, so that no way of cutting the
--      input into batches can change them. balance = confirmed - posted - own - fee.

CREATE TEMP TABLE placed AS
SELECT p.* REPLACE (coalesce(l.group_id, p.group_id) AS group_id), coalesce(l.pass, CASE WHEN told THEN 'reference' END) AS pass
FROM posting AS p
LEFT JOIN link AS l ON l.unit_id = p.group_id;

CREATE TEMP TABLE own_placed AS
SELECT coalesce(p.group_id, hash('o', o.entry_id)) AS group_id, p.group_id AS break_group_id, o.*
FROM own_entry AS o
LEFT JOIN purchase AS p ON p.confirmation_id = o.break_id;

CREATE TEMP TABLE bundle AS
WITH promised AS (
    SELECT
        group_id,
        count(*) AS purchases,
        coalesce(sum(amount_minor) FILTER (NOT retracted), 0)::BIGINT AS confirmed_minor,
        coalesce(sum(amount_minor) FILTER (retracted), 0)::BIGINT AS retracted_minor,
        min(confirmed_at) AS confirmed_at,
        max(told_until) + getvariable('deadline_after') AS deadline_at,
        max(retracted_at) AS retracted_at,
        bool_or(low) AS low,
        bool_or(confirmation_id IN (SELECT id FROM untraceable)) AS untraceable,
        bool_or(readings > 1) AS conflicting,
        list(confirmation_id ORDER BY confirmed_at, confirmation_id) AS confirmation_ids,
        min(match_key) AS match_key,
        arg_min(
            {account_key: account_key, account: account, payer: payer, reference: reference, asset: asset,
             product: product, message_id: message_id, amounts_read: amounts_read},
            (confirmed_at, confirmation_id)
        ) AS shown
    FROM purchase
    GROUP BY group_id
),
posted AS (
    SELECT
        group_id,
        count(*) AS entries,
        sum(amount_minor)::BIGINT AS posted_minor,
        count(*) FILTER (amount_minor < 0) AS reversals,
        min(posted_at) AS first_posted_at,
        max(posted_at) AS last_posted_at,
        list(entry_id ORDER BY posted_at, entry_id) AS entry_ids,
        coalesce(bool_and(pass = 'reference'), false) AS by_reference,
        list(DISTINCT pass ORDER BY pass) AS passes,
        bool_or(entry_id IN (SELECT id FROM untraceable)) AS untraceable,
        arg_min({account_key: account_key, account: account, reference: reference, asset: asset}, (posted_at, entry_id)) AS shown
    FROM placed
    GROUP BY group_id
),
own AS (
    SELECT group_id, sum(amount_minor)::BIGINT AS own_minor, max(posted_at) AS own_posted_at, list(entry_id ORDER BY posted_at, entry_id) AS own_entry_ids
    FROM own_placed
    WHERE break_group_id IS NOT NULL
    GROUP BY group_id
),
remedy AS (
    SELECT p.group_id, bool_or(v.verdict = 'missing' AND v.accepted) AS own_missing, bool_or(v.verdict = 'doubled') AS own_doubled
    FROM own_verdict AS v
    JOIN purchase AS p ON p.confirmation_id = v.break_id
    GROUP BY p.group_id
),
movement AS (
    SELECT group_id, posted_at, entry_id, amount_minor FROM placed
    UNION ALL
    SELECT group_id, posted_at, entry_id, amount_minor FROM own_placed WHERE break_group_id IS NOT NULL
),
running AS (
    SELECT *, sum(amount_minor) OVER (PARTITION BY group_id ORDER BY posted_at, entry_id) AS sum_minor FROM movement
),
whole AS (
    -- The last time that the running sum rose to what was confirmed: since then the customer has it all.
    SELECT r.group_id, max(r.posted_at) AS credited_at
    FROM running AS r
    JOIN promised AS p USING (group_id)
    WHERE r.sum_minor >= p.confirmed_minor AND r.sum_minor - r.amount_minor < p.confirmed_minor
    GROUP BY r.group_id
),
elsewhere AS (
    SELECT
        s.group_id,
        bool_or(s.other_account) AS other_account,
        bool_or(NOT s.other_account AND NOT s.by_identity) AS other_asset,
        max(s.claims) AS claims,
        list(DISTINCT e.entry_id ORDER BY e.entry_id) AS stray_entry_ids,
        max(e.posted_at) AS stray_posted_at
    FROM stray AS s
    JOIN placed AS e ON e.group_id = s.unit_id
    GROUP BY s.group_id
),
joined AS (
    SELECT
        group_id,
        coalesce(p.purchases, 0) AS purchases,
        coalesce(e.entries, 0) AS entries,
        coalesce(p.confirmed_minor, 0) AS confirmed_minor,
        coalesce(p.retracted_minor, 0) AS retracted_minor,
        coalesce(e.posted_minor, 0) AS posted_minor,
        coalesce(o.own_minor, 0) AS own_minor,
        p.confirmed_at,
        coalesce(p.deadline_at, e.last_posted_at + getvariable('deadline_after')) AS deadline_at,
        coalesce(p.low, false) AS low,
        -- What could explain a purchase or, without one, an entry may be looked up no more.
        coalesce(p.untraceable, e.untraceable, false) AS untraceable,
        coalesce(p.conflicting, false) AS conflicting,
        coalesce(e.reversals, 0) AS reversals,
        -- Pass 5, tolerance: the one purchase of a reference may be credited with a configured fee less, and no more.
        CASE
            WHEN p.purchases = 1 AND e.by_reference AND e.reversals = 0 AND o.own_minor IS NULL AND NOT p.conflicting
                AND e.posted_minor < p.confirmed_minor AND p.confirmed_minor - e.posted_minor
                    <= greatest(getvariable('fee_minor'), p.confirmed_minor * getvariable('fee_basis_points') // 10000)
                AND p.deadline_at < getvariable('complete_through')
            THEN p.confirmed_minor - e.posted_minor
            ELSE 0
        END AS fee_minor,
        e.by_reference,
        coalesce(e.passes, []) AS passes,
        e.first_posted_at, e.last_posted_at, o.own_posted_at, w.credited_at, p.retracted_at,
        coalesce(p.confirmation_ids, []) AS confirmation_ids,
        coalesce(e.entry_ids, []) AS entry_ids,
        coalesce(o.own_entry_ids, []) AS own_entry_ids,
        p.match_key,
        coalesce(p.shown.account_key, e.shown.account_key) AS account_key,
        coalesce(p.shown.account, e.shown.account) AS account,
        p.shown.payer AS payer,
        coalesce(p.shown.reference, e.shown.reference) AS reference,
        coalesce(p.shown.asset, e.shown.asset) AS asset,
        p.shown.product AS product,
        p.shown.message_id AS message_id,
        p.shown.amounts_read AS amounts_read,
        coalesce(r.own_missing, false) AS own_missing,
        coalesce(r.own_doubled, false) AS own_doubled,
        s.claims, s.other_account, s.other_asset, s.stray_entry_ids, s.stray_posted_at,
        h.hold_entry_ids
    FROM promised AS p
    FULL JOIN posted AS e USING (group_id)
    LEFT JOIN own AS o USING (group_id)
    LEFT JOIN remedy AS r USING (group_id)
    LEFT JOIN whole AS w USING (group_id)
    LEFT JOIN elsewhere AS s USING (group_id)
    LEFT JOIN (SELECT group_id, list(entry_id ORDER BY entry_id) AS hold_entry_ids FROM hold GROUP BY group_id) AS h USING (group_id)
),
timed AS (
    SELECT
        *,
        CASE WHEN purchases > 0 THEN confirmation_ids[1] ELSE entry_ids[1] END AS break_id,
        confirmed_minor - posted_minor - own_minor - fee_minor AS balance_minor,
        -- A row of exactly the watermark's instant may still come.
        coalesce(deadline_at < getvariable('complete_through'), false) AS due,
        CASE
            WHEN purchases > 0 THEN confirmed_at >= getvariable('since')
            ELSE first_posted_at >= getvariable('since') + getvariable('deadline_after')
        END AS in_scope,
        account IN (SELECT account FROM held_account) OR coalesce(reference IN (SELECT reference FROM held_reference), false) AS held
    FROM joined
)
SELECT
    t.*,
    j.kind AS judged_kind,
    coalesce(j.is_open, false) AS judged_open,
    coalesce(j.withdrawn, false) AS withdrawn,
    CASE
        WHEN NOT in_scope OR NOT due THEN NULL
        WHEN purchases = 0 THEN
            CASE
                WHEN t.posted_minor = 0 OR t.group_id IN (SELECT s.unit_id FROM stray AS s JOIN timed AS o USING (group_id) WHERE o.entries = 0)
                    THEN NULL
                WHEN t.posted_minor < 0 OR t.untraceable THEN 'ambiguous'
                ELSE 'orphan_credit'
            END
        -- A verdict that was given stays while a quarantined row could settle it; nothing new is said.
        WHEN balance_minor > 0 AND held THEN CASE WHEN j.is_open THEN j.kind END
        WHEN conflicting THEN 'ambiguous'
        WHEN balance_minor > 0 AND own_missing THEN 'recredit_missing'
        WHEN balance_minor < 0 AND own_doubled THEN 'recredit_doubled'
        WHEN balance_minor < 0 THEN CASE WHEN t.posted_minor < 0 THEN 'ambiguous' ELSE 'over_credited' END
        WHEN balance_minor = 0 THEN NULL
        WHEN t.posted_minor < 0 THEN 'ambiguous'
        WHEN reversals > 0 THEN 'reversed_after_credit'
        WHEN entries = 0 AND (claims > 1 OR t.group_id IN (SELECT group_id FROM doubt)) THEN 'ambiguous'
        WHEN entries = 0 AND other_account AND NOT t.untraceable THEN 'misdirected'
        WHEN entries = 0 AND other_asset THEN 'wrong_asset'
        WHEN hold_entry_ids IS NOT NULL THEN 'held'
        WHEN t.posted_minor + t.own_minor > 0 THEN 'under_credited'
        ELSE 'never_credited'
    END AS kind
FROM timed AS t
LEFT JOIN judged AS j ON j.break_id = t.break_id;
