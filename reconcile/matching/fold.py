"""`outcome, state' = fold(state, new batches, watermarks, rules)`: files in, files out, nothing else.

The outcome does not depend on how the rows are cut into batches, as long as each row arrives before its feed's
watermark passes it. The folder that it writes is both the outcome and the state for the next fold.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from reconcile.domain.flow import FlowRules
from reconcile.matching import columns, inputs, state, statement_file
from reconcile.matching.engine import DEFAULT_ENGINE, Engine
from reconcile.matching.outcome import Counts, Outcome
from reconcile.matching.passes import run_passes, set_rules, statement_days
from reconcile.matching.session import Session
from reconcile.matching.watermark import Completeness

if TYPE_CHECKING:
    import pyarrow as pa

MATCHES = "matches.parquet"
VERDICTS = "verdicts.parquet"
OWN = "own.parquet"
CURVE = "curve.parquet"

_WRITTEN = {
    state.CONFIRMATIONS: """
        SELECT r.* FROM rest_confirmation AS r
        LEFT JOIN purchase AS p USING (confirmation_id)
        WHERE p.group_id IN (SELECT group_id FROM kept_group)
            OR (p.group_id IS NULL AND coalesce(r.confirmed_at >= getvariable('frozen_before'), true))
        ORDER BY confirmation_id, message_id, amount_minor, account, batch_id""",
    state.ENTRIES: """
        SELECT * EXCLUDE (group_id, told, pass) FROM placed WHERE group_id IN (SELECT group_id FROM kept_group)
        UNION ALL BY NAME
        SELECT * EXCLUDE (group_id, break_group_id, break_id)
            -- What says nothing of its key is looked for again in each run, among all that is known by then.
            REPLACE (CASE WHEN entry_id NOT IN (SELECT entry_id FROM stand_in) THEN own_key END AS own_key)
        FROM own_placed
        WHERE group_id IN (SELECT group_id FROM kept_group)
        UNION ALL BY NAME
        FROM (
            SELECT DISTINCT ON (entry_id) * FROM rest_entry WHERE entry_id IN (SELECT entry_id FROM easy)
            ORDER BY entry_id, batch_id
        )
        UNION ALL BY NAME
        FROM rest_held
        WHERE coalesce(posted_at >= getvariable('frozen_before'), true)
            OR entry_id IN (SELECT entry_id FROM hold WHERE group_id IN (SELECT group_id FROM kept_group))
        ORDER BY entry_id""",
    state.PAYMENTS: f"SELECT {columns.select(columns.PAYMENT)} FROM kept_payment ORDER BY payment_id",  # noqa: S608 - our own names
    state.HEARD: f"SELECT {columns.select(columns.HEARD)} FROM kept_heard ORDER BY ALL",  # noqa: S608 - our own names
    state.JUDGED: f"SELECT {columns.select(columns.VERDICT)} FROM latest ORDER BY break_id",  # noqa: S608 - our own names
    state.TOTALS: "FROM total_after",
    state.MINUTES: "FROM minute_total_after",
    VERDICTS: f"SELECT {columns.select(columns.VERDICT)} FROM verdict ORDER BY break_id",  # noqa: S608 - our own names
    OWN: """
        SELECT own_key, intent_id, break_id, verdict, entry_ids, entries, sum_minor, posted_at
        FROM own_verdict ORDER BY own_key""",
    CURVE: "FROM curve",
}


def fold(
    *,
    rules: FlowRules,
    previous: Path | None,
    confirmations: Sequence[str],
    entries: Sequence[str],
    own: "pa.Table | None",
    completeness: Completeness,
    as_of: datetime,
    out: Path,
    held_accounts: Collection[str] = (),
    held_references: Collection[str] = (),
    payments: Sequence[str] = (),
    withdrawn: Sequence[str] = (),
    engine: Engine = DEFAULT_ENGINE,
) -> Outcome:
    """Fold newly published batches into the state in `previous`; write outcome and new state to the folder `out`.

    `own`: every attempt of ours whose entry may still come or lies within the horizon, see `columns.OWN_ATTEMPT`.
    `held_accounts`, `held_references`: what quarantined ledger rows could settle; it is not judged. `as_of`: business time.
    `payments`: newly published payments, where the flow has such a feed.
    `withdrawn`: ids of batches that were folded before and turned out wrong: the outcome is as if they had never come, but for
    the versions of verdicts; what settled with their rows before the horizon stays in the sums.
    Raises `statement.ConservationError` (a bug: publish nothing) and `state.StateError`.
    """
    out.mkdir(parents=True, exist_ok=True)
    before = state.read(previous, rules.name) if previous is not None else state.Manifest(rules.name)
    cutoff = completeness.through - rules.horizon if completeness.through is not None else None
    horizon = before.without_older_than(cutoff)
    with Session(
        out, threads=engine.threads, memory_limit=engine.memory_limit, filesystem=engine.filesystem
    ) as session:
        gone = inputs.open_views(
            session, previous, horizon, sorted(confirmations), sorted(entries), sorted(payments), withdrawn
        )
        horizon = horizon.without(gone)
        manifest = inputs.with_new_files(
            session, horizon, confirmations, entries, payments, completeness.ledger.complete_through
        )
        set_rules(session, rules, completeness)
        inputs.set_limits(session, manifest, cutoff, before.ledger_through_us)
        inputs.hand_over(session, own, held_accounts, held_references)
        session.run("withdraw")
        session.run("watched")
        session.execute("CREATE TEMP MACRO id_as_key(id) AS id")
        # A first fold has nothing to recall.
        session.run("at_hand" if previous is None else "recall")
        paid = completeness.payments is not None or bool(horizon.payments or payments)
        plain_pairs = run_passes(session, rules, out / MATCHES, paid=paid)
        days = statement_days(session, rules, completeness, as_of)
        for file, query in _WRITTEN.items():
            session.write(query, out / file)
        counts = _counts(session, plain_pairs)
    state.write(out, manifest)
    statement_file.dump(days, out / state.STATEMENT)
    known = statement_file.load(previous / state.STATEMENT) if previous is not None else ()
    return Outcome(
        folder=out,
        matches=out / MATCHES,
        verdicts=out / VERDICTS,
        own=out / OWN,
        curve=out / CURVE,
        statement=statement_file.changed(known, days),
        completeness=completeness,
        as_of=as_of,
        counts=counts,
    )


def _counts(session: Session, plain_pairs: int) -> Counts:
    [row] = session.rows(
        "SELECT (SELECT count(*) FROM new_confirmation), (SELECT count(*) FROM new_entry),"
        " (SELECT count(*) FROM easy) + (SELECT count(*) FROM purchase WHERE group_id IN (SELECT group_id FROM kept_group)),"
        " (SELECT count(*) FROM easy) + (SELECT count(*) FROM placed WHERE group_id IN (SELECT group_id FROM kept_group)),"
        " $1 + (SELECT count(*) FROM closer_match), (SELECT count(*) FROM verdict)",
        [plain_pairs],
    )
    return Counts(*row)
