-- One file of the lake in which a customer's number gives way to a pseudonym (DuckDB). `{columns}` are those of account,
-- payer, match_key and account_key that the file has, each as below.
-- In:  the variables file, account, pseudonym; for keys: flow.
-- Out: all rows in their order, the other columns as they are.
-- Why right: sums, dates and references stay. Keys are computed from the pseudonym as they were from the number, since with a
--      key and all numbers there are, the number could be found again.
SELECT * REPLACE ({columns})
FROM read_parquet(getvariable('file'))
