from fastapi import APIRouter
from starlette.responses import Response

from reconcile.desk import queues
from reconcile.desk.guard import needs
from reconcile.desk.page import Viewing
from reconcile.desk.roles import Permission
from reconcile.domain.breaks import OWING

router = APIRouter()


@router.get("/approvals", dependencies=[needs(Permission.SEE_CASES)])
def approvals(page: Viewing) -> Response:
    """What waits for a second person, and what policy gave to a first one."""
    with page.world.database.begin() as connection:
        in_review = queues.in_review(connection)
        return page.show(
            "approvals.html",
            waiting=queues.awaiting_approval(connection, page.world.clock.now()),
            in_review=in_review,
            proposable={row.case_id for row in in_review if row.kind in OWING and row.owed_minor > 0},
        )
