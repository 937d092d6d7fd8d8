-- The notices that wait to be sent.
-- In:  :now (business time).
-- Out: flow, channel, waiting_count, oldest_age_seconds.
-- Why cheap: the index on the status finds what waits.
select
    c.flow, n.channel, count(*) as waiting_count,
    extract(epoch from cast(:now as timestamptz) - min(n.planned_at))::double precision as oldest_age_seconds
from notices as n
join cases as c on c.case_id = n.case_id
where n.status in ('planned', 'submitting')
group by c.flow, n.channel
order by c.flow, n.channel
