-- The promises to customers that fell due on a business day.
-- In:  :flow, :begin and :until (the day's instants).
-- Out: kind, status, promise_count.
-- Why right: a promise belongs to the day of its due time, whenever it was made or kept.
select p.kind, p.status, count(*) as promise_count
from promises as p
join cases as c on c.case_id = p.case_id
where c.flow = :flow and p.due_at >= :begin and p.due_at < :until
group by p.kind, p.status
order by p.kind, p.status
