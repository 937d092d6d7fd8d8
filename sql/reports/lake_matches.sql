-- Which entries explain one purchase, and by which pass (DuckDB, over the matches of a flow's runs).
-- In:  $files (newest run first), $confirmation_id (text).
-- Out: entry_id, pass.
-- Why right: the rows of a later run replace those of an earlier one for the same purchase.
SELECT entry_id, pass
FROM read_parquet($files, filename = true)
WHERE confirmation_id = $confirmation_id::UUID
QUALIFY list_position($files, filename) = min(list_position($files, filename)) OVER ()
ORDER BY entry_id
