-- The flows with calls to their gateway of which nobody knows for too long whether they credited.
-- In:  :before (business time: what was sent earlier has been unknown for too long).
-- Out: flow, attempt_count, oldest_at.
-- Why right: what is accepted and what is being sent may be as lost as what is unknown; escalated ones have a person already.
select i.flow, count(*) as attempt_count, min(a.sent_at) as oldest_at
from attempts as a
join intents as i on i.intent_id = a.intent_id
where a.status in ('sending', 'accepted', 'unknown') and a.sent_at < :before and i.status = 'executing'
group by i.flow
order by i.flow
