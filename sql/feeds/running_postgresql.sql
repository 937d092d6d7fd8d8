-- What time it is in the database, and what is still being written there. Asked before the snapshot that the rows are read in.
-- Out: clock (of the database); oldest_running (when the oldest open transaction began that may write, null when none is);
--      prepared (1 when there are transactions that were prepared and not committed: when they began is nowhere to be seen);
--      unseen (1 when transactions are open that this role may not look at, or that run elsewhere).
-- Why right: a row that a later snapshot does not see belongs to a transaction that was open at this moment, so that it is among
--      these, or that begins after it (one that began a moment ago and does not say so yet began within the commit lag). Which of the open ones will write cannot be known: each may have taken its time already, and
--      write with its first statement hours later. Left out are those that cannot: our own readers, the clean-up and pg_dump.
--      On a standby, those of its primary are unseen, and what counts as now is how far it has followed.
SELECT
    CASE WHEN pg_is_in_recovery() THEN pg_last_xact_replay_timestamp() ELSE statement_timestamp() END AS clock,
    (
        SELECT min(a.xact_start)
        FROM pg_stat_activity AS a
        WHERE a.datname = current_database()
            AND a.pid <> pg_backend_pid()
            AND a.backend_type <> 'autovacuum worker'
            AND a.application_name NOT IN ('reconcile_feed', 'pg_dump')
            AND NOT pg_is_in_recovery()
    ) AS oldest_running,
    (SELECT count(*) FROM pg_prepared_xacts WHERE database = current_database())::int AS prepared,
    (
        pg_is_in_recovery()
        OR EXISTS (
            SELECT FROM pg_stat_activity AS a
            WHERE a.datname = current_database() AND a.usename IS NOT NULL
                AND (a.backend_type IS NULL OR a.state = 'disabled')
        )
    )::int AS unseen
