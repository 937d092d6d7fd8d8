-- The running balance, as evidence: which open breaks have messages around them that may speak of it, and when these came.
-- In:  bundle, purchase (with balance_minor: what the credited account has after it, as the message says, or NULL); loose_heard
--      (the state's: what was heard before); withdrawn_batch.
-- Out: asked (the breaks; is_new: their neighbours are still to be looked up among the batches of the horizon); variables
--      heard_from, heard_until (between which these lie; NULL without any): no other batch is opened.

CREATE TEMP TABLE asked AS
SELECT
    p.group_id, p.confirmation_id, p.account_key, p.confirmed_at, p.amount_minor, p.balance_minor AS told_minor,
    -- Its neighbours are looked up once and then kept, so that they outlive the horizon with it.
    p.confirmation_id NOT IN (SELECT heard_for FROM loose_heard) OR EXISTS (FROM withdrawn_batch) AS is_new
FROM purchase AS p
JOIN bundle AS b USING (group_id)
WHERE p.balance_minor IS NOT NULL AND b.kind IS NOT NULL AND b.balance_minor > 0
    AND b.purchases = 1 AND p.readings = 1 AND len(p.amounts_read) = 1;

-- After a day an account has been used for other things.
SET VARIABLE heard_from = (SELECT min(confirmed_at) - INTERVAL 24 HOURS FROM asked WHERE is_new);

SET VARIABLE heard_until = (SELECT max(confirmed_at) + INTERVAL 24 HOURS FROM asked WHERE is_new);
