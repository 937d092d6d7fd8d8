-- The ledger around one purchase (DuckDB, over the Parquet files of a flow's entries).
-- In:  $files, $reference (or NULL), $account, $begin and $until (instants), $rows_max.
-- Out: the entries with that reference on any account, and those of that account between the two instants, the oldest
--      first, each once; tie says why it is here: own (it carries our key), reference, account.
-- Why right: matching ties rows by reference, or by account and time, and by nothing else.
--      Each is asked for by itself, so that row groups without either are not read.
WITH found AS (
    SELECT * FROM read_parquet($files) WHERE reference = $reference
    UNION ALL
    SELECT * FROM read_parquet($files) WHERE account = $account AND posted_at BETWEEN $begin AND $until
)
SELECT
    entry_id, reference, account, asset, amount_minor, kind, own_key, posted_at, feed, row_number,
    CASE WHEN own_key IS NOT NULL THEN 'own' WHEN reference = $reference THEN 'reference' ELSE 'account' END AS tie
FROM found
QUALIFY row_number() OVER (PARTITION BY entry_id ORDER BY batch_id) = 1
ORDER BY posted_at, entry_id
LIMIT $rows_max
