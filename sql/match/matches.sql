-- The pairs that are matched by this run and needed a closer look than `plain.py` gives.
-- In:  easy, bundle, purchase, placed, own_placed; macro id_as_key (an id of a confirmation in the type of match_key).
-- Out: closer_match(match_id, confirmation_id, entry_id, pass, confidence, delta_minor), one row per pair of an N:M group.
--      match_id is the match_key of the group, else the id of its first confirmation; delta_minor = posted - confirmed of
--      the group. A later run's rows for a confirmation or an entry replace those of earlier runs.

CREATE TEMP TABLE closer_match AS
WITH pair AS (
    SELECT id_as_key(confirmation_id) AS match_id, confirmation_id, entry_id, 'identity' AS pass, 'high' AS confidence, 0::BIGINT AS delta_minor
    FROM easy
    UNION ALL
    SELECT
        coalesce(b.match_key, id_as_key(b.confirmation_ids[1])) AS match_id, p.confirmation_id, e.entry_id,
        CASE WHEN b.fee_minor > 0 THEN 'tolerance' ELSE e.pass END AS pass,
        CASE WHEN b.low OR b.conflicting OR e.pass = 'split' THEN 'low' ELSE 'high' END AS confidence,
        b.posted_minor - b.confirmed_minor AS delta_minor
    FROM bundle AS b
    JOIN purchase AS p USING (group_id)
    JOIN placed AS e USING (group_id)
    WHERE b.in_scope
    UNION ALL
    SELECT
        coalesce(b.match_key, id_as_key(b.confirmation_ids[1])), p.confirmation_id, o.entry_id,
        'own', 'high', b.posted_minor + b.own_minor - b.confirmed_minor
    FROM bundle AS b
    JOIN purchase AS p USING (group_id)
    JOIN own_placed AS o ON o.group_id = b.group_id AND o.break_id = p.confirmation_id
    WHERE b.in_scope
)
-- Words that are encoded need not be looked at one by one when they are written.
SELECT * REPLACE (
    pass::ENUM ('identity', 'near_reference', 'own', 'reference', 'split', 'tolerance') AS pass,
    confidence::ENUM ('high', 'low') AS confidence
)
FROM pair
ORDER BY ALL;
