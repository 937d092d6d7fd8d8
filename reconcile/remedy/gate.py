"""The last look before money moves: one transaction that checks everything again, reserves, and commits the attempt."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from reconcile.domain import ids
from reconcile.domain.breaks import OWING
from reconcile.remedy import caps, modes, postings
from reconcile.remedy.attempts import Claimed, create
from reconcile.remedy.gateway import Gateway, Order
from reconcile.store import instance
from reconcile.store.tables import approvals, attempts, batches, breakers, cases, incidents, intents
from reconcile.store.transitions import advance

CANARY_IN_FLIGHT_MAX: Final = 3
"""In `canary`, so many re-credits may wait to be seen on the ledger; the next one waits for them."""


@dataclass(frozen=True, slots=True)
class Closed:
    """The gate did not open for this intent, and why. Nothing was written."""

    reason: str


class _GateClosedError(Exception):
    """Rolls the reservation back; never leaves this module."""


def pass_one(
    connection: sa.Connection, intent_id: UUID, *, gateway: Gateway, now: datetime, worker: str, lease_seconds: int
) -> Claimed | Closed | None:
    """Invariant 8. On success the intent is `executing` and its attempt `sending`, once the caller commits.

    None: another worker has the intent, or it is no longer approved.
    """
    savepoint = connection.begin_nested()
    try:
        claimed = _pass(connection, intent_id, gateway=gateway, now=now, worker=worker, lease_seconds=lease_seconds)
    except _GateClosedError as closed:
        savepoint.rollback()
        return Closed(str(closed))
    savepoint.commit()
    return claimed


def still_owed(connection: sa.Connection, intent: Any, mode: modes.Mode | None) -> str | None:
    """Why this intent may not be sent (again) as things stand, or None. Locks its case, so that no verdict passes by."""
    if mode is None or not mode.pays:
        return f"the flow is {mode.name if mode else 'stopped'}"
    breaker = connection.execute(sa.select(breakers.c.open).where(breakers.c.flow == intent.flow)).scalar_one_or_none()
    if breaker is not None:
        return f"the breaker is open: {breaker}"
    if _is_proof_withdrawn(connection, intent.flow):
        return "a batch that showed what was paid was withdrawn, and nothing stands in its place"
    case = connection.execute(
        sa.select(cases).where(cases.c.case_id == intent.case_id).with_for_update(read=True)
    ).one()
    if case.status != "open" or case.kind not in OWING:
        return f"the case is {case.status}, its verdict {case.kind}"
    if case.owed_minor < intent.amount_minor or (case.account, case.asset) != (intent.account, intent.asset):
        return "what is owed has changed"
    if intent.approval_id is None and (
        case.grade != "proven" or case.blocked is not None or case.incident_id is not None
    ):
        return "a person must approve it"
    if intent.approval_id is not None:
        status = connection.execute(
            sa.select(approvals.c.status).where(approvals.c.approval_id == intent.approval_id)
        ).scalar_one()
        if status != "approved":
            return f"its approval is {status}"
    return None


def _is_proof_withdrawn(connection: sa.Connection, flow: str) -> bool:
    """Invariant 7: "not credited" rests on batches, and one of them was taken back."""
    open_ones = sa.select(batches.c.batch_id).where(
        batches.c.flow == flow,
        batches.c.status == "withdrawn",
        batches.c.released_at.is_(None),
        batches.c.side.in_(("ledger", "payment")),
    )
    return connection.execute(open_ones.limit(1)).first() is not None


def _pass(
    connection: sa.Connection, intent_id: UUID, *, gateway: Gateway, now: datetime, worker: str, lease_seconds: int
) -> Claimed | None:
    intent = connection.execute(
        sa.select(intents)
        .where(intents.c.intent_id == intent_id, intents.c.status == "approved")
        .with_for_update(skip_locked=True)
    ).one_or_none()
    if intent is None:
        return None
    mode = modes.read(connection, intent.flow)
    reason = still_owed(connection, intent, mode)
    if reason is not None:
        raise _GateClosedError(reason)
    assert mode is not None
    if mode.name == "canary":
        _check_canary(connection, intent.flow)
    incident_id = _use_incident(connection, intent)
    if incident_id is None and intent.approval_id is None and intent.amount_minor > mode.limits.max_amount_minor:
        raise _GateClosedError("more than policy pays without a person")
    exceeded = caps.reserve(
        connection,
        budget_of(connection, intent, mode.limits, now),
        asset=intent.asset,
        amount_minor=intent.amount_minor,
    )
    if exceeded is not None:
        raise _GateClosedError(f"the cap of {exceeded.scope.partition(':')[0]} per {exceeded.window} is used up")

    number = 1 + _attempts_before(connection, intent_id)
    order = Order(
        key=ids.attempt_id(intent_id, number),
        account=intent.account,
        asset=intent.asset,
        amount_minor=intent.amount_minor,
        reference=intent.reference,
    )
    advance(connection, intents, intent_id, expected="approved", status="reserved")
    claimed = create(
        connection, intent_id=intent_id, number=number, order=order, payload=gateway.payload(order), now=now, worker=worker,
        lease_seconds=lease_seconds,
    )  # fmt: skip
    values = {} if intent.sent_at else {"sent_at": now}
    advance(connection, intents, intent_id, expected="reserved", status="executing", **values)
    postings.post(
        connection, steps=("reserve", "send"), attempt_id=order.key, intent_id=intent_id, asset=intent.asset,
            amount_minor=intent.amount_minor, at=now,
        )  # fmt: skip
    return claimed


def budget_of(connection: sa.Connection, intent: Any, limits: modes.Limits, at: datetime) -> list[caps.Cap]:
    """The caps that this intent uses when it is first sent at `at`."""
    return caps.caps_of(
        flow=intent.flow, account=intent.account, limits=limits, at=at, secret=instance.secret(connection, "caps")
    )


def _check_canary(connection: sa.Connection, flow: str) -> None:
    waiting = connection.execute(
        sa.select(sa.func.count()).where(intents.c.flow == flow, intents.c.status.in_(("executing", "credited")))
    ).scalar_one()
    if waiting >= CANARY_IN_FLIGHT_MAX:
        raise _GateClosedError(f"canary: {waiting} re-credits are not yet seen on the ledger")


def _use_incident(connection: sa.Connection, intent: Any) -> UUID | None:
    """Uses up one remedy of the incident's approval; each is counted once, however often it is sent."""
    incident_id: UUID | None = connection.execute(
        sa.select(cases.c.incident_id).where(cases.c.case_id == intent.case_id)
    ).scalar_one()
    if incident_id is None or intent.sent_at is not None:
        return incident_id
    used = connection.execute(
        sa.update(incidents)
        .where(
            incidents.c.incident_id == incident_id,
            incidents.c.status == "approved",
            incidents.c.used_count < incidents.c.max_count,
            incidents.c.used_minor + intent.amount_minor <= incidents.c.max_minor,
        )
        .values(used_count=incidents.c.used_count + 1, used_minor=incidents.c.used_minor + intent.amount_minor)
    )
    if used.rowcount == 0:
        raise _GateClosedError("the incident is not approved, or its approval is used up")
    return incident_id


def _attempts_before(connection: sa.Connection, intent_id: UUID) -> int:
    """How many attempts there were. Invariant 5: all of them are proven failed, or `uq_attempts_one_alive` refuses."""
    return connection.execute(sa.select(sa.func.count()).where(attempts.c.intent_id == intent_id)).scalar_one()
