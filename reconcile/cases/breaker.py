"""The flow's breaker: while it is open nothing is paid and nobody is told anything (invariant 13)."""

import logging
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from reconcile.domain import ids
from reconcile.store import audit
from reconcile.store.tables import breakers

_log: Final = logging.getLogger(__name__)


def subject(flow: str) -> UUID:
    """What approvals know the breaker of a flow by."""
    return ids.derive("breaker", flow)


def why_open(connection: sa.Connection, flow: str) -> str | None:
    """Why the breaker is open, or None when it is closed."""
    return connection.execute(sa.select(breakers.c.open).where(breakers.c.flow == flow)).scalar_one_or_none()


def was_reset(connection: sa.Connection, flow: str, since: datetime) -> bool:
    """Whether people closed it since then: what they have seen does not open it a second time."""
    query = sa.select(breakers.c.flow).where(
        breakers.c.flow == flow, breakers.c.open.is_(None), breakers.c.changed_at >= since
    )
    return connection.execute(query).first() is not None


def trip(connection: sa.Connection, *, flow: str, reason: str, now: datetime, actor: str = "job:fold_flow") -> None:
    """Opens it; one that is open already keeps its first reason."""
    statement = insert(breakers).values(flow=flow, open=reason, changed_at=now)
    opened = connection.execute(
        statement.on_conflict_do_update(
            index_elements=["flow"], set_={"open": reason, "changed_at": now}, where=breakers.c.open.is_(None)
        )
    )
    if opened.rowcount:
        _log.warning("breaker opened", extra={"flow": flow, "reason": reason})
        audit.record(connection, at=now, actor=actor, action="breaker opened", subject=("flow", flow), reason=reason)


def reset(connection: sa.Connection, *, flow: str, reason: str, now: datetime, actor: str) -> None:
    """Closes it again; only an approval by two people may call this."""
    closed = connection.execute(
        sa.update(breakers)
        .where(breakers.c.flow == flow, breakers.c.open.is_not(None))
        .values(open=None, changed_at=now)
    )
    if closed.rowcount:
        audit.record(connection, at=now, actor=actor, action="breaker closed", subject=("flow", flow), reason=reason)
