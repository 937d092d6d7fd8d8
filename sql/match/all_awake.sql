-- All open items stay awake: there are few, several machines hand theirs on as they are, or payments are tied to purchases by more than ties.
-- In:  kept_confirmation, kept_entry, kept_heard, total_after, minute_total_after.
-- Out: break_component (empty); awake_confirmation, awake_entry, awake_heard, total_handed_on, minute_total_handed_on.

CREATE TEMP TABLE break_component (break_id UUID, component UINTEGER);

CREATE TEMP VIEW awake_confirmation AS FROM kept_confirmation;

CREATE TEMP VIEW awake_entry AS FROM kept_entry;

CREATE TEMP VIEW awake_heard AS FROM kept_heard;

CREATE TEMP VIEW total_handed_on AS FROM total_after;

CREATE TEMP VIEW minute_total_handed_on AS FROM minute_total_after;
