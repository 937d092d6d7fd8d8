-- How complete each feed of a flow was on a business day.
-- In:  :flow, :begin and :until (the day's instants).
-- Out: feed, side, grade, watermark (now), deliveries, refused (of them), and over the accepted ones: raw_rows, published_rows,
--      quarantined_rows, duplicate_rows, out_of_scope_rows; held_rows (still in quarantine).
-- Why right: a delivery belongs to the day in which it landed, the one at midnight to the day that it closes; the schema
--      refuses a batch whose rows do not add up.
select
    f.feed, f.side, f.grade, f.watermark,
    count(b.batch_id) as deliveries,
    count(b.batch_id) filter (where b.status = 'refused') as refused,
    coalesce(sum(b.raw_rows) filter (where b.status = 'published'), 0)::bigint as raw_rows,
    coalesce(sum(b.published_rows) filter (where b.status = 'published'), 0)::bigint as published_rows,
    coalesce(sum(b.quarantined_rows) filter (where b.status = 'published'), 0)::bigint as quarantined_rows,
    coalesce(sum(b.duplicate_rows) filter (where b.status = 'published'), 0)::bigint as duplicate_rows,
    coalesce(sum(b.out_of_scope_rows) filter (where b.status = 'published'), 0)::bigint as out_of_scope_rows,
    (select count(*) from quarantine as q where q.feed = f.feed and q.status = 'held') as held_rows
from feeds as f
left join batches as b on b.feed = f.feed and b.landed_at > :begin and b.landed_at <= :until
where f.flow = :flow
group by f.feed
order by f.side, f.feed
