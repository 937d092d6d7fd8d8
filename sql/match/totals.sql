-- What stays open, and the sums of the statement and the curve after this run.
-- In:  line, minute (the rest, by group), payment_line, easy, bundle, purchase, posting, unit, stray, placed, own_placed; confirmation, ledger and rest_* (what
--      settled at once is their difference); recalled_*; woken_sum, woken_minute (what dormant items that woke had added);
--      total, minute_total (the sums of all that had left the open
--      items before this run); variable frozen_before (older groups can no longer change).
-- Out: kept_group (the open items); plain_minute, plain_day (what settled at once, told and posted);
--      total_after, minute_total_after (for the next run); statement_line, curve (everything, as of this run).
-- Why right: what leaves the open items is added once, what is recalled is taken off first, and both in full: a group
--      leaves only as purchases credited in full by entries that are all credits, or when it is too old to change and no
--      open break rests on it.

CREATE TEMP TABLE kept_group AS
WITH kept AS (
    SELECT group_id
    FROM bundle
    WHERE CASE
        WHEN greatest(confirmed_at, last_posted_at, own_posted_at) < getvariable('frozen_before')
            THEN balance_minor > 0 AND (kind IS NOT NULL OR held AND in_scope)
        WHEN NOT in_scope THEN NOT due
        ELSE NOT (
            purchases > 0 AND balance_minor = 0 AND kind IS NULL AND coalesce(by_reference, false)
            AND own_minor = 0 AND fee_minor = 0 AND retracted_minor = 0 AND reversals = 0 AND NOT conflicting
            AND (due OR credited_at <= deadline_at)
        )
    END
    UNION ALL
    SELECT group_id FROM own_placed
    WHERE break_group_id IS NULL AND coalesce(posted_at >= getvariable('frozen_before'), true)
),
owed AS (
    SELECT b.group_id, b.account_key, b.confirmed_at FROM bundle AS b JOIN kept USING (group_id) WHERE b.purchases > 0 AND b.balance_minor > 0
),
-- Credits that may be those of an open break: as long as it is open they speak against paying it, however old.
kept_with_them AS (
    FROM kept
    UNION
    SELECT s.unit_id FROM stray AS s JOIN owed USING (group_id)
    UNION
    SELECT u.unit_id
    FROM unit AS u
    JOIN owed AS o ON o.account_key = u.account_key
        AND u.posted_at BETWEEN o.confirmed_at - INTERVAL 72 HOURS AND o.confirmed_at + greatest(INTERVAL 72 HOURS, getvariable('match_window'))
),
member AS (
    SELECT group_id, match_key FROM purchase WHERE match_key IS NOT NULL
    UNION
    SELECT group_id, match_key FROM placed WHERE match_key IS NOT NULL
)
-- Groups that share a key stay together, so that whoever asks for the key finds all of it in one place.
SELECT group_id FROM kept_with_them
UNION
SELECT o.group_id
FROM member AS m
JOIN kept_with_them AS k USING (group_id)
JOIN member AS o ON o.match_key = m.match_key;

-- Whole numbers of minutes: calendar functions on instants cost more than all the rest of this file.
CREATE TEMP TABLE plain_minute AS
SELECT asset, make_timestamptz(minute_number * 60000000) AS minute, sum(rows)::BIGINT AS rows, sum(minor)::BIGINT AS minor
FROM (
    SELECT asset, epoch_us(confirmed_at) // 60000000 AS minute_number, count(*) AS rows, sum(amount_minor) AS minor
    FROM confirmation GROUP BY ALL
    UNION ALL
    SELECT asset, epoch_us(confirmed_at) // 60000000, -count(*), -sum(amount_minor) FROM rest_confirmation GROUP BY ALL
)
GROUP BY asset, minute_number
HAVING sum(rows) <> 0;

CREATE TEMP TABLE plain_day AS
SELECT asset, timezone('UTC', minute)::DATE AS day, 'confirmation' AS side, sum(rows)::BIGINT AS rows, sum(minor)::BIGINT AS minor
FROM plain_minute
GROUP BY ALL
UNION ALL
SELECT asset, DATE '1970-01-01' + day_number::INTEGER, 'ledger', sum(rows)::BIGINT, sum(minor)::BIGINT
FROM (
    SELECT asset, epoch_us(posted_at) // 86400000000 AS day_number, count(*) AS rows, sum(amount_minor) AS minor FROM ledger GROUP BY ALL
    UNION ALL
    SELECT asset, epoch_us(posted_at) // 86400000000, -count(*), -sum(amount_minor) FROM rest_entry GROUP BY ALL
)
GROUP BY asset, day_number
HAVING sum(rows) <> 0;

CREATE TEMP TABLE recalled_told AS
SELECT *
FROM (
    SELECT
        * REPLACE (
            -- The parts of a basket: it left as one purchase.
            list_sum(list_distinct(list(amount_minor) OVER (PARTITION BY confirmation_id)))::BIGINT AS amount_minor
        ),
        min(confirmed_at) OVER (PARTITION BY match_key) AS first_at
    FROM recalled_confirmation
    WHERE outcome = 'success'
    QUALIFY row_number() OVER (
        PARTITION BY confirmation_id ORDER BY confirmed_at, message_id, amount_minor, account, asset, match_key
    ) = 1
)
WHERE first_at >= getvariable('since');

