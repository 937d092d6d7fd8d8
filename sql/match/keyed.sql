-- Digests of the keys of all rows at hand: 63 bits, the lowest bit is free; 0 for a row without a key.
-- In:  confirmation, ledger.
-- Out: keyed_confirmation, keyed_entry (views: every row, with its digest).

CREATE TEMP VIEW keyed_confirmation AS
SELECT *, CASE WHEN match_key IS NULL THEN 0 ELSE hash(match_key) >> 1 << 1 END AS digest FROM confirmation;

CREATE TEMP VIEW keyed_entry AS
SELECT *, CASE WHEN match_key IS NULL THEN 0 ELSE hash(match_key) >> 1 << 1 END AS digest FROM ledger;
