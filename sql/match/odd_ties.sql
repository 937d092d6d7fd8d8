-- What the rows that the reference pass left at hand concern.
-- In:  confirmation, entry (each row with its number), odd_told, odd_posted; variables loose_*_from, recalled_*_from (rows between these were open
--      before, and whatever concerns them is at hand with them), next_* (the next free number).
-- Out: called(tie, is_id); variables woken_confirmation_from, woken_entry_from (rows that are woken from now on have these numbers, or higher).
-- Why right: rows meet by account or by reference alone (`near_reference`, `identity`, `split`, `stray`, `hold`, unclaimed entries), and a
--      recalled row also by its key and id.

CREATE OR REPLACE TEMP TABLE called AS
WITH odd AS (
    SELECT account_key, reference, match_key, confirmation_id AS id
    FROM confirmation
    WHERE row IN (SELECT row FROM odd_told)
        AND (row < getvariable('loose_confirmation_from') OR row >= getvariable('recalled_confirmation_from'))
    UNION ALL
    SELECT account_key, reference, match_key, entry_id
    FROM entry
    WHERE row IN (SELECT row FROM odd_posted)
        AND (row < getvariable('loose_entry_from') OR row >= getvariable('recalled_entry_from'))
)
SELECT hash('a', account_key) AS tie, false AS is_id FROM odd
UNION
SELECT hash('r', reference), false FROM odd WHERE reference IS NOT NULL
UNION
SELECT hash('k', match_key), false FROM odd WHERE match_key IS NOT NULL
UNION
SELECT hash('i', id), true FROM odd;

SET VARIABLE woken_confirmation_from = getvariable('next_confirmation');

SET VARIABLE woken_entry_from = getvariable('next_entry');
