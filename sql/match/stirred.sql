-- What may wake dormant items before anything is matched.
-- In:  new_confirmation, new_entry; own_attempt, held_account, held_reference; variable keyless.
-- Out: stirred(tie): what concerns items in each run as long as it stands, so that they do not lie down; called(tie, is_id): the ties of
--      this run's new rows that the reference pass must not overlook, and all of `stirred`.
-- Why right: a new row that finds its only partner at once concerns nothing but its own key and id, and messages of its
--      account that speak of a balance; what else a row concerns is looked for after that pass (`odd_ties.sql`).

CREATE TEMP TABLE stirred AS
SELECT hash('i', break_id) AS tie FROM own_attempt WHERE break_id IS NOT NULL
UNION
SELECT hash('o', own_key) FROM own_attempt
UNION
SELECT hash('t', account) FROM own_attempt WHERE getvariable('keyless')
UNION
SELECT hash('t', account) FROM held_account
UNION
SELECT hash('r', reference) FROM held_reference;

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
