-- What tells two messages apart. In: chunk (rows as they were read). Out: rows for staged.
SELECT
    *,
    row_key AS row_id,
    struct_pack(reference, account, payer, asset, amount_minor, product, outcome, confirmed_at) AS content
FROM chunk
