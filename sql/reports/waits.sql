-- How long the wronged customers of a business day waited, from the confirmation to the credit that made them whole.
-- In:  :flow, :begin and :until (the day's instants).
-- Out: by (recredit: our credit; original: the operator's own, late), credited_count, and in seconds median, p95, p99, worst.
-- Why right: percentiles are values that occurred (percentile_disc), never averages of two customers.
select
    case when i.intent_id is null then 'original' else 'recredit' end as by,
    count(*) as credited_count,
    (percentile_disc(0.5) within group (order by waited.seconds))::bigint as median_seconds,
    (percentile_disc(0.95) within group (order by waited.seconds))::bigint as p95_seconds,
    (percentile_disc(0.99) within group (order by waited.seconds))::bigint as p99_seconds,
    max(waited.seconds)::bigint as worst_seconds
from cases as c
join verdicts as v on v.case_id = c.case_id and v.version = 1
left join intents as i on i.case_id = c.case_id and i.component = 'recredit' and i.status in ('credited', 'verified')
cross join lateral (select extract(epoch from c.credited_at - c.confirmed_at) as seconds) as waited
where c.flow = :flow and c.confirmed_at >= :begin and c.confirmed_at < :until
    and v.owed_minor > 0 and c.credited_at is not null and c.owed_minor <= 0
group by 1
order by 1
