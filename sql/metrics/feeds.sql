-- How far each feed is, and what of it lies in quarantine.
-- In:  :now (business time).
-- Out: flow, feed, side, watermark_age_seconds (null before the first delivery), held_rows.
-- Why cheap: one row for each feed; held rows are counted in a partial index that holds them alone.
select
    f.flow, f.feed, f.side,
    extract(epoch from cast(:now as timestamptz) - f.watermark)::double precision as watermark_age_seconds,
    (select count(*) from quarantine as q where q.feed = f.feed and q.status = 'held') as held_rows
from feeds as f
order by f.feed
