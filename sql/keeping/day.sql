-- The published rows of one feed and day as one file (DuckDB).
-- In:  the variables files (published files) and batch_ids (whose rows of them belong to the day).
-- Out: the rows, sorted by account, then reference.
-- Why right: nothing is left out but batches that were withdrawn, and nothing is changed. Sorted by account, the statistics of
--      the row groups lead to a customer; their Bloom filters lead to a reference or a payer.
SELECT *
FROM read_parquet(getvariable('files'), union_by_name = true)
WHERE batch_id::UUID IN (SELECT unnest(getvariable('batch_ids'))::UUID)
ORDER BY account, reference, batch_id, row_number
