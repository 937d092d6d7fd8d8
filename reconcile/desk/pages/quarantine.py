from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Form
from starlette.exceptions import HTTPException
from starlette.responses import Response

from reconcile.desk.guard import needs
from reconcile.desk.page import Viewing
from reconcile.desk.queues import ROWS_SHOWN_MAX
from reconcile.desk.roles import Permission
from reconcile.feeds import quarantine
from reconcile.feeds.quarantine import Filter, NotHeldError

router = APIRouter(prefix="/quarantine")

REASON_CHARACTERS_MAX: Final = 500


@router.get("", dependencies=[needs(Permission.SEE_REPORTS)])
def listed(page: Viewing) -> Response:
    """What is kept back: counts by reason, and the oldest rows with whom each keeps from being paid."""
    meant = Filter()
    with page.world.database.begin() as connection:
        counts = quarantine.count(connection, meant)
        rows = quarantine.find(connection, meant, at_most=ROWS_SHOWN_MAX)
    return page.show("quarantine.html", counts=counts, rows=rows)


@router.get("/{row_id}", dependencies=[needs(Permission.SEE_REPORTS)])
def shown(page: Viewing, row_id: UUID) -> Response:
    """One row; the line as it was delivered is not shown, since names and numbers stand in it."""
    with page.world.database.begin() as connection:
        try:
            row = quarantine.show(connection, row_id)
        except NotHeldError as error:
            raise HTTPException(404) from error
    return page.show("quarantined_row.html", row=row)


@router.post("/{row_id}/dismiss", dependencies=[needs(Permission.DISMISS)])
def dismiss(
    page: Viewing, row_id: UUID, reason: Annotated[str, Form(min_length=1, max_length=REASON_CHARACTERS_MAX)]
) -> Response:
    """Says that nobody waits for the row: it holds nobody back any more."""
    with page.world.database.begin() as connection:
        try:
            quarantine.dismiss(
                connection,
                row_id,
                actor=f"user:{page.viewer.username}",
                reason=reason.strip(),
                now=page.world.clock.now(),
            )
        except NotHeldError as error:
            raise HTTPException(409, page.texts("refused.not_held")) from error
    return page.go(f"/quarantine/{row_id}")
