"""Everything a fold reads, brought into one session under the names that `sql/match/` uses."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from reconcile.domain.breaks import OWING, SETTLED, BreakKind
from reconcile.domain.flow import FlowRules
from reconcile.matching import columns, state
from reconcile.matching.session import Session
from reconcile.matching.watermark import Completeness

if TYPE_CHECKING:
    import pyarrow as pa

_CLOSED = (SETTLED, BreakKind.LATE_CREDIT.value)


def open_views(
    session: Session,
    previous: Path | None,
    horizon: state.Manifest,
    confirmations: Sequence[str],
    entries: Sequence[str],
) -> None:
    """Views over the new batches, the state, and the batches of the horizon that were folded before."""
    views: Mapping[str, tuple[Sequence[str], Mapping[str, str]]] = {
        "new_confirmation": (confirmations, columns.CONFIRMATION),
        "new_entry": (entries, columns.ENTRY),
        "past_confirmation": (_others(horizon.confirmations, confirmations), columns.CONFIRMATION),
        "past_entry": (_others(horizon.entries, entries), columns.ENTRY),
        "loose_confirmation": (_of_state(previous, state.CONFIRMATIONS), columns.CONFIRMATION),
        "loose_entry": (_of_state(previous, state.ENTRIES), columns.ENTRY),
        "judged_before": (_of_state(previous, state.JUDGED), columns.VERDICT),
        "total": (_of_state(previous, state.TOTALS), columns.TOTAL),
        "minute_total": (_of_state(previous, state.MINUTES), columns.MINUTE),
    }
    for name, (files, of_kind) in views.items():
        session.files_view(name, files, of_kind)


def with_new_files(
    session: Session,
    horizon: state.Manifest,
    confirmations: Sequence[str],
    entries: Sequence[str],
    ledger_through: datetime | None,
) -> state.Manifest:
    """The manifest after this run: what is still within the horizon, and the new batches."""
    through_us = None if ledger_through is None else state.microseconds(ledger_through)
    return state.Manifest(
        horizon.flow,
        _merged(horizon.confirmations, session.time_ranges(confirmations, "confirmed_at")),
        _merged(horizon.entries, session.time_ranges(entries, "posted_at")),
        max((limit for limit in (horizon.ledger_through_us, through_us) if limit is not None), default=None),
    )


def set_rules(
    session: Session,
    rules: FlowRules,
    completeness: Completeness,
    manifest: state.Manifest,
    cutoff: datetime | None,
    ledger_before_us: int | None,
) -> None:
    """The variables that the SQL reads."""
    first_us = manifest.first_us
    session.set_variable("since", "TIMESTAMPTZ", rules.since)
    session.set_variable("deadline_after", "INTERVAL", rules.deadline_after)
    session.set_variable("match_window", "INTERVAL", rules.window)
    session.set_variable("complete_through", "TIMESTAMPTZ", completeness.through)
    session.set_variable("ledger_through", "TIMESTAMPTZ", completeness.ledger.complete_through)
    session.set_variable("grade", "VARCHAR", completeness.grade)
    session.set_variable("owing_kinds", "VARCHAR[]", sorted(OWING))
    # A group can change as long as a batch with rows of its time can be recalled.
    limits = [
        limit for limit in (None if cutoff is None else state.microseconds(cutoff), first_us) if limit is not None
    ]
    session.set_instant("frozen_before", min(limits) if cutoff is not None else None)
    session.set_instant("ledger_through_before", ledger_before_us)


def hand_over(
    session: Session, own: "pa.Table | None", held_accounts: Collection[str], held_references: Collection[str]
) -> None:
    """Tables of what does not come from files, and of what must be looked at again whatever the rows say."""
    if own is None:
        session.execute(f"CREATE TEMP TABLE own_attempt AS {columns.empty(columns.OWN_ATTEMPT)}")
    else:
        session.table("own_attempt", own, columns.select(columns.OWN_ATTEMPT))
    session.strings("held_account", "account", held_accounts)
    session.strings("held_reference", "reference", held_references)
    session.set_variable("closed_kinds", "VARCHAR[]", list(_CLOSED))
    session.run("watched")


def _others(known: Sequence[state.FoldedFile], new: Sequence[str]) -> list[str]:
    return [file.path for file in known if file.path not in set(new)]


def _of_state(previous: Path | None, file: str) -> list[str]:
    return [str(previous / file)] if previous is not None else []


def _merged(known: Sequence[state.FoldedFile], ranges: Mapping[str, tuple[int, int]]) -> tuple[state.FoldedFile, ...]:
    new = {path: state.FoldedFile(path, first, last) for path, (first, last) in ranges.items()}
    files = {file.path: file for file in known} | new
    return tuple(files[path] for path in sorted(files))
