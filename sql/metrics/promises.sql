-- The promises to customers: those that still run, those whose time has passed, those that were broken in the last 24 hours.
-- In:  :now (business time).
-- Out: flow, state (open, overdue, broken), promise_count.
-- Why cheap: the index on (status, due_at) finds them.
select c.flow, due.state, count(*) as promise_count
from (
    select case_id, case when due_at < :now then 'overdue' else 'open' end as state from promises where status = 'open'
    union all
    select case_id, 'broken' from promises where status = 'broken' and due_at > cast(:now as timestamptz) - interval '24 hours'
) as due
join cases as c on c.case_id = due.case_id
group by c.flow, due.state
order by c.flow, due.state
