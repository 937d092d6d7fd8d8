-- Rows that the cheap half of the reference pass must not settle unseen.
-- In:  judged_before (the newest version of every verdict), own_attempt, variable closed_kinds.
-- Out: judged (the same, with is_open); watched(id): purchases and entries with an open verdict, or that we paid.

CREATE TEMP TABLE judged AS
SELECT *, kind NOT IN (SELECT unnest(getvariable('closed_kinds'))) AS is_open FROM judged_before;

CREATE TEMP TABLE watched AS
SELECT break_id AS id FROM judged WHERE is_open
UNION
SELECT break_id FROM own_attempt WHERE break_id IS NOT NULL;
