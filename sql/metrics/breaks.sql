-- The breaks that are open, and the money that is at risk in them.
-- In:  nothing.
-- Out: flow, kind, asset, break_count, at_risk_minor (owed to customers).
-- Why cheap: a partial index holds what is open, and everything that is asked for.
select
    flow, kind, asset, count(*) as break_count,
    coalesce(sum(owed_minor) filter (where owed_minor > 0), 0)::bigint as at_risk_minor
from cases
where status = 'open'
group by flow, kind, asset
order by flow, kind, asset
