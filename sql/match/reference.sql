-- Pass 1, reference, its cheap half: nearly all groups are one confirmation and one entry of the same amount in time.
-- In:  confirmation, ledger (each row with its number `row`).
-- Out: told_row, posted_row (row, match_key, id, amount_minor, time_us: by when an entry must have come, and when it came):
--      what `plain.py` compares. It keeps the pairs that fit and are alone; all other rows go on to `rest.sql`.
-- Why right: the two of a pair have the same key, which no third row has; a confirmation that may not be settled at once is
--      given a time before all entries.

CREATE TEMP VIEW told_row AS
SELECT
    row, match_key, confirmation_id AS id, amount_minor,
    CASE
        WHEN outcome = 'success' AND confirmed_at >= getvariable('since') THEN epoch_us(confirmed_at) + getvariable('deadline_after_us')
        ELSE -9223372036854775808
    END AS time_us
FROM confirmation;

CREATE TEMP VIEW posted_row AS
SELECT row, match_key, entry_id AS id, amount_minor, epoch_us(posted_at) AS time_us
FROM ledger;
