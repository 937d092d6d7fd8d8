"""The decision to pay a remedy, once. One intent per case and component, whatever happens around it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from reconcile.domain import ids
from reconcile.store import audit
from reconcile.store.tables import attempts, intents

_ACTOR: Final = "job:fold_flow"
_NOT_YET_SENT: Final = ("planned", "awaiting_approval", "approved", "reserved")

OWN_SCHEMA: Final = pa.schema(
    [
        ("own_key", pa.string()),
        ("intent_id", pa.string()),
        ("break_id", pa.string()),
        ("account", pa.string()),
        ("asset", pa.string()),
        ("amount_minor", pa.int64()),
        ("sent_at", pa.timestamp("us", tz="UTC")),
        ("status", pa.string()),
    ]
)
"""What matching is told of our own attempts; `own_key` is the attempt id that the gateway reports on the ledger."""


@dataclass(frozen=True, slots=True)
class Remedy:
    """What a customer is owed, from evidence alone. `approved`: whether it may be sent without (further) asking."""

    case_id: UUID
    flow: str
    component: str
    account: str
    asset: str
    amount_minor: int
    purchase_minor: int
    reference: str | None
    message_id: str | None
    verdict_version: int
    policy_version: str
    reason: str
    approved: bool
    approval_id: UUID | None = None


def plan(connection: sa.Connection, *, now: datetime, remedies: Sequence[Remedy]) -> int:
    """Writes the intents that do not exist yet; returns how many. A second decision about the same case changes nothing."""
    planned = 0
    for approved in (True, False):
        rows = [_row(remedy, now) for remedy in remedies if remedy.approved is approved]
        if not rows:
            continue
        created = list(
            connection.execute(
                insert(intents).values(rows).on_conflict_do_nothing().returning(intents.c.intent_id)
            ).scalars()
        )
        status = "approved" if approved else "awaiting_approval"
        _move(connection, created, expected=("planned",), status=status)
        audit.record_all(
            connection,
            at=now,
            actor=_ACTOR,
            action=f"intent {status}",
            rows=[
                (
                    ("intent", str(row["intent_id"])),
                    row["reason"],
                    {"amount_minor": row["amount_minor"], "asset": row["asset"]},
                )
                for row in rows
                if row["intent_id"] in set(created)
            ],
        )
        planned += len(created)
    return planned


def approve(
    connection: sa.Connection, *, now: datetime, case_ids: Sequence[UUID], approval_id: UUID, actor: str
) -> int:
    """Lets the unsent intents of these cases be sent, under that approval; returns how many it changed something for.

    An intent that policy had approved already, or an approval that is void by now, comes under the new one.
    """
    unsent = _of_cases(connection, case_ids, ("awaiting_approval", "approved"), not_under=approval_id)
    expected = ("awaiting_approval", "approved")
    moved = _move(connection, unsent, expected=expected, status="approved", approval_id=approval_id)
    _record(
        connection, now, actor, "intent approved", moved, "the approval covers it", {"approval_id": str(approval_id)}
    )
    return len(moved)


def withdraw(
    connection: sa.Connection, *, now: datetime, case_ids: Sequence[UUID], reason: str, actor: str = _ACTOR
) -> int:
    """Voids what has not been sent and is no longer owed; what was sent stays, and is verified like everything else."""
    unsent = _of_cases(connection, case_ids, _NOT_YET_SENT)
    moved = _move(connection, unsent, expected=_NOT_YET_SENT, status="void")
    _record(connection, now, actor, "intent void", moved, reason, {})
    return len(moved)


def own_table(connection: sa.Connection, flow: str, *, since: datetime) -> pa.Table:
    """Our attempts that were or may have been sent, for the pass `own`; verified ones only since `since`."""
    query = (
        sa.select(
            attempts.c.attempt_id,
            intents.c.intent_id,
            intents.c.case_id,
            intents.c.account,
            intents.c.asset,
            intents.c.amount_minor,
            attempts.c.sent_at,
            attempts.c.status,
        )
        .join(intents, intents.c.intent_id == attempts.c.intent_id)
        .where(
            intents.c.flow == flow,
            attempts.c.sent_at.is_not(None),
            sa.or_(intents.c.status != "verified", attempts.c.sent_at >= since),
        )
        .order_by(attempts.c.attempt_id)
    )
    rows = connection.execute(query).all()
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(OWN_SCHEMA)
    as_text = [list(map(str, column)) if index < 3 else list(column) for index, column in enumerate(columns)]
    return pa.table(as_text, schema=OWN_SCHEMA)


def _row(remedy: Remedy, now: datetime) -> dict[str, Any]:
    assert 0 < remedy.amount_minor <= remedy.purchase_minor, "invariant 11: a remedy never exceeds the purchase"
    return {
        "intent_id": ids.intent_id(remedy.case_id, remedy.component),
        "case_id": remedy.case_id,
        "flow": remedy.flow,
        "component": remedy.component,
        "status": "planned",
        "account": remedy.account,
        "asset": remedy.asset,
        "amount_minor": remedy.amount_minor,
        "purchase_minor": remedy.purchase_minor,
        "reference": remedy.reference,
        "message_id": remedy.message_id,
        "verdict_version": remedy.verdict_version,
        "policy_version": remedy.policy_version,
        "approval_id": remedy.approval_id,
        "reason": remedy.reason,
        "planned_at": now,
    }


def _of_cases(
    connection: sa.Connection, case_ids: Sequence[UUID], statuses: Sequence[str], *, not_under: UUID | None = None
) -> list[UUID]:
    if not case_ids:
        return []
    query = sa.select(intents.c.intent_id).where(intents.c.case_id.in_(case_ids), intents.c.status.in_(statuses))
    if not_under is not None:
        query = query.where(intents.c.approval_id.is_distinct_from(not_under))
    return list(connection.execute(query.with_for_update()).scalars())


def _move(
    connection: sa.Connection, intent_ids: Sequence[UUID], *, expected: Sequence[str], status: str, **values: object
) -> list[UUID]:
    if not intent_ids:
        return []
    return list(
        connection.execute(
            sa.update(intents)
            .where(intents.c.intent_id.in_(intent_ids), intents.c.status.in_(expected))
            .values(status=status, **values)
            .returning(intents.c.intent_id)
        ).scalars()
    )


def _record(
    connection: sa.Connection,
    now: datetime,
    actor: str,
    action: str,
    moved: Sequence[UUID],
    reason: str,
    evidence: dict[str, object],
) -> None:
    audit.record_all(
        connection,
        at=now,
        actor=actor,
        action=action,
        rows=[(("intent", str(intent_id)), reason, evidence) for intent_id in moved],
    )
