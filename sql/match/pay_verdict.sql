-- The payment side, its verdicts and its lines.
-- In:  payment_group, payment_bundle, purchase_paid, told_for, loose_payment, recalled_payment, judged; variable grade_paid.
-- Out: rows in current; kept_payment (the next run's loose_payment); payment_line(asset, day, line, rows, minor, kept).
-- Why right: a payment stands on one line; of a group that was paid twice, what came first is explained. Only a payment that is
--      alone under its reference, and that a purchase explains in full, leaves the state before it is too old to change.

INSERT INTO current BY NAME
SELECT
    payment_ids[1] AS break_id,
    coalesce(kind, 'settled') AS kind,
    shown.account AS account, shown.payer AS payer, shown.reference AS reference, shown.asset AS asset,
    NULL AS product, NULL AS message_id,
    []::UUID[] AS confirmation_ids,
    own_entry_ids AS entry_ids,
    -- Taking the money was the promise.
    CASE WHEN kind IS NOT NULL THEN unexplained_minor ELSE judged_confirmed_minor END AS confirmed_minor,
    0 AS credited_minor,
    own_minor,
    CASE WHEN kind IS NOT NULL THEN balance_minor ELSE 0 END AS owed_minor,
    first_paid_at AS confirmed_at,
    last_paid_at + getvariable('payment_deadline_after') AS deadline_at,
    NULL AS credited_at,
    last_paid_at + getvariable('payment_deadline_after') AS decidable_at,
    getvariable('grade_paid') AS grade,
    CASE kind
        WHEN 'paid_not_told' THEN 'paid, and neither told nor credited: a person decides'
        WHEN 'charged_twice' THEN 'paid more than once for one purchase: a person decides on a refund for the payer'
        WHEN 'ambiguous' THEN 'it was paid before what can still be looked up: a person decides'
    END AS blocked,
    to_json({
        passes: [
            {pass: 'own', found: CASE WHEN own_minor <> 0 THEN 'our own credit' ELSE 'no entry carries a key of ours' END},
            {pass: 'reference', found: CASE
                WHEN shown.reference IS NULL THEN 'the payment has no reference'
                WHEN explained_minor > 0 AND partner_id IS NULL
                    THEN CASE WHEN explained_minor < paid_minor THEN 'a purchase with this reference, for less' ELSE 'a purchase with this reference' END
                WHEN untraceable THEN 'nothing in what can still be looked up'
                ELSE 'neither a confirmation nor a credit has this reference' END},
            {pass: 'identity', found: CASE
                WHEN explained_minor > 0 AND partner_id IS NULL THEN 'not tried: the reference was enough'
                WHEN untraceable THEN 'nothing in what can still be looked up'
                WHEN beside_another THEN 'the purchase of this account and amount was paid by another payment'
                ELSE 'no free purchase of the same account and amount within the window' END}
        ],
        was: CASE WHEN kind IS NULL THEN judged_kind END,
        payment_ids: payment_ids,
        paid_minor: paid_minor,
        explained_minor: explained_minor,
        own_entry_ids: own_entry_ids
    })::VARCHAR AS evidence
FROM payment_bundle
WHERE kind IS NOT NULL OR judged_open AND NOT (due AND held);

-- A break whose payments belong to another group now, or were withdrawn, has been explained.
INSERT INTO current BY NAME
SELECT
    j.* EXCLUDE (version, is_open, withdrawn)
    REPLACE ('settled' AS kind, 0 AS owed_minor, NULL AS blocked, getvariable('grade_paid') AS grade,
             '{"explained": "its rows now belong to another purchase"}' AS evidence)
FROM judged AS j
WHERE j.is_open AND j.break_id NOT IN (SELECT payment_ids[1] FROM payment_bundle) AND j.break_id NOT IN (SELECT break_id FROM current)
    AND (
        j.break_id IN (SELECT payment_id FROM payment)
        OR j.break_id IN (SELECT payment_id FROM loose_payment WHERE batch_id IN (SELECT batch_id FROM withdrawn_batch))
    );

CREATE TEMP TABLE payment_fate AS
SELECT
    g.*,
    CASE
        WHEN b.kind = 'paid_not_told' THEN 'not_told'
        WHEN b.kind = 'charged_twice' THEN 'twice'
        WHEN b.paid_minor <= 0 THEN 'returned'
        WHEN b.explained_minor >= b.paid_minor THEN 'explained'
        WHEN b.own_minor > 0 AND b.balance_minor <= 0 THEN 'recredited'
        ELSE 'pending'
    END AS line,
    CASE
        WHEN b.frozen THEN b.kind IS NOT NULL OR b.group_id IN (SELECT payment_group_id FROM purchase_paid)
        -- What needed a closer look stays in sight, so that nobody pays on the word of the confirmation alone.
        ELSE NOT (b.payments = 1 AND coalesce(b.match_key IN (SELECT match_key FROM told_for), false) AND b.paid_minor = b.explained_minor AND b.judged_kind IS NULL AND b.own_minor = 0)
    END AS kept
FROM payment_group AS g
JOIN payment_bundle AS b USING (group_id);

CREATE TEMP TABLE payment_line AS
WITH part AS (
    SELECT
        f.*,
        -- Of a group that was paid twice, what came first is explained.
        least(greatest(sum(f.amount_minor) OVER earlier, 0), b.explained_minor)
            - least(greatest(coalesce(sum(f.amount_minor) OVER before, 0), 0), b.explained_minor) AS explained_part_minor
    FROM payment_fate AS f
    JOIN payment_bundle AS b USING (group_id)
    WINDOW earlier AS (PARTITION BY f.group_id ORDER BY f.paid_at, f.payment_id),
        before AS (PARTITION BY f.group_id ORDER BY f.paid_at, f.payment_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
)
SELECT asset, timezone('UTC', paid_at)::DATE AS day, 'paid' AS line, 1 AS rows, amount_minor AS minor, kept FROM part
UNION ALL
SELECT
    asset, timezone('UTC', paid_at)::DATE, line, (line NOT IN ('twice', 'pending') OR explained_part_minor <> amount_minor)::INT,
    CASE WHEN line IN ('twice', 'pending') THEN amount_minor - explained_part_minor ELSE amount_minor END, kept
FROM part
UNION ALL
SELECT asset, timezone('UTC', paid_at)::DATE, 'explained', (explained_part_minor = amount_minor)::INT, explained_part_minor, kept
FROM part
WHERE line IN ('twice', 'pending')
UNION ALL
SELECT asset, timezone('UTC', paid_at)::DATE, unnest(['paid', 'explained']), -1, -amount_minor, false FROM recalled_payment;

CREATE TEMP TABLE kept_payment AS
SELECT * EXCLUDE (group_id, partner_id, line, kept)
FROM payment_fate
WHERE kept
ORDER BY payment_id;
