-- Which open items go dormant, and what stays awake.
-- In:  label(node, label) (equal for nodes that ties connect), node, tie, told_of, posted_of, lone_verdict, kept_confirmation, kept_entry, kept_heard, latest, line,
--      minute, easy, asked, total_after, minute_total_after; variables last_component, frozen_before, closed_kinds.
-- Out: dormant_confirmation, dormant_entry, dormant_heard, dormant_verdict, dormant_sum, dormant_minute, dormant_key, dormant_component (views, each row
--      with its component; `turns_us`: when the next of its parts becomes too old to change); break_component; awake_confirmation, awake_entry, awake_heard (the next run's open items);
--      total_handed_on, minute_total_handed_on (with the sums of what went dormant).
-- Why right: all that is connected goes together or not at all, so that what wakes a part of it wakes the whole.

CREATE TEMP TABLE component AS
SELECT node, (dense_rank() OVER (ORDER BY label) + getvariable('last_component'))::UINTEGER AS component
FROM (SELECT node, label, bool_and(may_rest) OVER (PARTITION BY label) AS rests FROM label JOIN node USING (node))
WHERE rests;

CREATE TEMP TABLE told_component AS SELECT confirmation_id, component, promises FROM told_of JOIN component USING (node);

CREATE TEMP TABLE posted_component AS SELECT entry_id, component FROM posted_of JOIN component USING (node);

CREATE TEMP TABLE break_component AS
SELECT confirmation_id AS break_id, component FROM told_component
UNION ALL
SELECT entry_id, component FROM posted_component
UNION ALL
SELECT break_id, component FROM lone_verdict JOIN component USING (node);

CREATE TEMP VIEW dormant_confirmation AS
SELECT component, r.* FROM kept_confirmation AS r JOIN told_component USING (confirmation_id) ORDER BY ALL;

CREATE TEMP VIEW dormant_entry AS
SELECT component, r.* FROM kept_entry AS r JOIN posted_component USING (entry_id) ORDER BY component, entry_id;

CREATE TEMP VIEW dormant_heard AS
SELECT component, h.* FROM kept_heard AS h JOIN told_component AS t ON t.confirmation_id = h.heard_for ORDER BY ALL;

CREATE TEMP VIEW dormant_verdict AS
SELECT component, v.* FROM latest AS v JOIN break_component USING (break_id) ORDER BY component, break_id;

CREATE TEMP TABLE dormant_sum AS
SELECT component, asset, day, side, line, sum(rows)::BIGINT AS rows, sum(minor)::BIGINT AS minor
FROM (
    SELECT c.component, l.asset, l.day, l.side, l.line, l.rows, l.minor FROM line AS l JOIN component AS c ON c.node = l.group_id
    UNION ALL
    SELECT c.component, e.asset, timezone('UTC', e.confirmed_at)::DATE, 'confirmation', unnest(['confirmed', 'credited']), 1, e.amount_minor
    FROM easy AS e JOIN component AS c ON c.node = e.group_id
    UNION ALL
    SELECT c.component, e.asset, timezone('UTC', e.posted_at)::DATE, 'ledger', unnest(['posted', 'credited']), 1, e.amount_minor
    FROM easy AS e JOIN component AS c ON c.node = e.group_id
    UNION ALL
    -- How many breaks of a day stand open is asked for the statement.
    SELECT component, asset, timezone('UTC', coalesce(confirmed_at, credited_at))::DATE, 'break', 'open', 1, 0
    FROM dormant_verdict WHERE kind NOT IN (SELECT unnest(getvariable('closed_kinds')))
)
GROUP BY ALL
ORDER BY ALL;

CREATE TEMP TABLE dormant_minute AS
SELECT
    component, asset, minute,
    sum(confirmed_rows)::BIGINT AS confirmed_rows, sum(confirmed_minor)::BIGINT AS confirmed_minor,
    sum(credited_rows)::BIGINT AS credited_rows, sum(credited_minor)::BIGINT AS credited_minor
FROM (
    SELECT c.component, m.* EXCLUDE (group_id) FROM minute AS m JOIN component AS c ON c.node = m.group_id
    UNION ALL BY NAME
    SELECT c.component, e.asset, date_trunc('minute', e.confirmed_at) AS minute, 1 AS confirmed_rows, e.amount_minor AS confirmed_minor,
        1 AS credited_rows, e.amount_minor AS credited_minor
    FROM easy AS e JOIN component AS c ON c.node = e.group_id
)
GROUP BY ALL
ORDER BY ALL;

CREATE TEMP VIEW dormant_key AS
SELECT component, tie FROM tie JOIN component USING (node)
UNION
SELECT component, hash('b', a.account_key) FROM asked AS a JOIN component AS c ON c.node = a.group_id;

CREATE TEMP VIEW dormant_component AS
SELECT
    component,
    coalesce(max(epoch_us(n.last_at)), 0) AS last_us,
    coalesce(min(epoch_us(n.last_at)) FILTER (coalesce(n.last_at >= getvariable('frozen_before'), true)), 9223372036854775807) AS turns_us,
    bool_or(n.owing)::UINTEGER AS owing,
    (component IN (SELECT component FROM dormant_sum WHERE side = 'break'))::UINTEGER AS is_open,
    coalesce(any_value(t.confirmations), 0)::UINTEGER AS confirmations,
    coalesce(any_value(p.entries), 0)::UINTEGER AS entries
FROM component AS c
JOIN node AS n USING (node)
LEFT JOIN (SELECT component, count(*) FILTER (promises) AS confirmations FROM told_component GROUP BY component) AS t USING (component)
LEFT JOIN (SELECT component, count(*) AS entries FROM posted_component GROUP BY component) AS p USING (component)
GROUP BY component
ORDER BY component;

CREATE TEMP VIEW awake_confirmation AS
SELECT * FROM kept_confirmation WHERE confirmation_id NOT IN (SELECT confirmation_id FROM told_component);

CREATE TEMP VIEW awake_entry AS
SELECT * FROM kept_entry WHERE entry_id NOT IN (SELECT entry_id FROM posted_component);

CREATE TEMP VIEW awake_heard AS
SELECT * FROM kept_heard WHERE heard_for NOT IN (SELECT confirmation_id FROM told_component);

CREATE TEMP VIEW total_handed_on AS
SELECT asset, day, side, line, sum(rows)::BIGINT AS rows, sum(minor)::BIGINT AS minor
FROM (FROM total_after UNION ALL SELECT * EXCLUDE (component) FROM dormant_sum)
GROUP BY ALL
HAVING sum(rows) <> 0 OR sum(minor) <> 0
ORDER BY ALL;

CREATE TEMP VIEW minute_total_handed_on AS
SELECT
    asset, minute,
    sum(confirmed_rows)::BIGINT AS confirmed_rows, sum(confirmed_minor)::BIGINT AS confirmed_minor,
    sum(credited_rows)::BIGINT AS credited_rows, sum(credited_minor)::BIGINT AS credited_minor
FROM (FROM minute_total_after UNION ALL SELECT * EXCLUDE (component) FROM dormant_minute)
GROUP BY ALL
HAVING sum(confirmed_rows) <> 0
ORDER BY ALL;
