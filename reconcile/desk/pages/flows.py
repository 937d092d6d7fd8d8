from typing import Annotated, Final

from fastapi import APIRouter, Form
from starlette.exceptions import HTTPException
from starlette.responses import Response

from reconcile.desk import flow_file
from reconcile.desk.deciding import deciding, open_proposal
from reconcile.desk.guard import needs
from reconcile.desk.page import Viewing
from reconcile.desk.roles import Permission, decide_approve, decide_propose
from reconcile.desk.terms import terms_of
from reconcile.jobs import approvals

router = APIRouter(prefix="/flows")

REASON_CHARACTERS_MAX: Final = 500


@router.get("/{flow}", dependencies=[needs(Permission.SEE_CASES)])
def shown(page: Viewing, flow: str) -> Response:
    """How one flow stands and, while its breaker is open, how two people let it go on."""
    now = page.world.clock.now()
    with page.world.database.begin() as connection:
        file = flow_file.read(connection, flow)
    assets = [one.asset for one in page.world.configuration.flows if one.name == flow]
    if file is None or not assets:
        raise HTTPException(404)
    proposal = open_proposal(file.proposal)
    return page.show(
        "flow.html",
        file=file,
        limits=terms_of(page, {**file.mode.policy, "asset": assets[0]}),
        terms=terms_of(page, file.proposal.terms) if file.proposal else [],
        propose=decide_propose(page.viewer.role, proposable=file.breaker is not None, proposal=proposal, now=now),
        approve=decide_approve(page.viewer.role, page.viewer.username, proposal=proposal, now=now),
    )


@router.post("/{flow}/propose", dependencies=[needs(Permission.PROPOSE)])
def propose(
    page: Viewing, flow: str, reason: Annotated[str, Form(min_length=1, max_length=REASON_CHARACTERS_MAX)]
) -> Response:
    """One person says why the flow may pay and speak again."""
    with deciding(page):
        approvals.propose_reopening(page.world, flow, page.viewer.username, reason.strip())
    return page.go(f"/flows/{flow}")


@router.post("/{flow}/approve", dependencies=[needs(Permission.APPROVE)])
def approve(page: Viewing, flow: str, evidence_hash: Annotated[str, Form(max_length=64)]) -> Response:
    """Another person lets it."""
    with deciding(page):
        approvals.approve_reopening(page.world, flow, page.viewer.username, evidence_hash)
    return page.go(f"/flows/{flow}")
