"""Who did what, when and why. Rows are only ever added; a sealer chains them by hash."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from reconcile.store.tables import audit

SEAL_ROWS_MAX: Final = 50_000
"""Rows sealed in one transaction; what is left waits for the next call."""
_SEAL_LOCK: Final = 0x5EA1


class AuditBrokenError(RuntimeError):
    """A sealed audit row does not hash to its chain: it was changed, removed or put in."""


def record(
    connection: sa.Connection,
    *,
    at: datetime,
    actor: str,
    action: str,
    subject: tuple[str, str],
    reason: str,
    evidence: Mapping[str, Any] | None = None,
) -> None:
    """Adds one row in the caller's transaction. `actor` is `job:reconcile`, `user:<name>` or `gateway:<name>`; `subject` is
    (kind, id); `evidence` holds ids and amounts, no phone numbers.
    """
    record_all(connection, at=at, actor=actor, action=action, rows=[(subject, reason, evidence or {})])


def record_all(
    connection: sa.Connection,
    *,
    at: datetime,
    actor: str,
    action: str,
    rows: list[tuple[tuple[str, str], str, Mapping[str, Any]]],
) -> None:
    """Adds one row for each (subject, reason, evidence), in one statement."""
    if not rows:
        return
    connection.execute(
        sa.insert(audit).values(recorded_at=sa.func.clock_timestamp()),
        [
            {
                "at": at,
                "actor": actor,
                "action": action,
                "subject_kind": kind,
                "subject_id": str(subject_id),
                "reason": reason,
                "evidence": dict(evidence),
            }
            for (kind, subject_id), reason, evidence in rows
        ],
    )


def seal(connection: sa.Connection) -> int:
    """Chains the rows that are not sealed yet, in the order of their ids; returns how many.

    Only one sealer runs at a time. A row whose transaction commits late, with an id below the head, is sealed after the
    head: the chain follows the order of sealing, which the stored hashes give back.
    """
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_SEAL_LOCK)))
    head = _head(connection)
    rows = connection.execute(
        sa.select(audit).where(audit.c.chain_hash.is_(None)).order_by(audit.c.audit_id).limit(SEAL_ROWS_MAX)
    ).all()
    sealed = []
    for row in rows:
        head = _link(head, row)
        sealed.append({"row": row.audit_id, "hash": head})
    if sealed:
        position = connection.execute(sa.select(sa.func.coalesce(sa.func.max(audit.c.chain_position), 0))).scalar_one()
        for offset, values in enumerate(sealed, start=1):
            values["position"] = position + offset
        connection.execute(
            sa.update(audit)
            .where(audit.c.audit_id == sa.bindparam("row"))
            .values(chain_hash=sa.bindparam("hash"), chain_position=sa.bindparam("position")),
            sealed,
        )
    return len(sealed)


def verify(connection: sa.Connection) -> int:
    """Walks the whole chain; returns its length, raises `AuditBrokenError` at the first row that does not fit."""
    head, length = "", 0
    rows = connection.execution_options(yield_per=10_000).execute(
        sa.select(audit).where(audit.c.chain_position.is_not(None)).order_by(audit.c.chain_position)
    )
    for row in rows:
        length += 1
        head = _link(head, row)
        if row.chain_hash != head or row.chain_position != length:
            raise AuditBrokenError(f"audit row {row.audit_id} does not fit its chain at position {length}")
    return length


def _head(connection: sa.Connection) -> str:
    newest = sa.select(audit.c.chain_hash).where(audit.c.chain_position.is_not(None))
    return connection.execute(newest.order_by(audit.c.chain_position.desc()).limit(1)).scalar_one_or_none() or ""


def _link(head: str, row: Any) -> str:
    content = json.dumps(
        [
            head,
            row.audit_id,
            row.at.isoformat(),
            row.actor,
            row.action,
            row.subject_kind,
            row.subject_id,
            row.reason,
            row.evidence,
        ],
        sort_keys=True,
        ensure_ascii=False,
        separators=(",", ":"),
    )
    return hashlib.sha256(content.encode()).hexdigest()
