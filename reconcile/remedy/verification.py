"""What the books say of our own re-credits: seen exactly once, twice, or not at all by the time it had to be there."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from reconcile.remedy import postings
from reconcile.store import audit
from reconcile.store.tables import attempts, intents


@dataclass(frozen=True, slots=True)
class OwnCredit:
    """What the pass `own` found for one attempt. `verdict` is `verified`, `doubled` or `missing`."""

    own_key: str
    entry_count: int
    sum_minor: int
    posted_at: datetime | None
    verdict: str


@dataclass(slots=True)
class Verification:
    """What followed: cases made whole, with the instant of the credit; cases whose remedy a person must look at."""

    verified: list[tuple[UUID, datetime]] = field(default_factory=list)
    doubled: list[UUID] = field(default_factory=list)
    missing: list[UUID] = field(default_factory=list)


def apply(connection: sa.Connection, *, now: datetime, rows: Sequence[OwnCredit]) -> Verification:
    """Moves intents to `verified` or `escalated`. The ledger is evidence enough: an attempt whose outcome was unknown is
    confirmed by it. Rows that say again what is known change nothing.
    """
    result = Verification()
    by_attempt = {UUID(row.own_key): row for row in rows}
    found = connection.execute(
        sa.select(intents, attempts.c.attempt_id, attempts.c.status.label("attempt_status"))
        .join(attempts, attempts.c.intent_id == intents.c.intent_id)
        .where(attempts.c.attempt_id.in_(list(by_attempt)))
        .order_by(attempts.c.attempt_id)
        .with_for_update()
    ).all()
    moves: dict[str, list[UUID]] = {"verified": [], "escalated": []}
    evidence = {}
    for intent in found:
        row = by_attempt[intent.attempt_id]
        evidence[intent.intent_id] = {"attempt_id": row.own_key, "entries": row.entry_count, "minor": row.sum_minor}
        exact = row.verdict == "verified" and row.sum_minor == intent.amount_minor
        if exact and intent.status in {"executing", "credited", "escalated"}:
            assert row.posted_at is not None
            _confirm(connection, intent, now)
            moves["verified"].append(intent.intent_id)
            result.verified.append((intent.case_id, row.posted_at))
        elif not exact and intent.status in {"executing", "credited"}:
            moves["escalated"].append(intent.intent_id)
            (result.missing if row.verdict == "missing" else result.doubled).append(intent.case_id)
    for status, intent_ids in moves.items():
        values = {"verified_at": now} if status == "verified" else {}
        if intent_ids:
            connection.execute(
                sa.update(intents).where(intents.c.intent_id.in_(intent_ids)).values(status=status, **values)
            )
        audit.record_all(
            connection,
            at=now,
            actor="job:fold_flow",
            action=f"intent {status}",
            rows=[
                (("intent", str(key)), "what the ledger shows of our own credit", evidence[key]) for key in intent_ids
            ],
        )
    return result


def _confirm(connection: sa.Connection, intent: sa.Row[tuple[object, ...]], now: datetime) -> None:
    """Brings an attempt and its intent to `credited`, where the gateway's answer has not done so already."""
    if intent.attempt_status in {"sending", "accepted", "unknown"}:
        connection.execute(
            sa.update(attempts)
            .where(attempts.c.attempt_id == intent.attempt_id)
            .values(status="confirmed", ended_at=now)
        )
    if intent.status in {"executing", "escalated"}:
        connection.execute(
            sa.update(intents)
            .where(intents.c.intent_id == intent.intent_id)
            .values(status="credited", credited_at=sa.func.coalesce(intents.c.credited_at, now))
        )
        postings.post(
            connection, steps=("pay",), attempt_id=intent.attempt_id, intent_id=intent.intent_id, asset=intent.asset,
            amount_minor=intent.amount_minor, at=now,
        )  # fmt: skip
