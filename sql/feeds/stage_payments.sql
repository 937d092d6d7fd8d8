-- What tells two payments apart. In: chunk (rows as they were read). Out: rows for staged.
SELECT
    *,
    id AS row_id,
    struct_pack(reference, account, payer, asset, amount_minor, kind, paid_at) AS content
FROM chunk
