-- The confirmations of a batch as matching reads them. In: staged, judged, the variables flow, feed, provider, batch_id.
SELECT
    id::UUID AS confirmation_id,
    row_key AS message_id,
    getvariable('provider') AS provider,
    match_key(getvariable('flow'), reference, account, asset) AS match_key,
    account_key(getvariable('flow'), account, asset) AS account_key,
    reference,
    account,
    payer,
    asset,
    amount_minor,
    product,
    outcome,
    confidence,
    confirmed_at,
    balance_minor,
    getvariable('batch_id')::UUID AS batch_id,
    getvariable('feed') AS feed,
    row_number
FROM staged
JOIN judged USING (row_number)
WHERE judged.disposition = 'published'
ORDER BY row_number
