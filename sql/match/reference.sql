-- Pass 1, reference, its cheap half: nearly all groups are one confirmation and one entry of the same amount in time.
-- In:  keyed_confirmation, keyed_entry; odd_digest, repeated_digest (from `plain.py`); watched(id) (rows with an open
--      verdict, purchases with a re-credit: never settled here).
-- Out: pair (confirmations with the one entry of their group, and whether the two fit as they stand); odd_digest now also
--      holds the groups whose pair does not fit. A group outside it is one pair that fits.
-- Why right: a group with two rows on either side is in repeated_digest, and has no pair here; a group without entries
--      or without confirmations is in odd_digest. The order of `pair` is that of the confirmations, run after run.

CREATE TEMP TABLE pair AS
SELECT
    c.match_key,
    c.confirmation_id,
    e.entry_id,
    c.outcome = 'success'
        AND c.amount_minor = e.amount_minor
        AND c.confirmed_at >= getvariable('since')
        AND e.posted_at <= c.confirmed_at + getvariable('deadline_after')
        AND c.confirmation_id NOT IN (SELECT id FROM watched)
        AND e.entry_id NOT IN (SELECT id FROM watched) AS fits
FROM (SELECT * FROM keyed_confirmation WHERE digest <> 0) AS c
LEFT JOIN (SELECT * FROM keyed_entry WHERE digest NOT IN (SELECT digest FROM repeated_digest)) AS e
    ON e.match_key = c.match_key
WHERE e.entry_id IS NOT NULL;

INSERT INTO odd_digest
SELECT hash(match_key) >> 1 << 1 FROM pair WHERE NOT fits;
