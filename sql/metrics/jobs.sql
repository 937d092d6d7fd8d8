-- How often each job ran and failed, for how long, and when it last ended well.
-- In:  nothing; machine time.
-- Out: job, subject, succeeded, failed, seconds (of all runs together), success_age_seconds (null when it never did).
-- Why cheap: one row for each job and feed or flow.
select
    job, subject, succeeded, failed, seconds,
    extract(epoch from clock_timestamp() - last_succeeded_at)::double precision as success_age_seconds
from job_totals
order by job, subject
