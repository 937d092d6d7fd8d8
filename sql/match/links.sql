-- Which accounts must be matched on one machine, because a row of one may concern a row of the other.
-- In:  thread(thread, home, mark), all rows of a thread together.
-- Out: link(thread, home, own): accounts with one thread belong together; `own`: our attempts belong to them, too.
-- Why right: an id or our own credits tie all accounts that have them. A reference ties accounts only where an entry has it on an
--      account on which nobody was told of it: elsewhere each account's purchases and entries have a key in common, and so no
--      entry of this reference is left for another account (`units.sql`, stray).

CREATE TEMP VIEW link AS
WITH shared AS (
    SELECT thread FROM thread GROUP BY thread HAVING min(home) <> max(home) OR bool_or(mark = 'own')
),
member AS (
    SELECT
        thread, home,
        bool_or(mark = 'told') AS told, bool_or(mark = 'posted') AS posted,
        bool_or(mark IN ('same', 'own')) AS whole, bool_or(mark = 'own') AS own
    FROM thread
    SEMI JOIN shared USING (thread)
    GROUP BY thread, home
)
SELECT thread, home, own
FROM member
WHERE thread IN (SELECT thread FROM member GROUP BY thread HAVING bool_or(whole) OR bool_or(told) AND bool_or(posted AND NOT told))
ORDER BY thread, home;
