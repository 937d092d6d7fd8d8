-- What broke on a business day, by kind and by how long it lasted.
-- In:  :flow, :begin and :until (the day's instants), :now (business time).
-- Out: asset, kind (of the first verdict), age (0: up to 30 min, 1: 1 h, 2: 2 h, 3: 4 h, 4: a day, 5: longer), case_count,
--      open_count, minor (what was confirmed, or the excess for a credit without a purchase), owed_minor (still owed now).
-- Why right: a case belongs to the day of its confirmation, or of its detection where nothing was confirmed; its kind is
--      what it was when it was found, whatever has become of it; what was owed lasts until the customer was made whole,
--      everything else until the case is closed.
with mine as (
    select c.*, v.kind as first_kind,
        extract(epoch from
            coalesce(case when v.owed_minor > 0 then c.credited_at end, c.closed_at, cast(:now as timestamptz))
            - coalesce(c.confirmed_at, c.detected_at)
        ) as seconds
    from cases as c
    join verdicts as v on v.case_id = c.case_id and v.version = 1
    where c.flow = :flow
        and coalesce(c.confirmed_at, c.detected_at) >= :begin and coalesce(c.confirmed_at, c.detected_at) < :until
)
select
    asset,
    first_kind as kind,
    case
        when seconds <= 1800 then 0 when seconds <= 3600 then 1 when seconds <= 7200 then 2
        when seconds <= 14400 then 3 when seconds <= 86400 then 4 else 5
    end as age,
    count(*) as case_count,
    count(*) filter (where status = 'open') as open_count,
    sum(case when confirmed_minor > 0 then confirmed_minor else abs(owed_minor) end)::bigint as minor,
    coalesce(sum(owed_minor) filter (where status = 'open' and owed_minor > 0), 0)::bigint as owed_minor
from mine
group by asset, first_kind, age
order by asset, first_kind, age
