-- The statements of one business day.
-- In:  :day (date).
-- Out: one row per flow and asset: flow, asset, day, verdict, lines (jsonb: opening, closing, and
--      sides → side → line, each line {rows, minor}), and of the run
--      that wrote it: as_of, confirmation_watermark, ledger_watermark, grade.
-- Why right: the fold replaces a day's statement in the transaction that publishes its run, so that lines, watermarks
--      and cases always speak of the same moment.
select s.flow, s.asset, s.day, s.verdict, s.lines, r.as_of, r.confirmation_watermark, r.ledger_watermark, r.grade
from statements as s
join runs as r on r.run_id = s.run_id
where s.day = :day
order by s.flow, s.asset
