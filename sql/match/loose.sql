-- The open items at hand: those of the state's own files, and the dormant ones that this run wakes.
-- In:  awake_before_confirmation, awake_before_entry (each row with its number), awake_before_heard, awake_before_verdict; woken_confirmation, woken_entry,
--      woken_heard, woken_verdict (tables that fill later).
-- Out: loose_confirmation, loose_entry, loose_heard, judged_before (views).

CREATE TEMP VIEW loose_confirmation AS
FROM awake_before_confirmation
UNION ALL BY NAME
FROM woken_confirmation;

CREATE TEMP VIEW loose_entry AS
FROM awake_before_entry
UNION ALL BY NAME
FROM woken_entry;

CREATE TEMP VIEW loose_heard AS
FROM awake_before_heard
UNION ALL BY NAME
FROM woken_heard;

CREATE TEMP VIEW judged_before AS
FROM awake_before_verdict
UNION ALL BY NAME
FROM woken_verdict;
