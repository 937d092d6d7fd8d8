"""All that PostgreSQL knows about how one flow stands: its mode, its limits, its breaker."""

from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from reconcile.cases import breaker
from reconcile.store.tables import approvals, audit, breakers, flow_modes

ROWS_MAX: Final = 50


@dataclass(frozen=True, slots=True)
class FlowFile:
    """One flow. `breaker`: why nothing is paid or told, or None; `proposal`: the open proposal to close it, or None."""

    mode: sa.Row[Any]
    breaker: str | None
    proposal: sa.Row[Any] | None
    audit: list[sa.Row[Any]]


def read(connection: sa.Connection, flow: str) -> FlowFile | None:
    """The flow of that name, or None when no mode of it was ever activated."""
    mode = connection.execute(sa.select(flow_modes).where(flow_modes.c.flow == flow)).one_or_none()
    if mode is None:
        return None
    open_breaker = sa.select(breakers.c.open).where(breakers.c.flow == flow)
    proposal = sa.select(approvals).where(
        approvals.c.subject_kind == "breaker",
        approvals.c.subject_id == breaker.subject(flow),
        approvals.c.status == "proposed",
    )
    history = (
        sa.select(audit)
        .where(audit.c.subject_kind == "flow", audit.c.subject_id == flow)
        .order_by(audit.c.audit_id.desc())
        .limit(ROWS_MAX)
    )
    return FlowFile(
        mode=mode,
        breaker=connection.execute(open_breaker).scalar_one_or_none(),
        proposal=connection.execute(proposal).one_or_none(),
        audit=list(connection.execute(history)),
    )
