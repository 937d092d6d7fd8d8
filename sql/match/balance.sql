-- The running balance, as evidence: what the messages before and after a confirmation say of a credit that the ledger lacks.
-- In:  asked (the breaks in question), variables heard_from and heard_until; confirmation; past_confirmation (the batches of the
--      horizon between these); loose_heard (the state's: the messages around each open break, `heard_for` its confirmation);
--      withdrawn_batch.
-- Out: kept_heard (the next run's loose_heard); running_balance(group_id, says, …): `says` is `arrived`, `missing` or NULL.
-- Why right: consecutive messages of one account leave no room for a guess: either the balance goes up by this very amount
--      and holds, or it stays as it was, or something else has moved it in between and nothing follows. Only the balance of
--      the credited account in its own asset is published. What is said later counts for more. It blocks money, and never moves any.

CREATE TEMP TABLE heard AS
WITH message AS (
    SELECT * EXCLUDE (row) FROM confirmation WHERE account_key IN (SELECT account_key FROM asked)
    UNION ALL BY NAME
    SELECT *
    FROM past_confirmation
    WHERE confirmed_at BETWEEN getvariable('heard_from') AND getvariable('heard_until')
        AND account_key IN (SELECT account_key FROM asked WHERE is_new)
        AND coalesce(batch_id NOT IN (SELECT batch_id FROM withdrawn_batch), true)
    UNION ALL BY NAME
    SELECT * EXCLUDE (heard_for)
    FROM loose_heard
    WHERE coalesce(batch_id NOT IN (SELECT batch_id FROM withdrawn_batch), true)
)
SELECT
    a.confirmation_id AS heard_for,
    CASE
        WHEN m.confirmation_id = a.confirmation_id THEN 'own'
        WHEN m.confirmed_at < a.confirmed_at THEN 'before'
        WHEN m.confirmed_at > a.confirmed_at THEN 'after'
        ELSE 'beside'
    END AS place,
    m.*
FROM asked AS a
JOIN message AS m ON m.account_key = a.account_key
    AND m.confirmed_at BETWEEN a.confirmed_at - INTERVAL 24 HOURS AND a.confirmed_at + INTERVAL 24 HOURS
QUALIFY dense_rank() OVER (PARTITION BY heard_for, place ORDER BY abs(epoch_us(m.confirmed_at) - epoch_us(a.confirmed_at))) = 1;

CREATE TEMP TABLE kept_heard AS
SELECT DISTINCT * EXCLUDE (place) FROM heard;

CREATE TEMP TABLE running_balance AS
WITH neighbour AS (
    -- Messages of one instant have no order: where they differ, they say nothing.
    SELECT
        heard_for, place,
        min(message_id) AS message_id,
        CASE WHEN count(DISTINCT (outcome, amount_minor, balance_minor)) = 1 AND min(outcome) = 'success'
            THEN {balance_minor: min(balance_minor), amount_minor: min(amount_minor)} END AS said
    FROM heard
    GROUP BY heard_for, place
),
step AS (
    SELECT
        a.*,
        b.message_id AS before_message_id, b.said.balance_minor AS before_minor,
        f.message_id AS after_message_id, f.said.balance_minor AS after_minor,
        a.told_minor - b.said.balance_minor AS before_step_minor,
        f.said.balance_minor - f.said.amount_minor - a.told_minor AS after_step_minor
    FROM asked AS a
    LEFT JOIN neighbour AS b ON b.heard_for = a.confirmation_id AND b.place = 'before'
    LEFT JOIN neighbour AS f ON f.heard_for = a.confirmation_id AND f.place = 'after'
)
SELECT
    group_id, told_minor, before_message_id, before_minor, after_message_id, after_minor,
    CASE
        WHEN confirmation_id IN (SELECT heard_for FROM neighbour WHERE place = 'beside') THEN NULL
        WHEN after_step_minor = amount_minor THEN 'arrived'
        WHEN after_step_minor = -amount_minor OR before_step_minor = 0 THEN 'missing'
        WHEN after_step_minor = 0 OR before_step_minor = amount_minor THEN 'arrived'
    END AS says
FROM step;
