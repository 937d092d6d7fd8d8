-- Dormant items that the odd rows of this run woke join those that are at hand.
-- In:  woken_confirmation, woken_entry, woken_verdict (all that woke in this run), judged, watched, odd_told, odd_posted; variables
--      woken_confirmation_from, woken_entry_from (from which row number on they are new here), closed_kinds.
-- Out: the same tables with them.
-- Why right: none of them could have been part of a plain pair, else the reference pass would have asked for its key.

INSERT INTO odd_told SELECT row FROM woken_confirmation WHERE row >= getvariable('woken_confirmation_from');

INSERT INTO odd_posted SELECT row FROM woken_entry WHERE row >= getvariable('woken_entry_from');

INSERT INTO judged BY NAME
SELECT *, kind NOT IN (SELECT unnest(getvariable('closed_kinds'))) AS is_open, false AS withdrawn
FROM woken_verdict
WHERE break_id NOT IN (SELECT break_id FROM judged);

INSERT INTO watched
SELECT break_id FROM judged WHERE is_open AND break_id NOT IN (SELECT id FROM watched);
