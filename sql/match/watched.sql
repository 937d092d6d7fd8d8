-- Rows that the cheap half of the reference pass must not settle unseen.
-- In:  judged_before (the newest version of every verdict), untraceable_before (the state's), own_attempt, withdrawn_id, variable closed_kinds.
-- Out: judged (the same, with is_open, and whether rows of it are withdrawn now); watched(id): purchases and entries with an
--      open verdict or one that rests on withdrawn rows, or that we paid; untraceable(id): see untraceable.sql, which adds to it.

CREATE TEMP TABLE judged AS
SELECT
    *,
    kind NOT IN (SELECT unnest(getvariable('closed_kinds'))) AS is_open,
    list_has_any(confirmation_ids || entry_ids, (SELECT coalesce(list(id), []) FROM withdrawn_id)) AS withdrawn
FROM judged_before;

CREATE TEMP TABLE watched AS
SELECT break_id AS id FROM judged WHERE is_open OR withdrawn
UNION
SELECT break_id FROM own_attempt WHERE break_id IS NOT NULL;

CREATE TEMP TABLE untraceable AS SELECT id FROM untraceable_before;
