-- What tells two ledger rows apart. In: chunk (rows as they were read). Out: rows for staged.
SELECT
    *,
    id AS row_id,
    struct_pack(reference, account, asset, amount_minor, kind, own_key, posted_at) AS content
FROM chunk
