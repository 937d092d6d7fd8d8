-- The decisions to pay, and the money in them.
-- In:  nothing.
-- Out: flow, status, asset, intent_count, amount_minor.
-- Why cheap: an index holds all that is asked for.
select flow, status, asset, count(*) as intent_count, sum(amount_minor)::bigint as amount_minor
from intents
group by flow, status, asset
order by flow, status, asset
