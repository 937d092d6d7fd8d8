-- How each flow stands.
-- In:  :now (business time).
-- Out: flow, mode, one (always 1), breaker_open (0 or 1), incident_count (not closed), run_age_seconds (since its newest run, null before).
-- Why cheap: one row for each flow; the key of runs finds the newest one.
select
    m.flow, m.mode, 1 as one,
    (b.open is not null)::int as breaker_open,
    (select count(*) from incidents as n where n.flow = m.flow and n.status <> 'closed') as incident_count,
    extract(epoch from cast(:now as timestamptz) - (
        select r.as_of from runs as r where r.flow = m.flow order by r.sequence desc limit 1
    ))::double precision as run_age_seconds
from flow_modes as m
left join breakers as b on b.flow = m.flow
order by m.flow
