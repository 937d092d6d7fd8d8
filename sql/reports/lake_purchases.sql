-- Purchases as they were published (DuckDB, over the Parquet files of a flow's confirmations).
-- In:  $files; exactly one of $confirmation_id, $account (whom it was bought for, or who paid), $reference, the others NULL;
--      $rows_max.
-- Out: one row per confirmation, its latest version: the newest first.
-- Why right: a corrected and replayed message is published again under the same confirmation_id; the version that was
--      sent last, from the batch with the greatest id where that is equal, is the same on every call.
--      Account and payer are asked for one by one: each alone is told from the files' own statistics and Bloom filters, so that
--      row groups without either are not read; asked for at once they were all read.
WITH found AS (
    SELECT *
    FROM read_parquet($files)
    WHERE ($confirmation_id IS NULL OR confirmation_id = $confirmation_id::UUID)
        AND ($account IS NULL OR account = $account)
        AND ($reference IS NULL OR reference = $reference)
        AND coalesce($confirmation_id, $account, $reference) IS NOT NULL
    UNION ALL
    SELECT * FROM read_parquet($files) WHERE payer = $account
)
SELECT
    confirmation_id, message_id, provider, match_key, account_key, reference, account, payer, asset, amount_minor, product,
    outcome, confidence, confirmed_at, batch_id, feed, row_number
FROM found
QUALIFY row_number() OVER (PARTITION BY confirmation_id ORDER BY confirmed_at DESC, batch_id DESC) = 1
ORDER BY confirmed_at DESC, confirmation_id
LIMIT $rows_max
