"""All that PostgreSQL knows about one case, bounded."""

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from reconcile.store.tables import (
    approvals,
    attempts,
    audit,
    cases,
    contacts,
    directory,
    incidents,
    intents,
    notices,
    observations,
    promises,
    verdicts,
)

ROWS_MAX: Final = 200
"""Rows of one kind on one page; a case with more of anything is not read at a glance anyway."""

Rows = list[sa.Row[Any]]


@dataclass(frozen=True, slots=True)
class CaseFile:
    """One case with its rows, oldest first. `customer` is the directory's row for whoever is told, or None."""

    case: sa.Row[Any]
    verdicts: Rows
    intents: Rows
    attempts: Rows
    observations: Rows
    notices: Rows
    promises: Rows
    contacts: Rows
    approvals: Rows
    audit: Rows
    incident: sa.Row[Any] | None
    customer: sa.Row[Any] | None
    wronged_before: int

    @property
    def verdict(self) -> sa.Row[Any] | None:
        return self.verdicts[-1] if self.verdicts else None

    @property
    def intent(self) -> sa.Row[Any] | None:
        return self.intents[-1] if self.intents else None

    @property
    def proposal(self) -> sa.Row[Any] | None:
        """The approval that waits for somebody, if one does."""
        return next((row for row in self.approvals if row.status == "proposed"), None)

    @property
    def incident_number(self) -> str | None:
        return None if self.incident is None else self.incident.number

    @property
    def told(self) -> str:
        """To whom notices go: the payer, who may not be the one whom the ledger credits."""
        return str(self.case.payer or self.case.account)


def read(connection: sa.Connection, *, number: str) -> CaseFile | None:
    """The case of that number, or None."""
    case = connection.execute(sa.select(cases).where(cases.c.number == number)).one_or_none()
    if case is None:
        return None
    case_id = case.case_id
    intent_rows = _rows(connection, intents, intents.c.case_id == case_id, intents.c.planned_at)
    attempt_rows = _rows(
        connection, attempts, attempts.c.intent_id.in_([row.intent_id for row in intent_rows]), attempts.c.created_at
    )
    attempt_ids = [row.attempt_id for row in attempt_rows]
    told = case.payer or case.account
    return CaseFile(
        case=case,
        verdicts=_rows(connection, verdicts, verdicts.c.case_id == case_id, verdicts.c.version),
        intents=intent_rows,
        attempts=attempt_rows,
        observations=_rows(
            connection, observations, observations.c.attempt_id.in_(attempt_ids), observations.c.observation_id
        ),
        notices=_rows(connection, notices, notices.c.case_id == case_id, notices.c.planned_at),
        promises=_rows(connection, promises, promises.c.case_id == case_id, promises.c.made_at),
        contacts=_rows(connection, contacts, contacts.c.case_id == case_id, contacts.c.at),
        approvals=_rows(connection, approvals, _about_case(case), approvals.c.proposed_at),
        audit=_rows(connection, audit, _audited(case_id, intent_rows), audit.c.audit_id),
        incident=connection.execute(
            sa.select(incidents).where(incidents.c.incident_id == case.incident_id)
        ).one_or_none(),
        customer=connection.execute(sa.select(directory).where(directory.c.account == told)).one_or_none(),
        wronged_before=connection.execute(
            sa.select(sa.func.count())
            .select_from(cases)
            .where(
                sa.or_(cases.c.account == told, cases.c.payer == told),
                cases.c.confirmed_at < (case.confirmed_at or case.detected_at),
                cases.c.case_id != case_id,
                cases.c.status != "rejected",
            )
        ).scalar_one(),
    )


def number_of(connection: sa.Connection, case_id: UUID) -> str | None:
    """The number of the case with that id, or None."""
    return connection.execute(sa.select(cases.c.number).where(cases.c.case_id == case_id)).scalar_one_or_none()


def _about_case(case: sa.Row[Any]) -> sa.ColumnElement[bool]:
    own = sa.and_(approvals.c.subject_kind == "case", approvals.c.subject_id == case.case_id)
    if case.incident_id is None:
        return own
    covering = sa.and_(
        approvals.c.subject_kind == "incident",
        approvals.c.subject_id == case.incident_id,
        approvals.c.status == "approved",
    )
    return sa.or_(own, covering)


def _audited(case_id: UUID, intent_rows: Rows) -> sa.ColumnElement[bool]:
    about = [sa.and_(audit.c.subject_kind == "case", audit.c.subject_id == str(case_id))]
    if intent_rows:
        ids = [str(row.intent_id) for row in intent_rows]
        about.append(sa.and_(audit.c.subject_kind == "intent", audit.c.subject_id.in_(ids)))
    return sa.or_(*about)


def _rows(
    connection: sa.Connection, table: sa.Table, condition: sa.ColumnElement[bool], order: sa.ColumnElement[Any]
) -> Rows:
    return list(connection.execute(sa.select(table).where(condition).order_by(order).limit(ROWS_MAX)))
