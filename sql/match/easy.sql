-- Pass 3, identity, its easy half: pairs that the pass found without a contest, and in which nothing else is unusual,
-- need no verdict. They leave the tables that are judged; they stay open items, since a later reference can part them.
-- In:  simple_link, purchase, posting, watched; variables since, frozen_before.
-- Out: easy(confirmation_id, entry_id, asset, amount_minor, confirmed_at, posted_at); purchase and posting without them.
-- Why right: both windows have passed, amount and account are the same, and the entry is in time by the pass's own rule.

CREATE TEMP TABLE easy AS
SELECT p.confirmation_id, e.entry_id, p.asset, p.amount_minor, p.confirmed_at, e.posted_at, p.group_id, l.unit_id
FROM simple_link AS l
JOIN purchase AS p ON p.group_id = l.group_id
JOIN posting AS e ON e.group_id = l.unit_id
JOIN unit AS u ON u.unit_id = l.unit_id AND u.entries = 1
WHERE p.confirmed_at >= getvariable('since') AND NOT p.low
    AND coalesce(p.confirmed_at >= getvariable('frozen_before'), true)
    AND p.confirmation_id NOT IN (SELECT id FROM watched) AND e.entry_id NOT IN (SELECT id FROM watched);

DELETE FROM purchase WHERE confirmation_id IN (SELECT confirmation_id FROM easy);

DELETE FROM posting WHERE entry_id IN (SELECT entry_id FROM easy);
