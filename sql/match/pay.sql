-- The payment side, its ties: which purchase each payment paid for.
-- In:  new_payment, loose_payment (the state's), past_payment; confirmation, past_confirmation (rows of batches of the
--      horizon); purchase, posting, link (after all passes); withdrawn_id, withdrawn_batch; variables paid_through, match_window.
-- Out: payment (every payment at hand once); recalled_payment (those that had left as explained); told_for, credited_for(match_key, minor)
--      (what was promised, or credited without a message, under the reference of a payment); payment_candidate (for
--      `identity.py`: payments without such a reference, and the purchases and credits of their account and amount).
-- Why right: a reference says all. Else the two must have the account and the amount in common, lie within one window of each
--      other, and at most one of them may be named; a purchase that another payment has paid for takes no second one.

-- Purchases that promise less than they seemed to.
CREATE TEMP TABLE doubtful AS SELECT confirmation_id, retracted FROM purchase WHERE retracted OR readings > 1;

CREATE TEMP TABLE recalled_payment AS
SELECT DISTINCT ON (payment_id) *
FROM past_payment
WHERE payment_id NOT IN (SELECT payment_id FROM loose_payment)
    AND (
        match_key IN (SELECT match_key FROM new_payment)
        OR match_key IN (SELECT match_key FROM withdrawn_confirmation UNION SELECT match_key FROM withdrawn_entry)
        OR match_key IN (SELECT match_key FROM rest_confirmation SEMI JOIN doubtful USING (confirmation_id))
        OR payment_id IN (SELECT payment_id FROM new_payment)
        OR batch_id IN (SELECT batch_id FROM withdrawn_batch)
    )
ORDER BY payment_id, batch_id;

CREATE TEMP TABLE payment AS
SELECT DISTINCT ON (payment_id) *
FROM (
    SELECT * FROM loose_payment
    UNION ALL BY NAME
    SELECT * FROM new_payment
    UNION ALL BY NAME
    SELECT * FROM recalled_payment
)
WHERE coalesce(batch_id NOT IN (SELECT batch_id FROM withdrawn_batch), true)
ORDER BY payment_id, batch_id;

CREATE TEMP TABLE told_for AS
SELECT match_key, sum(minor)::BIGINT AS minor
FROM (
    SELECT DISTINCT ON (c.match_key, c.confirmation_id) c.match_key, coalesce(p.amount_minor, c.amount_minor) AS minor
    FROM confirmation AS c
    LEFT JOIN purchase AS p ON p.confirmation_id = c.confirmation_id
    WHERE c.match_key IN (SELECT match_key FROM payment) AND c.outcome = 'success' AND NOT coalesce(p.retracted, false)
    ORDER BY c.match_key, c.confirmation_id, c.confirmed_at, c.message_id, c.amount_minor
)
GROUP BY match_key;

CREATE TEMP TABLE free_credit AS
SELECT e.*
FROM posting AS e
WHERE NOT e.told AND e.group_id NOT IN (SELECT unit_id FROM link);

CREATE TEMP TABLE credited_for AS
SELECT match_key, sum(amount_minor)::BIGINT AS minor
FROM free_credit
WHERE match_key IN (SELECT match_key FROM payment)
GROUP BY match_key
HAVING sum(amount_minor) > 0;

CREATE TEMP TABLE unnamed_payment AS
SELECT payment_id AS id, account_key, amount_minor, paid_at, reference IS NOT NULL AND NOT getvariable('references_unrelated') AS named
FROM payment
WHERE coalesce(match_key NOT IN (
        SELECT match_key FROM told_for
        UNION
        SELECT match_key FROM credited_for
        UNION
        SELECT match_key FROM payment WHERE match_key IS NOT NULL GROUP BY match_key HAVING count(*) > 1
    ), true);

CREATE TEMP TABLE payable AS
WITH around AS (
    SELECT min(paid_at) - getvariable('match_window') AS first_at, max(paid_at) + getvariable('match_window') AS last_at FROM unnamed_payment
),
wanted AS (SELECT DISTINCT account_key, abs(amount_minor) AS amount_minor FROM unnamed_payment),
told AS (
    SELECT confirmation_id, match_key, account_key, amount_minor, reference, confirmed_at, message_id, outcome FROM confirmation
    UNION ALL
    SELECT confirmation_id, match_key, account_key, amount_minor, reference, confirmed_at, message_id, outcome FROM past_confirmation
    WHERE confirmed_at BETWEEN (SELECT first_at FROM around) AND (SELECT last_at FROM around)
        AND coalesce(batch_id NOT IN (SELECT batch_id FROM withdrawn_batch), true)
)
SELECT DISTINCT ON (id, account_key, amount_minor) id, account_key, amount_minor, moment, named
FROM (
    SELECT t.confirmation_id AS id, t.match_key, t.account_key, t.amount_minor, t.confirmed_at AS moment, t.message_id, t.reference IS NOT NULL AS named
    FROM told AS t
    WHERE outcome = 'success' AND confirmation_id NOT IN (SELECT confirmation_id FROM doubtful WHERE retracted)
    UNION ALL
    SELECT entry_id, match_key, account_key, amount_minor, posted_at, NULL, reference IS NOT NULL FROM free_credit WHERE amount_minor > 0
) AS offered
SEMI JOIN wanted USING (account_key, amount_minor)
WHERE moment + getvariable('match_window') < getvariable('paid_through')
    AND NOT EXISTS (
        FROM (
            SELECT match_key, paid_at FROM payment
            UNION ALL
            SELECT match_key, paid_at FROM past_payment WHERE coalesce(batch_id NOT IN (SELECT batch_id FROM withdrawn_batch), true)
        ) AS other
        WHERE other.match_key = offered.match_key AND other.paid_at <= offered.moment + getvariable('match_window')
    )
ORDER BY id, account_key, amount_minor, moment, message_id;

-- A purchase looks for its payment from one window before it was told to one window after.
CREATE TEMP TABLE payment_candidate AS
WITH side AS (
    SELECT
        account_key, abs(amount_minor) AS amount_minor, CASE WHEN amount_minor > 0 THEN 'entry' ELSE 'reversal' END AS side,
        epoch_us(paid_at) AS at_us, hash('p', id) AS number, named, id
    FROM unnamed_payment
    UNION ALL
    SELECT account_key, amount_minor, 'confirmation', epoch_us(moment) - getvariable('match_window_us'), hash('t', id, account_key, amount_minor), named, id
    FROM payable
)
SELECT dense_rank() OVER (ORDER BY account_key, amount_minor) AS class, side, at_us, number, named, id FROM side;

CREATE TEMP TABLE payment_link (number UBIGINT, home UBIGINT);
