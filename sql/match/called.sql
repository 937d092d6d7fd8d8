-- What wakes dormant items before anything is matched.
-- In:  new_confirmation, new_entry; stirred.
-- Out: called(tie, is_id): the ties of this run's new rows that the reference pass must not overlook, and all of `stirred`.
-- Why right: a new row that finds its only partner at once concerns nothing but its own key and id, and messages of its
--      account that speak of a balance; what else a row concerns is looked for after that pass (`odd_ties.sql`).

CREATE TEMP TABLE called AS
SELECT tie, false AS is_id FROM stirred
UNION
SELECT hash('k', match_key), false FROM new_confirmation WHERE match_key IS NOT NULL
UNION
SELECT hash('k', match_key), false FROM new_entry WHERE match_key IS NOT NULL
UNION
SELECT hash('b', account_key), false FROM new_confirmation WHERE balance_minor IS NOT NULL
UNION
SELECT hash('i', confirmation_id), true FROM new_confirmation
UNION
SELECT hash('i', entry_id), true FROM new_entry;
