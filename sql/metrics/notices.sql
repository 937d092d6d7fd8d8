-- What became of the notices that were planned in the last 24 hours.
-- In:  :now (business time).
-- Out: flow, channel, status, notice_count.
-- Why cheap: an index finds one day of them, however many there are.
select c.flow, n.channel, n.status, count(*) as notice_count
from notices as n
join cases as c on c.case_id = n.case_id
where n.planned_at > cast(:now as timestamptz) - interval '24 hours'
group by c.flow, n.channel, n.status
order by c.flow, n.channel, n.status
