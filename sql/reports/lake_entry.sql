-- One ledger row (DuckDB, over the Parquet files of a flow's entries).
-- In:  $files, $entry_id (text).
-- Out: account, reference, posted_at of that row, once; nothing when no file has it.
-- Why right: an id names one row; copies of it, when files share rows, say the same.
SELECT account, reference, posted_at
FROM read_parquet($files)
WHERE entry_id = $entry_id::UUID
LIMIT 1
