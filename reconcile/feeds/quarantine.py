"""Rows that are kept back: what a person may do about one."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from reconcile.store import audit
from reconcile.store.tables import quarantine


class NotHeldError(LookupError):
    """There is no such row in quarantine, or something became of it already."""


def dismiss(connection: sa.Connection, quarantine_id: UUID, *, actor: str, reason: str, now: datetime) -> None:
    """Says that a row is nothing that anybody waits for: it holds nobody back any more. Raises `NotHeldError`."""
    result = connection.execute(
        sa.update(quarantine)
        .where(quarantine.c.quarantine_id == quarantine_id, quarantine.c.status == "held")
        .values(status="dismissed", resolved_at=now)
    )
    if result.rowcount != 1:
        raise NotHeldError(f"no row {quarantine_id} is held in quarantine")
    audit.record(
        connection,
        at=now,
        actor=actor,
        action="quarantine_dismissed",
        subject=("quarantine", str(quarantine_id)),
        reason=reason,
    )
