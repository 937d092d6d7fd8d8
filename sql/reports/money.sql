-- The money of a business day's broken purchases: what was at risk, what has been put right and by whom.
-- In:  :flow, :begin and :until (the day's instants).
-- Out: per asset: customers (wronged), wronged_count and wronged_minor; recredited_count and recredited_minor (by us, seen on
--      the ledger); settled_count and settled_minor (the original came after all); owed_count and owed_minor (still open);
--      excess_count and excess_minor (had too much, or credited without a purchase).
-- Why right: a purchase is wronged when its first verdict owed something. Each wronged case is re-credited, settled,
--      owed or given up, by its status and by the one verified intent that the schema allows it.
with mine as (
    select
        c.*,
        v.owed_minor as first_owed_minor,
        i.amount_minor as paid_minor
    from cases as c
    join verdicts as v on v.case_id = c.case_id and v.version = 1
    left join intents as i on i.case_id = c.case_id and i.component = 'recredit' and i.status = 'verified'
    where c.flow = :flow
        and coalesce(c.confirmed_at, c.detected_at) >= :begin and coalesce(c.confirmed_at, c.detected_at) < :until
)
select
    asset,
    count(distinct coalesce(payer, account)) filter (where first_owed_minor > 0) as customers,
    count(*) filter (where first_owed_minor > 0) as wronged_count,
    coalesce(sum(first_owed_minor) filter (where first_owed_minor > 0), 0)::bigint as wronged_minor,
    count(*) filter (where paid_minor is not null) as recredited_count,
    coalesce(sum(paid_minor), 0)::bigint as recredited_minor,
    count(*) filter (where first_owed_minor > 0 and paid_minor is null and owed_minor <= 0) as settled_count,
    coalesce(sum(first_owed_minor) filter (where first_owed_minor > 0 and paid_minor is null and owed_minor <= 0), 0)::bigint
        as settled_minor,
    count(*) filter (where status = 'open' and owed_minor > 0 and paid_minor is null) as owed_count,
    coalesce(sum(owed_minor) filter (where status = 'open' and owed_minor > 0 and paid_minor is null), 0)::bigint as owed_minor,
    count(*) filter (where owed_minor < 0) as excess_count,
    coalesce(-sum(owed_minor) filter (where owed_minor < 0), 0)::bigint as excess_minor
from mine
group by asset
order by asset
