-- The jobs that fail again and again, and those in which an invariant did not hold.
-- In:  :failures (so many in a row are too many).
-- Out: job, subject, failed_in_a_row, last_error, last_failed_at, violated_at (null, or within the last day).
-- Why right: one run that ends well ends the row of failures; a violation is told for itself, whatever runs after it.
select
    job, subject, failed_in_a_row, last_error, last_failed_at,
    case when violated_at > clock_timestamp() - interval '24 hours' then violated_at end as violated_at
from job_totals
where failed_in_a_row >= :failures or violated_at > clock_timestamp() - interval '24 hours'
order by job, subject
