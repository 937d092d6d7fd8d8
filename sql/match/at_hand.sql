-- The rows at hand of a first fold: all that is new, and nothing to recall.
-- In:  new_confirmation, new_entry (each row with its number).
-- Out: confirmation, entry (views); recalled_confirmation, recalled_entry (empty).

CREATE TEMP VIEW confirmation AS SELECT * FROM new_confirmation;

CREATE TEMP VIEW entry AS SELECT * FROM new_entry;

CREATE TEMP TABLE recalled_confirmation AS SELECT * FROM new_confirmation LIMIT 0;

CREATE TEMP TABLE recalled_entry AS SELECT * FROM new_entry LIMIT 0;
