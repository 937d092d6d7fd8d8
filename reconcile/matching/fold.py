"""`outcome, state' = fold(state, new batches, watermarks, rules)`: files in, files out, nothing else.

The outcome does not depend on how the rows are cut into batches, as long as each row arrives before its feed's
watermark passes it. The folder that it writes is both the outcome and the state for the next fold.
"""

from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from reconcile.domain.flow import FlowRules
from reconcile.matching import columns, inputs, recalling, state, statement_file
from reconcile.matching.cluster import ClusterError
from reconcile.matching.dormant import Dormant
from reconcile.matching.engine import DEFAULT_ENGINE, Engine
from reconcile.matching.outcome import Counts, Outcome
from reconcile.matching.passes import run_passes, statement_days
from reconcile.matching.session import Session
from reconcile.matching.spread.sources import PublishedFile, Side, Source
from reconcile.matching.spread.spread import spread_passes
from reconcile.matching.terms import Terms
from reconcile.matching.watermark import Completeness

if TYPE_CHECKING:
    import pyarrow as pa

MATCHES = "matches.parquet"
VERDICTS = "verdicts.parquet"
OWN = "own.parquet"
CURVE = "curve.parquet"

_WRITTEN = {
    state.CONFIRMATIONS: "FROM awake_confirmation ORDER BY ALL",
    state.ENTRIES: "FROM awake_entry ORDER BY entry_id",
    state.PAYMENTS: f"SELECT {columns.select(columns.PAYMENT)} FROM kept_payment ORDER BY payment_id",  # noqa: S608 - our own names
    state.UNTRACEABLE: """
        SELECT id FROM untraceable
        WHERE id IN (
            SELECT confirmation_id FROM kept_confirmation
            UNION ALL
            SELECT entry_id FROM kept_entry
            UNION ALL
            SELECT payment_id FROM kept_payment
        )
        ORDER BY id""",
    state.HEARD: f"SELECT {columns.select(columns.HEARD)} FROM awake_heard ORDER BY ALL",  # noqa: S608 - our own names
    VERDICTS: f"SELECT {columns.select(columns.VERDICT)} FROM verdict ORDER BY break_id",  # noqa: S608 - our own names
    state.JUDGED: f"SELECT {columns.select(columns.VERDICT)} FROM remembered ORDER BY break_id",  # noqa: S608 - our own names
    state.TOTALS: "FROM total_handed_on",
    state.MINUTES: "FROM minute_total_handed_on",
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
    keys: Path | None = None,
    engine: Engine = DEFAULT_ENGINE,
) -> Outcome:
    """Fold newly published batches into the state in `previous`; write outcome and new state to the folder `out`.

    `own`: every attempt of ours whose entry may still come or lies within the horizon, see `columns.OWN_ATTEMPT`.
    `held_accounts`, `held_references`: what quarantined ledger rows could settle; it is not judged. `as_of`: business time.
    `payments`: newly published payments, where the flow has such a feed.
    `withdrawn`: ids of batches that were folded before and turned out wrong: the outcome is as if they had never come, but for
    the versions of verdicts; what settled with their rows before the horizon stays in the sums.
    `keys`: the folder of the flow's key index and of what sleeps, on this machine; beside `out` unless told otherwise. What is written there and
    not named by the state that is published is garbage.
    With `engine.cluster` the passes run there; only a fold without `previous` can be spread.
    Raises `statement.ConservationError` (a bug: publish nothing), `state.StateError` and `cluster.ClusterError`.
    """
    if engine.cluster is not None and previous is not None:
        raise ClusterError(f"{rules.name} has been folded before: what is new since is for one machine")
    out.mkdir(parents=True, exist_ok=True)
    keys = keys or out.with_name("keys")
    before = state.read(previous, rules.name) if previous is not None else state.Manifest(rules.name)
    before = before.with_forgotten(rules.horizon)
    horizon = before.without({*confirmations, *entries, *payments})
    cutoff = completeness.through - rules.horizon if completeness.through is not None else None
    with (
        Session(out, threads=engine.threads, memory_limit=engine.memory_limit, filesystem=engine.filesystem) as session,
        ThreadPoolExecutor(max_workers=1) as beside,
    ):
        gone = inputs.open_views(
            session, previous, horizon, sorted(confirmations), sorted(entries), sorted(payments), withdrawn
        )
        past = recalling.with_keys(session, keys, horizon)
        horizon = past.without(gone)
        # What the watermarks of the last run had not passed may still meet all of this run's horizon.
        kept = horizon.without_older_than(cutoff)
        manifest = inputs.with_new_files(
            session, kept, confirmations, entries, payments, completeness.ledger.complete_through
        )
        indexed = beside.submit(recalling.with_keys, session, keys, manifest)
        terms = Terms(
            rules=rules,
            completeness=completeness,
            frozen_before_us=inputs.frozen_before_us(manifest, cutoff),
            ledger_through_before_us=before.ledger_through_us,
            forgotten_through_us=before.forgotten_through_us,
            own=own,
            held_accounts=tuple(held_accounts),
            held_references=tuple(held_references),
            paid=completeness.payments is not None or bool(horizon.payments or payments),
        )
        inputs.hand_over(session, terms)
        sleeping = Dormant(session, keys, before.sleepers, terms)
        sleeping.wake(everything=bool(withdrawn) or terms.paid)
        session.run("withdraw")
        session.run("watched")
        sources = _sources(session, confirmations, entries, payments) if engine.cluster is not None else []
        if engine.cluster is not None and sources:
            spread_passes(session, terms, out / MATCHES, engine.cluster, sources)
        else:
            if previous is None:
                session.run("at_hand")  # there is nothing to recall
            else:
                reaches_back = inputs.reaches_back(set(manifest.files) - set(kept.files), before, rules)
                recalling.recall(session, keys, past, reaches_back=reaches_back)
            if terms.paid:
                inputs.open_past_payments(session, past)
            open_past = partial(inputs.open_past, session, past)
            run_passes(
                session, rules, out / MATCHES, paid=terms.paid, open_past=open_past, wake=sleeping.wake_by_odd_rows
            )
            session.run("handed_on")
        sleepers = sleeping.stay_awake() if terms.paid or engine.cluster is not None else sleeping.lay_down()
        session.run("remembered")
        days = statement_days(session, rules, completeness, as_of)
        for file, query in _WRITTEN.items():
            session.write(query, out / file)
        counts = _counts(session, sleeping)
        manifest = replace(indexed.result(), sleepers=sleepers)
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


def _sources(
    session: Session, confirmations: Sequence[str], entries: Sequence[str], payments: Sequence[str]
) -> list[Source]:
    """The new batches, for a cluster; those without rows are left out."""
    found: list[Source] = []
    sides: tuple[tuple[Side, Sequence[str]], ...] = (("told", confirmations), ("posted", entries), ("paid", payments))
    for side, files in sides:
        rows = session.row_counts(files)
        found += [PublishedFile(side, path, rows[path]) for path in sorted(files) if rows[path]]
    return found


def _counts(session: Session, sleeping: Dormant) -> Counts:
    [row] = session.rows(
        "SELECT new_confirmations, new_entries, open_confirmations, open_entries, matched_pairs, verdicts FROM tally"
    )
    counts = Counts(*row)
    return replace(
        counts,
        open_confirmations=counts.open_confirmations + sleeping.count("confirmations"),
        open_entries=counts.open_entries + sleeping.count("entries"),
    )
