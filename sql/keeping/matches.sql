-- The matches of several runs of a flow as one file (DuckDB).
-- In:  the variable files (their files of matches, newest run first).
-- Out: the rows, sorted by confirmation.
-- Why right: the rows of a later run replace those of an earlier one for the same purchase; who reads all runs, newest
--      first, finds the same with this file in their place.
SELECT * EXCLUDE (filename)
FROM read_parquet(getvariable('files'), union_by_name = true, filename = true)
QUALIFY list_position(getvariable('files'), filename)
    = min(list_position(getvariable('files'), filename)) OVER (PARTITION BY confirmation_id)
ORDER BY confirmation_id, entry_id
