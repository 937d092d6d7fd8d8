from decimal import Decimal
from typing import Annotated, Final
from uuid import UUID

import sqlalchemy as sa
from fastapi import APIRouter, Form
from starlette.exceptions import HTTPException
from starlette.responses import Response

from reconcile.desk import incident_file
from reconcile.desk.deciding import deciding, open_proposal
from reconcile.desk.guard import needs
from reconcile.desk.incident_file import IncidentFile
from reconcile.desk.page import Page, Viewing
from reconcile.desk.roles import Decision, Permission, decide_approve, decide_propose
from reconcile.desk.terms import terms_of
from reconcile.domain.money import AmountError, asset, to_decimal, to_minor
from reconcile.jobs import approvals
from reconcile.reports.curve import curve, minutes_of
from reconcile.reports.feed_incident import waits_of

router = APIRouter(prefix="/incidents")

CAUSE_CHARACTERS_MAX: Final = 500
COUNT_MAX: Final = 10_000_000


@router.get("", dependencies=[needs(Permission.SEE_CASES)])
def listed(page: Viewing) -> Response:
    """All incidents, the open ones first."""
    with page.world.database.begin() as connection:
        return page.show("incidents.html", incidents=incident_file.listed(connection))


@router.get("/{incident_id}", dependencies=[needs(Permission.SEE_CASES)])
def shown(page: Viewing, incident_id: UUID) -> Response:
    """One incident: its figures, its curve, its cases, and what this viewer may do about it; of a feed, what it waits for."""
    with page.world.database.begin() as connection:
        file = _read(connection, incident_id)
        incident = file.incident
        if incident.kind == "feed":
            return page.show("feed_incident.html", file=file, waits=waits_of(incident.scope, page.texts, page.formats))
        minutes = minutes_of(connection, page.world.lake, incident, now=page.world.clock.now())
    unit = asset(incident.asset) if incident.asset else None
    return page.show(
        "incident.html",
        file=file,
        terms=terms_of(page, file.proposal.terms) if file.proposal else [],
        curve=curve(minutes, incident, texts=page.texts, formats=page.formats),
        propose=_may_propose(page, file),
        approve=_may_approve(page, file),
        cause=incident.cause or page.texts("incident.default_cause", at=page.formats.moment(incident.started_at)),
        max_value="" if unit is None else f"{to_decimal(file.waiting.minor, unit):f}",
    )


@router.post("/{incident_id}/propose", dependencies=[needs(Permission.PROPOSE)])
def propose(
    page: Viewing,
    incident_id: UUID,
    cause: Annotated[str, Form(min_length=1, max_length=CAUSE_CHARACTERS_MAX)],
    max_count: Annotated[int, Form(ge=1, le=COUNT_MAX)],
    max_value: Annotated[Decimal, Form(gt=0, max_digits=18)],
) -> Response:
    """One person names the cause and the most that may be paid."""
    with page.world.database.begin() as connection:
        incident = _read(connection, incident_id).incident
    if incident.asset is None:
        raise HTTPException(409, page.texts("refused.nothing_to_propose"))
    try:
        max_minor = to_minor(max_value, asset(incident.asset))
    except AmountError as error:
        raise HTTPException(400) from error
    with deciding(page):
        approvals.propose_incident(page.world, incident_id, page.viewer.username, cause.strip(), max_count, max_minor)
    return page.go(f"/incidents/{incident_id}")


@router.post("/{incident_id}/approve", dependencies=[needs(Permission.APPROVE)])
def approve(page: Viewing, incident_id: UUID, evidence_hash: Annotated[str, Form(max_length=64)]) -> Response:
    """Another person opens that budget, for exactly what was seen."""
    with deciding(page):
        approvals.approve_incident(page.world, incident_id, page.viewer.username, evidence_hash)
    return page.go(f"/incidents/{incident_id}")


@router.post("/{incident_id}/reject", dependencies=[needs(Permission.APPROVE)])
def reject(
    page: Viewing,
    incident_id: UUID,
    evidence_hash: Annotated[str, Form(max_length=64)],
    reason: Annotated[str, Form(min_length=1, max_length=CAUSE_CHARACTERS_MAX)],
) -> Response:
    """Another person turns it down; it can be proposed again."""
    with deciding(page):
        approvals.reject_incident(page.world, incident_id, page.viewer.username, evidence_hash, reason.strip())
    return page.go(f"/incidents/{incident_id}")


def _read(connection: sa.Connection, incident_id: UUID) -> IncidentFile:
    file = incident_file.read(connection, incident_id)
    if file is None:
        raise HTTPException(404)
    return file


def _may_propose(page: Page, file: IncidentFile) -> Decision:
    now = page.world.clock.now()
    incident = file.incident
    proposable = incident.kind == "credits" and incident.status == "recovered" and file.waiting.count > 0
    return decide_propose(page.viewer.role, proposable=proposable, proposal=open_proposal(file.proposal), now=now)


def _may_approve(page: Page, file: IncidentFile) -> Decision:
    return decide_approve(
        page.viewer.role,
        page.viewer.username,
        proposal=open_proposal(file.proposal),
        now=page.world.clock.now(),
    )
