from typing import Annotated, Final
from uuid import UUID

import sqlalchemy as sa
from fastapi import APIRouter, Form
from starlette.exceptions import HTTPException
from starlette.responses import Response

from reconcile.desk import case_file, lake_file
from reconcile.desk.case_file import CaseFile
from reconcile.desk.deciding import deciding, open_proposal
from reconcile.desk.evidence import blocked_of
from reconcile.desk.guard import needs
from reconcile.desk.message_text import message_text
from reconcile.desk.next_step import next_step
from reconcile.desk.page import Page, Viewing
from reconcile.desk.roles import Decision, Permission, decide_approve, decide_propose
from reconcile.desk.terms import terms_of
from reconcile.desk.timeline import Story, timeline
from reconcile.domain.breaks import OWING
from reconcile.domain.ids import normalise_case_number
from reconcile.jobs import approvals
from reconcile.store import audit

router = APIRouter()

REASON_CHARACTERS_MAX: Final = 500


@router.get("/cases/{number}", dependencies=[needs(Permission.SEE_CASES)])
def case(page: Viewing, number: str) -> Response:
    """One case as one timeline, with what to do next on top."""
    normal = normalise_case_number(number)
    if normal is None:
        raise HTTPException(404)
    if normal != number:
        return page.go(f"/cases/{normal}")
    with page.world.database.begin() as connection:
        file = _read(connection, normal)
        _looked_at(connection, page, ("case", str(file.case.case_id)))
    return _shown(page, file.case.case_id, file)


@router.get("/timelines/{confirmation_id}", dependencies=[needs(Permission.SEE_CASES)])
def purchase(page: Viewing, confirmation_id: UUID) -> Response:
    """One purchase: its case where it has one, else what the lake knows of it."""
    with page.world.database.begin() as connection:
        number = case_file.number_of(connection, confirmation_id)
        if number is not None:
            return page.go(f"/cases/{number}")
        _looked_at(connection, page, ("confirmation", str(confirmation_id)))
    return _shown(page, confirmation_id, None)


@router.post("/cases/{number}/propose", dependencies=[needs(Permission.PROPOSE)])
def propose(
    page: Viewing, number: str, reason: Annotated[str, Form(min_length=1, max_length=REASON_CHARACTERS_MAX)]
) -> Response:
    """One person says why it should be credited."""
    with deciding(page):
        approvals.propose_case(page.world, _known(page, number), page.viewer.username, reason.strip())
    return page.go(f"/cases/{number}")


@router.post("/cases/{number}/approve", dependencies=[needs(Permission.APPROVE)])
def approve(page: Viewing, number: str, evidence_hash: Annotated[str, Form(max_length=64)]) -> Response:
    """Another person lets it be credited, exactly as seen."""
    with deciding(page):
        approvals.approve_case(page.world, _known(page, number), page.viewer.username, evidence_hash)
    return page.go(f"/cases/{number}")


@router.post("/cases/{number}/reject", dependencies=[needs(Permission.APPROVE)])
def reject(
    page: Viewing,
    number: str,
    evidence_hash: Annotated[str, Form(max_length=64)],
    reason: Annotated[str, Form(min_length=1, max_length=REASON_CHARACTERS_MAX)],
) -> Response:
    """Another person turns it down."""
    with deciding(page):
        approvals.reject_case(page.world, _known(page, number), page.viewer.username, evidence_hash, reason.strip())
    return page.go(f"/cases/{number}")


def _shown(page: Page, confirmation_id: UUID, file: CaseFile | None) -> Response:
    bought = lake_file.purchase(page.world, confirmation_id)
    if bought is None and file is None:
        raise HTTPException(404)
    story = Story(
        file=file,
        purchase=bought,
        entries=_entries(page, bought, file),
        message=message_text(page.world, bought) if bought else None,
    )
    propose, approve = _may_propose(page, file), _may_approve(page, file)
    return page.show(
        "case.html",
        file=file,
        story=story,
        terms=terms_of(page, file.proposal.terms) if file and file.proposal else [],
        blocked=blocked_of(file.case.blocked if file else None, page.texts),
        moments=timeline(page, story),
        step=next_step(page, story, approve=approve, propose=propose),
        propose=propose,
        approve=approve,
    )


def _entries(page: Page, bought: lake_file.Purchase | None, file: CaseFile | None) -> list[lake_file.Entry]:
    if bought is not None:
        return lake_file.entries_of(page.world, bought)
    assert file is not None, "a page about neither a purchase nor a case"
    case = file.case
    # A credit without a purchase is judged one deadline after it was posted: look from there backwards.
    at = case.credited_at or case.deadline_at or case.detected_at
    return lake_file.entries_around(page.world, flow=case.flow, account=case.account, reference=case.reference, at=at)


def _read(connection: sa.Connection, number: str) -> CaseFile:
    file = case_file.read(connection, number=number)
    if file is None:
        raise HTTPException(404)
    return file


def _known(page: Page, number: str) -> str:
    with page.world.database.begin() as connection:
        return str(_read(connection, number).case.number)


def _looked_at(connection: sa.Connection, page: Page, subject: tuple[str, str]) -> None:
    # Looking at a customer's purchases is itself on the record, whoever looks.
    audit.record(
        connection,
        at=page.world.clock.now(),
        actor=page.viewer.actor,
        action="looked at",
        subject=subject,
        reason="opened at the desk",
    )


def _may_propose(page: Page, file: CaseFile | None) -> Decision:
    if file is None:
        return Decision(allowed=False, reason="refused.nothing_to_propose")
    proposable = (
        file.case.status == "open"
        and file.case.owed_minor > 0
        and file.case.kind in OWING
        and file.case.disposition in {"await_approval", "review"}
        and (file.intent is None or file.intent.status == "awaiting_approval")
    )
    return decide_propose(
        page.viewer.role,
        proposable=proposable,
        proposal=open_proposal(file.proposal),
        now=page.world.clock.now(),
    )


def _may_approve(page: Page, file: CaseFile | None) -> Decision:
    return decide_approve(
        page.viewer.role,
        page.viewer.username,
        proposal=None if file is None else open_proposal(file.proposal),
        now=page.world.clock.now(),
    )
