"""All that PostgreSQL knows about one incident: itself, its cases in figures, its approvals."""

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from reconcile.store.tables import approvals, audit, cases, incidents, intents, notices

CASES_SHOWN_MAX: Final = 100
INCIDENTS_SHOWN_MAX: Final = 200
WAITING: Final = ("await_incident", "await_approval")
"""Dispositions whose remedy waits for somebody's approval."""


@dataclass(frozen=True, slots=True)
class Figures:
    """How many cases, owed how much in all (minor units)."""

    count: int
    minor: int


@dataclass(frozen=True, slots=True)
class IncidentFile:
    """One incident. `waiting` are the open cases that its approval would cover."""

    incident: sa.Row[Any]
    all_cases: Figures
    open_cases: Figures
    waiting: Figures
    by_kind: list[sa.Row[Any]]
    by_status: list[sa.Row[Any]]
    remedies: list[sa.Row[Any]]
    notices: list[sa.Row[Any]]
    cases: list[sa.Row[Any]]
    approvals: list[sa.Row[Any]]
    audit: list[sa.Row[Any]]
    customers: int

    @property
    def proposal(self) -> sa.Row[Any] | None:
        return next((row for row in self.approvals if row.status == "proposed"), None)


def listed(connection: sa.Connection) -> list[sa.Row[Any]]:
    """The newest incidents with `case_count`, `owed_minor` and whether a proposal is open (`proposed`)."""
    counted = (
        sa.select(
            cases.c.incident_id,
            sa.func.count().label("case_count"),
            sa.func.coalesce(sa.func.sum(sa.func.greatest(cases.c.owed_minor, 0)), 0).label("owed_minor"),
            sa.func.count().filter(cases.c.status == "open").label("open_count"),
        )
        .where(cases.c.incident_id.is_not(None))
        .group_by(cases.c.incident_id)
        .subquery()
    )
    proposed = sa.exists().where(
        approvals.c.subject_kind == "incident",
        approvals.c.subject_id == incidents.c.incident_id,
        approvals.c.status == "proposed",
    )
    query = (
        sa.select(
            incidents,
            sa.func.coalesce(counted.c.case_count, 0).label("case_count"),
            sa.func.coalesce(counted.c.open_count, 0).label("open_count"),
            sa.func.coalesce(counted.c.owed_minor, 0).label("owed_minor"),
            proposed.label("proposed"),
        )
        .outerjoin(counted, counted.c.incident_id == incidents.c.incident_id)
        .order_by((incidents.c.status == "closed"), incidents.c.started_at.desc())
        .limit(INCIDENTS_SHOWN_MAX)
    )
    return list(connection.execute(query))


def read(connection: sa.Connection, incident_id: UUID) -> IncidentFile | None:
    """The incident of that id, or None."""
    incident = connection.execute(sa.select(incidents).where(incidents.c.incident_id == incident_id)).one_or_none()
    if incident is None:
        return None
    mine = cases.c.incident_id == incident_id
    still_open = mine & (cases.c.status == "open")
    return IncidentFile(
        incident=incident,
        all_cases=_figures(connection, mine),
        open_cases=_figures(connection, still_open),
        waiting=_figures(connection, still_open & cases.c.disposition.in_(WAITING)),
        by_kind=_grouped(connection, mine, cases.c.kind),
        by_status=_grouped(connection, mine, cases.c.status),
        remedies=list(
            connection.execute(
                sa.select(
                    intents.c.status, sa.func.count().label("count"), sa.func.sum(intents.c.amount_minor).label("minor")
                )
                .join(cases, cases.c.case_id == intents.c.case_id)
                .where(mine)
                .group_by(intents.c.status)
                .order_by(intents.c.status)
            )
        ),
        notices=list(
            connection.execute(
                sa.select(notices.c.event, notices.c.status, sa.func.count().label("count"))
                .join(cases, cases.c.case_id == notices.c.case_id)
                .where(mine)
                .group_by(notices.c.event, notices.c.status)
                .order_by(notices.c.event, notices.c.status)
            )
        ),
        cases=list(
            connection.execute(
                sa.select(cases)
                .where(mine)
                .order_by(cases.c.status != "open", cases.c.confirmed_at)
                .limit(CASES_SHOWN_MAX)
            )
        ),
        approvals=list(
            connection.execute(
                sa.select(approvals)
                .where(approvals.c.subject_kind == "incident", approvals.c.subject_id == incident_id)
                .order_by(approvals.c.proposed_at)
            )
        ),
        audit=list(
            connection.execute(
                sa.select(audit)
                .where(audit.c.subject_kind == "incident", audit.c.subject_id == str(incident_id))
                .order_by(audit.c.audit_id)
                .limit(CASES_SHOWN_MAX)
            )
        ),
        customers=connection.execute(
            sa.select(sa.func.count(sa.distinct(sa.func.coalesce(cases.c.payer, cases.c.account)))).where(mine)
        ).scalar_one(),
    )


def _figures(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> Figures:
    owed = sa.func.coalesce(sa.func.sum(sa.func.greatest(cases.c.owed_minor, 0)), 0)
    row = connection.execute(sa.select(sa.func.count(), owed).select_from(cases).where(condition)).one()
    return Figures(count=int(row[0]), minor=int(row[1]))


def _grouped(connection: sa.Connection, condition: sa.ColumnElement[bool], column: sa.Column[Any]) -> list[sa.Row[Any]]:
    owed = sa.func.sum(sa.func.greatest(cases.c.owed_minor, 0)).label("minor")
    query = (
        sa.select(column.label("name"), sa.func.count().label("count"), owed)
        .where(condition)
        .group_by(column)
        .order_by(sa.func.count().desc(), column)
    )
    return list(connection.execute(query))
