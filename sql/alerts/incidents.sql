-- The incidents that are not closed: many customers with one cause, or a feed that has stopped.
-- In:  nothing.
-- Out: number, flow, kind (credits, feed), status, started_at, feed (of a stopped one), case_count (open), owed_minor, asset.
-- Why right: an incident has one number for life, which is the key of what is told about it.
select
    n.number, n.flow, n.kind, n.status, n.started_at, n.scope ->> 'feed' as feed, n.asset,
    count(c.case_id) filter (where c.status = 'open') as case_count,
    coalesce(sum(c.owed_minor) filter (where c.status = 'open' and c.owed_minor > 0), 0)::bigint as owed_minor
from incidents as n
left join cases as c on c.incident_id = n.incident_id
where n.status <> 'closed'
group by n.incident_id
order by n.number
