-- The calls to gateways that are not over, or failed; and how long ago the oldest of each kind was sent.
-- In:  :now (business time).
-- Out: flow, status, attempt_count, oldest_age_seconds (null before it was sent).
-- Why cheap: a partial index leaves out what is confirmed, which is nearly everything; that is counted among the intents.
select
    i.flow, a.status, count(*) as attempt_count,
    extract(epoch from cast(:now as timestamptz) - min(a.sent_at))::double precision as oldest_age_seconds
from attempts as a
join intents as i on i.intent_id = a.intent_id
where a.status <> 'confirmed'
group by i.flow, a.status
order by i.flow, a.status
