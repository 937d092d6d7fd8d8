-- What customers were told on a business day.
-- In:  :flow, :begin and :until (the day's instants).
-- Out: event (without its number), channel, status, notice_count, parts (of SMS).
-- Why right: a notice belongs to the day on which it was planned; there is one for each case, event and channel.
select
    split_part(n.event, ':', 1) as event, n.channel, n.status, count(*) as notice_count, coalesce(sum(n.parts), 0)::bigint as parts
from notices as n
join cases as c on c.case_id = n.case_id
where c.flow = :flow and n.planned_at >= :begin and n.planned_at < :until
group by 1, 2, 3
order by 1, 2, 3
