-- Which settled groups the rows at hand meet.
-- In:  loose_key, new_key, named_id, loose_confirmation; told_before (rows of the horizon's files that hold any of these keys).
-- Out: met_key, met_id: the keys of the groups and the purchases that are recalled, but those that are open already.

CREATE TEMP TABLE met AS
SELECT match_key, confirmation_id
FROM told_before
WHERE match_key IN (SELECT match_key FROM new_key) OR confirmation_id IN (SELECT confirmation_id FROM named_id);

CREATE TEMP TABLE met_id AS
SELECT DISTINCT confirmation_id FROM met WHERE confirmation_id NOT IN (SELECT confirmation_id FROM loose_confirmation);

CREATE TEMP TABLE met_key AS
SELECT match_key FROM new_key
UNION
SELECT match_key FROM met WHERE match_key IS NOT NULL;

DELETE FROM met_key WHERE match_key IN (SELECT match_key FROM loose_key);
