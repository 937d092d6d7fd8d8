-- Every case of a business day, for the lists in CSV and XLSX.
-- In:  :flow, :begin and :until (the day's instants), :rows_max.
-- Out: number, flow, first_kind, kind, status, disposition, account (in full: whoever writes it out masks it), reference,
--      asset, confirmed_minor, owed_minor, recredited_minor, confirmed_at, detected_at, credited_at, closed_at, incident, grade.
-- Why right: as in breaks.sql, so that the list adds up to its table.
select
    c.number, c.flow, v.kind as first_kind, c.kind, c.status, c.disposition, c.account, c.reference, c.asset,
    c.confirmed_minor, c.owed_minor, coalesce(i.amount_minor, 0) as recredited_minor,
    c.confirmed_at, c.detected_at, c.credited_at, c.closed_at, n.number as incident, c.grade
from cases as c
join verdicts as v on v.case_id = c.case_id and v.version = 1
left join intents as i on i.case_id = c.case_id and i.component = 'recredit' and i.status = 'verified'
left join incidents as n on n.incident_id = c.incident_id
where c.flow = :flow
    and coalesce(c.confirmed_at, c.detected_at) >= :begin and coalesce(c.confirmed_at, c.detected_at) < :until
order by coalesce(c.confirmed_at, c.detected_at), c.number
limit :rows_max
