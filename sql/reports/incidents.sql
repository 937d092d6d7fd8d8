-- The incidents that touched a business day.
-- In:  :flow, :begin and :until (the day's instants).
-- Out: the columns of incidents, with customers, case_count, wronged_minor (owed by the first verdicts), recredited_count and
--      recredited_minor (by us, seen on the ledger), open_count, and maker and approver of its approval.
-- Why right: an incident belongs to each day between its start and its end, the last one while it is not over.
select
    n.incident_id, n.number, n.flow, n.kind, n.status, n.scope, n.cause, n.started_at, n.ended_at, n.detected_at, n.settle_until,
    n.asset, n.max_count, n.max_minor, n.used_count, n.used_minor, n.closed_at,
    count(distinct coalesce(c.payer, c.account)) as customers,
    count(c.case_id) as case_count,
    coalesce(sum(greatest(v.owed_minor, 0)), 0)::bigint as wronged_minor,
    count(i.intent_id) as recredited_count,
    coalesce(sum(i.amount_minor), 0)::bigint as recredited_minor,
    count(c.case_id) filter (where c.status = 'open') as open_count,
    decided.maker,
    decided.approver
from incidents as n
left join cases as c on c.incident_id = n.incident_id
left join verdicts as v on v.case_id = c.case_id and v.version = 1
left join intents as i on i.case_id = c.case_id and i.component = 'recredit' and i.status = 'verified'
left join lateral (
    select a.maker, a.approver
    from approvals as a
    where a.subject_kind = 'incident' and a.subject_id = n.incident_id and a.status = 'approved'
    order by a.decided_at desc
    limit 1
) as decided on true
where n.flow = :flow and n.started_at < :until and coalesce(n.ended_at, :until) >= :begin
group by n.incident_id, decided.maker, decided.approver
order by n.started_at, n.number
