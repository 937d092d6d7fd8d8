"""Everything a fold reads, brought into one session under the names that `sql/match/` uses."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from reconcile.domain.flow import FlowRules
from reconcile.matching import columns, dormant, state
from reconcile.matching.passes import set_rules
from reconcile.matching.session import Session
from reconcile.matching.terms import Terms


def open_views(
    session: Session,
    previous: Path | None,
    horizon: state.Manifest,
    confirmations: Sequence[str],
    entries: Sequence[str],
    payments: Sequence[str],
    withdrawn: Sequence[str],
) -> frozenset[str]:
    """Views over the new batches and the state, and the tables `woken_*`; returns the files of the batches of the horizon that are `withdrawn`."""
    dormant.open_tables(session)
    told_rows = session.files_view("new_confirmation", confirmations, columns.CONFIRMATION, first_row=0)
    posted_rows = session.files_view("new_entry", entries, columns.ENTRY, first_row=0)
    loose_told, loose_posted = _of_state(previous, state.CONFIRMATIONS), _of_state(previous, state.ENTRIES)
    session.set_variable("loose_confirmation_from", "BIGINT", told_rows)
    session.set_variable("loose_entry_from", "BIGINT", posted_rows)
    told_rows += session.files_view("awake_before_confirmation", loose_told, columns.CONFIRMATION, first_row=told_rows)
    posted_rows += session.files_view("awake_before_entry", loose_posted, columns.ENTRY, first_row=posted_rows)
    session.set_variable("next_confirmation", "BIGINT", told_rows)
    session.set_variable("next_entry", "BIGINT", posted_rows)
    session.files_view("awake_before_heard", _of_state(previous, state.HEARD), columns.HEARD)
    session.files_view("new_payment", payments, columns.PAYMENT)
    session.files_view("loose_payment", _of_state(previous, state.PAYMENTS), columns.PAYMENT)
    session.strings("withdrawn_batch", "batch_id", withdrawn, kind="UUID")
    told, posted, paid = (
        session.files_of_batches(_paths(files), withdrawn)
        for files in (horizon.confirmations, horizon.entries, horizon.payments)
    )
    session.files_view("told_of_withdrawn", sorted(told), columns.CONFIRMATION)
    session.files_view("posted_of_withdrawn", sorted(posted), columns.ENTRY)
    session.files_view("awake_before_verdict", _of_state(previous, state.JUDGED), columns.VERDICT)
    session.run("loose")
    session.files_view("untraceable_before", _of_state(previous, state.UNTRACEABLE), columns.UNTRACEABLE)
    session.files_view("total", _of_state(previous, state.TOTALS), columns.TOTAL)
    session.files_view("minute_total", _of_state(previous, state.MINUTES), columns.MINUTE)
    return told | posted | paid


def open_past(session: Session, horizon: state.Manifest, first_us: int | None, last_us: int | None) -> None:
    """`past_confirmation`: batches of the horizon that were folded before and may have rows of this time; none without one."""
    among = [
        file
        for file in horizon.confirmations
        if first_us is not None and last_us is not None and file.last_us >= first_us and file.first_us <= last_us
    ]
    session.files_view("past_confirmation", _paths(among), columns.CONFIRMATION)


def open_past_payments(session: Session, horizon: state.Manifest) -> None:
    """All batches of the horizon that were folded before: payments are tied by account as well, which no index knows."""
    session.files_view("past_confirmation", _paths(horizon.confirmations), columns.CONFIRMATION)
    session.files_view("past_payment", _paths(horizon.payments), columns.PAYMENT)


def with_new_files(
    session: Session,
    horizon: state.Manifest,
    confirmations: Sequence[str],
    entries: Sequence[str],
    payments: Sequence[str],
    ledger_through: datetime | None,
) -> state.Manifest:
    """The manifest after this run: what is still within the horizon, and the new batches."""
    through_us = None if ledger_through is None else state.microseconds(ledger_through)
    return replace(
        horizon,
        confirmations=_merged(horizon.confirmations, session.time_ranges(confirmations, "confirmed_at")),
        entries=_merged(horizon.entries, session.time_ranges(entries, "posted_at")),
        ledger_through_us=max(
            (limit for limit in (horizon.ledger_through_us, through_us) if limit is not None), default=None
        ),
        payments=_merged(horizon.payments, session.time_ranges(payments, "paid_at")),
    )


def reaches_back(new: Collection[state.FoldedFile], before: state.Manifest, rules: FlowRules) -> bool:
    """Whether new files may have rows of a time that is forgotten."""
    if not before.forgotten_through_us:
        return False
    until_us = before.forgotten_through_us + rules.payment_deadline_after // timedelta(microseconds=1)
    return any(file.first_us <= until_us for file in new)


def frozen_before_us(manifest: state.Manifest, cutoff: datetime | None) -> int | None:
    """Groups of before this instant can no longer change: no batch with rows of their time can be recalled."""
    if cutoff is None:
        return None
    cutoff_us = state.microseconds(cutoff)
    return cutoff_us if manifest.first_us is None else min(cutoff_us, manifest.first_us)


def hand_over(session: Session, terms: Terms) -> None:
    """Variables and tables of what does not come from files."""
    set_rules(session, terms.rules, terms.completeness)
    session.set_instant("frozen_before", terms.frozen_before_us)
    session.set_instant("ledger_through_before", terms.ledger_through_before_us)
    session.set_instant("forgotten_through", terms.forgotten_through_us)
    own_attempts(session, terms)
    session.strings("held_account", "account", terms.held_accounts)
    session.strings("held_reference", "reference", terms.held_references)
    # The type of a match_key, for what has none.
    session.execute(f"CREATE TEMP MACRO id_as_key(id) AS {'hash(id)' if terms.foreign else 'id'}")


def own_attempts(session: Session, terms: Terms) -> None:
    """The table `own_attempt`."""
    kinds = columns.with_text_ids(columns.OWN_ATTEMPT) if terms.foreign else columns.OWN_ATTEMPT
    if terms.own is None:
        session.execute(f"CREATE TEMP TABLE own_attempt AS {columns.empty(kinds)}")
    else:
        session.table("own_attempt", terms.own, columns.select(kinds))


def nothing_before(session: Session, terms: Terms) -> None:
    """What a comparison of two files has in place of a state; `new_confirmation` and `new_entry` become the rows at hand."""
    hand_over(session, terms)
    dormant.open_tables(session)
    session.files_view("judged_before", [], columns.with_text_ids(columns.VERDICT))
    session.files_view("untraceable_before", [], columns.with_text_ids(columns.UNTRACEABLE))
    session.files_view("past_confirmation", [], columns.of_foreign(columns.CONFIRMATION))
    session.files_view("loose_heard", [], columns.of_foreign(columns.HEARD))
    session.files_view("total", [], columns.TOTAL)
    session.files_view("minute_total", [], columns.MINUTE)
    session.strings("withdrawn_id", "id", [])
    session.strings("withdrawn_batch", "batch_id", [], kind="UUID")
    session.run("watched")
    session.run("at_hand")


def first(session: Session, terms: Terms, told: Sequence[str], posted: Sequence[str], paid: Sequence[str]) -> None:
    """All that a fold with nothing behind it reads, from Parquet files of rows as the passes want them."""
    if terms.foreign:
        session.files_view("new_confirmation", told, columns.of_foreign(columns.CONFIRMATION), first_row=0)
        session.files_view("new_entry", posted, columns.of_foreign(columns.ENTRY), first_row=0)
        session.files_view("new_payment", paid, columns.PAYMENT)
        nothing_before(session, terms)
        return
    nothing = state.Manifest(terms.rules.name)
    open_views(session, None, nothing, told, posted, paid, ())
    open_past_payments(session, nothing)
    hand_over(session, terms)
    session.run("withdraw")
    session.run("watched")
    session.run("at_hand")


def _paths(files: Sequence[state.FoldedFile]) -> list[str]:
    return [file.path for file in files]


def _of_state(previous: Path | None, file: str) -> list[str]:
    # A state of an earlier version may lack a file.
    return [str(previous / file)] if previous is not None and (previous / file).exists() else []


def _merged(known: Sequence[state.FoldedFile], ranges: Mapping[str, tuple[int, int]]) -> tuple[state.FoldedFile, ...]:
    new = {path: state.FoldedFile(path, first, last) for path, (first, last) in ranges.items()}
    files = {file.path: file for file in known} | new
    return tuple(files[path] for path in sorted(files))
