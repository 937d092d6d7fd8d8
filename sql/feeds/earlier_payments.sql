-- Payments of other batches, in the form in which `judge.sql` compares them. In: the variables files, and
-- withdrawn (ids of batches that were taken back after their day became one file with others).
CREATE OR REPLACE VIEW earlier AS
SELECT
    replace(payment_id::VARCHAR, '-', '') AS row_id,
    struct_pack(reference, account, payer, asset, amount_minor, kind, paid_at) AS content
FROM read_parquet(getvariable('files'))
WHERE NOT list_contains(getvariable('withdrawn'), batch_id);
