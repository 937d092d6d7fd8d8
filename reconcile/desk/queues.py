"""What waits for somebody: the headlines of the first page, and the lists behind them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from reconcile.store.tables import (
    approvals,
    attempts,
    batches,
    breakers,
    cases,
    feeds,
    flow_modes,
    incidents,
    promises,
    quarantine,
)

ROWS_SHOWN_MAX: Final = 200
PROMISE_DUE_SOON: Final = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Headlines:
    """Counts for the first page."""

    open_cases: int
    awaiting_approval: int
    in_review: int
    open_incidents: int
    promises_due: int
    unknown_attempts: int
    quarantined: int
    refused_batches: int


def headlines(connection: sa.Connection, now: datetime) -> Headlines:
    """All counts in one round trip each; `now` is business time."""

    def count(table: sa.Table, *conditions: sa.ColumnElement[bool]) -> int:
        return connection.execute(sa.select(sa.func.count()).select_from(table).where(*conditions)).scalar_one()

    is_open = cases.c.status == "open"
    return Headlines(
        open_cases=count(cases, is_open),
        awaiting_approval=len(awaiting_approval(connection, now)),
        in_review=count(cases, is_open, cases.c.disposition == "review"),
        open_incidents=count(incidents, incidents.c.status != "closed"),
        promises_due=count(promises, promises.c.status == "open", promises.c.due_at <= now + PROMISE_DUE_SOON),
        unknown_attempts=count(attempts, attempts.c.status == "unknown"),
        quarantined=count(quarantine, quarantine.c.status == "held"),
        refused_batches=count(batches, batches.c.status == "refused"),
    )


def flows(connection: sa.Connection) -> list[sa.Row[Any]]:
    """Each flow's mode, and why its breaker is open (None when closed)."""
    query = (
        sa.select(flow_modes.c.flow, flow_modes.c.mode, breakers.c.open.label("breaker"))
        .outerjoin(breakers, breakers.c.flow == flow_modes.c.flow)
        .order_by(flow_modes.c.flow)
    )
    return list(connection.execute(query))


def feed_rows(connection: sa.Connection) -> list[sa.Row[Any]]:
    """Every feed with the instant up to which it is complete."""
    return list(connection.execute(sa.select(feeds).order_by(feeds.c.flow, feeds.c.side, feeds.c.feed)))


def awaiting_approval(connection: sa.Connection, now: datetime) -> list[sa.Row[Any]]:
    """Proposals that still hold, of cases and incidents, the oldest first, each with the case that it is about, if one."""
    query = (
        sa.select(
            approvals.c.approval_id,
            approvals.c.subject_kind,
            approvals.c.subject_id,
            approvals.c.maker,
            approvals.c.reason.label("proposed_for"),
            approvals.c.proposed_at,
            approvals.c.expires_at,
            cases.c.number,
            cases.c.kind,
            cases.c.asset,
            cases.c.owed_minor,
            cases.c.account,
            incidents.c.number.label("incident_number"),
            incidents.c.flow.label("incident_flow"),
            approvals.c.terms["flow"].astext.label("flow"),
        )
        .outerjoin(cases, sa.and_(approvals.c.subject_kind == "case", cases.c.case_id == approvals.c.subject_id))
        .outerjoin(
            incidents,
            sa.and_(approvals.c.subject_kind == "incident", incidents.c.incident_id == approvals.c.subject_id),
        )
        .where(approvals.c.status == "proposed", approvals.c.expires_at > now)
        .order_by(approvals.c.proposed_at)
        .limit(ROWS_SHOWN_MAX)
    )
    return list(connection.execute(query))


def in_review(connection: sa.Connection) -> list[sa.Row[Any]]:
    """Open cases that policy gave to a person and nobody has proposed anything for, the oldest first."""
    proposed = sa.exists().where(
        approvals.c.subject_kind == "case",
        approvals.c.subject_id == cases.c.case_id,
        approvals.c.status == "proposed",
    )
    query = (
        sa.select(cases)
        .where(cases.c.status == "open", cases.c.disposition.in_(("review", "await_approval")), ~proposed)
        .order_by(cases.c.detected_at, cases.c.number)
        .limit(ROWS_SHOWN_MAX)
    )
    return list(connection.execute(query))
