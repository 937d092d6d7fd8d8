-- The versions of verdicts.
-- In:  current (what this run says of every open break, and of those that have closed), judged (the newest version so far).
-- Out: verdict (what is new or changed, with its version), latest (the newest version of everything: the next run's `judged`).
-- Why right: a version says something that the one before it did not.

CREATE TEMP TABLE verdict AS
SELECT c.break_id, coalesce(j.version, 0) + 1 AS version, c.* EXCLUDE (break_id)
FROM current AS c
LEFT JOIN judged AS j ON j.break_id = c.break_id
WHERE j.break_id IS NULL
    OR (c.kind, c.message_id, c.confirmed_at, c.deadline_at, c.confirmation_ids, c.entry_ids, c.confirmed_minor, c.credited_minor, c.own_minor, c.owed_minor, c.blocked, c.grade, c.evidence)
        IS DISTINCT FROM
       (j.kind, j.message_id, j.confirmed_at, j.deadline_at, j.confirmation_ids, j.entry_ids, j.confirmed_minor, j.credited_minor, j.own_minor, j.owed_minor, j.blocked, j.grade, j.evidence);

CREATE TEMP VIEW latest AS
SELECT * FROM verdict
UNION ALL BY NAME
SELECT * EXCLUDE (is_open, withdrawn) FROM judged WHERE break_id NOT IN (SELECT break_id FROM verdict);
