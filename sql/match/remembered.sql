-- Which verdicts the next fold must know.
-- In:  latest (the newest version of everything); kept_confirmation, kept_entry, kept_payment (the open items); own_attempt; break_component (what
--      goes dormant with its verdict); variables frozen_before, closed_kinds.
-- Out: remembered (the next run's `judged`).
-- Why right: a verdict is asked for by the rows of its group, by our attempts, and for its version. When it has closed, no row of
--      it is open, and no batch with rows of its time can be recalled, nothing asks for it again; should the purchase be
--      delivered anew, its case goes on counting versions. What is open stays, however old.

CREATE TEMP VIEW remembered AS
SELECT *
FROM latest
WHERE break_id NOT IN (SELECT break_id FROM break_component) AND (
    kind NOT IN (SELECT unnest(getvariable('closed_kinds')))
    -- The last of these is not before any row of the group.
    OR coalesce(greatest(confirmed_at, deadline_at, credited_at, decidable_at) >= getvariable('frozen_before'), true)
    OR break_id IN (
        SELECT confirmation_id FROM kept_confirmation
        UNION ALL
        SELECT entry_id FROM kept_entry
        UNION ALL
        SELECT payment_id FROM kept_payment
        UNION ALL
        SELECT break_id FROM own_attempt WHERE break_id IS NOT NULL
    )
);
