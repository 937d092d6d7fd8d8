"""A delivery that was refused for being unusual, taken by a person who knows why it is."""

from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from reconcile.domain.refusal import NotAllowedError
from reconcile.feeds.withdrawal import found
from reconcile.store import audit
from reconcile.store.tables import batches
from reconcile.store.transitions import advance

MAY_BE_ACCEPTED: Final = frozenset({"rows_are_of_their_period", "volume_is_usual"})
"""Expectations of a delivery that say what is usual. What breaks any other is not what was announced, or not readable."""


def accept(connection: sa.Connection, batch_id: UUID, *, actor: str, reason: str, now: datetime) -> None:
    """Has a refused batch judged again by the next run of its feed, whatever is usual. Raises `NotAllowedError`."""
    batch = found(connection, batch_id)
    if batch.status != "refused":
        raise NotAllowedError(f"batch {batch_id} is {batch.status}; only one that was refused can be accepted")
    if not batch.broken or not set(batch.broken) <= MAY_BE_ACCEPTED:
        raise NotAllowedError(f"batch {batch_id} cannot be taken as it is, have it delivered again: {batch.reason}")
    advance(connection, batches, batch_id, expected="refused", status="landed", reason=None, accepted_at=now)
    audit.record(
        connection,
        at=now,
        actor=actor,
        action="batch_accepted",
        subject=("batch", str(batch_id)),
        reason=reason,
        evidence={"broken": batch.broken},
    )
