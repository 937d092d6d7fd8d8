-- What a fold says of itself, as one row of facts, before anybody acts on it.
-- In:  views verdict (verdicts.parquet), own (own.parquet) and match (matches.parquet, or no rows where there are too many
--      to be looked at one by one); variables known_kinds, through (up to when both sides are complete, or NULL).
-- Out: one row: how many verdicts, credits of ours and rows break each rule. All are 0, or nothing is published.
SELECT
    (SELECT count(*) - count(DISTINCT break_id) FROM verdict) AS doubled_verdicts,
    (SELECT count(*) FROM verdict WHERE NOT coalesce(kind IN (SELECT unnest(getvariable('known_kinds'))), false)) AS unknown_kinds,
    (
        SELECT count(*)
        FROM verdict
        WHERE
            confirmed_minor < 0
            OR kind <> 'settled' AND owed_minor <> confirmed_minor - credited_minor - own_minor
            OR kind = 'settled' AND owed_minor <> 0
            OR kind IN ('never_credited', 'under_credited') AND owed_minor NOT BETWEEN 1 AND confirmed_minor
    ) AS unbalanced_verdicts,
    (
        SELECT count(*)
        FROM verdict
        WHERE kind IN ('never_credited', 'under_credited') AND coalesce(deadline_at > getvariable('through'), true)
    ) AS hasty_verdicts,
    (SELECT count(*) - count(DISTINCT own_key) FROM own) AS doubled_own,
    (
        SELECT count(*)
        FROM (
            SELECT entry_id FROM match GROUP BY entry_id HAVING min(match_id) <> max(match_id)
            UNION ALL
            SELECT confirmation_id FROM match GROUP BY confirmation_id HAVING min(match_id) <> max(match_id)
        )
    ) AS doubled_rows
