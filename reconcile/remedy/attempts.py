"""One call to the gateway and what became of it. A worker holds an attempt by a lease; a lost worker's is taken over."""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from reconcile.remedy import caps, postings
from reconcile.remedy.gateway import Answer, Meaning, Order
from reconcile.store import audit
from reconcile.store.tables import attempts, intents, observations
from reconcile.store.transitions import advance

_log: Final = logging.getLogger(__name__)
UNRESOLVED: Final = ("sending", "accepted", "unknown")
_STATUS: Final = {
    Meaning.COMPLETED: "confirmed",
    Meaning.ACCEPTED: "accepted",
    Meaning.FAILED: "failed_proven",
    Meaning.NOT_FOUND: "unknown",
    Meaning.UNKNOWN: "unknown",
}


Heard = tuple[str, Answer]
"""What was done (`send` or `ask`) and what came back."""


class LeaseLostError(RuntimeError):
    """Another worker took this attempt over while this one was away: its answer is noted, but decides nothing."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """An attempt that this worker alone may act on until its lease ends. `epoch` fences out whoever held it before."""

    intent_id: UUID
    order: Order
    payload: bytes
    epoch: int
    gateway_reference: str | None = None
    sent_at: datetime | None = None
    sends: int = 1


def create(
    connection: sa.Connection,
    *,
    intent_id: UUID,
    number: int,
    order: Order,
    payload: bytes,
    now: datetime,
    worker: str,
    lease_seconds: int,
) -> Claimed:
    """Writes the attempt with its payload before anything is sent (invariant 3)."""
    connection.execute(
        sa.insert(attempts).values(
            attempt_id=order.key,
            intent_id=intent_id,
            number=number,
            status="created",
            payload=payload,
            payload_sha256=hashlib.sha256(payload).hexdigest(),
            created_at=now,
        )
    )
    advance(
        connection, attempts, order.key, expected="created", status="sending", sent_at=now, sends=1, lease_epoch=1,
        lease_owner=worker, lease_until=_lease_end(lease_seconds),
    )  # fmt: skip
    return Claimed(intent_id=intent_id, order=order, payload=payload, epoch=1, sent_at=now)


def claim_unresolved(
    connection: sa.Connection, *, flow: str, worker: str, lease_seconds: int, limit: int
) -> list[Claimed]:
    """Takes attempts whose outcome is open and whose lease, if any, has run out. The caller asks before it sends."""
    free = (
        sa.select(attempts.c.attempt_id)
        .join(intents, intents.c.intent_id == attempts.c.intent_id)
        .where(
            intents.c.flow == flow,
            intents.c.status == "executing",
            attempts.c.status.in_(UNRESOLVED),
            sa.or_(attempts.c.lease_until.is_(None), attempts.c.lease_until < sa.func.clock_timestamp()),
        )
        .order_by(attempts.c.created_at, attempts.c.attempt_id)
        .limit(limit)
        .with_for_update(of=attempts, skip_locked=True)
    )
    rows = connection.execute(
        sa.update(attempts)
        .where(attempts.c.attempt_id.in_(free))
        .values(
            lease_owner=worker,
            lease_epoch=attempts.c.lease_epoch + 1,
            lease_until=_lease_end(lease_seconds),
            status=sa.case((attempts.c.status == "sending", "unknown"), else_=attempts.c.status),
        )
        .returning(attempts)
    ).all()
    orders = _orders(connection, rows)
    return [
        Claimed(
            intent_id=row.intent_id,
            order=orders[row.attempt_id],
            payload=bytes(row.payload),
            epoch=row.lease_epoch,
            gateway_reference=row.gateway_reference,
            sent_at=row.sent_at,
            sends=row.sends,
        )
        for row in rows
    ]


def note(connection: sa.Connection, claimed: Claimed, heard: Sequence[Heard], *, now: datetime) -> None:
    """Keeps what the gateway said, or did not say, in the order in which it was heard."""
    connection.execute(
        sa.insert(observations),
        [
            {
                "attempt_id": claimed.order.key,
                "at": now,
                "action": action,
                "http_status": answer.http_status,
                "meaning": answer.meaning.value,
                "detail": dict(answer.detail),
            }
            for action, answer in heard
        ],
    )


def settle(
    connection: sa.Connection, claimed: Claimed, answer: Answer, *, now: datetime, budget: Sequence[caps.Cap]
) -> str:
    """Moves attempt and intent to where the answer leads and ends the lease; returns the attempt's new status.

    Raises `LeaseLostError` when another worker has taken the attempt over meanwhile.
    """
    current = connection.execute(
        sa.select(attempts.c.status, attempts.c.lease_epoch)
        .where(attempts.c.attempt_id == claimed.order.key)
        .with_for_update()
    ).one()
    if current.lease_epoch != claimed.epoch:
        raise LeaseLostError(f"attempt {claimed.order.key} was taken over")
    status = _STATUS[answer.meaning]
    if current.status == "unknown" and status == "accepted":
        status = "unknown"  # still to be asked about; there is no way back from having lost sight of it
    ended = {"ended_at": now} if status in {"confirmed", "failed_proven"} else {}
    advance(
        connection, attempts, claimed.order.key, expected=current.status, status=status,
        gateway_reference=answer.gateway_reference or claimed.gateway_reference,
        transaction_reference=answer.transaction_reference, last_meaning=answer.meaning.value,
        lease_until=None, lease_owner=None, **ended,
    )  # fmt: skip
    if status == "unknown":
        _log.warning("attempt unknown", extra={"attempt_id": claimed.order.key, "meaning": answer.meaning.value})
    if status == "confirmed":
        _credited(connection, claimed, now)
    elif status == "failed_proven":
        _failed(connection, claimed, now, budget)
    return status


def count_resend(connection: sa.Connection, claimed: Claimed) -> None:
    """Counts another send of the same bytes under the same id."""
    updated = connection.execute(
        sa.update(attempts)
        .where(attempts.c.attempt_id == claimed.order.key, attempts.c.lease_epoch == claimed.epoch)
        .values(sends=attempts.c.sends + 1)
    )
    if updated.rowcount != 1:
        raise LeaseLostError(f"attempt {claimed.order.key} was taken over")


def escalate(connection: sa.Connection, claimed: Claimed, *, reason: str, now: datetime) -> None:
    """Hands an attempt that no rule may settle to a person; it is asked about no more, and never sent again."""
    advance(connection, intents, claimed.intent_id, expected="executing", status="escalated")
    _log.warning("intent escalated", extra={"intent_id": claimed.intent_id, "reason": reason})
    _audit(connection, claimed, "intent escalated", reason, now)


def _credited(connection: sa.Connection, claimed: Claimed, now: datetime) -> None:
    advance(connection, intents, claimed.intent_id, expected="executing", status="credited", credited_at=now)
    _post(connection, claimed, "pay", now)
    _audit(connection, claimed, "intent credited", "the gateway shows the transaction as completed", now)


def _failed(connection: sa.Connection, claimed: Claimed, now: datetime, budget: Sequence[caps.Cap]) -> None:
    advance(connection, intents, claimed.intent_id, expected="executing", status="approved")
    caps.release(connection, list(budget), asset=claimed.order.asset, amount_minor=claimed.order.amount_minor)
    _post(connection, claimed, "return", now)
    _audit(connection, claimed, "attempt failed", "the gateway proves that it did not credit", now)


def _post(connection: sa.Connection, claimed: Claimed, step: str, now: datetime) -> None:
    postings.post(
        connection, steps=(step,), attempt_id=claimed.order.key, intent_id=claimed.intent_id, asset=claimed.order.asset,
        amount_minor=claimed.order.amount_minor, at=now,
    )  # fmt: skip


def _audit(connection: sa.Connection, claimed: Claimed, action: str, reason: str, now: datetime) -> None:
    audit.record(
        connection, at=now, actor="job:dispatch_flow", action=action, subject=("intent", str(claimed.intent_id)),
        reason=reason, evidence={"attempt_id": str(claimed.order.key)},
    )  # fmt: skip


def _orders(connection: sa.Connection, rows: Sequence[Any]) -> dict[UUID, Order]:
    found = {
        row.intent_id: row
        for row in connection.execute(
            sa.select(intents).where(intents.c.intent_id.in_([row.intent_id for row in rows]))
        )
    }
    return {
        row.attempt_id: Order(
            key=row.attempt_id,
            account=found[row.intent_id].account,
            asset=found[row.intent_id].asset,
            amount_minor=found[row.intent_id].amount_minor,
            reference=found[row.intent_id].reference,
        )
        for row in rows
    }


def _lease_end(seconds: int) -> sa.ColumnElement[datetime]:
    return sa.func.clock_timestamp() + timedelta(seconds=seconds)
