"""What is still under way, by the tables: whether a tick's work is done, whom it waits for, and how far the day is."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from reconcile.domain.policy import Disposition
from reconcile.store import job_runs
from reconcile.store.tables import cases, incidents, intents, notices

LAST_JOB = "send_notices"  # of a tick's chain of DAGs
_WORKING = ("planned", "approved", "reserved", "executing", "credited")
_SENDING = ("planned", "submitting")
_ON_THE_WAY = (Disposition.PAY, Disposition.WAIT, Disposition.AWAIT_INCIDENT, Disposition.AWAIT_APPROVAL)


@dataclass(frozen=True)
class Figures:
    """Counts for the progress on the terminal."""

    owed: int
    remedied: int
    notices: int
    incident: str | None

    def __str__(self) -> str:
        incident = f" · incident {self.incident}" if self.incident else ""
        return f"owed {self.owed} · put right {self.remedied} · notices {self.notices}{incident}"


def chain_has_run(connection: sa.Connection, tick: datetime) -> bool:
    """Whether the last job of the chain has run at this business time."""
    return job_runs.finished(connection, LAST_JOB, tick)


def incident_waits(connection: sa.Connection) -> bool:
    """Whether an incident waits for the approval of two people."""
    return _any(connection, incidents.c.status == "recovered")


def case_waits(connection: sa.Connection) -> bool:
    """Whether a single case waits for the approval of two people."""
    return _any(connection, (cases.c.status == "open") & (cases.c.disposition == Disposition.AWAIT_APPROVAL))


def goes_on(connection: sa.Connection) -> bool:
    """Whether more business time would change anything: a credit to send or verify, a case to decide, a notice to send."""
    return (
        _any(connection, intents.c.status.in_(_WORKING))
        or _any(connection, notices.c.status.in_(_SENDING))
        or _any(connection, (cases.c.status == "open") & cases.c.disposition.in_(_ON_THE_WAY))
    )


def figures(connection: sa.Connection) -> Figures:
    """How far the day is."""
    return Figures(
        owed=_count(connection, (cases.c.status == "open") & (cases.c.owed_minor > 0)),
        remedied=_count(connection, intents.c.status.in_(("credited", "verified"))),
        notices=_count(connection, notices.c.status.in_(("submitted", "delivered", "uncertain"))),
        incident=connection.execute(
            sa.select(incidents.c.status).where(incidents.c.kind == "credits").order_by(incidents.c.detected_at.desc())
        ).scalar(),
    )


def case_number(connection: sa.Connection, reference: str) -> str | None:
    """The number of the case about the purchase with this reference."""
    return connection.execute(sa.select(cases.c.number).where(cases.c.reference == reference).limit(1)).scalar()


def _any(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> bool:
    return connection.execute(sa.select(sa.literal(1)).where(condition).limit(1)).first() is not None


def _count(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> int:
    return connection.execute(sa.select(sa.func.count()).where(condition)).scalar_one()
