-- Every row of the rest on exactly one line of the statement, in rows and in money.
-- In:  purchase, placed, own_placed, bundle, stray, paid_break (ids of payments at hand).
-- Out: told_line; line(group_id, asset, day, side, line, rows, minor), minute(group_id, asset, minute, confirmed and credited).
-- Why right: the parts of a row are differences of clamped running sums, which add up to the row's amount; a row counts
--      on one line only, the one that says most about it. Days are those of the rows themselves, in UTC.

CREATE TEMP TABLE told_line AS
WITH running AS (
    SELECT
        p.group_id, p.asset, p.confirmed_at, p.amount_minor, p.retracted, b.kind,
        greatest(b.posted_minor, 0) AS pool_minor,
        greatest(b.posted_minor, 0) + greatest(b.own_minor, 0) AS pool_with_own_minor, b.fee_minor,
        sum(CASE WHEN p.retracted THEN 0 ELSE p.amount_minor END)
            OVER (PARTITION BY p.group_id ORDER BY p.confirmed_at, p.confirmation_id) AS until_minor
    FROM purchase AS p
    JOIN bundle AS b USING (group_id)
    WHERE b.in_scope
),
part AS (
    SELECT
        *,
        CASE WHEN retracted THEN 0
            ELSE least(greatest(pool_minor - (until_minor - amount_minor), 0), amount_minor) END AS credited_minor,
        CASE WHEN retracted THEN 0
            ELSE least(greatest(pool_with_own_minor - (until_minor - amount_minor), 0), amount_minor) END AS whole_minor
    FROM running
)
SELECT
    group_id, asset, confirmed_at, amount_minor,
    credited_minor,
    whole_minor - credited_minor AS recredited_minor,
    CASE WHEN retracted THEN 0 ELSE amount_minor - whole_minor - fee_minor END AS open_minor,
    CASE WHEN retracted THEN 0 ELSE fee_minor END AS fee_minor,
    CASE WHEN retracted THEN amount_minor ELSE 0 END AS retracted_minor,
    CASE
        WHEN retracted THEN 'retracted'
        WHEN whole_minor = credited_minor AND whole_minor + fee_minor = amount_minor THEN 'credited'
        WHEN whole_minor = amount_minor THEN 'recredited'
        WHEN kind IS NULL THEN 'pending'
        ELSE 'owed'
    END AS line
FROM part;

