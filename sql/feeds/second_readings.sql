-- Messages that a corrected template reads otherwise than before become doubtful: no money moves on them by itself.
-- In:  staged (the rows of a confirmation batch), the variable files (batches of the feed that were withdrawn).
-- Out: staged, with confidence `low` where a message was published before as another confirmation, amount or account.
-- Why right: what was paid on the first reading may be this very purchase under another id; only a person can tell.
UPDATE staged
SET confidence = 'low'
FROM read_parquet(getvariable('files')) AS before
WHERE
    staged.row_key = before.message_id
    AND (staged.id::UUID, staged.account, staged.asset, staged.amount_minor)
    IS DISTINCT FROM (before.confirmation_id, before.account, before.asset, before.amount_minor);
