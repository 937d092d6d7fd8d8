"""`outcome, state' = fold(state, new batches, watermarks, rules)`: files in, files out, nothing else.

The outcome does not depend on how the rows are cut into batches, as long as each row arrives before its feed's
watermark passes it. The folder that it writes is both the outcome and the state for the next fold.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from reconcile.domain.flow import FlowRules
from reconcile.matching import columns, inputs, state, statement_file
from reconcile.matching.conservation import check
from reconcile.matching.identity import Candidate, link_all
from reconcile.matching.outcome import Counts, Outcome
from reconcile.matching.session import Session
from reconcile.matching.statement import StatementDay, statement
from reconcile.matching.watermark import Completeness

if TYPE_CHECKING:
    import pyarrow as pa

MATCHES = "matches.parquet"
VERDICTS = "verdicts.parquet"
OWN = "own.parquet"
CURVE = "curve.parquet"

_MICROSECOND = timedelta(microseconds=1)

_WRITTEN = {
    state.CONFIRMATIONS: """
        SELECT r.* FROM rest_confirmation AS r
        LEFT JOIN purchase AS p USING (confirmation_id)
        WHERE p.group_id IN (SELECT group_id FROM kept_group)
            OR (p.group_id IS NULL AND coalesce(r.confirmed_at >= getvariable('frozen_before'), true))
        ORDER BY ALL""",
    state.ENTRIES: """
        SELECT * EXCLUDE (group_id, told, pass) FROM placed WHERE group_id IN (SELECT group_id FROM kept_group)
        UNION ALL BY NAME
        SELECT * EXCLUDE (group_id, break_group_id, break_id) FROM own_placed
        WHERE group_id IN (SELECT group_id FROM kept_group)
        ORDER BY ALL""",
    state.JUDGED: f"SELECT {columns.select(columns.VERDICT)} FROM latest ORDER BY break_id",  # noqa: S608 - our own names
    state.TOTALS: "FROM total_after",
    state.MINUTES: "FROM minute_total_after",
    MATCHES: "FROM match",
    VERDICTS: f"SELECT {columns.select(columns.VERDICT)} FROM verdict ORDER BY break_id",  # noqa: S608 - our own names
    OWN: """
        SELECT own_key, intent_id, break_id, verdict, entry_ids, entries, sum_minor, posted_at
        FROM own_verdict ORDER BY own_key""",
    CURVE: "FROM curve",
}


@dataclass(frozen=True, slots=True)
class Engine:
    """What DuckDB may use. None leaves it DuckDB's default: all cores, four fifths of the memory."""

    threads: int | None = None
    memory_limit: str | None = None


DEFAULT_ENGINE = Engine()


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
    engine: Engine = DEFAULT_ENGINE,
) -> Outcome:
    """Fold newly published batches into the state in `previous`; write outcome and new state to the folder `out`.

    `own`: every attempt of ours whose entry may still come or lies within the horizon, see `columns.OWN_ATTEMPT`.
    `held_accounts`, `held_references`: what quarantined ledger rows could settle; it is not judged. `as_of`: business time.
    Raises `ConservationError` (a bug: publish nothing) and `state.StateError`.
    """
    out.mkdir(parents=True, exist_ok=True)
    before = state.read(previous, rules.name) if previous is not None else state.Manifest(rules.name)
    cutoff = completeness.through - rules.horizon if completeness.through is not None else None
    horizon = before.without_older_than(cutoff)
    with Session(out / "spill", threads=engine.threads, memory_limit=engine.memory_limit) as session:
        inputs.open_views(session, previous, horizon, sorted(confirmations), sorted(entries))
        manifest = inputs.with_new_files(session, horizon, confirmations, entries, completeness.ledger.complete_through)
        inputs.set_rules(session, rules, completeness, manifest, cutoff, before.ledger_through_us)
        inputs.hand_over(session, own, held_accounts, held_references)
        run_passes(session, rules)
        days = statement_days(session, rules, completeness, as_of)
        for file, query in _WRITTEN.items():
            session.write(query, out / file)
        counts = _counts(session)
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


def run_passes(session: Session, rules: FlowRules) -> None:
    """All passes over the rows at hand, in their order, up to the sums; then the proof that nothing was lost."""
    for step in ("recall", "own", "reference", "rest", "own_verdict", "identity"):
        session.run(step)
    link(session, rules)
    for step in ("judge", "verdict", "lines", "matches", "totals"):
        session.run(step)
    check(session)


def link(session: Session, rules: FlowRules) -> None:
    """The table `link`, from the candidates of the identity pass."""
    rows = session.rows(
        "SELECT class_key, amount_minor, side, at_us, id, has_reference FROM candidate "
        "ORDER BY class_key, amount_minor, at_us, side, id"
    )
    links = list(link_all([Candidate(*row) for row in rows], rules.window // _MICROSECOND))
    session.execute(
        "CREATE TEMP TABLE link AS SELECT unnest($1::VARCHAR[]) AS unit_id, unnest($2::VARCHAR[]) AS group_id, "
        "unnest($3::VARCHAR[]) AS pass",
        [[row.unit_id for row in links], [row.group_id for row in links], [row.found_by for row in links]],
    )


def statement_days(
    session: Session, rules: FlowRules, completeness: Completeness, as_of: datetime
) -> tuple[StatementDay, ...]:
    """The statement of everything that the state knows."""
    broken = session.rows(
        "SELECT asset, timezone('UTC', coalesce(confirmed_at, credited_at))::DATE AS day, count(*) FROM latest "
        "WHERE kind NOT IN (SELECT unnest(getvariable('closed_kinds'))) GROUP BY ALL"
    )
    return statement(
        rules.name,
        session.rows("SELECT asset, day, side, line, rows, minor FROM statement_line"),
        {(asset, day): count for asset, day, count in broken},
        completeness=completeness,
        deadline_after=rules.deadline_after,
        as_of=as_of,
    )


def _counts(session: Session) -> Counts:
    [row] = session.rows(
        "SELECT (SELECT count(*) FROM new_confirmation), (SELECT count(*) FROM new_entry),"
        " (SELECT count(*) FROM purchase WHERE group_id IN (SELECT group_id FROM kept_group)),"
        " (SELECT count(*) FROM placed WHERE group_id IN (SELECT group_id FROM kept_group)),"
        " (SELECT count(*) FROM match), (SELECT count(*) FROM verdict)"
    )
    return Counts(*row)