CREATE TEMP TABLE line AS
WITH told_part AS (
    SELECT group_id, asset, confirmed_at, 'confirmed' AS line, 1 AS rows, amount_minor AS minor FROM told_line
    UNION ALL
    SELECT group_id, asset, confirmed_at, 'credited', (line = 'credited')::INT, credited_minor FROM told_line
    UNION ALL
    SELECT group_id, asset, confirmed_at, 'recredited', (line = 'recredited')::INT, recredited_minor FROM told_line
    UNION ALL
    SELECT group_id, asset, confirmed_at, 'fees', 0, fee_minor FROM told_line WHERE fee_minor > 0
    UNION ALL
    SELECT group_id, asset, confirmed_at, 'retracted', (line = 'retracted')::INT, retracted_minor FROM told_line
    UNION ALL
    SELECT group_id, asset, confirmed_at, line, 1, open_minor FROM told_line WHERE line IN ('pending', 'owed')
),
effective_stray AS (
    SELECT DISTINCT s.unit_id
    FROM stray AS s
    JOIN bundle AS b USING (group_id)
    WHERE b.entries = 0 AND b.due AND NOT s.by_identity AND s.claims = 1
),
running AS (
    SELECT
        e.group_id, e.asset, e.posted_at, e.amount_minor, b.purchases, b.kind, b.confirmed_minor,
        e.group_id IN (SELECT unit_id FROM effective_stray) AS misdirected,
        sum(e.amount_minor) OVER (PARTITION BY e.group_id ORDER BY e.posted_at, e.entry_id) AS until_minor
    FROM placed AS e
    JOIN bundle AS b USING (group_id)
    WHERE b.in_scope
),
posted AS (
    SELECT
        *,
        least(greatest(until_minor, 0), confirmed_minor) - least(greatest(until_minor - amount_minor, 0), confirmed_minor)
            AS credited_minor,
        greatest(until_minor - confirmed_minor, 0) - greatest(until_minor - amount_minor - confirmed_minor, 0) AS over_minor,
        least(until_minor, 0) - least(until_minor - amount_minor, 0) AS below_minor
    FROM running
),
posted_part AS (
    SELECT group_id, asset, posted_at, 'posted' AS line, 1 AS rows, amount_minor AS minor FROM posted
    UNION ALL
    SELECT group_id, asset, posted_at, 'credited', (over_minor = 0 AND below_minor = 0)::INT, credited_minor
    FROM posted WHERE purchases > 0
    UNION ALL
    SELECT group_id, asset, posted_at, 'over', (over_minor <> 0)::INT, over_minor FROM posted WHERE purchases > 0
    UNION ALL
    SELECT group_id, asset, posted_at, 'unclaimed', (over_minor = 0 AND below_minor <> 0)::INT, below_minor
    FROM posted WHERE purchases > 0
    UNION ALL
    SELECT
        group_id, asset, posted_at,
        CASE WHEN kind = 'orphan_credit' THEN 'orphan' WHEN misdirected THEN 'misdirected' ELSE 'unclaimed' END,
        1, amount_minor
    FROM posted WHERE purchases = 0
),
own_running AS (
    SELECT
        o.group_id, o.break_group_id, o.break_id, o.asset, o.posted_at, o.amount_minor,
        coalesce(greatest(b.confirmed_minor - greatest(b.posted_minor, 0), 0), 0) AS room_minor,
        sum(o.amount_minor) OVER (PARTITION BY o.group_id ORDER BY o.posted_at, o.entry_id) AS until_minor
    FROM own_placed AS o
    LEFT JOIN bundle AS b USING (group_id)
),
own AS (
    SELECT
        *,
        CASE WHEN break_group_id IS NULL THEN 0
            ELSE least(greatest(until_minor, 0), room_minor) - least(greatest(until_minor - amount_minor, 0), room_minor)
        END AS recredited_minor
    FROM own_running
),
own_part AS (
    SELECT group_id, asset, posted_at, 'posted' AS line, 1 AS rows, amount_minor AS minor FROM own
    UNION ALL
    SELECT group_id, asset, posted_at, 'recredited', (recredited_minor = amount_minor)::INT, recredited_minor FROM own
    UNION ALL
    SELECT
        group_id, asset, posted_at, CASE WHEN break_group_id IS NULL AND break_id IN (SELECT id FROM paid_break) THEN 'untold' ELSE 'over' END,
        (recredited_minor <> amount_minor)::INT, amount_minor - recredited_minor
    FROM own
)
SELECT group_id, asset, timezone('UTC', confirmed_at)::DATE AS day, 'confirmation' AS side, line, sum(rows)::BIGINT AS rows, sum(minor)::BIGINT AS minor
FROM told_part GROUP BY ALL
UNION ALL
SELECT group_id, asset, timezone('UTC', posted_at)::DATE, 'ledger', line, sum(rows)::BIGINT, sum(minor)::BIGINT
FROM posted_part GROUP BY ALL
UNION ALL
SELECT group_id, asset, timezone('UTC', posted_at)::DATE, 'own', line, sum(rows)::BIGINT, sum(minor)::BIGINT
FROM own_part GROUP BY ALL;

CREATE TEMP TABLE minute AS
SELECT
    group_id,
    asset,
    date_trunc('minute', confirmed_at) AS minute,
    count(*)::BIGINT AS confirmed_rows,
    sum(amount_minor)::BIGINT AS confirmed_minor,
    count(*) FILTER (line = 'credited')::BIGINT AS credited_rows,
    sum(credited_minor)::BIGINT AS credited_minor
FROM told_line
GROUP BY ALL;
