-- What tells two directory rows apart. In: chunk (rows as they were read). Out: rows for staged.
SELECT
    *,
    row_key AS row_id,
    struct_pack(account, language, email, channel, opted_out) AS content
FROM chunk
