-- Every pair that is matched by this run.
-- In:  pair, open_key, bundle, purchase, placed, own_placed.
-- Out: match(match_id, confirmation_id, entry_id, pass, confidence, delta_minor), one row per pair of an N:M group.
--      match_id is the id of the group's first confirmation; delta_minor = posted - confirmed of the group.
-- A later run's rows for a confirmation or an entry replace those of earlier runs.

CREATE TEMP VIEW match AS
SELECT
    confirmation_id AS match_id, confirmation_id, entry_id,
    'reference' AS pass, 'high' AS confidence, 0::BIGINT AS delta_minor
FROM pair
WHERE fits AND match_key NOT IN (SELECT match_key FROM open_key)
UNION ALL
SELECT * FROM (
    SELECT
        b.confirmation_ids[1] AS match_id, p.confirmation_id, e.entry_id,
        e.pass,
        CASE WHEN b.low OR b.conflicting THEN 'low' ELSE 'high' END AS confidence,
        b.posted_minor - b.confirmed_minor AS delta_minor
    FROM bundle AS b
    JOIN purchase AS p USING (group_id)
    JOIN placed AS e USING (group_id)
    WHERE b.in_scope
    UNION ALL
    SELECT b.confirmation_ids[1], p.confirmation_id, o.entry_id, 'own', 'high', b.posted_minor + b.own_minor - b.confirmed_minor
    FROM bundle AS b
    JOIN purchase AS p USING (group_id)
    JOIN own_placed AS o ON o.group_id = b.group_id AND o.break_id = p.confirmation_id
    WHERE b.in_scope
    ORDER BY ALL
);
