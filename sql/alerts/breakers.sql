-- The flows in which nothing is paid, because the breaker is open.
-- In:  nothing.
-- Out: flow, reason, changed_at.
-- Why right: a breaker that opens again has another instant, and so is told again.
select flow, open as reason, changed_at
from breakers
where open is not null
order by flow
