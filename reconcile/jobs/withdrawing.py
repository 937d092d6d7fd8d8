"""A person takes a published batch back. What was decided on its rows is listed for people; nothing follows from it by itself
(invariant 19), but what has not been sent is not sent.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from reconcile.cases import approvals, bulk
from reconcile.feeds import withdrawal
from reconcile.jobs import dispositions
from reconcile.jobs.replaying import read_again
from reconcile.jobs.world import World
from reconcile.notices import recording
from reconcile.remedy import intents
from reconcile.store import audit
from reconcile.store.tables import cases, notices, verdicts
from reconcile.store.tables import intents as intent_rows

_LISTED_IN_AUDIT: Final = 1_000
"""Cases that the audit row names; it says how many there are in all."""

_PAID: Final = frozenset({"executing", "credited", "verified", "escalated"})
"""Statuses of a re-credit that was sent, or may have been."""


@dataclass(frozen=True, slots=True)
class DecidedCase:
    """What was decided on rows of a batch about one customer. `remedy`: the status of its re-credit, or None; `told`: the events
    of its notices that went out.
    """

    number: str
    kind: str
    status: str
    asset: str
    owed_minor: int
    remedy: str | None
    remedy_minor: int | None
    told: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """`voided`: re-credits that will not be sent, `unsaid`: notices that will not go out; `read_again`: batches whose copies of
    the rows count now, with how many rows each gave.
    """

    batch_id: UUID
    decided: Sequence[DecidedCase]
    voided: int
    unsaid: int
    read_again: dict[str, int]


def withdraw_batch(world: World, batch_id: UUID, *, actor: str, reason: str) -> Withdrawal:
    """Takes a batch back; at the next fold its rows leave, and what they were matched with is open again.

    Raises `NotAllowedError` when it is not published.
    """
    now = world.clock.now()
    with world.database.begin() as connection:
        flow = withdrawal.found(connection, batch_id).flow
        dispositions.lock(connection, flow)
        batch = withdrawal.withdraw(connection, batch_id, reason=reason, now=now)
        case_ids = _decided_on(connection, world, batch)
        dispositions.lock_cases(connection, flow, case_ids)
        decided = _decided(connection, case_ids)
        because = f"the batch {batch.source} was withdrawn"
        voided = intents.withdraw(connection, now=now, case_ids=case_ids, reason=because, actor=actor)
        unsaid = recording.suppress(connection, case_ids, because)
        approvals.void(connection, "case", case_ids, statuses=("proposed", "approved"), now=now, reason=because)
        copies = withdrawal.copies(connection, batch)
        _record(connection, batch, decided, voided, unsaid, actor=actor, reason=reason, now=now)
    again = {
        str(copy): rows
        for copy in copies
        if (rows := read_again(world, copy, actor=actor, reason=because).counts["published"])
    }
    with world.database.begin() as connection:
        if withdrawal.is_replaced(connection, batch):
            withdrawal.make_good(connection, batch.feed, batch.source, now)
    return Withdrawal(batch_id, decided, voided, unsaid, again)


def release_batch(world: World, batch_id: UUID, *, actor: str, reason: str) -> None:
    """Says that nothing is to come in the place of a withdrawn batch. Raises `NotAllowedError`."""
    with world.database.begin() as connection:
        withdrawal.release(connection, batch_id, actor=actor, reason=reason, now=world.clock.now())


def decided_on(world: World, batch_id: UUID) -> Sequence[DecidedCase]:
    """What was decided on rows of a batch, also before it was withdrawn. Raises `NotAllowedError` when there is none."""
    with world.database.begin() as connection:
        batch = withdrawal.found(connection, batch_id)
        return _decided(connection, _decided_on(connection, world, batch))


def _decided_on(connection: sa.Connection, world: World, batch: sa.Row[Any]) -> list[UUID]:
    """Cases any of whose verdicts names a row of the batch."""
    if batch.side == "directory":
        return []
    rows = withdrawal.row_ids(world.lake, batch)
    if batch.side == "confirmation":
        query = sa.select(cases.c.case_id).where(bulk.among(cases.c.case_id, rows))
        return list(connection.execute(query.order_by(cases.c.case_id)).scalars())
    named = sa.func.jsonb_exists_any(
        verdicts.c.evidence[f"{'entry' if batch.side == 'ledger' else 'payment'}_ids"],
        sa.literal([str(row) for row in rows], sa.ARRAY(sa.Text)),
    )
    query = sa.select(verdicts.c.case_id).distinct().join(cases, cases.c.case_id == verdicts.c.case_id)
    return list(
        connection.execute(query.where(cases.c.flow == batch.flow, named).order_by(verdicts.c.case_id)).scalars()
    )


def _decided(connection: sa.Connection, case_ids: Sequence[UUID]) -> list[DecidedCase]:
    told = (
        sa.select(sa.func.array_agg(notices.c.event.distinct()))
        .where(notices.c.case_id == cases.c.case_id, notices.c.status.not_in(("planned", "suppressed", "failed")))
        .scalar_subquery()
    )
    remedy = sa.and_(intent_rows.c.case_id == cases.c.case_id, intent_rows.c.component == "recredit")
    query = (
        sa.select(
            cases.c.number, cases.c.kind, cases.c.status, cases.c.asset, cases.c.owed_minor,
            intent_rows.c.status.label("remedy"), intent_rows.c.amount_minor.label("remedy_minor"), told.label("told"),
        )
        .join(intent_rows, remedy, isouter=True)
        .where(bulk.among(cases.c.case_id, case_ids))
        .order_by(cases.c.detected_at, cases.c.number)
    )  # fmt: skip
    return [
        DecidedCase(**{**row._mapping, "told": tuple(row.told or ())})  # noqa: SLF001 - how a row gives itself by name
        for row in connection.execute(query)
    ]


def _record(
    connection: sa.Connection,
    batch: sa.Row[Any],
    decided: Sequence[DecidedCase],
    voided: int,
    unsaid: int,
    *,
    actor: str,
    reason: str,
    now: datetime,
) -> None:
    audit.record(
        connection,
        at=now,
        actor=actor,
        action="batch_withdrawn",
        subject=("batch", str(batch.batch_id)),
        reason=reason,
        evidence={
            "rows": batch.published_rows,
            "cases": len(decided),
            "numbers": [one.number for one in decided[:_LISTED_IN_AUDIT]],
            "paid_minor": sum(one.remedy_minor or 0 for one in decided if one.remedy in _PAID),
            "voided": voided,
            "unsaid": unsaid,
        },
    )
