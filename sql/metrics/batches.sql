-- What became of everything that was delivered.
-- In:  nothing.
-- Out: flow, feed, status (of a batch), batch_count, and of the published ones: raw_rows, published_rows, quarantined_rows,
--      duplicate_rows, out_of_scope_rows.
-- Why cheap: one row for each delivery, some hundred a day and feed.
select
    flow, feed, status, count(*) as batch_count,
    coalesce(sum(published_rows) filter (where status = 'published'), 0)::bigint as published_rows,
    coalesce(sum(quarantined_rows) filter (where status = 'published'), 0)::bigint as quarantined_rows,
    coalesce(sum(duplicate_rows) filter (where status = 'published'), 0)::bigint as duplicate_rows,
    coalesce(sum(out_of_scope_rows) filter (where status = 'published'), 0)::bigint as out_of_scope_rows
from batches
group by flow, feed, status
order by feed, status
