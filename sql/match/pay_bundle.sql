-- The payment side, its groups.
-- In:  payment, told_for, credited_for, payment_candidate, payment_link(number, home) (from `identity.py`), purchase, own_entry, judged,
--      held_account, held_reference, untraceable; variables since, asset, match_window, paid_through, payment_deadline_after, frozen_before.
-- Out: paid_break(id) (ids that a break of payments can have); payment_group (every payment with its group); payment_bundle (one row per group, with its kind of break or NULL);
--      purchase_paid(group_id, payment_group_id, returned, untold): what the payments say of purchases at hand.
-- Why right: what was paid under one reference is compared with what was promised (or, without a message, credited) under it.
--      A payment by itself that nothing explains was never told of; one beside a payment that a purchase explains is a second
--      one. Both wait until all three feeds are past every window in which something could explain them.

CREATE TEMP TABLE payment_group AS
WITH tied AS (
    SELECT u.id AS payment_id, t.id AS partner_id, t.side AS partner_side, l.home AS home
    FROM payment_link AS l
    JOIN payment_candidate AS u ON u.number = l.number
    JOIN payment_candidate AS t ON t.number = l.home
)
SELECT
    p.*,
    CASE
        WHEN p.match_key IN (SELECT match_key FROM told_for UNION SELECT match_key FROM credited_for) THEN hash('k', p.match_key)
        WHEN t.home IS NOT NULL THEN t.home
        WHEN p.match_key IS NOT NULL THEN hash('k', p.match_key)
        ELSE hash('p', p.payment_id)
    END AS group_id,
    CASE WHEN t.partner_side = 'confirmation' THEN t.partner_id END AS partner_id
FROM payment AS p
LEFT JOIN tied AS t ON t.payment_id = p.payment_id;

CREATE TEMP TABLE payment_bundle AS
WITH paid AS (
    SELECT
        group_id,
        any_value(match_key) FILTER (group_id = hash('k', match_key)) AS match_key,
        any_value(partner_id) AS partner_id,
        count(*) AS payments,
        sum(amount_minor)::BIGINT AS paid_minor,
        min(amount_minor) AS least_minor,
        max(amount_minor) AS most_minor,
        min(paid_at) AS first_paid_at,
        max(paid_at) AS last_paid_at,
        list(payment_id ORDER BY paid_at, payment_id) AS payment_ids,
        bool_or(payment_id IN (SELECT id FROM untraceable)) AS untraceable,
        arg_min({account_key: account_key, account: account, payer: payer, reference: reference, asset: asset}, (paid_at, payment_id)) AS shown
    FROM payment_group
    GROUP BY group_id
),
known AS (
    SELECT
        p.*,
        -- A purchase that was tied by identity has the amount of its payment.
        coalesce(t.minor, c.minor, CASE WHEN p.partner_id IS NOT NULL THEN p.most_minor END, 0) AS explained_minor,
        coalesce(o.own_minor, 0) AS own_minor,
        coalesce(o.own_entry_ids, []) AS own_entry_ids,
        coalesce(greatest(p.last_paid_at, o.own_posted_at) + getvariable('payment_deadline_after') < getvariable('paid_through'), false) AS due,
        -- Its purchase may be one window older, and must still be at hand when the payment is judged again.
        coalesce(p.last_paid_at < getvariable('frozen_before') + 2 * getvariable('match_window'), false) AS frozen
    FROM paid AS p
    LEFT JOIN told_for AS t ON t.match_key = p.match_key
    LEFT JOIN credited_for AS c ON c.match_key = p.match_key
    LEFT JOIN (
        SELECT break_id, sum(amount_minor)::BIGINT AS own_minor, list(entry_id ORDER BY posted_at, entry_id) AS own_entry_ids, max(posted_at) AS own_posted_at
        FROM own_entry GROUP BY break_id
    ) AS o ON o.break_id = p.payment_ids[1]
),
weighed AS (
    SELECT
        k.*,
        greatest(paid_minor - explained_minor, 0) AS unexplained_minor,
        -- Beside a payment of the same account and amount that a purchase explains, a second one is just that.
        k.explained_minor = 0 AND EXISTS (
            FROM known AS other
            WHERE other.shown.account_key = k.shown.account_key AND other.paid_minor = k.paid_minor AND other.partner_id IS NOT NULL
                AND other.first_paid_at BETWEEN k.first_paid_at - getvariable('match_window') AND k.last_paid_at + getvariable('match_window')
        ) AS beside_another
    FROM known AS k
)
SELECT
    w.*,
    j.kind AS judged_kind,
    j.confirmed_minor AS judged_confirmed_minor,
    coalesce(j.is_open, false) AS judged_open,
    w.unexplained_minor - w.own_minor AS balance_minor,
    shown.account IN (SELECT account FROM held_account) OR coalesce(shown.reference IN (SELECT reference FROM held_reference), false) AS held,
    CASE
        WHEN NOT due OR first_paid_at < getvariable('since') OR w.unexplained_minor - w.own_minor <= 0 OR shown.asset <> getvariable('asset') THEN NULL
        WHEN shown.account IN (SELECT account FROM held_account) OR shown.reference IN (SELECT reference FROM held_reference)
            THEN CASE WHEN j.is_open THEN j.kind END
        WHEN untraceable THEN 'ambiguous'
        WHEN explained_minor > 0 OR beside_another THEN 'charged_twice'
        ELSE 'paid_not_told'
    END AS kind
FROM weighed AS w
LEFT JOIN judged AS j ON j.break_id = w.payment_ids[1];

CREATE TEMP TABLE purchase_paid AS
SELECT
    p.group_id, b.group_id AS payment_group_id,
    bool_or(b.paid_minor <= 0) AS returned,
    bool_or(b.own_minor > 0 OR j.kind = 'paid_not_told' OR j.kind = 'settled' AND j.evidence ->> '$.was' = 'paid_not_told') AS untold
FROM purchase AS p
JOIN payment_group AS g ON g.match_key = p.match_key OR g.partner_id = p.confirmation_id
JOIN payment_bundle AS b ON b.group_id = g.group_id
LEFT JOIN judged AS j ON j.break_id = g.payment_id
WHERE NOT p.retracted
GROUP BY ALL;

CREATE TEMP TABLE paid_break AS SELECT payment_id AS id FROM payment;
