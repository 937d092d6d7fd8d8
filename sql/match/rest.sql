-- What the cheap half left, brought into its groups.
-- In:  confirmation, ledger; odd_told, odd_posted (the rows outside the plain pairs).
-- Out: rest_confirmation, rest_entry (every row outside the plain pairs);
--      purchase (one row per confirmation_id, from its first message, with what its other messages say
--      and whether its group is `short` of what was promised);
--      posting (one row per entry, also when it was delivered twice, with its group).
-- Groups: a number made of the match_key where there is one; else the row stands alone, by its own id. A purchase that was
--      read with two keys takes both groups into one. A group without entries, or without confirmations and with one sign
--      only, falls apart into single rows: each may find its own partner in a later pass.

CREATE TEMP TABLE rest_confirmation AS
SELECT * EXCLUDE (row) FROM confirmation WHERE row IN (SELECT row FROM odd_told);

CREATE TEMP TABLE rest_entry AS
SELECT * EXCLUDE (row) FROM ledger WHERE row IN (SELECT row FROM odd_posted);

CREATE TEMP TABLE told AS
WITH first_message AS (
    SELECT *
    FROM rest_confirmation
    WHERE outcome = 'success'
    QUALIFY row_number() OVER (
        PARTITION BY confirmation_id ORDER BY confirmed_at, message_id, amount_minor, account, asset, match_key, balance_minor
    ) = 1
),
all_messages AS (
    SELECT
        confirmation_id,
        -- The first reversal that no success follows.
        min(confirmed_at) FILTER (outcome = 'reversed' AND confirmed_at >= last_success_at) AS retracted_at,
        coalesce(bool_or(confidence = 'low') FILTER (outcome = 'success'), false) AS low,
        count(DISTINCT (account, asset, CASE WHEN NOT getvariable('baskets') OR read_twice THEN amount_minor END)) FILTER (outcome = 'success') AS readings,
        any_value(last_success_at) AS last_success_at,
        list(DISTINCT amount_minor ORDER BY amount_minor) FILTER (outcome = 'success') AS amounts_read
    FROM (
        SELECT
            *,
            max(confirmed_at) FILTER (outcome = 'success') OVER (PARTITION BY confirmation_id) AS last_success_at,
            -- One message that was read with two amounts: a corrected reading, and no basket.
            bool_or(message_amounts > 1) OVER (PARTITION BY confirmation_id) AS read_twice
        FROM (
            SELECT *, count(DISTINCT amount_minor) FILTER (outcome = 'success') OVER (PARTITION BY confirmation_id, message_id) AS message_amounts
            FROM rest_confirmation
        )
    )
    GROUP BY confirmation_id
)
-- Where messages name several amounts, the least of them is counted as promised: nobody is owed more on their word. In a
-- basket each names a part.
SELECT
    f.* REPLACE (CASE WHEN getvariable('baskets') AND m.readings = 1 THEN list_sum(m.amounts_read)::BIGINT ELSE m.amounts_read[1] END AS amount_minor),
    CASE WHEN getvariable('baskets') AND m.readings = 1 THEN m.last_success_at ELSE f.confirmed_at END AS told_until,
    m.retracted_at IS NOT NULL AS retracted, m.retracted_at, m.low, m.readings, m.amounts_read
FROM first_message AS f
JOIN all_messages AS m USING (confirmation_id);

CREATE TEMP TABLE key_group AS
SELECT r.match_key, min(hash('k', coalesce(t.match_key, r.match_key))) AS group_id
FROM rest_confirmation AS r
JOIN told AS t USING (confirmation_id)
WHERE r.match_key IS NOT NULL AND r.outcome = 'success'
GROUP BY r.match_key;

CREATE TEMP TABLE posting AS
WITH grouped AS (
    SELECT e.*, coalesce(g.group_id, CASE WHEN e.match_key IS NULL THEN hash('e', e.entry_id) ELSE hash('k', e.match_key) END) AS group_id, g.group_id IS NOT NULL AS told
    FROM (SELECT DISTINCT ON (entry_id) * FROM rest_entry ORDER BY entry_id, batch_id) AS e
    LEFT JOIN key_group AS g ON g.match_key = e.match_key
)
SELECT * REPLACE (
    CASE
        WHEN told OR min(amount_minor) OVER same < 0 AND max(amount_minor) OVER same > 0 THEN group_id
        ELSE hash('e', entry_id)
    END AS group_id
)
FROM grouped
WINDOW same AS (PARTITION BY group_id);

CREATE TEMP TABLE purchase AS
WITH credit AS (SELECT group_id, sum(amount_minor) AS posted_minor FROM posting WHERE told GROUP BY group_id)
SELECT
    t.*,
    CASE
        WHEN c.group_id IS NOT NULL THEN c.group_id
        WHEN t.readings > 1 THEN coalesce(g.group_id, hash('c', t.confirmation_id))
        ELSE hash('c', t.confirmation_id)
    END AS group_id,
    c.posted_minor IS NOT NULL AS has_entries,
    NOT t.retracted
        AND coalesce(c.posted_minor, 0) < sum(t.amount_minor) FILTER (NOT t.retracted) OVER (PARTITION BY g.group_id) AS short
FROM told AS t
LEFT JOIN key_group AS g ON g.match_key = t.match_key
LEFT JOIN credit AS c ON c.group_id = g.group_id;
