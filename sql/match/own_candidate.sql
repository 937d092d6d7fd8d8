-- Pass 0, own, where the ledger does not show our keys: which entries our attempts could be.
-- In:  entry, own_attempt, own_entry.
-- Out: own_candidate(class, side, at_us, number): for `identity.py`, each attempt as what looks for an entry; own_link, empty.
-- Why right: an attempt that was never sent, that failed for certain or whose key is on the ledger after all looks for nothing.

CREATE TEMP TABLE own_candidate AS
WITH looking AS (
    SELECT * FROM own_attempt
    WHERE sent_at IS NOT NULL AND status NOT IN ('created', 'failed_proven') AND own_key NOT IN (SELECT own_key FROM own_entry)
),
side AS (
    SELECT account, asset, amount_minor, 'confirmation' AS side, epoch_us(sent_at) AS at_us, hash('a', own_key) AS number
    FROM looking
    UNION
    SELECT e.account, e.asset, e.amount_minor, 'entry', epoch_us(e.posted_at), hash('e', e.entry_id)
    FROM entry AS e
    SEMI JOIN looking AS l ON l.account = e.account AND l.asset = e.asset AND l.amount_minor = e.amount_minor
    WHERE e.own_key IS NULL AND e.match_key IS NULL AND e.kind IS DISTINCT FROM 'held'
)
SELECT dense_rank() OVER (ORDER BY account, asset, amount_minor) AS class, side, at_us, number FROM side;

CREATE TEMP TABLE own_link (entry_number UBIGINT, attempt_number UBIGINT);