CREATE TEMP TABLE recalled_posted AS
SELECT DISTINCT ON (entry_id) *
FROM recalled_entry
WHERE match_key IN (SELECT match_key FROM recalled_told) AND kind IS DISTINCT FROM 'held';

CREATE TEMP TABLE total_after AS
SELECT asset, day, side, line, sum(rows)::BIGINT AS rows, sum(minor)::BIGINT AS minor
FROM (
    SELECT asset, day, side, line, rows, minor FROM total
    UNION ALL
    SELECT asset, day, side, line, -rows, -minor FROM woken_sum
    UNION ALL
    SELECT asset, day, side, line, rows, minor FROM line WHERE group_id NOT IN (SELECT group_id FROM kept_group)
    UNION ALL
    SELECT asset, day, side, unnest([CASE side WHEN 'ledger' THEN 'posted' ELSE 'confirmed' END, 'credited']), rows, minor FROM plain_day
    UNION ALL
    SELECT asset, timezone('UTC', confirmed_at)::DATE, 'confirmation', unnest(['confirmed', 'credited']), -1, -amount_minor FROM recalled_told
    UNION ALL
    SELECT asset, timezone('UTC', posted_at)::DATE, 'ledger', unnest(['posted', 'credited']), -1, -amount_minor FROM recalled_posted
    UNION ALL
    SELECT asset, day, 'payment', line, rows, minor FROM payment_line WHERE NOT kept
)
GROUP BY ALL
HAVING sum(rows) <> 0 OR sum(minor) <> 0
ORDER BY ALL;

CREATE TEMP TABLE statement_line AS
SELECT asset, day, side, line, sum(rows)::BIGINT AS rows, sum(minor)::BIGINT AS minor
FROM (
    SELECT asset, day, side, line, rows, minor FROM total_after
    UNION ALL
    SELECT asset, day, side, line, rows, minor FROM line WHERE group_id IN (SELECT group_id FROM kept_group)
    UNION ALL
    SELECT asset, day, 'payment', line, rows, minor FROM payment_line WHERE kept
    UNION ALL
    SELECT asset, DATE '1970-01-01' + (epoch_us(confirmed_at) // 86400000000)::INTEGER, 'confirmation',
        unnest(['confirmed', 'credited']), count(*), sum(amount_minor)
    FROM easy GROUP BY asset, epoch_us(confirmed_at) // 86400000000
    UNION ALL
    SELECT asset, DATE '1970-01-01' + (epoch_us(posted_at) // 86400000000)::INTEGER, 'ledger',
        unnest(['posted', 'credited']), count(*), sum(amount_minor)
    FROM easy GROUP BY asset, epoch_us(posted_at) // 86400000000
)
GROUP BY ALL
HAVING sum(rows) <> 0 OR sum(minor) <> 0
ORDER BY ALL;

CREATE TEMP TABLE minute_total_after AS
SELECT
    asset, minute,
    sum(confirmed_rows)::BIGINT AS confirmed_rows, sum(confirmed_minor)::BIGINT AS confirmed_minor,
    sum(credited_rows)::BIGINT AS credited_rows, sum(credited_minor)::BIGINT AS credited_minor
FROM (
    SELECT * FROM minute_total
    UNION ALL BY NAME
    SELECT asset, minute, -confirmed_rows AS confirmed_rows, -confirmed_minor AS confirmed_minor, -credited_rows AS credited_rows,
        -credited_minor AS credited_minor
    FROM woken_minute
    UNION ALL BY NAME
    SELECT * EXCLUDE (group_id) FROM minute WHERE group_id NOT IN (SELECT group_id FROM kept_group)
    UNION ALL BY NAME
    SELECT asset, minute, rows AS confirmed_rows, minor AS confirmed_minor, rows AS credited_rows, minor AS credited_minor
    FROM plain_minute
    UNION ALL BY NAME
    SELECT asset, date_trunc('minute', confirmed_at) AS minute, -1 AS confirmed_rows, -amount_minor AS confirmed_minor,
        -1 AS credited_rows, -amount_minor AS credited_minor
    FROM recalled_told
)
WHERE coalesce(minute >= getvariable('frozen_before'), true)
GROUP BY ALL
HAVING sum(confirmed_rows) <> 0
ORDER BY ALL;

CREATE TEMP TABLE curve AS
SELECT
    asset, minute,
    sum(confirmed_rows)::BIGINT AS confirmed_rows, sum(confirmed_minor)::BIGINT AS confirmed_minor,
    sum(credited_rows)::BIGINT AS credited_rows, sum(credited_minor)::BIGINT AS credited_minor
FROM (
    SELECT * FROM minute_total_after
    UNION ALL BY NAME
    SELECT * EXCLUDE (group_id) FROM minute WHERE group_id IN (SELECT group_id FROM kept_group)
    UNION ALL BY NAME
    SELECT asset, make_timestamptz(epoch_us(confirmed_at) // 60000000 * 60000000) AS minute,
        count(*) AS confirmed_rows, sum(amount_minor) AS confirmed_minor, count(*) AS credited_rows, sum(amount_minor) AS credited_minor
    FROM easy GROUP BY asset, epoch_us(confirmed_at) // 60000000
)
WHERE coalesce(minute >= getvariable('frozen_before'), true)
GROUP BY ALL
ORDER BY ALL;
