"""Approvals as rows: proposed by one, decided by another, void as soon as what was seen changes (invariant 14)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

import sqlalchemy as sa

from reconcile.cases import bulk
from reconcile.domain import ids
from reconcile.domain.terms import evidence_hash
from reconcile.store import audit
from reconcile.store.tables import approvals
from reconcile.store.transitions import advance

POLICY: Final = "policy"
"""The maker of proposals that nobody made by hand."""

SubjectKind = Literal["incident", "case", "breaker"]


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is proposed, by whom and why; `terms` are what whoever decides must have seen."""

    subject_kind: SubjectKind
    subject_id: UUID
    maker: str
    reason: str
    terms: Mapping[str, Any]
    expires_at: datetime


def propose(connection: sa.Connection, proposals: Sequence[Proposal], *, now: datetime) -> list[UUID]:
    """Writes them; the schema allows one open proposal for a subject. Returns their ids, in order."""
    if not proposals:
        return []
    before = _counts(connection, [proposal.subject_id for proposal in proposals])
    rows: list[dict[str, Any]] = [
        {
            "approval_id": ids.derive(
                "approval", one.subject_kind, str(one.subject_id), str(before.get(one.subject_id, 0))
            ),
            "subject_kind": one.subject_kind,
            "subject_id": one.subject_id,
            "status": "proposed",
            "maker": one.maker,
            "reason": one.reason,
            "terms": dict(one.terms),
            "evidence_hash": evidence_hash(one.terms),
            "proposed_at": now,
            "expires_at": one.expires_at,
        }
        for one in proposals
    ]
    connection.execute(sa.insert(approvals), rows)
    for maker in sorted({one.maker for one in proposals}):
        audit.record_all(
            connection,
            at=now,
            actor=actor_of(maker),
            action="approval proposed",
            rows=[
                (
                    (row["subject_kind"], str(row["subject_id"])),
                    row["reason"],
                    {"approval_id": str(row["approval_id"]), "evidence_hash": row["evidence_hash"]},
                )
                for row in rows
                if row["maker"] == maker
            ],
        )
    return [row["approval_id"] for row in rows]


def open_proposal(connection: sa.Connection, subject_kind: SubjectKind, subject_id: UUID) -> sa.Row[Any] | None:
    """The proposal that waits for a decision, locked; or None."""
    query = sa.select(approvals).where(
        approvals.c.subject_kind == subject_kind,
        approvals.c.subject_id == subject_id,
        approvals.c.status == "proposed",
    )
    return connection.execute(query.with_for_update()).one_or_none()


def decide(
    connection: sa.Connection,
    proposal: sa.Row[Any],
    *,
    status: Literal["approved", "rejected", "expired", "void"],
    now: datetime,
    reason: str,
    approver: str | None = None,
) -> None:
    """Ends a proposal. That the approver is not its maker is checked by the schema as well."""
    advance(
        connection,
        approvals,
        proposal.approval_id,
        expected="proposed",
        status=status,
        approver=approver,
        decided_at=now,
    )
    audit.record(
        connection,
        at=now,
        actor=actor_of(approver) if approver else "job:approvals",
        action=f"approval {status}",
        subject=(proposal.subject_kind, str(proposal.subject_id)),
        reason=reason,
        evidence={"approval_id": str(proposal.approval_id), "evidence_hash": proposal.evidence_hash},
    )


def void(
    connection: sa.Connection,
    subject_kind: SubjectKind,
    subject_ids: Sequence[UUID],
    *,
    statuses: Sequence[str] = ("proposed",),
    now: datetime,
    reason: str,
) -> None:
    """What was seen has changed: open proposals, and with `approved` also decisions, hold no more."""
    if subject_ids:
        _end(
            connection,
            (approvals.c.subject_kind == subject_kind)
            & bulk.among(approvals.c.subject_id, subject_ids)
            & approvals.c.status.in_(statuses),
            status="void",
            now=now,
            reason=reason,
        )


def expire(connection: sa.Connection, *, now: datetime) -> None:
    """Ends the proposals whose time is up."""
    _end(
        connection,
        (approvals.c.status == "proposed") & (approvals.c.expires_at <= now),
        status="expired",
        now=now,
        reason="nobody decided in time",
    )


def actor_of(person: str) -> str:
    """How the audit names whoever proposed or decided."""
    return "job:fold_flow" if person == POLICY else f"user:{person}"


def _end(connection: sa.Connection, which: sa.ColumnElement[bool], *, status: str, now: datetime, reason: str) -> None:
    ended = connection.execute(
        sa.update(approvals)
        .where(which)
        .values(status=status, decided_at=sa.func.coalesce(approvals.c.decided_at, now))
        .returning(approvals.c.approval_id, approvals.c.subject_kind, approvals.c.subject_id)
    ).all()
    audit.record_all(
        connection,
        at=now,
        actor="job:fold_flow",
        action=f"approval {status}",
        rows=[
            ((row.subject_kind, str(row.subject_id)), reason, {"approval_id": str(row.approval_id)}) for row in ended
        ],
    )


def _counts(connection: sa.Connection, subject_ids: Sequence[UUID]) -> dict[UUID, int]:
    query = (
        sa.select(approvals.c.subject_id, sa.func.count().label("proposals"))
        .where(bulk.among(approvals.c.subject_id, subject_ids))
        .group_by(approvals.c.subject_id)
    )
    return {row.subject_id: row.proposals for row in connection.execute(query)}
