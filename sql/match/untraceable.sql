-- New rows that what is forgotten may explain: their absence on the other side says nothing.
-- In:  new_confirmation, new_entry, new_payment; loose_confirmation, loose_entry, loose_payment (the state's open items);
--      recalled_confirmation, recalled_entry; half_key, half_id; variables forgotten_through (up to when batches have been dropped),
--      deadline_after, payment_deadline_after.
-- Out: untraceable (with those purchases, entries and payments).
-- Why right: what was open all along has had its partners beside it, and what is recalled is recalled whole. Nothing that comes
--      before its watermark passes it is as old as this: a horizon lies between the two.

INSERT INTO untraceable
SELECT confirmation_id
FROM new_confirmation
WHERE (
        confirmed_at <= getvariable('forgotten_through') + getvariable('deadline_after')
        OR match_key IN (SELECT match_key FROM half_key)
        OR confirmation_id IN (SELECT confirmation_id FROM half_id)
    )
    AND confirmation_id NOT IN (SELECT confirmation_id FROM loose_confirmation UNION ALL SELECT confirmation_id FROM recalled_confirmation)
UNION
SELECT entry_id
FROM new_entry
WHERE (
        posted_at <= getvariable('forgotten_through') + getvariable('deadline_after')
        OR match_key IN (SELECT match_key FROM half_key)
    )
    AND entry_id NOT IN (SELECT entry_id FROM loose_entry UNION ALL SELECT entry_id FROM recalled_entry)
UNION
SELECT payment_id
FROM new_payment
WHERE paid_at <= getvariable('forgotten_through') + getvariable('payment_deadline_after')
    AND payment_id NOT IN (SELECT payment_id FROM loose_payment);
