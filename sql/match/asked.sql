-- What this run asks of the settled groups of the horizon, before any of their files is opened.
-- In:  new_confirmation, new_entry, new_payment (published rows not yet folded); own_attempt; loose_confirmation, loose_entry, loose_payment (the state's open
--      items, whole groups); withdrawn_confirmation, withdrawn_entry.
-- Out: loose_key (keys of open items), new_key (keys of rows that are new or withdrawn), named_id (purchases that they name).

CREATE TEMP TABLE loose_key AS
SELECT match_key FROM loose_confirmation WHERE match_key IS NOT NULL
UNION
SELECT match_key FROM loose_entry WHERE match_key IS NOT NULL AND kind IS DISTINCT FROM 'held';

CREATE TEMP TABLE new_key AS
SELECT match_key FROM new_confirmation WHERE match_key IS NOT NULL
UNION
SELECT match_key FROM new_entry WHERE match_key IS NOT NULL
UNION
SELECT match_key FROM withdrawn_confirmation WHERE match_key IS NOT NULL
UNION
SELECT match_key FROM withdrawn_entry WHERE match_key IS NOT NULL
UNION
SELECT match_key FROM new_payment WHERE match_key IS NOT NULL
UNION
SELECT match_key FROM loose_payment WHERE match_key IS NOT NULL;

CREATE TEMP TABLE named_id AS
SELECT confirmation_id FROM new_confirmation
UNION
SELECT confirmation_id FROM withdrawn_confirmation
UNION
-- What we paid for may have been settled by a late original while our credit was on its way.
SELECT break_id FROM own_attempt WHERE own_key IN (SELECT own_key FROM new_entry)
UNION
SELECT break_id
FROM own_attempt
WHERE getvariable('keyless') AND (account, asset, amount_minor) IN (
    SELECT (account, asset, amount_minor) FROM new_entry WHERE own_key IS NULL AND match_key IS NULL
);
