-- Pass 4, split, its candidates: one confirmation, several entries of its account in the window whose sum is the amount.
-- In:  open_purchase, free_unit.
-- Out: part(group_id, amount_minor, unit_id, part_minor): for `split.py`, which looks for the one solution.
-- Why right: parts are smaller than the purchase and name no other one; without enough of them there is no solution.

CREATE TEMP TABLE part AS
SELECT p.group_id, p.amount_minor, u.unit_id, u.net_minor AS part_minor
FROM open_purchase AS p
JOIN free_unit AS u ON u.account_key = p.account_key
WHERE u.entries = 1 AND u.net_minor > 0 AND u.net_minor < p.amount_minor AND NOT (p.named AND u.named)
    AND u.posted_at BETWEEN p.confirmed_at AND p.confirmed_at + getvariable('match_window')
QUALIFY sum(u.net_minor) OVER (PARTITION BY p.group_id) >= p.amount_minor AND count(*) OVER (PARTITION BY p.group_id) > 1;
