"""Why a purchase is not matched, pass by pass: what the lake holds, what the newest verdict says, and when it may settle."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from reconcile.desk import case_file, finding, lake_file
from reconcile.desk.finding import Hit
from reconcile.desk.lake_file import Entry, Purchase
from reconcile.desk.page import texts
from reconcile.domain.phone import masked
from reconcile.domain.policy import CLOSING
from reconcile.feeds import withdrawal
from reconcile.jobs import folding
from reconcile.jobs.world import World
from reconcile.reports.lake_rows import files_of, lake_rows
from reconcile.store.tables import quarantine

_SETTLED: Final = "it is settled"
_QUARANTINED: Final = "a quarantined row could settle it"
_WITHDRAWN: Final = "a row of a withdrawn batch could settle it"
_NEXT_RUN: Final = "the next run judges it"
_WINDOW: Final = "the window has not passed on both feeds"
_FREED_WHEN: Final = {
    _QUARANTINED: "that row is read, replaced or dismissed: `reconcile quarantine list`",
    _WITHDRAWN: "something stands in its place, or is said not to come: `reconcile batch list --status withdrawn`",
    _NEXT_RUN: "the next run takes in what has arrived",
}
NEAR: Final = timedelta(hours=1)
"""How far from the time that somebody names a purchase may lie."""


@dataclass(frozen=True, slots=True)
class Row:
    """A ledger row that was looked at. `tie`: own, reference or account; `found_by`: the pass that matched it, or None."""

    entry_id: UUID
    posted_at: datetime
    amount_minor: int
    asset: str
    account: str
    reference: str | None
    feed: str
    row_number: int
    tie: str
    found_by: str | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """One purchase, or a case without one. Accounts are masked.

    `verdict`: a kind of break, `matched`, or `pending`. `passes`: (pass, what it found), in the order in which they were tried.
    `settles`: when and by what it may settle itself, in words; `earliest`: when at the earliest. `complete_through`: up to when the newest run knew both sides.
    """

    flow: str
    case_number: str | None
    verdict: str
    account: str
    reference: str | None
    asset: str
    amount_minor: int
    confirmed_at: datetime | None
    deadline_at: datetime | None
    passes: tuple[tuple[str, str], ...]
    blocked: str | None
    settles: str
    earliest: datetime | None
    complete_through: datetime | None
    rows: tuple[Row, ...]


def explain(world: World, key: str, *, region: str, at: datetime | None = None) -> list[Explanation]:
    """Every purchase that `key` may mean: a case number, a receipt, a phone number (with `at`: around that time), or the id of a
    confirmation, of a payment or of a ledger row. Bounded as the desk's search is.
    """
    hits = _by_id(world, key) if _is_id(key) else finding.find(world, region, key).hits
    if at is not None:
        hits = [hit for hit in hits if hit.confirmed_at is not None and abs(hit.confirmed_at - at) <= NEAR]
    found = [_of_case(world, hit) if hit.number is not None else _of_purchase(world, hit) for hit in hits]
    return [one for one in found if one is not None]


def _is_id(key: str) -> bool:
    try:
        UUID(key)
    except ValueError:
        return False
    return True


def _by_id(world: World, key: str) -> list[Hit]:
    wanted = UUID(key)
    known = finding.by_id(world, wanted)
    if known:
        return known
    for flow in world.configuration.flows:
        with world.database.begin() as connection:
            files = files_of(connection, world.lake, flow=flow.name, side="ledger")
        for row in lake_rows(world.lake, "entry", files, entry_id=str(wanted)):
            if row["reference"]:
                return finding.by_reference(world, row["reference"])
            hits = finding.of_account(world, row["account"]).hits
            return [hit for hit in hits if hit.confirmed_at and abs(hit.confirmed_at - row["posted_at"]) <= NEAR]
    return []


def _of_case(world: World, hit: Hit) -> Explanation | None:
    with world.database.begin() as connection:
        file = case_file.read(connection, number=str(hit.number))
    if file is None or file.verdict is None:
        return None
    case, verdict = file.case, file.verdict
    bought = lake_file.purchase(world, case.case_id)
    if bought is not None:
        entries = lake_file.entries_of(world, bought)
    else:
        entries = lake_file.entries_around(
            world,
            flow=case.flow,
            account=case.account,
            reference=case.reference,
            at=case.confirmed_at or case.detected_at,
        )
    evidence: dict[str, Any] = verdict.evidence
    passes = [(tried["pass"], tried["found"]) for tried in evidence.get("passes", ())]
    if evidence.get("explained"):
        passes.append(("explained", evidence["explained"]))
    settled = case.kind in CLOSING
    complete_through = _complete_through(world, case.flow)
    return Explanation(
        flow=case.flow,
        case_number=case.number,
        verdict=case.kind,
        account=masked(case.account),
        reference=case.reference,
        asset=case.asset,
        amount_minor=case.confirmed_minor,
        confirmed_at=case.confirmed_at,
        deadline_at=case.deadline_at,
        passes=tuple(passes),
        blocked=case.blocked,
        settles=_SETTLED if settled else _may_settle(case.kind, case.grade, complete_through),
        earliest=None if settled else complete_through,
        complete_through=complete_through,
        rows=_rows(entries),
    )


def _of_purchase(world: World, hit: Hit) -> Explanation | None:
    """A purchase that never became a case: matched, or still within its time."""
    bought = lake_file.purchase(world, UUID(hit.path.rpartition("/")[2]))
    if bought is None:
        return None
    rules = world.configuration.flow(bought.flow).rules
    deadline_at = bought.confirmed_at + rules.deadline_after
    entries = lake_file.entries_of(world, bought)
    passes = sorted({entry.found_by for entry in entries if entry.found_by is not None})
    complete_through = _complete_through(world, bought.flow)
    held_by = _held_by(world, bought)
    is_due = complete_through is not None and deadline_at < complete_through
    waits_for = held_by or (_NEXT_RUN if is_due else _WINDOW)
    until = f"both feeds are complete past {deadline_at:%Y-%m-%d %H:%M:%S} UTC"
    pending = Explanation(
        flow=bought.flow,
        case_number=None,
        verdict="pending",
        account=masked(bought.account),
        reference=bought.reference,
        asset=bought.asset,
        amount_minor=bought.amount_minor,
        confirmed_at=bought.confirmed_at,
        deadline_at=deadline_at,
        passes=_not_yet(bought, entries, waits_for),
        blocked=held_by,
        settles=f"by its reference at once; by other passes when {_FREED_WHEN.get(waits_for, until)}",
        earliest=None if held_by else deadline_at,
        complete_through=complete_through,
        rows=_rows(entries),
    )
    if not passes:
        return pending
    return replace(
        pending,
        verdict="matched",
        passes=tuple((name, "matched") for name in passes),
        blocked=None,
        settles=_SETTLED,
        earliest=None,
    )


def _held_by(world: World, bought: Purchase) -> str | None:
    """What is kept back and may be the credit of it, so that the fold does not judge it; None when nothing is."""
    kept_back = sa.exists().where(
        quarantine.c.flow == bought.flow,
        quarantine.c.side.in_(withdrawal.HOLDING_SIDES),
        quarantine.c.status == "held",
        sa.or_(quarantine.c.account == bought.account, quarantine.c.reference == bought.reference),
    )
    with world.database.begin() as connection:
        if connection.execute(sa.select(kept_back)).scalar_one():
            return _QUARANTINED
        doubted = withdrawal.doubted(connection, bought.flow)
    accounts, references = withdrawal.concerned(world.lake, doubted)
    return _WITHDRAWN if bought.account in accounts or bought.reference in references else None


def _may_settle(kind: str, grade: str, complete_through: datetime | None) -> str:
    what = texts("en").word("settles", kind)
    if complete_through is None:
        return f"with the first run that takes in {what}"
    after = f"{complete_through:%Y-%m-%d %H:%M:%S} UTC"
    known = "is complete" if grade == "proven" else "is only assumed to be complete"
    return f"with the first run that takes in {what}, of after {after}: what is before {known}"


def _not_yet(bought: Purchase, entries: list[Entry], waits_for: str) -> tuple[tuple[str, str], ...]:
    named = any(entry.tie == "reference" and entry.account == bought.account for entry in entries)
    if bought.reference is None:
        said = "the confirmation has no reference"
    else:
        said = "entries with this reference" if named else "no entry has this reference on this account"
    waiting = f"not tried: {waits_for}"
    return (("reference", said), *((name, waiting) for name in ("near_reference", "identity", "split", "tolerance")))


def _rows(entries: list[Entry]) -> tuple[Row, ...]:
    return tuple(
        Row(
            entry_id=one.entry_id,
            posted_at=one.posted_at,
            amount_minor=one.amount_minor,
            asset=one.asset,
            account=masked(one.account),
            reference=one.reference,
            feed=one.feed,
            row_number=one.row_number,
            tie=one.tie,
            found_by=one.found_by,
        )
        for one in entries
    )


def _complete_through(world: World, flow: str) -> datetime | None:
    with world.database.begin() as connection:
        newest = folding.pointer(connection, flow)
    if newest is None or newest.confirmation_watermark is None or newest.ledger_watermark is None:
        return None
    through: datetime = min(newest.confirmation_watermark, newest.ledger_watermark)
    return through
