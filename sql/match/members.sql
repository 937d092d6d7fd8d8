-- The open items, and what ties them to one another.
-- In:  kept_group, bundle, purchase, placed, own_placed, easy, rest_held, stirred, untraceable, latest; kept_confirmation, kept_entry (the open items' rows);
--      variables complete_through, match_window, deadline_after, frozen_before, closed_kinds.
-- Out: told_of, posted_of (the node of each row; `promises`: it is a purchase); lone_verdict (what was said of rows that are no open items any more,
--      each a node); tie(node, tie); node(node, may_rest, owing, last_at): one row per open group, easy pair, message that promised
--      nothing, held row, and lone verdict.
-- Why right: `may_rest` says that time alone changes nothing about it any more (its deadline and its window have passed), and that
--      nothing of `stirred` concerns it, and that it is not untraceable, which is remembered elsewhere. Whatever a later row may
--      do to it, that row has a tie in common with it, or with something that has (see `docs/matching.md`).

CREATE TEMP TABLE told_of AS
SELECT confirmation_id, group_id AS node, true AS promises FROM purchase WHERE group_id IN (SELECT group_id FROM kept_group)
UNION ALL
SELECT confirmation_id, group_id, true FROM easy
UNION ALL
SELECT DISTINCT confirmation_id, hash('m', confirmation_id), false
FROM kept_confirmation
WHERE confirmation_id NOT IN (SELECT confirmation_id FROM purchase) AND confirmation_id NOT IN (SELECT confirmation_id FROM easy);

CREATE TEMP TABLE posted_of AS
SELECT entry_id, group_id AS node FROM placed WHERE group_id IN (SELECT group_id FROM kept_group)
UNION ALL
SELECT entry_id, group_id FROM own_placed WHERE group_id IN (SELECT group_id FROM kept_group)
UNION ALL
SELECT entry_id, group_id FROM easy
UNION ALL
SELECT entry_id, hash('h', entry_id) FROM rest_held WHERE entry_id IN (SELECT entry_id FROM kept_entry);

-- It is asked for by its id alone, with the rows that are recalled; when it has closed, no longer than these are.
CREATE TEMP TABLE lone_verdict AS
SELECT break_id, hash('v', break_id) AS node, greatest(confirmed_at, deadline_at, credited_at, decidable_at) AS last_at
FROM latest
WHERE break_id NOT IN (SELECT confirmation_id FROM told_of) AND break_id NOT IN (SELECT entry_id FROM posted_of)
    AND (kind NOT IN (SELECT unnest(getvariable('closed_kinds'))) OR coalesce(last_at >= getvariable('frozen_before'), true));

CREATE TEMP TABLE tie AS
WITH row_at_hand AS (
    SELECT o.node, r.account_key, r.account, r.reference, r.match_key, r.confirmation_id AS id, NULL AS own_key
    FROM kept_confirmation AS r
    JOIN told_of AS o USING (confirmation_id)
    UNION ALL
    SELECT o.node, r.account_key, r.account, r.reference, r.match_key, r.entry_id, r.own_key
    FROM kept_entry AS r
    JOIN posted_of AS o USING (entry_id)
)
SELECT DISTINCT node, tie
FROM (
    SELECT node, unnest([
        hash('a', account_key),
        hash('t', account),
        hash('i', id),
        CASE WHEN reference IS NOT NULL THEN hash('r', reference) END,
        CASE WHEN match_key IS NOT NULL THEN hash('k', match_key) END,
        CASE WHEN own_key IS NOT NULL THEN hash('o', own_key) END
    ]) AS tie
    FROM row_at_hand
)
WHERE tie IS NOT NULL
UNION ALL
SELECT node, hash('i', break_id) FROM lone_verdict;

CREATE TEMP TABLE node AS
WITH known AS (
    SELECT
        k.group_id AS node,
        coalesce(b.due, false) AND coalesce(w.window_until < getvariable('complete_through'), true) AS is_over,
        coalesce(b.kind IS NOT NULL AND b.balance_minor > 0, false) AS owing,
        greatest(b.confirmed_at, b.last_posted_at, b.own_posted_at) AS last_at
    FROM kept_group AS k
    LEFT JOIN bundle AS b USING (group_id)
    LEFT JOIN (
        SELECT group_id, max(confirmed_at) + getvariable('match_window') AS window_until FROM purchase GROUP BY group_id
    ) AS w USING (group_id)
    UNION ALL
    SELECT group_id, true, false, greatest(confirmed_at, posted_at) FROM easy
    UNION ALL
    SELECT o.node, max(r.confirmed_at) + getvariable('deadline_after') < getvariable('complete_through'), false, max(r.confirmed_at)
    FROM kept_confirmation AS r
    JOIN told_of AS o USING (confirmation_id)
    WHERE NOT o.promises
    GROUP BY o.node
    UNION ALL
    SELECT hash('h', entry_id), false, false, posted_at FROM rest_held WHERE entry_id IN (SELECT entry_id FROM kept_entry)
    UNION ALL
    SELECT node, true, false, last_at FROM lone_verdict
)
SELECT
    node,
    is_over AND node NOT IN (
        SELECT node FROM tie WHERE tie IN (SELECT tie FROM stirred UNION ALL SELECT hash('i', id) FROM untraceable)
    ) AS may_rest,
    owing,
    last_at
FROM known;
